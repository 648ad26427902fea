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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jobs.pages import policy_text
from jobs.runtime import arguments, contract_changes, walk
from jobs.runtime.lock import guarded, logged
from jobs.warehouse import committed
from jobs.warehouse.committed import CommittedRows
from models.contact_policy import one_customer, person
from models.contact_policy.compiled import CODES, Compiled, compiled, instant_of
from models.contact_policy.one_customer import Contact, Person, Room
from models.contact_policy.person import Evening, Told
from models.intake import number_form
from schemas.config import Config
from schemas.errors import ConfigError
from schemas.window import Window

EXAMPLES = """examples:
  python -m jobs.policy_check --customer asked.txt --data-date 2009-05-03
  python -m jobs.policy_check --data-date 2009-05-03 --json < asked.txt
exit codes: 0 done; 2 unknown customer, arguments or configuration; 4 no such night"""
SUBSCRIBER, IDENTITY, CONSENT = "dw.subscriber", "dw.subscriber_identity", "dw.consent"
HISTORY, OUTCOME = "dw.contact_history", "dw.contact_outcome"
CLOSED, SENSITIVE, DECISION = "ods.do_not_contact", "ods.sensitive_number", "mart.decision"
TABLES = (SUBSCRIBER, IDENTITY, CONSENT, HISTORY, OUTCOME, CLOSED, SENSITIVE, DECISION)
LONGEST = 4096  # characters of a file that names a customer
FATES = ("pushed", "held_out", "spilled", "dropped")  # in the order in which they are shown


