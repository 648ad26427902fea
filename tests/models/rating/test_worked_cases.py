"""The worked cases of other people's rating engines and price lists: by the reference rater, and
through the cube by the engine."""

from datetime import timedelta
from fractions import Fraction

import pytest

from models.reference.rater import rate_month
from schemas import document
from tests.given import event_records
from tests.given.paths import SHARED
from tests.given.tariff_examples import MARCH, airtime, call, message, package, pool, session

CASES = SHARED / "oracles" / "rating_cases.yml"
if not CASES.exists():
    pytest.skip("the folder ../shared/oracles is not there", allow_module_level=True)

cases = document.read(CASES).data


def by_hand(tariff, events):
    """The reference rater's total."""
    return rate_month(tariff, events, MARCH).total


def rule_of(case, groups, match=None):
    """One price of a case; a single group with [first, next] is a plain rule."""
    component = "volume" if case.get("service") == "data" else "airtime"
    rule = {"component": component, "match": match or {}, "connect": case.get("connect", "0")}
    if len(groups) == 1:
        _start, rate, per, increment = groups[0]
        pair = increment if isinstance(increment, list) else [increment, increment]
        return rule | {"rate": rate, "per": per, "increment": pair}
    names = ("start", "rate", "per", "increment")
    return rule | {"groups": [dict(zip(names, group, strict=True)) for group in groups]}


def one_event(case, total):
    """A case that prices one call or session, by groups or by groups within bands."""
    changes = {}
    if "rounding" in case:
        changes["rounding"] = {"at": "bill", **case["rounding"]}
    start = case.get("start", "12:00:00")
    if "bands" in case:
        before, after = case["bands"]
        until = before["until"].replace("00:00:00", "24:00")
        changes["bands"] = {"before": [{"days": "all", "from": start, "to": until}]}
        changes["band_policy"] = case["band_policy"]
        rules = [
            rule_of(case, before["groups"], {"band": "before"}),
            rule_of(case, after["groups"]),
        ]
    else:
        rules = [rule_of(case, case["groups"])]
    if case.get("service") == "data":
        return total(package("gprs", rules, **changes), [session(case["quantity"])])
    event = call(case["duration"], at=f"2009-03-03 {start}")
    return total(package("voice", rules, **changes), [event])


def shared_pool(case, total):
    """What each event adds to the bill when they come in order of answer time."""
    rule = airtime(case["rate"], per=case["per"], increment=case["increment"], pools=["free"])
    tariff = package("voice", [rule], pools=[pool(case["pool_s"], "1s")])
    events = sorted(
        (
            call(event["duration"], f"2009-03-03 {event['start']}", event["key"])
            for event in case["events"]
        ),
        key=lambda event: event.at,
    )
    bills = [total(tariff, events[:count]) for count in range(len(events) + 1)]
    return {event.key: bills[no + 1] - bills[no] for no, event in enumerate(events)}


def tier_price(case, units, total):
    steps = [
        dict(zip(("up_to", "rate", "flat"), step, strict=False)) for step in case["tiers"]["steps"]
    ]
    tier = {
        "component": "message",
        "mode": case["tiers"]["mode"],
        "per": "1msg",
        "steps": steps,
        "flat_at_zero": "0" in case["expect_by_units"],
    }
    rule = {"component": "message", "rate": "9", "per": "1msg", "increment": [1, 1]}
    return total(package("sms", [rule], tiers=[tier]), [message()] * units)


def minutes_in_order(case, total):
    rules = [
        airtime(case["over"]["peak"], match={"band": "peak"}, pools=["free"]),
        airtime(case["over"]["off_peak"], pools=["free"]),
    ]
    tariff = package(
        "voice",
        rules,
        pools=[pool(case["pool_min"])],
        monthly_fee=case["monthly_fee"],
        bands={"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]},
    )
    events = []
    for band, minutes in case["minutes_in_order"]:
        day = MARCH + timedelta(days=len(events))
        clock = "12:00:00" if band == "peak" else "21:00:00"
        events.append(call(minutes * 60, f"{day} {clock}"))
    return total(tariff, events)


def megabytes_used(case, total):
    rule = {
        "component": "volume",
        "rate": case["over_per_kb"],
        "per": "1KB",
        "increment": ["1KB", "1KB"],
        "pools": ["free"],
    }
    bundle = pool(case["pool_mb"] * 1024, "1KB", components=["volume"])
    tariff = package("gprs", [rule], pools=[bundle], monthly_fee=case["monthly_fee"])
    return total(tariff, [session(case["used_mb"] * 1024**2)])


def prices(case, total):
    """What a case asks for, as it is written there."""
    if "expect_by_units" in case:
        return {units: tier_price(case, int(units), total) for units in case["expect_by_units"]}
    if "events" in case:
        return shared_pool(case, total)
    price = (
        minutes_in_order
        if "minutes_in_order" in case
        else megabytes_used
        if "used_mb" in case
        else one_event
    )
    return {"expect": price(case, total)}


def expected(case):
    answers = case.get("expect_by_units") or (
        case["expect"] if "events" in case else {"expect": case["expect"]}
    )
    return {name: Fraction(yuan) for name, yuan in answers.items()}


@pytest.fixture(scope="module")
def by_engine(spark):
    """A total as the engine makes it; all months of all cases go through the cube together."""
    asked = []

    def ask(tariff, events):
        asked.append((tariff, list(events)))
        return by_hand(tariff, events)

    for case in cases:
        prices(case, ask)
    # Lists of other engines leave long distance out: it is free there.
    free = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
    months = {number: (MARCH, None, events) for number, (_, events) in enumerate(asked, start=1)}
    tariffs = {
        f"case_{number}": tariff
        if tariff["kind"] != "voice"
        else tariff | {"rules": [*tariff["rules"], free]}
        for number, (tariff, _) in enumerate(asked, start=1)
    }
    rows = event_records.evaluated(spark, months, tariffs)
    totals = iter([rows[number, f"case_{number}"] for number in months])

    def total(tariff, events):
        row = next(totals)
        assert row.comparable, row.reason
        return Fraction(row.rated)

    return [prices(case, total) for case in cases]


@pytest.mark.parametrize("case", cases, ids=lambda case: case["id"])
def test_case(case):
    assert prices(case, by_hand) == expected(case)


@pytest.mark.parametrize("number", range(len(cases)), ids=lambda number: cases[number]["id"])
def test_case_through_the_cube(by_engine, number):
    assert by_engine[number] == expected(cases[number])
