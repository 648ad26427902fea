"""Print the bill of one customer-month under one package, to be checked by hand.

The customer's records are rated one by one in time order by models/reference/rater.py, which shares
no code with the engine. The engine's quote is printed beside the sum. Each line has its events,
units, free units, price and amount. With --picture the engine's quotes of the month under the
present package and under this one are drawn beside each other. Spark is not started.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from jobs.pages import bill_text, quote_picture
from jobs.pages.quote_picture import kinds_priced
from jobs.plan.slices import rated_months
from jobs.runtime import arguments, contract_changes
from jobs.runtime.lock import guarded, logged
from jobs.runtime.walk import configuration
from jobs.warehouse.committed import CommittedRows
from models.intake import number_form
from models.reference.bill import Line, MonthBill
from models.reference.rater import Rater
from models.reference.subscriber_events import (
    COLUMNS,
    OWNED,
    Parts,
    first_delivery,
    is_rerated,
    subscriber_events,
)
from models.reference.tariff import Event
from models.tariff.package import KIND_SERVICE
from models.usage.local_time import LASTING
from schemas.config import Config
from schemas.currency import Currency
from schemas.errors import ConfigError, InputError
from schemas.window import Window, month_of

SERVICE_RECORDS = {
    "voice": "ods.voice_call",
    "sms": "ods.message",
    "mms": "ods.message",
    "data": "ods.data_session",
    "wlan": "ods.wlan_session",
}
SUBSCRIBER, IDENTITY, QUOTE = "dw.subscriber", "dw.subscriber_identity", "mart.package_quote"
IDS, LARGEST_ID = "0|[1-9][0-9]{0,18}", 2**63 - 1


@dataclass(frozen=True)
class Asked:
    """What the bill is of, and what it is made from.

    `package`: as its file says. `who`: the subscriber's row of the snapshot of `day`.
    """

    conf: Config
    tables: CommittedRows
    package: Mapping[str, Any]
    month: date
    who: Mapping[str, Any]
    day: date

    @property
    def records(self) -> Sequence[str]:
        """The tables of the records that the package prices."""
        return records_of(self.package)


def records_of(package: Mapping[str, Any]) -> Sequence[str]:
    """The tables of the records that a package prices."""
    return tuple(
        dict.fromkeys(SERVICE_RECORDS[KIND_SERVICE[kind]] for kind in kinds_priced(package))
    )


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.quote`; returns the exit code."""
    return guarded(lambda: _quote(argv))


def _quote(argv: list[str] | None) -> None:
    parser = arguments.parser(
        "python -m jobs.quote",
        __doc__,
        "example: python -m jobs.quote --subscriber 100000000004 "
        "--package gotone_80 --month 2009-03 --data-date 2009-05-03",
    )
    parser.add_argument(
        "--subscriber",
        required=True,
        help="subscriber number of the CRM, or the subscriber_id of the tables",
    )
    parser.add_argument("--package", required=True, help="id of a package in conf/tariffs")
    parser.add_argument("--month", required=True, help="for example 2009-03")
    parser.add_argument("--json", action="store_true", help="the bill for another program")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="draw the month before and after as SVG"
    )
    args = parser.parse_args(argv)
    window, invocation = arguments.window(args), arguments.invocation(args)
    configured = configuration(invocation.conf)
    conf = configured.conf
    if args.package not in conf.tariffs:
        raise ConfigError(
            f"--package: no package '{args.package}' in conf/tariffs; there are "
            f"{', '.join(sorted(conf.tariffs))}"
        )
    month = arguments.month("--month", args.month)
    if month > window.last:
        raise ConfigError(
            f"--month: {month:%Y-%m} begins after the data date {window.last}: give an earlier one"
        )
    package = conf.tariffs[args.package].data
    contract_changes.require_currency(invocation.warehouse, configured.contracts)
    tables = CommittedRows(
        "quote",
        invocation.warehouse,
        conf,
        configured.contracts,
        (*records_of(package), SUBSCRIBER, IDENTITY, QUOTE),
    )
    with logged(invocation.warehouse):
        who, day = _subscriber(tables, args.subscriber, window.last)
        asked = Asked(conf, tables, package, month, who, day)
        kept = _kept(asked, window.last)
        picture = _picture(asked, kept) if args.picture else None
        _require_records(asked, window.last)
        quoted = _quoted(asked, kept)
    if picture is not None:
        arguments.write("--picture", args.picture, picture + "\n")
    print(
        json.dumps(quoted, ensure_ascii=False, indent=1)
        if args.json
        else bill_text.printed(quoted, conf.runtime.currency.unit)
    )


