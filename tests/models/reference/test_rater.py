"""The reference rater: each trap of the rating design with its numbers, by hand."""

from datetime import date
from fractions import Fraction

import pytest

from models.reference.rater import rate_month
from models.reference.tariff import rounded
from schemas import document
from tests.given.paths import TARIFFS
from tests.given.tariff_examples import MARCH, airtime, call, message, package, pool, session, toll

PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}


def total(tariff, events, **more):
    return rate_month(tariff, events, MARCH, **more).total


def yuan(text):
    return Fraction(text)


def sold(name):
    """A package of the configuration."""
    return document.read(TARIFFS / f"{name}.yml").data


def per_kilobyte(rate="0.03", **changes):
    return {"component": "volume", "rate": rate, "per": "1KB", "increment": [1024, 1024], **changes}


def per_message(rate="0.10", **changes):
    return {"component": "message", "rate": rate, "per": "1msg", "increment": [1, 1], **changes}


def test_trap_01_each_call_is_rounded_up_before_the_sum():
    calls = [call(61, key=key) for key in range(100)]
    assert total(package(rules=[airtime()]), calls) == 80


def test_trap_02_every_due_component_is_priced():
    tariff = package(rules=[airtime(), toll()])
    assert total(tariff, [call(61, toll="inter_prov")]) == yuan("1.57")
    assert total(tariff, [call(61)]) == yuan("0.80")
    assert total(tariff, [call(61, toll="inter_prov", direction="mt")]) == yuan("0.80")
    assert total(tariff, [call(61, toll="inter_prov", direction="fwd")]) == yuan("1.57")


@pytest.mark.parametrize(("policy", "expected"), [("start", "0.60"), ("split", "1.10")])
def test_trap_03_the_package_says_by_which_time_a_band_is_chosen(policy, expected):
    rules = [
        airtime("0.06", per="1s", increment=[1, 1], match={"band": "peak"}),
        airtime("0.01", per="1s", increment=[1, 1]),
    ]
    tariff = package(rules=rules, bands=PEAK, band_policy=policy)
    fifty_seconds_before_eight = call(60, "2009-03-03 07:59:10")
    assert total(tariff, [fifty_seconds_before_eight]) == yuan(expected)


def test_trap_03_by_start_the_whole_call_is_off_peak():
    rules = [airtime("0.40", match={"band": "peak"}), airtime("0.24")]
    by_start = package(rules=rules, bands=PEAK, band_policy="start")
    assert total(by_start, [call(60, "2009-03-03 07:59:30")]) == yuan("0.24")


def test_trap_04_a_call_over_month_end_belongs_whole_to_the_month_of_its_start():
    over_midnight = call(90, "2009-03-31 23:59:30")
    tariff = package(rules=[airtime()])
    assert total(tariff, [over_midnight]) == yuan("0.80")
    assert rate_month(tariff, [over_midnight], date(2009, 4, 1)).total == 0


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("12:00:00", "21:00:00", "92.00"),
        ("21:00:00", "12:00:00", "100.00"),
    ],
)
def test_trap_05_free_minutes_go_by_answer_time_where_prices_differ(first, second, expected):
    minutes = {"12:00:00": 150, "21:00:00": 100}
    calls = [
        call(minutes[first] * 60, f"2009-03-02 {first}"),
        call(minutes[second] * 60, f"2009-03-03 {second}"),
    ]
    assert total(sold("gotone_80"), calls) == yuan(expected)
    assert total(sold("gotone_80"), calls[::-1]) == yuan(expected)


@pytest.mark.parametrize(("narrow_order", "expected"), [(1, "0"), (3, "4.00")])
def test_trap_06_the_order_of_pools_is_configuration(narrow_order, expected):
    # Ten minutes home and ten anywhere; ten minutes spoken at home, then ten roaming.
    pools = [
        pool(10, id="anywhere", order=2),
        pool(10, id="home", order=narrow_order, covers={"roaming": "home"}),
    ]
    tariff = package(rules=[airtime(pools=["anywhere", "home"])], pools=pools)
    calls = [
        call(600, "2009-03-02 09:00:00"),
        call(600, "2009-03-03 09:00:00", roaming="inter_prov"),
    ]
    assert total(tariff, calls) == yuan(expected)


def test_trap_06_carried_units_are_used_first_and_pass_on_only_once():
    tariff = package(rules=[airtime(pools=["free"])], pools=[pool(10, carry_over=True)])
    first = rate_month(tariff, [call(240)], MARCH)
    assert first.pools["free"].carry_out == 6 * 60
    carried = {name: use.carry_out for name, use in first.pools.items()}
    idle = rate_month(tariff, [], date(2009, 4, 1), carried=carried)
    assert idle.pools["free"].carry_out == 10 * 60
    busy = rate_month(
        tariff, [call(1020, "2009-04-02 09:00:00")], date(2009, 4, 1), carried=carried
    )
    assert busy.total == yuan("0.40")
    assert busy.pools["free"].carry_out == 0


