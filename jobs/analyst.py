"""A DuckDB file for analysts: the tables as they are committed now, and the views of conf/views.

The file holds no rows: it reads the files of the tables where they are. Tables are named by layer
(mart.decision); tables, columns and views have comments. Personal columns and restricted tables are
left out. Without --database the views are only queried.

Run it again after a night: files that were replaced are deleted by maintenance after some days.
Spark is not started.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.inquiry import database, views
from jobs.inquiry.database import Part
from jobs.inquiry.views import View
from jobs.outbox import workbook
from jobs.pages.text_table import table
from jobs.runtime import arguments, contract_changes, walk
from jobs.runtime.lock import guarded
from jobs.warehouse import delta_log
from schemas.config.channel import CSV, XLSX, Push
from schemas.contract import Contract
from schemas.document.violation import near_miss
from schemas.errors import ConfigError
from schemas.render.database import name, rows_sql, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXAMPLES = """examples:
  python -m jobs.analyst --list
  python -m jobs.analyst --database build/analyst.duckdb
  python -m jobs.analyst --query campaign_funnel --csv funnel.csv
  python -m jobs.analyst --query bill_backtest --xlsx backtest.xlsx
exit codes: 0 done; 2 arguments, configuration or a view; 4 no night has run"""
VERSIONS = "table_version"
SHOWN = 20  # rows on a terminal


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.analyst`; returns the exit code."""
    return guarded(lambda: _analyst(argv))


def _analyst(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.analyst", __doc__, EXAMPLES)
    parser.add_argument("--database", metavar="FILE", type=Path, help="write the DuckDB file")
    parser.add_argument("--list", action="store_true", help="the views, and what they answer")
    parser.add_argument("--query", metavar="VIEW", help="the rows of a view")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write them as CSV")
    parser.add_argument("--xlsx", metavar="FILE", type=Path, help="write them as a workbook")
    args = parser.parse_args(argv)
    if (args.csv or args.xlsx) and not args.query:
        raise ConfigError("--csv and --xlsx need --query VIEW; --list shows the views")
    if not (args.list or args.query or args.database):
        raise ConfigError("say what to do: --list, --query VIEW or --database FILE")
    folders = arguments.conf_folders(args.conf)
    _, contracts = walk.without_prices(folders)
    found = views.read(folders)
    views.require_sound(found, contracts)
    if args.query and args.query not in found:
        raise ConfigError(f"--query: no such view in conf/views{near_miss(args.query, found)}")
    if args.list:
        rows = [[one.name, one.name_cn, one.name_en, one.answers] for one in found.values()]
        print(table("Views", ["view", "名称", "name", "answers"], rows))
    if args.database:
        _write(args.database, args.warehouse, contracts, found)
    if args.query:
        with database.connected() as db:
            _fill(db, args.warehouse, contracts, found)
            _query(db, found[args.query], args.csv, args.xlsx)


def _write(
    path: Path, warehouse: str, contracts: Mapping[str, Contract], found: Mapping[str, View]
) -> None:
    """The database as a file, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--database: {path} cannot be written ({error.strerror}): check the folder and its "
            "rights"
        ) from None
    try:
        with database.connected(str(part)) as db:
            tables = _fill(db, warehouse, contracts, found)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    print(f"{path}: {tables} tables and {len(found)} views; duckdb -readonly {path}")


def _fill(
    db: DuckDBPyConnection,
    warehouse: str,
    contracts: Mapping[str, Contract],
    found: Mapping[str, View],
) -> int:
    """Create tables, their versions and the views; the number of tables that are there.

    A table that no night has made yet has no rows.
    """
    database.require_local(warehouse)
    contract_changes.require_currency(warehouse, contracts)
    wanted = {table: one for table, one in contracts.items() if views.public(one)}
    entries = delta_log.entries(warehouse, wanted)
    versions = delta_log.committed_versions(warehouse, wanted, entries)
    for table_, contract in wanted.items():
        columns = views.public(contract)
        if table_ in versions:
            query = database.select(Part(warehouse, contract, versions[table_]), columns)
        else:
            query = rows_sql(contract, columns, [], ())
        views.create_table(db, contract, query)
        views.describe_table(db, contract)
    db.execute(f'CREATE TABLE {VERSIONS} ("table" VARCHAR, version BIGINT)')
    db.executemany(f"INSERT INTO {VERSIONS} VALUES (?, ?)", sorted(versions.items()))
    db.execute(
        f"COMMENT ON TABLE {VERSIONS} IS {text('表版本: version of each table that is read')}"
    )
    views.create_views(db, found, contracts)
    return len(versions)


def _query(db: DuckDBPyConnection, view: View, csv: Path | None, xlsx: Path | None) -> None:
    """Write the rows of a view, or print the first ones."""
    answer = db.execute(f"SELECT * FROM {name(view.name)}")
    columns = tuple(one[0] for one in answer.description or ())
    rows = [dict(zip(columns, map(_plain, row), strict=True)) for row in answer.fetchall()]
    for option, path, form in (("--csv", csv, CSV), ("--xlsx", xlsx, XLSX)):
        if path is not None:
            push = Push(file=path.name, columns=columns, format=form)
            content = b"".join(workbook.content(rows, push, f"view {view.name}"))
            arguments.write(option, path, content)
            print(f"{path}: {len(rows):,} rows")
    if csv is None and xlsx is None:
        shown = [list(row.values()) for row in rows[:SHOWN]]
        print(table(view.comment, list(columns), shown))
        if len(rows) > SHOWN:
            print(f"  {SHOWN} of {len(rows):,} rows: --csv FILE or --xlsx FILE gets all")


def _plain(value: Any) -> Any:
    """A cell: lists and structures as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


if __name__ == "__main__":
    sys.exit(main())
