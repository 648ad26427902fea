"""Delivery over SFTP to a real OpenSSH server on loopback: whole and once, whatever is cut."""

import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.config.channel import Sink
from tests.given.delivery import DAY, NAME, SECOND, World

PRIVILEGE_SEPARATION = Path("/run/sshd")  # a server that root starts needs it
SSHD = shutil.which("sshd") or next(
    (path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if os.path.exists(path)), None
)
BIG = os.urandom(1 << 20) * 8


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


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
    assert row.because == (
        f"sftp push@127.0.0.1:/in: ssh: connect to host 127.0.0.1 port {port}: Connection refused"
    )


@pytest.fixture
def server(world, tmp_path):
    """A real OpenSSH server on loopback, with a key for this account."""
    if SSHD is None or shutil.which("sftp") is None:
        pytest.skip("no sshd on this machine: SFTP is tried without a server only")
    if os.getuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
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
    known(tmp_path, port)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(tmp_path / "sshd.conf")])
    try:
        listens_at(port)
        world.there.mkdir()
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


def listens_at(port):
    """Returns once somebody listens at the port; fails after twenty seconds."""
    for _ in range(200):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"nobody listens at port {port}")


def known(folder, *ports):
    """The server's key is known under each of these ports."""
    key = " ".join((folder / "host.pub").read_text().split()[:2])
    lines = [f"[127.0.0.1]:{port} {key}\n" for port in ports]
    (folder / "known").write_text("".join(lines))


def test_a_file_is_delivered_over_sftp_recalled_and_sent_again(world, server):
    assert world.deliver().because is None
    assert world.files() == [NAME, f"{NAME}.manifest.json"]
    assert world.deliver() is None
    world.recall()
    assert world.files() == [f"{NAME}.recall.json"]
    assert world.resend().file_name == SECOND
    assert world.manifest(SECOND)["sequence"] == 2


def staged(world):
    return world.outbox.folder / "sms" / str(DAY) / NAME


def test_a_wrong_key_leaves_the_file_staged(world, server):
    right = world.sink
    world.sink = replace(right, key_file=str(server / "wrong"))
    row = world.deliver()
    assert row.state == "failed"
    assert "\n" not in row.because
    assert "Permission denied" in row.because
    assert world.files() == []
    assert staged(world).exists()
    world.sink = right
    assert world.deliver().state == "delivered"


def test_a_server_with_another_key_than_known_gets_nothing(world, server):
    right = (server / "known").read_text()
    key = " ".join((server / "wrong.pub").read_text().split()[:2])
    (server / "known").write_text(f"[127.0.0.1]:{world.sink.port} {key}\n")
    row = world.deliver()
    assert (row.state, world.files()) == ("failed", [])
    assert row.because.endswith(": Host key verification failed.")
    (server / "known").write_text(right)
    assert world.deliver().state == "delivered"


class Line:
    """A line to the server that is cut once `cut` says so; it asks before every piece it carries.

    `cut` gets the number of the connection, from 1, and the bytes that it has carried.
    """

    def __init__(self, to, cut):
        self.to, self.cut, self.connections, self.cuts = to, cut, 0, 0

    @contextmanager
    def opened(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=self._accept, args=(listening,), daemon=True)
            thread.start()
            try:
                yield listening.getsockname()[1]
            finally:
                listening.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _accept(self, listening):
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            ends = client, socket.create_connection(("127.0.0.1", self.to))
            carried = {"bytes": 0}
            for here, there in (ends, ends[::-1]):
                threading.Thread(
                    target=self._carry, args=(here, there, self.connections, carried), daemon=True
                ).start()

    def _carry(self, here, there, number, carried):
        with suppress(OSError):
            while piece := here.recv(1 << 15):
                carried["bytes"] += len(piece)
                if self.cut(number, carried["bytes"]):
                    self.cuts += 1
                    break
                there.sendall(piece)
        for end in (here, there):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def part_size(world):
    part = world.there / f".{NAME}.part"
    return part.stat().st_size if part.exists() else 0


# A delivery opens a connection to look, to remove an old manifest, for the file, for the manifest.
CUTS = {
    "while it looks": lambda world, number, _: number == 1,
    "before the file": lambda world, number, carried: number == 3 and carried > 2000,
    "in the file": lambda world, number, _: part_size(world) > 100_000,
    "between file and manifest": lambda world, number, _: number == 4,
    "after the manifest": lambda world, *_: (world.there / f"{NAME}.manifest.json").exists(),
}


@pytest.mark.parametrize("case", CUTS)
def test_a_line_that_is_cut_leaves_no_half_file_and_the_next_run_delivers(world, server, case):
    world.stage(BIG)
    right = world.sink
    line = Line(right.port, lambda *told: CUTS[case](world, *told))
    with line.opened() as port:
        known(server, right.port, port)
        world.sink = replace(right, port=port)
        row = world.deliver()
    assert line.cuts
    assert row.state == "failed"
    assert "\n" not in row.because
    assert staged(world).exists()
    whole = f"{NAME}.manifest.json" in world.files()
    assert whole == (case == "after the manifest")
    if case == "in the file":
        assert world.files() == [f".{NAME}.part"]
        assert 0 < part_size(world) < len(BIG)
    had = (world.there / NAME).stat().st_mtime_ns if whole else None
    world.sink = right
    assert world.deliver().state == "delivered"
    assert world.files() == [NAME, f"{NAME}.manifest.json"]
    assert (world.there / NAME).read_bytes() == BIG
    if whole:  # the sink had both: nothing is sent a second time
        assert (world.there / NAME).stat().st_mtime_ns == had
    assert world.deliver() is None


@pytest.fixture
def small_disk(world, tmp_path):
    """The folder of the sink is on a disk of 64 kB."""
    world.there = tmp_path / "small"
    world.there.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(world.there)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    world.there = world.there / "in"
    yield
    subprocess.run(["umount", "-l", str(world.there.parent)], check=True)


def test_a_full_disk_at_the_far_side_leaves_the_file_staged(world, small_disk, server):
    in_the_way = world.there.parent / "old"
    in_the_way.write_bytes(bytes(48 << 10))
    world.stage(BIG[: 32 << 10])
    row = world.deliver()
    assert row.state == "failed"
    assert "\n" not in row.because
    assert not {NAME, f"{NAME}.manifest.json"} & {*world.files()}
    assert staged(world).exists()
    in_the_way.unlink()
    assert world.deliver().state == "delivered"
    assert world.files() == [NAME, f"{NAME}.manifest.json"]
    assert (world.there / NAME).read_bytes() == BIG[: 32 << 10]
