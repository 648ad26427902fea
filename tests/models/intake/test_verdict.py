"""Verdicts on delivered lines: each one is accepted, rejected with its reasons, or a duplicate."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models.intake import duplicates, outcome, verdict
from schemas import contract
from schemas.config import Source
from schemas.config.source import Cadence, SourceFiles, SourceFormat
from schemas.errors import ConfigError
from schemas.render.spark import struct_type
from tests.given.frames import local_frame

ZONE = "Asia/Shanghai"
DAY = date(2009, 5, 3)
SETS = {"channels": ["hall", "web"], "packages": ["gotone_58"], "businesses": []}
LINES = "value binary, file_name string, row_no bigint, batch_date date"
COLUMNS = ("no", "number", "other", "way", "start", "seconds", "group", "fee", "city")
PERSONAL = ("13800000001", "13900000002", "S0000001")
CLOCK = (
    "occurred_at: implausible clock, expected at most 62 days before the delivery and one after it"
)


def source(record="ods.voice_call", **changes):
    return Source(
        **{
            "id": "call",
            "record": record,
            "name_cn": "通话",
            "system": "boss",
            "cadence": Cadence(),
            "files": SourceFiles("{source}", "*.txt"),
            "format": SourceFormat(delimiter="|"),
            "timezone": ZONE,
            "columns": COLUMNS,
            "mapping": {
                "call_no": "no",
                "msisdn": "number",
                "other_party": "other",
                "direction": "way",
                "occurred_at": "try_to_timestamp(start, 'yyyyMMddHHmmss')",
                "duration_s": "seconds",
                "outcome": "'answered'",
                "dial": "'direct'",
                "toll": "'local'",
                "roaming": "'home'",
                "in_group": "`group`",
                "home_city": "city",
                "airtime_fee": "fee",
                "toll_fee": "0",
                "info_fee": "0",
            },
            "codes": {"direction": {"MO": "mo", "MT": "mt"}, "in_group": {"0": False, "1": True}},
            "exclude": {"other: a test line of the exchange": "other = '10000'"},
            "late_after_days": 1,
            **changes,
        }
    )


def line(**changes):
    cells = {
        "no": "V1",
        "number": "13800000001",
        "other": "13900000002",
        "way": "MO",
        "start": "20090503101500",
        "seconds": "61",
        "group": "0",
        "fee": "0.400",
        "city": "北京",
        **changes,
    }
    return "|".join(cells[name] for name in COLUMNS)


@pytest.fixture(scope="module")
def contracts():
    return contract.load()


@pytest.fixture(scope="module")
def judged(spark, contracts):
    """Rows of lines with their verdict by row number; `rows`: (line, file, row, day)."""

    def run(rows, of, known=None, earlier=None):
        frame = local_frame(
            spark,
            [
                (
                    bytearray(text if isinstance(text, bytes) else text.encode(of.format.encoding)),
                    file,
                    row,
                    day,
                )
                for text, file, row, day in rows
            ],
            LINES,
        )
        if of.format.encoding == "utf-8":
            frame = frame.withColumn("value", frame["value"].cast("string"))
        contract = contracts[of.record]
        validated = verdict.validate(frame, of.id, of, contract, SETS, ZONE, known)
        validated = verdict.Validated(validated.frame.persist(), validated.checks)
        try:
            keys = duplicates.candidate_keys(validated, earlier)
            candidates = duplicates.candidates(validated, keys)
            repeated = duplicates.find(candidates, of, contract, earlier)
            return Verdicts(outcome.Outcome(validated, candidates, repeated))
        finally:
            validated.frame.unpersist()

    return run


class Verdicts:
    """What became of the lines, by (file, row)."""

    def __init__(self, settled):
        self.all = {(r.file_name, r.row_no): r for r in settled.validated.frame.collect()}
        self.accepted = {(r.file_name, r.row_no): r for r in settled.accepted().collect()}
        self.rejected = {(r.file_name, r.row_no): r for r in settled.rejected().collect()}
        self.counts = settled.counts()
        self.checks = [check.reason for check in settled.validated.checks]

    @property
    def duplicate(self):
        return set(self.all) - set(self.accepted) - set(self.rejected)

    def kept(self):
        return {(r.batch_date, *place) for place, r in self.accepted.items()}


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
        ["in_group: not readable as boolean"],
    ),
    "unreadable number": (line(seconds="6l"), ["duration_s: not readable as bigint"]),
    "a number with a fraction": (line(seconds="61.5"), ["duration_s: not readable as bigint"]),
    "an amount with too many digits": (
        line(fee="1234567890.5"),
        ["airtime_fee: not readable as decimal(12,3)"],
    ),
    "below the range": (line(seconds="-1"), ["duration_s: expected 0 to 86400 seconds"]),
    "the range's first": (line(seconds="0"), []),
    "the range's last": (line(seconds="86400"), []),
    "above the range": (line(seconds="86401"), ["duration_s: expected 0 to 86400 seconds"]),
    "a clock at 1980": (line(start="19800106000000"), [CLOCK]),
    "a clock a day ahead": (line(start="20090504235959"), []),
    "a clock two days ahead": (line(start="20090505000000"), [CLOCK]),
    "as old as allowed": (line(start="20090302000000"), []),
    "a second older": (line(start="20090301235959"), [CLOCK]),
    "no time": (line(start=""), ["occurred_at: expected a value"]),
    "a day that no calendar has": (line(start="20090230101500"), ["occurred_at: expected a value"]),
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


def unique(text, number):
    """The line with a caller of its own, so that no case is the duplicate of another."""
    whole, mine = b"13900000002", b"139%08d" % number
    return (text if isinstance(text, bytes) else text.encode()).replace(whole, mine)


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


GB18030 = SourceFormat(delimiter="|", encoding="gb18030")


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
        5: ["amount: not readable as decimal(12,3)"],
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
        local = datetime.strptime(wall, "%Y%m%d%H%M%S")
        assert row.local_date == local.date(), case
        assert row.local_second == local.hour * 3600 + local.minute * 60 + local.second, case
    assert ("a", len(WALL_CLOCKS) - 1) in seen.rejected  # months after the delivery


def test_of_duplicates_the_lowest_day_file_and_row_stays(judged):
    def at(day, **changes):
        return line(start=f"{DAY:%Y%m%d}101500", **changes), DAY + timedelta(days=day)

    placed = [  # case, key, (day, file, row), stays
        ("within a file", "a", (0, "1.txt", 5), False),
        ("within a file", "a", (0, "1.txt", 2), True),
        ("another file of the day", "b", (0, "2.txt", 1), False),
        ("another file of the day", "b", (0, "1.txt", 9), True),
        ("the last day of the look-back", "c", (0, "1.txt", 11), True),
        ("the last day of the look-back", "c", (7, "1.txt", 1), False),
        ("a day beyond the look-back", "d", (0, "1.txt", 12), True),
        ("a day beyond the look-back", "d", (8, "1.txt", 1), True),
        ("a repeat of what was no repeat", "e", (0, "1.txt", 13), True),
        ("a repeat of what was no repeat", "e", (7, "1.txt", 14), False),
        ("a repeat of what was no repeat", "e", (8, "1.txt", 14), True),
        ("a repeat of what was no repeat", "e", (10, "1.txt", 14), False),
    ]
    rows = [
        (at(day, other=key)[0], f"{day}/{file}", row, at(day)[1])
        for _, key, (day, file, row), _ in placed
    ]
    seen = judged(rows, source(lookback_days=7, max_age_days=20))
    for case, _, (day, file, row), stays in placed:
        assert ((f"{day}/{file}", row) in seen.accepted) == stays, case
    assert not seen.rejected
    assert seen.counts[DAY]["duplicate"] == 2


def test_what_is_no_duplicate(judged):
    rows = [
        (line(seconds="61"), "a", 1, DAY),
        (line(seconds="62"), "a", 2, DAY),
        (line(no="V1", other=""), "a", 3, DAY),
        (line(no="V2", other=""), "a", 4, DAY),
        (line(other="bad first", fee="x"), "a", 5, DAY),
        (line(other="bad first"), "a", 6, DAY),
        (line(other="twice bad", fee="x"), "a", 7, DAY),
        (line(other="twice bad", fee="x"), "a", 8, DAY),
    ]
    seen = judged(rows, source())
    assert {row for _, row in seen.accepted} == {1, 2, 3, 6}  # of two without a number one stays
    assert {row for _, row in seen.rejected} == {5, 7, 8}  # a rejected row takes no one's place
    assert {row for _, row in seen.duplicate} == {4}


def test_without_a_look_back_only_the_same_day_counts(judged):
    rows = [(line(), "a", 1, DAY), (line(), "a", 2, DAY), (line(), "b", 1, DAY + timedelta(1))]
    seen = judged(rows, source(lookback_days=0))
    assert set(seen.accepted) == {("a", 1), ("b", 1)}


def stays(history, lookback):
    """Plain Python: which places of a key's history stay, night by night."""
    kept, last = [], None
    for place in sorted(history):
        if last is None or (place[0] - last).days > lookback:
            kept.append(place)
            last = place[0]
    return kept


