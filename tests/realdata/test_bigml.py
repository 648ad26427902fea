"""Twenty thousand published charges, priced by the engine as one package of four prices.

The file gives the minutes of day, evening, night and international calls of 5,000 customers, in
tenths, and what each was charged: .17, .085, .045 and .27 yuan a minute. A tenth is one increment
of six seconds; each price is a rule of its own, so rounding at line rounds each charge once, half
up.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import pytest

from tests.given import event_records
from tests.given.paths import SHARED
from tests.given.tariff_examples import MARCH, airtime, call, package

FILE = SHARED / "data" / "bigml_churn" / "mlc_churn.csv"
pytestmark = pytest.mark.realdata
CENT = Decimal("0.01")
RATES = {"day": "0.17", "eve": "0.085", "night": "0.045", "intl": "0.27"}
STARTS = {"day": "08:00:00", "eve": "17:00:00", "night": "22:00:00", "intl": "12:00:00"}
SIX = {"per": "60s", "increment": [6, 6]}
FOUR_PRICES = package(
    "voice",
    [
        airtime(RATES["intl"], match={"toll": "intl"}, **SIX),
        airtime(RATES["day"], match={"band": "day"}, **SIX),
        airtime(RATES["eve"], match={"band": "evening"}, **SIX),
        airtime(RATES["night"], **SIX),
        {"component": "toll", "rate": "0", **SIX},
    ],
    bands={
        "day": [{"days": "all", "from": "08:00", "to": "17:00"}],
        "evening": [{"days": "all", "from": "17:00", "to": "22:00"}],
    },
    rounding={"at": "line", "scale": 2, "mode": "half_up"},
)
# Night minutes whose charge is an exact half cent that the file rounds down, and how often. It
# rounds its other half cents up: 186 more of the night and all of day, evening and international.
ROUNDED_DOWN = {
    "95.0": 1,
    "105.0": 1,
    "121.0": 2,
    "147.0": 3,
    "159.0": 7,
    "171.0": 5,
    "185.0": 2,
    "187.0": 3,
    "189.0": 4,
    "191.0": 5,
    "209.0": 3,
    "211.0": 3,
    "213.0": 3,
    "215.0": 1,
    "217.0": 6,
    "243.0": 5,
    "293.0": 1,
    "395.0": 1,
}


@dataclass(frozen=True)
class Charge:
    """Minutes of one price and what the file says that they cost."""

    name: str
    minutes: Decimal
    charged: Decimal

    def event(self):
        """All of them as one call from the beginning of the band."""
        seconds = self.minutes * 60
        assert seconds % 6 == 0
        return call(
            int(seconds),
            f"2009-03-03 {STARTS[self.name]}",
            key=self.name,
            toll="intl" if self.name == "intl" else "local",
        )


@pytest.fixture(scope="module")
def people():
    """The four charges of each customer."""
    if not FILE.exists():
        pytest.skip("no folder of real data beside the project")
    with open(FILE, encoding="utf-8", newline="") as lines:
        return [
            [
                Charge(
                    name,
                    Decimal(row[f"total_{name}_minutes"]),
                    Decimal(row[f"total_{name}_charge"]),
                )
                for name in RATES
            ]
            for row in csv.DictReader(lines)
        ]


@pytest.fixture(scope="module")
def rated(spark, people):
    """Prices by the engine: of each charge alone, and of each customer's four together."""
    months = [[charge] for charges in people for charge in charges] + people
    rows = event_records.evaluated(
        spark,
        {
            number: (MARCH, None, [charge.event() for charge in charges])
            for number, charges in enumerate(months)
        },
        {"four_prices": FOUR_PRICES},
        partitions=2,
    )
    prices = [rows[number, "four_prices"].rated for number in range(len(months))]
    return prices[: 4 * len(people)], prices[4 * len(people) :]


def test_all_but_56_of_20000_charges_are_equal_to_the_cent(people, rated):
    charges = [charge for charges in people for charge in charges]
    assert len(charges) == len(rated[0]) == 20_000
    equal = Counter(
        charge.name
        for charge, price in zip(charges, rated[0], strict=True)
        if price == charge.charged
    )
    assert equal == {"day": 5000, "eve": 5000, "night": 4944, "intl": 5000}


def test_the_other_56_are_half_cents_that_the_file_rounds_down(people, rated):
    charges = [charge for charges in people for charge in charges]
    other = [
        (charge, price)
        for charge, price in zip(charges, rated[0], strict=True)
        if price != charge.charged
    ]
    for charge, price in other:
        exact = charge.minutes * Decimal(RATES[charge.name])
        assert exact - charge.charged == CENT / 2
        assert price - charge.charged == CENT
    assert Counter(str(charge.minutes) for charge, _ in other) == ROUNDED_DOWN
    assert {charge.name for charge, _ in other} == {"night"}
    # 159.0 minutes at .045 are 7.155, half up 7.16; the file has 7.15.
    assert {
        (charge.charged, price) for charge, price in other if charge.minutes == Decimal("159.0")
    } == {(Decimal("7.15"), Decimal("7.16"))}


def test_a_bill_of_four_lines_is_the_sum_of_the_rounded_charges(people, rated):
    """Each line is rounded by itself: the cents that the file lacks are its ties of the night."""
    lacking = [
        price - sum(charge.charged for charge in charges)
        for charges, price in zip(people, rated[1], strict=True)
    ]
    assert Counter(lacking) == {Decimal(0): 4944, CENT: 56}
