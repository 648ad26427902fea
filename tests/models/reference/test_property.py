"""Properties of the reference rater for any increments, calls and start times."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from models.reference.rater import rate_month
from models.reference.tariff import billed_quantity
from schemas import document
from tests.given.paths import ROOT
from tests.given.tariff_examples import MARCH, airtime, call, package

GOTONE_80 = document.read(ROOT / "conf" / "tariffs" / "gotone_80.yml").data
PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(1, 90), st.integers(1, 90))
def test_billed_quantity_is_the_first_increment_and_whole_next_ones(seconds, first, following):
    billed = 0
    while billed < seconds:
        billed += first if billed == 0 else following
    assert billed_quantity(seconds, first, following) == billed


calls_of_a_month = st.lists(
    st.builds(
        lambda day, second, seconds, far, away: call(
            seconds,
            f"2009-03-{day:02d} {second // 3600:02d}:{second // 60 % 60:02d}:00",
            key=(day, second, seconds),
            toll="inter_prov" if far else "local",
            roaming="intra_prov" if away else "home",
        ),
        st.integers(1, 31),
        st.integers(0, 86399),
        st.integers(0, 4000),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(calls_of_a_month, st.randoms(use_true_random=False))
def test_lines_add_up_and_the_order_of_rows_changes_nothing(calls, random):
    tariff = GOTONE_80 | {
        "pools": [GOTONE_80["pools"][0] | {"amount": 40}],
        "rounding": {"at": "bill", "scale": 1, "mode": "half_even"},
    }
    bill = rate_month(tariff, calls, MARCH)
    lines = bill.lines.values()
    assert bill.fee + sum(line.charged for line in lines) + bill.rounding == bill.total
    assert sum(line.free_units for line in lines) == bill.pools["local_minutes"].used <= 40 * 60
    assert sum(line.events for line in lines) == len(calls) + sum(c.toll != "local" for c in calls)
    random.shuffle(calls)
    assert rate_month(tariff, calls, MARCH) == bill


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(0, 86399))
def test_split_bands_and_groups_agree_with_second_by_second_prices(seconds, start):
    cheap = [
        {"start": 0, "rate": "0.01", "per": "1s", "increment": 1},
        {"start": 50, "rate": "0.02", "per": "1s", "increment": 1},
    ]
    rules = [
        airtime("0.05", per="1s", increment=[1, 1], match={"band": "peak"}),
        {"component": "airtime", "groups": cheap},
    ]
    tariff = package(rules=rules, bands=PEAK, band_policy="split")
    expected = sum(
        5 if 8 * 3600 <= (start + second) % 86400 < 20 * 3600 else 1 if second < 50 else 2
        for second in range(seconds)
    )
    at = f"2009-03-03 {start // 3600:02d}:{start // 60 % 60:02d}:{start % 60:02d}"
    assert rate_month(tariff, [call(seconds, at)], MARCH).total == Fraction(expected, 100)