def test_one_pass_keeps_what_night_by_night_would(judged, spark, contracts):
    """Random histories of many keys, in one pass and cut in two with what was accepted before."""
    chance, lookback = random.Random(2009), 3
    history = {
        f"k{key}": sorted(
            {
                (
                    DAY + timedelta(days=chance.randrange(14)),
                    f"{chance.randrange(2)}.txt",
                    key * 100 + chance.randrange(99),
                )
                for _ in range(chance.randrange(1, 9))
            }
        )
        for key in range(60)
    }
    expected = {place for places in history.values() for place in stays(places, lookback)}
    rows = [
        (line(other=key), file, row, day)
        for key, places in history.items()
        for day, file, row in places
    ]
    of = source(lookback_days=lookback, max_age_days=40)
    whole = judged(rows, of)
    assert whole.kept() == expected

    cut = DAY + timedelta(days=6)
    before = [
        row
        for row in whole.accepted.values()
        if cut - timedelta(days=lookback) <= row.batch_date < cut
    ]
    assert before
    earlier = local_frame(
        spark,
        before + before[:3],  # a key twice must not double a row
        struct_type(contracts["ods.voice_call"]),
    )
    second = judged([row for row in rows if row[3] >= cut], of, earlier=earlier)
    assert second.kept() == {place for place in expected if place[0] >= cut}
    assert len(second.all) == sum(row[3] >= cut for row in rows)


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


