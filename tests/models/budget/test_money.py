"""mart.campaign_money: budget against actual by kind of cost, and gift deposits, by hand."""

from datetime import date
from decimal import Decimal

from models.budget.money import money
from tests.given.campaigns import campaign

DAY = date(2009, 5, 3)
COUNTED = {
    "goods": ("advertising", "publicity"),
    "commission": ("contacts", "sales"),
    "discount": ("gift_deposit",),
}


def yuan(**amounts):
    return {name: Decimal(amount) for name, amount in amounts.items()}


def rows(items, **plan):
    """By kind the row of one campaign with these items and this plan."""
    planned = [campaign("pilot", **plan)] if plan else []
    return {row.cost_kind: row for row in money({"pilot": items}, planned, COUNTED, DAY)}


def test_each_kind_adds_up_what_counts_towards_it():
    targets = yuan(goods="100", commission="50", discount="20", per_head="3.00")
    found = rows(
        yuan(
            advertising="60.5",
            publicity="-0.5",  # a correction
            sales="30",
            contacts="10.62",
            administration="7",
            applied="40",
            approved="30",
            gift_deposit="12",
            customers="50",
        ),
        cost_targets=targets,
        gift_deposits=Decimal("35"),
    )
    assert {kind: (row.budget, row.actual) for kind, row in found.items()} == {
        "goods": (100, 60),
        "commission": (50, Decimal("40.62")),
        "discount": (20, 12),
        "other": (None, 7),
        "per_head": (3, Decimal("2.3924")),  # (60 + 40.62 + 12 + 7) / 50
        "gift_deposit": (35, 12),
    }
    assert found["commission"].contact_cost == Decimal("10.62")
    assert found["per_head"].customers == 50
    assert (found["gift_deposit"].applied, found["gift_deposit"].approved) == (40, 30)
    assert not any(row.overspent for row in found.values())


def test_a_budget_is_overspent_above_it_and_not_at_it():
    targets = yuan(goods="60", commission="9.99", per_head="7.00")
    items = yuan(publicity="60", contacts="10", customers="10")
    found = rows(items, cost_targets=targets)
    assert {kind for kind, row in found.items() if row.overspent} == {"commission"}
    assert found["per_head"].actual == 7
    more = rows(items | yuan(customers="9"), cost_targets=targets)
    assert more["per_head"].actual == Decimal("7.777778")  # to a millionth, half up
    assert more["per_head"].overspent


def test_deposits_are_overspent_if_more_is_approved_than_planned_or_used_than_approved():
    def over(planned, approved, used):
        items = yuan(applied="99", approved=approved, gift_deposit=used)
        return rows(items, gift_deposits=Decimal(planned))["gift_deposit"].overspent

    assert not over("30", "30", "30")
    assert over("29", "30", "1")
    assert over("50", "30", "31")


def test_a_campaign_that_only_the_ledgers_know_has_no_budget():
    found = rows(yuan(advertising="64175"))
    assert [(kind, row.budget, row.actual) for kind, row in found.items()] == [
        ("goods", None, 64175)
    ]


def test_costs_of_nobody_have_no_head():
    found = rows({}, cost_targets=yuan(per_head="3"))["per_head"]
    assert (found.actual, found.customers, found.overspent) == (None, 0, False)


def test_what_counts_towards_no_kind_is_shown_all_the_same():
    (row,) = money({"pilot": yuan(sales="5", applied="1", gift_deposit="1")}, [], {}, DAY)[:1]
    assert (row.cost_kind, row.actual) == ("other", 5)
