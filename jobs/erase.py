"""Erase one customer: rows of every table, lines of archived deliveries and of pushed files.

The contracts say which columns identify a customer: numbers within the intervals in which the
customer held them, subscribers, and the customer itself. A line in which another customer called
this one belongs to the other customer and stays. `ops.erasure` records the erasure under the
customer's keyed id. The replaced files of the tables are removed at once, so runs from before
cannot be undone in them. Outside nothing changes: channels have the files they fetched, the landing
belongs to the systems that deliver, and the next full load of the CRM may bring the customer back.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.intake import archive, archived_lines
from jobs.outbox import channel_file, handover
from jobs.outbox.folder import Outbox
from jobs.runtime import arguments, contract_changes, walk
from jobs.runtime.lock import guarded, run_of
from jobs.runtime.session import spark_session
from jobs.warehouse import delta_log
from jobs.warehouse.delta_log import ERASURE, Commit
from jobs.warehouse.tables import Tables
from models.customer import erasure
from models.customer.identity import keyed_id
from models.intake import number_form
from schemas.config import Channel, Config
from schemas.contract import Contract
from schemas.errors import ConfigError

EXAMPLES = """examples:
  python -m jobs.erase --customer-no C0000001 --request R-2009-0017 --dry-run   reports the rows
  python -m jobs.erase --customer-no C0000001 --request R-2009-0017
