"""What the configuration holds once it is read: frozen dataclasses named after the YAML keys.

Amounts and shares are Decimal, lists are tuples, dates are datetime.date. Intervals are half-open.
Keys that a file leaves out have the defaults written here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from schemas.config.source import Source
from schemas.document import Document


@dataclass(frozen=True)
class SparkProfile:
    """`conf`: file of Spark properties, relative to a configuration folder."""

    conf: str


@dataclass(frozen=True)
class Parallel:
    """Steps at once, and files that a day's slice is written as."""

    steps: int
    files_per_day: int


@dataclass(frozen=True)
class Maintenance:
    """How long what is no table is kept: replaced files of tables in hours, the rest in days."""

    vacuum_hours: int = 168
    log_days: int = 90
    archive_days: int = 400


@dataclass(frozen=True)
class Runtime:
    """runtime.yml. `identity_key` keys the hash that makes subscriber_id and customer_id."""

    timezone: str
    identity_key: str
    spark: SparkProfile
    parallel: Parallel
    maintenance: Maintenance = Maintenance()


@dataclass(frozen=True)
class Push:
    """The file that leaves on a channel. Placeholders of its name: {data_date} {yyyymmdd} {yyyymm}.

    `columns` are those of the contract push.<channel>; `mode` is the file's mode in octal.
    """

    file: str
    columns: tuple[str, ...]
    delimiter: str = ","
    encoding: str = "utf-8"
    header: bool = True
    line_end: str = "lf"
    neutralise_formulas: bool = True
    mode: str = "0600"

    def file_on(self, day: date) -> str:
        """The name of the file of a day."""
        return self.file.format(data_date=day, yyyymmdd=f"{day:%Y%m%d}", yyyymm=f"{day:%Y%m}")


@dataclass(frozen=True)
class Channel:
    """Where customer and operator meet. `unit_cost` in yuan a contact.

    `capacity`: contacts a day; 0 never; None only on a channel without push.
    """

    id: str
    name_cn: str
    order: int
    unit_cost: Decimal
    capacity: int | None = None
    push: Push | None = None


@dataclass(frozen=True)
class Service:
    """A business that a contact may be about. `standard`: low risk, may move to any channel."""

    id: str
    name_cn: str
    type: str
    standard: bool


@dataclass(frozen=True)
class MonthClose:
    """Day of the following month on which a month closes; 0: on its own last day."""

    day: int


@dataclass(frozen=True)
class Calendar:
    """Public holidays; of the other days, Saturdays and Sundays are weekend."""

    holidays: tuple[date, ...]


@dataclass(frozen=True)
class RatingPolicy:
    """Readings of S2-R1…R8 and the thresholds of a recommendation (amounts in yuan a month).

    `session_gap_hours`: how long after the end of the others a part of a data session may begin.
    `usage_elasticity`: relative change of usage per relative change of its price, 0 or less.
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


@dataclass(frozen=True)
class BillItem:
    """What becomes of a bill item when a package of `kind` is compared.

    `rerated`: replaced by the candidate's own price (package_rent: when the package that the item
    names is of the candidate's kind). `records`: counted from the detail records and not again
    from the bill. `vpmn`: by vpmn_rent_mode. `passed`: stands on both sides.
    """

    treatment: str
    kind: str | None = None


@dataclass(frozen=True)
class PreferencePolicy:
    """M2-02: more than `frequent_above` contacts of the `kinds` make a frequent customer."""

    frequent_above: int
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class ContactPolicy:
    """Numbers that stand for nobody and never link a contact to a customer."""

    placeholders: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """policy.yml: the operator's own choices."""

    month_close: MonthClose
    calendar: Calendar
    rating: RatingPolicy
    bill_items: Mapping[str, BillItem]
    preference: PreferencePolicy
    contact: ContactPolicy


@dataclass(frozen=True)
class Campaign:
    """A marketing activity, in force on [valid_from, valid_to). A lower priority number goes first.

    `control_share` of its targets are held out by a hash of `salt` and customer. `script` holds
    {package_name} {cost_before} {cost_after} {saving} {months_won} {valid_until}.
    """

    id: str
    name_cn: str
    type: str
    valid_from: date
    valid_to: date
    channels: tuple[str, ...]
    wave: int
    priority: int
    control_share: Decimal
    salt: str
    horizon_months: int
    valid_days: int
    script: str

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day < self.valid_to


@dataclass(frozen=True)
class Config:
    """The effective configuration of a run.

    Channels stand in their `order`, campaigns by priority, tariffs by id. `tariffs` are documents
    of the right shape; what they mean is models/catalogue.py's. `fingerprint` is the sha256 of
    everything, the same whatever the order of files and keys.
    """

    runtime: Runtime
    sources: Mapping[str, Source]
    channels: Mapping[str, Channel]
    services: Mapping[str, Service]
    policy: Policy
    campaigns: Mapping[str, Campaign]
    tariffs: Mapping[str, Document]
    fingerprint: str

    def lookback_days(self, *records: str) -> dict[str, int]:
        """How many days each source of these tables looks back."""
        return {
            name: source.lookback_days
            for name, source in self.sources.items()
            if source.record in records
        }


def source(id: str, entry: Mapping[str, Any], zone: str) -> Source:
    """The source of an entry of sources.yml; its times are of `zone` unless it says otherwise."""
    cadence = entry["cadence"]
    cadence = {} if cadence == "daily" else cadence
    entry = {"timezone": zone, **entry, "exclude": entry.get("exclude") or {}, "cadence": cadence}
    return built(Source, {"id": id, **entry})


def campaign(entry: Mapping[str, Any]) -> Campaign:
    """The campaign of a file under campaigns/."""
    entry, valid = dict(entry), entry["valid"]
    del entry["valid"]
    return built(Campaign, {**entry, "valid_from": valid["from"], "valid_to": valid["to"]})


def built(kind: type, entry: Mapping[str, Any]) -> Any:
    """An object of dataclass `kind` from plain YAML values of the right shape."""
    hints = get_type_hints(kind)
    return kind(**{name: _converted(hints[name], value) for name, value in entry.items()})


def _converted(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        meant = [one for one in get_args(hint) if one is not NoneType]
        return value if value is None or len(meant) > 1 else _converted(meant[0], value)
    if is_dataclass(hint):
        return built(hint, value)
    if hint is Decimal:
        return Decimal(value)
    if get_origin(hint) is tuple:
        return tuple(value)
    if get_origin(hint) is Mapping:
        return {key: _converted(get_args(hint)[1], one) for key, one in value.items()}
    return value
