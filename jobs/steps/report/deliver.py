"""Deliver the channels' files to their sinks 投递.

Grain of the result: an attempt to deliver a file, in `ops.delivery`. A sink that fails leaves its
file staged in the push folder, the others get theirs, and the next run delivers what is left. A
file that is ready too late for its channel is held for the next night or dropped, as channels.yml
says. The clock counts here, where a file leaves, and its time is in the row: no table but
`mart.receipt_check`, which expects no receipt of a file that did not leave, depends on it.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from jobs.outbox import delivery
from jobs.runtime.context import Context
from schemas.errors import ChudianError

TABLE = "ops.delivery"


def run(context: Context) -> None:
    warehouse, day = context.warehouse, context.day
    channels = [one for one in context.conf.channels.values() if one.push and one.push.deliver_to]
    before, zone = day - timedelta(days=1), ZoneInfo(context.conf.runtime.timezone)
    asked = f"data_date IN ('{before}', '{day}')"
    rows = warehouse.read(TABLE).where(asked).collect() if channels else []
    known, told = [row.asDict() for row in rows], []
    for channel in channels:
        for of in (before, day):
            held = delivery.was_held(known, channel.id, of)
            if of == before and not held:
                continue  # it was the night before that delivered its file
            now, last = datetime.now(UTC), delivery.latest(known, channel.id, of)
            row = delivery.deliver(context.outbox, channel, of, last, now.astimezone(zone), held)
            if row is not None:
                told.append({**vars(row), "run_id": context.ledger.run_id, "told_at": now})
    # Also without rows: an announced step ends as committed.
    warehouse.append(TABLE, warehouse.rows(TABLE, [SimpleNamespace(**row) for row in told]))
    failed = [row for row in told if row["state"] == delivery.FAILED]
    if failed:
        raise ChudianError(
            "\n".join(
                f"{row['channel']}: {row['file_name']} is not delivered: {row['because']}; it is "
                f"staged in {context.outbox.folder / row['channel'] / str(row['data_date'])}. Once "
                f"the cause is mended, run: python -m jobs.night --data-date {day} --only deliver"
                for row in failed
            )
        )
