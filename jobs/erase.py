"""Erase one customer: his rows of every table, his lines of archived deliveries and of files sent.

What tells of a customer is known from the contracts: his numbers within the intervals in which he
held them, his subscribers, himself. A line in which another customer called him is that customer's
and stays. `ops.erasure` keeps that it was done, by his keyed id. The replaced files of the tables
go at once, so no run from before can be undone in them. What is outside stays outside: a channel
has the files it fetched, the landing belongs to the systems that deliver, and the CRM may bring
him back with its next full load.
"""

from __future__ import annotations

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
from jobs.outbox import channel_file
from jobs.outbox.folder import Outbox
from jobs.runtime import session as runtime
from jobs.runtime import walk
from jobs.warehouse import delta_log
from jobs.warehouse.commit_note import ERASURE
from jobs.warehouse.delta_log import Commit
from jobs.warehouse.tables import Tables
from models.customer import erasure
from models.customer.identity import keyed_id
from schemas.config import Channel, Config
from schemas.contract import Contract
from schemas.errors import ConfigError

EXAMPLES = """examples:
  python -m jobs.erase --customer-no C0000001 --request R-2009-0017 --dry-run   what there is of him
  python -m jobs.erase --customer-no C0000001 --request R-2009-0017
exit codes: 0 done, or nothing is left of him; 2 nobody knows him, or arguments"""
RECORD = "ops.erasure"
KNOWN_BY = ("ods.subscriber", "ods.customer")  # erased last: until then the same command goes on
REQUEST = re.compile(r"(?!.*[0-9]{11})[0-9A-Za-z._/-]{1,64}")


@dataclass(frozen=True)
class Customer:
    """Whom to erase: `found` is what he is known by, `rows` how many rows are his by table.

    `words`: of what he is known by that which may stand in a delivered line.
    """

    id: int
    found: DataFrame
    words: frozenset[str]
    rows: Mapping[str, int]


def unswept(history: Sequence[Commit]) -> bool:
    """Whether files from before an erasure may still lie in the table's folder."""
    for commit in history:
        if commit.operation == "VACUUM END":
            return False
        if commit.note.startswith(ERASURE):
            return True
    return False


def _erase(argv: list[str] | None) -> None:
    parser = runtime.bare_parser("python -m jobs.erase", __doc__, EXAMPLES, "landing", "push")
    parser.add_argument(
        "--customer-no",
        metavar="C",
        required=True,
        help="the customer's number at the CRM (not his phone number)",
    )
    parser.add_argument(
        "--request",
        metavar="R",
        required=True,
        help="number of his request in your books: it stays in the record",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say how many rows are his, and stop"
    )
    args = parser.parse_args(argv)
    if not REQUEST.fullmatch(args.request):
        raise ConfigError(
            "--request: give 1 to 64 letters, digits and . _ / - without a phone "
            "number in them: it is kept"
        )
    conf, contracts = walk.configuration(runtime.conf_folders(args.conf))
    with nullcontext("") if args.dry_run else runtime.run_of(args.warehouse) as own_id:
        with runtime.session(conf, runtime.conf_folders(args.conf)) as spark:
            tables = Tables(spark, args.warehouse, contracts, own_id)
            hows = {
                table: how
                for table, how in conditions(contracts, conf).items()
                if tables.version(table) is not None
            }
            customer = _customer(tables, hows, args.customer_no, conf)
            if customer is None:
                _nobody(tables, args, conf, own_id)
                return
            for table, rows in customer.rows.items():
                print(f"  {table:<26} {rows:>9,} rows")
            if args.dry_run:
                print(f"{sum(customer.rows.values()):,} rows would be erased; nothing is touched")
                return
            _erase_him(tables, hows, customer, args, conf)
    print(
        f"request {args.request}: {sum(customer.rows.values()):,} rows are erased; runs from "
        "before cannot be undone in these tables"
    )


def conditions(contracts: Mapping[str, Contract], conf: Config) -> dict[str, str]:
    """By table how a row is told to be a customer's; ConfigError for one that would be missed."""
    age = max((source.max_age_days for source in conf.sources.values()), default=0)
    return {
        table: erasure.condition(contract, age)
        for table, contract in contracts.items()
        if table != RECORD and erasure.is_personal(contract)
    }


