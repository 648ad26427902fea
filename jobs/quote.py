"""Print the bill of one customer-month under one package, to be checked by hand.

Reads the customer's records, rates them one by one in time order (models/reference_rater.py,
which shares nothing with the engine), and sets the engine's quote beside the sum. Each line is
shown with its events, units, free units, price and amount.
"""
from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from fractions import Fraction

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import runtime
from jobs.night import configuration, opened
from jobs.plan import Step
from jobs.warehouse import Warehouse
from models import catalogue, data_session, usage
from models.reference_rater import Rater
from models.reference_tariff import Event
from models.tariff import KIND_SERVICE
from schemas.config import Config
from schemas.errors import ConfigError, InputError
from schemas.window import month_of, parse_date

READS = ("ods.voice_call", "ods.message", "ods.data_session", "ods.wlan_session",
         "dw.subscriber_identity", "dw.subscriber", "mart.package_quote")
STEP = Step("quote", "jobs.quote", "quote", "a bill to check by hand", READS, ())


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.quote`; returns the exit code."""
    return runtime.guarded(lambda: _quote(argv))


def _quote(argv: list[str] | None) -> None:
    parser = runtime.parser(__doc__, "example: python -m jobs.quote --subscriber 100000000004 "
                            "--package gotone_80 --month 2009-03 --data-date 2009-05-03")
    parser.prog = "python -m jobs.quote"
    parser.add_argument("--subscriber", required=True, help="subscriber number of the CRM, or the "
                        "subscriber_id of the tables")
    parser.add_argument("--package", required=True, help="id of a package in conf/tariffs")
    parser.add_argument("--month", required=True, help="for example 2009-03")
    args = parser.parse_args(argv)
    asked = runtime.invocation(args)
    conf, contracts = configuration(asked.conf)
    if args.package not in conf.tariffs:
        raise ConfigError(f"--package: no package '{args.package}' in conf/tariffs; there are "
                          f"{', '.join(sorted(conf.tariffs))}")
    with opened(asked, conf, contracts, (STEP,)) as wh, wh.step(STEP, asked.window):
        print(_bill(wh, conf, asked.window.last, args))


def _bill(wh: Warehouse, conf: Config, last: date, args) -> str:
    month = month_of(parse_date(f"{args.month}-01" if len(args.month) == 7 else args.month))
    day = wh.last_snapshot("dw.subscriber", last)
    if day is None:
        raise InputError(f"no subscribers up to {last}: run the night first")
    found = wh.read("dw.subscriber", on=day).where(
        (F.col("subscriber_no") == args.subscriber)
        | (F.col("subscriber_id").cast("string") == args.subscriber)).collect()
    if not found:
        raise InputError(f"--subscriber: no such subscriber on {day}")
    who, document = found[0], conf.tariffs[args.package].data
    events = _events(wh, conf, who["subscriber_id"], month, day, KIND_SERVICE[document["kind"]])
    policy = conf.policy
    rater = Rater(document, policy.calendar.holidays, policy.rating.toll_rerated)
    bill = rater.rate_month(events, month, who["join_date"])
    quoted = wh.last_snapshot("mart.package_quote", last)
    engine = [] if quoted is None else wh.read("mart.package_quote", on=quoted).where(
        (F.col("subscriber_id") == who["subscriber_id"]) & (F.col("month") == F.lit(month))
        & (F.col("package_id") == args.package)).collect()
    return _printed(document, bill, month, engine)


def _events(wh: Warehouse, conf: Config, subscriber: int, month: date, day: date, service: str
            ) -> list[Event]:
    """The events that a candidate re-rates, in the order in which the engine replays them.

    In-group and 12593 calls are none (S2-07, S2-R5).
    """
    identity = wh.read("dw.subscriber_identity", on=day).where(
        F.col("subscriber_id") == subscriber)

    def mine(table: str) -> DataFrame:
        return wh.read(table, upto=day, whatever_is_there=True).join(
            identity.select("msisdn").distinct(), "msisdn", "left_semi")

    sessions = data_session.merged(mine("ods.data_session"), conf.policy.rating.session_gap_hours)
    tariffs = catalogue.load(conf.tariffs.values())
    records = usage.Records(
        mine("ods.voice_call"), mine("ods.message"), sessions, mine("ods.wlan_session"))
    rows = usage.guide(
        records, identity, {service: tariffs.cuts(service)}, conf.policy.calendar.holidays
    ).where(F.trunc("local_date", "month") == F.lit(month)).where(
        f"subscriber_id IS NOT NULL AND service = '{service}' AND NOT coalesce(in_group, false) "
        "AND coalesce(dial, '') <> 'ip12593'"
    ).orderBy("occurred_at", "cell_id", "quantity").collect()
    return [Event(
        number, row["service"], row["direction"], row["roaming"], row["toll"], row["dial"],
        row["in_group"], row["message_kind"], int(row["occurred_at"].timestamp()),
        row["local_date"], row["local_second"], row["day_type"], row["quantity"])
        for number, row in enumerate(rows)]


def _printed(document: dict, bill, month: date, engine: list) -> str:
    lines = [f"{document['name']} ({document['id']}), {month:%Y-%m}", "",
             f"{'line':<34}{'events':>8}{'units':>12}{'free':>10}  {'price':<22}{'yuan':>12}",
             f"{'monthly fee':<34}{'':>8}{'':>12}{'':>10}  {'':<22}{_yuan(bill.fee):>12}"]
    for (service, component, no), line in sorted(bill.lines.items()):
        rule = document["rules"][no] if no >= 0 else {}
        facts = " ".join(f"{value}" for value in rule.get("match", {}).values())
        price = f"{rule.get('rate', 'tier')} / {rule.get('per', '')}"
        lines.append(f"{component + ' ' + facts:<34.34}{line.events:>8,}{line.units:>12,}"
                     f"{line.free_units:>10,}  {price:<22.22}{_yuan(line.charged):>12}")
    for name, cut in bill.cap_cuts.items():
        lines.append(f"{'cap of ' + name:<88}{_yuan(cut):>10}")
    if bill.commitment:
        lines.append(f"{'minimum commitment':<86}{_yuan(bill.commitment):>12}")
    lines.append(f"{'its own prices':<86}{_yuan(bill.total):>12}")
    lines.append("")
    if not engine:
        lines.append("the engine kept no quote of this package for this month")
    elif not engine[0]["comparable"]:
        lines.append(f"the engine does not compare this month: {engine[0]['reason']}")
    else:
        quote = engine[0]
        own = Fraction(quote["total"]) - Fraction(quote["passed_through"])
        same = "the same" if own == bill.total else "NOT THE SAME"
        lines += [f"{'by the engine':<86}{_yuan(own):>12}  {same}",
                  f"{'passes through: 12593, other fees, bill items, VPMN':<86}"
                  f"{_yuan(Fraction(quote['passed_through'])):>12}",
                  f"{'total':<86}{_yuan(Fraction(quote['total'])):>12}"]
    return "\n".join(lines)


def _yuan(amount: Fraction) -> str:
    """An amount to the cent, or to as many of six digits as it needs (then half up)."""
    micros = int(amount * 10**6 + Fraction(1, 2) if amount >= 0 else amount * 10**6 -
                 Fraction(1, 2))
    text = f"{Decimal(micros).scaleb(-6):.6f}"
    return text[:-4] + text[-4:].rstrip("0")


if __name__ == "__main__":
    sys.exit(main())