def _subscriber(tables: CommittedRows, asked: str, last: date) -> tuple[Mapping[str, Any], date]:
    """The subscriber's row of the last snapshot up to a day, and the day of the snapshot."""
    asked = number_form.key_of(asked)
    day = tables.last_snapshot(SUBSCRIBER, last)
    if day is None:
        raise InputError(f"no subscribers up to {last}: run the night first")
    named: list[tuple[str, str | int]] = [("subscriber_no", asked)]
    if re.fullmatch(IDS, asked) and int(asked) <= LARGEST_ID:
        named.append(("subscriber_id", int(asked)))
    columns = ("subscriber_id", "join_date")
    for column, value in named:
        for row in tables.rows(SUBSCRIBER, columns, on=day, where={column: [value]}):
            return row, day
    raise InputError(f"--subscriber: no such subscriber on {day}")


def _require_records(asked: Asked, last: date) -> None:
    """InputError where the month cannot have records of a service.

    The subscriber joined later, or no delivery of the month is committed up to the `last` day.
    """
    month, joined = asked.month, asked.who["join_date"]
    if joined is not None and month_of(joined) > month:
        raise InputError(
            f"--month: the subscriber joined after {month:%Y-%m}: give a later month, not after "
            f"{last:%Y-%m}"
        )
    for record in asked.records:
        sources = [name for name, one in asked.conf.sources.items() if record in one.tables]
        ledger = asked.tables.ledger
        days = {day for source in sources for day in ledger.delivered(record, source)}
        months = sorted({month_of(day) for day in days if day <= last})
        if sources and month not in months:
            first_last = (f"{one:%Y-%m}" for one in (months[0], months[-1])) if months else ()
            there = f"there are {' to '.join(first_last)}" if months else "there are none"
            raise InputError(
                f"--month: no delivery of {', '.join(sources)} is committed for {month:%Y-%m}; "
                f"{there}: give another month, or run the nights of this one"
            )


def _kept(asked: Asked, last: date) -> dict[str, Mapping[str, Any]]:
    """The engine's last quotes of the subscriber's month up to a day, by package."""
    snapshot = asked.tables.last_snapshot(QUOTE, last)
    if snapshot is None:
        return {}
    mine = {"subscriber_id": [asked.who["subscriber_id"]], "month": [asked.month]}
    rows = asked.tables.rows(QUOTE, on=snapshot, where=mine)
    return {row["package_id"]: row for row in rows}


def _quoted(asked: Asked, kept: Mapping[str, Mapping]) -> dict:
    """The bill as plain values.

    Amounts are text; units are seconds, messages or bytes, a part of one as text.
    """
    document, month, bill = asked.package, asked.month, _bill(asked)
    money = asked.conf.runtime.currency
    return {
        "package": document["id"],
        "name": document["name"],
        "month": f"{month:%Y-%m}",
        "monthly_fee": money.exact(bill.fee),
        "lines": [
            _line_values(document, key, line, money) for key, line in sorted(bill.lines.items())
        ],
        "pools": [
            {"pool": name, "size": use.size, "carried_in": use.carried, "used": use.used}
            for name, use in bill.pools.items()
        ],
        "cap_cuts": {name: money.exact(cut) for name, cut in bill.cap_cuts.items()},
        "commitment": money.exact(bill.commitment),
        "rounding": money.exact(bill.rounding),
        "own_prices": money.exact(bill.total),
        "engine": _engine(kept.get(document["id"]), bill.total, money),
    }


