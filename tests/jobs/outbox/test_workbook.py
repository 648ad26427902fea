"""A channel's file as a workbook: what openpyxl reads is what was written."""

import io
import re
import zipfile
from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from jobs.outbox import workbook
from schemas.config import Push
from schemas.errors import ConfigError


def book_of(rows, columns=("name", "note")):
    push = Push("file.xlsx", columns, format="xlsx")
    return b"".join(workbook.content(rows, push, "push.hall"))


def cells(body):
    (sheet,) = openpyxl.load_workbook(io.BytesIO(body)).worksheets
    return [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows()]


def test_text_stays_text_and_amounts_are_exact():
    rows = [
        {"name": "+8613800000001", "note": Decimal("12.50")},
        {"name": "=1+1", "note": 3},
        {"name": "013800000001", "note": 2305843009213693951},
        {"name": "全球通58套餐 𠮷", "note": date(2009, 5, 3)},
        {"name": None, "note": True},
        {"name": "http://example.com", "note": "two\nlines"},
    ]
    header, *found = cells(book_of(rows))
    assert header == [("name", "s"), ("note", "s")]
    assert found == [
        [("+8613800000001", "s"), ("12.50", "s")],
        [("=1+1", "s"), (3, "n")],
        [("013800000001", "s"), ("2305843009213693951", "s")],
        [("全球通58套餐 𠮷", "s"), ("2009-05-03", "s")],
        [(None, "n"), ("true", "s")],
        [("http://example.com", "s"), ("two\nlines", "s")],
    ]


def test_no_cell_is_a_formula_or_a_link():
    body = book_of([{"name": "=cmd|' /C calc'!A0", "note": "http://example.com"}])
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert not re.search("<f>|<f |hyperlink", sheet)


def test_the_same_rows_are_the_same_bytes():
    rows = [{"name": str(number), "note": number} for number in range(500)]
    assert book_of(rows) == book_of(rows)


def test_a_file_without_rows_has_its_header():
    assert cells(book_of([])) == [[("name", "s"), ("note", "s")]]


def test_what_a_sheet_cannot_hold_is_refused_with_its_row():
    rows = [{"name": "a", "note": 1}, {"name": "a" * 32768, "note": 1}]
    with pytest.raises(ConfigError) as caught:
        book_of(rows)
    assert str(caught.value) == (
        "push.hall: row 2 of the file: name has 32,768 characters, a cell holds 32,767: leave the "
        "column out, or use format: csv in channels.yml"
    )
