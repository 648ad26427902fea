"""Which events a replay uses, with known and with unknown cells."""

from datetime import date

import pytest

from models.rating import free_units
from models.usage import events as usage_events
from tests.given.event_records import guided, tariffs_of
from tests.given.frames import local_frame
from tests.given.tariff_examples import MARCH, airtime, call, message, package, pool, toll

PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
SOLD = {
    "two_minutes": package(
        rules=[
            airtime("0.40", match={"band": "peak"}, pools=["free"]),
            airtime("0.24", pools=["free"]),
            toll("0"),
        ],
        bands=PEAK,
        pools=[pool(2)],
    )
}
TALKER, SILENT, OTHER = 1, 2, 3
NIGHT = call(60, "2009-03-02 07:00:00", "night")
EVENTS = {
    # Delivered in another order than answered. A minute by night and one of the three by day are
    # free; with the day first, one minute of each would be paid.
    TALKER: [
        call(180, "2009-03-02 12:00:00", "day"),
        NIGHT,
        call(0, "2009-03-01 12:00:00", "missed"),
        call(600, "2009-03-01 12:00:00", "in group", in_group=True),
        call(600, "2009-04-01 00:00:00", "a month later"),
        message("2009-03-01 12:00:00"),
    ],
    SILENT: [],
    OTHER: [call(600, "2009-03-02 12:00:00", "not wanted")],
}


@pytest.mark.parametrize("registered", ["all", "by night", "none"])
def test_the_free_minutes_are_the_first_of_the_month_that_is_wanted(spark, registered):
    """(Seconds to pay, seconds left) by customer. Events with an unknown cell are replayed too.

    A cell may be unknown if the bands of the catalogue have changed since the days were added up.
    """
    tariffs = tariffs_of(SOLD)
    records = guided(spark, EVENTS, tariffs)
    cells = (
        []
        if registered == "none"
        else [
            cell
            for cell in usage_events.cells(records).collect()
            if registered == "all" or cell.slot_from == 0
        ]
    )
    wanted = local_frame(
        spark,
        [(TALKER, MARCH, None, [0]), (SILENT, MARCH, None, [0])],
        "subscriber_id long, month date, joined date, wanted array<int>",
    )
    some = free_units.representatives(tariffs.packages.values(), "all")
    rows = free_units.split(records, wanted, cells, some, "all", ()).collect()
    assert {
        (row.subscriber_id, row.month): ([n for n in row.paid if n], row.left) for row in rows
    } == {(TALKER, date(2009, 3, 1)): ([120], [0]), (SILENT, date(2009, 3, 1)): ([], [120])}
