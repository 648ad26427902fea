"""Every contact of every channel in one format 客户接触明细 (M1).

Grain of the result: one contact in `dw.contact_event`, in the slice of the delivery that began it;
one that links nobody is kept without a customer. A day before the window to whose contacts it
brings further rows is stale from then on, and made again. When this step fails, the contact view
stands still and preferences grow old.
"""

from datetime import timedelta

from pyspark.sql import DataFrame

from jobs.warehouse.warehouse import Warehouse
from models.contact.event import contact_event, continued_days
from models.contact.log import LOGS, OF_SEVERAL_ROWS
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    lookback = conf.lookback_days(*OF_SEVERAL_ROWS)
    days = timedelta(days=max(lookback.values(), default=0))
    around = Window(window.first - days, window.last + days)
    logs = {table: _rows(table, window, around, wh) for table in LOGS if table in wh.running.reads}
    if not wh.again and any(
        wh.ledger.is_committed("dw.contact_event", day)
        for day in around.days()
        if day < window.first
    ):
        begun = continued_days(logs, window=window, lookback_days=lookback).collect()
        wh.outdate(
            "dw.contact_event",
            sorted(row["batch_date"] for row in begun),
            f"a contact of that day goes on in {window}",
        )
    wh.replace(
        "dw.contact_event",
        contact_event(
            logs,
            wh.read("dw.subscriber_identity", on=window.last),
            window=window,
            lookback_days=lookback,
            placeholders=conf.policy.contact.placeholders,
            key=conf.runtime.identity_key,
        ),
    )


def _rows(table: str, window: Window, around: Window, wh: Warehouse) -> DataFrame:
    """The deliveries of the window, all of which there must be; of contacts of several rows those
    around it too."""
    rows = wh.read(table, window=window)
    if table in OF_SEVERAL_ROWS:
        rows = wh.read(table, window=around, whatever_is_there=True)
    return rows
