"""Verdicts on delivered lines: each one is accepted, rejected with its reasons, or a duplicate."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from schemas.config.source import SourceFormat
from schemas.errors import ConfigError
from tests.given.delivered_lines import COLUMNS, DAY, GB18030, line, source, unique
from tests.given.frames import local_frame

PERSONAL = ("13800000001", "13900000002", "S0000001")
CLOCK = (
    "occurred_at: implausible clock, expected at most 62 days before the delivery and one after it"
)

UNREAD_TIME = "occurred_at: present but not readable as timestamp"

CASES = {
    "plain": (line(), []),
    "a carriage return before the line end": (line() + "\r", []),
    "a byte order mark before the first field": ("\ufeff" + line(), []),
    "blanks around a field": (line(way=" MO ", seconds=" 61 "), []),
    "an optional field empty": (line(city=""), []),
    "a NUL in a text": (line(city="北\0京"), []),
    "one field missing": (line().rsplit("|", 1)[0], ["line: expected 9 fields separated by '|'"]),
    "one field more": (line() + "|x", ["line: expected 9 fields separated by '|'"]),
    "one delimiter alone": ("|", ["line: expected 9 fields separated by '|'"]),
    "25,000 fields": ("|" * 25_000, ["line: expected 9 fields separated by '|'"]),
    "GB18030 bytes in a UTF-8 file": (
        line(city="北京").encode("gb18030"),
        ["line: not readable as utf-8"],
    ),
    "cut within a character": (line(city="北京").encode()[:-1], ["line: not readable as utf-8"]),
    "unknown code": (line(way="XX"), ["direction: expected one of mo, mt, fwd"]),
    "a code in another case": (line(way="Mo"), ["direction: expected one of mo, mt, fwd"]),
    "an unknown flag that SQL would read as true": (
        line(group="Y"),
        ["in_group: present but not readable as boolean"],
    ),
    "unreadable number": (line(seconds="6l"), ["duration_s: present but not readable as bigint"]),
    "a number with a fraction": (line(seconds="61.5"), ["duration_s: does not fit bigint exactly"]),
    "an amount with too many digits": (
        line(fee="1234567890.5"),
        ["airtime_fee: does not fit decimal(15,6) exactly"],
    ),
    "below the range": (line(seconds="-1"), ["duration_s: expected 0 to 2678400 seconds"]),
    "the range's first": (line(seconds="0"), []),
    "the range's last": (line(seconds="2678400"), []),
    "above the range": (line(seconds="2678401"), ["duration_s: expected 0 to 2678400 seconds"]),
    "a clock at 1980": (line(start="19800106000000"), [CLOCK]),
    "a clock a day ahead": (line(start="20090504235959"), []),
    "a clock two days ahead": (line(start="20090505000000"), [CLOCK]),
    "as old as allowed": (line(start="20090302000000"), []),
    "a second older": (line(start="20090301235959"), [CLOCK]),
    "no time": (line(start=""), ["occurred_at: expected a value"]),
    "a day that no calendar has": (line(start="20090230101500"), [UNREAD_TIME]),
    "missing required": (line(number=""), ["msisdn: expected a value"]),
    "a required field of blanks": (line(number="  "), ["msisdn: expected a value"]),
    "too long": (line(number="1" * 33), ["msisdn: expected at most 32 characters"]),
    "two faults": (
        line(way="XX", number=""),
        ["msisdn: expected a value", "direction: expected one of mo, mt, fwd"],
    ),
    "excluded": (line(other="10000"), ["other: a test line of the exchange"]),
    "excluded, and nothing else is looked at": (
        line(other="10000", way="XX"),
        ["other: a test line of the exchange"],
    ),
}


@pytest.fixture(scope="module")
def cases(judged):
    rows = [
        (unique(text, number), "a.txt", number, DAY)
        for number, (text, _) in enumerate(CASES.values(), start=1)
    ]
    return judged(rows, source())


@pytest.mark.parametrize(("number", "case"), enumerate(CASES, start=1), ids=list(CASES))
def test_a_line_is_accepted_or_rejected_with_every_reason(cases, number, case):
    reasons = CASES[case][1]
    place = ("a.txt", number)
    assert (place in cases.accepted) == (not reasons)
    assert (place in cases.rejected) == bool(reasons)
    assert not cases.duplicate
    if reasons:
        row = cases.rejected[place]
        assert sorted(row.reasons) == sorted(reasons)
        assert (row.source, row.data_date) == ("call", DAY)


def test_reasons_never_hold_a_value_and_the_line_is_kept(cases):
    for number, (text, reasons) in enumerate(CASES.values(), start=1):
        if not reasons:
            continue
        row = cases.rejected["a.txt", number]
        assert not any(value in reason for value in PERSONAL for reason in row.reasons)
        if isinstance(text, str):
            assert row.raw_line == unique(text, number).decode()
        else:  # readable by every reader: what cannot be decoded is replaced
            assert "\ufffd" in row.raw_line
            assert row.raw_line.startswith("V1|13800000001|")


def test_accepted_rows_hold_what_was_delivered(cases):
    row = cases.accepted["a.txt", 2]
    assert row.home_city == "北京"  # without the carriage return
    assert cases.accepted["a.txt", 3].call_no == "V1"  # without the byte order mark
    assert (row.direction, row.duration_s, row.in_group) == ("mo", 61, False)
    assert row.airtime_fee == Decimal("0.400")
    assert row.toll_fee == Decimal("0.000")
    assert (row.source, row.batch_date, row.local_date) == ("call", DAY, DAY)
    assert row.local_second == 10 * 3600 + 15 * 60
    assert row.occurred_at.astimezone(UTC) == datetime(2009, 5, 3, 2, 15, tzinfo=UTC)


def test_counts_add_up_by_day(cases):
    counts = cases.counts[DAY]
    rejected = sum(bool(reasons) for _, reasons in CASES.values())
    assert (counts["delivered"], counts["rejected"]) == (len(CASES), rejected)
    assert (counts["accepted"], counts["duplicate"]) == (len(CASES) - rejected, 0)
    by_reason = {reason: counts[f"check_{place}"] for place, reason in enumerate(cases.checks)}
    assert by_reason["line: not readable as utf-8"] == 2
    assert by_reason["direction: expected one of mo, mt, fwd"] == 3


def test_a_record_is_late_only_after_the_days_that_its_source_grants(judged):
    rows = [
        (line(no=f"V{age}", start=f"{DAY - timedelta(days=age):%Y%m%d}235959"), "a", age, DAY)
        for age in (1, 2)
    ]
    seen = judged(rows, source(late_after_days=1))
    assert {row: seen.all["a", row]._late for row in (1, 2)} == {1: False, 2: True}
    assert (seen.counts[DAY]["accepted"], seen.counts[DAY]["late"]) == (2, 1)


def test_a_gb18030_file_is_read_and_utf_8_in_it_is_found_out(judged):
    rows = [
        (line(no="V1"), "a", 1, DAY),
        (line(no="V2", city="北京").encode("utf-8"), "a", 2, DAY),  # an even count of bytes
        (line(no="V3", city="北京市").encode("utf-8"), "a", 3, DAY),  # swallows what follows
        (line(no="V4", city="").encode() + b"\x81", "a", 4, DAY),
        (line(no="V5", city="").encode(), "a", 5, DAY),
        (line(no="V6", city="职业", seconds="7"), "a", 6, DAY),
    ]  # valid UTF-8 by accident
    seen = judged(
        rows,
        source(
            format=GB18030,
            codes={"direction": {"MO": "mo"}, "in_group": {"0": False}},
            lookback_days=0,
            mapping={**source().mapping, "other_party": "no"},
        ),
    )
    assert {row: tuple(r.reasons) for (_, row), r in seen.rejected.items()} == dict.fromkeys(
        (2, 3, 4), ("line: not readable as gb18030",)
    )
    assert [seen.accepted["a", row].home_city for row in (1, 5, 6)] == ["北京", None, "职业"]


def test_quoted_fields_may_hold_the_delimiter(judged):
    def quoted(number, *last):
        return f"V{number},138,{number},MO,20090503101500,61,0,0.400,{','.join(last)}"

    rows = [
        (quoted(1, '"北京, 海淀"'), "a", 1, DAY),
        (quoted(2, '"he said ""no"""'), "a", 2, DAY),
        (quoted(3, "北京", "海淀"), "a", 3, DAY),
        (quoted(4, '"北京'), "a", 4, DAY),
        ("," * 25_000, "a", 5, DAY),
        ('"' + "," * 25_000 + '"', "a", 6, DAY),
        (quoted(7, "") + "\r", "a", 7, DAY),
    ]
    columns = (*COLUMNS[:-1], "City of call.名")
    seen = judged(
        rows,
        source(
            format=SourceFormat(delimiter=",", quote='"'),
            columns=columns,
            mapping={**source().mapping, "home_city": "`City of call.名`"},
        ),
    )
    broken = ("line: expected 9 fields separated by ','",)
    assert {
        row: tuple(r.reasons) for (_, row), r in seen.rejected.items() if row != 4
    } == dict.fromkeys((3, 5, 6), broken)
    assert [seen.accepted["a", row].home_city for row in (1, 2, 7)] == [
        "北京, 海淀",
        'he said "no"',
        None,
    ]


