"""Ledgers of the synthetic province: costs of finance, gift deposits, costs and income of outlets.

The figures are invented but consistent: the rent of an outlet follows its area, its wages follow
its staff, and no more is granted than was requested. The province has one ledger of each kind. The
first chunk delivers it, for the month before.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.synthetic.contact.contacts import AGENT, SHOP
from models.synthetic.contact.log_rows import CAMPAIGN
from models.synthetic.contact.logs import CHANNEL_TEXTS
from models.synthetic.contact.outlets import OUTLETS
from models.synthetic.province import AREA_CODES, Province, moment, month_before
from models.synthetic.rows import Rows, table

LEDGER_DAY = 2
COST_COLUMNS = (
    "cost_month",
    "centre",
    "type_code",
    "channel",
    "campaign_id",
    "amount",
    "alloc_code",
)
GIFT_COLUMNS = (
    "stat_month",
    "apply_id",
    "campaign_id",
    "applicant",
    "apply_time",
    "amount",
    "state",
    "approver",
    "approve_time",
    "granted",
)
OUTLET_COLUMNS = (
    "stat_month",
    "outlet_id",
    "outlet_name",
    "channel",
    "area",
    "staff_num",
    "rent",
    "water",
    "electricity",
    "heating",
    "labour",
    "office",
    "other",
    "income",
    "commission",
)
# type, mean in yuan, channel that caused it, code of its allocation
COSTS = (
    ("1", 80_000, "", "3"),
    ("2", 45_000, "", "3"),
    ("3", 600_000, "", "1"),
    ("4", 120_000, "营业厅", "2"),
    ("5", 150_000, "代理点", "2"),
    ("6", 90_000, "", "4"),
)
ADVERTISING, CAMPAIGN_COST = "1", 60_000
APPLICATIONS, OPENS = 5, 10 * 3600


def cost_rows(province: Province, chunk: int) -> Rows:
    """Six kinds of cost in each city's centre, and the campaign's advertising in the first one."""
    records = []
    for day, month, rng in _months(province, chunk, "costs"):
        for place, area in enumerate(AREA_CODES):
            for code, mean, channel, shared in COSTS:
                records.append(
                    (day, place, month, f"CC{area}", code, channel, "", _li(rng, mean), shared)
                )
        records.append(
            (
                day,
                len(AREA_CODES),
                month,
                f"CC{AREA_CODES[0]}",
                ADVERTISING,
                "",
                CAMPAIGN,
                _li(rng, CAMPAIGN_COST),
                "4",
            )
        )
    return table(COST_COLUMNS, records)


def gift_rows(province: Province, chunk: int) -> Rows:
    """Applications of the month: one waits, one is refused, the others are approved or granted."""
    records = []
    for day, month, rng in _months(province, chunk, "gifts"):
        first = day - LEDGER_DAY - 27
        for number in range(APPLICATIONS):
            requested = int(rng.integers(2, 20)) * 1_000_000
            applied = first + int(rng.integers(0, 20))
            state = ("申请", "驳回", "同意", "已赠送", "已赠送")[number]
            granted = requested * int(rng.integers(30, 101)) // 100 if state == "已赠送" else 0
            decided = state != "申请"
            records.append(
                (
                    day,
                    number,
                    month,
                    f"ZS{month}{number + 1:03d}",
                    CAMPAIGN,
                    f"Y{1_000 + int(rng.integers(0, 60))}",
                    moment(province, applied, OPENS),
                    str(requested),
                    state,
                    f"Y{1_060 + number}" if decided else "",
                    moment(province, applied + 1, OPENS) if decided else "",
                    str(granted),
                )
            )
    return table(GIFT_COLUMNS, records)


def outlet_rows(province: Province, chunk: int) -> Rows:
    """Each hall and outlet; shops and agents have no costs, but get commission."""
    records = []
    for day, month, rng in _months(province, chunk, "outlets"):
        for place, one in enumerate(OUTLETS):
            metres = one.area / 100
            income = _li(rng, 15_000 * one.staff)
            social = one.channel in (SHOP, AGENT)
            costs = (
                (0, 0, 0, 0, 0, 0, 0)
                if social
                else (
                    metres * 90,
                    metres * 2,
                    metres * 8,
                    metres * 3,
                    one.staff * 2_600,
                    one.staff * 150,
                    metres * 4,
                )
            )
            records.append(
                (
                    day,
                    place,
                    month,
                    one.no,
                    one.name,
                    CHANNEL_TEXTS[one.channel],
                    f"{one.area / 100:.2f}",
                    str(one.staff),
                    *(_li(rng, mean) if mean else "0" for mean in costs),
                    income,
                    str(int(income) // 100 * 6 if social else 0),
                )
            )
    return table(OUTLET_COLUMNS, records)


def _months(
    province: Province, chunk: int, noun: str
) -> Iterator[tuple[int, str, np.random.Generator]]:
    """(day of delivery, month before as yyyyMM, random stream) of each ledger."""
    rng = province.rng(chunk, noun)
    for day in province.days_of_month(LEDGER_DAY) if chunk == 0 else ():
        yield day, month_before(province.day(day)), rng


def _li(rng: np.random.Generator, mean: float) -> str:
    """A random amount of whole yuan around a mean in yuan, as text in 厘."""
    return str(int(mean * rng.uniform(0.8, 1.2)) * 1_000)
