"""A delivery again, later, from the archive or corrected: the tables hold what it says now."""

import re

from jobs import repair, status
from tests.given.paths import CONF
from tests.given.tiny_province import DAYS, call, calls
from tests.given.two_days import DAY, FIRST, TABLES, versions
from tests.readers.warehouse_reader import differing_rows, query


def test_a_delivery_that_has_not_changed_is_not_taken_in_again(two_days, copied, tmp_path, capsys):
    """Wherever it lies by now: what was taken in is in the archive."""
    before = versions(copied)
    assert two_days.night("--only", "ingest", warehouse=copied, landing=tmp_path / "empty") == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[")]
    assert len(said) == 6
    assert all("unchanged" in line for line in said)
    assert versions(copied) == before


def test_a_day_that_is_read_again_from_the_archive_gives_equal_tables(
    two_days, copied, tmp_path, capsys
):
    """A code more in a table: every day of the source is out of date, and is read once."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "sources.yml").write_text(
        "voice: {codes: {toll: {'5': local}}}\n", encoding="utf-8"
    )
    folders = [
        str(part) for one in (CONF, two_days.conf, tmp_path / "more") for part in ("--conf", one)
    ]
    where = ["--warehouse", str(copied), "--landing", str(tmp_path / "empty")]
    status.main([*folders, "--warehouse", str(copied)])
    assert re.search(
        r"voice +2009-05-02 … 2009-05-03 \(2\) +would be read differently today",
        capsys.readouterr().out,
    )
    assert repair.main([*folders, *where, "--dry-run"]) == 0
    assert capsys.readouterr().out == f"{'ingest.voice':<28} once more for 2009-05-02..2009-05-03\n"
    before = versions(copied)
    assert repair.main([*folders, *where]) == 0
    after = versions(copied)
    assert {name for name in TABLES if after[name] != before[name]} == {
        "ods.voice_call",
        "ops.rejected_record",
    }
    for name in TABLES:
        assert differing_rows(two_days.warehouse, copied, name) == 0, name
    capsys.readouterr()
    assert repair.main([*folders, *where]) == 0
    assert capsys.readouterr().out == "nothing is out of date\n"
    status.main([*folders, "--warehouse", str(copied)])
    assert "to be rebuilt" not in capsys.readouterr().out


def test_day_by_day_gives_what_the_range_gave(two_days, tmp_path):
    for day in DAYS:
        assert (
            two_days.night(
                "--only",
                "ingest.voice,ingest.web_log",
                days=(day, day),
                warehouse=tmp_path / "daily",
            )
            == 0
        )
    for name in ("ods.voice_call", "ods.web_view", "ops.rejected_record"):
        assert differing_rows(two_days.warehouse, tmp_path / "daily", name) == 0, name


def test_a_corrected_delivery_takes_away_what_it_no_longer_holds(two_days, copied, bad):
    """The two rejected lines are mended, the first ten calls gone, one is longer."""
    first, second = calls(DAY)
    first[7], first[8] = call(7, DAY), call(8, DAY)
    first = [call(9, DAY, duration="777"), *first[10:]]
    bad.write("voice", DAY, [first, second])
    assert two_days.night("--only", "ingest.voice", warehouse=copied, landing=bad.folder) == 0
    rows = query(
        copied, "SELECT batch_date, call_no, duration_s FROM calls", calls="ods.voice_call"
    )
    today = {number: seconds for day, number, seconds in rows if day == DAY}
    # Calls 0 to 8 are gone; the repeated line of call 3 is now the only one, and so it stays.
    assert set(today) == {f"V03{n:03}" for n in range(9, 60) if n not in (40, 41)} | {"V03003"}
    assert today["V03009"] == 777
    assert sum(day == FIRST for day, _, _ in rows) == 60
    assert not query(copied, "FROM rejected", rejected="ops.rejected_record")
    told = query(
        copied,
        """SELECT rows_delivered, rows_accepted, rows_rejected, rows_duplicate
                            FROM ledger WHERE source = 'voice' AND state = 'committed'
                            AND slice = '2009-05-03' ORDER BY committed_at""",
        ledger="ops.run_ledger",
    )
    assert told == [(60, 56, 2, 2), (51, 50, 0, 1)]