def test_a_row_with_a_warning_is_kept_and_counted_once_it_is_accepted(judged):
    of = source(warn={"city: unknown": "city is null", "fee: free": "fee = '0'"})
    rows = [
        (line(), "a", 1, DAY),
        (line(other="2", city=""), "a", 2, DAY),
        (line(other="3", city="", fee="0"), "a", 3, DAY),
        (line(other="4", city="", way="XX"), "a", 4, DAY),  # rejected
        (line(other="2", city=""), "a", 5, DAY),
    ]  # repeated
    seen = judged(rows, of)
    assert {row for _, row in seen.accepted} == {1, 2, 3}
    counts = seen.counts[DAY]
    found = {reason: counts[f"check_{place}"] for place, reason in enumerate(seen.checks)}
    assert (found["city: unknown"], found["fee: free"]) == (2, 1)
    named = ("accepted", "warned", "unreferenced", "newest")
    assert [counts[name] for name in named] == [3, 2, 0, DAY]
    assert seen.rejected["a", 4].reasons == ["direction: expected one of mo, mt, fwd"]


ZONES = {"0": "local", "2": "inter_prov", "otherwise": "unknown"}
OF_ZONES = {
    "a code that is listed": (line(other="1", city="2"), "inter_prov"),
    "one that is not": (line(other="2", city="7"), "unknown"),
    "one that is not, of a record told before": (line(other="2", city="7"), None),
    "the operator's own word, which is no code of theirs": (
        line(other="3", city="local"),
        "unknown",
    ),
    "none": (line(other="4", city=""), ["toll: expected a value"]),
    "blanks": (line(other="5", city="  "), ["toll: expected a value"]),
    "one that is not, in a row that is rejected anyway": (
        line(other="6", city="7", way="XX"),
        ["direction: expected one of mo, mt, fwd"],
    ),
}


