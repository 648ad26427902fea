"""One form for each phone number and key, however a system has written it.

Numbers and keys are compared as text: in joins with their owners, in lists, in receipts. So each is
brought into one form where it enters, and only there. Text that is not a number stays as it is.
Here for texts that are at hand, without Spark; `number_column` does the same to columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from models.frames import invisible
from schemas.config.settings import Numbers

Step = tuple[str, str]  # a regular expression of both Java and Python, and what replaces its match

LONGEST_TEXT = 200  # characters; some patterns take long over a text of a million
LONGEST = 31  # digits after the first: the largest exponent that is read

_WIDE = "".join(chr(code) for code in range(0xFF01, 0xFF5F))
_NARROW = "".join(chr(code) for code in range(0x21, 0x7F))
_DIGITS = [chr(code) for code in range(0x80, 0xFF00) if unicodedata.category(chr(code)) == "Nd"]
_FROM = _WIDE + "".join(_DIGITS)
_TO = _NARROW + "".join(str(unicodedata.decimal(digit)) for digit in _DIGITS)
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u30fc\ufe58\ufe63\uff70"
_DOTS = "\u00b7\u2022\u2024\u2027\u3002\u30fb\uff61\uff65\ufe52"
_QUOTES = "\u2018\u2019\u201b\u0060\u00b4"
_OTHERS = {"\ufe62": "+", "\ufe59": "(", "\ufe5a": ")", "\u201c": '"', "\u201d": '"'}

# Of a number: the first text becomes the second, character by character; the rest is left out.
NUMBER_FROM = _FROM + _HYPHENS + _DOTS + _QUOTES + "".join(_OTHERS) + "e" + invisible.CHARACTERS
NUMBER_TO = (
    _TO.replace("e", "E")
    + "-" * len(_HYPHENS)
    + "." * len(_DOTS)
    + "'" * len(_QUOTES)
    + "".join(_OTHERS.values())
    + "E"
)
# Of a key: what is not seen between its characters is left out, but not its blanks.
_BLANKS = (
    "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_UNSEEN = "".join(one for one in invisible.CHARACTERS if one != " " and one not in _BLANKS)
KEY_FROM = _FROM + _BLANKS + _UNSEEN
KEY_TO = _TO + " " * len(_BLANKS)

_WRAPPED = "(?:=?\"|')?"  # ="…" and a leading apostrophe: how spreadsheets keep digits as text
EXPONENT = r"[1-9][0-9]*(?:[.,][0-9]+[Ee]\+?|[Ee]\+)[0-9]{1,3}"
# The digits that the exponent moves before the point are all there; after them there are zeros.
_MOVED = "|".join(
    rf"(?=[0-9]{{{places}}}0*[Ee]\+?0*{places}$)[0-9]{{{places}}}"
    for places in range(LONGEST, 0, -1)
)
_WHOLE_EXPONENT: Step = (
    rf"^([1-9][0-9]*)(?:[.,]({_MOVED}|(?=0+[Ee]\+?0+$))0*[Ee]\+?[0-9]+|[Ee]\+0+)$",
    "$1$2",
)
_THOUSANDS = "[0-9]{1,3}(?:,[0-9]{3}){3,}"
_DECIMAL = rf"([0-9]+)\.0{{1,2}}|([0-9]{{10,}})[.,]0+|({_THOUSANDS})\.0+"
_GROUPS = (
    r"(?!(?:0|[1-9][0-9]*)\.[0-9]+\"?$)"  # one point: a decimal number and no groups
    r"(?![0-9]{1,3}(?:\.[0-9]{1,3}){3}\"?$)"  # an address of the internet
    r"\(?\+?\(?[0-9]+(?:(?:[-()]+|\.(?=[0-9]{3,8}(?![0-9])))[0-9]+)*\)?"
    r"|[0-9]{2}(?:\.[0-9]{2}){4}"
)
NUMBER = rf"^{_WRAPPED}(?i:tel:)?(?:{_GROUPS}|{_DECIMAL}|{_THOUSANDS}|{EXPONENT})\"?$"
PLAIN_KEY = r"^[0-9A-Za-z][0-9A-Za-z_/-]*\z"
KEY_STEPS: tuple[Step, ...] = (
    (r"^ +| +$", ""),
    (r"^=?\"([^\"]+)\"$", "$1"),
    (r"^'([^']+)$", "$1"),
    _WHOLE_EXPONENT,
    (r"^([0-9]+)\.0$", "$1"),
)


def number_of(text: str, numbers: Numbers) -> str:
    """A phone number in its one form; other text without blanks at its ends; "" if blank.

    Digits only. A number of the country is without its code, one of another country begins with 00.
    """
    folded = text.translate(_table(NUMBER_FROM, NUMBER_TO))
    if len(folded) <= LONGEST_TEXT and re.search(NUMBER, folded):
        return _written(folded, number_steps(numbers))
    return text.strip(invisible.CHARACTERS)


def key_of(text: str) -> str:
    """A key (of a subscriber, a customer, an employee) in its one form; "" if blank.

    Signs and blanks inside it stay, because they can tell two keys apart.
    """
    folded = text.translate(_table(KEY_FROM, KEY_TO))
    return _written(folded, KEY_STEPS) if len(folded) <= LONGEST_TEXT else text


def numbers_of(texts: Iterable[str], numbers: Numbers) -> list[str]:
    """`number_of` of each text of a list, such as the configured placeholders."""
    return [number_of(text, numbers) for text in texts]


def bare(text: str) -> str:
    """A text without what may stand between the digits of a number, to look for numbers in it."""
    folded = text.translate(_table(NUMBER_FROM, NUMBER_TO))
    return folded.translate(dict.fromkeys(map(ord, "-().,'\"")))


def number_steps(numbers: Numbers) -> tuple[Step, ...]:
    """What is replaced, one after the other, in a text that is a number."""
    return (
        (rf"^{_WRAPPED}(?i:tel:)?|\"$", ""),
        _WHOLE_EXPONENT,
        (f"^(?:{_DECIMAL})$", "$1$2$3"),
        ("[-().,](?![^E]*E)", ""),  # what has an exponent still has lost digits and stays
        (r"^\+", "00"),
        (f"^{home(numbers)}$", "$1"),
    )


def home(numbers: Numbers) -> str:
    """A national number behind the code of its country or the prefix of long distance."""
    country, trunk, national = numbers.country_code, numbers.trunk, f"(?:{numbers.national})"
    return f"(?!{national}$)(?:(?:00)?{country})?(?:{trunk})?({national})"


def _written(text: str, steps: Sequence[Step]) -> str:
    for pattern, replacement in steps:
        text = re.sub(pattern, replacement.replace("$", "\\"), text)
    return text


def _table(before: str, after: str) -> dict[int, str]:
    return {
        ord(one): after[place] if place < len(after) else "" for place, one in enumerate(before)
    }
