"""The traps of rating by their numbers: by the engine through the cube, and by the reference rater.

The expected cost is that of the table of traps or one computed by hand. Some traps are tested in
other modules, under the same names. To find a trap, search the tests for its number, as in
"trap 17".
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import reduce

import pytest
from pyspark.sql import DataFrame

from models.intake import delivered_line, verdict
from models.quote import backtest
from models.reference import bill as reference_bill
from models.reference.rater import Rater
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import record_parts
from tests.given import event_records, match_rows
from tests.given.event_records import increments, tariffs_of
from tests.given.frames import local_frame
from tests.given.rows import frame
from tests.given.tariff_examples import MARCH, airtime, call, package, pool, session, toll
from tests.given.tiny_province import call as voice_line

APRIL, MAY = date(2009, 4, 1), date(2009, 5, 1)
PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
NIGHT = {"night": [{"days": "all", "from": "22:00", "to": "24:00"}]}
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
FAR = {"toll": "inter_prov"}
SESSIONS = "ods.data_session"


@dataclass(frozen=True)
class Case:
    """The events of a customer under one package, and the cost of each month."""

    package: dict
    events: list
    costs: dict


def voice(*rules, **changes):
    """A voice package; toll is free unless the rules price it."""
    return package("voice", [*rules, FREE_TOLL], **changes)


def march(tariff, events, cost):
    return Case(tariff, events, {MARCH: cost})


def by_second(rate, **changes):
    return airtime(rate, per="1s", increment=[1, 1], **changes)


def two_bands(**changes):
    """One free minute, then .40 by day and .24 by night."""
    return voice(
        airtime("0.40", match={"band": "peak"}, pools=["free"]),
        airtime("0.24", pools=["free"]),
        bands=PEAK,
        pools=[pool(1)],
        **changes,
    )


LOCAL_MINUTES = {
    "direction": ["mo", "fwd"],
    "roaming": "home",
    "in_group": False,
    "dial": ["direct", "ip17951"],
}
ROAMING = airtime("0.60", match={"roaming": "inter_prov"})
GOTONE = package(
    "voice",
    [ROAMING, airtime("0.40", pools=["free"]), toll()],
    monthly_fee="80",
    pools=[pool(200, covers=LOCAL_MINUTES)],
)
ROAMING_FREE = package(
    "voice",
    [ROAMING | {"pools": ["free"]}, airtime("0.40"), toll()],
    monthly_fee="80",
    pools=[pool(200, covers={"roaming": "inter_prov"})],
)
OVER_MONTH_END = [call(90, "2009-03-31 23:59:30")]
WITH_CONNECT = [
    airtime("0.60", match={"band": "peak"}, connect="0.50"),
    airtime("0.60", connect="9"),
]
OVER_EIGHT = [call(120, "2009-03-03 19:59:00")]
IP = package(
    "voice",
    [
        airtime("0.25"),
        toll(
            "0.30", match={"dial": "ip17951", "toll": "inter_prov"}, per="60s", increment=[60, 60]
        ),
        toll("3.60", match={"dial": "ip17951"}, per="60s", increment=[60, 60]),
        toll(),
    ],
)
BY_DAY, LATE = call(60), call(60, "2009-03-01 22:00:00", key="late")
CARRYING = voice(airtime("1", pools=["free"]), pools=[pool(10, carry_over=True)])
MARCH_AND_APRIL = [call(240, key="m"), call(900, "2009-04-02 09:00:00", key="a")]
EARLY = call(60, "2009-03-03 07:00:00")
ABROAD = call(60, "2009-03-03 09:00:00", key="abroad", instant=EARLY.at - 1)

CASES = {
    "trap 4: a call over month end belongs whole to the month of its start": Case(
        voice(airtime()), OVER_MONTH_END, {MARCH: "0.80", APRIL: "0"}
    ),
    "trap 4: and so do the bands that it reaches into after midnight": Case(
        voice(
            by_second("0.02", match={"band": "night"}),
            by_second("0.01"),
            bands=NIGHT,
            band_policy="split",
        ),
        OVER_MONTH_END,
        {MARCH: "1.20", APRIL: "0"},
    ),
    "trap 7: of a call of three minutes one is free, two are paid": march(
        voice(airtime(pools=["free"]), pools=[pool(1)]), [call(180)], "0.80"
    ),
    "trap 7: in whole units: of 90 s a whole minute is free and a whole one paid": march(
        voice(airtime(pools=["free"]), pools=[pool(1)]), [call(90)], "0.40"
    ),
    "trap 8: an allowance waives the airtime, not the toll": march(
        GOTONE, [call(60, **FAR)], "80.70"
    ),
    "trap 8: roaming stays outside the allowance": march(
        GOTONE, [call(60, roaming="inter_prov")], "80.60"
    ),
    "trap 8: calls in the VPMN and over 12593 leave all 200 minutes where they are": march(
        GOTONE,
        [
            call(12000, "2009-03-01 09:00:00", in_group=True),
            call(12000, "2009-03-02 09:00:00", dial="ip12593"),
            call(12000),
        ],
        "80",
    ),
    "trap 8: unless covers and the rule include them: roaming minutes": march(
        ROAMING_FREE, [call(12000, roaming="inter_prov")], "80"
    ),
    "trap 11: the first increment differs from the rest: 45 s at [60, 1] are 60 s": march(
        voice(airtime("0.60", increment=[60, 1])), [call(45)], "0.60"
    ),
    "trap 11: and 61 s are 61": march(
        voice(airtime("0.60", increment=[60, 1])), [call(61)], "0.61"
    ),
    "trap 13: a connect fee once per component": march(
        package("voice", [airtime("0.40", connect="0.10"), toll("0.07", connect="0.20")]),
        [call(61, **FAR)],
        "1.87",
    ),
    "trap 13: a connect fee at the rule of the start, though the call ends in another band": march(
        voice(*WITH_CONNECT, bands=PEAK, band_policy="split"), OVER_EIGHT, "1.70"
    ),
    "trap 13: a connect fee is inside the cap": march(
        voice(*WITH_CONNECT, bands=PEAK, band_policy="split", caps={"voice": "1"}), OVER_EIGHT, "1"
    ),
    "trap 14: zero and negative durations cost nothing, not even a connect fee": march(
        voice(airtime(connect="1")), [call(0), call(-5, key="b")], "0"
    ),
    "trap 17: x ≤ 0 is nothing first; `div` would make -9 minutes of -600 s": march(
        voice(airtime()), [call(-600), call(-1, key="b"), call(60, key="c")], "0.40"
    ),
    "trap 17: a day by the second at .40 a minute; a quotient of .006667 would give 576.03": march(
        voice(airtime("0.40", increment=[1, 1])), [call(86400)], "576"
    ),
    "trap 19: prices include tax, nothing is added to them": march(GOTONE, [call(12060)], "80.40"),
    "trap 21: 17951 is stripped for the zone and kept as dial type": march(
        IP, [call(61, dial="ip17951", **FAR)], "1.10"
    ),
    "trap 21: 17951 to abroad": march(IP, [call(61, dial="ip17951", toll="intl")], "7.70"),
    "trap 21: dialled direct the same zone costs 11 × 6 s": march(IP, [call(61, **FAR)], "1.27"),
    "trap 24: before the late record: the call by day is free": march(two_bands(), [BY_DAY], "0"),
    "trap 24: a late record recomputes the whole month: the call by day is paid": march(
        two_bands(), [BY_DAY, LATE], "0.40"
    ),
    "trap 24: under carry-over, before: 6 + 10 minutes for the 15 of April": Case(
        CARRYING, MARCH_AND_APRIL, {MARCH: "0", APRIL: "0"}
    ),
    "trap 24: a late record of March recomputes April too: 3 + 10 minutes": Case(
        CARRYING,
        [*MARCH_AND_APRIL, call(180, "2009-03-30 10:00:00", key="late")],
        {MARCH: "0", APRIL: "2"},
    ),
    "trap 29: incoming calls are priced where the plan does not free them": march(
        voice(airtime("0.60", match={"direction": "mo"}), airtime("0.40")),
        [call(60, direction="mt")],
        "0.40",
    ),
    "trap 30: written 09:00 abroad, but answered before 07:00 at home: it is the free one": march(
        two_bands(), [EARLY, ABROAD], "0.24"
    ),
}


@pytest.fixture(scope="module")
def months_of_case(spark):
    """Case in words → month → its row."""
    numbers = dict(enumerate(CASES.items(), start=1))
    rows = event_records.evaluated_months(
        spark,
        {number: (list(case.costs), None, case.events) for number, (_, case) in numbers.items()},
        {f"package_{number}": case.package for number, (_, case) in numbers.items()},
    )
    return {
        words: {month: rows[number, month, f"package_{number}"] for month in case.costs}
        for number, (words, case) in numbers.items()
    }


@pytest.mark.parametrize("words", CASES)
def test_trap(months_of_case, words):
    expected = {month: Fraction(cost) for month, cost in CASES[words].costs.items()}
    assert {
        month: (row.reason, Fraction(row.rated)) for month, row in months_of_case[words].items()
    } == {month: (None, cost) for month, cost in expected.items()}
    assert by_reference(CASES[words].package, CASES[words].events, expected) == expected


def by_reference(tariff, events, months):
    """The cost by the reference rater of the events that a package re-rates (S2-07, S2-R5)."""
    kept = [event for event in events if not event.in_group and event.dial != "ip12593"]
    totals, carried = {}, {}
    for month in months:
        bill = Rater(tariff).rate_month(kept, month, None, carried)
        carried = {name: use.carry_out for name, use in bill.pools.items()}
        totals[month] = reference_bill.rounded(bill.total, 6, "half_up")
    return totals


def test_trap_14_zero_and_negative_durations_are_counted(spark):
    minutes = increments("voice", 1, 60, 60)
    guided = event_records.guided(
        spark, {1: [call(0), call(-5, key="b"), call(61, key="c")]}, tariffs_of({})
    )
    (row,) = usage_cube.by_day(guided, [minutes]).collect()
    assert (row.events, row.billed_events, row.billed) == (3, 1, [120])
    bill = Rater(voice(airtime())).rate_month([call(0), call(-5), call(61)], MARCH)
    assert bill.lines["voice", "airtime", 0].events == 3


def test_trap_10_parts_of_one_session_are_merged_before_rounding_and_across_nights(spark):
    """Trap 10: 512 B + 512 B are 1 KB at .03, not 2.

    The same charging id days later is another session.
    """
    tariff = package(
        "gprs", [{"component": "volume", "rate": "0.03", "per": "1KB", "increment": ["1KB", "1KB"]}]
    )
    parts = {
        1: [("g1", "c1", 3, "10:00:00"), ("g1", "c1", 3, "10:05:00")],  # one night
        2: [("g1", "c1", 3, "23:50:00"), ("g1", "c1", 4, "00:10:00")],  # over midnight
        3: [("g1", "c1", 3, "10:00:00"), ("g2", "c1", 3, "10:05:00")],  # another gateway
        4: [("g1", "c1", 3, "10:00:00"), ("g1", "c1", 9, "10:00:00")],  # days later
    }
    sessions = data_sessions(spark, parts)
    guided = usage_events.guide(
        sessions,
        event_records.owners(spark, parts),
        {},
        (),
    )
    rows = event_records.rated(
        spark, guided, dict.fromkeys(parts, ([MARCH], None)), tariffs_of({"one": tariff})
    )
    assert {number: str(rows[number, MARCH, "one"].rated) for number in parts} == {
        1: "0.030000",
        2: "0.030000",
        3: "0.060000",
        4: "0.060000",
    }
    assert Rater(tariff).rate_month([session(1024)], MARCH).total == Fraction("0.03")
    assert Rater(tariff).rate_month([session(512)] * 2, MARCH).total == Fraction("0.06")


def test_a_call_in_two_legs_owes_one_connect_fee_and_one_rounding(spark):
    """83 s in two records: .15 + 84 × .01 = .99, not 1.50."""
    rule = {"component": "airtime", "rate": "0.01", "per": "1s", "increment": [6, 6]}
    tariff = voice({**rule, "connect": "0.15"})
    first, second = call(60, "2009-03-02 10:00:00"), call(23, "2009-03-02 10:01:00")
    legs = [
        {**event_records.record(1, event)[1], "source": "voice", "call_no": "V1", "row_no": place}
        for place, event in enumerate((first, second), start=1)
    ]
    events = record_parts.merged(
        {"ods.voice_call": frame(spark, "ods.voice_call", *legs)},
        record_parts.Joining({"voice": "add"}, 24, {"voice": 7}),
    )
    guided = usage_events.guide(events, event_records.owners(spark, [1]), {}, ())
    tariffs = tariffs_of({"one": tariff})
    row = event_records.rated(spark, guided, {1: ([MARCH], None)}, tariffs)[1, MARCH, "one"]
    assert row.rated == Decimal("0.99")
    assert Rater(tariff).rate_month([call(83)], MARCH).total == Fraction("0.99")
    assert Rater(tariff).rate_month([first, second], MARCH).total == Fraction("1.14")


def data_sessions(spark, parts):
    """Sessions in parts of 512 bytes, added night by night."""
    rows = []
    for number, of_customer in parts.items():
        for gateway, charging, day, clock in of_customer:
            began = datetime.fromisoformat(f"2009-03-{day:02} {clock}+08:00")
            second = began.hour * 3600 + began.minute * 60
            rows.append(
                {
                    "source": "data",
                    "gateway": gateway,
                    "session_no": charging,
                    "msisdn": f"n{number}",
                    "occurred_at": began,
                    "local_date": began.date(),
                    "local_second": second,
                    "duration_s": 60,
                    "bytes_up": 200,
                    "bytes_down": 312,
                    "fee": Decimal(0),
                    "row_no": len(rows),
                    "batch_date": began.date(),
                }
            )
    nights = sorted({row["batch_date"] for row in rows})
    added = [
        record_parts.contributions(
            {SESSIONS: frame(spark, SESSIONS, *(r for r in rows if r["batch_date"] == night))},
            {SESSIONS: frame(spark, SESSIONS, *(r for r in rows if r["batch_date"] < night))},
            record_parts.Joining({"data": "add"}, 24, {"data": 7}),
        )
        for night in nights
    ]
    return reduce(DataFrame.unionByName, added)


def test_trap_27_a_commitment_counts_fee_and_rerated_lines_not_what_is_passed_through(spark):
    tariff = voice(airtime("0.50"), monthly_fee="10", min_commitment="12")
    plain, in_group = call(60), call(60, key="group", in_group=True)
    rows = event_records.evaluated(
        spark,
        {1: (MARCH, None, [plain, in_group])},
        {"one": tariff},
        fees={plain: (0, 0, "5"), in_group: ("7", 0, 0)},
    )
    row = rows[1, "one"]
    assert (row.commitment, row.rated, row.other_fees, row.unrated_fees) == (
        Decimal("1.50"),
        12,
        5,
        7,
    )
    bill = Rater(tariff).rate_month([plain], MARCH)
    assert (bill.commitment, bill.total) == (Fraction("1.50"), 12)


def test_trap_31_ties_are_broken_in_a_fixed_order(spark):
    """Trap 31: two calls of one instant and one free minute: the lower key goes first.

    The order and the partitions of the records make no difference.
    """
    tariff = voice(
        airtime("0.40", match={"dial": "direct"}, pools=["free"]),
        airtime("0.24", pools=["free"]),
        pools=[pool(1)],
    )
    direct, ip = call(60, key="a"), call(60, key="b", dial="ip17951")
    months = {
        number: (MARCH, None, [direct, ip] if number % 2 else [ip, direct])
        for number in range(1, 9)
    }
    again = [
        event_records.evaluated(spark, months, {"one": tariff}, **how)
        for how in ({}, {"shuffled": 3, "partitions": 3})
    ]
    assert {row.rated for rows in again for row in rows.values()} == {Decimal("0.24")}
    assert Rater(tariff).rate_month([ip, direct], MARCH).total == Fraction("0.24")


def test_trap_33_candidates_have_the_tariff_of_the_day_and_the_back_test_that_of_the_call(spark):
    """Trap 33: until the end of April .60 a minute, from May .20.

    On 3 May, ten minutes of March are offered at the new price, and the bill of March is checked
    with the old price.
    """
    until = {"valid": {"from": date(2009, 1, 1), "to": MAY}}
    since = {"valid": {"from": MAY, "to": date(2010, 1, 1)}}
    packages = {"old": voice(airtime("0.60"), **until), "new": voice(airtime("0.20"), **since)}
    offered = [one.id for one in tariffs_of(packages).open_on(date(2009, 5, 3))]
    rows = event_records.evaluated(spark, {1: (MARCH, None, [call(600)])}, packages)
    assert (offered, rows[1, "new"].rated, rows[1, "old"].rated) == (["new"], 2, 6)
    people = match_rows.subscribers(spark, 1)
    customers = match_rows.months(spark, (1, MARCH, None))
    held = match_rows.holdings(
        spark,
        customers,
        [(1, "voice", "old", date(2009, 1, 1), MAY), (1, "voice", "new", MAY, None)],
    )
    (tested,) = backtest.backtest(
        customers,
        match_rows.evaluated_rows(spark, rows.values()),
        held,
        match_rows.passing(spark, people, {}),
        match_rows.actual(spark, people, ("S1", MARCH, "6.00")),
        Decimal("0.01"),
        ("voice",),
    ).collect()
    assert (tested.cause, tested.rated, tested.difference) == ("equal", 6, 0)


DAY = date(2009, 5, 3)


@pytest.fixture
def taken_in(spark, conf, contracts):
    """From lines of the shipped voice source to a month under one package.

    Returns the row of the month and the facts of each call.
    """

    def rated(lines, tariff):
        rows = [(text, "voice.txt", number, DAY) for number, text in enumerate(lines)]
        read = local_frame(
            spark, rows, "value string, file_name string, row_no bigint, batch_date date"
        )
        source = conf.sources["voice"]
        judged = verdict.validate(
            delivered_line.fields(read, source),
            "voice",
            source,
            contracts[source.record],
            {},
            conf.runtime.timezone,
        )
        calls = judged.frame.where("not _rejected")
        assert calls.count() == len(lines)
        tariffs = tariffs_of({"one": tariff})
        guided = usage_events.guide(
            event_records.events_of({"ods.voice_call": calls}),
            event_records.owners(spark, [1]),
            {},
            (),
        )
        found = event_records.rated(spark, guided, {1: ([MAY], None)}, tariffs)[1, MAY, "one"]
        return found, sorted((row.dial, row.toll, row.in_group) for row in guided.collect())

    return rated


def test_trap_20_vpmn_is_membership_at_call_time_for_short_and_long_numbers(taken_in):
    """Trap 20: membership at call time comes with each call, not from the number."""
    member = {"msisdn": "n1", "vpmn_flag": "1", "duration": "60", "base_fee": "100"}
    row, facts = taken_in(
        [
            voice_line(1, DAY, opp_no="66123", **member),
            voice_line(2, DAY, opp_no="13900000002", **member),
            voice_line(3, DAY, opp_no="13900000002", **member | {"vpmn_flag": "0"}),
            voice_line(4, DAY, opp_no="66123", **member | {"vpmn_flag": "0"}),
        ],
        voice(airtime()),
    )
    assert [in_group for *_, in_group in facts] == [False, False, True, True]
    assert (row.rated, row.unrated_fees) == (Decimal("0.80"), Decimal("0.20"))
    assert Rater(voice(airtime())).rate_month([call(60), call(60)], MARCH).total == Fraction("0.8")


def test_traps_21_and_34_the_whole_prefix_decides_and_the_exchange_tells_the_zone(taken_in):
    """Trap 21: the prefix is a dial type beside the zone. Trap 34: the longest prefix wins.

    Zones come as codes, so only the five digits of an IP prefix are searched for.
    """
    far = {"msisdn": "n1", "duration": "61", "toll_type": "2"}
    row, facts = taken_in(
        [
            voice_line(1, DAY, opp_no="1795113900000002", **far),  # 1.10
            voice_line(2, DAY, opp_no="17951008613900000002", **far | {"toll_type": "4"}),  # 7.70
            voice_line(3, DAY, opp_no="1795013900000002", **far),  # 1.27
            voice_line(4, DAY, opp_no="17951", **far | {"toll_type": "0"}),  # 0.50: the service
            voice_line(5, DAY, opp_no="1795113900000002", **far | {"call_type": "MT"}),  # 0.50
            voice_line(6, DAY, opp_no="12593013900000002", **far),  # passes
        ],
        IP,
    )
    assert [dial for dial, *_ in facts] == ["direct"] * 3 + ["ip12593"] + ["ip17951"] * 2
    assert row.rated == Decimal("11.07")
    events = [
        call(61, dial="ip17951", **FAR),
        call(61, dial="ip17951", toll="intl"),
        call(61, **FAR),
        call(61),
        call(61, direction="mt", **FAR),
    ]
    assert Rater(IP).rate_month(events, MARCH).total == Fraction("11.07")


def test_a_zone_of_which_the_code_is_not_listed_is_taken_in_and_never_priced(taken_in):
    """By the shipped codes of zones, although the package prices any zone at .07 per 6 s."""
    mine = {"msisdn": "n1", "duration": "61"}
    row, facts = taken_in(
        [
            voice_line(1, DAY, **mine),
            voice_line(2, DAY, **mine | {"toll_type": "9"}),
            voice_line(3, DAY, **mine | {"roam_type": "8"}),
        ],
        package("voice", [airtime(), toll()]),
    )
    assert [zone for _, zone, _ in facts] == ["local", "local", "unknown"]
    assert (row.comparable, row.unpriced_events, row.rated) == (False, 2, None)
    assert row.reason in (
        f"unknown cell: voice mo {zones} direct weekend 0-86400 s"  # of the two, one is named
        for zones in ("home unknown", "unknown local")
    )
