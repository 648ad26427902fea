"""Submit, approve, start and end a campaign, and show where it stands 营销活动审批.

A campaign is planned once its file is in conf/campaigns. Somebody submits it; business, market and
service approve it; then it is started for a data date, and ended for another. Each change is an
entry of `ops.campaign_log`. A changed file, or a changed target definition, is a new version: it
reaches nobody until it is submitted, approved and started too. With `campaigns.approval:
not_required` in conf/policy.yml campaigns run without that, and only `ended` counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

from jobs.runtime import arguments
from jobs.runtime.lock import guarded, run_of
from jobs.runtime.walk import Configuration, configuration, reading
from jobs.warehouse import delta_log
from models.campaign import state
from models.campaign.log import APPROVED, ENDED, RUNNING, SUBMITTED, TABLE, Entry
from models.campaign.state import Change, Version
from schemas.config import Campaign, Config
from schemas.contract import Contract
from schemas.document.violation import near_miss
from schemas.errors import ConfigError
from schemas.window import Window

EXAMPLES = """examples:
  python -m jobs.campaign show
  python -m jobs.campaign tariff_saving --dry-run --data-date 2009-05-03    what it would reach
  python -m jobs.campaign submit tariff_saving --by "Li Wei"
  python -m jobs.campaign approve tariff_saving --as market --by "Wang Fang"
  python -m jobs.campaign start tariff_saving --by "Li Wei" --since 2009-05-03
  python -m jobs.campaign end tariff_saving --by "Li Wei" --since 2009-06-01
exit codes: 0 done; 2 unknown campaign, a state that may not follow, or arguments; 3 the log was
tampered with; 4 no night has run into the warehouse"""
STATES = {"submit": SUBMITTED, "approve": APPROVED, "start": RUNNING, "end": ENDED}
LONGEST_NAME = 64


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.campaign`; returns the exit code."""
    return guarded(lambda: _campaign(argv))


