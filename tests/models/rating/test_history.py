"""Months of history that cannot be compared, or only in parts, and the reason."""

from datetime import date
from decimal import Decimal

import pytest

from models.quote import backtest, package_quote
from models.quote import package_match as match
from models.rating import evaluator as rating
from models.reference.rater import Rater
from tests.given import event_records, match_rows
from tests.given.tariff_examples import MARCH, airtime, call, message, package, pool, session, toll

APRIL, MAY, LONG_AGO = date(2009, 4, 1), date(2009, 5, 1), date(2009, 1, 1)
ZONES = ["intra_prov", "inter_prov", "hkmotw", "intl"]
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
VOICE = {
    "named": package("voice", [airtime(), toll(match={"toll": ZONES})]),
    "any": package("voice", [airtime(), toll()]),
    "leaves": package(
        "voice", [airtime(match={"toll": "local"}), FREE_TOLL], otherwise="pass_through"
    ),
}
OTHERS = {
    "texts": package(
        "sms", [{"component": "message", "rate": "0.10", "per": "1msg", "increment": [1, 1]}]
    ),
    "online": package(
        "gprs", [{"component": "volume", "rate": "0.01", "per": "1KB", "increment": ["1KB", "1KB"]}]
    ),
}
NOWHERE = [  # March: two calls to an unknown zone and one to the next city; then April
    call(60, key="a", toll="unknown"),
    call(60, key="b", toll="unknown"),
    call(60, key="c", toll="intra_prov"),
    message(key="d"),
    session(1024, key="e"),
    call(60, "2009-04-03 12:00:00", key="f"),
]
AWAY = [
    call(60, key="a", direction="mt", roaming="unknown"),
    message(key="b", roaming="unknown"),
    session(1024, key="c", roaming="unknown"),
    session(1024, key="d"),
]
NOT_RATED = [
    call(60, key="a", toll="unknown", in_group=True),
    call(60, key="b", toll="unknown", dial="ip12593"),
    message(key="c", direction="mt", roaming="unknown"),
]


@pytest.fixture(scope="module")
def unknown_zone(spark):
    """Three customers; the packages price zones by name, price any zone, or leave some out."""
    return event_records.evaluated_months(
        spark,
        {
            1: ([MARCH, APRIL], None, NOWHERE),
            2: ([MARCH], None, AWAY),
            3: ([MARCH], None, NOT_RATED),
        },
        VOICE | OTHERS,
    )


@pytest.mark.parametrize("name", VOICE)
def test_events_without_a_price_are_counted_and_their_cell_is_named(unknown_zone, name):
    """No package has a price for an unknown zone, even if its rules accept any zone."""
    row = unknown_zone[1, MARCH, name]
    assert (row.comparable, row.unpriced_events) == (False, 2)
    assert row.reason == "unknown cell: voice mo home unknown direct workday 0-86400 s"
    assert {row[name] for name in rating.AMOUNTS} == {None}


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        *((name, "voice mt unknown local direct workday 0-86400 s") for name in VOICE),
        ("texts", "sms mo unknown p2p workday 0-86400 s"),
        ("online", "data unknown workday 0-86400 s"),
    ],
)
def test_where_the_customer_was_can_be_unknown_of_every_service(unknown_zone, name, cell):
    row = unknown_zone[2, MARCH, name]
    assert (row.comparable, row.unpriced_events, row.rated) == (False, 1, None)
    assert row.reason == f"unknown cell: {cell}"


def test_only_the_month_that_has_them_is_not_comparable(unknown_zone):
    row = unknown_zone[1, APRIL, "named"]
    assert (row.comparable, row.rated) == (True, Decimal("0.40"))


def test_packages_of_another_kind_are_comparable_beside_them(unknown_zone):
    assert [
        (row.comparable, row.unpriced_events, row.rated)
        for row in (unknown_zone[1, MARCH, name] for name in OTHERS)
    ] == [(True, 0, Decimal("0.10")), (True, 0, Decimal("0.01"))]


@pytest.mark.parametrize("name", VOICE | OTHERS)
def test_what_no_package_prices_needs_no_zone(unknown_zone, name):
    """In-group and 12593 calls pass through as recorded; nothing is due for a received message."""
    row = unknown_zone[3, MARCH, name]
    assert (row.comparable, row.unpriced_events, row.rated) == (True, 0, 0)