def test_trap_07_one_call_can_be_partly_free():
    tariff = package(rules=[airtime(pools=["free"])], pools=[pool(1)])
    bill = rate_month(tariff, [call(180)], MARCH)
    line = bill.lines["voice", "airtime", 0]
    assert (line.units, line.free_units, line.free_by_pool) == (180, 60, {"free": 60})
    assert bill.total == yuan("0.80")


def test_trap_08_free_minutes_waive_the_airtime_but_not_the_toll():
    bill = rate_month(sold("gotone_80"), [call(60, toll="inter_prov")], MARCH)
    assert bill.total == 80 + yuan("0.70")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"roaming": "inter_prov"}, "0.60"),
        ({"in_group": True}, "0"),
        ({"dial": "ip12593"}, "0.20"),
    ],
)
def test_trap_08_roaming_in_group_and_12593_stay_outside_the_free_minutes(facts, expected):
    bill = rate_month(sold("gotone_80"), [call(60, **facts)], MARCH)
    assert bill.pools["local_minutes"].used == 0
    assert bill.total == 80 + yuan(expected)


def test_trap_09_each_data_session_is_rounded_up_to_kilobytes():
    tariff = package("gprs", [per_kilobyte()])
    assert total(tariff, [session(512, key=key) for key in range(10)]) == yuan("0.30")


def test_trap_09_a_megabyte_is_1024_kilobytes():
    assert total(sold("gprs_5"), [session(31 * 1024**2)]) == yuan("15.24")


@pytest.mark.parametrize(
    ("increment", "seconds", "billed"),
    [
        ([60, 1], 45, 60),
        ([60, 45], 61, 105),
        ([60, 45], 60, 60),
        ([6, 6], 61, 66),
        ([60, 60], 0, 0),
    ],
)
def test_trap_11_the_first_increment_may_differ_from_the_next(increment, seconds, billed):
    bill = rate_month(package(rules=[airtime(increment=increment)]), [call(seconds)], MARCH)
    assert bill.lines["voice", "airtime", 0].units == billed


@pytest.mark.parametrize(
    ("increments", "seconds", "billed"), [((60, 6), 45, 60), ((1, 60), 60, 90)]
)
def test_trap_12_a_started_increment_of_a_group_is_finished(increments, seconds, billed):
    groups = [
        {"start": start, "rate": rate, "per": "1s", "increment": increment}
        for start, rate, increment in zip((0, 30), ("2", "1"), increments, strict=True)
    ]
    bill = rate_month(
        package(rules=[{"component": "airtime", "groups": groups}]), [call(seconds)], MARCH
    )
    assert bill.lines["voice", "airtime", 0].units == billed
    assert bill.total == 120


def test_trap_12_free_units_are_the_first_of_the_call():
    groups = [
        {"start": 0, "rate": "0.10", "per": "60s", "increment": 60},
        {"start": 60, "rate": "0.30", "per": "60s", "increment": 60},
    ]
    tariff = package(
        rules=[{"component": "airtime", "groups": groups, "pools": ["free"]}], pools=[pool(1)]
    )
    assert total(tariff, [call(120)]) == yuan("0.30")


def test_trap_13_a_connect_fee_is_due_once_even_when_all_seconds_are_free():
    tariff = package(rules=[airtime(connect="0.10", pools=["free"])], pools=[pool(100)])
    assert total(tariff, [call(61), call(120, key="b"), call(0, key="missed")]) == yuan("0.20")


def test_trap_13_a_connect_fee_is_that_of_the_start_and_inside_the_cap():
    rules = [airtime("0.60", connect="0.50", match={"band": "peak"}), airtime("0.60", connect="9")]
    tariff = package(rules=rules, bands=PEAK, band_policy="split", caps={"voice": "1.00"})
    bill = rate_month(tariff, [call(120, "2009-03-03 19:59:00")], MARCH)
    assert sum(line.amount for line in bill.lines.values()) == yuan("1.70")
    assert bill.cap_cuts == {"voice": yuan("-0.70")}
    assert bill.total == 1


@pytest.mark.parametrize("seconds", [0, -5])
def test_trap_14_a_call_without_duration_costs_nothing_but_is_counted(seconds):
    bill = rate_month(package(rules=[airtime(connect="1")]), [call(seconds)], MARCH)
    assert bill.total == 0
    assert bill.lines["voice", "airtime", 0].events == 1


