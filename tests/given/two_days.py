"""Two days of a province made by hand, and nights over them with one thing changed at a time."""

from datetime import timedelta
from pathlib import Path

from jobs import night
from tests.given.paths import CONF
from tests.given.tiny_province import DAYS, Landing
from tests.readers.warehouse_reader import query, table

FIRST, DAY = DAYS
NEXT = DAY + timedelta(days=1)
TABLES = (
    "ods.customer",
    "ods.subscriber",
    "ods.package_subscription",
    "ods.voice_call",
    "ods.bill",
    "ods.web_view",
    "ops.rejected_record",
)


class TwoDays:
    """A landing, a configuration and a warehouse with two days in it."""

    def __init__(self, folder: Path, conf: Path, sources) -> None:
        self.folder, self.conf, self.warehouse = folder, conf, folder / "warehouse"
        self.landing = Landing(folder / "landing [1]{2}", sources)  # no pattern, a name

    def night(self, *more: str, days=(DAY, DAY), warehouse=None, landing=None, conf=()) -> int:
        folders = [part for one in (CONF, self.conf, *conf) for part in ("--conf", one)]
        asked = [
            "--from-date",
            days[0],
            "--to-date",
            days[1],
            "--push",
            self.folder / "push",
            "--warehouse",
            warehouse or self.warehouse,
            "--landing",
            landing or self.landing.folder,
            *folders,
            *more,
        ]
        return night.main([str(one) for one in asked])

    def logs(self) -> set[Path]:
        return set((self.warehouse / "_logs").glob("*.log"))


def versions(warehouse):
    """Version of every table of the data; the ledger and the judgements go on."""
    return {name: table(warehouse, name).version() for name in TABLES}


def ledger(warehouse, *columns, state="committed"):
    return set(
        query(
            warehouse,
            f"SELECT {', '.join(columns)} FROM ledger WHERE state = '{state}'",
            ledger="ops.run_ledger",
        )
    )
