"""Write what a night decided for the CRM (R1) and for each contact point (R2) as JSON files.

R1, in <push>/crm/<day>: the plan, the contact rules and the targets. R2, beside each channel's
file: the contacts, the preference and the offers of each customer who was pushed there. Each file
keeps its JSON Schema in schemas/interfaces, and has a manifest. Repeating it gives the same bytes.
Spark is not started.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from jobs.outbox import handover as files
from jobs.outbox.folder import Outbox
from jobs.runtime import arguments, contract_changes, walk
from jobs.runtime.lock import guarded, run_of
from jobs.warehouse import committed
from jobs.warehouse.committed import CommittedRows
from models.campaign import log, state
from models.push import handover
from schemas.config import Channel, Config
from schemas.errors import ConfigError, QualityError

EXAMPLES = """examples:
  python -m jobs.handover --data-date 2009-05-03
exit codes: 0 done; 2 arguments or configuration; 3 a file would break its schema, or the log of
campaigns was tampered with; 4 the night was not pushed"""
SUBSCRIBER, PREFERENCE, VIEW = "dw.subscriber", "mart.channel_preference", "dw.contact_view"
Row = Mapping[str, Any]


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.handover`; returns the exit code."""
    return guarded(lambda: _handover(argv))


def _handover(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.handover", __doc__, EXAMPLES, "push")
    parser.add_argument(
        "--data-date", metavar="D", required=True, help="the night, for example 2009-05-03"
    )
    args = parser.parse_args(argv)
    day = arguments.day("--data-date", args.data_date)
    conf, contracts = walk.without_prices(arguments.conf_folders(args.conf))
    contract_changes.require_currency(args.warehouse, contracts)
    channels = {name: one for name, one in conf.channels.items() if one.push is not None}
    if files.CRM in conf.channels:
        raise ConfigError(
            f"channels.yml: a channel is called {files.CRM}, and so is the folder of R1: "
            "give the channel another id"
        )
    read = (SUBSCRIBER, PREFERENCE, VIEW, log.TABLE, *(f"push.{name}" for name in channels))
    tables = CommittedRows("handover", args.warehouse, conf, contracts, read)
    for name in channels:
        if not tables.ledger.is_committed(f"push.{name}", day):
            raise committed.missing("handover", f"push.{name}", day)
    with run_of(args.warehouse):
        _write(tables, conf, channels, Outbox(args.push), day)


def _write(
    tables: CommittedRows, conf: Config, channels: Mapping[str, Channel], outbox: Outbox, day: date
) -> None:
    """Write R1, then R2 of each channel."""
    entries = [log.Entry.of_row(row) for row in tables.rows(log.TABLE)]
    campaigns = state.running(conf, entries, day)
    pushed = {name: tables.rows(f"push.{name}", handover.PUSHED, on=day) for name in channels}
    _require_planned(pushed, [one.id for one in campaigns], day)
    numbers = _numbers(tables, pushed, day)
    document = handover.plan_and_targets(conf, campaigns, pushed, numbers, day)
    money, count = conf.runtime.currency, len(document["targets"])
    file = files.send(outbox, "r1", files.CRM, day, document, rows=count, currency=money)
    print(f"{outbox.folder}/{files.CRM}/{day}/{file}: {count:,} targets")
    for name, channel in channels.items():
        customers = sorted({row["customer_id"] for row in pushed[name]})
        preference, contacts = (
            _by_customer(tables, table, channel.known_as, customers, day)
            for table in (PREFERENCE, VIEW)
        )
        document = handover.results(conf, name, pushed[name], numbers, preference, contacts, day)
        count = len(document["results"])
        file = files.send(outbox, "r2", name, day, document, rows=count, currency=money)
        print(f"{outbox.folder}/{name}/{day}/{file}: {count:,} customers")


def _require_planned(
    pushed: Mapping[str, list[dict[str, Any]]], plan: list[str], day: date
) -> None:
    """QualityError for targets of a campaign that is not in the plan."""
    there = {row["campaign_id"] for rows in pushed.values() for row in rows}
    lost = sorted(there - set(plan))
    if lost:
        raise QualityError(
            f"handover: {', '.join(lost)} pushed on {day} and may not run on it by the "
            "configuration and the log of campaigns as they are now: repeat the night's push, or "
            "take the configuration of the night (--conf); nothing is written"
        )


def _numbers(
    tables: CommittedRows, pushed: Mapping[str, list[dict[str, Any]]], day: date
) -> dict[int, tuple[str, str]]:
    """By pushed subscriber the numbers of customer and subscriber at the CRM.

    QualityError where the CRM has none: it could not execute that target.
    """
    wanted = sorted({row["subscriber_id"] for rows in pushed.values() for row in rows})
    columns = ("subscriber_id", "customer_no", "subscriber_no")
    rows = tables.rows(SUBSCRIBER, columns, on=day, where={"subscriber_id": wanted})
    found = {
        row["subscriber_id"]: (row["customer_no"], row["subscriber_no"])
        for row in rows
        if row["customer_no"] and row["subscriber_no"]
    }
    lost = len(set(wanted) - set(found))
    if lost:
        raise QualityError(
            f"handover: {lost:,} pushed subscribers of {day} have no number at the CRM in "
            f"{SUBSCRIBER}: the CRM could not execute them; nothing is written"
        )
    return found


def _by_customer(
    tables: CommittedRows, table: str, channel: str, customers: list[int], day: date
) -> dict[int, Row]:
    """By customer the row of a table about a channel; empty if the night has no such snapshot."""
    if not tables.ledger.is_committed(table, day):
        return {}
    where: dict[str, Collection] = {"channel": [channel], "customer_id": customers}
    return {row["customer_id"]: row for row in tables.rows(table, on=day, where=where)}


if __name__ == "__main__":
    sys.exit(main())
