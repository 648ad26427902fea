"""Records that are parts of one event, corrections and repeats: through the door, over two nights.

Each source says by configuration how its records belong together. The usage is worked out by hand.
"""

from datetime import date, timedelta

import pytest
import yaml

from schemas import config
from tests.given.paths import CONF
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import call, deliveries, overlay
from tests.readers.warehouse_reader import query

DAY = date(2009, 5, 2)
NEXT = DAY + timedelta(days=1)
PEOPLES = ("customer", "subscriber", "package_subscription")
NUMBERS = [f"1380000000{number}" for number in range(1, 7)]
CALLS, LEGS, CORRECTED, SESSIONS, PACKETS = "voice", "legs", "corrected", "wlan", "data"


def leg(number: str, start: str, seconds: int, who: str = NUMBERS[1], **changes) -> str:
    return call(
        0, DAY, start, **{"cdr_id": number, "msisdn": who, "duration": str(seconds), **changes}
    )


def session(number: str, part: int, start: str, seconds: int) -> str:
    return f"{number}|{part}|{NUMBERS[3]}|1|HB-1|{start}|{start}|{seconds}|10|10||1|0|0"


def packet(start: str, size: int, number: str = "D1") -> str:
    return f"{number}|GGSN1|{NUMBERS[4]}|CMNET|{start}|60|{size}|0|0|0"


DELIVERED = {
    # No parts: of two records of one number and instant the second is news that nobody announced.
    (CALLS, DAY): [
        leg("V1", "20090502100000", 60, NUMBERS[0]),
        leg("V1", "20090502100000", 60, NUMBERS[0]),
        leg("V1", "20090502100000", 75, NUMBERS[0]),
        leg("V2", "20090502000000", 60, NUMBERS[0], opp_no=""),
        leg("V3", "20090502000000", 60, NUMBERS[0], opp_no=""),
    ],
    (CALLS, NEXT): [
        leg("V1", "20090502100000", 60, NUMBERS[0]),
        leg("V1", "20090503100000", 60, NUMBERS[0]),
    ],
    # One call in two legs, the second a night later, and once more.
    (LEGS, DAY): [leg("L1", "20090502235900", 60)],
    (LEGS, NEXT): [leg("L1", "20090503000000", 23), leg("L1", "20090503000000", 23)],
    (CORRECTED, DAY): [leg("K1", "20090502100000", 600, NUMBERS[2])],
    (CORRECTED, NEXT): [leg("K1", "20090502100000", 61, NUMBERS[2])],
    # Interim records out of order, one lacking; the number comes again the day after.
    (SESSIONS, DAY): [
        session("W1", 4, "20090502100000", 1500),
        session("W1", 1, "20090502100000", 600),
    ],
    (SESSIONS, NEXT): [
        session("W1", 2, "20090502100000", 1200),
        session("W1", 1, "20090503200000", 660),
    ],
    # Two containers of one opening time; the first is repeated.
    (PACKETS, DAY): [packet("20090502100000", 21_000), packet("20090502100000", 70_500)],
    (PACKETS, NEXT): [packet("20090502100000", 21_000), packet("20090503100000", 1_000, "D2")],
}


def entries() -> dict:
    """The sources: three of calls, sessions with part numbers, and packets as shipped."""
    written = yaml.safe_load((CONF / "sources.yml").read_text(encoding="utf-8"))
    calls, sessions = written["voice"], written["wlan"]
    free = {
        "rejects": {"warn_share": "1", "stop_share": "1"},
        "duplicates": {"warn_share": "0.5", "stop_share": "0.5"},
    }
    named = {
        name: {**calls, **free, "parts": parts, "late_after_days": 1}
        for name, parts in ((CALLS, "none"), (LEGS, "add"), (CORRECTED, "last"))
    }
    for name in named:
        files = {"folder": "{source}/{data_date}", "pattern": "*.txt.gz", "stable_s": 0}
        named[name]["files"] = {**files, "control": None}
    return {
        **named,
        SESSIONS: {
            **sessions,
            "parts": "cumulative",
            "columns": ["session_id", "part", *sessions["columns"][1:]],
            "mapping": {**sessions["mapping"], "part_no": "part"},
        },
    }


