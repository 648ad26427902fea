"""Months in which a package or its tariff changed: each part has its own days and prices."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from models.quote import holding, month_part
from models.reference.rater import Rater
from models.tariff import catalogue
from schemas.errors import ConfigError
from tests.given import event_records, match_rows
from tests.given.random_tariffs import catalogue_of, months_of_events
from tests.given.random_tariffs import drawn as random_months
from tests.given.tariff_examples import MARCH, airtime, call, message, package, pool, toll

LONG_AGO, APRIL, NEXT_YEAR = date(2008, 1, 1), date(2009, 4, 1), date(2010, 1, 1)
MINUTES_OF_DAY = [call(60, f"2009-03-{day:02} 12:00:00", key=f"{day}") for day in range(1, 32)]


def talk(rate="0.10", **changes):
    return package("voice", [airtime(rate), toll()], **changes)


PACKAGES = {
    "ten": talk(),
    "thirty": talk("0.30"),
    "standard": talk("1"),
    "half": talk(monthly_fee="20", partial_month="half_month"),
    "daily": talk(monthly_fee="31", partial_month="daily"),
    "whole": talk(monthly_fee="7", partial_month="none"),
    "minutes": package(
        "voice",
        [airtime("0.50", pools=["free"]), toll()],
        monthly_fee="31",
        partial_month="daily",
        pools=[pool(31)],
    ),
    "keeps": package(
        "voice", [airtime("0.50", pools=["free"]), toll()], pools=[pool(31, carry_over=True)]
    ),
    "keeps_too": package(
        "voice", [airtime("0.40", pools=["free"]), toll()], pools=[pool(10, carry_over=True)]
    ),
    "plan_2008": talk(
        "0.60",
        monthly_fee="31",
        former_of="plan",
        valid={"from": LONG_AGO, "to": date(2009, 3, 11)},
    ),
    "plan": talk("0.20", monthly_fee="62", valid={"from": date(2009, 3, 11), "to": NEXT_YEAR}),
}


def priced(spark, subscriptions, joined=None, events=MINUTES_OF_DAY, defaults=None, **how):
    """The cost of March in parts, in yuan, and whether it is comparable; None without parts."""
    held = match_rows.subscriptions_of(spark, *((1, "voice", *one) for one in subscriptions))
    rows, _ = event_records.parts_priced(
        spark,
        {1: ([MARCH], joined, events)},
        held,
        defaults or {},
        event_records.tariffs_of(PACKAGES),
        **how,
    )
    row = rows.get((1, MARCH, "voice"))
    return row if row is None else (row.rated, row.comparable)


def on(day):
    return date(2009, 3, day)


CASES = {  # one call of a minute each day
    "ten days at .10, twenty-one at .30": (
        [("ten", LONG_AGO, on(11)), ("thirty", on(11), None)],
        "7.30",
    ),
    "three parts": (
        [("ten", LONG_AGO, on(11)), ("thirty", on(11), on(21)), ("ten", on(21), None)],
        "5.10",
    ),
    "on the second day": ([("ten", LONG_AGO, on(2)), ("thirty", on(2), None)], "9.10"),
    "on the last day": ([("ten", LONG_AGO, on(31)), ("thirty", on(31), None)], "3.30"),
    "the newer one of two counts": ([("ten", LONG_AGO, None), ("thirty", on(11), None)], "7.30"),
    "days without one are priced by the one before": (
        [("ten", LONG_AGO, on(11)), ("thirty", on(21), None)],
        "5.30",
    ),
    "days before the first by the first": (
        [("ten", on(11), on(21)), ("thirty", on(21), None)],
        "5.30",
    ),
    "taken up on the 15th: whole fee of both": (
        [("whole", LONG_AGO, on(15)), ("half", on(15), None)],
        "30.10",
    ),
    "taken up on the 16th: half the fee of the new": (
        [("whole", LONG_AGO, on(16)), ("half", on(16), None)],
        "20.10",
    ),
    "left on the 16th: it was there from the first on": (
        [("half", LONG_AGO, on(16)), ("ten", on(16), None)],
        "23.10",
    ),
    "left on the 16th: a whole month's fee": (
        [("daily", LONG_AGO, on(16)), ("ten", on(16), None)],
        "34.10",
    ),
    "taken up on the 16th: the fee of sixteen days": (
        [("ten", LONG_AGO, on(16)), ("daily", on(16), None)],
        "19.10",
    ),
    "sixteen free minutes for sixteen days": (
        [("ten", LONG_AGO, on(16)), ("minutes", on(16), None)],
        "17.50",
    ),
    "all free minutes of one that was left": (
        [("minutes", LONG_AGO, on(16)), ("ten", on(16), None)],
        "32.60",
    ),
    "the tariff changed on the 11th: fees of 10 and 21 days": (
        [("plan", LONG_AGO, None)],
        str(10 + Decimal("6") + 42 + Decimal("4.20")),
    ),
    "tariff and package changed": (
        [("plan", LONG_AGO, on(21)), ("ten", on(21), None)],
        str(10 + 6 + 20 + 2 + Decimal("1.10")),
    ),
}


@pytest.mark.parametrize("words", CASES)
def test_each_part_is_priced_by_its_days(spark, words):
    subscriptions, yuan = CASES[words]
    assert priced(spark, subscriptions) == (Decimal(yuan), True)


def test_days_without_a_package_are_priced_by_the_default_one(spark):
    held = [("ten", LONG_AGO, on(11)), ("thirty", on(21), None)]
    assert priced(spark, held, defaults={"voice": "standard"}) == (Decimal("14.30"), True)
    only = [("ten", LONG_AGO, on(31))]
    assert priced(spark, only, defaults={"voice": "standard"}) == (Decimal("4.00"), True)


WHOLE = {
    "the same package all along": [("ten", LONG_AGO, None)],
    "it was taken up again where it ended": [("ten", LONG_AGO, on(11)), ("ten", on(11), None)],
    "a change on the first": [("ten", LONG_AGO, MARCH), ("thirty", MARCH, None)],
    "a change on the first of the next month": [("ten", LONG_AGO, APRIL), ("thirty", APRIL, None)],
    "nothing but its end, and no default": [("ten", LONG_AGO, on(11))],
}


@pytest.mark.parametrize("words", WHOLE)
def test_a_month_under_one_package_has_no_parts(spark, words):
    assert priced(spark, WHOLE[words]) is None


def test_who_joined_within_the_month_is_charged_from_then_on(spark):
    """Joined on the 11th: 21 days of 31 are charged, even if the package changes on the 21st."""
    held = [("daily", on(11), on(21)), ("thirty", on(21), None)]
    calls = [one for one in MINUTES_OF_DAY if one.local_date >= on(11)]
    assert priced(spark, held, on(11), calls) == (Decimal(21 + 1 + Decimal("3.30")), True)


def test_a_change_before_he_joined_is_none(spark):
    held = [("ten", LONG_AGO, on(5)), ("thirty", on(5), None)]
    assert priced(spark, held, on(11), MINUTES_OF_DAY[10:]) is None


def test_what_pools_carry_over_is_not_known_of_parts(spark):
    assert priced(spark, [("keeps", LONG_AGO, on(11)), ("ten", on(11), None)]) == (
        Decimal("2.10"),
        False,
    )


def test_a_month_of_which_no_part_can_be_priced_is_not_comparable(spark):
    """Both packages carry their minutes over."""
    held = [("keeps", LONG_AGO, on(11)), ("keeps_too", on(11), None)]
    assert priced(spark, held) == (None, False)


def test_fees_that_the_records_tell_count_once_for_the_month(spark):
    """An information fee in each part, and direct toll that no package re-rates."""
    far = [
        call(60, f"2009-03-{day} 12:00:00", key=f"{day}", toll="intra_prov", dial=dial)
        for day in (10, 20)
        for dial in ("direct", "ip12593")
    ]
    held = match_rows.subscriptions_of(
        spark, (1, "voice", "ten", LONG_AGO, on(11)), (1, "voice", "thirty", on(11), None)
    )
    rows, _ = event_records.parts_priced(
        spark,
        {1: ([MARCH], None, far)},
        held,
        {},
        event_records.tariffs_of(PACKAGES),
        "ip_only",
        fees=dict.fromkeys(far, (0, "0.70", "2")),
    )
    row = rows[1, MARCH, "voice"]
    assert (row.rated, row.other_fees, row.direct_toll, row.d12593) == (
        Decimal("0.40"),
        4,
        Decimal("1.40"),
        Decimal("5.40"),
    )


def test_kinds_of_packages_have_their_own_parts(spark):
    packages = PACKAGES | {
        name: package(
            "sms", [{"component": "message", "rate": rate, "per": "1msg", "increment": [1, 1]}]
        )
        for name, rate in (("a", "0.10"), ("b", "0.05"))
    }
    held = match_rows.subscriptions_of(
        spark,
        (1, "voice", "ten", LONG_AGO, on(11)),
        (1, "voice", "thirty", on(11), None),
        (1, "sms", "a", LONG_AGO, on(21)),
        (1, "sms", "b", on(21), None),
        (2, "sms", "b", LONG_AGO, None),
    )
    texts = [message(f"2009-03-{day} 12:00:00", key=f"t{day}") for day in (15, 20, 21)]
    rows, _ = event_records.parts_priced(
        spark,
        {1: ([MARCH, APRIL], None, MINUTES_OF_DAY + texts), 2: ([MARCH], None, texts)},
        held,
        {},
        event_records.tariffs_of(packages),
    )
    assert {key: row.rated for key, row in rows.items()} == {
        (1, MARCH, "voice"): Decimal("7.30"),
        (1, MARCH, "sms"): Decimal("0.25"),
    }


def test_any_two_packages_of_a_month_cost_what_the_reference_says_of_their_days(spark):
    """Random packages, months and days of change: each part equals the reference rater."""
    drawn = {
        name: one
        for name, one in catalogue_of(16, 2, start=11).items()
        if one["kind"] == "voice" and not any(one["carry_over"] for one in one["pools"])
    }
    months = months_of_events().filter(lambda one: one[0] == MARCH and len(one[2]) > 5)
    events = {
        number: [one for one in mine if one.service == "voice"]
        for number, (_, _, mine) in enumerate(random_months(months, 40, 11), start=1)
    }
    names = sorted(drawn)
    changes = {
        number: (
            names[number % len(names)],
            names[(number + 1) % len(names)],
            MARCH + timedelta(days=1 + number % 30),
        )
        for number in events
    }
    held = match_rows.subscriptions_of(
        spark,
        *(
            row
            for number, (old, new, day) in changes.items()
            for row in ((number, "voice", old, LONG_AGO, day), (number, "voice", new, day, None))
        ),
    )
    rows, _ = event_records.parts_priced(
        spark,
        {number: ([MARCH], None, mine) for number, mine in events.items()},
        held,
        {},
        event_records.tariffs_of(drawn),
    )
    for number, (old, new, day) in changes.items():
        row, mine = rows[number, MARCH, "voice"], events[number]
        assert row.comparable, row.reason
        first = Rater(drawn[old]).rate_month([one for one in mine if one.local_date < day], MARCH)
        second = Rater(drawn[new]).rate_month(
            [one for one in mine if one.local_date >= day], MARCH, day
        )
        assert Fraction(row.rated) == sum(map(in_millionths, (first.total, second.total)))


def in_millionths(total):
    """Rounded half up to micro-yuan, as the engine rounds finer amounts."""
    return Fraction((total * 10**6 + Fraction(1, 2)).__floor__(), 10**6)


FORMER = {
    "of a package that is not there": (
        {"former_of": "gone"},
        "package that is not itself a former",
    ),
    "of a former one": ({"former_of": "plan_2008"}, "package that is not itself a former"),
    "of another kind": ({"former_of": "texts"}, "texts is of kind sms, not voice"),
    "while the package's own is in force": (
        {"former_of": "plan", "valid": {"from": LONG_AGO, "to": date(2009, 3, 12)}},
        "overlaps the tariff plan of plan, in force 2009-03-11",
    ),
    "while another former one is": (
        {"former_of": "plan", "valid": {"from": LONG_AGO, "to": date(2008, 6, 1)}},
        "overlaps the tariff plan_2008 of plan",
    ),
}


@pytest.mark.parametrize("words", FORMER)
def test_an_inconsistent_former_tariff_is_refused(words):
    change, problem = FORMER[words]
    texts = package(
        "sms", [{"component": "message", "rate": "0", "per": "1msg", "increment": [1, 1]}]
    )
    with pytest.raises(ConfigError, match=problem):
        event_records.tariffs_of(PACKAGES | {"texts": texts, "odd": talk(**change)})


def test_a_former_tariff_may_end_where_the_next_begins_and_is_never_offered():
    tariffs = event_records.tariffs_of(PACKAGES)
    assert "plan_2008" not in [one.id for one in tariffs.open_on(date(2009, 3, 10))]
    assert "plan" in [one.id for one in tariffs.open_on(date(2009, 3, 11))]


def test_of_a_package_that_is_held_the_tariff_of_the_day_counts(spark):
    people = match_rows.subscribers(spark, 1)
    held = match_rows.subscriptions_of(spark, (1, "voice", "plan", LONG_AGO, None))
    packages = event_records.tariffs_of(PACKAGES).packages
    assert [
        holding.held_on(people, held, {}, day, packages).first().package_id
        for day in (date(2009, 3, 10), date(2009, 3, 11))
    ] == ["plan_2008", "plan"]


def test_only_tariffs_of_a_package_that_has_several_are_charged_by_days():
    packages = event_records.tariffs_of(PACKAGES).packages
    assert {name: one.partial_month for name, one in month_part.by_days(packages).items()} == {
        "plan by days": "daily",
        "plan_2008 by days": "daily",
    }
    assert isinstance(catalogue.load([]).packages, dict)
