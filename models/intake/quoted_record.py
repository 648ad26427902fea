"""Which lines make up a record where quoted fields may hold line breaks (RFC 4180).

- A quote opens a field only as its first character; anywhere else in an unquoted field it is text.
- Inside, a quote is written twice. What follows the closing quote is text up to the delimiter.
- A quote that no later line closes, or not within `RECORD_BYTES`, opens no record: each line of it
  stands alone, and all of them are rejected.

Counting (Python) and reading (Spark) share the patterns, so that they cannot disagree. The patterns
look at bytes, as the characters U+0000 to U+00FF, and never backtrack. Only a repeated group that
gives nothing back is written in two ways: Java runs out of stack in the one, and Python before
3.11.5 does not match the other.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from schemas.config.source import SourceFormat

RECORD_BYTES = 1 << 20  # the most bytes of a record of several lines
END = r"(?![\s\S])"  # `$` would stop before a carriage return in Java
# A character of two or four bytes, in which a byte of the second half may look like a delimiter.
GB18030_PAIR = r"[\x81-\xfe](?:[\x30-\x39][\x81-\xfe][\x30-\x39]|[\x40-\x7e\x80-\xfe])"


class QuotedLines:
    """The lines of a format with quotes: whether a quoted field is open at the end of each.

    `opens`: pattern for Spark of a line that begins outside quotes and ends inside.
    `stays`: pattern for Spark of a line that begins inside quotes and ends inside.
    """

    def __init__(self, form: SourceFormat) -> None:
        self.quote = (form.quote or "").encode(form.encoding)
        self.opens, self.stays = _patterns(form, r"(?:{})*+".format)
        of_python = _patterns(form, r"(?>(?:{})*)".format)
        self._opens, self._stays = (re.compile(one.encode()) for one in of_python)

    def open_after(self, line: bytes, *, before: bool) -> bool:
        """Whether a quoted field is open after the line; `before`: whether one was before it."""
        if self.quote not in line:
            return before
        return bool((self._stays if before else self._opens).match(line))

    def states(self, lines: Iterable[bytes]) -> Iterator[bool]:
        """Whether a quoted field is open: before the first line, and after each line."""
        opened = False
        yield opened
        for line in lines:
            opened = self.open_after(line, before=opened)
            yield opened

    @staticmethod
    def is_unclosed(lines: int, size: int, *, open_at_end: bool) -> bool:
        """Whether lines from the first of a record on stand alone; `size`: bytes with line ends."""
        return open_at_end or (lines > 1 and size > RECORD_BYTES)


def _patterns(form: SourceFormat, repeated: Callable[[str], str]) -> tuple[str, str]:
    """The patterns `opens` and `stays`; `repeated` writes a group that gives nothing back."""
    quote, delimiter = form.quote or "", form.delimiter or ""
    mark, cut, first, bom = (
        "".join(f"\\x{byte:02x}" for byte in part)
        for part in (
            quote.encode(form.encoding),
            delimiter.encode(form.encoding),
            delimiter.encode(form.encoding)[:1],
            "\ufeff".encode(form.encoding),
        )
    )
    lead, pair = (r"\x81-\xfe", GB18030_PAIR + "|") if form.encoding == "gb18030" else ("", "")
    rest = repeated(rf"[^{first}{lead}]++|(?!{cut})(?:{pair}[\s\S])")
    body = repeated(rf"[^{mark}]++|{mark}{mark}")
    closed = repeated(rf"(?:{mark}{body}{mark}{rest}|(?!{mark}){rest}){cut}")
    opens = rf"^(?:{bom})?{closed}{mark}{body}{END}"
    return opens, rf"^{body}(?:{END}|{mark}{rest}{cut}{closed}{mark}{body}{END})"