@pytest.fixture(scope="module")
def nights(spark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    shipped = config.load([CONF]).sources
    conf = overlay(folder / "conf", shipped, (*PEOPLES, PACKETS))
    own = yaml.safe_load((conf / "sources.yml").read_text(encoding="utf-8"))
    own |= entries()
    (conf / "sources.yml").write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
    made = TinyNights(folder, config.load([CONF, conf]).sources, conf)
    for day in (DAY, NEXT):
        for name in PEOPLES:
            made.landing.write(name, day, deliveries()[name, DAY] if day == DAY else [[]])
    for (name, day), lines in DELIVERED.items():
        made.landing.write(name, day, [lines])
    assert made.run("ingest,identity,usage_day", DAY) == 0
    assert made.run("ingest,identity,usage_day", NEXT) == 0
    return made


def test_usage_is_what_was_used(nights):
    found = query(
        nights.warehouse,
        """
        SELECT msisdn, sum(events), sum(quantity) FROM d JOIN i USING (subscriber_id)
        WHERE i.data_date = (SELECT max(data_date) FROM i) GROUP BY 1""",
        d="dw.usage_day",
        i="dw.subscriber_identity",
    )
    assert {number: tuple(map(int, figures)) for number, *figures in found} == {
        NUMBERS[0]: (4, 240),
        NUMBERS[1]: (1, 83),
        NUMBERS[2]: (1, 61),
        NUMBERS[3]: (2, 1500 + 660),
        NUMBERS[4]: (2, 21_000 + 70_500 + 1_000),
    }


def test_the_ledger_tells_duplicates_parts_corrections_and_conflicts_apart(nights):
    told = query(
        nights.warehouse,
        f"""
        SELECT source, rows_delivered, rows_accepted, rows_rejected, rows_duplicate, rows_part,
               rows_correction, rows_conflict
        FROM l WHERE state = 'committed' AND source IN {tuple(source for source, _ in DELIVERED)}
        ORDER BY slice, source""",
        l="ops.run_ledger",
    )
    assert told == [
        (CORRECTED, 1, 1, 0, 0, 0, 0, 0),
        (PACKETS, 2, 2, 0, 0, 1, 0, 0),
        (LEGS, 1, 1, 0, 0, 0, 0, 0),
        (CALLS, 5, 3, 1, 1, 0, 0, 1),
        (SESSIONS, 2, 2, 0, 0, 0, 0, 0),
        (CORRECTED, 1, 1, 0, 0, 0, 1, 0),
        (PACKETS, 2, 1, 0, 1, 0, 0, 0),
        (LEGS, 2, 1, 0, 1, 0, 0, 0),
        (CALLS, 2, 1, 0, 1, 0, 0, 0),
        (SESSIONS, 2, 2, 0, 0, 0, 0, 0),
    ]


def test_a_conflict_is_kept_as_it_was_delivered(nights):
    found = query(
        nights.warehouse, "SELECT source, row_no, raw_line, reasons FROM r", r="ops.rejected_record"
    )
    reason = "record: its key is that of an accepted record with other content"
    assert found == [(CALLS, 3, DELIVERED[CALLS, DAY][2], [reason])]


def test_part_numbers_that_lack_are_a_warning_of_their_night(nights):
    found = query(
        nights.warehouse,
        """SELECT source, slice, observed, success FROM q WHERE "check" LIKE '%missing_parts%'
           ORDER BY slice""",
        q="ops.quality_result",
    )
    assert [(source, slice_, success) for source, slice_, _, success in found] == [
        (SESSIONS, str(DAY), False),
        (SESSIONS, str(NEXT), False),
    ]
    assert [float(observed) for *_, observed, _ in found] == [2, 1]


def test_too_many_duplicates_warn_and_stop(nights, capfd):
    line = leg("V9", "20090504100000", 60, NUMBERS[0])
    day = NEXT + timedelta(days=1)
    nights.landing.write(CALLS, day, [[line, line, line]])
    assert nights.run(f"ingest.{CALLS}", day) == 3
    assert "duplicate_share: 0.666" in capfd.readouterr().err
