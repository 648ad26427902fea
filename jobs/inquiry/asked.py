"""Whom a command is asked about, and which of the customer's contacts the policy counts.

A customer is named in a file or on the standard input, never on the command line, because other
users of the machine see that: the customer's number at the CRM, or a phone number held on the day.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jobs.warehouse import committed
from jobs.warehouse.committed import CommittedRows
from models.contact_policy import one_customer
from models.contact_policy.compiled import Compiled, compiled, instant_of
from models.contact_policy.one_customer import Contact
from models.contact_policy.person import Evening, Told
from models.intake import number_form
from schemas.config import Config
from schemas.errors import ConfigError
from schemas.window import Window

SUBSCRIBER, IDENTITY, CONSENT = "dw.subscriber", "dw.subscriber_identity", "dw.consent"
HISTORY, OUTCOME = "dw.contact_history", "dw.contact_outcome"
CLOSED, SENSITIVE = "ods.do_not_contact", "ods.sensitive_number"
TABLES = (SUBSCRIBER, IDENTITY, CONSENT, HISTORY, OUTCOME, CLOSED, SENSITIVE)
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


def add_customer(parser: argparse.ArgumentParser) -> None:
    """`--customer FILE`, and the night that is asked about."""
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


def named(file: str) -> str:
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


def asked(command: str, tables: CommittedRows, conf: Config, name: str, day: date) -> Asked:
    """The customer of that name on a night; InputError where nothing is known of the night."""
    if not tables.ledger.is_committed(HISTORY, day):
        raise committed.missing(command, HISTORY, day)
    evening = Evening(day, conf.runtime.timezone)
    customer = _customer(tables, name, conf, evening)
    policy = compiled(conf.policy.contacts, conf.channels)
    return Asked(conf, tables, policy, evening, customer)


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


def told(asked: Asked) -> Told:
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


def contact(asked: Asked, one: Contact) -> dict[str, Any]:
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


def shown_order(row: Mapping[str, Any]) -> tuple:
    """The place of a row of mart.decision among those of its customer: the pushed ones first."""
    return (
        FATES.index(row["fate"]),
        len(row["reasons"]),
        -(row["value"] or 0),
        row["campaign_id"],
        row["wave"],
        row["offer"],
        row["channel"],
    )
