"""Deliver the channels' files to their sinks 投递.

Grain of the result: an attempt to deliver a file, in `ops.delivery`. A sink that fails leaves its
file staged in the push folder, the others get theirs, and the next run delivers what is left.
"""

from datetime import UTC, datetime
from types import SimpleNamespace

from jobs.outbox import delivery
from jobs.runtime.context import Context
from schemas.errors import ChudianError

TABLE = "ops.delivery"


def run(context: Context) -> None:
    warehouse, day = context.warehouse, context.day
    channels = [one for one in context.conf.channels.values() if one.push and one.push.deliver_to]
    rows = warehouse.read(TABLE).where(f"data_date = '{day}'").collect() if channels else []
    known, told = [row.asDict() for row in rows], []
    for channel in channels:
        last = delivery.latest(known, channel.id, day)
        row = delivery.deliver(context.outbox, channel, day, last)
        if row is not None:
            own = {"run_id": context.ledger.run_id, "told_at": datetime.now(UTC)}
            told.append({**vars(row), **own})
    # Also without rows: an announced step ends as committed.
    warehouse.append(TABLE, warehouse.rows(TABLE, [SimpleNamespace(**row) for row in told]))
    failed = [row for row in told if row["state"] == delivery.FAILED]
    if failed:
        raise ChudianError(
            "\n".join(
                f"{row['channel']}: {row['file_name']} is not delivered: {row['because']}; it is "
                f"staged in {context.outbox.folder / row['channel'] / str(day)}. Once the cause is "
                f"mended, run: python -m jobs.night --data-date {day} --only deliver"
                for row in failed
            )
        )
