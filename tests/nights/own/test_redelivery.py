"""A delivery that was corrected after its night: the next night leaves what the right one had."""

from datetime import date
from pathlib import Path

import pytest

from jobs import status
from jobs.warehouse.ledger import COMMITTED, FAILED, STALE
from schemas import config
from tests.given.paths import CONF
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import DAYS, SOURCES, calls, deliveries, overlay, visits
from tests.readers.warehouse_reader import differing_rows, query

FIRST, SECOND = DAYS
THIRD = date(2009, 5, 4)
STEPS = "ingest,identity,contact_event,contact_view"
TABLES = (
    "ods.customer",
    "ods.subscriber",
    "ods.package_subscription",
    "ods.voice_call",
    "dw.subscriber_identity",
    "dw.contact_event",
    "dw.contact_view",
    "ops.rejected_record",
)


class CorrectedNights(TinyNights):
    """Three days of deliveries without bills, those of the first day to be corrected."""

    def __init__(self, folder: Path, conf: Path, sources) -> None:
        super().__init__(folder, sources, conf)
        for (name, day), parts in deliveries().items():
            if name != "bill":
                self.landing.write(name, day, parts)
        for name in ("customer", "subscriber", "package_subscription"):
            self.landing.write(name, THIRD, [[]])
        self.landing.write("voice", THIRD, calls(THIRD))
        goes_on = f"W{SECOND:%d}1,2,portal,13800000001,{THIRD} 00:00:10,5,余额,1,,办理,,done,\r"
        self.landing.write("web_log", THIRD, [[*visits(THIRD), goes_on]])

    def correct(self) -> None:
        """Of the first day: a call less, which the second day repeats, and a visit less."""
        first, second = calls(FIRST)
        self.landing.write("voice", FIRST, [first[:5] + first[6:], second])
        self.landing.write("web_log", FIRST, [visits(FIRST)[:-1]])

    def night(self, first: date, last: date) -> int:
        return self.run(STEPS, first, last)

    def rows(self, columns: str, state: str) -> list[tuple]:
        return sorted(
            query(
                self.warehouse,
                f"SELECT {columns} FROM l WHERE state = '{state}'",
                l="ops.run_ledger",
            )
        )


@pytest.fixture(scope="module")
def right_and_wrong(spark, tmp_path_factory):
    """One that was delivered right at once, and one that was not; both after their third night."""
    folder = tmp_path_factory.mktemp("companies")
    shipped = config.load([CONF])
    conf = overlay(folder / "conf", shipped.sources, set(SOURCES) - {"bill"})
    right, wrong = (
        CorrectedNights(folder / name, conf, shipped.sources) for name in ("right", "wrong")
    )
    right.correct()
    assert right.night(*DAYS) == wrong.night(*DAYS) == 0
    wrong.correct()
    wrong.landing.path("package_subscription", SECOND).write_text("half a")
    assert right.night(THIRD, THIRD) == wrong.night(THIRD, THIRD) == 0
    return right, wrong


def test_the_tables_are_those_of_the_right_deliveries(right_and_wrong):
    for name in TABLES:
        pair = (one.warehouse for one in right_and_wrong)
        assert differing_rows(*pair, name) == 0, name


def test_a_session_that_midnight_cut_in_two_is_one_contact_of_the_day_it_began(right_and_wrong):
    for one in right_and_wrong:
        assert query(
            one.warehouse,
            """
            SELECT batch_date, kind, result, duration_s FROM c
            WHERE source_record = 'W031'""",
            c="dw.contact_event",
        ) == [(SECOND, "transaction", "success", 35)]


def test_what_hung_on_it_was_made_again_and_nothing_else(right_and_wrong):
    right, wrong = right_and_wrong
    goes_on = [
        ("dw.contact_event", str(SECOND)),
        ("dw.contact_view", str(SECOND)),
    ]  # of both days: they were loaded in one go
    assert right.rows('"table", slice', STALE) == goes_on
    visits_table = wrong.landing.sources["web_log"].record
    corrected = [
        ("dw.contact_event", str(FIRST)),
        ("dw.contact_event", str(SECOND)),  # a session may go on from day to day
        ("ods.voice_call", str(SECOND)),  # it repeats a call of the first
        (visits_table, str(SECOND)),
    ]
    assert wrong.rows('"table", slice', STALE) == sorted([*goes_on, *corrected])
    anew = [("ods.voice_call", str(FIRST)), (visits_table, str(FIRST))]
    again = wrong.rows('"table", slice', COMMITTED)
    for row in right.rows('"table", slice', COMMITTED):
        again.remove(row)
    assert again == sorted([*corrected, *anew])


def test_a_spoiled_delivery_of_an_earlier_day_is_told_and_stops_nothing(right_and_wrong, capsys):
    right, wrong = right_and_wrong
    (said,) = wrong.rows("source, slice, message", FAILED)
    assert said[:2] == ("package_subscription", str(SECOND))
    assert said[2].startswith("package_subscription 2009-05-03: package_20090503.txt: ")
    assert status.main([*wrong.where(), "--data-date", str(THIRD), "--days", "3"]) == 4
    shown = capsys.readouterr()
    assert "; the commit before it stays valid" in shown.out
    assert "to be rebuilt" not in shown.out
    assert "1 of 15 deliveries are missing or failed" in shown.err
    assert status.main([*right.where(), "--data-date", str(THIRD), "--days", "3"]) == 0
