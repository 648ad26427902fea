"""Defects planted into the deliveries of the synthetic province, each counted.

No true row is lost. A broken line, an unknown code or a wrong clock is planted in a copy of a true
row. The true row is delivered as well. So the accepted rows are exactly what happened, and
exactly what the bills were rated from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.synthetic.province import Province, texts
from models.synthetic.rows import PLAIN, Rows, mark_no, stack

BAD = ("broken", "unknown_code", "clock_1980")
HARMLESS = ("duplicate_within", "duplicate_across", "late")
LATEST = 5  # days: the greatest delay of a late record
REPEATED_AFTER = 3  # days: the greatest distance of a row delivered twice
GPS_EPOCH = "19800106"  # the date that a switch without a clock writes


@dataclass(frozen=True)
class Plan:
    """Shares of a source's rows that get each defect, and how.

    A copy with an unknown code has one of `codes` (column, code), and a new value of `identity`
    makes it another record. `time` is the column that a broken clock changes.
    `stop_share` is the share of bad rows at which a reader would refuse the file; every file stays
    below it. With `full_load_only`, only the first delivery has bad rows: the daily changes of
    the CRM are too few.
    """

    identity: str
    codes: tuple[tuple[str, str], ...] = ()
    time: str = ""
    broken: float = 0.001
    unknown_code: float = 0.001
    clock_1980: float = 0.0
    duplicate_within: float = 0.0015
    duplicate_across: float = 0.0015
    late: float = 0.0
    stop_share: float = 0.05
    full_load_only: bool = False


def _crm(identity: str, codes: tuple) -> Plan:
    return Plan(
        identity, codes, broken=0.002, unknown_code=0.003, stop_share=0.2, full_load_only=True
    )


def _record(identity: str, codes: tuple, time: str) -> Plan:
    return Plan(identity, codes, time, clock_1980=0.0005, late=0.004)


def _log(identity: str, codes: tuple, late: float = 0.0) -> Plan:
    return Plan(
        identity,
        codes,
        broken=0.003,
        unknown_code=0.003,
        duplicate_within=0.004,
        duplicate_across=0.004,
        late=late,
        stop_share=0.2,
    )


def _monthly(identity: str, codes: tuple) -> Plan:
    """A source delivered as a whole list: rows repeat within a delivery, not across."""
    return Plan(
        identity,
        codes,
        broken=0.005,
        unknown_code=0.005,
        duplicate_within=0.005,
        duplicate_across=0.0,
        stop_share=0.2,
    )


PLANS = {
    "customer": _crm("cust_id", (("vip_level", "白金卡"), ("cust_type", "家庭"))),
    "subscriber": _crm("user_id", (("brand_code", "1009"), ("state_code", "7"))),
    "package_subscription": _crm("user_id", (("order_channel", "短信营销"),)),
    "voice": _record(
        "cdr_id", (("call_type", "XX"), ("end_cause", "Z"), ("vpmn_flag", "7")), "start_time"
    ),
    "message": _record("cdr_id", (("biz_type", "99"), ("direct", "7")), "submit_time"),
    "data": _record("charging_id", (("apn", "CM3GNET"), ("apn", "CMMMS")), "start_time"),
    "bill": Plan("user_id", unknown_code=0.0, duplicate_across=0.0),
    "bill_item": Plan("user_id", (("item_code", "7777"),), duplicate_across=0.0),
    "wlan": replace(
        _record("session_id", (("auth_type", "7"), ("stop_cause", "0")), "start_time"),
        broken=0.01,
        unknown_code=0.01,
        stop_share=0.5,
    ),
    "hall_log": _log("txn_id", (("svc_kind", "其它"), ("hall_type", "合作厅")), late=0.01),
    "outlet_log": _log("txn_id", (("outlet_type", "7"),)),
    "hotline_log": _log("call_id", (("call_kind", "77"), ("guide_to", "8"))),
    "ivr_log": _log("call_id", (("agent_flag", "X"),)),
    "outbound_log": replace(_log("call_id", (("result_code", "7"),)), stop_share=0.5),
    "sms_log": _log("msg_id", (("svc_kind", "9"),)),
    "web_log": _log("session_id", (("page_kind", "浏览"), ("site", "12580"))),
    "wap_log": _log("session_id", (("svc_kind", "9"),)),
    "terminal_log": _log("txn_id", (("svc_kind", "9"),)),
    "manager_log": _log("visit_id", (("purpose", "其它"),)),
    "complaint": replace(_log("complaint_id", (("accept_channel", "微博"),)), stop_share=0.5),
    "campaign_order": replace(_log("order_id", (("state", "待定"),), late=0.01), stop_share=0.5),
    "campaign_feedback": replace(
        _log("feedback_id", (("refuse_code", "9"),), late=0.01), stop_share=0.5
    ),
    "do_not_contact": replace(
        _crm("serial_number", (("reason", "7"),)), broken=0.01, unknown_code=0.01, stop_share=0.5
    ),
    "sensitive_number": _monthly("serial_number", (("class_code", "9"),)),
    "group_member": _monthly("group_id", (("member_type", "X"),)),
    "number_resource": _monthly("serial_number", (("state_code", "8"),)),
    "package_catalog": _monthly("product_code", (("kind_code", "9"),)),
    "terminal_model": _monthly("tac", (("source_code", "7"),)),
    "mis_cost": _monthly("centre", (("type_code", "7"),)),
    "gift_deposit": _monthly("apply_id", (("state", "待定"),)),
    "outlet_month": _monthly("outlet_id", (("channel", "微博"),)),
}


def plant(province: Province, chunk: int, source: str, rows: Rows) -> Rows:
    """The rows with the source's defects among them, in the order of the files."""
    rng = province.rng(chunk, "defects", source)
    plan = PLANS[source]
    bad = _bad(province, chunk, plan, rows, rng)
    limits = np.cumsum([getattr(plan, name) for name in HARMLESS])
    drawn = np.searchsorted(limits, rng.random(len(rows)), side="right")
    drawn[(rows.mark != PLAIN) | np.isin(np.arange(len(rows)), np.concatenate(bad))] = len(HARMLESS)
    within, across, late = (np.nonzero(drawn == number)[0] for number in range(len(HARMLESS)))
    day, mark = rows.day.copy(), rows.mark.copy()
    arrival = day[late] + rng.integers(1, LATEST + 1, len(late))
    late, arrival = late[arrival < province.days], arrival[arrival < province.days]
    day[late], mark[late] = arrival, mark_no("late")
    copies = [
        _broken(rng, rows.take(bad[0])),
        _unknown(rng, plan, rows.take(bad[1])),
        _clock(plan, rows.take(bad[2])),
        _marked(rows.take(within), "duplicate_within"),
        _repeated(province, rng, rows.take(across)),
    ]
    return stack([replace(rows, day=day, mark=mark), *copies]).sorted()


