"""Writings of one phone number, as other systems deliver it, for tests of its one form."""

import random
from collections.abc import Callable, Sequence

UNSEEN = (
    "\t",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u202c",
    "\u00ad",
    "\u2009",
    "\r",
    "\u0007",
)
DIGIT_SCRIPTS = (0x30, 0xFF10, 0x660, 0x6F0, 0x966)  # the zero of each
HYPHENS = ("-", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212", "\uff0d")


def in_script(number: str, zero: int) -> str:
    return "".join(chr(zero + int(digit)) for digit in number)


def scientific(number: str, sign: str = "+", point: str = ".", letter: str = "E") -> str:
    """All digits of the number before an exponent."""
    return f"{number[0]}{point}{number[1:]}{letter}{sign}{len(number) - 1:02}"


def grouped(number: str, signs: Sequence[str]) -> str:
    """138, 0000 and 0001 with signs between them."""
    return f"{number[:3]}{signs[0]}{number[3:7]}{signs[-1]}{number[7:]}"


# How the writers wrote 13800000001, and further ones. Each takes a number of eleven digits.
WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "a tab behind": lambda n: n + "\t",
    "an ideographic space behind": lambda n: n + "\u3000",
    "a no-break space behind": lambda n: n + "\u00a0",
    "full-width digits": lambda n: in_script(n, 0xFF10),
    "as dialled from abroad, in groups": lambda n: f"+86 {n[:3]}-{n[3:7]} {n[7:]}",
    "with the country code alone": lambda n: "86" + n,
    "of a spreadsheet with an exponent": scientific,
    "through a double": lambda n: n + ".0",
    "with 00 and the country code": lambda n: "0086" + n,
    "a zero-width space before": lambda n: "\u200b" + n,
    "marks of direction around": lambda n: f"\u202d{n}\u202c",
    "Arabic digits": lambda n: in_script(n, 0x660),
    "in brackets, full width": lambda n: f"（＋８６）{n[:3]}－{n[3:7]}－{n[7:]}",
    "the trunk prefix in brackets": lambda n: f"+86 (0){n}",
    "with the trunk prefix": lambda n: "0" + n,
    "a telephone link": lambda n: f"tel:+86-{grouped(n, '--')}",
    "an apostrophe before": lambda n: "'" + n,
    "a formula": lambda n: f'="{n}"',
    "in groups with points": lambda n: grouped(n, ".."),
    "in groups with dashes of a text": lambda n: grouped(n, "–—"),
    "with thousands": lambda n: f"{int(n):,}",
    "with thousands and decimals": lambda n: f"{int(n):,}.00",
    "a double of Java": lambda n: scientific(n, sign=""),
    "a double of Python": lambda n: scientific(n, letter="e"),
    "a decimal comma": lambda n: scientific(n, point=","),
    "a decimal of three places": lambda n: n + ".000",
    "an exponent with the country code": lambda n: scientific("86" + n),
    "more zeros than the exponent needs": lambda n: f"{n[0]}.{n[1:]}000E+10",
    "an exponent of eight": lambda n: f"{n[:3]}.{n[3:]}E+8",
}


def any_writing(number: str, chance: random.Random) -> str:
    """A writing of the number in which several habits meet."""
    text = WRITINGS[chance.choice(list(WRITINGS))](number)
    if chance.random() < 0.5 and "E" not in text and "e" not in text:
        zero = chance.choice(DIGIT_SCRIPTS)
        text = "".join(in_script(one, zero) if "0" <= one <= "9" else one for one in text)
    if chance.random() < 0.5:
        text = text.replace("-", chance.choice(HYPHENS))
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(UNSEEN) + text[place:]
    return text