def test_an_unlisted_code_is_kept_as_the_source_says_and_counted(judged):
    """Only where a source says so: the direction's codes do not, and an empty one is none."""
    of = source(
        codes={**source().codes, "toll": ZONES}, mapping={**source().mapping, "toll": "city"}
    )
    seen = judged([(text, "a", row, DAY) for row, (text, _) in enumerate(OF_ZONES.values())], of)
    for row, (words, (_, expected)) in enumerate(OF_ZONES.items()):
        if isinstance(expected, list):
            assert seen.rejected["a", row].reasons == expected, words
        elif expected is None:
            assert ("a", row) in seen.duplicate, words
        else:
            assert seen.accepted["a", row].toll == expected, words
    counts = seen.counts[DAY]
    assert [
        counts[name] for name in ("accepted", "rejected", "duplicate", "warned", "unlisted")
    ] == [3, 3, 1, 2, 2]
    found = {reason: counts[f"check_{place}"] for place, reason in enumerate(seen.checks)}
    assert found["toll: a code that is not listed, kept as unknown"] == 2


def test_references_and_configured_sets(judged, spark):
    columns = ("month", "subscriber", "item", "package", "amount")
    item = source(
        "ods.bill_item",
        id="item",
        columns=columns,
        codes={},
        exclude={},
        mapping={
            "subscriber_no": "subscriber",
            "month": "to_date(month, 'yyyyMM')",
            "item_code": "item",
            "package_id": "package",
            "amount": "try_cast(amount as bigint) * 0.001",
        },
    )
    rows = [
        ("200904|S0000001|package_rent|gotone_58|58000", "a", 1, DAY),
        ("200904|S0000009|sms||1000", "a", 2, DAY),
        ("200904||sms||1000", "a", 3, DAY),
        ("200904|S0000001|package_rent|gotone_59|58000", "a", 4, DAY),
        ("200904|S0000001|vas||99999999999999", "a", 5, DAY),
    ]
    known = local_frame(
        spark, [("S0000001",), ("S0000001",), ("S0000002",)], "subscriber_no string"
    )
    seen = judged(rows, item, known={"subscriber_no": known})
    assert seen.accepted["a", 1].amount == Decimal("58.000")
    assert (seen.counts[DAY]["unreferenced"], seen.counts[DAY]["newest"]) == (1, None)
    assert {row: r.reasons for (_, row), r in seen.rejected.items()} == {
        2: ["subscriber_no: no such record in ods.subscriber.subscriber_no"],
        3: ["subscriber_no: expected a value"],
        4: ["package_id: expected one of the configured tariff packages"],
        5: ["amount: does not fit decimal(12,3) exactly"],
    }


