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

from jobs.plan.night import Step, rated_months
from jobs.runtime import session as runtime
from jobs.runtime.walk import configuration, opened
from jobs.warehouse.warehouse import Warehouse
from models.drawing import bill_comparison as before_after
from models.reference.bill import Line, MonthBill
from models.reference.rater import Rater
from models.reference.tariff import Event
from models.tariff import catalogue
from models.tariff.package import KIND_SERVICE
from models.usage import cube as usage
from models.usage import data_session
from schemas.config import Config
from schemas.errors import ChudianError, ConfigError, InputError
from schemas.window import Window, month_of, parse_date

READS = (
    "ods.voice_call",
    "ods.message",
    "ods.data_session",
    "ods.wlan_session",
    "dw.subscriber_identity",
    "dw.subscriber",
    "mart.package_quote",
)
STEP = Step("quote", "jobs.quote", "quote", "a bill to check by hand", READS, ())


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.quote`; returns the exit code."""
    return runtime.guarded(lambda: _quote(argv))


def _quote(argv: list[str] | None) -> None:
    parser = runtime.parser(
        __doc__,
        "example: python -m jobs.quote --subscriber 100000000004 "
        "--package gotone_80 --month 2009-03 --data-date 2009-05-03",
    )
    parser.prog = "python -m jobs.quote"
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
    asked = runtime.invocation(args)
    conf, contracts = configuration(asked.conf)
    if args.package not in conf.tariffs:
        raise ConfigError(
            f"--package: no package '{args.package}' in conf/tariffs; there are "
            f"{', '.join(sorted(conf.tariffs))}"
        )
    month = month_of(parse_date(f"{args.month}-01" if len(args.month) == 7 else args.month))
    with opened(asked, conf, contracts, (STEP,)) as wh, wh.step(STEP, asked.window):
        who, day = _subscriber(wh, asked.window, args.subscriber)
        kept = _kept(wh, asked.window, who, month)
        picture = _picture(conf, kept, args.package, month) if args.picture else None
        quoted = _quoted(wh, conf, (who, day), month, conf.tariffs[args.package].data, kept)
    if picture is not None:
        _draw(args.picture, picture)
    print(json.dumps(quoted, ensure_ascii=False, indent=1) if args.json else _printed(quoted))


def _subscriber(wh: Warehouse, window: Window, asked: str) -> tuple[Row, date]:
    """The subscriber's row of the last snapshot, and the day of the snapshot."""
    day = wh.last_snapshot("dw.subscriber", window.last)
    if day is None:
        raise InputError(f"no subscribers up to {window.last}: run the night first")
    found = (
        wh.read("dw.subscriber", on=day)
        .where((F.col("subscriber_no") == asked) | (F.col("subscriber_id").cast("string") == asked))
        .collect()
    )
    if not found:
        raise InputError(f"--subscriber: no such subscriber on {day}")
    return found[0], day


def _kept(wh: Warehouse, window: Window, who: Row, month: date) -> dict[str, Row]:
    """The engine's quotes of the subscriber's month, by package."""
    snapshot = wh.last_snapshot("mart.package_quote", window.last)
    rows = (
        []
        if snapshot is None
        else wh.read("mart.package_quote", on=snapshot)
        .where((F.col("subscriber_id") == who["subscriber_id"]) & (F.col("month") == F.lit(month)))
        .collect()
    )
    return {row["package_id"]: row for row in rows}


def _quoted(
    wh: Warehouse,
    conf: Config,
    whom: tuple[Row, date],
    month: date,
    document: dict,
    kept: Mapping[str, Row],
) -> dict:
    """The bill as plain values. Amounts are yuan as text; units are seconds, messages or bytes."""
    bill = _bill(wh, conf, *whom, month, document)
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
        lines = {line: row[line] for line in before_after.PRICED_LINES}
        title = conf.tariffs[name].data["name"] if name in conf.tariffs else name
        sides.append(before_after.Side(title, before_after.stated(row["total"], lines)))
    before, after = sides
    return before_after.picture(
        f"{month.year}年{month.month}月费用：{before.name} → {after.name}", "当月", before, after
    )


def _draw(path: Path, picture: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture + "\n", encoding="utf-8")
    except OSError as error:
        raise ChudianError(
            f"--picture: {path} cannot be written ({error.strerror}): check the "
            "folder and its rights"
        ) from None


def _bill(
    wh: Warehouse, conf: Config, who: Row, day: date, month: date, document: dict
) -> MonthBill:
    """The month by the reference rater.

    Units that pools carry over are counted from the first of the compared months.
    """
    policy, service = conf.policy, KIND_SERVICE[document["kind"]]
    rater = Rater(document, policy.calendar.holidays, policy.rating.toll_rerated)
    before = []
    if any(pool.get("carry_over") for pool in document.get("pools") or []):
        before = [one for one in rated_months(conf, Window(day, day)) if one < month]
    carried: dict[str, int] = {}
    for one in (*before, month):
        events = _events(wh, conf, who["subscriber_id"], one, day, service)
        bill = rater.rate_month(events, one, who["join_date"], carried)
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


def _events(
    wh: Warehouse, conf: Config, subscriber: int, month: date, day: date, service: str
) -> list[Event]:
    """The events that a candidate package re-rates, in the order in which the engine replays them.

    In-group and 12593 calls are left out: they are not re-rated (S2-07, S2-R5).
    """
    identity = wh.read("dw.subscriber_identity", on=day).where(F.col("subscriber_id") == subscriber)

    def of_subscriber(table: str) -> DataFrame:
        return wh.read(table, upto=day, whatever_is_there=True).join(
            identity.select("msisdn").distinct(), "msisdn", "left_semi"
        )

    sessions = data_session.merged(
        of_subscriber("ods.data_session"), conf.policy.rating.session_gap_hours
    )
    tariffs = catalogue.load(conf.tariffs.values())
    records = usage.Records(
        of_subscriber("ods.voice_call"),
        of_subscriber("ods.message"),
        sessions,
        of_subscriber("ods.wlan_session"),
    )
    rows = (
        usage.guide(
            records, identity, {service: tariffs.cuts(service)}, conf.policy.calendar.holidays
        )
        .where(F.trunc("local_date", "month") == F.lit(month))
        .where(
            f"subscriber_id IS NOT NULL AND service = '{service}' "
            "AND NOT coalesce(in_group, false) AND coalesce(dial, '') <> 'ip12593'"
        )
        .orderBy("occurred_at", "cell_id", "quantity")
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


def _printed(quoted: dict) -> str:
    """The bill as text for a terminal."""
    lines = [
        f"{quoted['name']} ({quoted['package']}), {quoted['month']}",
        "",
        f"{'line':<34}{'events':>8}{'units':>12}{'free':>10}  {'price':<22}{'yuan':>12}",
        f"{'monthly fee':<34}{'':>8}{'':>12}{'':>10}  {'':<22}{quoted['monthly_fee']:>12}",
    ]
    for line in quoted["lines"]:
        facts = " ".join(f"{value}" for value in line["match"].values())
        lines.append(
            f"{line['component'] + ' ' + facts:<34.34}{line['events']:>8,}"
            f"{line['units']:>12,}{line['free_units']:>10,}  {line['price']:<22.22}"
            f"{line['yuan']:>12}"
        )
    rest = [
        *((f"cap of {name}", cut) for name, cut in quoted["cap_cuts"].items()),
        ("minimum commitment", quoted["commitment"]),
        ("rounding", quoted["rounding"]),
    ]
    lines += [f"{words:<86}{amount:>12}" for words, amount in rest if Decimal(amount)]
    lines += [f"{'its own prices':<86}{quoted['own_prices']:>12}", ""]
    engine = quoted["engine"]
    if engine is None:
        lines.append("the engine kept no quote of this package for this month")
    elif "reason" in engine:
        lines.append(f"the engine does not compare this month: {engine['reason']}")
    else:
        same = "the same" if engine["same"] else "NOT THE SAME"
        lines += [
            f"{'by the engine':<86}{engine['own_prices']:>12}  {same}",
            f"{'passes through: 12593, other fees, bill items, VPMN':<86}"
            f"{engine['passed_through']:>12}",
            f"{'total':<86}{engine['total']:>12}",
        ]
    return "\n".join(lines)


def _yuan(amount: Fraction) -> str:
    """An amount of yuan as text: two decimals, up to six if it needs them, rounded half up."""
    micro_yuan = int(
        amount * 10**6 + Fraction(1, 2) if amount >= 0 else amount * 10**6 - Fraction(1, 2)
    )
    text = f"{Decimal(micro_yuan).scaleb(-6):.6f}"
    return text[:-4] + text[-4:].rstrip("0")


if __name__ == "__main__":
    sys.exit(main())
