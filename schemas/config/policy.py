"""policy.yml as frozen dataclasses: the operator's own choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.config.contact_policy import Contacts
from schemas.config.decision_policy import Resources, ValuePolicy


@dataclass(frozen=True)
class MonthClose:
    """Day of the following month on which a month closes; 0: its own last day."""

    day: int


@dataclass(frozen=True)
class Calendar:
    """Public holidays. On other days, Saturday and Sunday are weekend."""

    holidays: tuple[date, ...]


@dataclass(frozen=True)
class RatingPolicy:
    """Choices that S2-R1…R8 leave open, and limits of a recommendation (yuan per month).

    `session_gap_hours`: a part of a data session begins at most this long after the others end.
    `similar_months`: as so many own months the spread of similar customers counts.
    `usage_elasticity`: relative change of usage per relative change of its price, 0 or less.
    `without_bill`: none, or rerated: the re-rated present holding stands for the bill.
    `priority`: SQL over columns of mart.package_match by which packages are ranked.
    """

    months: int
    keep_packages: int
    vpmn_rent_mode: str
    toll_rerated: str
    default_package: Mapping[str, str]
    tolerance: Decimal
    min_saving: Decimal
    min_months_won: int
    bill_shock: Decimal
    session_gap_hours: int
    usage_elasticity: Decimal = Decimal(0)
    priority: str = "saving"
    without_bill: str = "none"
    similar_months: int = 6


@dataclass(frozen=True)
class BillItem:
    """How a bill item is treated when a package of `kind` is compared.

    - `rerated`: replaced by the candidate's own price (package_rent: if the package that the item
      names is of the candidate's kind);
    - `records`: counted from the detail records, and not again from the bill;
    - `vpmn`: treated by `vpmn_rent_mode`;
    - `passed`: the same amount on both sides.
    """

    treatment: str
    kind: str | None = None


@dataclass(frozen=True)
class PreferencePolicy:
    """M2-02: a customer with more than `frequent_above` contacts of the `kinds` is frequent."""

    frequent_above: int
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class ContactPolicy:
    """Placeholder numbers that never link a contact to a customer."""

    placeholders: tuple[str, ...]


@dataclass(frozen=True)
class CampaignPolicy:
    """What holds for all campaigns.

    `approval`: required, or not_required: a campaign of the configuration runs without one.
    `costs`: what counts towards each kind of cost target: types of the MIS ledger, `contacts` at
    their unit cost, and `gift_deposit`: deposits that were used.
    """

    approval: str = "required"
    costs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """policy.yml."""

    month_close: MonthClose
    calendar: Calendar
    rating: RatingPolicy
    bill_items: Mapping[str, BillItem]
    preference: PreferencePolicy
    contact: ContactPolicy
    contacts: Contacts
    value: ValuePolicy
    resources: Resources
    campaigns: CampaignPolicy = CampaignPolicy()