# Clocks of Copenhagen went forward on 2011-03-27 at 02:00 and back on 2011-10-30 at 03:00.
WALL_CLOCKS = [
    ("before the change", "20110327015959", "2011-03-27 00:59:59"),
    ("after the change", "20110327030000", "2011-03-27 01:00:00"),
    ("hours after the change", "20110327050000", "2011-03-27 03:00:00"),
    ("in winter", "20110115120000", "2011-01-15 11:00:00"),
    ("hours after the change back", "20111030080000", "2011-10-30 07:00:00"),
]


@pytest.mark.parametrize(
    ("time", "expression"),
    [
        ("local", "try_to_timestamp(start, 'yyyyMMddHHmmss')"),
        ("instant", "try_to_timestamp(concat(city, 'Z'), 'yyyy-MM-dd HH:mm:ssX')"),
    ],
    ids=["wall clock in the file", "instant in the file"],
)
def test_times_of_another_zone_keep_the_instant_and_its_wall_clock(judged, time, expression):
    rows = [
        (line(no=f"V{number}", start=wall, city=instant), "a", number, date(2011, 6, 1))
        for number, (_, wall, instant) in enumerate(WALL_CLOCKS)
    ]
    seen = judged(
        rows,
        source(
            timezone="Europe/Copenhagen",
            time=time,
            max_age_days=400,
            mapping={**source().mapping, "occurred_at": expression},
        ),
    )
    for number, (case, wall, instant) in enumerate(WALL_CLOCKS[:-1]):
        row = seen.accepted["a", number]
        assert row.occurred_at.astimezone(UTC) == datetime.fromisoformat(instant).replace(
            tzinfo=UTC
        ), case
        local = datetime.strptime(wall, "%Y%m%d%H%M%S")  # noqa: DTZ007
        assert row.local_date == local.date(), case
        assert row.local_second == local.hour * 3600 + local.minute * 60 + local.second, case
    assert ("a", len(WALL_CLOCKS) - 1) in seen.rejected  # months after the delivery


@pytest.mark.parametrize(
    ("part", "expression", "said"),
    [
        ("mapping", "nosuch_function(city)", "call.mapping.home_city: nosuch_function(city)"),
        ("mapping", "city city city", "call.mapping.home_city: city city city"),
        ("exclude", "city = = 'x'", "call.exclude.a reason: city = = 'x'"),
        ("warn", "city = = 'x'", "call.warn.a reason: city = = 'x'"),
    ],
)
def test_an_expression_that_is_no_sql_is_named(judged, part, expression, said):
    change = (
        {"mapping": {**source().mapping, "home_city": expression}}
        if part == "mapping"
        else {part: {"a reason": expression}}
    )
    with pytest.raises(ConfigError) as raised:
        judged([(line(), "a", 1, DAY)], source(**change))
    assert str(raised.value).startswith(f"sources.yml: {said}: ")
    assert "\n" not in str(raised.value)
