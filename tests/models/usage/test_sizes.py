"""Quantities of today: sessions of gigabytes, calls of a month, very many events of one person."""

from decimal import Decimal

import pytest

from models.usage import cube as usage_cube
from models.usage import register
from tests.given.event_records import rated, tariffs_of
from tests.given.many_events import APRIL, DAYS, begins, guided
from tests.given.tariff_examples import airtime, package, pool

PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
BANDED = [airtime("0.40", match={"band": "peak"}, pools=["free"]), airtime("0.24", pools=["free"])]
FREE = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
VOLUME = {"component": "volume", "rate": "0.01", "per": "1KB", "increment": ["1KB", "1KB"]}

KB, GB = 1024, 10**9


@pytest.fixture(scope="module")
def tariffs():
    return tariffs_of(
        {
            "voice": package(
                rules=[*BANDED, FREE], bands=PEAK, band_policy="split", pools=[pool(30_000)]
            ),
            "data": package(kind="gprs", rules=[VOLUME]),
        }
    )


def summed(records, tariffs):
    """The cells of all subscribers, and the measures of calls."""
    measures = register.measures_wanted((), tariffs)
    months = usage_cube.by_month(usage_cube.by_day(records, measures), [APRIL], measures)
    found = [cell for row in months.collect() for cell in row.cells]
    return found, [one for one in measures if one.service == "voice"]


def test_20000_sessions_of_5_gb(spark, tariffs):
    records = guided(spark, tariffs, 100, sessions=(20_000, 5 * GB))
    cells, _ = summed(records, tariffs)
    each = -(-5 * GB // KB)
    assert sum(cell.quantity for cell in cells) == 20_000 * 5 * GB
    assert sum(cell.billed[0] for cell in cells) == 20_000 * each * KB
    rows = rated(spark, records, {number: ([APRIL], None) for number in range(100)}, tariffs)
    costs = [rows[number, APRIL, "data"].rated for number in range(100)]
    assert costs == [200 * each * Decimal("0.01")] * 100


def test_calls_of_30_days(spark, tariffs):
    """Every day has as many minutes in each of two bands; toll has no bands."""
    cells, voice = summed(guided(spark, tariffs, calls=(200, DAYS * 86400)), tariffs)
    seconds = {"peak": 43_200, "off_peak": 43_200, "": 86_400}
    assert {one.parsed.part[0] for one in voice} == set(seconds)
    for place, one in enumerate(voice):
        billed = sum(cell.billed[place] for cell in cells)
        assert billed == 200 * DAYS * seconds[one.parsed.part[0]]


def test_50000_calls_of_one_subscriber_in_a_month(spark, tariffs):
    """The free minutes go to the first calls; who calls by day pays more for the others."""
    records = guided(spark, tariffs, calls=(50_000, 61))
    row = rated(spark, records, {0: ([APRIL], None)}, tariffs)[0, APRIL, "voice"]
    free, cents = 30_000, 0
    for second in begins(50_000):
        for begun in (second, second + 60):
            free -= 1
            if free < 0:
                cents += 40 if 8 * 3600 <= begun % 86400 < 20 * 3600 else 24
    assert row.rated * 100 == cents