def _bad(
    province: Province, chunk: int, plan: Plan, rows: Rows, rng: np.random.Generator
) -> list[np.ndarray]:
    """Places of the rows to copy for each kind of BAD row, within the limit of each day.

    Each chunk may use a quarter of `stop_share` of its own rows. If that is less than one row, the
    chunk whose turn it is plants one for all chunks.
    """
    count = np.bincount(rows.day, minlength=province.days)
    allowed = (count * plan.stop_share / 4).astype(np.int64)
    chunks = province.customers / len(province.customers_of(chunk))
    province_mean = len(rows) / province.days * chunks
    turn = (np.arange(province.days) % province.chunks == chunk) & (allowed == 0)
    turn &= province_mean * plan.stop_share * 0.4 >= 1
    allowed[turn] = 1
    if plan.full_load_only:
        allowed[1:] = 0
    likelier = np.where(turn, province.chunks, 1)[rows.day]
    limits = np.cumsum([getattr(plan, name) for name in BAD])
    drawn = np.searchsorted(limits, rng.random(len(rows)) / likelier, side="right")
    drawn[rows.mark != PLAIN] = len(BAD)
    chosen = np.nonzero(drawn < len(BAD))[0]
    days = rows.day[chosen]
    order = np.argsort(days, kind="stable")
    rank = np.arange(len(chosen)) - np.searchsorted(days[order], days[order])
    drawn[chosen[order][rank >= allowed[days[order]]]] = len(BAD)
    return [np.nonzero(drawn == number)[0] for number in range(len(BAD))]


def _marked(rows: Rows, name: str) -> Rows:
    return replace(rows, mark=np.full(len(rows), mark_no(name)))


def _broken(rng: np.random.Generator, rows: Rows) -> Rows:
    """The line ends after some of its fields."""
    cut = rng.integers(1, len(rows.columns), len(rows))
    return replace(_marked(rows, "broken"), cut=cut)


def _unknown(rng: np.random.Generator, plan: Plan, rows: Rows) -> Rows:
    rows = _another(plan, _marked(rows, "unknown_code"))
    if not len(rows):
        return rows
    which = rng.integers(0, len(plan.codes), len(rows))
    for number, (column, code) in enumerate(plan.codes):
        cells = rows.columns[column]
        cells = cells.copy() if cells.dtype == object else texts(cells)
        cells[which == number] = code
        rows = rows.with_column(column, cells)
    return rows


def _clock(plan: Plan, rows: Rows) -> Rows:
    if not len(rows):
        return rows
    rows = _another(plan, _marked(rows, "clock_1980"))
    times = [GPS_EPOCH + time[8:] for time in rows.columns[plan.time].tolist()]
    return rows.with_column(plan.time, np.array(times, dtype=object))


def _another(plan: Plan, rows: Rows) -> Rows:
    """The copies with a key of their own, so that they are not duplicates of the originals."""
    rows = rows.with_column(plan.identity, rows.columns[plan.identity] + "R")
    if "duration" in rows.columns:  # the key of a call is its times, not its number
        rows = rows.with_column("duration", rows.columns["duration"] + 1)
    return rows


def _repeated(province: Province, rng: np.random.Generator, rows: Rows) -> Rows:
    """The rows delivered again some days later, except those after the end of the history."""
    day = rows.day + rng.integers(1, REPEATED_AFTER + 1, len(rows))
    copies = _marked(replace(rows, day=day), "duplicate_across")
    return copies.take(np.nonzero(day < province.days)[0])
