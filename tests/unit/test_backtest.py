"""The present packages re-rated against the real bill: amounts by hand, one case per cause."""
from datetime import date
from decimal import Decimal

import pytest

from models import backtest
from tests import match_rows as rows
from tests.match_rows import MARCH

LONG_AGO = date(2008, 1, 1)
PACKAGES = rows.catalogue_of(
    talk=("voice", "50", "gotone"), other=("voice", "20", "gotone"), texts=("sms", "5", "gotone"),
    sms_standard=("sms", "0", "gotone"))
RECORDS = {"d12593": "1.57", "other_fees": "3", "direct_toll": "7"}
TALK = (1, MARCH, "talk", "voice", "111", RECORDS | {"unrated_fees": "0.50"})
TEXTS = (1, MARCH, "texts", "sms", "11", RECORDS | {"unrated_fees": "0.25"})
ITEMS = (
    ("S1", MARCH, "package_rent", ("50", "talk")), ("S1", MARCH, "package_rent", ("5", "texts")),
    ("S1", MARCH, "local_voice", "61.50"), ("S1", MARCH, "sms", "6.25"),
    ("S1", MARCH, "toll_voice", "7"), ("S1", MARCH, "d12593", "1.57"), ("S1", MARCH, "info", "3"),
    ("S1", MARCH, "gprs", "8"), ("S1", MARCH, "vas", "4"), ("S1", MARCH, "vpmn_rent", "10"),
)
TOTAL = "156.32"  # of the items, and 111 + 11 + 1.57 + 3 + 7 + 0.75 re-rated + 22 passed
HELD = [(1, "voice", "talk", LONG_AGO, None), (1, "sms", "texts", LONG_AGO, None)]


def tested(spark, evaluated=(TALK, TEXTS), held=HELD, items=ITEMS, total=TOTAL, defaults=None):
    people = rows.subscribers(spark, 1)
    customers = rows.months(spark, (1, MARCH, None))
    bills = [("S1", MARCH, total)] if total else []
    (row,) = backtest.backtest(
        rows.evaluated(spark, *evaluated), rows.holdings(spark, customers, held, defaults),
        rows.passing(spark, people, PACKAGES, *items), rows.actual(spark, people, *bills),
        Decimal("0.01"), ("voice", "sms"),
    ).collect()
    return row


@pytest.mark.parametrize("total, difference, cause", [
    ("156.32", "0", "equal"), ("156.31", "0.01", "equal"), ("156.33", "-0.01", "equal"),
    ("156.30", "0.02", "unexplained"), ("156.34", "-0.02", "unexplained")])
def test_the_present_packages_and_what_passes_give_the_bill(spark, total, difference, cause):
    row = tested(spark, total=total)
    assert (row.rated, row.actual) == (Decimal("156.32"), Decimal(total))
    assert (row.difference, row.cause) == (Decimal(difference), cause)
    assert row.within_tolerance == (cause == "equal")


def test_the_standard_package_prices_a_kind_that_is_not_held(spark):
    standard = (1, MARCH, "sms_standard", "sms", "6.25", RECORDS)
    items = [item for item in ITEMS if item[3] != ("5", "texts")]
    row = tested(spark, (TALK, standard), HELD[:1], items, "151.07", {"sms": "sms_standard"})
    assert (row.rated, row.cause) == (Decimal("151.07"), "equal")


def test_direct_toll_counts_only_when_no_present_package_re_rates_it(spark):
    talk = (*TALK[:4], "118", {**TALK[5], "direct_toll": "0"})
    assert tested(spark, (talk, TEXTS)).rated == Decimal("156.32")


@pytest.mark.parametrize("words, changes, cause", [
    ("no bill", {"total": None}, "no_bill"),
    ("voice was billed and no voice package known", {"held": HELD[1:]}, "no_package"),
    ("no package at all", {"held": []}, "no_package"),
    ("a package that was not priced", {"evaluated": (TALK,)}, "no_package"),
    ("order", {"evaluated": ((*TALK[:4], "order of events"), TEXTS)}, "order_of_events"),
    ("a cell", {"evaluated": ((*TALK[:4], "unknown cell: 7"), TEXTS)}, "unknown_cell"),
    ("a cell beside order", {"evaluated": ((*TALK[:4], "order of events"),
                                           (*TEXTS[:4], "unknown cell: 7"))}, "unknown_cell"),
])
def test_why_there_is_nothing_to_compare(spark, words, changes, cause):
    row = tested(spark, **changes)
    assert row.cause == cause
    assert row.difference is None and row.within_tolerance is None


def test_a_change_within_the_month_explains_a_difference(spark):
    middle = date(2009, 3, 16)
    held = [(1, "voice", "other", LONG_AGO, middle), (1, "voice", "talk", middle, None), HELD[1]]
    assert tested(spark, held=held, total="140").cause == "package_changed"
    assert tested(spark, held=held).cause == "equal"
