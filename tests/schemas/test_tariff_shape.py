"""The shape of a tariff file: the whole language, and slips in it."""

import pytest

from schemas import config
from tests.given.small_configuration import edit, refusal, write

WHOLE_LANGUAGE = """
id: whole
name: 全部字段
kind: voice
brands: [gotone, mzone]
source: assumed
present_only: true
valid: {from: 2009-01-01, to: 2010-01-01}
monthly_fee: "58"
partial_month: half_month
pools:
  - id: local_min
    covers: {service: voice, direction: [mo, fwd], roaming: home, in_group: false, band: peak}
    components: [airtime, toll]
    amount: 260
    unit: 60s
    order: 1
    draw: base
    both: true
    carry_over: true
rules:
  - {component: airtime, match: {direction: mo, band: [peak, off_peak], day_type: workday},
     rate: "0.40", per: 60s, increment: [60, 60], pools: [local_min], connect: "0.1"}
  - {component: airtime, match: {roaming: [intl, hkmotw]},
     groups: [{start: 0s, rate: "1.2", per: 60s, increment: 60},
              {start: 60, rate: "0.6", per: 60s, increment: 1s}]}
  - {component: toll, match: {dial: ip17951, toll: [intra_prov, inter_prov]},
     rate: "0.07", per: 6s, increment: [6s, 6s], increment_at: month}
bands:
  peak: [{days: all, from: "08:00", to: "20:00"}, {days: [weekend], from: 20:00, to: 24:00}]
band_policy: split
tiers:
  - {component: airtime, mode: graduated, per: 60s, flat_at_zero: true,
     steps: [{up_to: 100, rate: "0.3", flat: "5"}, {up_to: null, rate: "0.2"}]}
caps: {voice: "500"}
min_commitment: "10"
rounding: {at: line, scale: 2, mode: half_even}
otherwise: pass_through
"""


def test_the_whole_language_of_tariffs_has_a_shape(folder):
    write(folder, {"tariffs/whole.yml": WHOLE_LANGUAGE})
    assert list(config.load([folder]).tariffs) == ["gprs_standard", "whole"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "dial: ip17951",
            "dial: ip17950",
            "27: rules[2].match.dial: expected one of direct, ip17951, ip12593; got 'ip17950', "
            "did you mean 'ip17951'?",
        ),
        (
            "match: {roaming:",
            "match: {roming:",
            "24: rules[1].match.roming: unknown key, did you mean 'roaming'?",
        ),
        (
            "per: 6s,",
            "per: 6,",
            "28: rules[2].per: expected a quantity with its unit: 60s, 1KB, 30MB, 1msg; got 6",
        ),
        ("[6s, 6s]", "[6s]", "28: rules[2].increment: expected at least 2 of them; got ['6s']"),
        (
            'rate: "0.07", per: 6s, increment',
            "increment",
            "27: rules[2]: expected rate, per and increment, or groups; got a map",
        ),
        (
            "to: 24:00",
            "to: 25:00",
            "30: bands.peak[1].to: expected a time of day like \"08:00\"; got '25:00'",
        ),
        (
            "components: [airtime, toll]",
            "components: [airtime, airtime]",
            "14: pools[0].components: expected each value once; got ['airtime', 'airtime']",
        ),
        (
            "pools: [local_min]",
            "pools: [local_min, local_min]",
            "23: rules[0].pools: expected each value once; got ['local_min', 'local_min']",
        ),
        ('flat: "5"', "flat: 5", '34: tiers[0].steps[0].flat: prices are written as strings: "5"'),
        ("caps: {voice:", "caps: {voce:", "35: caps.voce: unknown key, did you mean 'voice'?"),
    ],
)
def test_a_slip_in_a_tariff_is_refused_at_its_line(folder, old, new, message):
    write(folder, {"tariffs/whole.yml": WHOLE_LANGUAGE})
    edit(folder, "tariffs/whole.yml", old, new)
    assert refusal(folder) == f"conf/tariffs/whole.yml:{message}"


# Contracts ---------------------------------------------------------------------------------------