exit codes: 0 done, or erased before; 2 unknown customer, or arguments"""
RECORD = "ops.erasure"
HANDED_OVER = "r1/r2 files"
# Erased last: they hold the identifiers, so that an interrupted erasure can be continued.
SOURCES_OF_IDENTIFIERS = ("ods.subscriber", "ods.customer")
REQUEST = re.compile(r"(?!.*[0-9]{11})[0-9A-Za-z._/-]{1,64}")


@dataclass(frozen=True)
class Customer:
    """The customer to erase. `found`: the `identifiers`; `rows`: number of rows by table.

    `words`: the identifiers that a delivered line may contain.
    """

    id: int
    found: DataFrame
    words: frozenset[str]
    rows: dict[str, int]


def unswept(history: Sequence[Commit]) -> bool:
    """Whether the table's folder may still hold files from before an erasure.

    `history`: the commits of the table, the newest first.
    """
    for commit in history:
        if commit.operation == "VACUUM END":
            return False
        if commit.note.startswith(ERASURE):
            return True
    return False


def _erase(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.erase", __doc__, EXAMPLES, "landing", "push")
    parser.add_argument(
        "--customer-no",
        metavar="C",
        required=True,
        help="the customer's number at the CRM (not the phone number)",
    )
    parser.add_argument(
        "--request",
        metavar="R",
        required=True,
        help="number of the request in your records; it is kept in ops.erasure",
    )
    parser.add_argument("--dry-run", action="store_true", help="report the rows by table, and stop")
    args = parser.parse_args(argv)
    args.customer_no = number_form.key_of(args.customer_no)
    if not REQUEST.fullmatch(args.request):
        raise ConfigError(
            "--request: give 1 to 64 letters, digits and . _ / - without a phone "
            "number in them: it is kept"
        )
    conf, contracts, _ = walk.configuration(arguments.conf_folders(args.conf))
    delta_log.require_ledger(args.warehouse)
    contract_changes.require_currency(args.warehouse, contracts)
    with (
        nullcontext("") if args.dry_run else run_of(args.warehouse) as own_id,
        spark_session(conf, arguments.conf_folders(args.conf)) as spark,
    ):
        tables = Tables(spark, args.warehouse, contracts, own_id)
        present = {
            table: condition
            for table, condition in conditions(contracts, conf).items()
            if tables.version(table) is not None
        }
        customer = _customer(tables, present, args.customer_no, conf)
        if customer is None:
            _report_erased_before(tables, args, conf, own_id)
            return
        for table, rows in customer.rows.items():
            print(f"  {table:<26} {rows:>9,} rows")
        if args.dry_run:
            print(f"{sum(customer.rows.values()):,} rows would be erased; nothing is changed")
            return
        _erase_everywhere(tables, present, customer, args, conf)
    print(
        f"request {args.request}: {sum(customer.rows.values()):,} rows are erased; runs from "
        "before cannot be undone in these tables"
    )


def conditions(contracts: Mapping[str, Contract], conf: Config) -> dict[str, str]:
    """By table the SQL that finds a customer's rows; ConfigError for a table without a rule.

    Tables that an erasure leaves are not among them (Contract.kept_by_erasure).
    """
    age = max((source.max_age_days for source in conf.sources.values()), default=0)
    return {
        table: erasure.condition(contract, age)
        for table, contract in contracts.items()
        if table != RECORD and erasure.is_personal(contract) and not contract.kept_by_erasure
    }


def _customer(
    tables: Tables, conditions: Mapping[str, str], customer_no: str, conf: Config
) -> Customer | None:
    """The customer and the number of rows in each table; None if no delivery names the customer."""
    if not set(SOURCES_OF_IDENTIFIERS) <= set(conditions):
        return None
    identifiers = erasure.identifiers(
        tables.load("ods.customer"),
        tables.load("ods.subscriber"),
        customer_no,
        key=conf.runtime.identity_key,
        placeholders=number_form.numbers_of(conf.policy.contact.placeholders, conf.runtime.numbers),
    )
    known = identifiers.collect()  # once, because the erasure removes them from these tables
    if not known:
        return None
    found = tables.spark.createDataFrame(known, identifiers.schema)
    counts = [
        _rows_of(tables, found, table, condition)
        .agg(F.count(F.lit(1)).alias("rows"))
        .withColumn("table", F.lit(table))
        for table, condition in conditions.items()
    ]
    rows = {row["table"]: row["rows"] for row in reduce(DataFrame.unionByName, counts).collect()}
    customer_id = next(row["customer_id"] for row in known if row["customer_id"] is not None)
    words = frozenset(row[name] for row in known for name in erasure.WORDS if row[name])
    rows = {table: rows[table] for table in conditions if rows[table]}  # order of the contracts
    return Customer(customer_id, found, words, rows)


def _rows_of(
    tables: Tables, found: DataFrame, table: str, condition: str, kind: str = "left_semi"
) -> DataFrame:
    """The rows of a table that belong to the customer (`left_anti`: all others)."""
    identifiers = F.broadcast(found).alias("p")
    return tables.load(table).alias("t").join(identifiers, F.expr(condition), kind)


def _report_erased_before(
    tables: Tables, args: argparse.Namespace, conf: Config, own_id: str
) -> None:
    """Report the requests by which the customer was erased; ConfigError for an unknown customer.

    An erasure that was interrupted before its last part is completed.
    """
    requests: list[str] = []
    if tables.version(RECORD) is not None:
        is_same = F.col("customer_id") == keyed_id(
            "customer", F.lit(args.customer_no), key=conf.runtime.identity_key
        )
        records = tables.load(RECORD).where(is_same).select("request").distinct()
        requests = sorted(row[0] for row in records.collect())
    if not requests:
        raise ConfigError(
            "--customer-no: neither ods.customer nor ods.subscriber names this "
            "customer, and ops.erasure has no record of it"
        )
    if own_id:
        _sweep(tables, args.warehouse)
    print(f"nothing is left of this customer: erased by request {', '.join(requests)}")


def _erase_everywhere(
    tables: Tables,
    conditions: Mapping[str, str],
    customer: Customer,
    args: argparse.Namespace,
    conf: Config,
) -> None:
    """Erase files first, then tables, the identifiers last.

    After an interruption the same command finds what is left.
    """
    kept = archive.below(args.warehouse, args.landing)
    removed = archived_lines.erase(
        tables, kept, customer.found, customer.words, conf, tables.contracts
    )
    lines = {f"{source} deliveries": count for source, count in removed.items()}
    lines[HANDED_OVER] = 0
    for channel in conf.channels.values():
        rewritten, deleted = _rewrite(
            tables, conditions, customer, channel, conf, Outbox(args.push)
        )
        lines[f"{channel.id} files"] = rewritten
        lines[HANDED_OVER] += deleted
    lines = {place: count for place, count in lines.items() if count}
    for place, count in lines.items():
        unit = "files" if place == HANDED_OVER else "lines"
        print(f"  {place:<26} {count:>9,} {unit}", flush=True)
    note = ERASURE + tables.run_id
    tables.erase(
        customer.found,
        {
            table: conditions[table]
            for table in customer.rows
            if table not in SOURCES_OF_IDENTIFIERS
        },
        note,
    )
    tables.prepare([RECORD])
    record = {
        "run_id": tables.run_id,
        "request": args.request,
        "customer_id": customer.id,
        "erased_at": datetime.now(UTC),
    }
    tables.append(
        RECORD,
        [
            {**record, "place": place, "rows_erased": rows}
            for place, rows in (customer.rows | lines).items()
        ],
    )
    for table in SOURCES_OF_IDENTIFIERS:
        if table in customer.rows:
            tables.erase(customer.found, {table: conditions[table]}, note)
    _sweep(tables, args.warehouse)


def _rewrite(
    tables: Tables,
    conditions: Mapping[str, str],
    customer: Customer,
    channel: Channel,
    conf: Config,
    outbox: Outbox,
) -> tuple[int, int]:
    """Rewrite the channel's existing files without the customer's lines; the number of lines.

    What was handed over of these days is deleted: the number of files. `jobs.handover` writes them
    anew.
    """
    table = f"push.{channel.id}"
    if channel.push is None or table not in customer.rows:
        return 0, 0
    theirs = _rows_of(tables, customer.found, table, conditions[table])
    by_day = theirs.groupBy("data_date").count()
    lines, deleted = 0, 0
    for day, count in by_day.collect():
        deleted += len(handover.withdraw(outbox, channel.id, day))
        if not (outbox.folder / channel.id / str(day) / channel.push.file_on(day)).exists():
            continue
        others = _rows_of(tables, customer.found, table, conditions[table], "left_anti").where(
            F.col("data_date") == F.lit(day)
        )
        channel_file.send(
            outbox,
            channel,
            tables.contracts[table],
            day,
            others,
            others.count(),
            conf.campaigns.values(),
        )
        lines += count
    return lines, deleted


def _sweep(tables: Tables, warehouse: str) -> None:
    """Remove the replaced files of all tables that were changed by an erasure."""
    tables.vacuum_at_once(
        [table for table in tables.contracts if unswept(delta_log.history(warehouse, table))]
    )


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.erase`; returns the exit code."""
    return guarded(lambda: _erase(argv))


if __name__ == "__main__":
    sys.exit(main())
