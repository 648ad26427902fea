"""The file of a bundle: how it is read, and each mistake with file, line and what to do."""

import pytest

from jobs.pages.quote_picture import kinds_priced
from models.tariff.package import BUNDLE
from tests.models.tariff.test_catalogue import read, refusal

BUNDLE_FILE = """\
id: example
name: 例
services: [sms, voice, gprs]
brands: [gotone]
valid: {from: 2009-01-01, to: 2010-01-01}
source: assumed
monthly_fee: "58"
partial_month: none
pools:
  - {id: free, covers: {service: [voice, sms]}, components: [airtime, message], amount: 260,
     unit: 60s, order: 1, exchange: {sms: 60s}}
rules:
  - {component: airtime, rate: "0.40", per: 60s, increment: [60, 60], pools: [free]}
  - {component: toll, rate: "0.07", per: 6s, increment: [6, 6]}
  - {component: message, rate: "0.10", per: 1msg, increment: [1msg, 1msg], pools: [free]}
  - {component: volume, rate: "0.01", per: 1KB, increment: [1KB, 1KB]}
rounding: {at: line}
"""
TWO_TEXTS = BUNDLE_FILE.replace("[sms, voice, gprs]", "[sms, voice, gprs, mms]")
TEXT = 'rate: "0.10", per: 1msg, increment: [1msg, 1msg], pools: [free]'


def test_a_bundle_names_its_services_in_any_order():
    found = read(BUNDLE_FILE)
    assert found.kind == BUNDLE
    assert found.kinds == ("voice", "gprs", "sms")
    assert found.services == ("voice", "data", "sms")
    assert [rule.service for rule in found.rules] == ["voice", "voice", "sms", "data"]
    assert [rule.exchange for rule in found.rules] == [1, 1, 60, 1]
    assert read(BUNDLE_FILE.replace("gprs]", "data]")).kinds == found.kinds
    for named in (["sms", "voice", "gprs"], ["sms", "voice", "data"]):
        assert kinds_priced({"services": named}) == found.kinds


@pytest.mark.parametrize(
    ("text", "change", "message_of"),
    [
        (
            BUNDLE_FILE,
            ("services: [sms, voice, gprs]", "services: [sms, data, gprs]"),
            "conf/tariffs/example.yml:3: services[2]: 'gprs' is named twice: keep it once",
        ),
        (
            BUNDLE_FILE,
            ("services: [sms, voice, gprs]", "services: [sms, fax]"),
            "services[1]: expected one of voice, gprs, sms, mms, wlan; got 'fax'",
        ),
        (
            BUNDLE_FILE,
            ("services: [sms, voice, gprs]", "services: [voice]"),
            "services: a package of one service is written as kind: voice",
        ),
        (
            BUNDLE_FILE,
            ("services: [sms", "kind: voice\nservices: [sms"),
            "conf/tariffs/example.yml:4: services: give either kind (one service) or services",
        ),
        (
            BUNDLE_FILE,
            (
                '  - {component: volume, rate: "0.01", per: 1KB, increment: [1KB, 1KB]}\n',
                "",
            ),
            "conf/tariffs/example.yml:12: rules: no rule prices the volume of data, roaming home",
        ),
        (
            TWO_TEXTS,
            ("toll", "toll"),
            "conf/tariffs/example.yml:15: rules[2]: a package of voice, gprs, sms and mms has a "
            "message of sms and mms: name one of them in match.service",
        ),
        (
            BUNDLE_FILE,
            (TEXT, TEXT + ", match: {service: mms}"),
            "rules[2].match.service: expected one of sms; got 'mms'",
        ),
        (
            BUNDLE_FILE,
            ("covers: {service: [voice, sms]}", "covers: {service: [voice, sms], toll: local}"),
            "pools[0].covers.toll: sms has no such fact",
        ),
        (
            BUNDLE_FILE,
            (", exchange: {sms: 60s}", ""),
            "conf/tariffs/example.yml:10: pools[0]: the pool covers voice and sms: say with "
            "exchange what one unit of each but one of them takes, like exchange: {sms: 60s}",
        ),
        (
            BUNDLE_FILE,
            ("exchange: {sms: 60s}", "exchange: {sms: 90s}"),
            "conf/tariffs/example.yml:15: rules[2]: pool 'free' is drawn in blocks of 60, and one "
            "unit of sms takes 90: each increment must take a whole number of blocks",
        ),
        (
            BUNDLE_FILE,
            ("exchange: {sms: 60s}", "exchange: {sms: 1KB}"),
            "conf/tariffs/example.yml:11: pools[0].exchange.sms: the pool is counted in seconds, "
            "like 60s; got '1KB'",
        ),
        (
            BUNDLE_FILE,
            ("exchange: {sms: 60s}", "exchange: {sms: 60s, gprs: 1s}"),
            "pools[0].exchange.gprs: the pool does not cover gprs; it covers voice and sms",
        ),
        (
            BUNDLE_FILE,
            ("rounding: {at: line}", 'caps: {mms: "5"}\nrounding: {at: line}'),
            "caps.mms: a package of voice, gprs and sms can cap only its own usage",
        ),
        (
            BUNDLE_FILE,
            (
                "rounding: {at: line}",
                "tiers: [{component: message, mode: volume, per: 1msg, "
                'steps: [{up_to: null, rate: "1"}]}]\nrounding: {at: line}',
            ),
            "tiers[0]: rules[2] draws on a pool by exchange, which leaves parts of a unit",
        ),
        (
            BUNDLE_FILE,
            (TEXT, TEXT + ", increment_at: month"),
            "rules[2].increment_at: increment_at: month cannot be combined with a pool that is "
            "drawn by exchange",
        ),
        (
            BUNDLE_FILE,
            ("rounding: {at: line}", "excludes: [other]\nrounding: {at: line}"),
            "conf/tariffs/example.yml:17: excludes[0]: no package 'other'; known: example",
        ),
        (
            BUNDLE_FILE,
            ("rounding: {at: line}", "requires: [example]\nrounding: {at: line}"),
            "requires[0]: the package names itself: remove it here",
        ),
        (
            BUNDLE_FILE,
            ("rounding: {at: line}", "fee_when: used\nrounding: {at: line}"),
            None,
        ),
        (
            BUNDLE_FILE.replace('fee: "58"', 'fee: "0"'),
            ("rounding: {at: line}", "fee_when: used\nrounding: {at: line}"),
            "conf/tariffs/example.yml:17: fee_when: without a fee and a commitment nothing depends",
        ),
        (
            BUNDLE_FILE.replace("rounding", "fee_when: used\nrounding"),
            ("order: 1,", "order: 1, carry_over: true,"),
            "pools[0].carry_over: cannot be combined with fee_when: used",
        ),
    ],
)
def test_a_mistake_in_a_bundle_is_refused_with_its_place(text, change, message_of):
    assert change[0] in text
    if message_of is None:
        assert read(text.replace(*change)).fee_when == "used"
    else:
        assert message_of in refusal(text.replace(*change))


def test_pools_of_one_rule_take_the_same_of_a_unit():
    more = BUNDLE_FILE.replace(
        "rules:\n",
        "  - {id: texts, covers: {service: sms}, components: [message], amount: 9, unit: 1msg,\n"
        "     order: 2}\nrules:\n",
    ).replace(TEXT, TEXT.replace("[free]", "[free, texts]"))
    assert (
        "rules[2].pools: one unit of sms takes 60 of 'free', 1 of 'texts': the pools of a rule "
        "must take the same" in refusal(more)
    )
