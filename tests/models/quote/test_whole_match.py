"""Whole alternatives over the months: amounts by hand, and equal to going through all of them."""

import itertools
import random

import numpy as np
import pyarrow as pa

from models.quote.alternative import Alternatives
from models.quote.bill_item import KINDS
from models.quote.customer_months import CustomerMonths
from models.quote.whole_match import LISTS, compared_rows
from tests.given.held_together import packages_of

PACKAGES = packages_of(
    all_in=("voice sms gprs", {"fee": 60}),
    chat=("voice sms", {"fee": 40}),
    data=("gprs", {"fee": 20}),
    more=("gprs", {"fee": 10, "excludes": ["chat"]}),
    talk=("voice", {"fee": 30}),
    talk_old=("voice", {"fee": 35}),
    texts=("sms", {"fee": 5}),
)


def rows_of(packages, customers, keep=10, changing=()):
    """Per customer: ids of an alternative → its row; the rows are in the order of the answer.

    A customer is (own packages, month → (unchanged, paid or None, used, package → (total, usage) or
    None if it is not comparable)).
    """
    names = list(packages)
    columns = {"subscriber_id": [], "brand": [], "own": []}
    columns |= {f"{name}_{field}": [] for name, fields in LISTS.items() for field in fields}
    for number, (own, months) in enumerate(customers):
        columns["subscriber_id"].append(number)
        columns["brand"].append("gotone")
        columns["own"].append(own or None)
        quotes = [
            (month, names.index(name), *(priced or (None, None)), base if priced else None)
            for month, (base, _, _, quoted) in months.items()
            for name, priced in quoted.items()
        ]
        for field, values in zip(LISTS["quote"], zip(*quotes, strict=True), strict=True):
            columns[f"quote_{field}"].append(list(values))
        bills = {month: paid for month, (_, paid, _, _) in months.items() if paid is not None}
        columns["bill_month"].append(list(bills) or None)
        columns["bill_paid"].append(list(bills.values()) or None)
        columns["bill_rerated"].append([False] * len(bills) or None)
        columns["used_month"].append([month for month, one in months.items() if one[2]] or None)
    types = {"subscriber_id": pa.int64(), "brand": pa.string(), "own": pa.list_(pa.string())}
    types |= {"quote_place": pa.list_(pa.int32()), "bill_rerated": pa.list_(pa.bool_())}
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array(
                values,
                types.get(name, pa.list_(pa.int64())),
            )
            for name, values in columns.items()
        ],
        names=list(columns),
    )
    months = CustomerMonths(
        Alternatives(list(packages.values())), np.ones(len(packages), dtype=bool), batch
    )
    found = [{} for _ in customers]
    for row in compared_rows(months, months.chosen(keep, changing)).to_pylist():
        found[row["subscriber_id"]]["+".join(row["packages"])] = row
    return found


def one(own, months, **choices):
    (found,) = rows_of(PACKAGES, [(own, months)], **choices)
    return found


# Two months of a customer with `talk` and `texts`: what a package makes of the month, beside a bill
# of 100 and of 120 that the records and the other items reproduce.
QUOTED = {
    1: (100, 100, True, {
        "talk": (100, 40), "talk_old": (95, 30), "texts": (100, 6), "chat": (88, 25),
        "all_in": (90, 0), "data": (97, 3), "more": (94, 5),
    }),
    2: (120, 120, True, {
        "talk": (120, 60), "talk_old": (119, 55), "texts": (121, 8), "chat": (98, 45),
        "all_in": (90, 2), "data": (119, 4), "more": (118, 9),
    }),
}  # fmt: skip


def test_each_main_package_stands_with_the_best_of_what_it_leaves_out():
    found = one(["talk", "texts"], QUOTED)
    # chat excludes more, so its data is `data`: 88 − 3 and 98 − 1.
    assert {name: row["cost"] for name, row in found.items()} == {
        "all_in": 180,
        "chat+data": 182,
        "more+talk_old+texts": 95 - 6 + 119 - 2,
        "more+talk+texts": 94 + 118,
        "talk+texts": 221,  # the present holding, re-rated: its messages are 1 dearer than billed
    }
    assert [name for name, row in found.items() if row["owned"]] == ["talk+texts"]
    assert list(found)[-1] == "talk+texts"


