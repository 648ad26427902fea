"""Delete data that its contract no longer keeps, merge small files, remove replaced files.

What is deleted, counted back from --data-date:
- a slice, when all its days are older than the table's `retention_days`. The ledger records it as
  expired, so no step reads it;
- the rows of a slice that its table keeps for a shorter time (`kept_longer` of the contract), when
  all its days are older than `retention_days`. The ledger records it as thinned;
- a row of an append-only table, when it was written before that;
- the files of a channel, together with the rows of their push table;
- an archived delivery, after `maintenance.archive_days` of runtime.yml or together with the rows of
  its table, whichever is sooner;
- the logs of runs, after `maintenance.log_days`;
- files that are no longer part of a table, after `maintenance.vacuum_hours`. A run can be undone
  as long as these exist.
After an interruption run the same command again; it continues. With --dry-run it only reports what
it would do.
"""

from __future__ import annotations

import argparse
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
from jobs.outbox.handover import CRM
from jobs.runtime import arguments, walk
from jobs.runtime.lock import guarded, run_of
from jobs.runtime.progress import amount
from jobs.runtime.session import spark_session
from jobs.warehouse import delta_log, retention
from jobs.warehouse.delta_log import EXPIRY, DataFile
from jobs.warehouse.ledger import Entry, Ledger
from schemas.config import Config
from schemas.contract import Contract

EXAMPLES = """examples:
  python -m jobs.maintenance --data-date 2009-05-03 --dry-run     reports what it would delete
  python -m jobs.maintenance --data-date 2009-05-03"""
LEDGER = "ops.run_ledger"
MANY_FILES = 8  # of one slice or of an append-only table; more are slow to read


@dataclass(frozen=True)
class Chore:
    """The work for one table.

    `slices` and `rows` from before `before` are deleted (None: the table keeps everything). Of the
    slices from before `whole`, rows that are not kept longer are deleted: `thinned`, by slice.
    Small files are merged if `compact`. `replaced`: number of files that are no longer part of the
    table.
    """

    contract: Contract
    before: date | None
    slices: int
    rows: int
    compact: bool
    replaced: int
    whole: date | None
    thinned: Mapping[date, int]

    @property
    def where_thinned(self) -> str:
        """SQL predicate of the rows to delete from slices whose other rows are kept longer."""
        longer = self.contract.kept_longer
        if longer is None:
            return "false"
        values = ", ".join(f"'{value}'" for value in longer.values)
        old = f"{self.contract.aged_by} < DATE'{self.whole}'"
        return f"{old} AND {longer.column} NOT IN ({values})"

    @property
    def where(self) -> str:
        """SQL predicate of the rows to delete: one column and one day."""
        kind = "DATE" if self.contract.slice else "TIMESTAMP"
        return f"{self.contract.aged_by} < {kind}'{self.before}'"

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.rows or self.thinned or self.compact or self.replaced)


@dataclass(frozen=True)
class Expired:
    """What is too old outside the tables."""

    pushed: list[tuple[str, date]]  # channel, day
    deliveries: list[tuple[str, date]]  # source, day
    logs: list[Path]


def needs_merging(files: Iterable[DataFile]) -> bool:
    """Whether a slice consists of many files."""
    return any(count > MANY_FILES for count in Counter(file.slice for file in files).values())


