"""Bills of the synthetic province as the billing system delivers them: totals and items.

Each month has one bill of a subscriber that is not in the CRM.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models.synthetic.billing.bills import Bill, li
from models.synthetic.people.crm import subscriber_id
from models.synthetic.people.people import Subscribers
from models.synthetic.province import BILL_DAY, Province
from models.synthetic.rows import Rows, mark_no, stack, table
from schemas.window import add_months

BILL_COLUMNS = ("acct_month", "user_id", "gross_fee", "disc_fee", "net_fee", "paid_fee")
ITEM_COLUMNS = ("acct_month", "user_id", "item_code", "product_code", "net_fee")
ITEM_CODES = {
    "package_rent": "1001",
    "vpmn_rent": "1002",
    "local_voice": "2001",
    "roam_voice": "2002",
    "toll_voice": "2003",
    "ip_toll": "2004",
    "d12593": "2005",
    "info": "2006",
    "sms": "3001",
    "mms": "3002",
    "gprs": "3003",
    "vas": "3005",
}
PAID_SHARE = 0.93
UNKNOWN_SUBSCRIBER = "199999999999"
UNKNOWN_ITEMS = ((ITEM_CODES["local_voice"], "", "26500"), (ITEM_CODES["vas"], "", "5000"))
UNKNOWN_BILLS = (("31500", "0", "31500", ""),)
LAST = 1 << 60


def bill_rows(province: Province, chunk: int, people: Subscribers, bills: Sequence[Bill]) -> Rows:
    """One row per bill, in order of subscribers; most are paid on the day of delivery."""
    paid = (province.rng(chunk, "payments").random(len(bills)) < PAID_SHARE).tolist()
    records = []
    for one, is_paid in zip(bills, paid, strict=True):
        line = int(people.line[one.subscriber])
        due = str(li(one.total, "the bill"))
        records.append(
            (
                _delivered_on(province, one.month),
                line,
                f"{one.month:%Y%m}",
                subscriber_id(line),
                due,
                "0",
                due,
                due if is_paid else "",
            )
        )
    known = table(BILL_COLUMNS, records)
    return stack([known, _of_nobody(province, chunk, BILL_COLUMNS, UNKNOWN_BILLS)])


def item_rows(province: Province, chunk: int, people: Subscribers, bills: Sequence[Bill]) -> Rows:
    """One row per item of a bill."""
    records = []
    for one in bills:
        line = int(people.line[one.subscriber])
        day, month = _delivered_on(province, one.month), f"{one.month:%Y%m}"
        for (code, package), amount in sorted(one.items.items()):
            records.append(
                (
                    day,
                    line,
                    month,
                    subscriber_id(line),
                    ITEM_CODES[code],
                    package.upper(),
                    str(li(amount, package or code)),
                )
            )
    known = table(ITEM_COLUMNS, records)
    return stack([known, _of_nobody(province, chunk, ITEM_COLUMNS, UNKNOWN_ITEMS)])


def _delivered_on(province: Province, month: date) -> int:
    return province.number_of(add_months(month, 1).replace(day=BILL_DAY))


def _of_nobody(
    province: Province, chunk: int, columns: Sequence[str], cells: Sequence[tuple[str, ...]]
) -> Rows:
    """Rows of the unknown subscriber, in the first chunk's part of each month."""
    records = [
        (_delivered_on(province, month), LAST, f"{month:%Y%m}", UNKNOWN_SUBSCRIBER, *rest)
        for month in province.billed_months
        for rest in cells
    ]
    return table(columns, records if chunk == 0 else [], mark=mark_no("unknown_subscriber"))
