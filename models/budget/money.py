"""mart.campaign_money as plain values: budget and actual by kind of cost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from schemas.config import Campaign
from schemas.config.campaign_plan import CONTACTS, GIFT_DEPOSIT, KINDS, PER_HEAD

OTHER = "other"  # what counts towards none of the kinds
APPLIED, APPROVED, CUSTOMERS = "applied", "approved", "customers"
_BESIDE = (APPLIED, APPROVED, CUSTOMERS)  # items that are no cost
_MICRO = Decimal("0.000001")
Spent = Mapping[str, Mapping[str, Decimal]]  # campaign → item → amount


@dataclass(frozen=True)
class Money:
    """A row of mart.campaign_money; what a kind does not have is None."""

    data_date: date
    campaign_id: str
    cost_kind: str
    budget: Decimal | None
    actual: Decimal | None
    contact_cost: Decimal | None = None
    applied: Decimal | None = None
    approved: Decimal | None = None
    customers: int | None = None
    overspent: bool = False


def money(
    spent: Spent,
    campaigns: Iterable[Campaign],
    counted: Mapping[str, Iterable[str]],
    day: date,
) -> list[Money]:
    """The rows of a night. `counted`: by kind of cost, the items that count towards it.

    A campaign has a row for each kind with a budget or a cost. Deposits used count towards the kind
    that names them and have a row of their own.
    """
    planned = {one.id: one for one in campaigns}
    kind_of = {item: kind for kind, items in counted.items() for item in items}
    return [
        row
        for name in sorted({*planned, *spent})
        for row in _of_campaign(name, planned.get(name), spent.get(name, {}), kind_of, day)
    ]


def _of_campaign(
    name: str,
    campaign: Campaign | None,
    items: Mapping[str, Decimal],
    kind_of: Mapping[str, str],
    day: date,
) -> Iterator[Money]:
    targets = campaign.cost_targets if campaign else {}
    actual: dict[str, Decimal] = {}
    for item, amount in items.items():
        # Deposits always have a row of their own, so they need no kind.
        kind = kind_of.get(item, None if item == GIFT_DEPOSIT else OTHER)
        if item not in _BESIDE and kind is not None:
            actual[kind] = actual.get(kind, Decimal(0)) + amount
    for kind in (*KINDS, OTHER):
        if kind in targets or kind in actual:
            found = actual.get(kind, Decimal(0))
            contacts = items.get(CONTACTS) if kind_of.get(CONTACTS, OTHER) == kind else None
            yield Money(
                day,
                name,
                kind,
                targets.get(kind),
                found,
                contact_cost=contacts,
                overspent=_over(found, targets.get(kind)),
            )
    if PER_HEAD in targets:
        customers = int(items.get(CUSTOMERS, 0))
        head = _each(sum(actual.values(), Decimal(0)), customers)
        budget = targets[PER_HEAD]
        over = head is not None and _over(head, budget)
        yield Money(day, name, PER_HEAD, budget, head, customers=customers, overspent=over)
    yield from _deposits(name, campaign, items, day)


def _deposits(
    name: str, campaign: Campaign | None, items: Mapping[str, Decimal], day: date
) -> Iterator[Money]:
    """Applied, approved, used: no more is approved than planned, no more used than approved."""
    budget = campaign.gift_deposits if campaign else None
    if budget is None and APPLIED not in items:
        return
    applied, approved, used = (
        items.get(item, Decimal(0)) for item in (APPLIED, APPROVED, GIFT_DEPOSIT)
    )
    over = _over(approved, budget) or used > approved
    yield Money(
        day,
        name,
        GIFT_DEPOSIT,
        budget,
        used,
        applied=applied,
        approved=approved,
        overspent=over,
    )


def _over(amount: Decimal, budget: Decimal | None) -> bool:
    return budget is not None and amount > budget


def _each(amount: Decimal, customers: int) -> Decimal | None:
    if not customers:
        return None
    return (amount / customers).quantize(_MICRO, ROUND_HALF_UP)