def _maintenance(argv: list[str] | None) -> None:
    parser = arguments.bare_parser(
        "python -m jobs.maintenance", __doc__, EXAMPLES, "landing", "push"
    )
    parser.add_argument(
        "--data-date", metavar="D", required=True, help="the day from which retention counts back"
    )
    parser.add_argument("--dry-run", action="store_true", help="report what it would do, and stop")
    args = parser.parse_args(argv)
    day = arguments.day("--data-date", args.data_date)
    conf, contracts, _ = walk.configuration(arguments.conf_folders(args.conf))
    delta_log.require_ledger(args.warehouse)
    with nullcontext("") if args.dry_run else run_of(args.warehouse) as own_id:
        entries = delta_log.entries(args.warehouse)
        chores = _chores(args.warehouse, conf, contracts, entries, day)
        outbox = Outbox(args.push)
        kept = archive.below(args.warehouse, args.landing)
        expired = Expired(
            _old_pushed(outbox, conf, contracts, day),
            _old_deliveries(kept, conf, contracts, day),
            _old_logs(args.warehouse, day - timedelta(days=conf.runtime.maintenance.log_days)),
        )
        print(f"maintenance for {day}" + (", dry run: nothing is changed" if args.dry_run else ""))
        busy = [chore for chore in chores if not chore.idle]
        if args.dry_run:
            for chore in busy:
                print(_summary(chore, chore.replaced, None))
        elif busy:
            _tidy(busy, args, conf, contracts, entries, own_id, day)
        _report(expired)
        if not args.dry_run:
            _delete(expired, outbox, kept)
        idle = len(chores) - len(busy)
        print(f"  {idle} of {len(chores)} tables have nothing to do")


def _report(expired: Expired) -> None:
    for channel, old in expired.pushed:
        print(f"  {channel}: the files of {old} are older than the rows that their table keeps")
    if expired.deliveries:
        print(
            f"  {len(expired.deliveries):,} archived deliveries, the newest of "
            f"{max(old for _, old in expired.deliveries)}"
        )
    if expired.logs:
        first, last = expired.logs[0].stem, expired.logs[-1].stem
        print(f"  {len(expired.logs):,} logs of runs, {first} … {last}")


def _delete(expired: Expired, outbox: Outbox, kept: Archive) -> None:
    for channel, old in expired.pushed:
        outbox.clear(channel, old)
    for source, old in expired.deliveries:
        kept.clear(source, old)
    for log in expired.logs:
        log.unlink()


def _chores(
    warehouse: str,
    conf: Config,
    contracts: Mapping[str, Contract],
    entries: Sequence[Entry],
    day: date,
) -> list[Chore]:
    """One chore for each table that exists. `entries`: all rows of the ledger."""
    chores = []
    for table, contract in contracts.items():
        files = delta_log.files(warehouse, contract)
        if files is None:
            continue
        before, slices, rows = retention.first_kept_day(contract, day), 0, 0
        if before is not None and contract.slice:
            old = [file for file in files if file.slice is not None and file.slice < before]
            slices, rows = len({file.slice for file in old}), sum(file.rows for file in old)
        elif before is not None:
            instant = _midnight(before, conf)
            rows = sum(made < instant for made in delta_log.instants(warehouse, contract))
            if table == LEDGER and rows:
                rows -= len(retention.retained_entries(entries, instant, day, contracts))
        chores.append(
            Chore(
                contract,
                before,
                slices,
                rows,
                needs_merging(files),
                delta_log.replaced_files(warehouse, table, conf.runtime.maintenance.vacuum_hours),
                retention.first_whole_day(contract, day),
                _thinned(warehouse, contract, files, day),
            )
        )
    return chores


def _thinned(
    warehouse: str, contract: Contract, files: Iterable[DataFile], day: date
) -> dict[date, int]:
    """By slice the rows that go while others of it are kept longer."""
    before, whole = (
        first(contract, day) for first in (retention.first_kept_day, retention.first_whole_day)
    )
    longer = contract.kept_longer
    if before is None or whole is None or longer is None:
        return {}
    days = {file.slice for file in files if file.slice is not None and before <= file.slice < whole}
    return delta_log.rows_without(warehouse, contract, days, longer.column, longer.values)


