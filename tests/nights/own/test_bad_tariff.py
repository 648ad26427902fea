"""Every tariff that the language refuses, as the night's command says it.

One line of the error stream for each mistake: file and line, the place in the file, and what was
expected; exit code 2, before Spark and before anything is written.
"""

import re

import pytest

from jobs import night
from tests.given.small_province import LAST
from tests.given.tariff_examples import VOICE_FILE

GOOD = VOICE_FILE.replace("id: example", "id: refused").replace(
    "{from: 2009-01-01, to: 2010-01-01}", "{from: 2009-05-01, to: 2010-05-01}"
)
TOLL = '  - {component: toll, rate: "0.07", per: 6s, increment: [6, 6]}\n'
TWIN = "  - {id: twin, covers: {}, components: [airtime], amount: 1, unit: 60s, order: 1}\n"
TIER = (
    "tiers: [{component: airtime, mode: graduated, per: 60s, steps: "
    '[{up_to: 10, rate: "0.3"}, {up_to: null, rate: "0.1"}]}]\n'
)
DATA = """\
id: refused
name: 例
kind: gprs
brands: [gotone]
valid: {from: 2009-05-01, to: 2010-05-01}
source: assumed
monthly_fee: "5"
partial_month: none
rules:
  - {component: volume, match: {band: peak}, rate: "0.01", per: 1KB, increment: [1KB, 1KB]}
rounding: {at: none}
"""
# What is wrong → the text with it, the line of the file, the path in it, what was expected.
REFUSED = {
    "an event due that no rule prices": (
        GOOD.replace(TOLL, ""),
        12,
        "rules",
        'no rule prices the toll of .*: add a rule \\(a free one has rate "0"\\) or set '
        "otherwise: pass_through",
    ),
    "a rule that stands behind others which take all its events": (
        GOOD.replace(TOLL, TOLL + TOLL),
        17,
        "rules[3]",
        "this rule can never match: rules\\[2\\] comes first for all of its events",
    ),
    "a rule of facts that exclude one another": (
        GOOD.replace("days: all", "days: workday").replace(
            "{band: peak}", "{band: peak, day_type: holiday}"
        ),
        13,
        "rules[0]",
        "this rule can never match: its conditions exclude one another",
    ),
    "a rule of a component that such events do not owe": (
        GOOD.replace(TOLL, TOLL.replace("toll,", "toll, match: {direction: mt},") + TOLL),
        16,
        "rules[2]",
        "this rule can never match: no toll is due for such events",
    ),
    "a pool that nobody uses": (
        GOOD.replace("pools: [free]", "pools: []"),
        10,
        "pools[0]",
        "no rule draws on pool 'free': name it in the pools of a rule",
    ),
    "overlapping bands": (
        GOOD.replace('"20:00"}]', '"20:00"}], late: [{days: all, from: "19:00", to: "22:00"}]'),
        11,
        "bands.late",
        "overlaps with band 'peak': each second of a day belongs to one band",
    ),
    "a band that says nothing": (
        GOOD.replace('"20:00"}]', '"20:00"}], late: [{days: all, from: "22:00", to: "24:00"}]'),
        11,
        "bands.late",
        "no rule and no pool names 'late' or off_peak, so the two are one band: remove 'late'",
    ),
    "a fee below zero": (
        GOOD.replace('"58"', "'-58'"),
        7,
        "monthly_fee",
        "expected 0 or more; got '-58': only the flat amount of a tier may be below zero, as a "
        "discount",
    ),
    "bytes split by the clock": (
        DATA
        + "otherwise: pass_through\n"
        + 'bands: {peak: [{days: all, from: "08:00", to: "20:00"}]}\nband_policy: split\n',
        14,
        "band_policy",
        "split cuts an event by its seconds, and data is counted in bytes: write band_policy: "
        "start \\(the band in which the event begins\\)",
    ),
    "two caps of one service": (
        DATA.replace("match: {band: peak}, ", "") + 'caps: {gprs: "5", data: "500"}\n',
        12,
        "caps.data",
        "gprs and data are one service: keep one of the two caps",
    ),
    "a price as a number": (
        GOOD.replace('"0.40"', "0.40"),
        13,
        "rules[0].rate",
        'prices are written as strings: "0.40"',
    ),
    "a price that is no decimal number": (
        GOOD.replace('"0.40"', '"abc"'),
        13,
        "rules[0].rate",
        "expected yuan written as a string, like \"0.40\"; got 'abc'",
    ),
    "two components of an event on one pool": (
        GOOD.replace("[airtime]", "[airtime, toll]")
        .replace("order: 1", "order: 1, draw: base")
        .replace("[6, 6]", "[6, 6], pools: [free]"),
        10,
        "pools[0]",
        "two components of one event draw on this pool .*: set both: true, or remove the pool from "
        "one of the rules",
    ),
    "an increment that no block of the pool fits": (
        GOOD.replace(
            '"0.24", per: 60s, increment: [60, 60]', '"0.24", per: 60s, increment: [6, 6]'
        ),
        15,
        "rules[1]",
        "pool 'free' is drawn in blocks of 60: the increment must be \\[60, 60\\], or the pool "
        "must have draw: base",
    ),
    "rounding at event with monthly tiers": (
        GOOD.replace("at: line", "at: event") + TIER,
        18,
        "tiers[0]",
        "tiers cannot be combined with rounding at event: round at line or bill",
    ),
    "two pools of one order": (
        GOOD.replace("bands:", TWIN + "bands:").replace("[free]", "[free, twin]"),
        11,
        "pools[1].order",
        "pools 'free' and 'twin' both have order 1: each pool needs its own order",
    ),
    "a field that there is not": (
        GOOD.replace("order: 1}", "order: 1, carryover: true}"),
        10,
        "pools[0].carryover",
        "unknown key, did you mean 'carry_over'\\?",
    ),
    "a band that is not defined": (
        GOOD.replace("{band: peak}", "{band: night}"),
        13,
        "rules[0].match.band",
        "expected one of off_peak, peak; got 'night'",
    ),
    "a validity that ends before it begins": (
        GOOD.replace("to: 2010-05-01", "to: 2009-04-30"),
        5,
        "valid.to",
        "expected a date after 2009-05-01 \\(the last day is not included\\); got 2009-04-30",
    ),
    "a fee beyond 64-bit money": (
        GOOD.replace('"58"', '"58000000000000"'),
        7,
        "monthly_fee",
        "may reach 1,798,000,000,000,000 yuan in a month, which exceeds 64-bit integers: expected "
        "a smaller number",
    ),
    "a price so fine that its units leave 64 bits": (
        GOOD.replace('"0.24"', '"0.2400000000001"'),
        15,
        "rules[1].rate",
        "amounts in 1/[0-9,]+ yuan may exceed 64-bit integers: expected a price with fewer digits, "
        "or a rounder quantity in per",
    ),
    "free units beyond 64 bits": (
        GOOD.replace("amount: 260", "amount: 99999999999999999999"),
        10,
        "pools[0].amount",
        "expected at most 1,125,899,906,842,624 s; got '99999999999999999999'",
    ),
}


@pytest.fixture
def started(tmp_path, capfd):
    """Exit code and lines of a night with a tariff added, which would only be planned."""

    def run(text):
        path = tmp_path / "conf" / "tariffs" / "refused.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        code = night.main(
            [
                "--data-date",
                LAST,
                "--dry-run",
                "--conf",
                "conf",
                "--conf",
                str(tmp_path / "conf"),
                "--landing",
                str(tmp_path / "landing"),
                "--warehouse",
                str(tmp_path / "warehouse"),
            ]
        )
        assert not (tmp_path / "warehouse").exists()
        return code, capfd.readouterr().err.splitlines()

    return run


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_wrong_tariff_is_refused_with_its_place_and_what_was_expected(started, wrong):
    text, line, path, expected = REFUSED[wrong]
    assert text != GOOD
    code, said = started(text)
    assert code == 2
    assert len(said) == 1
    place = f"tariffs/refused.yml:{line}: {path}: "
    assert place in said[0]
    assert re.fullmatch(expected, said[0].split(place)[1])


def test_without_a_mistake_the_tariff_is_taken(started):
    """Then only the deliveries are missing."""
    code, said = started(GOOD)
    assert code == 4
    assert [line.split(": ")[2].split()[0] for line in said] == ["no"], said
