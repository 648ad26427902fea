"""A published trial: 64,000 customers drawn for one of two e-mails or none.

The expected values are those of the trial's data sheet.
"""

import csv

import numpy as np
import pytest

from models.evaluation.intervals import difference_of_means, difference_of_rates
from models.evaluation.sample_ratio import is_broken
from models.evaluation.sums import Sums
from tests.given.paths import SHARED

FILE = SHARED / "data" / "hillstrom" / "hillstrom.csv"
pytestmark = pytest.mark.realdata
MENS, WOMENS, NOBODY = "Mens E-Mail", "Womens E-Mail", "No E-Mail"


@pytest.fixture(scope="module")
def arms() -> dict[str, dict[str, np.ndarray]]:
    """Arm → column → values. Rows that equal each other are different customers and stay."""
    if not FILE.exists():
        pytest.skip("no folder of real data beside the project")
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {
        arm: {
            column: np.array([float(row[column]) for row in rows if row["segment"] == arm])
            for column in ("visit", "conversion", "spend")
        }
        for arm in (MENS, WOMENS, NOBODY)
    }


def rate(values: np.ndarray) -> Sums:
    return Sums.of_rate(values.size, int(values.sum()))


def test_the_arms_are_as_drawn(arms):
    sizes = {arm: columns["visit"].size for arm, columns in arms.items()}
    assert sizes == {MENS: 21_307, WOMENS: 21_387, NOBODY: 21_306}
    assert not is_broken(sizes[MENS], sizes[NOBODY], 0.5)
    assert not is_broken(sizes[WOMENS], sizes[NOBODY], 0.5)


@pytest.mark.parametrize(
    ("arm", "share", "uplift", "low", "high"),
    [
        (MENS, 0.182757, 0.076590, 0.069953, 0.083226),
        (WOMENS, 0.151400, 0.045233, 0.038894, 0.051573),
    ],
)
def test_visits_rose_as_published(arms, arm, share, uplift, low, high):
    """The sheet's intervals are Wald's: with 21,000 an arm Newcombe's differ in the sixth digit."""
    treated, control = rate(arms[arm]["visit"]), rate(arms[NOBODY]["visit"])
    found = difference_of_rates(treated, control)
    assert treated.mean == pytest.approx(share, abs=5e-7)
    assert control.mean == pytest.approx(0.106167, abs=5e-7)
    assert found.estimate == pytest.approx(uplift, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((low, high), abs=3e-6)


def test_orders_rose_as_published(arms):
    found = difference_of_rates(rate(arms[MENS]["conversion"]), rate(arms[NOBODY]["conversion"]))
    assert found.estimate == pytest.approx(0.006805, abs=5e-7)
    assert found.low > 0


def test_spend_rose_as_published(arms):
    found = difference_of_means(Sums.of(arms[MENS]["spend"]), Sums.of(arms[NOBODY]["spend"]))
    assert found.estimate == pytest.approx(0.769827, abs=5e-7)
    assert (found.low, found.high) == pytest.approx((0.485144, 1.054510), abs=2e-5)
