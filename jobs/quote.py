"""Print the bill of one customer-month under one package, to be checked by hand.

The customer's records are rated one by one in time order by models/reference/rater.py, which shares
no code with the engine. The engine's quote is printed beside the sum. Each line has its events,
units, free units, price and amount. With --picture the engine's quotes of the month under the
present package and under this one are drawn beside each other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.pages import bill_text
from jobs.plan.slices import rated_months
from jobs.plan.step import Step
from jobs.runtime import arguments
from jobs.runtime.context import Context
from jobs.runtime.lock import guarded
from jobs.runtime.walk import configuration, reading
from jobs.steps.rating.guided_events import joining_of
from models.drawing import bill_comparison
from models.intake import number_form
from models.reference.bill import Line, MonthBill
from models.reference.rater import Rater
from models.reference.tariff import Event
from models.tariff.amounts import BUCKETS
from models.tariff.package import KIND_SERVICE
from models.usage import events as usage_events
from models.usage import record_parts
from models.usage.local_time import LASTING
from models.usage.recorded import TABLES
from schemas.config import Config
from schemas.errors import ConfigError, InputError
from schemas.window import Window, month_of

READS = (
    "ods.voice_call",
    "ods.message",
    "ods.data_session",
    "ods.wlan_session",
    "dw.subscriber_identity",
    "dw.subscriber",
    "mart.package_quote",
)
SERVICE_RECORDS = {
    "voice": "ods.voice_call",
    "sms": "ods.message",
    "mms": "ods.message",
    "data": "ods.data_session",
    "wlan": "ods.wlan_session",
}
STEP = Step("quote", "quote", "a bill to check by hand", READS, ())


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
    with (
        reading(invocation, configured, STEP) as run,
        run.warehouse.step(STEP, window),
    ):
        context = run.context(STEP, window)
        who, day = _subscriber(context, args.subscriber)
        kept = _kept(context, who, month)
        picture = _picture(conf, kept, args.package, month) if args.picture else None
        _require_records(context, who, month, KIND_SERVICE[conf.tariffs[args.package].data["kind"]])
        quoted = _quoted(context, (who, day), month, conf.tariffs[args.package].data, kept)
    if picture is not None:
        arguments.write("--picture", args.picture, picture + "\n")
    print(
        json.dumps(quoted, ensure_ascii=False, indent=1) if args.json else bill_text.printed(quoted)
    )


def _subscriber(context: Context, asked: str) -> tuple[Row, date]:
    """The subscriber's row of the last snapshot, and the day of the snapshot."""
    asked = number_form.key_of(asked)
    day = context.warehouse.last_snapshot("dw.subscriber", context.day)
    if day is None:
        raise InputError(f"no subscribers up to {context.day}: run the night first")
    found = (
        context.warehouse.read("dw.subscriber", on=day)
        .where((F.col("subscriber_no") == asked) | (F.col("subscriber_id").cast("string") == asked))
        .collect()
    )
    if not found:
        raise InputError(f"--subscriber: no such subscriber on {day}")
    return found[0], day


def _require_records(context: Context, who: Row, month: date, service: str) -> None:
    """InputError where the month cannot have records of the service.

    The subscriber joined later, or no delivery of the month is committed.
    """
    if who["join_date"] is not None and month_of(who["join_date"]) > month:
        raise InputError(
            f"--month: the subscriber joined after {month:%Y-%m}: give a later month, not after "
            f"{context.day:%Y-%m}"
        )
    record = SERVICE_RECORDS[service]
    sources = [name for name, one in context.conf.sources.items() if one.record == record]
    days = {day for source in sources for day in context.ledger.delivered(record, source)}
    months = sorted({month_of(day) for day in days if day <= context.day})
    if sources and month not in months:
        there = f"there are {months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else "there are none"
        raise InputError(
            f"--month: no delivery of {', '.join(sources)} is committed for {month:%Y-%m}; "
            f"{there}: give another month, or run the nights of this one"
        )


def _kept(context: Context, who: Row, month: date) -> dict[str, Row]:
    """The engine's quotes of the subscriber's month, by package."""
    warehouse = context.warehouse
    snapshot = warehouse.last_snapshot("mart.package_quote", context.day)
    rows = (
        []
        if snapshot is None
        else warehouse.read("mart.package_quote", on=snapshot)
        .where((F.col("subscriber_id") == who["subscriber_id"]) & (F.col("month") == F.lit(month)))
        .collect()
    )
    return {row["package_id"]: row for row in rows}


def _quoted(
    context: Context,
    whom: tuple[Row, date],
    month: date,
    document: dict,
    kept: Mapping[str, Row],
) -> dict:
    """The bill as plain values. Amounts are yuan as text; units are seconds, messages or bytes."""
    bill = _bill(context, *whom, month, document)
    return {
        "package": document["id"],
        "name": document["name"],
        "month": f"{month:%Y-%m}",
        "monthly_fee": _yuan(bill.fee),
        "lines": [_line_values(document, key, line) for key, line in sorted(bill.lines.items())],
        "pools": [
            {"pool": name, "size": use.size, "carried_in": use.carried, "used": use.used}
            for name, use in bill.pools.items()
        ],
        "cap_cuts": {name: _yuan(cut) for name, cut in bill.cap_cuts.items()},
        "commitment": _yuan(bill.commitment),
        "rounding": _yuan(bill.rounding),
        "own_prices": _yuan(bill.total),
        "engine": _engine(kept.get(document["id"]), bill.total),
    }


