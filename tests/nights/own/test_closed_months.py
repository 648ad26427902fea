"""A month that closes is made whole; of earlier ones only the customers with late events."""

from datetime import date
from pathlib import Path

import pytest

from schemas import config
from tests.given.paths import CONF
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import PEOPLE, call, deliveries, overlay
from tests.readers.warehouse_reader import query, table

APRIL, MAY = date(2009, 4, 1), date(2009, 5, 1)
CLOSES = date(2009, 5, 3), date(2009, 6, 3)  # of April and of May
SOURCES = ("customer", "subscriber", "package_subscription", "voice")
STEPS = "ingest,identity,usage_day,usage_month,free_units"
POISONED, LATE = "13800000003", "13800000002"  # numbers of S3 and S2
COUNTED = """
    SELECT number, month, sum(cell.quantity)::BIGINT AS seconds
    FROM (SELECT month, subscriber_id, unnest(cells) AS cell FROM t)
    JOIN (SELECT DISTINCT subscriber_id, msisdn AS number FROM i) USING (subscriber_id)
    GROUP BY ALL"""


def lines(month: int) -> list[str]:
    """Of each customer six calls of an hour by day and six by night: more than pools hold."""
    return [
        call(
            100 * n + turn,
            date(2009, month, 7 + turn),
            f"2009{month:02}{7 + turn:02}{at}",
            msisdn=f"1380000000{n}",
            duration="3600",
        )
        for n in PEOPLE
        for turn, at in enumerate(("100000", "230000") * 6)
    ]


class ClosingNights(TinyNights):
    """Two nights, each of which closes a month."""

    def __init__(self, folder: Path) -> None:
        shipped = config.load([CONF]).sources
        super().__init__(folder, shipped, overlay(folder / "conf", shipped, SOURCES))
        landing = self.landing
        for name in SOURCES[:3]:
            landing.write(name, CLOSES[0], deliveries()[name, date(2009, 5, 2)])
            landing.write(name, CLOSES[1], [[]])
        landing.write("voice", CLOSES[0], [lines(4), []])
        late = call(999, APRIL, "20090420100000", msisdn=LATE, duration="61")
        landing.write("voice", CLOSES[1], [lines(5), [late]])

    def night(self, day: date, steps: str = STEPS) -> None:
        assert self.run(steps, day) == 0

    def splits(self) -> list[tuple]:
        """Of the three months that the second night compares."""
        return sorted(
            query(
                self.warehouse,
                "SELECT x::VARCHAR FROM t x WHERE month > '2009-02-28'",
                t="dw.free_unit_split",
            )
        )

    def seconds(self) -> dict[tuple[str, date], int]:
        return {
            (number, month): used
            for number, month, used in query(
                self.warehouse, COUNTED, t="dw.usage_month", i="dw.subscriber_identity"
            )
        }

    def files(self, month: date) -> list[str]:
        uris = table(self.warehouse, "dw.usage_month").file_uris()
        return sorted(uri for uri in uris if f"month={month}" in uri)


@pytest.fixture(scope="module")
def closed(spark, tmp_path_factory):
    """After April has closed somebody takes a row of it away; then May closes."""
    made = ClosingNights(tmp_path_factory.mktemp("closed months"))
    made.night(CLOSES[0])
    (who,) = query(
        made.warehouse,
        f"SELECT DISTINCT subscriber_id FROM i WHERE msisdn = '{POISONED}'",
        i="dw.subscriber_identity",
    )
    table(made.warehouse, "dw.usage_month").delete(f"subscriber_id = {who[0]}")
    made.night(CLOSES[1])
    return made


def test_a_late_call_touches_its_customer_in_its_month_and_nobody_else(closed):
    """What was taken away stays away: his April was not made again."""
    seconds = closed.seconds()
    assert seconds.pop((LATE, APRIL)) == 12 * 3600 + 61
    assert (POISONED, APRIL) not in seconds
    assert (POISONED, MAY) in seconds
    assert len(seconds) == 4 + 6
    assert set(seconds.values()) == {12 * 3600}


def test_free_units_are_split_anew_for_him_alone_as_if_all_were(closed):
    """Taken away, the splits are made again; made together they are those of the two nights. (Where
    packages carry units over, a month without usage has a split, too.)"""
    there = closed.splits()
    made = set(
        query(
            closed.warehouse,
            "SELECT month, count(DISTINCT subscriber_id) FROM t GROUP BY 1",
            t="dw.free_unit_split",
        )
    )
    assert {(APRIL, 6), (MAY, 6)} <= made
    table(closed.warehouse, "dw.free_unit_split").delete()
    closed.night(CLOSES[1], "free_units")
    assert closed.splits() == there


def test_a_close_that_is_run_again_writes_no_month_anew(closed):
    before = closed.files(APRIL), closed.files(MAY)
    closed.night(CLOSES[1], "usage_month")
    assert (closed.files(APRIL), closed.files(MAY)) == before


def test_a_day_that_was_made_again_makes_its_month_whole(closed):
    """Back-fill: the days of April's delivery are guided anew, so his April is there again."""
    closed.night(CLOSES[0], "usage_day")
    closed.night(CLOSES[1], "usage_month")
    assert closed.seconds()[POISONED, APRIL] == 12 * 3600
