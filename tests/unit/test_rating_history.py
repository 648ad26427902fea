"""Months of history that cannot be compared, or not as a whole: said with the reason."""
from datetime import date
from decimal import Decimal

import pytest

from models import backtest, match, rating
from models.reference_rater import Rater
from tests import event_records, match_rows
from tests.frames import local_frame
from tests.tariff_examples import MARCH, airtime, call, package, toll

APRIL, LONG_AGO = date(2009, 4, 1), date(2009, 1, 1)
ZONES = ["intra_prov", "inter_prov", "hkmotw", "intl"]
NAMED_ZONES = package("voice", [airtime(), toll(match={"toll": ZONES})])
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}


@pytest.fixture(scope="module")
def unknown_zone(spark):
    """Two calls of March to a zone that no tariff knows beside one to the next city; April."""
    events = [call(60, key="a", toll="satellite"), call(60, key="b", toll="satellite"),
              call(60, key="c", toll="intra_prov"), call(60, "2009-04-03 12:00:00", key="d")]
    return events, event_records.evaluated_months(
        spark, {1: ([MARCH, APRIL], None, events)}, {"one": NAMED_ZONES})


def test_events_without_a_price_are_counted_and_their_cell_is_named(unknown_zone):
    _, rows = unknown_zone
    row = rows[1, MARCH, "one"]
    assert (row.comparable, row.unpriced_events) == (False, 2)
    assert row.reason == "unknown cell: voice mo home satellite direct workday 0-86400 s"
    assert {row[name] for name in rating.AMOUNTS} == {None}


def test_only_the_month_that_has_them_is_not_comparable(unknown_zone):
    _, rows = unknown_zone
    assert (rows[1, APRIL, "one"].comparable, rows[1, APRIL, "one"].rated) == (
        True, Decimal("0.40"))


def test_the_reference_has_no_price_for_them_either(unknown_zone):
    events, _ = unknown_zone
    with pytest.raises(ValueError, match="no rule prices the toll of .*satellite"):
        Rater(NAMED_ZONES).rate_month(events, MARCH)


def test_a_customer_with_such_a_month_is_not_recommended_the_package(spark, unknown_zone):
    _, rows = unknown_zone
    people = match_rows.subscribers(spark, 1)
    months = [(1, month, None) for month in (MARCH, APRIL)]
    held = match_rows.holdings(spark, match_rows.months(spark, *months), [])
    quotes = match.quotes(evaluated(spark, rows), match_rows.passing(spark, people, {}), held,
                          match_rows.POLICY.rating)
    reproduced = local_frame(spark, [(1, MARCH, "equal"), (1, APRIL, "equal")],
                             "subscriber_id long, month date, cause string")
    packages = event_records.tariffs_of({"one": NAMED_ZONES}).packages
    (row,) = match.package_match(
        quotes, match_rows.actual(spark, people, ("S1", MARCH, "90"), ("S1", APRIL, "90")),
        reproduced, held.select("subscriber_id", "kind", "package_id"), people, packages,
        match_rows.POLICY.rating).collect()
    assert not row.recommended and "NOT_COMPARABLE" in row.reasons


def evaluated(spark, rows):
    """Collected rows of the evaluator as its frame."""
    return local_frame(spark, [tuple(row) for row in rows.values()], rating.EVALUATED)


CHANGE = date(2009, 3, 16)
OLD, NEW = (package("voice", [airtime(rate), FREE_TOLL]) for rate in ("0.60", "0.20"))
BEFORE, AFTER = call(600, "2009-03-10 12:00:00", key="a"), call(600, "2009-03-20 12:00:00", key="b")
CHANGED = {
    "ten minutes under each: the bill has both prices": ([BEFORE, AFTER], "8.00", "-4",
                                                         "package_changed"),
    "all of it after the change: the last package tells all": ([AFTER], "2.00", "0", "equal"),
    "another difference in a month of change": ([AFTER], "2.50", "-0.50", "package_changed"),
}


@pytest.mark.parametrize("words", CHANGED)
def test_trap_25_a_package_changed_within_a_month_is_flagged_where_it_matters(spark, words):
    """Trap 25: until 15 March .60 a minute, from the 16th .20. A month is priced by the package in
    force last; a difference is then laid to the change, and no month of it is recommended by."""
    events, bill, difference, cause = CHANGED[words]
    rows = event_records.evaluated(spark, {1: (MARCH, None, events)}, {"old": OLD, "new": NEW})
    people, customers = match_rows.subscribers(spark, 1), match_rows.months(spark, (1, MARCH, None))
    held = match_rows.holdings(spark, customers, [
        (1, "voice", "old", LONG_AGO, CHANGE), (1, "voice", "new", CHANGE, None)])
    (tested,) = backtest.backtest(
        customers, evaluated(spark, rows), held, match_rows.passing(spark, people, {}),
        match_rows.actual(spark, people, ("S1", MARCH, bill)), Decimal("0.01"), ("voice",)
    ).collect()
    assert (tested.cause, tested.difference) == (cause, Decimal(difference))
    assert (tested.cause in match.TRUSTED) == (cause == "equal")
