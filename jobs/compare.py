"""Which rows of a table were added, removed or changed between two warehouses, versions or days.

A and B are each one of these:
  a folder         a warehouse: the table as its ledger says it is committed
  v3               version 3 of the table in --warehouse
  2009-05-02       the slice of that day (or first day of a month) in --warehouse

Rows are paired by the key of the contract. Personal values are never shown. Nothing is written.
Spark is not started.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

from jobs.inquiry import database
from jobs.inquiry.database import Part
from jobs.inquiry.difference import Difference, difference
from jobs.pages.text_table import table
from jobs.runtime import arguments, walk
from jobs.runtime.lock import guarded
from jobs.warehouse import committed
from jobs.warehouse.committed import CommittedRows
from schemas.config import Config
from schemas.contract import Contract
from schemas.document.violation import near_miss
from schemas.errors import ConfigError
from schemas.window import parse_date

EXAMPLES = """examples:
  python -m jobs.compare --table mart.decision build/warehouse build/other --data-date 2009-05-03
  python -m jobs.compare --table mart.package_match v3 v5 --examples 5
  python -m jobs.compare --table mart.decision 2009-05-02 2009-05-03
exit codes: 0 equal; 1 different; 2 arguments or configuration; 4 no such table or slice"""
VERSION = re.compile("v([0-9]{1,9})")
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
DIFFERENT, TROUBLE = 1, 2
MOST_EXAMPLES = 100


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.compare`; returns the exit code."""
    found: list[Difference] = []
    code = guarded(lambda: found.append(_compare(argv)))
    if code:
        return TROUBLE if code == DIFFERENT else code
    return 0 if found[0].is_equal else DIFFERENT


def _compare(argv: list[str] | None) -> Difference:
    parser = arguments.bare_parser("python -m jobs.compare", __doc__, EXAMPLES)
    parser.add_argument("--table", metavar="T", required=True, help="for example mart.decision")
    parser.add_argument("a", metavar="A", help="a folder, a version or a day")
    parser.add_argument("b", metavar="B", help="what it is compared with")
    parser.add_argument("--data-date", metavar="D", help="only the slice of this day or month")
    parser.add_argument(
        "--examples",
        metavar="N",
        type=arguments.whole(0, MOST_EXAMPLES),
        default=3,
        help="rows that are shown of each kind (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="the answer for another program")
    args = parser.parse_args(argv)
    conf, contracts = walk.without_prices(arguments.conf_folders(args.conf))
    if args.table not in contracts:
        raise ConfigError(f"--table: no such table{near_miss(args.table, contracts)}")
    contract = contracts[args.table]
    a, b = (_part(text, args.warehouse, contract, conf) for text in (args.a, args.b))
    if args.data_date:
        a, b = (_of_day(part, args.data_date) for part in (a, b))
    found = difference(a, b, args.examples)
    said = {"table": args.table, "A": a.shown, "B": b.shown, **asdict(found)}
    print(json.dumps(said, ensure_ascii=False, indent=1) if args.json else _text(said))
    return found


def _part(written: str, warehouse: str, contract: Contract, conf: Config) -> Part:
    """What A or B names."""
    version = VERSION.fullmatch(written)
    if version:
        database.require_local(warehouse)
        return Part(warehouse, contract, int(version[1]))
    folder = warehouse if DAY.fullmatch(written) else written
    database.require_local(folder)
    if not Path(folder).is_dir():
        raise ConfigError(
            f"{folder}: no such folder: give a warehouse, a version like v3, or a day like "
            "2009-05-03"
        )
    contracts = {contract.table: contract}
    tables = CommittedRows("compare", folder, conf, contracts, [contract.table])
    part = Part(folder, contract, tables.version(contract.table))
    if folder == written:
        return part
    part = _of_day(part, written)
    if contract.layer != "ods" and not tables.ledger.is_committed(contract.table, written):
        raise committed.missing("compare", contract.table, written)
    return part


def _of_day(part: Part, written: str) -> Part:
    """The part's slice of a day; ConfigError for a table without slices."""
    if part.contract.slice is None:
        raise ConfigError(
            f"{part.contract.table} is only appended to, so it has no slice of a day: "
            "compare versions or warehouses"
        )
    if part.slice is not None:
        raise ConfigError("--data-date: A and B name their days already: leave it out")
    return replace(part, slice=parse_date(written))


def _text(said: dict) -> str:
    """The answer for a terminal."""
    rows = said["rows"]
    lines = [
        f"{said['table']} by {', '.join(said['key'])}",
        f"  A: {said['A']}: {rows['A']:,} rows",
        f"  B: {said['B']}: {rows['B']:,} rows",
    ]
    lines += [
        f"  only {side} has the columns {', '.join(names)}"
        for side, names in said["only_in"].items()
        if names
    ]
    equal = rows["A"] - said["removed"] - said["changed"]
    lines.append(
        f"{said['added']:,} added, {said['removed']:,} removed, {said['changed']:,} changed, "
        f"{equal:,} equal"
    )
    lines += [
        f"  {kind}: {_key(key)}" for kind in ("added", "removed") for key in said["examples"][kind]
    ]
    if said["columns"]:
        heads = ["column", "rows", "for example", "A", "B"]
        cells = [
            [one["column"] if not place else "", one["rows"] if not place else "", *_shown(example)]
            for one in said["columns"]
            for place, example in enumerate(one["examples"] or [({}, "", "")])
        ]
        lines.append(table("Changed columns", heads, cells))
    return "\n".join(lines)


def _shown(example: tuple) -> list[str]:
    key, before, after = example
    return [_key(key), *("null" if one is None else one for one in (before, after))]


def _key(key: dict) -> str:
    return " ".join(f"{name}={value}" for name, value in key.items())


if __name__ == "__main__":
    sys.exit(main())