def _midnight(day: date, conf: Config) -> datetime:
    """The instant at which a day begins in the zone of the operator."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(conf.runtime.timezone))


def _tidy(
    chores: Sequence[Chore],
    args: argparse.Namespace,
    conf: Config,
    contracts: Mapping[str, Contract],
    entries: Sequence[Entry],
    own_id: str,
    day: date,
) -> None:
    """Delete rows, merge files, remove replaced files.

    The ledger is written first, so it never lists a deleted slice as committed.
    """
    ledger = Ledger(own_id, conf.fingerprint)
    _note(ledger, chores, entries)
    with spark_session(conf, arguments.conf_folders(args.conf)) as spark:
        from jobs.warehouse.tables import Tables  # imports pyspark, which only this part needs

        tables = Tables(spark, args.warehouse, contracts, own_id)
        tables.prepare([LEDGER])
        tables.append(LEDGER, ledger.entries())
        for chore in chores:
            table = chore.contract.table
            if chore.rows and chore.before is not None and table == LEDGER:
                instant = _midnight(chore.before, conf)
                retained = retention.retained_entries(entries, instant, day, contracts)
                rows = Ledger("", "", pending=retained).entries()
                tables.save(LEDGER, tables.frame(LEDGER, rows), chore.where)
            elif chore.rows:
                tables.delete(table, chore.where, EXPIRY + own_id)
            if chore.thinned:
                tables.delete(table, chore.where_thinned, EXPIRY + own_id)
            if chore.compact:
                tables.compact(table)
            removed, size = 0, 0
            if chore.replaced:
                removed, size = tables.vacuum(table, conf.runtime.maintenance.vacuum_hours)
            print(_summary(chore, removed, size), flush=True)


def _note(ledger: Ledger, chores: Sequence[Chore], entries: Sequence[Entry]) -> None:
    """Record which slices are about to be deleted, and of which some rows."""
    known = Ledger("", "")
    known.learn(entries)
    for chore in chores:
        table = chore.contract.table
        if chore.slices and chore.before is not None:
            for entry in retention.expired_entries(known, table, chore.before):
                ledger.expire(entry)
        for slice_, rows in chore.thinned.items():
            current = known.entry(table, slice_)
            if current is not None:
                ledger.thin(current, rows)


def _summary(chore: Chore, removed: int, size: int | None) -> str:
    """One line about the work for a table. `size`: removed bytes; None in a dry run."""
    parts = []
    if chore.slices:
        parts.append(f"{chore.rows:,} rows in {chore.slices} slices before {chore.before} deleted")
    elif chore.rows:
        parts.append(f"{chore.rows:,} rows from before {chore.before} deleted")
    if chore.thinned:
        parts.append(
            f"{sum(chore.thinned.values()):,} rows in {len(chore.thinned)} slices before "
            f"{chore.whole} deleted, others of them are kept longer"
        )
    if chore.compact:
        parts.append("small files merged")
    if removed:
        freed = "" if size is None else f", {amount(size)} freed"
        parts.append(f"{removed:,} replaced files removed{freed}")
    return f"  {chore.contract.table:<26} {'; '.join(parts)}"


def _old_pushed(
    outbox: Outbox, conf: Config, contracts: Mapping[str, Contract], day: date
) -> list[tuple[str, date]]:
    """The (channel, day) of files older than the rows that their push table keeps.

    What was handed over to the CRM holds rows of all these tables.
    """
    found, limits = [], []
    for channel in conf.channels.values():
        if channel.push is None:
            continue
        before = retention.first_kept_day(contracts[f"push.{channel.id}"], day)
        found += [(channel.id, old) for old in outbox.days(channel.id) if before and old < before]
        limits += [before] if before else []
    return found + [(CRM, old) for old in outbox.days(CRM) if limits and old < max(limits)]


def _old_deliveries(
    kept: Archive, conf: Config, contracts: Mapping[str, Contract], day: date
) -> list[tuple[str, date]]:
    """The (source, day) of archived deliveries that are no longer kept."""
    limit = day - timedelta(days=conf.runtime.maintenance.archive_days)
    before = {
        name: min(
            max(limit, retention.first_kept_day(contracts[table], day) or limit)
            for table in source.tables
        )
        for name, source in conf.sources.items()
    }
    return [
        (source, old) for source, old, _ in kept.deliveries() if old < before.get(source, limit)
    ]


def _old_logs(warehouse: str, before: date) -> list[Path]:
    """The logs of runs from before a day, in order; none if the warehouse is no local folder."""
    folder = Path(warehouse, "_logs")
    if "://" in warehouse or not folder.is_dir():
        return []
    names = (path.name for path in folder.iterdir())
    return [folder / name for name in retention.old_logs(names, before)]


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.maintenance`; returns the exit code."""
    return guarded(lambda: _maintenance(argv))


if __name__ == "__main__":
    sys.exit(main())
