"""Put every table back to what it was before one run.

Each commit of a run carries the run's id in its table's history, so the versions that a run wrote
are known. Refused where a later run has written a table since: undo that one first. Files that the
channels have fetched cannot be taken back; their manifests are removed. The ledger keeps the run's
rows and records them as superseded, so the commits before are current again. --dry-run only prints
what it would touch. After an interruption, run the same command again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date
from pathlib import Path

from jobs.outbox import handover
from jobs.outbox.folder import Outbox, manifest_of
from jobs.runtime import arguments, walk
from jobs.runtime.lock import guarded, run_of
from jobs.runtime.session import spark_session
from jobs.warehouse import delta_log
from jobs.warehouse.delta_log import ERASURE, EXPIRY, MIGRATION, TIDYING, UNDO, Commit
from jobs.warehouse.ledger import COMMITTED, STALE, SUPERSEDED, Entry, Ledger
from schemas.config import Config
from schemas.errors import ChudianError, ConfigError

EXAMPLES = """examples:
  python -m jobs.undo --run-id 20090504T061500.000000Z-4711 --dry-run     what it would touch
  python -m jobs.undo --run-id 20090504T061500.000000Z-4711
the ids of runs are the names of the logs in <warehouse>/_logs"""
LOGS = (
    "ops.run_ledger",
    "ops.quality_result",
    "ops.delivery",
)  # they record what happened, also of this run


def versions_before(histories: Mapping[str, Sequence[Commit]], run_id: str) -> dict[str, int]:
    """By table that the run wrote, the version before it, in the order of the tables.

    `histories`: each table's commits, the newest first. Tables are left out that an interrupted
    undo of the same run has already put back. Runs that are undone themselves do not count.
    ChudianError where another run has written since, or a customer was erased. Rows that
    maintenance has deleted since as too old come back; the next maintenance deletes them again.
    A table that has followed its contract since goes back to its old columns; the next run lets it
    follow again.
    """
    back = {}
    for table, commits in histories.items():
        mine = [commit.version for commit in commits if commit.note == run_id]
        undone = {
            commit.note.removeprefix(UNDO) for commit in commits if commit.note.startswith(UNDO)
        }
        if not mine or run_id in undone:
            continue
        if any(
            commit.version > min(mine) and commit.note.startswith(ERASURE) for commit in commits
        ):
            raise ChudianError(
                f"a customer was erased from {table} after run {run_id}: no table "
                "can be put back to a version before an erasure"
            )
        later = [
            commit
            for commit in commits
            if commit.version > min(mine)
            and commit.operation not in TIDYING
            and not commit.note.startswith((UNDO, EXPIRY, MIGRATION))
            and commit.note not in {run_id, *undone}
        ]
        if later:
            raise ChudianError(
                f"{table} was written again after run {run_id}, last by run "
                f"{later[0].note or 'unknown'}: undo that one first"
            )
        back[table] = min(mine) - 1
    return back


def attempts(entries: Sequence[Entry], run_id: str) -> list[Entry]:
    """The entries that the run recorded as committed or stale.

    ConfigError for a run that committed nothing or is already undone.
    """
    mine = [entry for entry in entries if entry.run_id == run_id]
    recorded = [entry for entry in mine if entry.state in (COMMITTED, STALE)]
    if not any(entry.state == COMMITTED for entry in recorded):
        runs = list(dict.fromkeys(entry.run_id for entry in entries))
        raise ConfigError(
            f"no run {run_id} has committed anything; the newest runs are {', '.join(runs[-3:])}"
        )
    if any(entry.state == SUPERSEDED for entry in mine):
        raise ConfigError(f"run {run_id} has been undone already")
    return recorded


def _undo(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.undo", __doc__, EXAMPLES, "push")
    parser.add_argument("--run-id", metavar="R", required=True, help="the run to undo")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what it would touch, and stop"
    )
    args = parser.parse_args(argv)
    conf, contracts, _ = walk.configuration(arguments.conf_folders(args.conf))
    delta_log.require_ledger(args.warehouse)
    with nullcontext("") if args.dry_run else run_of(args.warehouse) as own_id:
        recorded = attempts(delta_log.entries(args.warehouse), args.run_id)
        committed = [entry for entry in recorded if entry.state == COMMITTED]
        back = versions_before(
            {
                table: delta_log.history(args.warehouse, table)
                for table in contracts
                if table not in LOGS
            },
            args.run_id,
        )
        files = _channel_files(committed, conf, args.push)
        _report(args.run_id, committed, back, files)
        if args.dry_run:
            return
        for channel, day, file in files:
            Outbox(args.push).withdraw(channel, day, manifest_of(file))
            handover.withdraw(Outbox(args.push), channel, day)
        with spark_session(conf, arguments.conf_folders(args.conf)) as spark:
            from jobs.warehouse.tables import Tables  # pyspark is imported once it is needed

            tables = Tables(spark, args.warehouse, contracts, own_id)
            tables.prepare(["ops.run_ledger"])
            for table, version in back.items():
                tables.restore(table, version, UNDO + args.run_id)
                print(f"  {table} is at version {version} again", flush=True)
            ledger = Ledger(own_id, conf.fingerprint)
            for entry in {(one.table, one.source, one.slice): one for one in recorded}.values():
                ledger.supersede(entry)
            tables.append("ops.run_ledger", ledger.entries())
    print(f"run {args.run_id} is undone")


def _channel_files(
    committed: Sequence[Entry], conf: Config, push: Path
) -> list[tuple[str, date, str]]:
    """The channel files that the run wrote and that still exist: channel, day, name."""
    found = []
    for entry in committed:
        channel = conf.channels.get(entry.table.removeprefix("push."))
        if entry.table.startswith("push.") and channel is not None and channel.push is not None:
            day = date.fromisoformat(entry.slice)
            name = channel.push.file_on(day)
            if (push / channel.id / str(day) / manifest_of(name)).exists():
                found.append((channel.id, day, name))
    return found


def _report(
    run_id: str,
    committed: Sequence[Entry],
    back: Mapping[str, int],
    files: Sequence[tuple[str, date, str]],
) -> None:
    slices: dict[str, list[str]] = {}
    for entry in committed:
        slices.setdefault(entry.table, []).append(entry.slice)
    print(f"undo of run {run_id}: {len(committed)} slices")
    for table, version in back.items():
        touched = sorted(set(slices.get(table, [])))
        named = f"{touched[0]} … {touched[-1]}" if len(touched) > 1 else "".join(touched)
        print(f"  {table:<26} {named:<26} back to version {version}")
    for channel, day, name in files:
        print(
            f"  {channel}: the manifest of {day}/{name} is removed; the channel may have the file"
        )


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.undo`; returns the exit code."""
    return guarded(lambda: _undo(argv))


if __name__ == "__main__":
    sys.exit(main())
