"""Cells of a price list: what has one meaning is read, what has two is refused with both."""

from datetime import date
from functools import partial

import pytest

from models.price_list import cell
from models.price_list.cell import UnreadableError
from schemas.config import overlay
from schemas.currency import YUAN, Currency

amount = partial(cell.amount, currency=YUAN)
ROUBLE = Currency("RUB", "RUB", "руб.", 2, ("₽",))
EURO = Currency("EUR", "euro", "Euro", 2, ("€",))

AMOUNTS = {
    "88": "88",
    "58.00": "58.00",
    "0.333": "0.333",
    ".38": "0.38",
    "1,234.50": "1234.50",
    "1.234,50": "1234.50",
    "58,5": "58.5",
    "0,234": "0.234",
    "1234,567": "1234.567",
    "1,234,567": "1234567",
    "1 234,5": "1234.5",
    "1\u00a0234.5": "1234.5",
    "1'234.5": "1234.5",
    "¥58": "58",
    "CNY 58": "58",
    "58元": "58",
    "58.5 yuan": "58.5",
    "￥５８．５": "58.5",
    "１，２３４．５": "1234.5",
    "-58": "-58",
    "¥-58": "-58",
    "−58": "-58",
    "5\u200b8": "58",
}
WHOLES = {
    "240": 240,
    "200.0": 200,
    "200,00": 200,
    "2,000": 2000,
    "1,024": 1024,
    "1.024": 1024,
    "2 000": 2000,
    "1,000,000": 1_000_000,
    "２４０": 240,
    "-5": -5,
}
DAYS = (
    "2009-05-31",
    "2009/5/31",
    "2009.5.31",
    "2009年5月31日",
    "20090531",
    "31/5/2009",
    "5/31/2009",
    "31.05.2009",
    "2009-05-31 00:00:00",
    "2009/5/31 0:00",
    "２００９／５／３１",
)
UNREADABLE = [
    (amount, "1,234", "'1,234' has two meanings: write 1234 or 1.2340"),
    (amount, "1.234", "'1.234' has two meanings: write 1.2340 or 1234"),
    (amount, "12,34.5", "expected yuan like 0.40; got '12,34.5'"),
    (amount, "$8", "expected yuan like 0.40; got '$8'"),
    (amount, "5角", "expected yuan like 0.40; got '5角'"),
    (amount, "5²", "expected yuan like 0.40; got '5²'"),
    (amount, "1E+3", "expected yuan like 0.40; got '1E+3'"),
    (amount, "(58)", "expected yuan like 0.40; got '(58)'"),
    (cell.whole, "2.000", "'2.000' has two meanings: write 2 or 2000"),
    (cell.whole, "1.5", "expected a whole number; got '1.5'"),
    (cell.whole, "viele", "expected a whole number; got 'viele'"),
    (cell.day, "4/5/2009", "'4/5/2009' has two meanings: write 2009-04-05 or 2009-05-04"),
    (cell.day, "2009-02-30", "expected a day as 2009-05-03; got '2009-02-30'"),
    (cell.day, "4/2009", "expected a day as 2009-05-03; got '4/2009'"),
    (cell.day, "1/5/09", "expected a day as 2009-05-03; got '1/5/09'"),
    (cell.day, "39934", "expected a day as 2009-05-03; got '39934'"),
    (cell.day, "2009-05-03 10:00", "expected a day as 2009-05-03; got '2009-05-03 10:00'"),
    (cell.quantity, "1.5KB", "expected a quantity like 60s or 1KB; got '1.5KB'"),
    (cell.yes_or_no, "ja", "expected true or false; got 'ja'"),
]


@pytest.mark.parametrize(("text", "expected"), AMOUNTS.items())
def test_an_amount_with_one_meaning_is_read(text, expected):
    assert amount(text) == expected


@pytest.mark.parametrize(("text", "expected"), WHOLES.items())
def test_a_whole_number_with_one_meaning_is_read(text, expected):
    assert cell.whole(text) == expected


@pytest.mark.parametrize("text", DAYS)
def test_a_day_with_one_meaning_is_read(text):
    assert cell.day(text) == date(2009, 5, 31)


def test_a_day_that_is_the_same_either_way_is_read():
    assert cell.day("5/5/2009") == date(2009, 5, 5)


@pytest.mark.parametrize(
    ("currency", "text", "expected"),
    [
        (ROUBLE, "58 руб.", "58"),
        (ROUBLE, "1 234,50 РУБ", "1234.50"),
        (ROUBLE, "₽58", "58"),
        (ROUBLE, "-58,5 ₽", "-58.5"),
        (ROUBLE, "RUB 58", "58"),
        (EURO, "9.99 €", "9.99"),
        (EURO, "9,99 euro", "9.99"),
        (YUAN, "58 ¥", "58"),
    ],
)
def test_signs_and_names_of_the_currency_are_read(currency, text, expected):
    assert cell.amount(text, currency) == expected


@pytest.mark.parametrize(
    ("currency", "text"),
    [(ROUBLE, "¥58"), (ROUBLE, "58元"), (EURO, "58 руб."), (EURO, "5€8"), (YUAN, "5¥8")],
)
def test_a_sign_of_another_currency_or_inside_a_number_is_refused(currency, text):
    with pytest.raises(UnreadableError) as refused:
        cell.amount(text, currency)
    assert str(refused.value) == f"expected {currency.unit} like 0.40; got '{text}'"


@pytest.mark.parametrize(("read", "text", "message"), UNREADABLE)
def test_a_cell_without_one_meaning_is_refused_with_what_to_write(read, text, message):
    with pytest.raises(UnreadableError) as refused:
        read(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        (("monthly_fee",), "５８", "58"),
        (("pools", 0, "amount"), "２００.0", 200),
        (("pools", 0, "carry_over"), "TRUE", True),
        (("rounding", "scale"), "2.0", 2),
        (("caps", "gprs"), "¥500", "500"),
        (("tiers", 0, "steps", 0, "up_to"), "1,000", 1000),
        (("tiers", 0, "steps", 0, "up_to"), "null", None),
        (("valid", "to"), "2012/1/1", date(2012, 1, 1)),
        (("rules", 0, "per"), "60 s", "60s"),
        (("rules", 0, "increment"), "60; 1.0", [60, 1]),
        (("rules", 0, "match", "roaming"), "home;intl", ["home", "intl"]),
        (("rules", 0, "match", "roaming"), "home", "home"),
        (("brands",), "gotone；mzone", ["gotone", "mzone"]),
        (("name",), "５８套餐", "５８套餐"),
        (("no_such_place",), "5", "5"),
    ],
)
def test_the_shape_says_how_a_cell_is_read(place, text, expected):
    shape = overlay.shape("tariff")
    assert cell.reading(cell.shape_at(place, shape), shape, YUAN)(text) == expected
