"""Usage that comes late, twice or corrected: the cube ends as if it had come right at once, and
only the months of those whom it concerns have changed.

Three nights of April and three of May, the month closing on the third.
"""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas import config
from tests.given.paths import CONF
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import DAYS, call, deliveries, overlay
from tests.readers.warehouse_reader import all_rows, differing_rows, query

FIRST, CLOSE = date(2009, 4, 28), date(2009, 5, 3)
APRIL = date(2009, 4, 1)
ALL_DAYS = [FIRST + timedelta(days=number) for number in range(7)]
STEPS = "ingest,identity,usage_day,usage_month"
PEOPLES = ("customer", "subscriber", "package_subscription")
LATE = call(91, date(2009, 4, 30), opp_no="13911111111")  # of the second subscriber
FORGOTTEN = call(92, date(2009, 4, 29), opp_no="13922222222")  # of the third
TWICE = call(93, date(2009, 4, 30), opp_no="13933333333")  # of the fourth
CELLS = """
    SELECT subscriber_id, {when} AS day, cell_id, sum(events), sum(billed_events), sum(quantity),
           sum(airtime_fee), sum(toll_fee), sum(other_fee) FROM d GROUP BY ALL"""


class UsageNights(TinyNights):
    """Calls of seven days; `come` says on which other days a call comes (also several)."""

    def __init__(self, folder: Path, conf: Path, sources, come) -> None:
        super().__init__(folder, sources, conf)
        self.come = come
        for day in ALL_DAYS:
            for name in PEOPLES:
                parts = deliveries()[name, DAYS[0]] if day == FIRST else [[]]
                self.landing.write(name, day, parts)
            self.deliver(day)

    def deliver(self, day: date) -> None:
        lines = [call(number, day) for number in range(12)]
        lines += [line for line, days in self.come.items() if day in days]
        self.landing.write("voice", day, [lines[::2], lines[1::2]])

    def night(self, first: date, last: date) -> "UsageNights":
        assert self.run(STEPS, first, last) == 0
        return self

    def usage(self, when: str = "local_date") -> list[tuple]:
        """Usage added up over the deliveries that brought it."""
        return sorted(query(self.warehouse, CELLS.format(when=when), d="dw.usage_day"))

    def months(self) -> dict[tuple, list]:
        """(month, subscriber_id) → cells of dw.usage_month."""
        return {
            (row["month"], row["subscriber_id"]): row["cells"]
            for row in all_rows(self.warehouse, "dw.usage_month").to_pylist()
        }


@pytest.fixture(scope="module")
def right_and_late(spark, tmp_path_factory):
    """One to which everything came on its day, and one to which it did not, with its months as they
    were at the close; both after the night behind it."""
    folder = tmp_path_factory.mktemp("usage")
    shipped = config.load([CONF])
    conf = overlay(folder / "conf", shipped.sources, (*PEOPLES, "voice"))
    (conf / "policy.yml").write_text("rating: {months: 1, min_months_won: 1}\n")
    own = {LATE: [date(2009, 4, 30)], FORGOTTEN: [date(2009, 4, 29)], TWICE: [date(2009, 4, 30)]}
    right = UsageNights(folder / "right", conf, shipped.sources, own)
    wrong = UsageNights(
        folder / "wrong",
        conf,
        shipped.sources,
        {LATE: [CLOSE], FORGOTTEN: [], TWICE: [date(2009, 4, 30), date(2009, 5, 2)]},
    )
    right.night(FIRST, ALL_DAYS[-1])
    wrong.night(FIRST, ALL_DAYS[2]).night(ALL_DAYS[3], CLOSE)
    at_the_close = wrong.months()
    wrong.come[FORGOTTEN] = [date(2009, 4, 29)]
    wrong.deliver(date(2009, 4, 29))
    wrong.night(ALL_DAYS[-1], ALL_DAYS[-1])
    return right, wrong, at_the_close


def test_days_and_months_are_those_of_the_right_deliveries(right_and_late):
    """Trap 23: what came twice counts once. Trap 24: what came late is in its month."""
    right, wrong, _ = right_and_late
    assert wrong.usage() == right.usage()
    assert len(right.usage()) > 30
    assert wrong.months() == right.months()
    assert len(right.months()) == 6


def test_a_month_is_the_sum_of_its_days_and_these_of_its_records(right_and_late):
    right, *_ = right_and_late
    days = Counter()
    for who, day, cell, events, billed, quantity, *_ in right.usage():
        if day.replace(day=1) == APRIL:
            days.update(
                {
                    (who, cell, "events"): events,
                    (who, cell, "billed_events"): billed,
                    (who, cell, "quantity"): quantity,
                }
            )
    months = Counter(
        {
            (who, cell["cell_id"], name): cell[name]
            for (_, who), cells in right.months().items()
            for cell in cells
            for name in ("events", "billed_events", "quantity")
        }
    )
    assert +months == +days
    given = query(
        right.warehouse,
        "SELECT count(*), sum(duration_s) FROM v WHERE month(local_date) = 4",
        v="ods.voice_call",
    )
    assert given == [
        tuple(
            sum(value for (*_, one), value in months.items() if one == name)
            for name in ("events", "quantity")
        )
    ]
    assert given[0][0] == 3 * 12 + 3


def test_a_late_call_touches_its_own_subscriber_and_day_only(right_and_late):
    """The slice of the night that brought it has it beside that day's own calls."""
    _, wrong, _ = right_and_late
    rows = query(
        wrong.warehouse,
        f"SELECT local_date, events, quantity FROM d WHERE batch_date = "
        f"DATE '{CLOSE}' AND local_date < DATE '{CLOSE}'",
        d="dw.usage_day",
    )
    assert rows == [(date(2009, 4, 30), 1, 92)]


def test_a_call_of_a_corrected_delivery_changes_one_customer_month(right_and_late):
    """Trap 24: the whole customer-month is made anew, and no other."""
    _, wrong, before = right_and_late
    after = wrong.months()
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    owner = query(
        wrong.warehouse,
        "SELECT DISTINCT subscriber_id FROM i WHERE msisdn = '13800000003'",
        i="dw.subscriber_identity",
    )
    assert changed == [(APRIL, owner[0][0])]
    told = [sum(cell["quantity"] for cell in months[changed[0]]) for months in (before, after)]
    assert told[1] - told[0] == 93


def test_the_same_nights_once_more_add_nothing(right_and_late):
    """Trap 23: a rerun adds nothing, in whatever ranges."""
    right, wrong, _ = right_and_late
    usage, months = right.usage("batch_date"), right.months()
    right.night(ALL_DAYS[1], CLOSE)
    assert right.usage("batch_date") == usage
    assert right.months() == months
    assert differing_rows(right.warehouse, wrong.warehouse, "dw.usage_month") == 0
