"""Nights that are killed by the system at any moment: the next one leaves what it should have.

A night that is killed is a process of its own; the others run in the session of the tests.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from jobs import night, status
from schemas import config
from tests.given import interpreted
from tests.given.paths import ROOT
from tests.given.tiny_province import DAYS, Landing, call, calls, overlay
from tests.readers.warehouse_reader import differing_rows, query, table

FIRST, DAY = DAYS
# Where the taking in of a source can be stopped: its slices are announced; its rows are there and
# not yet what it rejected; the ledger knows of both. (Before that: see the corrected delivery.)
MOMENTS = [
    ("ods.voice_call", "before"),
    ("ods.voice_call", "after"),
    ("ops.quality_result", "before"),
]
UNKNOWN = ("ops.rejected_record", "after")
KILLS = 30


class Nights:
    """A landing and a configuration, and nights over them."""

    def __init__(self, folder: Path) -> None:
        self.folder, shipped = folder, config.load([ROOT / "conf"])
        self.conf = overlay(folder / "conf", shipped.sources)
        profile = (ROOT / "conf" / "spark" / "local.conf").read_text(encoding="utf-8")
        interpreted.write_profile(
            self.conf,
            profile.replace("6g", "1g"),  # small, and at once
            interpreted.SHORT_LIVED,
        )
        self.landing = Landing(folder / "landing", shipped.sources)
        self.landing.write_all()

    def asked(self, warehouse: str, only: str, days=DAYS) -> list[str]:
        return [
            *self.folders(),
            "--from-date",
            str(days[0]),
            "--to-date",
            str(days[-1]),
            "--landing",
            str(self.landing.folder),
            "--push",
            str(self.folder / "push"),
            "--warehouse",
            str(self.folder / warehouse),
            "--only",
            only,
        ]

    def folders(self) -> list[str]:
        return ["--conf", str(ROOT / "conf"), "--conf", str(self.conf)]

    def run(self, warehouse: str, only: str, days=DAYS) -> None:
        assert night.main(self.asked(warehouse, only, days)) == 0

    def started(self, *command: str, said: int = subprocess.DEVNULL) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            start_new_session=True,
            stdout=said,
            stderr=said,
            text=True,
            env={**os.environ, "PYSPARK_PYTHON": sys.executable},
        )

    def killed_at(self, moment, warehouse: str, only: str) -> None:
        running = self.started(
            "tests.given.killed_run", "KILL", *moment, *self.asked(warehouse, only)
        )
        assert running.wait(timeout=300) == -signal.SIGKILL

    def stopped_at(self, moment, warehouse: str, only: str) -> tuple[int, str, str]:
        """Exit code, what was printed, and the message."""
        running = self.started(
            "tests.given.killed_run", *moment, *self.asked(warehouse, only), said=subprocess.PIPE
        )
        printed, message = running.communicate(timeout=300)
        return running.returncode, printed, message

    def show_status(self, warehouse: str) -> None:
        """jobs.status prints the second day."""
        where = ["--warehouse", str(self.folder / warehouse), "--data-date", str(DAY)]
        status.main([*self.folders(), *where])

    def states(self, warehouse: str, source: str = "voice") -> set[str]:
        """What the last row of the ledger says of each slice of a source."""
        return {
            state
            for (state,) in query(
                self.folder / warehouse,
                f"SELECT arg_max(state, committed_at) FROM l WHERE source = '{source}' "
                'GROUP BY "table", slice',
                l="ops.run_ledger",
            )
        }

    def notes(self, warehouse: str) -> set[tuple[str, str | None]]:
        """State and message of the last row of each slice of voice."""
        return set(
            query(
                self.folder / warehouse,
                "SELECT arg_max(state, committed_at), arg_max(message, committed_at) FROM l "
                "WHERE source = 'voice' GROUP BY \"table\", slice",
                l="ops.run_ledger",
            )
        )

    def differing(self, one: str, other: str) -> list[str]:
        return [
            name
            for name in (
                "ods.customer",
                "ods.subscriber",
                "ods.package_subscription",
                "ods.voice_call",
                "ods.bill",
                "ods.contact",
                "ops.rejected_record",
            )
            if (self.folder / one / name.replace(".", "/")).is_dir()
            and differing_rows(self.folder / one, self.folder / other, name)
        ]


def test_a_run_killed_at_each_moment_of_its_commits_is_made_good_by_the_next(
    spark, tmp_path, capsys
):
    nights, source = Nights(tmp_path), "ingest.voice"
    nights.run("undisturbed", source)
    left = []
    for moment in MOMENTS:
        nights.killed_at(moment, "killed", source)
        left.append(nights.states("killed"))
        capsys.readouterr()
        nights.show_status("killed")
        (state,) = left[-1]
        assert f"{'voice':<22}{DAY!s:<12}{state}" in capsys.readouterr().out
    assert left == [{"started"}, {"started"}, {"committed"}]
    nights.run("killed", source)
    assert nights.states("killed") == {"committed"}
    assert nights.differing("killed", "undisturbed") == []
    # A corrected delivery is being taken in; then the one before it comes again.
    corrected = calls(DAY)
    corrected[1][0] = call(30, DAY, call_type="XX")
    nights.landing.write("voice", DAY, corrected)
    before = table(tmp_path / "killed", "ods.voice_call").version()
    nights.killed_at(UNKNOWN, "killed", source)
    assert nights.differing("killed", "undisturbed") == ["ods.voice_call", "ops.rejected_record"]
    nights.landing.write("voice", DAY, calls(DAY))
    nights.run("killed", source)
    assert nights.differing("killed", "undisturbed") == []
    assert table(tmp_path / "killed", "ods.voice_call").version() == before + 2


@pytest.mark.parametrize(
    ("moment", "code", "message", "left"),
    [
        (
            ("TERM", "ods.voice_call", "before"),
            143,
            "stopped by TERM; committed until then: 2 slices of 1 tables",
            ("failed", "stopped by a signal"),
        ),
        (
            ("INT", "ods.voice_call", "after"),
            130,
            "stopped by Ctrl-C; committed until then: 2 slices of 1 tables",
            ("failed", "stopped by a signal"),
        ),
    ],
    ids=["TERM", "Ctrl-C"],
)
def test_a_run_that_is_stopped_says_what_is_committed_and_the_same_command_goes_on(
    spark, tmp_path, moment, code, message, left
):
    nights, sources = Nights(tmp_path), "ingest.customer,ingest.voice"
    ended, printed, said = nights.stopped_at(moment, "stopped", sources)
    assert said == f"chudian: {message}; run the same command again, it goes on with the rest\n"
    assert ended == code
    assert "Traceback" not in printed
    assert nights.states("stopped", "customer") == {"committed"}
    assert nights.notes("stopped") == {left}
    nights.run("stopped", sources)
    nights.run("undisturbed", sources)
    assert nights.states("stopped") == {"committed"}
    assert nights.differing("stopped", "undisturbed") == []


@pytest.mark.soak
def test_30_kills_at_random_moments(spark, tmp_path):
    """Python alone or with its Java, at any moment of a run over six sources and two days."""
    nights, chance = Nights(tmp_path), Random(2009)
    nights.run("undisturbed", "ingest")
    began = time.monotonic()
    assert nights.started("jobs.night", *nights.asked("alone", "ingest")).wait(timeout=900) == 0
    whole = time.monotonic() - began
    killed = 0
    for number in range(KILLS):
        if number % 10 == 0:
            shutil.rmtree(tmp_path / "killed", ignore_errors=True)
        running = nights.started("jobs.night", *nights.asked("killed", "ingest"))
        try:
            running.wait(timeout=whole * chance.uniform(0.1, 0.8))
        except subprocess.TimeoutExpired:
            everything = chance.random() < 0.5
            (os.killpg if everything else os.kill)(running.pid, signal.SIGKILL)
            killed += running.wait() == -signal.SIGKILL
        if number % 10 == 9:
            nights.run("killed", "ingest")
            assert nights.differing("killed", "undisturbed") == []
            assert all(
                nights.states("killed", source) == {"committed"}
                for source in ("customer", "voice", "bill", "web_log")
            )
    assert killed > KILLS / 2
