"""Files at their sinks: whole and once, whatever fails or is killed; recalled and sent again."""

import json
import os
from dataclasses import replace
from datetime import datetime

import pytest

from jobs.outbox import delivery, sinks
from schemas.config.channel import Late
from schemas.errors import ChudianError
from tests.given.delivery import DAY, NAME, SECOND, ZONE, World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_file_is_delivered_once_with_its_manifest(world):
    row = world.deliver()
    assert (row.state, row.sequence, row.file_name, row.rows) == ("delivered", 1, NAME, 1)
    assert world.files() == [NAME, f"{NAME}.manifest.json"]
    assert (world.there / NAME).read_bytes() == b"13800000001|hello\n"
    assert world.manifest(NAME)["sha256"] == row.sha256
    (world.there / NAME).unlink()  # the channel has loaded it
    assert world.deliver() is None
    assert NAME not in world.files()


def test_without_a_whole_file_nothing_is_delivered(world):
    world.outbox.withdraw("sms", DAY, f"{NAME}.manifest.json")
    assert world.deliver() is None
    assert world.files() == []


def test_a_failing_sink_leaves_the_file_staged_and_the_next_run_delivers_it(world):
    world.there.write_text("a file is in the way of the folder")
    row = world.deliver()
    assert (row.state, row.sequence) == ("failed", 1)
    assert row.because == f"{world.there} cannot be read (Not a directory)".replace(
        str(world.there), str(world.there / f"{NAME}.manifest.json")
    )
    assert (world.outbox.folder / "sms" / str(DAY) / NAME).exists()
    world.there.unlink()
    assert world.deliver().state == "delivered"
    assert world.deliver() is None


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("point", range(5))
def test_a_delivery_that_is_killed_anywhere_ends_as_one_whole_file(world, monkeypatch, point):
    """Before and after each of the moves at the sink, and before the ledger knows."""
    moves = []
    move = os.replace

    def killed(source, target):
        if point == 2 * len(moves):
            raise Killed
        moves.append(target)
        move(source, target)
        if point == 2 * len(moves) - 1:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sinks.os, "replace", killed)
        if point < 4:
            with pytest.raises(Killed):
                delivery.deliver(world.outbox, world.channel, DAY, None, world.at)
        else:
            delivery.deliver(world.outbox, world.channel, DAY, None, world.at)
    if f"{NAME}.manifest.json" in world.files():  # then the file is whole
        assert (world.there / NAME).read_bytes() == b"13800000001|hello\n"
    had = (world.there / NAME).stat().st_mtime_ns if point >= 3 else None
    assert world.deliver().state == "delivered"
    assert [name for name in world.files() if not name.endswith(".part")] == [
        NAME,
        f"{NAME}.manifest.json",
    ]
    if had is not None:  # the manifest was there: nothing is sent a second time
        assert (world.there / NAME).stat().st_mtime_ns == had


def test_other_content_after_a_delivery_is_no_silent_replacement(world):
    world.deliver()
    world.stage(b"13800000001|other\n")
    row = world.deliver()
    assert (row.state, row.because) == (
        "failed",
        "delivered with other content before: recall it or resend it",
    )
    assert (world.there / NAME).read_bytes() == b"13800000001|hello\n"


def test_a_recalled_file_is_gone_and_stays_so_until_it_is_sent_again(world):
    world.deliver()
    assert world.recall().state == "recalled"
    assert world.files() == [f"{NAME}.recall.json"]
    note = json.loads((world.there / f"{NAME}.recall.json").read_text("utf-8"))
    assert (note["file"], note["sequence"], note["recalled"]) == (NAME, 1, True)
    assert world.deliver() is None
    world.stage(b"13800000001|mended\n")
    row = world.resend()
    assert (row.state, row.sequence, row.file_name) == ("delivered", 2, SECOND)
    told = world.manifest(SECOND)
    assert (told["file"], told["sequence"], told["sha256"]) == (SECOND, 2, row.sha256)
    assert world.deliver() is None
    assert (world.there / SECOND).read_bytes() == b"13800000001|mended\n"


def test_what_was_not_sent_is_neither_recalled_nor_sent_again(world):
    with pytest.raises(ChudianError, match="sms of 2009-05-03: no delivered file to recall"):
        world.recall()
    with pytest.raises(ChudianError, match="nothing to send again: it was never sent"):
        world.resend()
    world.deliver()
    world.outbox.withdraw("sms", DAY, NAME)
    with pytest.raises(ChudianError, match="no whole file is in the push folder"):
        world.resend()


# A night that finishes late: the file of 3 May is worked on 4 May from 9 o'clock on ---------------


def late(world, then, when="05-04 09:01"):
    """The sink wants the file by 9 o'clock, and it is delivered at another local time."""
    world.sink = replace(world.sink, late=Late("09:00", then))
    world.at = datetime.strptime(f"2009-{when}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
    return world


@pytest.mark.parametrize("then", ["deliver", "next_day", "drop"])
def test_a_file_is_in_time_until_the_minute_itself(world, then):
    assert late(world, then, "05-04 09:00").deliver().state == "delivered"


@pytest.mark.parametrize(
    ("then", "state", "because"),
    [
        ("deliver", "delivered", None),
        ("next_day", "held", "ready after 09:00: it waits for the next day"),
        ("drop", "dropped", "ready after 09:00: send it by hand if it is wanted"),
    ],
)
def test_a_late_file_is_delivered_held_or_dropped_and_a_rerun_changes_nothing(
    world, then, state, because
):
    row = late(world, then).deliver()
    assert (row.state, row.because, row.sequence) == (state, because, 1)
    assert bool(world.files()) == (state == "delivered")
    assert late(world, then, "05-04 18:00").deliver() is None
    assert [one["state"] for one in world.rows] == [state]


def test_a_held_file_goes_out_on_the_next_day(world):
    late(world, "next_day").deliver()
    assert late(world, "next_day", "05-04 23:59").deliver() is None
    assert late(world, "next_day", "05-05 03:00").deliver().state == "delivered"
    assert world.files() == [NAME, f"{NAME}.manifest.json"]
    assert late(world, "next_day", "05-06 03:00").deliver() is None


def test_a_held_file_that_misses_the_next_day_is_dropped(world):
    late(world, "next_day").deliver()
    row = late(world, "next_day", "05-05 09:01").deliver()
    assert (row.state, row.because) == (
        "dropped",
        "ready after 09:00 once more: send it by hand if it is wanted",
    )
    assert late(world, "next_day", "05-06 03:00").deliver() is None
    assert world.files() == []


def test_a_held_file_whose_sink_fails_is_tried_again_on_that_day(world):
    late(world, "next_day").deliver()
    world.there.write_text("a file is in the way of the folder")
    assert late(world, "next_day", "05-05 03:00").deliver().state == "failed"
    world.there.unlink()
    assert late(world, "next_day", "05-05 08:00").deliver().state == "delivered"


def test_a_dropped_file_may_be_sent_by_hand(world):
    late(world, "drop").deliver()
    row = world.resend()
    assert (row.state, row.sequence, row.file_name) == ("delivered", 1, NAME)


def test_a_delivery_that_was_killed_before_the_ledger_knew_is_not_late(world):
    """The sink had the file in time; only the rerun is late."""
    delivery.deliver(world.outbox, world.channel, DAY, None, world.at)
    assert late(world, "drop").deliver().state == "delivered"
