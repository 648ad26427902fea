"""The warehouse as its readers see it: through delta-rs and DuckDB, never through Spark."""

from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from models.reference.bill import MonthBill
from models.reference.rater import Rater
from models.reference.tariff import Event

# The facts of a usage record that a price can depend on, and its quantity.
USAGE = {
    "ods.voice_call": """
        'voice' AS service, direction, roaming, toll, dial, in_group, NULL AS message_kind,
        CASE WHEN outcome = 'missed' THEN 0 ELSE duration_s END AS quantity""",
    "ods.message": """
        service, direction, roaming, NULL AS toll, NULL AS dial, NULL AS in_group,
        kind AS message_kind, 1 AS quantity""",
    "ods.data_session": """
        'data' AS service, NULL AS direction, roaming, NULL AS toll, NULL AS dial,
        NULL AS in_group, NULL AS message_kind, bytes_up + bytes_down AS quantity""",
    "ods.wlan_session": """
        'wlan' AS service, NULL AS direction,
        CASE WHEN roaming_carrier IS NULL THEN 'home' ELSE 'intl' END AS roaming, NULL AS toll,
        NULL AS dial, NULL AS in_group, NULL AS message_kind, duration_s AS quantity""",
}
# The parts of one data session have this in common, and begin within a day after each other's end.
SESSION = "gateway || '/' || session_no || '/' || msisdn"
SESSION_GAP_S = 86_400


def table(warehouse: Path, name: str) -> DeltaTable:
    """A Delta table such as mart.decision."""
    return DeltaTable(str(warehouse / name.replace(".", "/")))


def all_rows(warehouse: Path, name: str) -> pa.Table:
    """All rows of a table.

    Through Arrow's own files: those of delta-rs call back into Python, which now and then aborts
    a process that ends soon after.
    """
    opened = table(warehouse, name)
    files = SubTreeFileSystem(str(warehouse / name.replace(".", "/")), LocalFileSystem())
    return opened.to_pyarrow_table(filesystem=files)


def query(warehouse: Path, sql: str, **tables: str) -> list[tuple]:
    """Rows of a DuckDB query; `tables`: name in the query → name of the table."""
    with duckdb.connect() as db:
        for name, of in tables.items():
            db.register(name, all_rows(warehouse, of))
        return db.sql(sql).fetchall()


def differing_rows(one: Path, other: Path, name: str) -> int:
    """Rows that stand in one of two versions of a table and not in the other, doubles counted."""
    with duckdb.connect() as db:
        for place, warehouse in (("a", one), ("b", other)):
            db.register(place, all_rows(warehouse, name))
        return db.sql(
            "SELECT count(*) FROM ((FROM a EXCEPT ALL FROM b) UNION ALL (FROM b EXCEPT ALL FROM a))"
        ).fetchall()[0][0]


def events(warehouse: Path, holidays=()) -> dict[int, list[Event]]:
    """Every call, message and data session as an event of the reference rater, by subscriber.

    Numbers are resolved here by the intervals of dw.subscriber_identity, in plain SQL; the parts of
    a data session are merged one after the other.
    """
    found: dict[int, list[Event]] = {}
    for source, facts in USAGE.items():
        data = source == "ods.data_session"
        rows = query(
            warehouse,
            f"""
            WITH owners AS (FROM identity WHERE data_date = (SELECT max(data_date) FROM identity)),
                 records AS (SELECT msisdn, occurred_at, local_date, local_second, file_name,
                                    row_no, {SESSION if data else "NULL"} AS session,
                                    {"duration_s" if data else "0"} AS lasting, {facts}
                             FROM usage)
            SELECT subscriber_id, session, lasting, epoch(occurred_at)::BIGINT, local_date,
                   local_second, service, direction, roaming, toll, dial, in_group, message_kind,
                   quantity
            FROM records AS r LEFT JOIN owners AS o
                 ON o.msisdn = r.msisdn AND r.occurred_at >= o.valid_from
                 AND (o.valid_to IS NULL OR r.occurred_at < o.valid_to)
            ORDER BY occurred_at, file_name, row_no""",
            usage=source,
            identity="dw.subscriber_identity",
        )
        open_sessions: dict[str, tuple[list[Event], int, int]] = {}  # events, place, end
        for number, (subscriber, session, lasting, at, day, second, *fact, quantity) in enumerate(
            rows
        ):
            mine, place, end = open_sessions.get(session, ([], 0, at - SESSION_GAP_S - 1))
            if session is not None and at <= end + SESSION_GAP_S:
                mine[place] = mine[place]._replace(quantity=mine[place].quantity + quantity)
                open_sessions[session] = mine, place, max(end, at + lasting)
                continue
            day_type = (
                "holiday" if day in holidays else "weekend" if day.weekday() >= 5 else "workday"
            )
            mine = [] if subscriber is None else found.setdefault(subscriber, [])
            mine.append(Event(f"{source}{number:09}", *fact, at, day, second, day_type, quantity))
            if session is not None:
                open_sessions[session] = mine, len(mine) - 1, at + lasting
    return found


def rerated(rater: Rater, mine: list[Event], month, joined, carried=None) -> MonthBill:
    """The reference rater's bill of the events that a candidate re-rates.

    In-group calls are left out (S2-07), 12593 calls pass (S2-R5); the rater is one that leaves the
    toll of direct calls out (S2-R4).
    """
    kept = [event for event in mine if not event.in_group and event.dial != "ip12593"]
    return rater.rate_month(kept, month, joined, carried)