def _customer(
    tables: Tables, hows: Mapping[str, str], customer_no: str, conf: Config
) -> Customer | None:
    """The customer with all that is his; None when no delivery names him."""
    if not set(KNOWN_BY) <= set(hows):
        return None
    held = erasure.identifiers(
        tables.load("ods.customer"),
        tables.load("ods.subscriber"),
        customer_no,
        key=conf.runtime.identity_key,
        placeholders=conf.policy.contact.placeholders,
    )
    known = held.collect()  # once: it is read from tables that will not name him any more
    if not known:
        return None
    found = tables.spark.createDataFrame(known, held.schema)
    counts = [
        _his(tables, found, table, how)
        .agg(F.count(F.lit(1)).alias("rows"))
        .withColumn("table", F.lit(table))
        for table, how in hows.items()
    ]
    rows = {row["table"]: row["rows"] for row in reduce(DataFrame.unionByName, counts).collect()}
    customer_id = next(row["customer_id"] for row in known if row["customer_id"] is not None)
    words = frozenset(row[name] for row in known for name in erasure.WORDS if row[name])
    rows = {table: rows[table] for table in hows if rows[table]}  # in the order of the contracts
    return Customer(customer_id, found, words, rows)


def _his(
    tables: Tables, found: DataFrame, table: str, how: str, kind: str = "left_semi"
) -> DataFrame:
    """The rows of a table that are his (`left_anti`: that are not)."""
    return tables.load(table).alias("t").join(F.broadcast(found).alias("p"), F.expr(how), kind)


def _nobody(tables: Tables, args, conf: Config, own_id: str) -> None:
    """What is said of a customer whom no delivery names: erased before, or never known."""
    requests = []
    if tables.version(RECORD) is not None:
        his = F.col("customer_id") == keyed_id(
            "customer", F.lit(args.customer_no), key=conf.runtime.identity_key
        )
        requests = sorted(
            row[0] for row in tables.load(RECORD).where(his).select("request").distinct().collect()
        )
    if not requests:
        raise ConfigError(
            "--customer-no: neither ods.customer nor ods.subscriber names this "
            "customer, and none was erased under it"
        )
    if own_id:
        _sweep(tables, args.warehouse)
    print(f"nothing is left of him: he was erased by request {', '.join(requests)}")


def _erase_him(
    tables: Tables, hows: Mapping[str, str], customer: Customer, args, conf: Config
) -> None:
    """Files first, what he is known by last: interrupted, the same command finds the rest."""
    kept = archive.below(args.warehouse, args.landing)
    gone = archived_lines.erase(
        tables, kept, customer.found, customer.words, conf, tables.contracts
    )
    lines = {f"{source} deliveries": count for source, count in gone.items()}
    lines |= {
        f"{channel.id} files": _rewrite(tables, hows, customer, channel, Outbox(args.push))
        for channel in conf.channels.values()
        if channel.push is not None
    }
    lines = {place: count for place, count in lines.items() if count}
    for place, count in lines.items():
        print(f"  {place:<26} {count:>9,} lines", flush=True)
    note = ERASURE + tables.run_id
    tables.erase(
        customer.found,
        {table: hows[table] for table in customer.rows if table not in KNOWN_BY},
        note,
    )
    tables.create(RECORD)
    said = {
        "run_id": tables.run_id,
        "request": args.request,
        "customer_id": customer.id,
        "erased_at": datetime.now(UTC),
    }
    tables.append(
        RECORD,
        [
            {**said, "place": place, "rows_erased": rows}
            for place, rows in (customer.rows | lines).items()
        ],
    )
    for table in KNOWN_BY:
        if table in customer.rows:
            tables.erase(customer.found, {table: hows[table]}, note)
    _sweep(tables, args.warehouse)


def _rewrite(
    tables: Tables, hows: Mapping[str, str], customer: Customer, channel: Channel, outbox: Outbox
) -> int:
    """Write the channel's files that are still there without his lines; how many lines went."""
    table = f"push.{channel.id}"
    if table not in customer.rows:
        return 0
    by_day = _his(tables, customer.found, table, hows[table]).groupBy("data_date").count()
    lines = 0
    for day, count in by_day.collect():
        if not (outbox.folder / channel.id / str(day) / channel.push.file_on(day)).exists():
            continue
        others = _his(tables, customer.found, table, hows[table], "left_anti").where(
            F.col("data_date") == F.lit(day)
        )
        channel_file.send(outbox, channel, tables.contracts[table], day, others, others.count())
        lines += count
    return lines


def _sweep(tables: Tables, warehouse: str) -> None:
    """Remove what lies in the folders of tables from before an erasure."""
    tables.vacuum_at_once(
        [table for table in tables.contracts if unswept(delta_log.history(warehouse, table))]
    )


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.erase`; returns the exit code."""
    return runtime.guarded(lambda: _erase(argv))


if __name__ == "__main__":
    sys.exit(main())
