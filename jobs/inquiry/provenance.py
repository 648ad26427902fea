"""Where one customer's row of a channel comes from: decision, quotes, months, bills, file, receipt.

Everything is read as it is committed now, for a night and a channel. Personal columns are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from jobs.inquiry import asked
from jobs.inquiry.asked import Asked
from models.contact_policy import person
from schemas.contract import APPEND_ONLY, Contract

DECISION, FUNNEL, PRICE = "mart.decision", "mart.decision_funnel", "mart.capacity_price"
TARGET, MATCH, QUOTE = "mart.target", "mart.package_match", "mart.package_quote"
BACKTEST, BILL, ITEM = "mart.backtest", "ods.bill", "ods.bill_item"
USAGE, CELL = "dw.usage_month", "dw.rating_cell"
FILE, CHECK = "mart.push_file", "mart.receipt_check"
RECEIPT, DELIVERY = "ods.receipt", "ops.delivery"
COMMITTED = (
    *asked.TABLES,
    *(DECISION, FUNNEL, PRICE, TARGET, MATCH, QUOTE, BACKTEST, BILL, ITEM, USAGE, CELL),
    *(FILE, CHECK, RECEIPT, DELIVERY),
)
OFFERED = ("pushed", "held_out")
MICRO = Decimal(1_000_000)
Row = dict[str, Any]


def tables_of(channel: str) -> tuple[str, ...]:
    """The tables that an answer about a channel is read from."""
    return (*COMMITTED, f"push.{channel}")


def provenance(about: Asked, contracts: Mapping[str, Contract], channel: str) -> Row:
    """The answer as plain values: instants, days and amounts are text.

    `evidence` is about the candidates that were pushed or held out; without one, about the first
    in the order of `asked.shown_order`.
    """
    return _Answer(about, contracts, channel).answer()


class _Answer:
    """The rows of one answer, and which version of which table they were read from."""

    def __init__(self, about: Asked, contracts: Mapping[str, Contract], channel: str) -> None:
        self.about, self.contracts, self.channel = about, contracts, channel
        self.read: dict[str, Row] = {}

    def answer(self) -> Row:
        about, day = self.about, self.about.day
        mine = {"customer_id": [about.customer_id]}
        decided = sorted(self._rows(DECISION, on=day, where=mine), key=asked.shown_order)
        here = [row for row in decided if row["channel"] == self.channel]
        shown = [row for row in here if row["fate"] in OFFERED] or here[:1]
        contacts = self._contacts()
        answer: Row = {
            "customer_id": about.customer_id,
            "data_date": day,
            "channel": self.channel,
            "timezone": about.evening.zone,
            "answer": _answer(here),
            "candidates": [_candidate(row) for row in here],
            "other_channels": [
                _some(row, "campaign_id", "wave", "offer", "channel", "value")
                for row in decided
                if row["fate"] == "pushed" and row["channel"] != self.channel
            ],
            "targets": self._targets(),
            "funnel": self._funnel(shown),
            "capacity": self._capacity(shown),
            "evidence": [self._evidence(row) for row in shown],
            "contacts": contacts,
            "pushed": self._pushed(),
            "file": self._file(),
            "tables": self.read,
        }
        return _plain(answer, ZoneInfo(about.evening.zone))

    def _rows(
        self,
        table: str,
        columns: Sequence[str] = (),
        *,
        on: date | None = None,
        where: Mapping[str, Collection],
    ) -> list[Row]:
        """Rows without their personal columns; empty where the slice of `on` is not committed."""
        contract, tables = self.contracts[table], self.about.tables
        self._note(table, on)
        if on is not None and not tables.ledger.is_committed(table, on):
            return []
        public = [one.name for one in contract.columns if not one.personal]
        return tables.rows(table, columns or public, on=on, where=where)

    def _note(self, table: str, slice_: date | None) -> None:
        """Remember the version that a table is read in, and the run that wrote the slice."""
        entry = self.about.tables.ledger.entry(table, slice_ or APPEND_ONLY)
        self.read[table] = {
            "version": self.about.tables.version(table),
            "slice": slice_,
            "run_id": entry and entry.run_id,
            "written_in_version": entry and entry.output_version,
            "config_fingerprint": entry and entry.config_fingerprint,
        }

    def _contacts(self) -> list[Row]:
        """The contacts that the policy counted, at the end of the day."""
        about = self.about
        told = asked.told(about)
        for table in asked.TABLES:
            sliced = table in (asked.IDENTITY, asked.CONSENT, asked.SUBSCRIBER)
            self._note(table, about.day if sliced else None)
        somebody = person.person(about.customer_id, told, about.policy, about.evening)
        counted = [asked.contact(about, one) for one in somebody.contacts]
        return [one for one in counted if one["uses"]]

    def _targets(self) -> list[Row]:
        mine = {"customer_id": [self.about.customer_id]}
        rows = self._rows(TARGET, on=self.about.day, where=mine)
        names = ("campaign_id", "wave", "entered_because")
        return sorted(
            (_some(row, *names) for row in rows), key=lambda row: (row["campaign_id"], row["wave"])
        )

    def _funnel(self, shown: Sequence[Row]) -> list[Row]:
        """The funnels of the campaigns and waves that are shown, over the channel."""
        asked_for = {(row["campaign_id"], row["wave"]) for row in shown}
        where = {"campaign_id": sorted({one for one, _ in asked_for}), "channel": [self.channel]}
        rows = self._rows(FUNNEL, on=self.about.day, where=where) if asked_for else []
        names = ("campaign_id", "wave", "stage", "reason", "rows", "customers", "value")
        return [
            _some(row, *names)
            for row in sorted(rows, key=lambda row: [row[name] for name in names[:3]])
            if (row["campaign_id"], row["wave"]) in asked_for
        ]

    def _capacity(self, shown: Sequence[Row]) -> list[Row]:
        """The resources that the shown candidates use, as full and as dear as they were."""
        names = sorted({one["resource"] for row in shown for one in row["prices"] or ()})
        rows = self._rows(PRICE, on=self.about.day, where={"resource": names}) if names else []
        columns = ("resource", "unit", "capacity", "used", "price", "value_plus_one")
        return sorted((_some(row, *columns) for row in rows), key=lambda row: row["resource"])

    def _evidence(self, decision: Row) -> Row:
        """The match of an offer, the quotes of its months, and usage and bill of each month."""
        found: Row = {
            **_some(decision, "campaign_id", "wave", "offer"),
            **{"match": None, "quotes": [], "months": []},
        }
        snapshot = self.about.tables.last_snapshot(MATCH, self.about.day)
        subscriber = {"subscriber_id": [decision["subscriber_id"]]}
        if snapshot is None:
            return found
        offered = {**subscriber, "package_id": [decision["offer"]]}
        matches = self._rows(MATCH, on=snapshot, where=offered)
        if not matches:
            return found
        match = max(matches, key=lambda row: (row["recommended"], row["kind"]))
        quotes = self._rows(QUOTE, on=snapshot, where=subscriber)
        priced = sorted(
            (row for row in quotes if row["is_present"] or row["package_id"] in match["packages"]),
            key=lambda row: (row["month"], not row["is_present"], row["package_id"]),
        )
        hidden = ("data_date", "subscriber_id", "customer_id")
        return {
            **found,
            "match": {name: value for name, value in match.items() if name not in hidden},
            "quotes": [
                {name: value for name, value in row.items() if name not in hidden} for row in priced
            ],
            "months": self._months(decision["subscriber_id"], priced, snapshot),
        }

    def _months(self, subscriber_id: int, quotes: Sequence[Row], snapshot: date) -> list[Row]:
        """Usage by service, bill and back-test of each quoted month."""
        months = sorted({row["month"] for row in quotes})
        mine = {"subscriber_id": [subscriber_id]}
        tests = {row["month"]: row for row in self._rows(BACKTEST, on=snapshot, where=mine)}
        bills, items = self._bills(subscriber_id, months, snapshot)
        usage = self._usage(subscriber_id, months)
        checked = ("actual", "rated", "difference", "within_tolerance", "cause")
        return [
            {
                "month": month,
                "usage": usage.get(month, []),
                "bill": bills.get(month),
                "items": items.get(month, []),
                "backtest": _some(tests[month], *checked) if month in tests else None,
            }
            for month in months
        ]

    def _bills(
        self, subscriber_id: int, months: Sequence[date], snapshot: date
    ) -> tuple[dict[date, Row], dict[date, list[Row]]]:
        """By month the bill and its items, as delivered until the quotes were made."""
        about = self.about
        number = about.tables.rows(
            *(asked.SUBSCRIBER, ["subscriber_no"]),
            on=about.day,
            where={"subscriber_id": [subscriber_id]},
        )
        where = {"subscriber_no": [row["subscriber_no"] for row in number], "month": months}
        bills: dict[date, Row] = {}
        for row in sorted(self._rows(BILL, where=where), key=_delivered):
            if row["batch_date"] <= snapshot:
                bills[row["month"]] = _some(row, "total", "discount", "batch_date")
        items: dict[date, list[Row]] = {}
        for row in sorted(self._rows(ITEM, where=where), key=_delivered):
            if row["batch_date"] <= snapshot:
                items.setdefault(row["month"], []).append(
                    _some(row, "item_code", "package_id", "amount")
                )
        return bills, items

    def _usage(self, subscriber_id: int, months: Sequence[date]) -> dict[date, list[Row]]:
        """By month and service: events, quantity in base units, fees of the records."""
        where = {"subscriber_id": [subscriber_id], "month": months}
        rows = self._rows(USAGE, where=where) if months else []
        ids = {cell["cell_id"] for row in rows for cell in row["cells"]}
        columns = ("cell_id", "service")
        cells = self._rows(CELL, columns, where={"cell_id": sorted(ids)}) if ids else []
        service = {row["cell_id"]: row["service"] for row in cells}
        found: dict[date, list[Row]] = {}
        for row in rows:
            sums: dict[str, Row] = {}
            for cell in row["cells"]:
                of = service[cell["cell_id"]]
                one = sums.setdefault(
                    of, {"service": of, "events": 0, "quantity": 0, "fees": Decimal(0)}
                )
                one["events"] += cell["events"]
                one["quantity"] += cell["quantity"]
                fees = sum(cell[f"{kind}_fee"] or 0 for kind in ("airtime", "toll", "other"))
                one["fees"] += fees / MICRO
            found[row["month"]] = [sums[name] for name in sorted(sums)]
        return found

    def _pushed(self) -> list[Row]:
        """The pushed rows, without numbers and pictures."""
        table, mine = f"push.{self.channel}", {"customer_id": [self.about.customer_id]}
        rows = self._rows(table, on=self.about.day, where=mine)
        hidden = ("data_date", "customer_id", "subscriber_id", "picture")
        return [
            {name: value for name, value in row.items() if name not in hidden}
            for row in sorted(rows, key=lambda row: (row["campaign_id"], row["package_id"]))
        ]

    def _file(self) -> Row | None:
        """The channel's file of the night, where it was delivered, and what the channel loaded."""
        about = self.about
        here: dict[str, Collection] = {"channel": [self.channel]}
        files = self._rows(FILE, on=about.day, where=here)
        if not files:
            return None
        columns = ("file_name", "sequence", "sink", "state", "because", "told_at")
        mine = {**here, "data_date": [about.day]}
        told = sorted(self._rows(DELIVERY, columns, where=mine), key=lambda row: row["told_at"])
        names = sorted({files[0]["file_name"], *(row["file_name"] for row in told)})
        checks = self._rows(CHECK, where={**here, "file_name": names})
        receipts = self._rows(RECEIPT, where={**here, "pushed_file": names})
        checked = ("file_name", "pushed", "loaded", "failed", "missing", "alarm", "data_date")
        last = {
            row["file_name"]: _some(row, *checked)
            for row in sorted(checks, key=lambda row: row["data_date"])
        }
        got = ("pushed_file", "rows_loaded", "rows_failed", "received_at")
        return {
            **_some(files[0], "file_name", "rows", "test_rows", "sha256"),
            "deliveries": told,
            "receipts": [
                _some(row, *got) for row in sorted(receipts, key=lambda row: row["received_at"])
            ],
            "checks": [last[name] for name in sorted(last)],
        }


