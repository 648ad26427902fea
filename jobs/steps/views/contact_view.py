"""One view of each customer's contacts by channel 客户接触信息视图 (M1).

Grain of the result: customer × channel in the snapshot of the last day. It is derived from the
snapshot of the day before and the window's events; without such a snapshot, from all events. When
this step fails, preferences miss the contacts of the night.
"""

from datetime import timedelta

from jobs.runtime.context import Context
from models.contact.view import contact_view


def run(context: Context) -> None:
    warehouse, window = context.warehouse, context.window
    day_before = window.first - timedelta(days=1)
    if warehouse.last_snapshot("dw.contact_view", day_before) == day_before:
        previous = warehouse.read("dw.contact_view", on=day_before)
        events = warehouse.read("dw.contact_event", window=window)
    else:
        previous = None
        events = warehouse.read("dw.contact_event", upto=window.last)
    warehouse.replace("dw.contact_view", contact_view(previous, events, data_date=window.last))
