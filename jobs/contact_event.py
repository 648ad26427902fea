"""Every contact of every channel in one format 客户接触明细 (M1).

Grain of the result: one contact in `dw.contact_event`, in the slice of its delivery; a contact that
links nobody is kept without a customer. When this step fails, the contact view stands still and
preferences grow old.
"""
from jobs.warehouse import Warehouse
from models import contact
from models.contact_log import LOGS
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    wh.replace("dw.contact_event", contact.contact_event(
        {table: wh.read(table, window=window) for table in LOGS if table in wh.running.reads},
        wh.read("dw.subscriber_identity", on=window.last),
        placeholders=conf.policy.contact.placeholders, key=conf.runtime.identity_key))


if __name__ == "__main__":
    from jobs.night import step_main

    step_main("contact_event")
