"""One view of each customer's contacts by channel 客户接触信息视图 (M1).

Grain of the result: customer × channel in the snapshot of the last day, made from the snapshot of
the day before and the window's events; where there is no such snapshot, from all events. When this
step fails, preferences are learned from nothing new.
"""

from datetime import timedelta

from jobs.warehouse.warehouse import Warehouse
from models.contact.view import contact_view
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day_before = window.first - timedelta(days=1)
    if wh.last_snapshot("dw.contact_view", day_before) == day_before:
        previous = wh.read("dw.contact_view", on=day_before)
        events = wh.read("dw.contact_event", window=window)
    else:
        previous = None
        events = wh.read("dw.contact_event", upto=window.last)
    wh.replace("dw.contact_view", contact_view(previous, events, data_date=window.last))