def test_a_month_that_is_given_free_units_by_such_a_month_is_not_comparable_either(spark):
    """The minutes that it leaves over are unknown, and so are those of the next month."""
    keeps = package(
        "voice", [airtime(pools=["free"]), FREE_TOLL], pools=[pool(10, carry_over=True)]
    )
    months = {
        month: call(seconds, f"{month:%Y-%m}-03 12:00:00", key=f"{month}")
        for month, seconds in ((MARCH, 300), (APRIL, 900), (MAY, 600))
    }
    whole = list(months.values())
    rows = event_records.evaluated_months(
        spark,
        {
            1: (list(months), None, [*whole, call(60, key="far", toll="unknown")]),
            2: (
                list(months),
                None,
                [*whole, call(60, "2009-04-06 12:00:00", "far", toll="unknown")],
            ),
            3: (
                list(months),
                None,
                whole,
            ),  # 5 minutes of March serve in April; nothing is to be paid
        },
        {"keeps": keeps},
    )
    cell = "unknown cell: voice mo home unknown direct {} 0-86400 s".format
    after = "free units of a month that is not comparable"
    assert {
        number: [rows[number, month, "keeps"].reason for month in months] for number in (1, 2, 3)
    } == {1: [cell("workday"), after, after], 2: [None, cell("workday"), after], 3: [None] * 3}
    assert [rows[3, month, "keeps"].rated for month in months] == [0, 0, 0]
    assert {rows[number, MAY, "keeps"].rated for number in (1, 2)} == {None}


@pytest.mark.parametrize(
    ("name", "events"),
    [*((name, NOWHERE) for name in VOICE), *((name, AWAY) for name in VOICE | OTHERS)],
)
def test_the_reference_has_no_price_for_them_either(name, events):
    with pytest.raises(ValueError, match="the zone of .*'unknown'.* is not known: no price"):
        Rater((VOICE | OTHERS)[name]).rate_month(events, MARCH)


def test_a_customer_with_such_a_month_is_not_recommended_the_package(spark, unknown_zone):
    rows = {key: row for key, row in unknown_zone.items() if key[0] == 1 and key[2] == "any"}
    people = match_rows.subscribers(spark, 1)
    months = [(1, month, None) for month in (MARCH, APRIL)]
    held = match_rows.holdings(spark, match_rows.months(spark, *months), [])
    quotes = package_quote.quotes(
        match_rows.evaluated_rows(spark, rows.values()),
        match_rows.passing(spark, people, {}),
        held,
        {},
        match_rows.POLICY.rating,
    )
    reproduced = match_rows.causes(spark, (1, MARCH, "equal"), (1, APRIL, "equal"))
    packages = event_records.tariffs_of({"any": VOICE["any"]}).packages
    sums = match.summed(
        quotes,
        match_rows.actual(spark, people, ("S1", MARCH, "90"), ("S1", APRIL, "90")),
        match_rows.used(spark, (1, MARCH), (1, APRIL)),
        held.select("subscriber_id", "kind", "package_id"),
        people,
        packages,
    )
    (row,) = match.package_match(sums, reproduced, match_rows.POLICY.rating).collect()
    assert not row.recommended
    assert "NOT_COMPARABLE" in row.reasons


CHANGE = date(2009, 3, 16)
OLD, NEW = (package("voice", [airtime(rate), FREE_TOLL]) for rate in ("0.60", "0.20"))
BEFORE, AFTER = call(600, "2009-03-10 12:00:00", key="a"), call(600, "2009-03-20 12:00:00", key="b")
CHANGED = {
    "ten minutes under each: the bill has both prices": ([BEFORE, AFTER], "8.00", "0", "equal"),
    "the bill has the price of the last for all": ([BEFORE, AFTER], "4.00", "4", "package_changed"),
    "all of it after the change: the last package prices all": ([AFTER], "2.00", "0", "equal"),
    "another difference in a month of change": ([AFTER], "2.50", "-0.50", "package_changed"),
}