@st.composite
def mutated(draw, encoding):
    """A good line that was cut, flipped, mixed up, filled with NULs or repeated on the way."""
    text = bytearray(
        line(no=f"V{draw(st.integers(1, 40))}", other=str(draw(st.integers(1, 40)))).encode(
            encoding
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, max(len(text) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "move", "double", "nul", "quote"]))
        if kind == "cut":
            del text[place:]
        elif kind == "flip" and text:
            text[place] ^= draw(st.integers(1, 255))
        elif kind == "insert":
            text[place:place] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "move":
            cells = bytes(text).split(b"|")
            text = bytearray(b"|".join(cells[1:] + cells[:1]))
        elif kind == "double":
            text += bytes(text)
        elif kind == "nul":
            text[place:place] = b"\0" * draw(st.integers(1, 3))
        else:
            text[place:place] = b'"'
    return bytes(text).replace(b"\n", b"")


def gathered(count, encoding):
    """So many mutated lines, the same in every run, for one pass of Spark."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(text=mutated(encoding), day=st.integers(0, 9))
    def gather(text, day):
        found.append((text, "a.txt", len(found), DAY + timedelta(days=day)))

    gather()
    return found


FORMATS = [SourceFormat(delimiter="|"), GB18030, SourceFormat(delimiter="|", quote='"')]


@pytest.mark.parametrize("form", FORMATS, ids=["plain", "gb18030", "quoted"])
def test_whatever_arrives_each_line_ends_in_exactly_one_of_three(judged, contracts, form):
    rows = gathered(400, form.encoding)
    seen = judged(rows, source(format=form))
    assert sorted(row for _, row in seen.all) == list(range(len(rows)))
    assert not set(seen.accepted) & set(seen.rejected)
    assert seen.accepted
    assert seen.rejected
    assert seen.duplicate
    for row in seen.rejected.values():
        assert row.reasons
        assert set(row.reasons) <= set(seen.checks)
        row.raw_line.encode("utf-8")
    required = [c.name for c in contracts["ods.voice_call"].columns if c.required]
    for row in seen.accepted.values():
        assert all(row[name] is not None for name in required)
    for counts in seen.counts.values():
        settled = sum(counts[part] for part in ("accepted", "rejected", "duplicate"))
        assert counts["delivered"] == settled
    assert sum(counts["delivered"] for counts in seen.counts.values()) == len(rows)


# -- other forms of a line -------------------------------------------------------------------------

WIDTHS = (4, 11, 11, 2, 14, 3, 1, 6, 4)
OBJECTS = SourceFormat(kind="json_lines")
BROKEN = {
    "fixed_width": "line: expected 56 bytes of {}, 9 fields of whole characters",
    "json_lines": "line: expected one JSON object with no other fields than " + ", ".join(COLUMNS),
}


def padded(encoding="utf-8", **changes):
    cells = line(**{"city": "", **changes}).split("|")
    return b"".join(cell.encode(encoding).ljust(width) for cell, width in zip(cells, WIDTHS))


def told(**changes):
    return dict(zip(COLUMNS, line(**changes).split("|")))


FIXED = {
    "plain": (padded(), None),
    "a carriage return before the line end": (padded() + b"\r", None),
    "a byte order mark before it": (b"\xef\xbb\xbf" + padded(), None),
    "a byte less": (padded()[:-1], BROKEN["fixed_width"]),
    "a byte more": (padded() + b" ", BROKEN["fixed_width"]),
    "bytes are counted, not characters": (padded(city="京"), None),
    "a field ends within a character": (
        padded(fee="0.400")[:-7] + "0.4京".encode() + b"    ",
        BROKEN["fixed_width"],
    ),
    "not of the encoding": (padded()[:-4] + b"\xff   ", "line: not readable as {}"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_line_of_fixed_widths(judged, encoding):
    form = SourceFormat(kind="fixed_width", widths=WIDTHS, encoding=encoding)
    known = {
        case: (text, reason)
        for case, (text, reason) in FIXED.items()
        if encoding == "utf-8"
        or (
            "京" not in text.decode(errors="ignore")
            and not text.startswith(b"\xef")
            and b"\xff" not in text
        )
    }
    rows = [(unique(text, n), "a", n, DAY) for n, (text, _) in enumerate(known.values())]
    seen = judged(rows, source(format=form))
    for n, (case, (_, reason)) in enumerate(known.items()):
        found = [reason.format(encoding)] if reason else []
        assert found == (seen.rejected["a", n].reasons if ("a", n) in seen.rejected else []), case


def test_gb18030_fields_of_fixed_widths(judged):
    form = SourceFormat(kind="fixed_width", widths=WIDTHS, encoding="gb18030")
    split = padded("gb18030", city="北京")
    rows = [
        (padded("gb18030", no="V1", city="北京"), "a", 1, DAY),
        (split[:51] + split[52:54] + b" " + split[54:], "a", 2, DAY),
    ]  # a byte to the left
    seen = judged(rows, source(format=form))
    assert seen.accepted["a", 1].home_city == "北京"
    assert seen.rejected["a", 2].reasons == [BROKEN["fixed_width"].format("gb18030")]


JSON_LINES = {
    "plain": (json.dumps(told()), None),
    "in another order": (json.dumps(dict(reversed(told().items()))), None),
    "numbers as numbers": (json.dumps({**told(), "seconds": 61}).replace('"0.400"', "0.400"), None),
    "an optional field missing": (
        json.dumps({k: v for k, v in told().items() if k != "city"}),
        None,
    ),
    "an optional field null": (json.dumps({**told(), "city": None}), None),
    "a byte order mark before it": ("\ufeff" + json.dumps(told()), None),
    "a required field missing": (
        json.dumps({k: v for k, v in told().items() if k != "number"}),
        "msisdn: expected a value",
    ),
    "a field that nobody knows": (json.dumps({**told(), "tax": "0"}), BROKEN["json_lines"]),
    "cut": (json.dumps(told())[:-1], BROKEN["json_lines"]),
    "a list": (json.dumps([told()]), BROKEN["json_lines"]),
    "a text": ('"V1"', BROKEN["json_lines"]),
    "two objects": (json.dumps(told()) + json.dumps(told()), BROKEN["json_lines"]),
    "two lists of one": (f"{json.dumps(told())}],[{json.dumps(told())}", BROKEN["json_lines"]),
    "an object in an object that ends": (
        f'{json.dumps(told())}, "more": 1}}',
        BROKEN["json_lines"],
    ),
    "an object, and brackets": (json.dumps(told()) + "]}", BROKEN["json_lines"]),
    "brackets in a text": (json.dumps(told(city="}],[{")), None),
    "no JSON": (line(), BROKEN["json_lines"]),
    "a field as an object": (
        json.dumps({**told(), "seconds": {"n": 61}}),
        "duration_s: not readable as bigint",
    ),
    "not of the encoding": (
        json.dumps(told(city="北京"), ensure_ascii=False).encode("gb18030"),
        "line: not readable as utf-8",
    ),
}


def test_a_line_that_is_an_object(judged):
    rows = [(unique(text, n), "a", n, DAY) for n, (text, _) in enumerate(JSON_LINES.values())]
    seen = judged(rows, source(format=OBJECTS))
    for n, (case, (_, reason)) in enumerate(JSON_LINES.items()):
        found = [reason] if reason else []
        assert found == (seen.rejected["a", n].reasons if ("a", n) in seen.rejected else []), case
    assert {seen.accepted["a", n].airtime_fee for n in (0, 2)} == {Decimal("0.400")}
