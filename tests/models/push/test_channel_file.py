"""The file of a channel: its bytes and its manifest."""

from datetime import date
from decimal import Decimal

import pytest

from models.push import channel_file
from schemas.config import Push
from schemas.config.channel import Message
from schemas.currency import YUAN, Currency
from schemas.errors import ConfigError
from tests.given.frames import local_frame

DAY = date(2009, 5, 3)


def file_of(rows, **changes):
    form = {"file": "hall.csv", "columns": ("name", "note"), "neutralise_formulas": False}
    return list(channel_file.render(rows, Push(**(form | changes)), "push.hall"))


def test_a_file_has_a_header_and_one_line_per_row_in_the_given_order():
    rows = [{"name": "b", "note": 2}, {"name": "a", "note": 1}]
    assert file_of(rows) == [b"name,note\n", b"b,2\n", b"a,1\n"]
    assert file_of(rows, header=False, line_end="crlf", delimiter="|") == [b"b|2\r\n", b"a|1\r\n"]
    assert file_of([]) == [b"name,note\n"]


def test_only_the_listed_columns_leave():
    rows = [{"name": "a", "note": 1, "msisdn": "13800000001"}]
    assert file_of(rows, columns=("note",), header=False) == [b"1\n"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (Decimal("12.50"), "12.50"),
        (Decimal("0E-2"), "0.00"),
        (date(2009, 5, 3), "2009-05-03"),
        (True, "true"),
        (1234567890123456789, "1234567890123456789"),
        ("13800000001", "13800000001"),
    ],
)
def test_values_are_written_as_plain_text(value, cell):
    assert file_of([{"note": value}], columns=("note",), header=False) == [f"{cell}\n".encode()]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a,b", '"a,b"'),
        ('say "yes"', '"say ""yes"""'),
        ("two\nlines", '"two\nlines"'),
        ("return\rhere", '"return\rhere"'),
        ("semi;colon", "semi;colon"),
        ("a|b", "a|b"),
    ],
)
def test_a_cell_is_quoted_only_if_necessary(text, cell):
    assert file_of([{"note": text}], columns=("note",), header=False) == [f"{cell}\n".encode()]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|calc", "'+cmd|calc"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", '"\'\rx"'),
        ("=A1,B1", '"\'=A1,B1"'),
        ("-12.50", "-12.50"),
        ("+8613800000001", "+8613800000001"),
        (Decimal("-3.20"), "-3.20"),
        ("a=b", "a=b"),
        ("全球通", "全球通"),
    ],
)
def test_formulas_are_neutralised_and_numbers_are_unchanged(text, cell):
    form = {"columns": ("note",), "header": False}
    assert file_of([{"note": text}], neutralise_formulas=True, **form) == [f"{cell}\n".encode()]
    untouched = b"".join(file_of([{"note": text}], neutralise_formulas=False, **form)).decode()
    assert "'" not in untouched


def test_text_is_written_in_the_encoding_of_the_channel():
    rows = [{"name": "全球通58套餐", "note": "省12.45元 𠮷"}]
    lines = file_of(rows, encoding="gb18030")
    assert lines[1].startswith(b"\xc8\xab\xc7\xf2\xcd\xa8")  # 全球通
    assert lines[1].decode("gb18030") == "全球通58套餐,省12.45元 𠮷\n"
    assert file_of(rows)[1] == "全球通58套餐,省12.45元 𠮷\n".encode()


def test_a_column_missing_in_the_table_is_named(spark):
    with pytest.raises(ConfigError, match="push column 'note' is no column"):
        file_of([{"name": "a"}])
    row = local_frame(spark, [("a",)], "name string").first()
    with pytest.raises(ConfigError, match="push column 'note' is no column"):
        file_of([row])


def refusal(rows, **form):
    with pytest.raises(ConfigError) as caught:
        file_of(rows, **form)
    return str(caught.value)