def backtested(spark, events, bill, held, packages):
    """The back-test of March for a customer who held some voice packages."""
    rows = event_records.evaluated(spark, {1: (MARCH, None, events)}, packages)
    people, customers = match_rows.subscribers(spark, 1), match_rows.months(spark, (1, MARCH, None))
    tariffs = event_records.tariffs_of(packages)
    subscriptions = [(1, "voice", *one) for one in held]
    _, in_parts = event_records.parts_priced(
        spark,
        {1: ([MARCH], None, events)},
        match_rows.subscriptions_of(spark, *subscriptions),
        {},
        tariffs,
    )
    (tested,) = backtest.backtest(
        customers,
        match_rows.evaluated_rows(spark, rows.values()),
        match_rows.holdings(spark, customers, subscriptions, packages=tariffs.packages),
        match_rows.passing(spark, people, {}),
        match_rows.actual(spark, people, ("S1", MARCH, bill)),
        Decimal("0.01"),
        ("voice",),
        in_parts,
    ).collect()
    return tested


@pytest.mark.parametrize("words", CHANGED)
def test_trap_25_a_package_changed_within_a_month_is_compared_by_parts(spark, words):
    """Trap 25: until 15 March .60 a minute, from the 16th .20. Each prices the calls of its days.

    The cause of a remaining difference is the change, and the month supports no recommendation.
    """
    events, bill, difference, cause = CHANGED[words]
    tested = backtested(
        spark,
        events,
        bill,
        [("old", LONG_AGO, CHANGE), ("new", CHANGE, None)],
        {"old": OLD, "new": NEW},
    )
    assert (tested.cause, tested.difference) == (cause, Decimal(difference))
    assert (tested.cause in match.TRUSTED) == (cause == "equal")


NEXT_YEAR = date(2010, 1, 1)
NOT_IN_FORCE = {
    "the tariff ended within the month, the calls after it cost .20": (
        (LONG_AGO, CHANGE),
        [BEFORE, AFTER],
        "8.00",
        "4",
        "package_changed",
    ),
    "it began within the month, the calls before it cost .20": (
        (CHANGE, NEXT_YEAR),
        [BEFORE, AFTER],
        "8.00",
        "4",
        "package_changed",
    ),
    "it ended after the last call": ((LONG_AGO, CHANGE), [BEFORE], "6.00", "0", "equal"),
    "it was in force all along: nothing explains the difference": (
        (MARCH, APRIL),
        [BEFORE, AFTER],
        "8.00",
        "4",
        "unexplained",
    ),
}


@pytest.mark.parametrize("words", NOT_IN_FORCE)
def test_a_month_in_part_of_which_his_package_has_no_tariff_is_flagged(spark, words):
    """The customer always holds one package, at .60 a minute while its tariff is in force."""
    (since, until), events, bill, difference, cause = NOT_IN_FORCE[words]
    tested = backtested(
        spark,
        events,
        bill,
        [("old", LONG_AGO, None)],
        {"old": OLD | {"valid": {"from": since, "to": until}}},
    )
    assert (tested.cause, tested.difference) == (cause, Decimal(difference))
    assert (tested.cause in match.TRUSTED) == (cause == "equal")


@pytest.mark.parametrize(
    ("bill", "difference", "cause"), [("8.00", "0", "equal"), ("4.00", "4", "package_changed")]
)
def test_trap_25_a_tariff_changed_within_a_month_is_compared_by_parts(
    spark, bill, difference, cause
):
    """Trap 25: the customer holds one package; on 16 March its price falls from .60 to .20."""
    tested = backtested(
        spark,
        [BEFORE, AFTER],
        bill,
        [("plan", LONG_AGO, None)],
        {
            "plan_2008": OLD | {"valid": {"from": LONG_AGO, "to": CHANGE}, "former_of": "plan"},
            "plan": NEW | {"valid": {"from": CHANGE, "to": NEXT_YEAR}},
        },
    )
    assert (tested.cause, tested.difference) == (cause, Decimal(difference))


def test_trap_33_a_month_before_the_change_of_a_tariff_is_tested_by_the_former_one(spark):
    """Trap 33: the tariff of the time of the calls; from April the package costs a third."""
    tested = backtested(
        spark,
        [BEFORE, AFTER],
        "12.00",
        [("plan", LONG_AGO, None)],
        {
            "plan_2008": OLD | {"valid": {"from": LONG_AGO, "to": APRIL}, "former_of": "plan"},
            "plan": NEW | {"valid": {"from": APRIL, "to": NEXT_YEAR}},
        },
    )
    assert (tested.cause, tested.difference) == ("equal", 0)
