"""Quotes by S2-R1 … S2-R8 with amounts computed by hand, and which package is recommended."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import pytest

from models.quote import holding, package_quote
from models.quote import package_match as match
from tests.given import match_rows as rows
from tests.given.match_rows import APRIL, FEB, MARCH, POLICY

LONG_AGO = date(2008, 1, 1)
PACKAGES = rows.catalogue_of(
    present=("voice", "50", "gotone"),
    big=("voice", "58", "gotone"),
    small=("voice", "20", "gotone", "mzone"),
    young=("voice", "10", "mzone"),
    teen=("voice", "10", "mzone"),
    texts=("sms", "5", "gotone"),
    data=("gprs", "20", "gotone"),
)
# A bill of March: everything that R1 to R8 treat differently, 159.57 yuan in all.
ITEMS = (
    ("S1", MARCH, "package_rent", ("50", "present")),
    ("S1", MARCH, "package_rent", ("5", "texts")),
    ("S1", MARCH, "local_voice", "40"),
    ("S1", MARCH, "roam_voice", "12"),
    ("S1", MARCH, "ip_toll", "9"),
    ("S1", MARCH, "toll_voice", "7"),
    ("S1", MARCH, "d12593", "1.57"),
    ("S1", MARCH, "info", "3"),
    ("S1", MARCH, "sms", "6"),
    ("S1", MARCH, "mms", "2"),
    ("S1", MARCH, "gprs", "8"),
    ("S1", MARCH, "vas", "4"),
    ("S1", MARCH, "other", "2"),
    ("S1", MARCH, "vpmn_rent", "10"),
)
RECORDS = {
    "monthly_fee": "20",
    "toll": "6",
    "d12593": "1.57",
    "other_fees": "3",
    "direct_toll": "7",
    "unrated_fees": "0.50",
}


def quoted(spark, evaluated, policy=POLICY, items=ITEMS):
    """Quotes of subscriber 1, who holds `present` and `texts`, by (month, package)."""
    people = rows.subscribers(spark, 1)
    customers = evaluated.selectExpr("subscriber_id", "month", "DATE'2005-01-01' joined").distinct()
    subscriptions = [(1, "voice", "present", LONG_AGO, None), (1, "sms", "texts", LONG_AGO, None)]
    held = rows.holdings(spark, customers, subscriptions)
    passed = rows.passing(spark, people, PACKAGES, *items)
    result = package_quote.quotes(evaluated, passed, held, PACKAGES, policy.rating)
    return {(row.month, row.package_id): row for row in result.collect()}


def amounts(row, *names):
    return {name: str(row[name].normalize()) for name in names}


@pytest.mark.parametrize(
    ("mode", "rent", "total"),
    [("add", "10", "119.07"), ("subtract", "-10", "99.07"), ("none", "0", "109.07")],
)
def test_a_voice_quote_by_the_eight_rules(spark, mode, rent, total):
    evaluated = rows.evaluated(spark, (1, MARCH, "small", "voice", "70", RECORDS))
    row = quoted(spark, evaluated, rows.policy(vpmn_rent_mode=mode))[MARCH, "small"]
    assert amounts(row, *package_quote.PASSED) == {
        "d12593": "1.57",  # R5: as recorded
        "other_record_fees": "10.5",  # R6 and the toll of direct calls (R4), from the records
        "new_service_fees": "27",  # R7: texts 5, sms 6, mms 2, gprs 8, vas 4, other 2
        "vpmn_rent": rent.replace("10", "1E+1"),  # R8
    }
    assert row.passed_through == sum(row[name] for name in package_quote.PASSED)
    assert row.total == Decimal(total) == Decimal("70") + row.passed_through
    assert (row.monthly_fee, row.toll, row.local_airtime) == (20, 6, 44)


def test_an_sms_quote_lets_voice_and_its_rents_pass(spark):
    """Trap 32: services that a package does not cover pass through on both sides."""
    # R8 concerns voice packages only: an SMS package does not replace the VPMN.
    evaluated = rows.evaluated(
        spark,
        (1, MARCH, "texts", "sms", "11", {"d12593": "1.57", "other_fees": "3", "direct_toll": "7"}),
    )
    row = quoted(spark, evaluated, rows.policy(vpmn_rent_mode="subtract"))[MARCH, "texts"]
    # package 50 + local 40 + roaming 12 + ip toll 9 + mms 2 + gprs 8 + vas 4 + other 2
    assert amounts(row, "new_service_fees", "vpmn_rent") == {
        "new_service_fees": "127",
        "vpmn_rent": "1E+1",
    }
    # The present package at its own cost gives the bill back: rent 5 and messages 6.
    assert row.total == sum(
        Decimal(one[3][0] if isinstance(one[3], tuple) else one[3]) for one in ITEMS
    )
    assert row.is_present


def test_without_a_bill_the_quote_holds_what_the_records_know(spark):
    evaluated = rows.evaluated(spark, (1, MARCH, "small", "voice", "70", RECORDS))
    row = quoted(spark, evaluated, items=())[MARCH, "small"]
    assert amounts(row, "total", "new_service_fees", "vpmn_rent") == {
        "total": "82.07",
        "new_service_fees": "0",
        "vpmn_rent": "0",
    }


def test_a_quote_that_is_not_comparable_has_no_amounts_but_a_reason(spark):
    evaluated = rows.evaluated(spark, (1, MARCH, "small", "voice", "order of events"))
    row = quoted(spark, evaluated)[MARCH, "small"]
    assert (row.comparable, row.reason, row.replayed) == (False, "order of events", False)
    assert all(row[name] is None for name in ("monthly_fee", "total", *package_quote.PASSED))


def test_the_package_of_the_month_is_the_present_one(spark):
    evaluated = rows.evaluated(
        spark, (1, MARCH, "present", "voice", "90"), (1, MARCH, "small", "voice", "60")
    )
    assert {name for (_, name), row in quoted(spark, evaluated).items() if row.is_present} == {
        "present"
    }


# ---- the match: one subscriber per case, all in one run ------------------------------------------

MONTHS = (FEB, MARCH, APRIL)
HUNDRED = ("100", "100", "100")
ORDER = "order of events"


@dataclass(frozen=True)
class Case:
    """Three months of a subscriber: costs by package, bills, back-test causes, brand."""

    costs: dict
    paid: tuple = HUNDRED
    causes: tuple = ("equal", "equal", "equal")
    brand: str = "gotone"


CASES = {
    "means and sums": Case(
        {"present": ("100", "110", "90"), "big": ("80", "95", "101"), "small": ("70", "130", "70")},
        paid=("100", "110", "90"),
    ),
    "15.00 and 14.99 saved": Case({"big": ("95", "95", "95"), "small": ("95", "95", "95.01")}),
    "months won": Case({"big": ("50", "100", "100"), "small": ("50", "99.999999", "100")}),
    "bill shock": Case(
        {"big": ("50", "50", "132"), "small": ("50", "50", "132.000001")}, paid=("100", "120", "90")
    ),
    "ties": Case(
        dict.fromkeys(("big", "small", "young", "teen"), ("80", "80", "80")), brand="mzone"
    ),
    "a gap": Case({"big": ("50", ORDER, "50"), "small": ("90", "90", "90")}),
    "only gaps": Case({"big": (ORDER, ORDER, ORDER)}),
    "no bills": Case(
        {"big": ("50", "60", "70"), "small": ("51", "60", "70")},
        paid=(None, None, None),
        causes=("no_bill",) * 3,
    ),
    "one bill missing": Case(
        {"big": ("50", "500", "50")},
        paid=("100", None, "100"),
        causes=("equal", "no_bill", "equal"),
    ),
    "unknown brand": Case({"big": ("50", "50", "50")}, brand=None),
    "reproduced": Case({"big": ("50", "50", "50")}),
    "reproduced but for one month of two prices": Case(
        {"big": ("50", "50", "50")}, causes=("equal", "order_of_events", "equal")
    ),
    "never reproduced": Case({"big": ("50", "50", "50")}, causes=("order_of_events",) * 3),
} | {
    cause: Case({"big": ("50", "50", "50")}, causes=("equal", cause, "equal"))
    for cause in ("unexplained", "package_changed", "unknown_cell", "no_package")
}


@pytest.fixture(scope="module")
def matched(spark):
    """Case in words → package → its match row."""
    numbers = dict(enumerate(CASES.values(), start=1))
    people = rows.people(
        spark, *((number, case.brand, LONG_AGO) for number, case in numbers.items())
    )
    evaluated = rows.evaluated(
        spark,
        *(
            (number, month, name, PACKAGES[name].kind, cost)
            for number, case in numbers.items()
            for name, amounts in case.costs.items()
            for month, cost in zip(MONTHS, amounts, strict=True)
        ),
    )
    customers = rows.months(spark, *((n, month, None) for n in numbers for month in MONTHS))
    held = rows.holdings(
        spark, customers, [(number, "voice", "present", LONG_AGO, None) for number in numbers]
    )
    owned = held.select("subscriber_id", "kind", "package_id").distinct()
    quotes = package_quote.quotes(
        evaluated, rows.passing(spark, people, PACKAGES), held, PACKAGES, POLICY.rating
    )
    bills = rows.actual(
        spark,
        people,
        *(
            (f"S{number}", month, total)
            for number, case in numbers.items()
            for month, total in zip(MONTHS, case.paid, strict=True)
            if total
        ),
    )
    backtest = rows.causes(
        spark,
        *(
            (number, month, cause)
            for number, case in numbers.items()
            for month, cause in zip(MONTHS, case.causes, strict=True)
        ),
    )
    found = {words: {} for words in CASES}
    used = rows.used(spark, *((number, month) for number in numbers for month in MONTHS))
    sums = match.summed(quotes, bills, used, owned, people, PACKAGES).cache()
    for row in match.package_match(sums, backtest, POLICY.rating).collect():
        found[list(CASES)[row.subscriber_id - 1]][row.package_id] = row
    return found


def test_means_savings_and_ranks_of_three_months(matched):
    big, small, present = (matched["means and sums"][name] for name in ("big", "small", "present"))
    assert (big.months, big.mean_present_cost, big.mean_cost, big.saving) == (3, 100, 92, 8)
    assert (big.months_won, big.worst_month_cost, big.income_change) == (2, 101, -8)
    assert big.regret == 10 + 0 + 31
    assert (small.rank, big.rank, present.rank) == (1, 2, None)
    assert big.recommended
    assert big.reasons == []
    assert small.mean_cost == 90
    assert small.reasons == ["BILL_SHOCK"]
    assert present.reasons == ["OWNED", "NO_SAVING", "MONTHS_WON"]


def test_a_mean_is_shown_to_the_micro_yuan_and_compared_as_a_sum(matched):
    # 15.00 in three months is 5.00 a month exactly; 14.99 is not.
    found = matched["15.00 and 14.99 saved"]
    assert found["big"].reasons == []
    assert found["small"].reasons == ["NO_SAVING"]
    assert found["small"].saving == Decimal("4.996667")


def test_one_month_won_is_not_enough_and_an_equal_month_is_not_won(matched):
    found = matched["months won"]
    assert (found["big"].months_won, found["big"].reasons) == (1, ["MONTHS_WON"])
    assert (found["small"].months_won, found["small"].reasons) == (2, [])


def test_no_month_may_exceed_the_dearest_present_month_by_more_than_the_margin(matched):
    found = matched["bill shock"]
    assert found["big"].reasons == []
    assert found["small"].reasons == ["BILL_SHOCK"]


def test_ties_go_to_the_lower_fee_then_to_the_id(matched):
    """Trap 31: ties are broken in a fixed order."""
    found = matched["ties"]
    assert [found[name].rank for name in ("teen", "young", "small", "big")] == [1, 2, 3, 4]


def test_a_package_of_another_brand_is_not_recommended(matched):
    assert matched["ties"]["big"].reasons == ["BRAND"]
    assert matched["ties"]["small"].recommended
    assert matched["unknown brand"]["big"].reasons == ["BRAND"]


def test_a_month_that_is_not_comparable_stands_against_the_package(matched):
    big, small = matched["a gap"]["big"], matched["a gap"]["small"]
    assert (big.months, big.mean_cost, big.saving) == (2, 50, 50)
    assert big.reasons == ["NOT_COMPARABLE"]
    assert (small.rank, big.rank) == (1, 2)


def test_a_package_never_comparable_has_no_mean(matched):
    big = matched["only gaps"]["big"]
    assert (big.months, big.mean_cost, big.saving) == (0, None, None)
    assert big.reasons == ["NOT_COMPARABLE", "NO_SAVING", "MONTHS_WON"]


def test_without_bills_costs_are_shown_and_nothing_is_compared(matched):
    big = matched["no bills"]["big"]
    assert (big.months, big.mean_cost, big.worst_month_cost) == (3, 60, 70)
    assert (big.mean_present_cost, big.saving, big.income_change) == (None, None, None)
    assert (big.rank, big.months_won, big.reasons) == (1, 0, ["NO_BILL"])
    assert matched["no bills"]["small"].regret == 1


def test_a_month_without_a_bill_is_not_compared(matched):
    big = matched["one bill missing"]["big"]
    assert (big.months, big.saving, big.reasons) == (2, 50, ["NO_BILL"])


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("reproduced", False),
        ("reproduced but for one month of two prices", False),
        ("never reproduced", True),
        ("unexplained", True),
        ("package_changed", True),
        ("unknown_cell", True),
        ("no_package", True),
    ],
)
def test_the_back_test_is_a_gate(matched, words, refused):
    assert matched[words]["big"].reasons == (["BACKTEST"] if refused else [])


# ---- who held what -------------------------------------------------------------------------------

HELD = {
    "the whole month": ([("big", LONG_AGO, None)], None, ("big", False)),
    "until the month's end": ([("big", LONG_AGO, APRIL)], None, ("big", False)),
    "a change within the month": (
        [("big", LONG_AGO, date(2009, 3, 10)), ("small", date(2009, 3, 10), None)],
        None,
        ("small", True),
    ),
    "given up within the month": ([("big", LONG_AGO, date(2009, 3, 10))], None, ("big", True)),
    "begun within the month": ([("big", date(2009, 3, 10), None)], None, ("big", True)),
    "begun on joining": ([("big", date(2009, 3, 10), None)], date(2009, 3, 10), ("big", False)),
    "ended before": ([("big", LONG_AGO, MARCH)], None, ("standard", False)),
}


def test_the_package_of_a_month(spark):
    """Trap 25: a package changed within a month of history is flagged."""
    customers = rows.months(
        spark, *((number, MARCH, joined) for number, (_, joined, _) in enumerate(HELD.values()))
    )
    subscriptions = [
        (number, "voice", *one) for number, (held, _, _) in enumerate(HELD.values()) for one in held
    ]
    found = {
        list(HELD)[row.subscriber_id]: (row.package_id, row.changed)
        for row in rows.holdings(spark, customers, subscriptions, {"voice": "standard"}).collect()
    }
    assert found == {words: expected for words, (_, _, expected) in HELD.items()}


TARIFF_OF = {
    "in force longer than the month": ((LONG_AGO, date(2010, 1, 1)), None, False),
    "in force for just the month": ((MARCH, APRIL), None, False),
    "ended on its last day": ((LONG_AGO, date(2009, 3, 31)), None, True),
    "ended within it": ((LONG_AGO, date(2009, 3, 16)), None, True),
    "begun within it": ((date(2009, 3, 16), date(2010, 1, 1)), None, True),
    "begun on its second day": ((date(2009, 3, 2), date(2010, 1, 1)), None, True),
    "begun within it, on the day of joining": (
        (date(2009, 3, 16), date(2010, 1, 1)),
        date(2009, 3, 16),
        False,
    ),
    "begun the day after joining": (
        (date(2009, 3, 17), date(2010, 1, 1)),
        date(2009, 3, 16),
        True,
    ),
    "ended before it": ((LONG_AGO, MARCH), None, True),
}


def test_a_month_of_a_tariff_that_was_not_in_force_all_along_is_flagged(spark):
    """Trap 25: the tariff at call time is another one, although the package did not change."""
    (sold,) = rows.catalogue_of(one=("voice", "0")).values()
    packages = {
        words: replace(sold, valid_from=since, valid_to=until)
        for words, ((since, until), _, _) in TARIFF_OF.items()
    }
    joined = [one for _, one, _ in TARIFF_OF.values()]
    months = rows.months(
        spark,
        *((number, MARCH, one) for number, one in enumerate(joined)),
        (100, MARCH, None),
        (100, APRIL, None),
    )
    held = [
        (number, "voice", words, joined[number] or LONG_AGO, None)
        for number, words in enumerate(TARIFF_OF)
    ] + [(100, "sms", "not sold", LONG_AGO, None)]
    of_all = rows.holdings(spark, months, held, {"voice": "begun within it"}, packages).collect()
    assert {row.package_id: row.changed for row in of_all if row.subscriber_id < 100} == {
        words: flagged for words, (_, _, flagged) in TARIFF_OF.items()
    }
    assert {(row.month, row.kind): row.changed for row in of_all if row.subscriber_id == 100} == {
        (MARCH, "voice"): True,
        (APRIL, "voice"): False,  # the default of those who have none
        (MARCH, "sms"): False,
        (APRIL, "sms"): False,
    }


def test_the_packages_of_a_day(spark):
    subscriptions = rows.subscriptions_of(
        spark,
        (1, "voice", "big", LONG_AGO, MARCH),
        (1, "voice", "small", MARCH, None),
        (2, "sms", "texts", MARCH, None),
    )
    people = rows.subscribers(spark, 1, 2)
    held = holding.held_on(people, subscriptions, {"sms": "sms_standard"}, date(2009, 2, 28), {})
    assert sorted(held.collect()) == [
        (1, "sms", "sms_standard"),
        (1, "voice", "big"),
        (2, "sms", "sms_standard"),
    ]
