"""The catalogue: its answers, and each tariff that it refuses, with file, line and reason."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from models.tariff import catalogue
from models.tariff import package as tariff
from schemas import document
from schemas.errors import ConfigError
from tests.given.event_records import increments
from tests.given.paths import ROOT
from tests.given.tariff_examples import VOICE_FILE as VOICE

EXAMPLE = Path("conf/tariffs/example.yml")
DATA = """\
id: example
name: 例
kind: gprs
brands: [gotone]
valid: {from: 2009-01-01, to: 2010-01-01}
source: assumed
monthly_fee: "5"
partial_month: none
rules:
  - {component: volume, rate: "0.01", per: 1KB, increment: [1KB, 1KB]}
caps: {gprs: "500"}
rounding: {at: none}
"""
TIERS = 'tiers: [{component: toll, mode: volume, per: 6s, steps: [{up_to: null, rate: "1"}]}]\n'


def read(text):
    """The package of a text that has the right shape."""
    found = document.parse(text, EXAMPLE)
    document.check(found, document.read(ROOT / "schemas" / "shapes" / "tariff.yml").data)
    return catalogue.load([found]).packages["example"]


def refusal(text):
    """The error message of the catalogue for a text; its shape is not checked."""
    with pytest.raises(ConfigError) as refused:
        catalogue.load([document.parse(text, EXAMPLE)])
    return str(refused.value)


def facts(package, **changes):
    """The facts of a local call at noon on a workday, or a similar event of another service."""
    usual = {
        "direction": "mo",
        "roaming": "home",
        "toll": "local",
        "dial": "direct",
        "in_group": False,
        "message_kind": "p2p",
    }
    return {
        "service": package.services[0],
        "day_type": "workday",
        "slot_from": 43200,
        **usual,
        **changes,
    }


def test_a_package_is_read_exactly():
    package = read(VOICE)
    peak = package.rules[0]
    assert (peak.component, peak.rate, peak.per, peak.increment) == (
        "airtime",
        Fraction("0.40"),
        60,
        (60, 60),
    )
    assert peak.price == Fraction(1, 150)
    assert package.pools[0].size == 260 * 60
    assert package.band_at("weekend", 8 * 3600) == "peak"
    assert package.band_at("workday", 20 * 3600) == "off_peak"


def test_data_is_counted_in_kilobytes_of_1024_bytes_and_capped_by_service():
    package = read(DATA)
    assert (package.rules[0].per, package.rules[0].increment) == (1024, (1024, 1024))
    assert package.caps == {"data": 500}


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, ("airtime",)),
        ({"toll": "intl"}, ("airtime", "toll")),
        ({"toll": "intl", "direction": "fwd"}, ("airtime", "toll")),
        ({"toll": "intl", "direction": "mt"}, ("airtime",)),
        ({"service": "sms"}, ("message",)),
        ({"service": "mms", "direction": "mt"}, ()),
        ({"service": "data"}, ("volume",)),
    ],
)
def test_due_components_follow_from_the_facts(changes, due):
    assert tariff.due_components(facts(read(VOICE), **changes)) == due


@pytest.mark.parametrize(
    ("component", "changes", "no"),
    [
        ("airtime", {}, 0),
        ("airtime", {"slot_from": 0}, 1),
        ("toll", {"toll": "intl"}, 2),
        ("volume", {}, None),
    ],
)
def test_the_first_rule_that_matches_wins(component, changes, no):
    package = read(VOICE)
    rule = tariff.first_rule(package, component, facts(package, **changes))
    assert (rule.no if rule else None) == no


def test_a_rule_draws_on_its_pool_only_where_the_pool_covers():
    package = read(VOICE)
    rule = package.rules[0]
    assert tariff.drawn_pools(package, rule, facts(package)) == package.pools
    assert tariff.drawn_pools(package, rule, facts(package, roaming="intl")) == ()


def test_pools_are_in_the_order_of_consumption():
    narrow = "  - {id: first, covers: {}, components: [airtime], amount: 1, unit: 60s, order: 0}\n"
    text = VOICE.replace("bands:", narrow + "bands:").replace("[free]", "[free, first]")
    assert read(text).rules[0].pools == ("first", "free")


def test_open_packages_are_valid_on_the_day_of_the_kind_and_not_only_held():
    voice, data = VOICE.replace("id: example", "id: voice"), DATA
    both = catalogue.load([document.parse(text, EXAMPLE) for text in (voice, data)])
    inside = date(2009, 5, 3)
    assert [package.id for package in both.open_on(inside)] == ["example", "voice"]
    assert [package.id for package in both.open_on(inside, "gprs")] == ["example"]
    assert len(both.open_on(date(2009, 1, 1))) == 2
    assert both.open_on(date(2008, 12, 31)) == both.open_on(date(2010, 1, 1)) == ()
    held = catalogue.load([document.parse(VOICE + "present_only: true\n", EXAMPLE)])
    assert held.packages["example"].valid_on(inside)
    assert held.open_on(inside) == ()


def test_cuts_and_measures_of_a_service_are_those_of_its_packages():
    voice, data = (
        document.parse(text, Path(f"{name}.yml"))
        for name, text in [("b", VOICE), ("a", DATA.replace("id: example", "id: data"))]
    )
    for documents in ([voice, data], [data, voice]):
        both = catalogue.load(documents)
        assert both.cuts("voice") == (0, 8 * 3600, 20 * 3600)
        assert both.cuts("data") == both.cuts("sms") == (0,)
        assert set(both.measures("voice")) == {
            increments("voice", 1, 6, 6).definition,
            increments("voice", 1, 60, 60).definition,
        }
        assert both.measures("data") == (increments("data", 1, 1024, 1024).definition,)
        assert list(both.packages) == ["data", "example"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("58", "58.01"), 3000),  # .07 / 6 s = 7/600, .40 / 60 s = 1/150, .24: 1/250
        (("58", "58.0001"), 30_000),
        (("[6, 6]", '[6, 6], connect: "0.0001"'), 30_000),
        (('58"\npartial_month: none', '58.0001"\npartial_month: half_month'), 60_000),
        (
            ('58"\npartial_month: none', '58"\npartial_month: daily'),
            3000 * 7 * 31,
        ),  # 58/29 is whole
    ],
)
def test_the_denominator_is_the_least_that_makes_every_amount_whole(change, expected):
    assert tariff.denominator(read(VOICE.replace(*change))) == expected


def test_bands_and_prices_may_go_by_the_type_of_day():
    workday = read(VOICE.replace("days: all", "days: [workday]"))
    weekend = read(VOICE.replace("{band: peak}", "{band: peak, day_type: [weekend, holiday]}"))
    for package, on_workday, on_weekend in [(workday, 0, 1), (weekend, 1, 0)]:
        for day_type, no in [("workday", on_workday), ("weekend", on_weekend)]:
            found = tariff.first_rule(package, "airtime", facts(package, day_type=day_type))
            assert found.no == no


@pytest.mark.parametrize(
    ("change", "message_of"),
    [
        (
            (VOICE[VOICE.index("  - {component: toll") : VOICE.index("rounding")], ""),
            "conf/tariffs/example.yml:12: rules: no rule prices the toll of direction mo, "
            "roaming home, toll intra_prov",
        ),
        (
            ("{component: toll, rate", "{component: toll, match: {direction: mo}, rate"),
            "no rule prices the toll of direction fwd",
        ),
        (
            ("{component: toll, rate", "{component: toll, match: {toll: local}, rate"),
            "conf/tariffs/example.yml:16: rules[2]: this rule can never match: no toll is due",
        ),
        (("{band: peak}", "{roaming: home}"), "bands: no rule and no pool names a band"),
        (
            ('rate: "0.24"', 'match: {band: [peak]}, rate: "0.24"'),
            "example.yml:15: rules[1]: this rule can never match: rules[0] comes first",
        ),
        (
            ("{band: peak}", "{band: peek}"),
            "example.yml:13: rules[0].match.band: expected one of off_peak, peak; got 'peek'",
        ),
        (("{band: peak}", "{toll: nearby}"), "rules[0].match.toll: expected one of hkmotw"),
        (
            ("{band: peak}", "{message_kind: p2p}"),
            "rules[0].match.message_kind: voice has no such fact",
        ),
        (
            ("{band: peak}", "{service: sms}"),
            "rules[0].match.service: expected one of voice; got 'sms'",
        ),
        (
            ("pools: [free]", "pools: [fre]"),
            "conf/tariffs/example.yml:14: rules[0].pools[0]: unknown pool 'fre'; known: free",
        ),
        (
            ("pools: [free]", "pools: []"),
            "conf/tariffs/example.yml:10: pools[0]: no rule draws on pool 'free'",
        ),
        (
            ("covers: {roaming: home}", "covers: {direction: mt, toll: intl, band: off_peak}"),
            "rules[0].pools[0]: pool 'free' covers no airtime of this rule",
        ),
        (
            ("unit: 60s", "unit: 6s"),
            "conf/tariffs/example.yml:13: rules[0]: pool 'free' is drawn in blocks of 6: the "
            "increment must be [6, 6], or the pool must have draw: base",
        ),
        (
            ('"0.24", per: 60s, increment: [60, 60]', '"0.24", per: 60s, increment: [60, 1]'),
            "rules[1]: pool 'free' is drawn in blocks of 60",
        ),
        (
            ("components: [airtime]", "components: [volume]"),
            "pools[0].components[0]: a package of kind voice prices airtime and toll; got 'volume'",
        ),
        (
            ("{component: toll", "{component: message"),
            "example.yml:16: rules[2].component: a package of kind voice prices airtime",
        ),
        (('rate: "0.40"', "rate: 0.40"), 'rules[0].rate: prices are written as strings: "0.40"'),
        (('rate: "0.40"', 'rate: "4毛"'), "rules[0].rate: expected yuan as a decimal number"),
        (('fee: "58"', "fee: 58"), 'monthly_fee: prices are written as strings: "58"'),
        (
            ('fee: "58"', 'fee: "-58"'),
            "example.yml:7: monthly_fee: expected 0 or more; got '-58': only the flat amount of a "
            "tier may be below zero, as a discount",
        ),
        (('rate: "0.40"', 'rate: "-0.40"'), "rules[0].rate: expected 0 or more; got '-0.40'"),
        (("[6, 6]", '[6, 6], connect: "-1"'), "rules[2].connect: expected 0 or more; got '-1'"),
        (
            (
                'rate: "0.07", per: 6s, increment: [6, 6]',
                'groups: [{start: 0, rate: "-1", per: 6s, increment: 6}]',
            ),
            "rules[2].groups[0].rate: expected 0 or more; got '-1'",
        ),
        (("per: 6s", "per: 1KB"), "rules[2].per: voice is counted in seconds, like 60s; got '1KB'"),
        (("[6, 6]", "[1msg, 1msg]"), "rules[2].increment[0]: voice is counted in seconds"),
        (("[6, 6]", "[6, 0]"), "rules[2].increment[1]: expected at least 1; got '0'"),
        (
            ("unit: 60s", "unit: 1MB"),
            "pools[0].unit: voice is counted in seconds, like 60s; got '1MB'",
        ),
        (
            ("to: 2010-01-01", "to: 2009-01-01"),
            "conf/tariffs/example.yml:5: valid: valid on no day",
        ),
        (("kind: voice", "kind: video"), "kind: expected one of voice, gprs, sms, mms, wlan"),
        (('"20:00"', '"07:00"'), "bands.peak[0]: 08:00 to 07:00 is not a range within one day"),
        (("{peak:", "{off_peak:"), "bands.off_peak: off_peak is the time outside all bands"),
        (
            ('"20:00"}]', '"20:00"}], late: [{days: [workday], from: "19:00", to: "21:00"}]'),
            "bands.late: overlaps with band 'peak'",
        ),
        (
            ("rounding: {at: line", 'caps: {gprs: "5"}\nrounding: {at: line'),
            "caps.gprs: a package of kind voice can cap only its own usage",
        ),
        (
            ("rounding: {at: line", 'caps: {voice: "-5"}\nrounding: {at: line'),
            "caps.voice: expected 0 or more; got '-5'",
        ),
        (
            ("rounding: {at: line", 'min_commitment: "-5"\nrounding: {at: line'),
            "min_commitment: expected 0 or more; got '-5'",
        ),
        (
            (
                'rate: "0.07", per: 6s, increment: [6, 6]',
                'groups: [{start: 6, rate: "1", per: 6s, increment: 6}]',
            ),
            "rules[2].groups: the first group must start at 0",
        ),
        (
            (
                "increment: [6, 6]",
                'increment: [6, 6], groups: [{start: 0, rate: "1", per: 6s, increment: 6}]',
            ),
            "rules[2]: give either rate, per and increment, or groups",
        ),
    ],
)
def test_an_inconsistent_tariff_is_refused_with_its_place(change, message_of):
    assert change[0] in VOICE
    assert message_of in refusal(VOICE.replace(*change))


SPLIT = 'bands: {peak: [{days: all, from: "08:00", to: "20:00"}]}\nband_policy: split\n'
TEXTS = (
    DATA.replace("kind: gprs", "kind: sms")
    .replace("volume", "message")
    .replace("1KB", "1msg")
    .replace('caps: {gprs: "500"}\n', "")
)
PEAK_RULE = "rules:\n  - {component: volume, match: {band: peak}, rate"
STEPS = "groups: [{start: 0, PRICE}, {start: 1, PRICE}]".replace(
    "PRICE", 'rate: "1", per: 1msg, increment: 1'
)


@pytest.mark.parametrize(
    ("text", "message_of"),
    [
        (
            DATA.replace("rules:\n  - {component: volume, rate", PEAK_RULE)
            + SPLIT
            + "otherwise: pass_through\n",
            "example.yml:14: band_policy: split cuts an event by its seconds, and data is counted "
            "in bytes: write band_policy: start",
        ),
        (
            TEXTS.replace(
                "{component: message, rate", "{component: message, match: {band: peak}, rate"
            )
            + SPLIT
            + "otherwise: pass_through\n",
            "band_policy: split cuts an event by its seconds, and sms is counted in messages",
        ),
        (
            DATA.replace('caps: {gprs: "500"}', 'caps: {gprs: "5", data: "500"}'),
            "example.yml:11: caps.data: gprs and data are one service: keep one of the two caps",
        ),
        (
            DATA.replace('caps: {gprs: "500"}', 'caps: {data: "5", gprs: "5"}'),
            "caps.gprs: data and gprs are one service",
        ),
        (
            DATA + "band_policy: start\n",
            "band_policy: the package has no bands: remove band_policy",
        ),
        (
            DATA.replace(
                "{component: volume, rate", "{component: volume, match: {band: off_peak}, rate"
            ),
            "rules[0].match.band: the package has no bands: remove this condition",
        ),
        (
            VOICE.replace(
                '"20:00"}]', '"20:00"}], night: [{days: all, from: "22:00", to: "24:00"}]'
            ),
            "example.yml:11: bands.night: no rule and no pool names 'night' or off_peak, so the "
            "two are one band: remove 'night'",
        ),
        (
            DATA.replace("at: none", "at: none, scale: 2"),
            "rounding.scale: at: none rounds nothing: remove scale",
        ),
        (
            DATA.replace("at: none", "at: none, mode: up"),
            "rounding.mode: at: none rounds nothing: remove mode",
        ),
        (
            VOICE.replace("components: [airtime]", "components: [airtime, toll]"),
            "example.yml:10: pools[0].components[1]: no rule of toll draws on pool 'free'",
        ),
        (
            TEXTS.replace('rate: "0.01", per: 1msg, increment: [1msg, 1msg]', STEPS),
            "rules[0].groups[1]: a message is one unit, so no message reaches this group",
        ),
        (
            VOICE[: VOICE.index("  - {component: toll")]
            + "rounding: {at: none}\notherwise: pass_through\n"
            + TIERS,
            "tiers[0]: no rule rates toll, so no units reach this tier",
        ),
        (
            VOICE + TIERS.replace("per: 6s", "per: 6s, flat_at_zero: true"),
            "tiers[0].flat_at_zero: the first step has no flat amount",
        ),
    ],
)
def test_what_says_one_thing_twice_or_nothing_at_all_is_refused(text, message_of):
    assert message_of in refusal(text)


def test_a_band_that_no_rule_names_counts_where_off_peak_is_named():
    night = '"20:00"}], night: [{days: all, from: "22:00", to: "24:00"}]'
    text = VOICE.replace('"20:00"}]', night).replace(
        '{component: airtime, rate: "0.24"',
        '{component: airtime, match: {band: off_peak}, rate: "0.24"',
    )
    text = text.replace(
        "  - {component: toll",
        '  - {component: airtime, rate: "0.12", per: 60s, increment: [60, 60]}\n'
        "  - {component: toll",
    )
    assert read(text).band_names == ("night", "peak", "off_peak")


def test_conditions_that_exclude_one_another_are_refused():
    text = VOICE.replace("days: all", "days: [workday]")
    text = text.replace("{band: peak}", "{band: peak, day_type: weekend}")
    assert "rules[0]: this rule can never match: its conditions exclude one" in refusal(text)


def test_the_order_of_pools_must_be_their_own():
    twin = "  - {id: more, covers: {}, components: [airtime], amount: 1, unit: 60s, order: 1}\n"
    text = VOICE.replace("bands:", twin + "bands:").replace("[free]", "[free, more]")
    assert "pools[1].order: pools 'free' and 'more' both have order 1" in refusal(text)


def test_two_components_of_an_event_share_a_pool_only_when_the_pool_says_so():
    text = VOICE.replace("components: [airtime]", "components: [airtime, toll], draw: base")
    text = text.replace("[6, 6]", "[6, 6], pools: [free]")
    message = refusal(text)
    assert (
        "conf/tariffs/example.yml:10: pools[0]: two components of one event draw on this pool"
        in message
    )
    assert read(text.replace("draw: base", "draw: base, both: true")).pools[0].both


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ('[{up_to: 10, rate: "1"}]', "bounds (up_to) are cumulative"),
        (
            '[{up_to: 10, rate: "1"}, {up_to: 5, rate: "1"}, {up_to: null, rate: "1"}]',
            "bounds (up_to)",
        ),
    ],
)
def test_tiers_end_open_and_grow(steps, expected):
    tier = f"tiers: [{{component: toll, mode: graduated, per: 6s, steps: {steps}}}]\n"
    assert f"tiers[0].steps: {expected}" in refusal(VOICE + tier)


def test_only_the_flat_amount_of_a_tier_may_be_below_zero():
    steps = '[{up_to: 10, rate: "1"}, {up_to: null, rate: "1", flat: "-5"}]'
    tier = f"tiers: [{{component: toll, mode: graduated, per: 6s, steps: {steps}}}]\n"
    assert read(VOICE + tier).tiers[0].steps[1].flat == -5
    below = tier.replace('rate: "1", flat', 'rate: "-1", flat')
    assert "tiers[0].steps[1].rate: expected 0 or more; got '-1'" in refusal(VOICE + below)


def test_month_prices_are_not_rounded_at_event():
    text = DATA.replace("at: none", "at: event")
    tiers = TIERS.replace("toll", "volume").replace("6s", "1KB")
    assert "tiers[0]: tiers cannot be combined with rounding at event" in refusal(text + tiers)
    text = text.replace("[1KB, 1KB]", "[1KB, 1KB], increment_at: month")
    assert "increment_at: increment_at: month cannot be combined with rounding at event" in refusal(
        text
    )


def test_a_package_may_pass_what_it_does_not_price():
    priced = VOICE[: VOICE.index("  - {component: toll")] + "rounding: {at: none}\n"
    package = read(priced + "otherwise: pass_through\n")
    assert tariff.first_rule(package, "toll", facts(package, toll="intl")) is None


def test_every_problem_of_every_file_is_named_at_once():
    one = VOICE.replace("pools: [free]", "pools: []").replace("to: 2010", "to: 2008")
    documents = [
        document.parse(one, Path("conf/tariffs/one.yml")),
        document.parse(DATA.replace('"5"', "5"), Path("conf/tariffs/two.yml")),
    ]
    with pytest.raises(ConfigError) as refused:
        catalogue.load(documents)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0:2] for line in lines] == [
        ["conf/tariffs/one.yml:5", "valid"],
        ["conf/tariffs/one.yml:10", "pools[0]"],
        ["conf/tariffs/two.yml:7", "monthly_fee"],
    ]


def test_an_id_names_one_package():
    documents = [document.parse(VOICE, Path(f"conf/tariffs/{name}.yml")) for name in "ab"]
    with pytest.raises(
        ConfigError, match="conf/tariffs/b.yml:1: id: duplicate package id 'example'"
    ):
        catalogue.load(documents)
