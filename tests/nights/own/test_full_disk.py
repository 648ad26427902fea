"""A disk that is full: one clear line, and what was committed before stands."""

import random
import shutil
import subprocess
from datetime import timedelta

import pytest

from jobs import night
from schemas import config
from tests.given.paths import ROOT
from tests.given.tiny_province import DAYS, Landing, call, overlay
from tests.readers.warehouse_reader import all_rows

MEGABYTES = 2


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own that holds two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        shutil.which("mount")
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(place)],
            capture_output=True,
        ).returncode
        == 0
    )
    if not mounted:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_named_and_harms_nothing(spark, small_disk, tmp_path, capsys):
    """The second day's calls are incompressible and larger than the disk."""
    sources = config.load([ROOT / "conf"]).sources
    conf, landing = overlay(tmp_path / "conf", sources), Landing(tmp_path / "landing", sources)
    noise = random.Random(7).randbytes(MEGABYTES << 20).hex()
    second = DAYS[0] + timedelta(days=1)
    landing.write("voice", DAYS[0], [[call(1, DAYS[0])], [call(2, DAYS[0])]])
    landing.write(
        "voice",
        second,
        [
            [
                call(0, second, cdr_id=noise[number * 60 :][:60], duration=str(number + 1))
                for number in range(MEGABYTES << 14)
            ],
            [call(1, second)],
        ],
    )
    folders = [part for one in (ROOT / "conf", conf) for part in ("--conf", str(one))]

    def ran(day):
        return night.main(
            [
                "--data-date",
                str(day),
                "--only",
                "ingest.voice",
                *folders,
                "--landing",
                str(landing.folder),
                "--warehouse",
                str(small_disk),
                "--push",
                str(tmp_path / "push"),
            ]
        )

    assert ran(DAYS[0]) == 0
    before = all_rows(small_disk, "ods.voice_call").num_rows
    capsys.readouterr()
    assert ran(second) == 1
    said = capsys.readouterr().err
    assert said.startswith("chudian: a disk is full")
    assert said.count("\n") == 1
    assert all_rows(small_disk, "ods.voice_call").num_rows == before == 2
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    landing.write("voice", second, [[call(3, second)], []])
    assert ran(second) == 0
    assert all_rows(small_disk, "ods.voice_call").num_rows == 3
