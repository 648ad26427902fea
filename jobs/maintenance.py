"""Delete what the contracts keep no longer, merge small files, and clear away replaced ones.

A slice is deleted when all of its days are more than the table's `retention_days` before
--data-date, a row of an append-only table when it was made before that. The ledger notes a deleted
slice as expired, so no step reads it. The channels' files go with the rows of their push table,
archived deliveries after `maintenance.archive_days` of runtime.yml or with the rows of their table,
whichever is sooner, logs of runs after `maintenance.log_days`. Files that no table consists of any
more go after `maintenance.vacuum_hours`: as far back as that a run can be undone. Interrupted, the
same command goes on. With --dry-run it only says what it would do.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from jobs.intake import archive
from jobs.intake.archive import Archive
from jobs.outbox.folder import Outbox
from jobs.runtime import arguments, walk
from jobs.runtime.lock import guarded, run_of
from jobs.runtime.progress import amount
from jobs.runtime.session import spark_session
from jobs.warehouse import delta_log
from jobs.warehouse.delta_log import EXPIRY, DataFile
from jobs.warehouse.ledger import SETTLED, Entry, Ledger
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.window import month_of, parse_date

EXAMPLES = """examples:
  python -m jobs.maintenance --data-date 2009-05-03 --dry-run     what it would delete
  python -m jobs.maintenance --data-date 2009-05-03"""
LEDGER = "ops.run_ledger"
MANY_FILES = 8  # of one slice, or of a table that is only appended to: reading them costs more
LOG = re.compile(r"([0-9]{8})T.*\.log")  # named by the id of its run, which begins with its day


@dataclass(frozen=True)
class Chore:
    """What there is to do for one table: rows from before a day to delete, files to tidy."""

    contract: Contract
    before: date | None
    slices: int
    rows: int
    compact: bool
    replaced: int

    @property
    def where(self) -> str:
        """The rows to delete. Holds nothing but a column and a day."""
        kind = "DATE" if self.contract.slice else "TIMESTAMP"
        return f"{self.contract.aged_by} < {kind}'{self.before}'"

    @property
    def idle(self) -> bool:
        return not (self.rows or self.compact or self.replaced)


def kept_from(contract: Contract, day: date) -> date | None:
    """The first day that is kept on `day`: of months the first of its month. None: everything."""
    if contract.retention_days is None:
        return None
    first = day - timedelta(days=contract.retention_days)
    return month_of(first) if contract.slice == "month" else first


def crowded(files: Iterable[DataFile]) -> bool:
    """Whether some slice consists of many files."""
    return any(count > MANY_FILES for count in Counter(file.slice for file in files).values())


def outlived(ledger: Ledger, table: str, before: date) -> list[Entry]:
    """The committed slices of a table that are older than `before`."""
    return [
        entry
        for (of, _), slices in ledger.committed.items()
        if of == table
        for entry in slices.values()
        if entry.slice != APPEND_ONLY and date.fromisoformat(entry.slice) < before
    ]


def still_said(
    entries: Iterable[Entry], before: datetime, day: date, contracts: Mapping[str, Contract]
) -> list[Entry]:
    """Of the ledger's rows from before an instant those that stay on `day`.

    They say what stands: the commit of a slice that is still there, and what was noted of it since.
    """
    ledger, rows = Ledger("", ""), list(entries)
    ledger.learn(rows)
    for table, contract in contracts.items():
        first = kept_from(contract, day)
        for entry in outlived(ledger, table, first) if first else ():
            del ledger.committed[table, entry.source][entry.slice]
    return [
        row
        for row in rows
        if row.committed_at < before
        and row.state in SETTLED
        and (stands := ledger.entry(row.table, row.slice, row.source)) is not None
        and row.committed_at >= stands.committed_at
    ]


def old_logs(names: Iterable[str], before: date) -> list[str]:
    """The names of the logs of runs from before a day, in order."""
    found = {name: LOG.fullmatch(name) for name in names}
    return sorted(name for name, log in found.items() if log and log[1] < f"{before:%Y%m%d}")


def _maintenance(argv: list[str] | None) -> None:
    parser = arguments.bare_parser(
        "python -m jobs.maintenance", __doc__, EXAMPLES, "landing", "push"
    )
    parser.add_argument(
        "--data-date", metavar="D", required=True, help="the day from which retention counts back"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what it would do, and stop")
    args = parser.parse_args(argv)
    day = parse_date(args.data_date)
    conf, contracts, _ = walk.configuration(arguments.conf_folders(args.conf))
    with nullcontext("") if args.dry_run else run_of(args.warehouse) as own_id:
        noted = delta_log.entries(args.warehouse)
        chores = _chores(args.warehouse, conf, contracts, noted, day)
        lists = _old_lists(Outbox(args.push), conf, contracts, day)
        kept = archive.below(args.warehouse, args.landing)
        deliveries = _old_deliveries(kept, conf, contracts, day)
        logs = _old_logs(args.warehouse, day - timedelta(days=conf.runtime.maintenance.log_days))
        print(f"maintenance for {day}" + (", dry run: nothing is touched" if args.dry_run else ""))
        busy = [chore for chore in chores if not chore.idle]
        if args.dry_run:
            for chore in busy:
                print(_line(chore, chore.replaced, None))
        elif busy:
            _tidy(busy, args, conf, contracts, noted, own_id, day)
        for channel, old in lists:
            print(f"  {channel}: the files of {old} are older than their table keeps rows")
        if deliveries:
            print(
                f"  {len(deliveries):,} archived deliveries, the newest of "
                f"{max(old for _, old in deliveries)}"
            )
        if logs:
            print(f"  {len(logs):,} logs of runs, {logs[0].stem} … {logs[-1].stem}")
        if not args.dry_run:
            for channel, old in lists:
                Outbox(args.push).clear(channel, old)
            for source, old in deliveries:
                kept.clear(source, old)
            for log in logs:
                log.unlink()
        idle = len(chores) - len(busy)
        print(f"  {idle} of {len(chores)} tables have nothing to do")


def _chores(
    warehouse: str,
    conf: Config,
    contracts: Mapping[str, Contract],
    noted: Sequence[Entry],
    day: date,
) -> list[Chore]:
    """What there is to do, table by table, for the tables that are there."""
    chores = []
    for table, contract in contracts.items():
        files = delta_log.files(warehouse, contract)
        if files is None:
            continue
        before, slices, rows = kept_from(contract, day), 0, 0
        if before is not None and contract.slice:
            old = [file for file in files if file.slice < before]
            slices, rows = len({file.slice for file in old}), sum(file.rows for file in old)
        elif before is not None:
            instant = _midnight(before, conf)
            rows = sum(made < instant for made in delta_log.instants(warehouse, contract))
            if table == LEDGER and rows:
                rows -= len(still_said(noted, instant, day, contracts))
        chores.append(
            Chore(
                contract,
                before,
                slices,
                rows,
                crowded(files),
                delta_log.replaced_files(warehouse, table, conf.runtime.maintenance.vacuum_hours),
            )
        )
    return chores


def _midnight(day: date, conf: Config) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(conf.runtime.timezone))


def _tidy(
    chores: Sequence[Chore],
    args,
    conf: Config,
    contracts: Mapping[str, Contract],
    noted: Sequence[Entry],
    own_id: str,
    day: date,
) -> None:
    """Delete, merge and clear away, the ledger first: it never says that a deleted slice stands."""
    ledger, known = Ledger(own_id, conf.fingerprint), Ledger("", "")
    known.learn(noted)
    for chore in chores:
        if chore.slices:
            for entry in outlived(known, chore.contract.table, chore.before):
                ledger.expire(entry)
    with spark_session(conf, arguments.conf_folders(args.conf)) as spark:
        from jobs.warehouse.tables import Tables  # pyspark is imported once it is needed

        tables = Tables(spark, args.warehouse, contracts, own_id)
        tables.append(LEDGER, ledger.entries())
        for chore in chores:
            table = chore.contract.table
            if chore.rows and table == LEDGER:
                said = Ledger(
                    "", "", pending=still_said(noted, _midnight(chore.before, conf), day, contracts)
                )
                tables.save(LEDGER, tables.frame(LEDGER, said.entries()), chore.where)
            elif chore.rows:
                tables.delete(table, chore.where, EXPIRY + own_id)
            if chore.compact:
                tables.compact(table)
            removed, size = 0, 0
            if chore.replaced:
                removed, size = tables.vacuum(table, conf.runtime.maintenance.vacuum_hours)
            print(_line(chore, removed, size), flush=True)


def _line(chore: Chore, removed: int, size: int | None) -> str:
    """What is done for a table, in words and figures."""
    parts = []
    if chore.slices:
        parts.append(f"{chore.rows:,} rows in {chore.slices} slices before {chore.before} deleted")
    elif chore.rows:
        parts.append(f"{chore.rows:,} rows from before {chore.before} deleted")
    if chore.compact:
        parts.append("small files merged")
    if removed:
        freed = "" if size is None else f", {amount(size)} freed"
        parts.append(f"{removed:,} replaced files removed{freed}")
    return f"  {chore.contract.table:<26} {'; '.join(parts)}"


def _old_lists(
    outbox: Outbox, conf: Config, contracts: Mapping[str, Contract], day: date
) -> list[tuple[str, date]]:
    """The (channel, day) of files that are older than the rows of their table are kept."""
    found = []
    for channel in conf.channels.values():
        before = kept_from(contracts[f"push.{channel.id}"], day) if channel.push else None
        found += [(channel.id, old) for old in outbox.days(channel.id) if before and old < before]
    return found


def _old_deliveries(
    kept: Archive, conf: Config, contracts: Mapping[str, Contract], day: date
) -> list[tuple[str, date]]:
    """The (source, day) of archived deliveries that are kept no longer."""
    limit = day - timedelta(days=conf.runtime.maintenance.archive_days)
    before = {
        name: max(limit, kept_from(contracts[source.record], day) or limit)
        for name, source in conf.sources.items()
    }
    return [
        (source, old) for source, old, _ in kept.deliveries() if old < before.get(source, limit)
    ]


def _old_logs(warehouse: str, before: date) -> list[Path]:
    folder = Path(warehouse, "_logs")
    if "://" in warehouse or not folder.is_dir():
        return []
    return [folder / name for name in old_logs((path.name for path in folder.iterdir()), before)]


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.maintenance`; returns the exit code."""
    return guarded(lambda: _maintenance(argv))


if __name__ == "__main__":
    sys.exit(main())
