"""Steps over a small warehouse, rows for them, and what other readers then find in it."""

from datetime import date
from pathlib import Path

from jobs.plan.step import Step
from schemas.window import Window
from tests.readers.warehouse_reader import all_rows
from tests.readers.warehouse_reader import table as delta_table

FIRST, SECOND, THIRD = (date(2009, 5, day) for day in (1, 2, 3))
APRIL = date(2009, 4, 1)
SUBSCRIPTION, CONTACT, MEASURE = "dw.subscription", "dw.contact_event", "dw.rating_measure"
MONTH, CUSTOMER, REJECTED = "dw.usage_month", "ods.customer", "ops.rejected_record"
TABLES = (SUBSCRIPTION, CONTACT, MEASURE, MONTH, CUSTOMER)


def step(reads=(), writes=(), source=None):
    return Step("demo", "views", "a step", tuple(reads), tuple(writes), source=source)


def write(wh, table, rows, first, last=None):
    with wh.step(step(writes=[table]), Window(first, last or first)):
        return wh.replace(table, rows)


def rows_of(folder, table, *columns):
    """Rows as delta-rs reads them, in order."""
    data = all_rows(Path(folder), table)
    return sorted(tuple(row[name] for name in columns) for row in data.to_pylist())


def version(folder, table):
    return delta_table(Path(folder), table).version()


def files(folder, table, day):
    """Data files of one slice."""
    return sorted(uri for uri in delta_table(Path(folder), table).file_uris() if f"={day}/" in uri)


def ledger_of(folder, run_id, *columns):
    found = all_rows(Path(folder), "ops.run_ledger")
    rows = [row for row in found.to_pylist() if row["run_id"] == run_id]
    return [
        tuple(row[name] for name in columns)
        for row in sorted(rows, key=lambda row: row["committed_at"])
    ]


def event(day, number, **changes):
    return {"batch_date": day, "contact_id": number, **changes}


def snapshot(day, *subscribers):
    return [{"data_date": day, "subscriber_id": number} for number in subscribers]
