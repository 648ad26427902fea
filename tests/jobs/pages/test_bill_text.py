"""The columns of a printed bill never run into each other."""

import pytest

from jobs.pages.bill_text import printed

ENGINE = {
    "own_prices": "7.00",
    "same": True,
    "replayed": False,
    "passed_through": "1.00",
    "total": "8.00",
}


def bill(engine=None, **line):
    one = {
        "service": "data",
        "component": "volume",
        "match": {"roaming": "home"},
        "events": 3,
        "units": 5,
        "free_units": 0,
        "price": "0.01 / 1KB",
        "yuan": "2.00",
    }
    return {
        "name": "GPRS 5元包",
        "package": "gprs_5",
        "month": "2009-04",
        "monthly_fee": "5.00",
        "lines": [one | line],
        "cap_cuts": {"data": "0.00"},
        "commitment": "0.00",
        "rounding": "0.00",
        "own_prices": "7.00",
        "engine": engine,
    }


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, ["3", "5", "0"]),
        ({"units": 98_765_432_101}, ["3", "98,765,432,101", "0"]),
        (
            {"events": 2**31, "units": 2**63 - 1, "free_units": 2**63 - 1},
            ["2,147,483,648", "9,223,372,036,854,775,807", "9,223,372,036,854,775,807"],
        ),
    ],
)
def test_the_largest_numbers_stay_apart(changed, shown):
    text = printed(bill(ENGINE, **changed), "yuan").splitlines()
    assert text[4].split() == ["volume", "home", *shown, "0.01", "/", "1KB", "2.00"]
    assert {len(line) for line in (*text[2:6], *text[8:])} == {len(text[2])}
    assert text[7] == f"{'by the engine':<{len(text[2]) - 10}}{'7.00':>10}  the same"


def test_no_word_of_a_long_line_is_cut_off():
    facts = {
        "direction": "mo",
        "roaming": "inter_prov",
        "toll": "international",
        "band": "off_peak",
    }
    price = ", then ".join(["0.000001 / 1KB"] * 3)
    (line,) = [
        line
        for line in printed(bill(match=facts, price=price), "yuan").splitlines()
        if line.startswith("volume")
    ]
    assert line.startswith("volume mo inter_prov international off_peak  ")
    assert f"  {price}  " in line


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (None, "the engine kept no quote of this package for this month"),
        ({"reason": "no_usage"}, "the engine does not compare this month: no_usage"),
    ],
)
def test_without_a_quote_of_the_engine_its_place_says_why(engine, said):
    text = printed(bill(engine), "yuan").splitlines()
    assert text[-1] == said
    assert text[-3].split() == ["its", "own", "prices", "7.00"]


def test_cuts_and_roundings_are_shown_where_there_are_some():
    made = bill() | {"cap_cuts": {"data": "-2.00", "voice": "0.00"}, "rounding": "0.000004"}
    words = [line.split() for line in printed(made, "yuan").splitlines()]
    assert ["cap", "of", "data", "-2.00"] in words
    assert ["rounding", "0.000004"] in words
    assert not any(line[:3] == ["cap", "of", "voice"] for line in words)


def test_the_last_column_is_headed_by_the_unit_of_money():
    made = bill(RUB="1234.50")
    head, fee, line = printed(made, "RUB").splitlines()[2:5]
    assert head.split()[-1] == "RUB"
    assert (fee.split()[-1], line.split()[-1]) == ("5.00", "1234.50")
    assert len(head) == len(line)
