"""Every contact of every channel in one format 客户接触明细 (M1).

Grain of the result: one contact in `dw.contact_event`, in the slice of the delivery in which it
began. A contact that matches no customer is kept without one, and counted by source and day. Where
the window brings further rows for a contact of an earlier day, that day becomes stale and is
rebuilt. When this step fails, the contact view is not updated and preferences grow old.
"""

from datetime import timedelta

from pyspark.sql import DataFrame

from jobs.intake import owners
from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.contact.event import contact_event, continued_days, linked
from models.contact.log import LOGS, OF_SEVERAL_ROWS
from models.intake import number_form
from schemas.window import Window


def run(context: Context) -> None:
    warehouse, conf, window = context.warehouse, context.conf, context.window
    lookback = conf.lookback_days(*OF_SEVERAL_ROWS)
    days = timedelta(days=max(lookback.values(), default=0))
    around = Window(window.first - days, window.last + days)
    logs = {table: _rows(table, context, around) for table in LOGS if table in context.step.reads}
    if not context.rebuild and any(
        context.ledger.is_committed("dw.contact_event", day)
        for day in around.days()
        if day < window.first
    ):
        begun = continued_days(logs, window=window, lookback_days=lookback).collect()
        warehouse.invalidate(
            "dw.contact_event",
            sorted(row["batch_date"] for row in begun),
            f"a contact of that day goes on in {window}",
        )
    identity = warehouse.read("dw.subscriber_identity", on=window.last)
    contacts = linked(
        logs,
        identity,
        window=window,
        lookback_days=lookback,
        placeholders=number_form.numbers_of(conf.policy.contact.placeholders, conf.runtime.numbers),
    )
    with cached(contacts) as contacts:
        numbered = contacts.where("number IS NOT NULL")
        owners.require(warehouse, "dw.contact_event", numbered, identity, "contacts")
        warehouse.replace("dw.contact_event", contact_event(contacts, conf.runtime.identity_key))


def _rows(table: str, context: Context, around: Window) -> DataFrame:
    """The rows of a log: those of the window, which must be committed.

    Of contacts of several rows also those delivered around the window.
    """
    rows = context.warehouse.read(table, window=context.window)
    if table in OF_SEVERAL_ROWS:
        rows = context.warehouse.read(table, window=around, allow_missing=True)
    return rows
