"""What a person sees of a run while it goes on."""
import sys
import time
from unicodedata import east_asian_width

from jobs import runtime


class Progress:
    """`step n of m`, rows and seconds: one live line on a terminal, plain lines elsewhere."""

    def __init__(self, steps: int, stream=None) -> None:
        self.steps, self.stream = steps, stream or sys.stdout
        self.live = self.stream.isatty()
        self.times: list[tuple[str, float]] = []
        self._step, self._title, self._from = 0, "", 0.0

    def begin(self, name: str, title: str) -> None:
        self._step += 1
        self._title, self._from = padded(f"{name:<24} {title}", 84), time.monotonic()
        if self.live:
            print(f"\r[{self._step:>2}/{self.steps}] {self._title.rstrip()} …", end="",
                  file=self.stream, flush=True)

    def end(self, name: str, note: str) -> None:
        seconds = time.monotonic() - self._from
        self.times.append((name, seconds))
        start = "\r\x1b[K" if self.live else ""
        line = f"[{self._step:>2}/{self.steps}] {self._title} {note:>16} {seconds:6.1f} s"
        print(start + line, file=self.stream, flush=True)
        runtime.log.info("%s", line)

    def say(self, text: str) -> None:
        """A line of its own while a step goes on."""
        self.stop()
        print(f"        {text}", file=self.stream, flush=True)
        runtime.log.warning("%s", text)

    @property
    def seconds(self) -> float:
        """Seconds of all steps that have ended."""
        return sum(seconds for _, seconds in self.times)

    def slowest(self, most: int) -> list[tuple[str, float]]:
        """The steps that took longest, with their seconds."""
        return sorted(self.times, key=lambda step: -step[1])[:most]

    def stop(self) -> None:
        """Leave the live line, so that a message starts on a line of its own."""
        if self.live:
            print(file=self.stream)


def padded(text: str, width: int) -> str:
    """The text filled up to a width in terminal columns; a Chinese character takes two."""
    taken = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * (width - taken)


def amount(size: float) -> str:
    """Bytes in the largest unit of which there is one or more."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
