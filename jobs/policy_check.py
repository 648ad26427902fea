"""Why a customer may be contacted or not on a night, and what could be offered.

Prints each contact that uses a slot, the caps, when the next slot opens for each class, way and
channel, and the customer's candidates of the night with the reasons against them. Everything is as
known at the end of the data date, and judged by the contact policy as it is configured now. A list
of that night is worked on the next day. Nothing is written. Spark is not started.

The customer is named in a file or on the standard input, never on the command line, because other
users of the machine see that: the customer's number at the CRM, or a phone number held on the day.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from jobs.inquiry import asked
from jobs.inquiry.asked import Asked
from jobs.pages import policy_text
from jobs.runtime import arguments, contract_changes, walk
from jobs.runtime.lock import guarded, logged
from jobs.warehouse.committed import CommittedRows
from models.contact_policy import one_customer, person
from models.contact_policy.compiled import CODES
from models.contact_policy.one_customer import Person, Room

EXAMPLES = """examples:
  python -m jobs.policy_check --customer asked.txt --data-date 2009-05-03
  python -m jobs.policy_check --data-date 2009-05-03 --json < asked.txt
exit codes: 0 done; 2 unknown customer, arguments or configuration; 4 no such night"""
DECISION = "mart.decision"
TABLES = (*asked.TABLES, DECISION)


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.policy_check`; returns the exit code."""
    return guarded(lambda: _policy_check(argv))


def _policy_check(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.policy_check", __doc__, EXAMPLES)
    asked.add_customer(parser)
    args = parser.parse_args(argv)
    day = arguments.day("--data-date", args.data_date)
    name = asked.named(args.customer)
    conf, contracts = walk.without_prices(arguments.conf_folders(args.conf))
    contract_changes.require_currency(args.warehouse, contracts)
    tables = CommittedRows("policy_check", args.warehouse, conf, contracts, TABLES)
    with logged(args.warehouse):
        about = asked.asked("policy_check", tables, conf, name, day)
        answer = _answer(about)
    print(
        json.dumps(answer, ensure_ascii=False, indent=1)
        if args.json
        else policy_text.printed(answer, conf.runtime.currency.unit)
    )


def _answer(about: Asked) -> dict[str, Any]:
    """The answer as plain values: instants and amounts are text."""
    somebody = person.person(about.customer_id, asked.told(about), about.policy, about.evening)
    counting = [asked.contact(about, one) for one in somebody.contacts]
    return {
        "customer_id": about.customer_id,
        "data_date": str(about.day),
        "timezone": about.evening.zone,
        "contacts": [one for one in counting if one["uses"]],
        "contacts_without_slot": sum(not one["uses"] for one in counting),
        "caps": [
            {
                "cap": name,
                "limit": cap.limit,
                "per": cap.per,
                "classes": list(cap.classes),
                "ways": list(cap.ways),
                "channels": list(cap.channels),
            }
            for name, cap in about.conf.policy.contacts.caps.items()
        ],
        "known": _known(about, somebody),
        "slots": [
            _slots(about, somebody, class_, channel)
            for class_ in about.conf.policy.contacts.classes
            for channel in about.policy.ways
        ],
        "candidates": _candidates(about, somebody),
    }


def _known(about: Asked, somebody: Person) -> dict[str, Any]:
    """What the customer said, and lists that name him."""
    return {
        "consent": [
            {
                "class": one.class_,
                "granted": one.granted,
                "from": about.instant(one.since),
                "to": about.instant(one.until),
            }
            for one in somebody.consent
        ],
        "do_not_contact": [
            {
                "channel": one.channel,
                "class": one.class_,
                "from": about.instant(one.since),
                "to": about.instant(one.until),
            }
            for one in somebody.closed
        ],
        "sensitive_number": somebody.sensitive,
        "outcomes": [
            {"outcome": outcome, "at": about.instant(at)} for outcome, at in somebody.outcomes
        ],
    }


def _slots(about: Asked, somebody: Person, class_: str, channel: str) -> dict[str, Any]:
    """What the policy says of a contact of the class that a list of the night would hold."""
    candidate = person.planned(class_, channel, about.policy, about.evening)
    verdict = one_customer.judged(somebody, candidate, about.policy)
    return {
        "class": class_,
        "way": about.policy.ways[channel],
        "channel": channel,
        "from": about.instant(candidate.at),
        "until": about.instant(candidate.until),
        "reasons": list(verdict.reasons),
        "slots": verdict.slots,
        "next_slot": about.instant(verdict.retry_at),
        "caps": [_room(about, one) for one in verdict.room],
    }


def _room(about: Asked, one: Room) -> dict[str, Any]:
    first, last = one.window
    return {
        "cap": one.cap,
        "window_from": about.instant(first),
        "window_to": about.instant(last),
        "used": one.used,
        "left": one.left,
        "opens_at": about.instant(one.opens_at),
    }


def _candidates(about: Asked, somebody: Person) -> list[dict[str, Any]] | None:
    """The customer's candidates of the night, the pushed ones first; None: nothing was decided."""
    if not about.tables.ledger.is_committed(DECISION, about.day):
        return None
    rows = about.tables.rows(DECISION, on=about.day, where={"customer_id": [about.customer_id]})
    return [_candidate(about, somebody, row) for row in sorted(rows, key=asked.shown_order)]


def _candidate(about: Asked, somebody: Person, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("campaign_id", "wave", "offer", "channel", "fate", "reasons", "winner", "runner_up")
    amounts = ("value", "price", "reduced_value")
    return {
        **{name: row[name] for name in names},
        **{name: None if row[name] is None else str(row[name]) for name in amounts},
        "policy_now": _policy_now(about, somebody, row),
    }


def _policy_now(about: Asked, somebody: Person, row: Mapping[str, Any]) -> list[str] | None:
    """The codes of the contact policy as it is now, where the night found others; else None.

    A cap beside a winner is the last slot that the winner got, and no verdict of the policy. A
    candidate whose campaign or channel is configured no more is not judged again.
    """
    campaign = about.conf.campaigns.get(row["campaign_id"])
    if campaign is None or row["channel"] not in about.policy.lists:
        return None
    candidate = person.planned(
        about.conf.policy.contacts.class_of_type(campaign.type),
        row["channel"],
        about.policy,
        about.evening,
        campaign=row["campaign_id"],
        offer=row["offer"],
    )
    now = list(one_customer.judged(somebody, candidate, about.policy).reasons)
    lost_slot = row["winner"] is not None
    then = [] if lost_slot else [code for code in row["reasons"] if code in CODES]
    return now if now != then else None


if __name__ == "__main__":
    sys.exit(main())
