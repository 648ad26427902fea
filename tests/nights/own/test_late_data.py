"""However the same records are split into deliveries and nights, the tables end as the same.

Within the look-back of their sources: calls and the pages of visits of three days come on their day
or up to five days later, some of them twice, and the days are taken in one by one or several at
once.
"""

from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from jobs import night
from schemas import config
from schemas.window import Window
from tests.given.paths import ROOT
from tests.given.tiny_province import (
    DAYS,
    HEADER,
    PEOPLE,
    SOURCES,
    Landing,
    call,
    deliveries,
    overlay,
)
from tests.readers.warehouse_reader import query

FIRST = DAYS[0]
LAST = FIRST + timedelta(days=8)
ALL_DAYS = list(Window(FIRST, LAST).days())
EVENT_DAYS = ALL_DAYS[:3]
LATEST = 5  # days after the event; a repetition comes within the look-back of that
STEPS = "ingest,identity,contact_event,contact_view,usage_day"
PEOPLES = ("customer", "subscriber", "package_subscription")
# What says only how a row came; usage stands by delivery and is added up.
COMPARED = {
    "ods.voice_call": "SELECT * EXCLUDE (batch_date, file_name, row_no) FROM t",
    "ods.web_view": "SELECT * EXCLUDE (batch_date, file_name, row_no) FROM t",
    "dw.subscriber_identity": f"FROM t WHERE data_date = DATE '{LAST}'",
    "dw.contact_event": "SELECT * EXCLUDE (batch_date) FROM t",
    "dw.contact_view": f"FROM t WHERE data_date = DATE '{LAST}'",
    "dw.usage_day": """
        SELECT subscriber_id, local_date, cell_id, sum(events), sum(billed_events), sum(quantity),
               sum(billed), sum(airtime_fee), sum(toll_fee), sum(other_fee)
        FROM (SELECT * EXCLUDE (billed), unnest(billed) AS billed,
                     generate_subscripts(billed, 1) AS measure FROM t)
        GROUP BY subscriber_id, local_date, cell_id, measure""",
}


def records() -> list[tuple[str, date, str]]:
    """(source, day of the event, line): twenty calls and twelve visits of two pages a day."""
    made = []
    for day in EVENT_DAYS:
        made += [("voice", day, call(number, day)) for number in range(20)]
        made += [
            (
                "web_log",
                day,
                f"W{day:%d}{n}{hour:02},{page},portal,1380000000{n},"
                f"{day} {hour:02}:0{page}:0{n},30,余额,1,,{asked},,{done},",
            )
            for n in PEOPLE
            for hour in (9, 21)
            for page, asked, done in ((1, "查询", "view"), (2, "办理", "done"))
        ]
    return made


def delivered(folder: Path, sources, chance: Random | None) -> Path:
    """A landing with the records: each on its own day, or as chance will have it."""
    landing, lines = Landing(folder / "landing", sources), {}
    for source, day, line in records():
        come = day if chance is None else day + timedelta(days=chance.choice([0, 0, 1, 3, LATEST]))
        lines.setdefault((source, come), []).append(line)
        if chance is not None and chance.random() < 0.2:
            again = min(LAST, come + timedelta(days=chance.randrange(3)))
            lines.setdefault((source, again), []).append(line)
    for day in ALL_DAYS:
        for name in PEOPLES:
            parts = deliveries()[name, FIRST] if day == FIRST else [[]]
            landing.write(name, day, parts)
        calls, visits = (list(lines.get((name, day), [])) for name in ("voice", "web_log"))
        if chance is not None:
            chance.shuffle(calls)
            chance.shuffle(visits)
        landing.write("voice", day, [calls[::2], calls[1::2]])
        landing.write("web_log", day, [[HEADER, *visits]])
    return landing.folder


def nights(chance: Random | None) -> list[tuple[date, date]]:
    """The days in ranges that follow each other; without chance all at once."""
    if chance is None:
        return [(FIRST, LAST)]
    cuts = sorted(chance.sample(range(1, len(ALL_DAYS)), chance.randrange(1, 4)))
    return [
        (ALL_DAYS[a], ALL_DAYS[b - 1])
        for a, b in zip([0, *cuts], [*cuts, len(ALL_DAYS)], strict=True)
    ]


def made(folder: Path, conf: Path, sources, chance: Random | None) -> Path:
    """A warehouse after its nights."""
    landing = delivered(folder, sources, chance)
    folders = [part for one in (ROOT / "conf", conf) for part in ("--conf", str(one))]
    for first, last in nights(chance):
        assert (
            night.main(
                [
                    "--only",
                    STEPS,
                    "--from-date",
                    str(first),
                    "--to-date",
                    str(last),
                    "--landing",
                    str(landing),
                    "--warehouse",
                    str(folder / "warehouse"),
                    "--push",
                    str(folder / "push"),
                    *folders,
                ]
            )
            == 0
        )
    return folder / "warehouse"


def rows(warehouse: Path, name: str) -> list[tuple]:
    return sorted(query(warehouse, f"SELECT x::VARCHAR FROM ({COMPARED[name]}) x", t=name))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_any_split_into_deliveries_and_nights_gives_the_same_tables(spark, tmp_path, seed):
    shipped = config.load([ROOT / "conf"])
    conf = overlay(tmp_path / "conf", shipped.sources, set(SOURCES) - {"bill"})
    right = made(tmp_path / "right", conf, shipped.sources, None)
    split = made(tmp_path / "split", conf, shipped.sources, Random(seed))
    for name in COMPARED:
        there = rows(right, name)
        assert there, name
        assert rows(split, name) == there, name
