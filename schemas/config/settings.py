"""runtime.yml as frozen dataclasses, and the builder that makes such classes from YAML values.

Each file of conf/ has a module of dataclasses whose fields are named after its keys. Amounts and
shares are Decimal, lists are tuples, dates are datetime.date. A key that a file leaves out has
the default of its field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass, replace
from datetime import date
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from schemas.currency import YUAN, Currency

_T = TypeVar("_T")
# Days that stand for "no end" in the files of other systems.
OPEN_ENDS = (date(2099, 12, 31), date(9999, 12, 31))


@dataclass(frozen=True)
class FewRows:
    """`rows`: a step reads few rows if it reads no more than these. `conf`: as of SparkProfile."""

    rows: int
    conf: str


@dataclass(frozen=True)
class SparkProfile:
    """`conf`: file of Spark properties, relative to a configuration folder.

    `few_rows`: the properties that hold besides for steps that read few rows.
    """

    conf: str
    few_rows: FewRows | None = None


@dataclass(frozen=True)
class Parallel:
    """`steps`: steps that run at the same time. `files_per_day`: files of one day's slice."""

    steps: int
    files_per_day: int


@dataclass(frozen=True)
class Maintenance:
    """How long replaced files of tables (hours), logs and the archive (days) are kept."""

    vacuum_hours: int = 168
    log_days: int = 90
    archive_days: int = 400


@dataclass(frozen=True)
class Numbers:
    """How phone numbers of the operator's country are written.

    - `country_code`: its code, without + or 00;
    - `national`: pattern of a whole national mobile number;
    - `trunk`: prefix of long distance that may precede it; empty: none.
    """

    country_code: str = "86"
    national: str = "1[3-9][0-9]{9}"
    trunk: str = "0"


@dataclass(frozen=True)
class Runtime:
    """runtime.yml. `identity_key` is the key of the hash behind subscriber_id and customer_id.

    `currency`: the entry of its `currencies` that `currency` names.
    `open_ends`: an end of validity at or after the first of these days means "open".
    """

    timezone: str
    identity_key: str
    spark: SparkProfile
    parallel: Parallel
    maintenance: Maintenance = Maintenance()
    numbers: Numbers = Numbers()
    currency: Currency = YUAN
    open_ends: tuple[date, ...] = OPEN_ENDS


def runtime_of(entry: Mapping[str, Any]) -> Runtime:
    """The settings that runtime.yml describes."""
    others = {key: value for key, value in entry.items() if key not in ("currency", "currencies")}
    return replace(built(Runtime, others), currency=currency_of(entry) or YUAN)


def currency_of(entry: Mapping[str, Any]) -> Currency | None:
    """The currency that runtime.yml names; None if it says nothing of one of this code."""
    code = entry.get("currency", YUAN.code)
    known = entry.get("currencies", {})
    if code in known:
        return built(Currency, {"code": code, "unit": code, **known[code]})
    return YUAN if code == YUAN.code else None


def built(kind: type[_T], entry: Mapping[str, Any]) -> _T:
    """An object of the dataclass `kind` from plain YAML values of the right shape."""
    hints = get_type_hints(kind)
    return kind(**{name: _converted(hints[name], value) for name, value in entry.items()})


def _converted(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        meant = [one for one in get_args(hint) if one is not NoneType]
        return value if value is None or len(meant) > 1 else _converted(meant[0], value)
    if isinstance(hint, type) and is_dataclass(hint):
        return built(hint, value)
    if hint is Decimal:
        return Decimal(value)
    if get_origin(hint) is tuple:
        return tuple(value)
    if get_origin(hint) is Mapping:
        return {key: _converted(get_args(hint)[1], one) for key, one in value.items()}
    return value
