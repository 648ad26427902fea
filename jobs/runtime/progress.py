"""What a person sees of a run while it goes on."""

import sys
import threading
import time
from typing import TextIO
from unicodedata import east_asian_width

from jobs.runtime.lock import log


class Progress:
    """Step n of m, its rows and seconds: one live line on a terminal, plain lines elsewhere.

    Steps run in parallel; each gets its line when it ends.
    """

    def __init__(self, steps: int, stream: TextIO | None = None) -> None:
        self.steps, self.stream = steps, stream or sys.stdout
        self.live = self.stream.isatty()
        self.times: list[tuple[str, float]] = []
        self._from, self._lock = time.monotonic(), threading.Lock()
        self._under_way: dict[str, tuple[int, str, float]] = {}
        self._begun = 0

    def begin(self, name: str, title: str) -> None:
        with self._lock:
            self._begun += 1
            self._under_way[name] = (self._begun, title, time.monotonic())
            self._show()

    def end(self, name: str, note: str) -> None:
        with self._lock:
            number, title, since = self._under_way.pop(name)
            seconds = time.monotonic() - since
            self.times.append((name, seconds))
            shown = padded(f"{name:<24} {title}", 84)
            self._line(f"[{number:>2}/{self.steps}] {shown} {note:>16} {seconds:6.1f} s")
            self._show()

    def say(self, text: str) -> None:
        """Print a line of its own while steps run."""
        with self._lock:
            self._line(f"        {text}")
            self._show()

    def _line(self, text: str) -> None:
        start = "\r\x1b[K" if self.live else ""
        print(start + text, file=self.stream, flush=True)
        log.info("%s", text)

    def _show(self) -> None:
        if self.live and self._under_way:
            names = ", ".join(f"{name} {title}" for name, (_, title, _) in self._under_way.items())
            print(
                f"\r\x1b[K[{self._begun:>2}/{self.steps}] {names} …"[:160],
                end="",
                file=self.stream,
                flush=True,
            )

    @property
    def seconds(self) -> float:
        """Seconds since the first step began."""
        return time.monotonic() - self._from

    def slowest(self, most: int) -> list[tuple[str, float]]:
        """The steps that took longest, with their seconds."""
        return sorted(self.times, key=lambda step: -step[1])[:most]

    def stop(self) -> None:
        """End the live line, so that a message starts on a line of its own."""
        if self.live:
            print(file=self.stream)


def padded(text: str, width: int) -> str:
    """The text padded to a width in terminal columns; a Chinese character takes two."""
    return text + " " * (width - columns(text))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def amount(size: float) -> str:
    """A size in bytes, shown in the largest unit that gives at least 1."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