def test_trap_15_rounding_is_once_on_the_exact_value():
    groups = [
        {"start": 0, "rate": "0.10", "per": "60s", "increment": 60},
        {"start": 60, "rate": "0.05", "per": "60s", "increment": 1},
    ]
    rule = {"component": "airtime", "groups": groups, "connect": "0.20"}
    tariff = package(rules=[rule], rounding={"at": "bill", "scale": 2, "mode": "down"})
    assert total(tariff, [call(120)]) == yuan("0.35")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("half_up", ("1.01", "-1.01", "1.00")),
        ("half_even", ("1.00", "-1.00", "1.00")),
        ("up", ("1.01", "-1.01", "1.01")),
        ("down", ("1.00", "-1.00", "1.00")),
    ],
)
def test_trap_16_rounding_is_exact_in_every_mode(mode, expected):
    values = (Fraction("1.005"), Fraction("-1.005"), Fraction("1.0049"))
    assert tuple(rounded(value, 2, mode) for value in values) == tuple(map(Fraction, expected))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("event", "0.03"),
        ("line", "0.02"),
        ("bill", "0.02"),
        ("none", "0.015"),
    ],
)
def test_trap_18_the_package_says_where_it_rounds(at, expected):
    tariff = package(rules=[airtime("0.005")], rounding={"at": at, "scale": 2, "mode": "half_up"})
    assert total(tariff, [call(60, key=key) for key in range(3)]) == yuan(expected)


def test_trap_18_rounding_at_event_is_one_rounding_of_all_components():
    rules = [airtime("0.004", connect="0.003"), toll("0.0004")]
    tariff = package(rules=rules, rounding={"at": "event", "scale": 2, "mode": "half_up"})
    bill = rate_month(tariff, [call(60, toll="intra_prov")], MARCH)
    assert bill.total == yuan("0.01")
    assert sum(line.charged for line in bill.lines.values()) == bill.total


def test_trap_18_event_rounding_with_month_tiers_is_refused():
    tier = {
        "component": "airtime",
        "mode": "volume",
        "per": "60s",
        "steps": [{"up_to": None, "rate": "1"}],
    }
    tariff = package(rules=[airtime()], tiers=[tier], rounding={"at": "event"})
    with pytest.raises(ValueError, match="rounding at event together with month prices"):
        total(tariff, [call(60)])


@pytest.mark.parametrize(
    ("dial", "far", "expected"),
    [
        ("ip17951", "inter_prov", "1.10"),
        ("ip17951", "intl", "7.70"),
        ("direct", "inter_prov", "1.27"),
    ],
)
def test_trap_21_the_dialled_prefix_is_a_fact_beside_the_zone(dial, far, expected):
    # Two minutes of airtime at .25 and of IP toll at .30 or 3.60, or 11 times 6 seconds at .07.
    assert total(sold("easyown_minute"), [call(61, dial=dial, toll=far)]) == yuan(expected)


@pytest.mark.parametrize(
    ("joined", "fee", "minutes"),
    [
        (date(2009, 3, 15), "58", 260),
        (date(2009, 3, 16), "29", 130),
        (date(2008, 7, 1), "58", 260),
    ],
)
def test_trap_22_who_joins_after_mid_month_has_half_fee_and_half_minutes(joined, fee, minutes):
    bill = rate_month(sold("gotone_58"), [], MARCH, joined)
    assert (bill.fee, bill.pools["local_minutes"].size) == (yuan(fee), minutes * 60)


def test_trap_22_a_part_of_a_month_by_days_keeps_whole_units():
    tariff = package(
        rules=[airtime(pools=["free"])],
        pools=[pool(10)],
        monthly_fee="31",
        min_commitment="62",
        partial_month="daily",
    )
    bill = rate_month(tariff, [], MARCH, date(2009, 3, 30))
    assert (bill.fee, bill.pools["free"].size, bill.total) == (2, 0, 4)


def test_trap_24_a_late_record_moves_the_free_minutes_of_the_whole_month():
    rules = [
        airtime("0.40", match={"band": "peak"}, pools=["free"]),
        airtime("0.24", pools=["free"]),
    ]
    tariff = package(rules=rules, bands=PEAK, pools=[pool(1)])
    peak, late = call(60), call(60, "2009-03-01 22:00:00", key="late")
    assert total(tariff, [peak]) == 0
    assert total(tariff, [peak, late]) == yuan("0.40")


