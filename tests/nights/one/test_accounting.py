"""Every delivered line of a night is in exactly one place, counted over the delivered bytes."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from schemas import config
from tests.given.one_night import CONF_FOLDERS
from tests.readers.plain_reader import content, delivery_files
from tests.readers.warehouse_reader import query

SOURCES = config.load(CONF_FOLDERS).sources


@pytest.fixture(scope="module")
def places(one_night):
    """(source, day, file, row) of the accepted rows, and of the rejected lines."""
    accepted = []
    for table in sorted({source.record for source in SOURCES.values()}):
        accepted += query(
            one_night.warehouse, "SELECT source, batch_date, file_name, row_no FROM t", t=table
        )
    rejected = query(
        one_night.warehouse,
        "SELECT source, data_date, file_name, row_no FROM t",
        t="ops.rejected_record",
    )
    return accepted, rejected


def delivered(landing: Path) -> dict[tuple, bytes]:
    """(source, day, file, row) → line, of every row of every file."""
    found = {}
    for name, source in SOURCES.items():
        for path in delivery_files(landing, source):
            lines = content(path).split(b"\n")[1 if source.format.header else 0 :]
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    day = date.fromisoformat(path.parent.name)
                    found[name, day, path.name, number] = line.rstrip(b"\r")
    return found


def test_each_line_is_accepted_or_rejected_or_repeats_one_that_is(one_night, places):
    lines, (accepted, rejected) = delivered(one_night.landing), places
    assert len(set(accepted)) == len(accepted)
    assert len(set(rejected)) == len(rejected)
    assert not set(accepted) & set(rejected)
    assert set(accepted) | set(rejected) <= set(lines)
    kept = {(place[0], lines[place]): place for place in sorted(accepted, reverse=True)}
    repeated = set(lines) - set(accepted) - set(rejected)
    for place in repeated:
        assert kept[place[0], lines[place]] < place
    assert repeated
    assert rejected


def test_the_ledger_counts_the_same_lines(one_night, places):
    lines, (accepted, rejected) = delivered(one_night.landing), places
    counted = {}
    for part, rows in (("delivered", lines), ("accepted", accepted), ("rejected", rejected)):
        for (source, day), count in Counter(place[:2] for place in rows).items():
            counted.setdefault((source, str(day)), Counter())[part] = count
    told = {
        (source, day): rows
        for source, day, *rows in query(
            one_night.warehouse,
            """
            SELECT source, slice, rows_delivered, rows_accepted, rows_rejected, rows_duplicate
            FROM l WHERE source IS NOT NULL AND state = 'committed'""",
            l="ops.run_ledger",
        )
    }
    assert set(counted) <= set(told)
    for place, (whole, kept, thrown, repeated) in told.items():
        mine = counted.get(place, Counter())
        assert (whole, kept, thrown) == (mine["delivered"], mine["accepted"], mine["rejected"])
        assert whole == kept + thrown + repeated, place
