"""One chunk of the synthetic province: what its people do, their bills, and all delivered rows.

Everything is a pure function of the plan (models/synthetic/province.py) and the number of the
chunk. `live` decides what happens, `bill` rates it, and `deliveries` turns both into the rows of
every source, planted defects included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from models.synthetic.billing import ledgers, registers
from models.synthetic.billing.bills import VAS_PRICES, Bill, Billing, Rates
from models.synthetic.billing.statements import bill_rows, item_rows
from models.synthetic.contact import campaigns
from models.synthetic.contact.contacts import Contacts, Preferences, contacts, preferences
from models.synthetic.contact.logs import complaint_rows, logs
from models.synthetic.defects import PLANS, plant
from models.synthetic.people import lists
from models.synthetic.people.crm import customer_rows, package_rows, subscriber_rows
from models.synthetic.people.packages import Holding, holdings
from models.synthetic.people.people import Customers, Subscribers, customers, subscribers
from models.synthetic.province import Province
from models.synthetic.rows import Rows, mark_no, stack
from models.synthetic.usage.data import Sessions, session_rows, sessions
from models.synthetic.usage.habits import travels
from models.synthetic.usage.message import Messages, message_rows, messages
from models.synthetic.usage.voice import Calls, call_rows, calls
from models.synthetic.usage.wlan import wlan_rows

SOURCES = (*PLANS, "receipt")  # receipts answer what was pushed: until then the files are empty
UNKNOWN_PACKAGE = "GOTONE_8888"
VAS_SHARE, WRONG_BILL_SHARE = 0.25, 0.004


@dataclass(frozen=True)
class Life:
    """What truly happened to the customers of a chunk, before any defect."""

    chunk: int
    owners: Customers
    people: Subscribers
    holdings: Sequence[Holding]
    calls: Calls
    messages: Messages
    sessions: Sessions
    preferences: Preferences
    contacts: Contacts


@dataclass(frozen=True)
class Billed:
    """The bills of a chunk as delivered.

    `toll_fee` (厘) is per call. `discounts` (yuan) holds, by place in `bills`, what was taken off
    an item without being stated anywhere.
    """

    toll_fee: np.ndarray
    bills: Sequence[Bill]
    discounts: dict[int, Fraction]


def live(province: Province, chunk: int) -> Life:
    """The people of a chunk and everything they did."""
    people = subscribers(province, chunk)
    where = travels(province, people, chunk)
    owners = customers(province, chunk, people)
    wishes = preferences(province, chunk, len(owners.no))
    return Life(
        chunk=chunk,
        owners=owners,
        people=people,
        holdings=holdings(province, chunk, people),
        calls=calls(province, chunk, people, where),
        messages=messages(province, chunk, people, where),
        sessions=sessions(province, chunk, people, where),
        preferences=wishes,
        contacts=contacts(province, chunk, people, wishes),
    )


def bill(province: Province, life: Life, rates: Rates) -> Billed:
    """The bills of a chunk, rated by the reference rater; a few have an unstated discount."""
    rng = province.rng(life.chunk, "bills")
    count = len(life.people)
    vas = np.where(rng.random(count) < VAS_SHARE, rng.choice(VAS_PRICES, count), 0)
    billing = Billing(province, rates, life.people, life.holdings)
    toll_fee = billing.toll_fees(life.calls)
    bills = billing.bills(life.calls, life.messages, life.sessions, toll_fee, vas)
    wrong = max(len(bills) > 30, rng.binomial(len(bills), WRONG_BILL_SHARE))
    discounts: dict[int, Fraction] = {}
    for place in rng.permutation(len(bills)).tolist():
        if len(discounts) >= wrong:
            break
        discount = Fraction(int(rng.integers(2, 21)), 2)
        cut = _discounted(bills[place], discount)
        if cut is not None:
            bills[place], discounts[place] = cut, discount
    return Billed(toll_fee, bills, discounts)


def _discounted(full: Bill, discount: Fraction) -> Bill | None:
    """The bill with a discount on the first item of calls or rent that exceeds it, or None."""
    for key in sorted(full.items):
        if key[0] in ("local_voice", "package_rent") and full.items[key] > discount:
            items = {**full.items, key: full.items[key] - discount}
            return Bill(full.subscriber, full.month, items)
    return None


def deliveries(province: Province, life: Life, billed: Billed) -> dict[str, Rows]:
    """The rows of each source in the order of its files, planted defects included."""
    chunk, people = life.chunk, life.people
    city = life.owners.city[people.owner]
    rows = {
        "customer": customer_rows(province, life.owners),
        "subscriber": subscriber_rows(province, life.owners, people),
        "package_subscription": _with_unknown_package(
            province, chunk, package_rows(province, people, life.holdings)
        ),
        "voice": call_rows(province, chunk, people, city, life.calls, billed.toll_fee),
        "message": message_rows(province, chunk, people, life.messages),
        "data": session_rows(province, chunk, people, life.sessions),
        "wlan": wlan_rows(province, chunk, people),
        "bill": bill_rows(province, chunk, people, billed.bills),
        "bill_item": item_rows(province, chunk, people, billed.bills),
        **logs(province, chunk, people, life.contacts),
        "complaint": complaint_rows(province, chunk, people, life.contacts),
        "campaign_order": campaigns.order_rows(province, chunk, people, life.holdings),
        "campaign_feedback": campaigns.feedback_rows(
            province, chunk, people, life.holdings, life.contacts
        ),
        **_lists(province, life),
    }
    return {source: plant(province, chunk, source, found) for source, found in rows.items()}


def _lists(province: Province, life: Life) -> dict[str, Rows]:
    """The rows of lists and ledgers, most of them monthly."""
    chunk, owners, people = life.chunk, life.owners, life.people
    return {
        "do_not_contact": lists.objection_rows(province, chunk, people),
        "sensitive_number": lists.sensitive_rows(province, chunk, people),
        "group_member": lists.member_rows(province, chunk, owners, people),
        "number_resource": lists.number_rows(province, chunk, owners, people),
        "package_catalog": registers.offer_rows(province, chunk),
        "terminal_model": registers.model_rows(province, chunk),
        "mis_cost": ledgers.cost_rows(province, chunk),
        "gift_deposit": ledgers.gift_rows(province, chunk),
        "outlet_month": ledgers.outlet_rows(province, chunk),
    }


def _with_unknown_package(province: Province, chunk: int, rows: Rows) -> Rows:
    """The rows, and a copy of one order of the full load with a package in no catalogue."""
    rng = province.rng(chunk, "unknown package")
    full = np.nonzero(rows.day == 0)[0]
    copy = rows.take(full[rng.integers(0, len(full), 1)] if len(full) else full)
    copy = copy.with_column("product_code", np.full(len(copy), UNKNOWN_PACKAGE, dtype=object))
    mark = np.concatenate([rows.mark, np.full(len(copy), mark_no("unknown_package"))])
    joined = stack([rows, copy])
    return Rows(joined.columns, joined.day, joined.order, joined.part, mark, joined.cut)