def test_a_fixed_file_holds_each_cell_in_the_bytes_of_its_column():
    rows = [
        {"name": "全球通", "note": Decimal("12.50")},
        {"name": None, "note": 7},
        {"name": "abcdefgh", "note": None},
    ]
    form = {"format": "fixed", "widths": {"name": 8, "note": 6}, "encoding": "gb18030"}
    lines = file_of(rows, line_end="crlf", **form)
    assert [line.decode("gb18030") for line in lines] == [
        "全球通   12.50\r\n",
        "             7\r\n",
        "abcdefgh      \r\n",
    ]
    assert {len(line) for line in lines} == {8 + 6 + 2}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"campaign_id": "spring", "name": "全球通58", "note": 1},
            "push.hall: row 2 of the file (campaign spring): name takes 11 bytes in utf-8, its "
            "width is 9: widen it in channels.yml",
        ),
        (
            {"name": "two\nlines", "note": 1},
            "push.hall: row 2 of the file: name has a line break, which a fixed file cannot hold",
        ),
    ],
)
def test_a_cell_that_a_fixed_file_cannot_hold_is_refused_with_its_row(row, message):
    rows = [{"name": "全球通", "note": 1}, row]
    assert refusal(rows, format="fixed", widths={"name": 9, "note": 1}) == message


def test_a_file_of_json_lines_has_an_object_a_row_with_amounts_as_text():
    rows = [
        {"name": "+8613800000001", "note": Decimal("12.50")},
        {"name": 'say "全"\n', "note": 3},
        {"name": None, "note": True},
        {"name": date(2009, 5, 3), "note": "=1+1"},
    ]
    assert b"".join(file_of(rows, format="jsonl")).decode().splitlines() == [
        '{"name":"+8613800000001","note":"12.50"}',
        '{"name":"say \\"全\\"\\n","note":3}',
        '{"name":null,"note":true}',
        '{"name":"2009-05-03","note":"=1+1"}',
    ]


@pytest.mark.parametrize("format", ["csv", "fixed", "jsonl"])
def test_a_character_that_the_encoding_lacks_is_refused_with_its_row_or_replaced(format):
    """U+20BB7 (𠮷, in names) is in GB18030 and not in GBK."""
    rows = [{"name": "吉", "note": 1}, {"name": "𠮷", "note": 2}]
    form = {"format": format, "encoding": "gbk", "header": False}
    form["widths"] = {"name": 2, "note": 1} if format == "fixed" else {}
    assert refusal(rows, **form) == (
        "push.hall: row 2 of the file: name has the character U+20BB7, which gbk cannot hold: "
        "choose another encoding in channels.yml, or say with replace_with what stands for such a "
        "character"
    )
    replaced = b"".join(file_of(rows, replace_with="？", **form)).decode("gbk")
    assert "吉" in replaced
    assert replaced.count("？") == 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", 1), ("好" * 70, 1), ("好" * 71, 2), ("好" * 140, 2), ("好" * 141, 3), ("𠮷" * 36, 2)],
    ids=["none", "70", "71", "140", "141", "36 of two units"],
)
def test_the_parts_of_a_message_are_counted_by_70_characters(text, parts):
    message = Message("10086", 70, 2)
    assert message.parts(text) == parts
    row = {"campaign_id": "spring", "script": text}
    form = {"columns": ("script",), "header": False, "message": message}
    if parts <= 2:
        assert len(file_of([row], **form)) == 1
    else:
        assert refusal([row], **form) == (
            "push.hall: row 1 of the file (campaign spring): the text of 141 characters takes 3 "
            "parts of 70, the channel allows 2: shorten the script of the campaign, or raise "
            "message.max_parts in channels.yml"
        )


def manifest(currency, test_rows=0):
    return channel_file.manifest(
        file="hall_20090503.csv",
        channel="hall",
        data_date=DAY,
        contract_version="9f2c",
        rows=2,
        test_rows=test_rows,
        size=18,
        sha256="ab12",
        currency=currency,
    )


def test_a_manifest_has_what_the_receiver_checks():
    assert manifest(YUAN) == {
        "file": "hall_20090503.csv",
        "channel": "hall",
        "data_date": "2009-05-03",
        "contract_version": "9f2c",
        "rows": 2,
        "bytes": 18,
        "sha256": "ab12",
    }


def test_a_manifest_names_a_currency_other_than_yuan():
    rouble = Currency("RUB", "RUB", "руб.", 2)
    assert manifest(rouble) == {**manifest(YUAN), "currency": "RUB"}


def test_a_manifest_tells_how_many_rows_are_of_test_targets():
    assert manifest(YUAN, test_rows=1) == {**manifest(YUAN), "test_rows": 1}