def test_trap_26_the_cap_comes_after_free_units_and_without_the_fee():
    rule = per_kilobyte("1", pools=["free"])
    bundle = pool(100, "1KB", components=["volume"])
    tariff = package("gprs", [rule], pools=[bundle], caps={"gprs": "500"}, monthly_fee="20")
    assert total(tariff, [session(600 * 1024)]) == 520
    bill = rate_month(tariff, [session(601 * 1024)], MARCH)
    assert (bill.cap_cuts, bill.total) == ({"data": -1}, 520)
    assert bill.lines["data", "volume", 0].amount == 501


def test_trap_27_a_commitment_counts_fee_and_rerated_lines():
    tariff = package(rules=[airtime("1")], monthly_fee="10", min_commitment="20")
    bill = rate_month(tariff, [call(180)], MARCH)
    assert (bill.commitment, bill.total) == (7, 20)
    assert total(tariff, [call(660)]) == 21


@pytest.mark.parametrize(("units", "expected"), [(15, 150), (16, 80)])
def test_trap_28_more_usage_can_be_cheaper(units, expected):
    steps = [{"up_to": 15, "rate": "10"}, {"up_to": None, "rate": "5"}]
    tier = {"component": "message", "mode": "volume", "per": "1msg", "steps": steps}
    tariff = package("sms", [per_message()], tiers=[tier])
    assert total(tariff, [message()] * units) == expected


@pytest.mark.parametrize(("flat_at_zero", "expected"), [(False, 0), (True, 2)])
def test_a_flat_amount_of_a_tier_is_due_without_units_only_if_the_tier_says_so(
    flat_at_zero, expected
):
    tier = {
        "component": "message",
        "mode": "graduated",
        "per": "1msg",
        "steps": [{"up_to": None, "rate": "1", "flat": "2"}],
        "flat_at_zero": flat_at_zero,
    }
    assert total(package("sms", [per_message()], tiers=[tier]), []) == expected


@pytest.mark.parametrize(("direction", "expected"), [("mo", "0.60"), ("mt", "0.40")])
def test_trap_29_roaming_is_priced_for_caller_and_called(direction, expected):
    roaming = call(60, roaming="intra_prov", direction=direction)
    assert total(sold("easyown_minute"), [roaming]) == yuan(expected)


def test_trap_30_bands_go_by_local_time_and_pools_by_the_instant():
    # Written as 09:00 (peak) but answered, as an instant, before the call of 07:00 (off-peak).
    rules = [
        airtime("0.40", match={"band": "peak"}, pools=["free"]),
        airtime("0.24", pools=["free"]),
    ]
    tariff = package(rules=rules, bands=PEAK, pools=[pool(1)])
    home = call(60, "2009-03-03 07:00:00")
    abroad = call(60, "2009-03-03 09:00:00", key="b", instant=home.at - 1)
    assert total(tariff, [home, abroad]) == yuan("0.24")


def test_trap_31_events_of_one_instant_go_by_their_key():
    rules = [
        airtime("0.40", match={"dial": "direct"}, pools=["free"]),
        airtime("0.24", pools=["free"]),
    ]
    tariff = package(rules=rules, pools=[pool(1)])
    first, second = call(60, key=1), call(60, key=2, dial="ip17951")
    assert total(tariff, [second, first]) == yuan("0.24")


def test_trap_32_other_services_pass_by_and_unpriced_components_are_counted():
    tariff = package(rules=[airtime()], otherwise="pass_through")
    bill = rate_month(tariff, [call(60, toll="intl"), message(), session(1024)], MARCH)
    assert bill.total == yuan("0.40")
    assert bill.passed == {("voice", "toll"): 1}


def test_a_due_component_without_a_price_is_refused():
    with pytest.raises(ValueError, match="no rule prices the toll"):
        total(package(rules=[airtime()]), [call(60, toll="intl")])


def test_increments_by_the_month_round_the_sum_once_before_the_pools():
    rule = per_kilobyte("0.01", increment_at="month", pools=["free"])
    bundle = pool(2, "1KB", components=["volume"])
    sessions = [session(512, key=key) for key in range(6)]
    by_month = package("gprs", [rule], pools=[bundle])
    by_event = package("gprs", [rule | {"increment_at": "event"}], pools=[bundle])
    assert total(by_month, sessions) == yuan("0.01")
    assert total(by_event, sessions) == yuan("0.04")


def test_two_components_may_share_a_pool_in_the_order_of_the_file():
    rules = [
        toll("0.70", per="60s", increment=[60, 60], pools=["free"]),
        airtime("0.40", pools=["free"]),
    ]
    tariff = package(rules=rules, pools=[pool(1, components=["airtime", "toll"], both=True)])
    assert total(tariff, [call(60, toll="intl")]) == yuan("0.40")


def test_prices_must_be_text():
    with pytest.raises(ValueError, match="decimal string"):
        total(package(rules=[airtime(0.4)]), [call(60)])