def _answer(here: Sequence[Row]) -> Row:
    """In short: pushed, held_out, spilled, dropped or no_candidate; of the first candidate."""
    if not here:
        return {"fate": "no_candidate", "reasons": []}
    return _some(here[0], "fate", "campaign_id", "wave", "offer", "reasons", "winner")


def _candidate(row: Row) -> Row:
    """A candidate with the parts of its value. `gain`: acceptance × the worth of the offer."""
    names = ("campaign_id", "wave", "offer", "fate", "reasons", "winner", "runner_up", "explored")
    parts = ("acceptance", "saving_value", "margin", "preference_value", "cost", "value")
    known = None not in (row["value"], row["preference_value"], row["cost"])
    return {
        **_some(row, *names, "propensity", *parts),
        "gain": row["value"] - row["preference_value"] + row["cost"] if known else None,
        **_some(row, "stay_bonus", "price", "reduced_value"),
        "prices": row["prices"] or [],
    }


def _delivered(row: Row) -> tuple:
    return row["batch_date"], row["file_name"], row["row_no"]


def _some(row: Mapping[str, Any], *names: str) -> Row:
    return {name: row[name] for name in names}


def _plain(value: Any, zone: ZoneInfo) -> Any:
    """A value for JSON: days, instants in the operator's zone and amounts as text."""
    if isinstance(value, Mapping):
        return {name: _plain(one, zone) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, zone) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value
