"""Rules that can be read in more than one way: each reading is a switch (Z-1, S2-R1…R8).

One March goes through the whole path, from calls and bill to the quote; amounts are added up by
hand. Each call has a recorded fee of 1.00, an information fee of 0.07 and, unless it is local, a
toll of 0.50.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from models.quote import bill_item, package_quote
from schemas.config.policy import BillItem
from tests.given import event_records
from tests.given import match_rows as rows
from tests.given.match_rows import MARCH, POLICY
from tests.given.tariff_examples import airtime, call, package, toll

FAR = {"toll": "inter_prov"}
CALLS = [
    call(61, key="local"),  # 2 min: 0.80
    call(60, key="ip", dial="ip17951", **FAR),  # 0.40, and 10 × 0.07 of toll
    call(60, key="direct", **FAR),  # 0.40, and 0.70 of toll by `all`, else 0.50
    call(60, key="12593", dial="ip12593", **FAR),  # 1.57 by each reading
    call(60, key="group", in_group=True, **FAR),  # S2-07: not re-rated, 1.57 as recorded
]
SMALL = package("voice", [airtime(), toll()], monthly_fee="20")
ITEMS = (
    ("package_rent", "50", "present"),
    ("local_voice", "20"),
    ("toll_voice", "1"),
    ("d12593", "1.57"),
    ("info", "0.28"),
    ("sms", "6"),
    ("vas", "4"),
    ("vpmn_rent", "10"),
)


@pytest.fixture(scope="module")
def evaluated(spark):
    """The month under `one`, a voice package of 20 yuan, by reading of S2-R4."""
    found = {}
    for reading in ("ip_only", "all"):
        row = event_records.evaluated(
            spark,
            {1: (MARCH, None, CALLS)},
            {"one": SMALL},
            reading,
            fees=dict.fromkeys(CALLS, ("1.000", "0.500", "0.070"))
            | {CALLS[0]: ("1.000", "0.000", "0.070")},
        )[1, "one"]
        found[reading] = rows.evaluated_rows(spark, [row])
    return found


def quote(spark, evaluated, items, **choices):
    """The quote of `one` under a policy with the given treatment of bill items."""
    people = rows.subscribers(spark, 1)
    billed = rows.items_of(
        spark,
        *(("S1", MARCH, code, *(of or (None,)), Decimal(amount)) for code, amount, *of in ITEMS),
    )
    passing = bill_item.passing(
        billed, people, {"present": "voice", "one": "voice"}, {**POLICY.bill_items, **items}
    )
    held = rows.holdings(
        spark,
        rows.months(spark, (1, MARCH, None)),
        [(1, "voice", "present", date(2008, 1, 1), None)],
    )
    (row,) = package_quote.quotes(
        evaluated, passing, held, {}, replace(POLICY.rating, **choices)
    ).collect()
    return row


@pytest.mark.parametrize(
    ("vpmn", "toll_reading", "total"),
    [
        # Re-rated 22.30: fee 20; airtime 0.80 + 0.40 + 0.40; toll of the IP call 0.70.
        # From the records 3.85: 12593 1.57; information of four calls 0.28; toll of the direct call
        # and of the in-group call 1.00; the in-group call 1.00.
        # From the bill: sms 6, vas 4, and the VPMN fee.
        ("add", "ip_only", "46.15"),
        ("none", "ip_only", "36.15"),
        ("subtract", "ip_only", "26.15"),
        # 0.70 by the package for the direct call in place of the 0.50 on its record.
        ("add", "all", "46.35"),
        ("none", "all", "36.35"),
        ("subtract", "all", "26.35"),
    ],
)
def test_the_sign_of_the_vpmn_fee_and_which_toll_is_rerated(
    spark, evaluated, vpmn, toll_reading, total
):
    toll_voice = BillItem("rerated", "voice") if toll_reading == "all" else BillItem("records")
    row = quote(
        spark,
        evaluated[toll_reading],
        {"toll_voice": toll_voice},
        vpmn_rent_mode=vpmn,
        toll_rerated=toll_reading,
    )
    assert row.vpmn_rent == {"add": 10, "none": 0, "subtract": -10}[vpmn]
    assert row.total == Decimal(total)


@pytest.mark.parametrize(
    ("vas", "new_service_fees"),
    [
        (BillItem("passed"), "10"),  # sms 6 and vas 4
        (BillItem("rerated", "voice"), "6"),  # the candidate's own price replaces it
        (BillItem("rerated", "gprs"), "10"),  # not a voice package's
    ],
)
def test_an_item_of_the_bill_is_replaced_or_stands_on_both_sides(
    spark, evaluated, vas, new_service_fees
):
    row = quote(spark, evaluated["ip_only"], {"vas": vas})
    assert row.new_service_fees == Decimal(new_service_fees)
    assert row.total == Decimal("46.15") - 10 + Decimal(new_service_fees)