def test_the_months_of_an_alternative_are_sums_of_its_changes():
    row = one(["talk", "texts"], QUOTED)["chat+data"]
    expected = {
        "months": 2, "idle_months": 0, "paid": 220, "cost": 182, "saved": 38, "months_won": 2,
        "worst_month_cost": 97, "regret": (85 - 85) + (97 - 90), "dearest_paid": 120, "fee": 60e6,
        "usage_after": 25 + 3 + 45 + 4, "separate": False, "not_best": False, "has_gap": False,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    # Nothing was held for data, so what its usage cost before is not known.
    assert (row["usage_beside"], row["usage_before"]) == (0, 0)


def test_usage_is_compared_in_the_kinds_that_change():
    months = {
        no: (*one[:3], one[3] | {"data": (999, 0), "more": (999, 0)}) for no, one in QUOTED.items()
    }
    row = one(["talk", "texts"], months)["chat"]
    assert (row["usage_after"], row["usage_beside"], row["usage_before"]) == (
        70,
        70,
        40 + 6 + 60 + 8,
    )
    row = one(["talk", "texts"], months)["talk_old+texts"]
    assert (row["usage_after"], row["usage_before"]) == (85, 100)


def test_a_bundle_that_saves_no_more_than_separate_packages_is_not_the_best():
    dear = {no: (*one[:3], one[3] | {"all_in": (103, 0)}) for no, one in QUOTED.items()}
    found = one(["talk", "texts"], dear)
    # Separate packages: 206. Together with data, chat costs 182, all_in exactly 206.
    assert {name: row["not_best"] for name, row in found.items()} == {
        "chat+data": False,
        "all_in": True,
        "more+talk_old+texts": False,
        "more+talk+texts": False,
        "talk+texts": False,
    }
    assert [name for name, row in found.items() if row["separate"]] == [
        "more+talk_old+texts",
        "more+talk+texts",
    ]


def test_a_held_bundle_is_kept_or_dropped_as_a_whole():
    found = one(["chat"], QUOTED)
    # A customer who leaves the bundle needs a package for voice and one for messages.
    assert "data+talk+texts" not in found
    assert found["more+talk+texts"]["cost"] == (100 + 0 - 6) + (120 + 1 - 2)
    assert found["chat+data"]["cost"] == 97 + 119
    assert found["chat+data"]["separate"]
    assert found["chat"]["owned"]
    assert found["chat"]["cost"] == 88 + 98
    assert not any("talk" in name and "texts" not in name for name in found)


def test_a_package_that_is_not_priced_in_a_compared_month_takes_no_part():
    gap = {
        no: (*one[:3], one[3] | ({"all_in": None} if no == 2 else {})) for no, one in QUOTED.items()
    }
    assert "all_in" not in one(["talk", "texts"], gap)
    # Without a bill the month is not compared; the row says that a bill lacks.
    unbilled = gap | {2: (gap[2][0], None, *gap[2][2:])}
    row = one(["talk", "texts"], unbilled)["all_in"]
    assert (row["months"], row["cost"], row["lacks_bill"]) == (1, 90, True)
    present = {
        no: (*one[:3], one[3] | ({"talk": None} if no == 2 else {})) for no, one in QUOTED.items()
    }
    row = one(["talk", "texts"], present)["talk+texts"]
    assert (row["months"], row["cost"], row["has_gap"]) == (1, 100, True)


def test_without_bills_costs_are_known_and_savings_are_not():
    row = one(["talk", "texts"], {no: (one[0], None, *one[2:]) for no, one in QUOTED.items()})[
        "all_in"
    ]
    assert (row["months"], row["cost"], row["months_won"]) == (2, 180, 0)
    assert [row[name] for name in ("paid", "saved", "saved_in_use", "dearest_paid")] == [None] * 4


def test_idle_months_are_counted_and_their_saving_is_apart():
    idle = QUOTED | {1: (*QUOTED[1][:2], False, QUOTED[1][3])}
    row = one(["talk", "texts"], idle)["all_in"]
    assert (row["idle_months"], row["saved"], row["saved_in_use"]) == (1, 40, 30)


def test_only_what_changes_the_given_kinds_is_shown():
    found = one(["talk", "texts"], QUOTED, changing=("gprs",), keep=1)
    assert list(found) == ["all_in", "talk+texts"]
    only_data = {no: (*one[:3], {"more": one[3]["more"]}) for no, one in QUOTED.items()}
    assert list(one(["talk", "texts"], only_data, changing=("gprs",))) == [
        "more+talk+texts",
        "talk+texts",
    ]


def test_a_customer_with_an_absurd_month_has_no_such_rows():
    huge = {1: (10**17, 10**17, True, {"talk": (10**17, 0), "all_in": (5, 0)})}
    assert one(["talk"], huge) == {}
    assert rows_of(PACKAGES, [(["talk"], huge), (["talk", "texts"], QUOTED)])[1]


def enumerated(packages, own, months):
    """All sets of packages that can be held together, with their sums; the present one apart."""
    compared = [no for no, (_, paid, _, _) in months.items() if paid is not None] or list(months)
    nothing = set(KINDS) - {kind for name in own for kind in packages[name].kinds}
    able = [
        name
        for name in packages
        if name in own or all(months[no][3].get(name) is not None for no in compared)
    ]
    best, apart = {}, []
    for size in range(len(able) + 1):
        for ids in itertools.combinations(able, size):
            kinds = [kind for name in ids for kind in packages[name].kinds]
            if len(kinds) > len(set(kinds)) or not set(KINDS) - set(kinds) <= nothing:
                continue
            if any(set(packages[name].excludes) & set(ids) for name in ids):
                continue
            costs = [
                months[no][0]
                + sum(months[no][3][name][0] - months[no][0] for name in ids if name not in own)
                for no in compared
            ]
            new = [n for n in ids if n not in own and len(packages[n].kinds) > 1]
            if not new:
                apart.append(sum(costs))
            main = next((name for name in ids if "voice" in packages[name].kinds), None)
            fee = sum(packages[name].monthly_fee for name in ids)
            key = (sum(costs), fee, len(ids), ids)
            if main not in best or key < best[main][0]:
                best[main] = key, costs, new
    rows = sorted(one for one in best.values() if set(one[0][3]) != set(own))
    return {
        "+".join(key[3]): (key[0], max(costs), bool(new) and min(apart) <= key[0])
        for key, costs, new in rows
    }


def test_random_customers_get_the_rows_of_full_enumeration():
    draw = random.Random(4)
    customers = []
    for _ in range(120):
        own = draw.choice(
            [["talk", "texts"], ["talk_old"], ["chat"], ["all_in"], ["data", "talk"], []]
        )
        months = {}
        for no in range(draw.randint(1, 3)):
            base = draw.randint(80, 90)
            months[no] = (
                base,
                draw.choice([base, base + 1, None]),
                True,
                {
                    name: None if draw.random() < 0.04 else (draw.randint(70, 95), 1)
                    for name in PACKAGES
                },
            )
        customers.append((own, months))
    for keep in (1, 3, 10):
        for (own, months), found in zip(customers, rows_of(PACKAGES, customers, keep), strict=True):
            expected = list(enumerated(PACKAGES, own, months).items())[:keep]
            if not any(priced for *_, quoted in months.values() for priced in quoted.values()):
                continue
            answer = [
                (name, (row["cost"], row["worst_month_cost"], row["not_best"]))
                for name, row in found.items()
                if not row["owned"]
            ]
            assert answer == expected
