"""Where files are delivered to: another folder, or a folder of an SFTP server.

A sink takes a file under a temporary name, moves it to its own, and only then takes the manifest in
the same way. So a channel that sees a manifest may read the file, whenever the delivery is killed.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from schemas.config.channel import Sink
from schemas.errors import ChudianError

TIMEOUT_S = 600
CUT_OFF = "Connection closed"


class SinkFailed(ChudianError):
    """A sink that did not take, give or remove a file, and why in one line."""


class Place(Protocol):
    """The folder of a sink."""

    def put(self, file: Path, name: str) -> None:
        """Make the file there whole under this name, in place of one that it has."""

    def get(self, name: str) -> bytes | None:
        """What a file there holds; None if there is none."""

    def remove(self, name: str) -> None:
        """Remove a file there if it is there."""


def place(sink: Sink) -> Place:
    """The folder that a sink of the configuration describes."""
    return SftpFolder(sink) if sink.host else LocalFolder(Path(sink.folder))


class LocalFolder:
    """A folder of this machine, or one that is mounted on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, file: Path, name: str) -> None:
        part = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, part)
            with part.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(part, self.folder / name)
        except OSError as error:
            raise SinkFailed(f"{self.folder} cannot take {name} ({error.strerror})") from None

    def get(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SinkFailed(f"{self.folder / name} cannot be read ({error.strerror})") from None

    def remove(self, name: str) -> None:
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise SinkFailed(f"{self.folder / name} cannot be removed ({error.strerror})") from None


class SftpFolder:
    """A folder of an SFTP server, through the system's `sftp` in batch mode.

    The server must be known (`known_hosts`), and the key must need no passphrase: nobody is there
    to answer a question.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def put(self, file: Path, name: str) -> None:
        part, whole = self._path(f".{name}.part"), self._path(name)
        self._batch(f"put {_quoted(str(file))} {part}", f"-rm {whole}", f"rename {part} {whole}")

    def get(self, name: str) -> bytes | None:
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "file"
            self._batch(f"-get {self._path(name)} {_quoted(str(local))}")
            return local.read_bytes() if local.exists() else None

    def remove(self, name: str) -> None:
        self._batch(f"-rm {self._path(name)}")

    def _path(self, name: str) -> str:
        return _quoted(f"{self.sink.folder.rstrip('/')}/{name}")

    def _command(self) -> list[str]:
        sink = self.sink
        options = {
            "BatchMode": "yes",
            "LogLevel": "ERROR",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": "20",
            "ServerAliveInterval": "20",
            **({"UserKnownHostsFile": sink.known_hosts} if sink.known_hosts else {}),
            **({"IdentityFile": sink.key_file, "IdentitiesOnly": "yes"} if sink.key_file else {}),
        }
        given = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        return ["sftp", "-b", "-", "-P", str(sink.port), *given, f"{sink.user}@{sink.host}"]

    def _batch(self, *lines: str) -> None:
        """Run these commands; those with a leading `-` may fail."""
        try:
            done = subprocess.run(
                self._command(),
                input="\n".join(lines) + "\n",
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            told = "no sftp on this machine" if isinstance(error, OSError) else "no answer"
            raise SinkFailed(f"{self.sink.shown}: {told}") from None
        if done.returncode:
            raise SinkFailed(f"{self.sink.shown}: {_last_line(done.stderr)}")


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _last_line(told: str) -> str:
    """The last line that says why: sftp ends each failure with the words that it is cut off."""
    lines: Sequence[str] = [line.strip() for line in told.splitlines() if line.strip()]
    why = [line for line in lines if line.rstrip(".") != CUT_OFF] or lines
    return why[-1][:200] if why else "it failed and said nothing"
