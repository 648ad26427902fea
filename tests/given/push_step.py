"""The steps around `push` over a warehouse of a few rows: nine channels, two targets each."""

import importlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.outbox.folder import Outbox
from jobs.plan.night import night
from jobs.runtime.context import Run
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.tables import Tables
from jobs.warehouse.warehouse import Warehouse
from models.tariff import catalogue
from schemas import config
from schemas.contract import Contract
from schemas.window import Window
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS, named, rows
from tests.given.small_configuration import write
from tests.given.stored_tables import committed, made

DAY = date(2009, 5, 3)
BEFORE = date(2009, 5, 2)  # the night before, of which only the files are there
CUSTOMERS = (1, 2)
PILOT, MAY_DAY, ORDERED = "hall_pilot", date(2009, 5, 1), datetime(2009, 5, 3, 2, tzinfo=UTC)
PUSHED = (
    "hall",
    "sms",
    "web",
    "wap",
    "terminal",
    "customer_manager",
    "email",
    "hotline_outbound",
    "hotline_inbound",
)


class PushStep:
    """A folder with tables, an outbox and a configuration of one's own over the shipped one."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.warehouse = spark, folder / "warehouse"
        self.outbox, self.local = folder / "push", folder / "local"
        self.conf = self.configured("")
        _stored(self.warehouse, self.conf, PUSHED)

    def configured(self, channels: str) -> config.Config:
        """The shipped configuration with this text as a later channels.yml."""
        write(self.local, {"channels.yml": channels or "{}\n"})
        return config.load([CONF, self.local], CONTRACTS)

    def run(self, run_id: str, conf: config.Config | None = None, name: str = "push") -> None:
        """One run of the step for the day, or of the other step that this one prepares."""
        conf = conf or self.conf
        ledger, judge = Ledger(run_id, conf.fingerprint), Judge(None, run_id)
        tables = Tables(self.spark, str(self.warehouse), CONTRACTS, run_id)
        warehouse = Warehouse(tables, CONTRACTS, conf, ledger, judge)
        (step,) = (one for one in night(conf) if one.name == name)
        warehouse.open([*step.reads, *step.writes])
        run = Run(
            conf,
            catalogue.load(conf.tariffs.values()),
            warehouse,
            None,
            Outbox(self.outbox),
            ledger,
            judge,
        )
        window = Window(DAY, DAY)
        try:
            with warehouse.step(step, window):
                importlib.import_module(step.module).run(run.context(step, window))
        finally:
            warehouse.close()

    def files(self) -> dict[str, bytes]:
        """Every file of the outbox."""
        return {
            str(path.relative_to(self.outbox)): path.read_bytes()
            for path in sorted(self.outbox.rglob("*"))
            if path.is_file()
        }


def _stored(warehouse: Path, conf: config.Config, channels: Sequence[str]) -> None:
    start = datetime(2009, 1, 1, tzinfo=UTC)
    hashed = sha256(f"{conf.runtime.identity_key}|subscriber|S1".encode()).hexdigest()[:15]
    both = [{"data_date": DAY, "customer_id": one, "subscriber_id": one} for one in CUSTOMERS]
    given = {
        "mart.decision": [
            {
                **row,
                "channel": channel,
                "campaign_id": "tariff_saving",
                "offer": "gotone_58",
                "fate": "pushed",
            }
            for row in both
            for channel in channels
        ],
        "mart.package_match": [
            {
                "data_date": DAY,
                "subscriber_id": one,
                "kind": "voice",
                "package_id": "gotone_58",
                "packages": ["gotone_58"],
                "new_packages": ["gotone_58"],
                "mean_present_cost": Decimal("100.00"),
                "mean_cost": Decimal("87.55"),
                "recommended": True,
            }
            for one in CUSTOMERS
        ],
        "mart.package_quote": [],
        "dw.subscriber_identity": [
            {
                **row,
                "msisdn": f"1380000000{row['customer_id']}",
                "valid_from": start,
                "valid_to": None,
            }
            for row in both
        ]
        + named(
            "data_date customer_id subscriber_id msisdn valid_from valid_to",
            (DAY, 1, int(hashed, 16), "13800000009", start, None),
        ),
        "dw.subscriber": [
            {
                **row,
                "subscriber_no": f"S{row['customer_id']}",
                "vip_level": "gold",
                "customer_no": f"C{row['customer_id']}",
                "branch": "海淀分公司",
            }
            for row in both
        ],
        "mart.channel_preference": named(
            "data_date customer_id channel rank",
            (DAY, 1, "web", 2),
            (DAY, 1, "hall", 1),
        ),
        "ods.customer": named("batch_date customer_no name", (DAY, "C1", "=王小明")),
        "ods.group_member": named("batch_date subscriber_no employee", (DAY, "S1", "J1")),
        "dw.contact_event": [],
        "dw.campaign_response": named(
            "data_date campaign_id wave customer_id assigned_on closes_on told_until ordered_at "
            "credits",
            (DAY, PILOT, 1, 1, MAY_DAY, date(2009, 5, 31), date(2009, 6, 3), ORDERED, 1),
        ),
        "ods.campaign_feedback": named(
            "batch_date feedback_no campaign_id wave subscriber_no channel contacted occurred_at "
            "local_date employee",
            (DAY, "F1", PILOT, 1, "S1", "hall", True, ORDERED, DAY, "Y1001"),
        ),
        "ods.campaign_order": [],
        "mart.push_file": named(
            "data_date channel file_name rows",
            (BEFORE, "sms", "sms_20090502.txt", 2),
            (BEFORE, "web", "web_20090502.tsv", 2),
        ),
        "ods.receipt": named(
            "batch_date channel pushed_file rows_loaded rows_failed",
            (DAY, "sms", "sms_20090502.txt", 1, 1),
            (DAY, "web", "web_20090502.tsv", 1, 0),
            (DAY, "hall", "nobody.csv", 1, 0),
        ),
    }
    for table, changes in given.items():
        contract = CONTRACTS[table]
        made(warehouse, contract, _records(contract, changes))
    committed(
        warehouse,
        *(
            (table, source, str(BEFORE if table == "mart.push_file" else DAY))
            for table in given
            for source in _sources(conf, table)
        ),
    )


def _records(contract: Contract, changes: Sequence[dict]) -> list[dict]:
    names = contract.column_names
    return [dict(zip(names, row, strict=True)) for row in rows(contract.table, *changes)]


def _sources(conf: config.Config, table: str) -> list[str]:
    if not table.startswith("ods."):
        return [""]
    return [name for name, one in conf.sources.items() if table in one.tables]