def _picture(conf: Config, kept: Mapping[str, Row], package: str, month: date) -> str:
    """The month under the present package of its kind and under `package`, as SVG (S2-10).

    InputError if one of the two has no quote to draw.
    """
    kind, of_month = conf.tariffs[package].data["kind"], f"for {month:%Y-%m}"
    present = next(
        (name for name, row in kept.items() if row["is_present"] and row["kind"] == kind), ""
    )
    if present == package:
        raise InputError(
            f"--picture: {package} is the customer's own package {of_month}: there is nothing "
            "to compare it with"
        )
    sides = []
    for name, words in ((present, f"the present {kind} package"), (package, package)):
        if name not in kept:
            others = ", ".join(
                sorted(
                    one
                    for one, row in kept.items()
                    if row["kind"] == kind and not row["is_present"]
                )
            )
            raise InputError(
                f"--picture: the engine kept no quote of {words} {of_month}; its "
                f"{kind} quotes: {others or 'none'}"
            )
        row = kept[name]
        if not row["comparable"]:
            raise InputError(f"--picture: {name} {of_month} is not compared: {row['reason']}")
        lines = {line: row[line] for line in BUCKETS}
        title = conf.tariffs[name].data["name"] if name in conf.tariffs else name
        sides.append(bill_comparison.Side(title, bill_comparison.stated(row["total"], lines)))
    before, after = sides
    return bill_comparison.picture(
        f"{month.year}年{month.month}月费用：{before.name} → {after.name}", "当月", before, after
    )


def _bill(context: Context, who: Row, day: date, month: date, document: dict) -> MonthBill:
    """The month by the reference rater.

    Units that pools carry over are counted from the first of the compared months.
    """
    policy, service = context.conf.policy, KIND_SERVICE[document["kind"]]
    rater = Rater(
        document,
        policy.calendar.holidays,
        policy.rating.toll_rerated,
        context.conf.clock_zone(*LASTING),
    )
    before = []
    if any(pool.get("carry_over") for pool in document.get("pools") or []):
        joined = who["join_date"] and month_of(who["join_date"])
        before = [
            one
            for one in rated_months(context.conf, Window(day, day))
            if one < month and (joined is None or joined <= one)
        ]
    carried: dict[str, int] = {}
    for one in (*before, month):
        events = _events(context, who["subscriber_id"], one, day, service)
        try:
            bill = rater.rate_month(events, one, who["join_date"], carried)
        except ValueError:  # its text holds the event
            raise InputError(
                f"{document['id']} has no price for an event of {one:%Y-%m}: its zone is not "
                "known, or no rule of the package names it"
            ) from None
        carried = {name: use.carry_out for name, use in bill.pools.items()}
    return bill


def _line_values(document: dict, key: tuple[str, str, int], line: Line) -> dict:
    """A line of the bill as plain values; `key`: (service, component, rule number)."""
    _, component, no = key
    rule = document["rules"][no] if no >= 0 else {}
    steps = [
        f"{step['rate']} / {step['per']}" for step in rule.get("groups") or [rule] if "rate" in step
    ]
    return {
        "component": component,
        "match": rule.get("match", {}),
        "events": line.events,
        "units": line.units,
        "free_units": line.free_units,
        "free_by_pool": line.free_by_pool,
        "price": ", then ".join(steps) or "tier",
        "connect_fees": _yuan(line.connect),
        "yuan": _yuan(line.charged),
    }


def _engine(quote: Row | None, own_total: Fraction) -> dict | None:
    """The engine's quote of the same month as plain values; None if the engine kept no quote."""
    if quote is None:
        return None
    if not quote["comparable"]:
        return {"reason": quote["reason"]}
    own = Fraction(quote["total"]) - Fraction(quote["passed_through"])
    return {
        "own_prices": _yuan(own),
        "same": own == own_total,
        "replayed": quote["replayed"],
        "passed_through": _yuan(Fraction(quote["passed_through"])),
        "total": _yuan(Fraction(quote["total"])),
    }


def _events(context: Context, subscriber: int, month: date, day: date, service: str) -> list[Event]:
    """The events that a candidate package re-rates, in the order in which the engine replays them.

    In-group and 12593 calls are left out: they are not re-rated (S2-07, S2-R5).
    """
    warehouse, policy = context.warehouse, context.conf.policy
    identity = warehouse.read("dw.subscriber_identity", on=day).where(
        F.col("subscriber_id") == subscriber
    )

    def of_subscriber(table: str) -> DataFrame:
        return warehouse.read(table, upto=day, allow_missing=True).join(
            identity.select("msisdn").distinct(), "msisdn", "left_semi"
        )

    records = {table: of_subscriber(table) for table in TABLES}
    rows = (
        usage_events.guide(
            record_parts.merged(records, joining_of(context.conf)),
            identity,
            {service: context.catalogue.cuts(service)},
            policy.calendar.holidays,
        )
        .where(F.trunc("local_date", "month") == F.lit(month))
        .where(
            f"subscriber_id IS NOT NULL AND service = '{service}' "
            "AND NOT coalesce(in_group, false) AND coalesce(dial, '') <> 'ip12593'"
        )
        .orderBy("occurred_at", "event_key")
        .collect()
    )
    return [
        Event(
            number,
            row["service"],
            row["direction"],
            row["roaming"],
            row["toll"],
            row["dial"],
            row["in_group"],
            row["message_kind"],
            int(row["occurred_at"].timestamp()),
            row["local_date"],
            row["local_second"],
            row["day_type"],
            row["quantity"],
        )
        for number, row in enumerate(rows)
    ]


def _yuan(amount: Fraction) -> str:
    """An amount of yuan as text: two decimals, up to six if it needs them, rounded half up."""
    micro_yuan = int(
        amount * 10**6 + Fraction(1, 2) if amount >= 0 else amount * 10**6 - Fraction(1, 2)
    )
    text = f"{Decimal(micro_yuan).scaleb(-6):.6f}"
    return text[:-4] + text[-4:].rstrip("0")


if __name__ == "__main__":
    sys.exit(main())