def _picture(asked: Asked, kept: Mapping[str, Mapping]) -> str:
    tariffs = {name: one.data for name, one in asked.conf.tariffs.items()}
    currency = asked.conf.runtime.currency
    return quote_picture.picture(asked.package, asked.month, kept, tariffs, currency)


def _bill(asked: Asked) -> MonthBill:
    """The month by the reference rater.

    Units that pools carry over are counted from the first of the compared months.
    """
    conf, month, joined = asked.conf, asked.month, asked.who["join_date"]
    policy = conf.policy
    rater = Rater(
        asked.package,
        policy.calendar.holidays,
        policy.rating.toll_rerated,
        conf.clock_zone(*LASTING),
    )
    before = []
    if any(pool.get("carry_over") for pool in asked.package.get("pools") or []):
        before = [
            one
            for one in rated_months(conf, Window(asked.day, asked.day))
            if one < month and (joined is None or month_of(joined) <= one)
        ]
    events = _events(asked, [*before, month][0])
    carried: dict[str, int] = {}
    for one in (*before, month):
        try:
            bill = rater.rate_month(events, one, joined, carried)
        except ValueError:  # its text holds the event
            raise InputError(
                f"{asked.package['id']} has no price for an event of {one:%Y-%m}: its zone is not "
                "known, or no rule of the package names it"
            ) from None
        carried = {name: use.carry_out for name, use in bill.pools.items()}
    return bill


def _line_values(document: Mapping, key: tuple[str, str, int], line: Line, money: Currency) -> dict:
    """A line of the bill as plain values; `key`: (service, component, rule number)."""
    service, component, no = key
    rule = document["rules"][no] if no >= 0 else {}
    steps = [
        f"{step['rate']} / {step['per']}" for step in rule.get("groups") or [rule] if "rate" in step
    ]
    return {
        "service": service,
        "component": component,
        "match": rule.get("match", {}),
        "events": line.events,
        "units": _units(line.units),
        "free_units": _units(line.free_units),
        "free_by_pool": {name: _units(free) for name, free in line.free_by_pool.items()},
        "price": ", then ".join(steps) or "tier",
        "connect_fees": money.exact(line.connect),
        money.unit: money.exact(line.charged),
    }


def _engine(quote: Mapping | None, own_total: Fraction, money: Currency) -> dict | None:
    """The engine's quote of the same month as plain values; None if the engine kept no quote."""
    if quote is None:
        return None
    if not quote["comparable"]:
        return {"reason": quote["reason"]}
    own = Fraction(quote["total"]) - Fraction(quote["passed_through"])
    return {
        "own_prices": money.exact(own),
        "same": own == own_total,
        "replayed": quote["replayed"],
        "passed_through": money.exact(Fraction(quote["passed_through"])),
        "total": money.exact(Fraction(quote["total"])),
    }


def _events(asked: Asked, month: date) -> list[Event]:
    """The subscriber's events from a month on, in the order in which the engine replays them.

    Only those that a candidate package re-rates. Deliveries up to the day of the snapshot count.
    """
    conf, tables, wanted = asked.conf, asked.tables, asked.records
    owned = tables.rows(
        IDENTITY, OWNED, on=asked.day, where={"subscriber_id": [asked.who["subscriber_id"]]}
    )
    modes, looks_back = conf.part_modes(*wanted), conf.lookback_days(*wanted)
    first = first_delivery(month, max((looks_back[source] for source in modes), default=0))
    records = {
        record: tables.rows(
            record,
            COLUMNS[record],
            window=Window(min(first, asked.day), asked.day),
            where={"msisdn": {one["msisdn"] for one in owned}},
        )
        for record in wanted
    }
    gap = timedelta(hours=conf.policy.rating.session_gap_hours)
    holidays = conf.policy.calendar.holidays
    events = subscriber_events(records, owned, Parts(modes, gap), holidays)
    return [event for event in events if is_rerated(event)]


def _units(amount: int | Fraction) -> int | str:
    """Base units as a whole number; a part of one, drawn by an exchange, as text such as 7/2."""
    return int(amount) if Fraction(amount).denominator == 1 else str(amount)


if __name__ == "__main__":
    sys.exit(main())