@dataclass(frozen=True)
class Asked:
    """Whom the question is about, and what it is answered from."""

    conf: Config
    tables: CommittedRows
    policy: Compiled
    evening: Evening
    customer_id: int

    @property
    def day(self) -> date:
        return self.evening.data_date

    def instant(self, second: int | None) -> str | None:
        """A local second of the rules as text, in the operator's time zone."""
        return None if second is None else instant_of(second, self.evening.zone).isoformat()


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.policy_check`; returns the exit code."""
    return guarded(lambda: _policy_check(argv))


def _policy_check(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.policy_check", __doc__, EXAMPLES)
    parser.add_argument(
        "--customer",
        metavar="FILE",
        default="-",
        help="file with one line: the customer's number at the CRM, or a phone number "
        "(default: -, the standard input)",
    )
    parser.add_argument(
        "--data-date", metavar="D", required=True, help="the night, for example 2009-05-03"
    )
    parser.add_argument("--json", action="store_true", help="the answer for another program")
    args = parser.parse_args(argv)
    day = arguments.day("--data-date", args.data_date)
    name = _named(args.customer)
    conf, contracts = walk.without_prices(arguments.conf_folders(args.conf))
    contract_changes.require_currency(args.warehouse, contracts)
    tables = CommittedRows("policy_check", args.warehouse, conf, contracts, TABLES)
    with logged(args.warehouse):
        if not tables.ledger.is_committed(HISTORY, day):
            raise committed.missing("policy_check", HISTORY, day)
        evening = Evening(day, conf.runtime.timezone)
        customer = _customer(tables, name, conf, evening)
        asked = Asked(
            conf, tables, compiled(conf.policy.contacts, conf.channels), evening, customer
        )
        answer = _answer(asked)
    print(
        json.dumps(answer, ensure_ascii=False, indent=1)
        if args.json
        else policy_text.printed(answer, conf.runtime.currency.unit)
    )


def _named(file: str) -> str:
    """The line that names the customer; messages never repeat it."""
    if file == "-" and sys.stdin.isatty():
        print("customer or phone number:", file=sys.stderr)
    try:
        if file == "-":
            text = sys.stdin.readline(LONGEST) if sys.stdin.isatty() else sys.stdin.read(LONGEST)
        else:
            with Path(file).open(encoding="utf-8-sig") as lines:
                text = lines.read(LONGEST)
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            "--customer: this is no file that can be read as UTF-8: give the name of a file that "
            "holds the number, not the number"
        ) from None
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if len(found) != 1:
        raise ConfigError(
            f"--customer: {len(found)} lines that name a customer; write one: the number at the "
            "CRM, or a phone number"
        )
    return found[0]


def _customer(tables: CommittedRows, name: str, conf: Config, evening: Evening) -> int:
    """The customer with this number at the CRM, or who holds this phone number at midnight."""
    day, end = evening.data_date, evening.midnight
    number = number_form.number_of(name, conf.runtime.numbers)
    named = tables.rows(
        SUBSCRIBER, ["customer_id"], on=day, where={"customer_no": [number_form.key_of(name)]}
    )
    holders = [
        row
        for row in tables.rows(IDENTITY, on=day, where={"msisdn": [number]})
        if row["valid_from"] < end and (row["valid_to"] is None or row["valid_to"] > end)
    ]
    found = {row["customer_id"] for row in (*named, *holders)}
    if not found:
        raise ConfigError(
            f"--customer: at the end of {day} no customer has this number at the CRM, and nobody "
            "holds this phone number"
        )
    if len(found) > 1:
        raise ConfigError(
            "--customer: this is the number of one customer at the CRM and the phone number of "
            "another: name the customer by the other number"
        )
    return found.pop()


def _answer(asked: Asked) -> dict[str, Any]:
    """The answer as plain values: instants and amounts are text."""
    somebody = person.person(asked.customer_id, _told(asked), asked.policy, asked.evening)
    counting = [_contact(asked, one) for one in somebody.contacts]
    return {
        "customer_id": asked.customer_id,
        "data_date": str(asked.day),
        "timezone": asked.evening.zone,
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
            for name, cap in asked.conf.policy.contacts.caps.items()
        ],
        "known": _known(asked, somebody),
        "slots": [
            _slots(asked, somebody, class_, channel)
            for class_ in asked.conf.policy.contacts.classes
            for channel in asked.policy.ways
        ],
        "candidates": _candidates(asked, somebody),
    }


def _told(asked: Asked) -> Told:
    """The rows of the customer. A night reads the same days (Compiled.memory)."""
    tables, day = asked.tables, asked.day
    mine = {"customer_id": [asked.customer_id]}
    days = asked.policy.memory(list(asked.conf.campaigns.values()), day)
    window = Window(day - timedelta(days=days), day)
    numbers = {row["msisdn"] for row in tables.rows(IDENTITY, ["msisdn"], on=day, where=mine)}
    theirs = {"msisdn": numbers}

    def delivered(table: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for row in rows if row["batch_date"] <= day]

    months = tables.rows(SENSITIVE, ["month", "batch_date"], distinct=True)
    return Told(
        history=tables.rows(HISTORY, window=window, where=mine),
        outcomes=tables.rows(OUTCOME, window=window, where=mine),
        consent=tables.rows(CONSENT, on=day, where=mine),
        identity=tables.rows(IDENTITY, on=day, where=theirs),
        do_not_contact=delivered(CLOSED, tables.rows(CLOSED, where=theirs)),
        sensitive_numbers=delivered(SENSITIVE, tables.rows(SENSITIVE, where=theirs)),
        sensitive_months={row["month"] for row in delivered(SENSITIVE, months)},
    )


def _contact(asked: Asked, one: Contact) -> dict[str, Any]:
    """A contact, and from when to when it uses a slot of which cap."""
    bits = asked.policy.counted.of(one.class_, one.way, one.channel)
    uses = [
        (cap, one_customer.covered(cap, one.at, one.until))
        for cap in asked.policy.caps
        if cap.bit & bits
    ]
    return {
        "at": asked.instant(one.at),
        "until": None if one.made else asked.instant(one.until),
        "state": "made" if one.made else "reserved",
        "class": one.class_,
        "way": one.way or None,
        "channel": one.channel,
        "campaign_id": one.campaign,
        "offer": one.offer,
        "uses": [
            {"cap": cap.name, "from": asked.instant(first), "to": asked.instant(last)}
            for cap, (first, last) in uses
        ],
    }


def _known(asked: Asked, somebody: Person) -> dict[str, Any]:
    """What the customer said, and lists that name him."""
    return {
        "consent": [
            {
                "class": one.class_,
                "granted": one.granted,
                "from": asked.instant(one.since),
                "to": asked.instant(one.until),
            }
            for one in somebody.consent
        ],
        "do_not_contact": [
            {
                "channel": one.channel,
                "class": one.class_,
                "from": asked.instant(one.since),
                "to": asked.instant(one.until),
            }
            for one in somebody.closed
        ],
        "sensitive_number": somebody.sensitive,
        "outcomes": [
            {"outcome": outcome, "at": asked.instant(at)} for outcome, at in somebody.outcomes
        ],
    }


def _slots(asked: Asked, somebody: Person, class_: str, channel: str) -> dict[str, Any]:
    """What the policy says of a contact of the class that a list of the night would hold."""
    candidate = person.planned(class_, channel, asked.policy, asked.evening)
    verdict = one_customer.judged(somebody, candidate, asked.policy)
    return {
        "class": class_,
        "way": asked.policy.ways[channel],
        "channel": channel,
        "from": asked.instant(candidate.at),
        "until": asked.instant(candidate.until),
        "reasons": list(verdict.reasons),
        "slots": verdict.slots,
        "next_slot": asked.instant(verdict.retry_at),
        "caps": [_room(asked, one) for one in verdict.room],
    }


def _room(asked: Asked, one: Room) -> dict[str, Any]:
    first, last = one.window
    return {
        "cap": one.cap,
        "window_from": asked.instant(first),
        "window_to": asked.instant(last),
        "used": one.used,
        "left": one.left,
        "opens_at": asked.instant(one.opens_at),
    }


def _candidates(asked: Asked, somebody: Person) -> list[dict[str, Any]] | None:
    """The customer's candidates of the night, the pushed ones first; None: nothing was decided."""
    if not asked.tables.ledger.is_committed(DECISION, asked.day):
        return None
    rows = asked.tables.rows(DECISION, on=asked.day, where={"customer_id": [asked.customer_id]})
    return [
        _candidate(asked, somebody, row)
        for row in sorted(
            rows,
            key=lambda row: (
                FATES.index(row["fate"]),
                len(row["reasons"]),
                -(row["value"] or 0),
                row["campaign_id"],
                row["wave"],
                row["offer"],
                row["channel"],
            ),
        )
    ]


def _candidate(asked: Asked, somebody: Person, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("campaign_id", "wave", "offer", "channel", "fate", "reasons", "winner", "runner_up")
    amounts = ("value", "price", "reduced_value")
    return {
        **{name: row[name] for name in names},
        **{name: None if row[name] is None else str(row[name]) for name in amounts},
        "policy_now": _policy_now(asked, somebody, row),
    }


def _policy_now(asked: Asked, somebody: Person, row: Mapping[str, Any]) -> list[str] | None:
    """The codes of the contact policy as it is now, where the night found others; else None.

    A cap beside a winner is the last slot that the winner got, and no verdict of the policy. A
    candidate whose campaign or channel is configured no more is not judged again.
    """
    campaign = asked.conf.campaigns.get(row["campaign_id"])
    if campaign is None or row["channel"] not in asked.policy.lists:
        return None
    candidate = person.planned(
        asked.conf.policy.contacts.class_of_type(campaign.type),
        row["channel"],
        asked.policy,
        asked.evening,
        campaign=row["campaign_id"],
        offer=row["offer"],
    )
    now = list(one_customer.judged(somebody, candidate, asked.policy).reasons)
    lost_slot = row["winner"] is not None
    then = [] if lost_slot else [code for code in row["reasons"] if code in CODES]
    return now if now != then else None


if __name__ == "__main__":
    sys.exit(main())
