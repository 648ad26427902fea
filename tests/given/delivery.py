"""The file of one channel in a push folder, the folder that it is delivered to, and a ledger."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from jobs.outbox import delivery
from jobs.outbox.folder import Outbox
from schemas.config import Channel, Push
from schemas.config.channel import Sink

DAY = date(2009, 5, 3)
NAME = "sms_20090503.txt"
ZONE = ZoneInfo("Asia/Shanghai")
SECOND = "sms_20090503_02.txt"


class World:
    """An outbox with the file of one channel, a folder that it is delivered to, and a ledger."""

    def __init__(self, folder):
        self.outbox, self.there = Outbox(folder / "push"), folder / "gateway"
        self.sink = Sink(str(self.there))
        self.rows = []
        self.at = datetime(2009, 5, 4, 3, 0, tzinfo=ZONE)
        self.stage(b"13800000001|hello\n")

    @property
    def channel(self):
        push = Push("sms_{yyyymmdd}.txt", ("msisdn",), deliver_to=self.sink)
        return Channel("sms", "短信", 1, Decimal(1), 1, push)

    def stage(self, body):
        sent = self.outbox.write("sms", DAY, NAME, [body], 0o600)
        told = {"file": NAME, "rows": 1, "bytes": sent.bytes, "sha256": sent.sha256}
        self.outbox.write("sms", DAY, f"{NAME}.manifest.json", [json.dumps(told).encode()], 0o600)

    @property
    def last(self):
        return delivery.latest(self.rows, "sms", DAY)

    def told(self, row):
        """The row goes into the ledger, a second after the one before."""
        if row is not None:
            at = datetime(2009, 5, 4, 2, 0, len(self.rows), tzinfo=UTC)
            self.rows.append({**vars(row), "run_id": "r", "told_at": at})
        return row

    def deliver(self):
        held = delivery.was_held(self.rows, "sms", DAY)
        return self.told(delivery.deliver(self.outbox, self.channel, DAY, self.last, self.at, held))

    def resend(self):
        return self.told(delivery.resend(self.outbox, self.channel, DAY, self.last))

    def recall(self):
        return self.told(delivery.recall(self.channel, DAY, self.last))

    def files(self):
        return sorted(path.name for path in self.there.iterdir()) if self.there.is_dir() else []

    def manifest(self, name):
        return json.loads((self.there / f"{name}.manifest.json").read_text("utf-8"))
