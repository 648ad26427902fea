"""The layout documents and the sample files of the channels, made from the configuration."""

import csv
import io
import json

import openpyxl
import pytest

from jobs import dictionary
from schemas import config
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layouts")
    options = ["--out", str(folder / "tables.md"), "--layouts", str(folder / "files")]
    assert dictionary.main([*options, "--conf", str(CONF)]) == 0
    return folder / "files"


def pushed():
    channels = config.load([CONF], CONTRACTS).channels.values()
    return [(one, one.push, CONTRACTS[f"push.{one.id}"]) for one in channels if one.push]


def sample(layouts, push, table):
    return (layouts / push.file_on(table.column("data_date").example)).read_bytes()


def test_a_layout_names_every_column_of_the_file_in_its_order(layouts):
    for channel, push, table in pushed():
        text = (layouts / f"{channel.id}.md").read_text(encoding="utf-8")
        rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
        assert [row[1].strip("`") for row in rows] == list(push.columns)
        for row in rows:
            assert row[3] == table.column(row[1].strip("`")).type
        assert (f"- encoding: {push.encoding}\n" in text) == (push.format != "xlsx")
        assert table.version in text


def test_a_layout_says_where_a_column_comes_from_and_what_is_personal(layouts):
    text = (layouts / "customer_manager.md").read_text(encoding="utf-8")
    assert "| `customer_name` | 姓名 | string | 128 | name | `customer.name` |" in text
    sms = (layouts / "sms.md").read_text(encoding="utf-8")
    assert "- message: from 10086, at most 4 parts of 70 characters\n" in sms
    assert "- worked: from 10:00 on the next day, for 10h\n" in sms


def test_a_sample_is_a_file_as_the_channel_gets_it(layouts):
    """Read by readers that share nothing with the writer."""
    for _, push, table in pushed():
        if push.format == "xlsx":
            book = openpyxl.load_workbook(io.BytesIO(sample(layouts, push, table)))
            header, *rows = book.active.iter_rows(values_only=True)
            assert (header, len(rows)) == (push.columns, 1)
            continue
        text = sample(layouts, push, table).decode(push.encoding)
        if push.format == "csv":
            lines = [*csv.reader(io.StringIO(text, newline=""), delimiter=push.delimiter)]
            assert not push.header or lines[0] == list(push.columns)
            assert {len(line) for line in lines} == {len(push.columns)}
        elif push.format == "jsonl":
            rows = [json.loads(line) for line in text.splitlines()]
            assert {tuple(row) for row in rows} == {push.columns}
        else:
            for line in sample(layouts, push, table).splitlines():
                assert len(line) == sum(push.widths.values())
                assert line[:20].decode() == "13800000001" + " " * 9


def test_a_sample_has_the_text_of_the_campaign_and_nobodys_number(layouts):
    (sms,) = [(push, table) for channel, push, table in pushed() if channel.id == "sms"]
    lines = [line.split("|") for line in sample(layouts, *sms).decode().splitlines()]
    assert {cells[0] for cells in lines} == {"13800000001"}
    (cells,) = [cells for cells in lines if cells[1] == "tariff_saving"]
    assert cells[2] == "1"
    assert cells[4].startswith("根据您近三个月的使用情况,全球通58套餐每月约需87.54元")
