"""Files at their sinks: whole and once, whatever fails or is killed; recalled and sent again."""

import json
import os
import shutil
import socket
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from jobs.outbox import delivery, sinks
from jobs.outbox.folder import Outbox
from schemas.config import Channel, Push
from schemas.config.channel import Sink
from schemas.errors import ChudianError

DAY = date(2009, 5, 3)
NAME = "sms_20090503.txt"
SECOND = "sms_20090503_02.txt"


class World:
    """An outbox with the file of one channel, a folder that it is delivered to, and a ledger."""

    def __init__(self, folder):
        self.outbox, self.there = Outbox(folder / "push"), folder / "gateway"
        self.sink = Sink(str(self.there))
        self.rows = []
        self.stage(b"13800000001|hello\n")

    @property
    def channel(self):
        push = Push("sms_{yyyymmdd}.txt", ("msisdn",), deliver_to=self.sink)
        return Channel("sms", "短信", 1, Decimal(1), 1, push)

    def stage(self, body):
        sent = self.outbox.write("sms", DAY, NAME, [body], 0o600)
        told = {"file": NAME, "rows": 1, "bytes": sent.bytes, "sha256": sent.sha256}
        self.outbox.write("sms", DAY, f"{NAME}.manifest.json", [json.dumps(told).encode()], 0o600)

    @property
    def last(self):
        return delivery.latest(self.rows, "sms", DAY)

    def told(self, row):
        """The row goes into the ledger, a second after the one before."""
        if row is not None:
            at = datetime(2009, 5, 4, 2, 0, len(self.rows), tzinfo=UTC)
            self.rows.append({**vars(row), "run_id": "r", "told_at": at})
        return row

    def deliver(self):
        return self.told(delivery.deliver(self.outbox, self.channel, DAY, self.last))

    def resend(self):
        return self.told(delivery.resend(self.outbox, self.channel, DAY, self.last))

    def recall(self):
        return self.told(delivery.recall(self.channel, DAY, self.last))

    def files(self):
        return sorted(path.name for path in self.there.iterdir()) if self.there.is_dir() else []

    def manifest(self, name):
        return json.loads((self.there / f"{name}.manifest.json").read_text("utf-8"))


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
                delivery.deliver(world.outbox, world.channel, DAY, None)
        else:
            delivery.deliver(world.outbox, world.channel, DAY, None)
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


# SFTP --------------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.skipif(shutil.which("sftp") is None, reason="no sftp on this machine")
def test_a_server_that_does_not_answer_is_told_in_one_line(world):
    port = free_port()
    world.sink = Sink("/in", host="127.0.0.1", user="push", port=port)
    row = world.deliver()
    assert row.state == "failed"
    assert row.sink == "sftp push@127.0.0.1:/in"
    assert row.because.startswith("sftp push@127.0.0.1:/in: ")
    assert "\n" not in row.because


SSHD = shutil.which("sshd") or next(
    (path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if os.path.exists(path)), None
)


@pytest.fixture
def server(world, tmp_path):
    """A real OpenSSH server on loopback, with a key for this account."""
    if SSHD is None:
        pytest.skip("no sshd on this machine: SFTP is tried without a server only")
    for name in ("host", "key", "wrong"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    shutil.copy(tmp_path / "key.pub", tmp_path / "authorized")
    port = free_port()
    lines = (
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {tmp_path / 'host'}",
        f"AuthorizedKeysFile {tmp_path / 'authorized'}",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        f"PidFile {tmp_path / 'pid'}",
        "Subsystem sftp internal-sftp",
    )
    (tmp_path / "sshd.conf").write_text("\n".join(lines) + "\n")
    host_key = " ".join((tmp_path / "host.pub").read_text().split()[:2])
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    world.there.mkdir()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(tmp_path / "sshd.conf")])
    try:
        for _ in range(100):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
        world.sink = Sink(
            str(world.there),
            "127.0.0.1",
            user,
            port,
            str(tmp_path / "key"),
            str(tmp_path / "known"),
        )
        yield tmp_path
    finally:
        process.terminate()
        process.wait()


def test_a_file_is_delivered_over_sftp_recalled_and_sent_again(world, server):
    assert world.deliver().because is None
    assert world.files() == [NAME, f"{NAME}.manifest.json"]
    assert world.deliver() is None
    world.recall()
    assert world.files() == [f"{NAME}.recall.json"]
    assert world.resend().file_name == SECOND
    assert world.manifest(SECOND)["sequence"] == 2


def test_a_wrong_key_leaves_the_file_staged(world, server):
    right = world.sink
    world.sink = replace(right, key_file=str(server / "wrong"))
    assert world.deliver().state == "failed"
    assert world.files() == []
    world.sink = right
    assert world.deliver().state == "delivered"