def _campaign(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.campaign", __doc__, EXAMPLES)
    parser.add_argument(
        "words",
        nargs="+",
        metavar="ACTION ID",
        help="submit, approve, start, end or show, and the campaign; show without one shows all",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="with the campaign alone: what it would reach and cost on --data-date; nothing is "
        "written",
    )
    parser.add_argument("--data-date", metavar="D", help="the day of --dry-run")
    parser.add_argument("--by", metavar="NAME", help="who does it")
    parser.add_argument(
        "--as", dest="role", choices=state.ROLES, help="approve: the role that approves"
    )
    parser.add_argument(
        "--since",
        metavar="D",
        help="start, end: the first data date on which it holds (start: else the campaign's first)",
    )
    args = parser.parse_args(argv)
    _read_words(args)
    configured = configuration(arguments.conf_folders(args.conf))
    conf, contracts, _ = configured
    if args.id is not None and args.id not in conf.campaigns:
        raise ConfigError(f"unknown campaign '{args.id}'{near_miss(args.id, conf.campaigns)}")
    delta_log.require_ledger(args.warehouse)
    if args.dry_run:
        _try(args, configured)
        return
    if args.action == "show":
        print("\n".join(_shown(args.id, conf, _entries(args.warehouse, contracts[TABLE]))))
        return
    change = _change(args, conf)
    with run_of(args.warehouse) as run_id:
        entries = _entries(args.warehouse, contracts[TABLE])
        entry = state.next_entry(entries, change, conf)
        delta_log.append(args.warehouse, contracts[TABLE], [asdict(entry)], run_id)
        print("\n".join(_shown(args.id, conf, [*entries, entry])))


def _read_words(args: argparse.Namespace) -> None:
    """Fill `action` and `id`; ConfigError for words that are neither."""
    words = list(args.words)
    args.action = "" if args.dry_run else words.pop(0)
    if args.action not in (*STATES, "show", ""):
        raise ConfigError(
            f"unknown action '{args.action}'{near_miss(args.action, [*STATES, 'show'])}"
        )
    if len(words) > 1:
        raise ConfigError(
            "--dry-run: name one campaign, without an action"
            if args.dry_run
            else f"{args.action}: name one campaign"
        )
    args.id = words[0] if words else None
    if args.dry_run != (args.data_date is not None):
        raise ConfigError("give --dry-run and --data-date together, or neither")


def _try(args: argparse.Namespace, configured: Configuration) -> None:
    """Print what the campaign would meet on a night."""
    from jobs.steps.decision import dry_run  # pyspark is imported once it is needed

    day = arguments.day("--data-date", args.data_date)
    invocation = arguments.Invocation(
        arguments.conf_folders(args.conf), Path(), args.warehouse, Path()
    )
    campaign, window = configured.conf.campaigns[args.id], Window(day, day)
    step = dry_run.step_of(campaign, configured.conf)
    with reading(invocation, configured, step) as run, run.warehouse.step(step, window):
        found = dry_run.tried(run.context(step, window), campaign)
    print("\n".join(dry_run.lines(campaign, configured.conf, found)))


def _entries(warehouse: str, contract: Contract) -> list[Entry]:
    """The log as it is now; empty where no night has made it yet."""
    rows = delta_log.rows(warehouse, contract.table, None, contract.column_names, {})
    return [Entry.of_row(row) for row in rows]


def _change(args: argparse.Namespace, conf: Config) -> Change:
    """What the command line asks for; ConfigError says what is missing or has no meaning."""
    action = args.action
    if args.id is None:
        raise ConfigError(f"{action}: name the campaign, one of {', '.join(conf.campaigns)}")
    by = " ".join((args.by or "").split())
    if not 0 < len(by) <= LONGEST_NAME:
        raise ConfigError(
            f"{action}: say who does it, in 1 to {LONGEST_NAME} characters: --by NAME"
        )
    if (args.role is not None) != (action == "approve"):
        said = f"say as whom: --as {'|'.join(state.ROLES)}"
        raise ConfigError(f"{action}: {said if action == 'approve' else 'leave --as out'}")
    if args.since is not None and action not in ("start", "end"):
        raise ConfigError(f"{action}: leave --since out: it is for start and end")
    since = arguments.day("--since", args.since) if args.since else None
    campaign: Campaign = conf.campaigns[args.id]
    if action == "start":
        since = _inside(since or campaign.valid_from, campaign)
    if action == "end" and since is None:
        raise ConfigError("end: say from which data date it reaches nobody: --since 2009-06-01")
    now = datetime.now(UTC)
    return Change(args.id, STATES[action], by, now, args.role, since)


def _inside(since: date, campaign: Campaign) -> date:
    if not campaign.valid_on(since):
        raise ConfigError(
            f"--since: expected a day of the campaign, from {campaign.valid_from} and before "
            f"{campaign.valid_to}; got {since}"
        )
    return since


def _shown(name: str | None, conf: Config, entries: Sequence[Entry]) -> list[str]:
    """Where the campaigns stand; for one also every entry about it."""
    known = state.versions(entries, conf.runtime.identity_key)
    if name is None:
        lines = [_line(one, known, conf) for one in conf.campaigns.values()]
        if conf.policy.campaigns.approval != state.REQUIRED:
            lines.append("approval is not required (conf/policy.yml): what has not ended runs")
        return lines
    own = sorted((one for one in entries if one.campaign_id == name), key=lambda e: e.entry_no)
    return [_line(conf.campaigns[name], known, conf), *map(_told, own)]


def _line(campaign: Campaign, known: Mapping[str, Version], conf: Config) -> str:
    current = known.get(campaign.id)
    now = state.state_of(campaign, current, conf)
    text = f"{campaign.id} {campaign.name_cn}: {now}"
    if current is None:
        return text
    if now == state.PLANNED:
        return f"{text}; its file has changed since version {current.version}: submit it"
    text += f", version {current.version}"
    lacking = ", ".join(current.missing)
    return f"{text}; not yet approved by {lacking}" if lacking and now == SUBMITTED else text


def _told(entry: Entry) -> str:
    what = f"{entry.state} as {entry.role}" if entry.role else entry.state
    since = f" from {entry.since} on" if entry.since else ""
    at = entry.at.astimezone(UTC)
    when = f"{entry.entry_no:>4}  {at:%Y-%m-%d %H:%M} UTC"
    return f"  {when}  v{entry.version}  {what}{since}, by {entry.by}"


if __name__ == "__main__":
    sys.exit(main())
