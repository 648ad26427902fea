"""The file of a channel: its bytes and its manifest."""

from datetime import date
from decimal import Decimal

import pytest

from models.push import channel_file
from schemas.config import Push
from schemas.currency import YUAN, Currency
from schemas.errors import ConfigError
from tests.given.frames import local_frame

DAY = date(2009, 5, 3)


def file_of(rows, **changes):
    form = {"file": "hall.csv", "columns": ("name", "note"), "neutralise_formulas": False}
    return list(channel_file.render(rows, Push(**(form | changes))))


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


def manifest(currency):
    return channel_file.manifest(
        file="hall_20090503.csv",
        channel="hall",
        data_date=DAY,
        contract_version="9f2c",
        rows=2,
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
