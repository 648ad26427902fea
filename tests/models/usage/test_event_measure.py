"""Values of the shipped measures for large events, in batches as Spark hands them over."""

import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pytest

from models.tariff import catalogue
from models.tariff.measure import SERVICES, Units
from models.tariff.segmentation import Starts
from models.usage import register
from models.usage.event_measure import values_of
from models.usage.local_time import LocalTime
from schemas import config
from tests.given.paths import CONF

BATCH, FIRST = 10_000, int(datetime(2009, 3, 1, tzinfo=UTC).timestamp())
LARGE = {"data": 10 * 2**30, "voice": 31 * 86_400, "wlan": 366 * 86_400}
MIB = 2**20


@pytest.fixture(scope="module")
def measures():
    shipped = catalogue.load(config.load([CONF]).tariffs.values())
    return register.measures_wanted((), shipped)


def laid_out(measures, service, quantity):
    """The values of a batch of events of one service, and the most memory that they took."""
    moment = FIRST + 251 * np.arange(BATCH)
    starts = Starts(moment, moment.astype("datetime64[s]").astype("datetime64[D]"), moment % 86_400)
    tracemalloc.start()
    values = values_of(
        [measure.parsed for measure in measures],
        [SERVICES.index(measure.service) for measure in measures],
        np.full(BATCH, SERVICES.index(service)),
        np.full(BATCH, quantity),
        starts,
        LocalTime(),
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return values, most


@pytest.mark.parametrize("service", LARGE)
def test_memory_does_not_grow_with_the_quantity(measures, service):
    values, most = laid_out(measures, service, LARGE[service])
    small, rival = laid_out(measures, service, 60)
    assert values.shape == small.shape == (BATCH, len(measures))
    assert most < rival + 32 * MIB


@pytest.mark.parametrize("service", LARGE)
def test_an_event_has_units_in_the_measures_of_its_service_only(measures, service):
    """Each of its seconds or bytes is in one part of a segmentation."""
    values, _ = laid_out(measures, service, LARGE[service])
    together = {}
    for column, measure in zip(values.T, measures, strict=True):
        if measure.service != service:
            assert not column.any()
        elif isinstance(measure.parsed, Units):
            segmentation = measure.parsed.segmentation
            together[segmentation] = together.get(segmentation, 0) + column
    assert together
    for units in together.values():
        assert (units >= LARGE[service]).all()
        assert (units < LARGE[service] + MIB).all()
