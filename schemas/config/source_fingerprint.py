"""How a source is read, as a short fingerprint: when it changes, what was taken in is out of date.

What it is called and how it is described does not count, only what decides the rows: the entry of
sources.yml, the rules of its record, and the configured values that the record may hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from schemas.config import Config, fingerprint
from schemas.config.source import Source
from schemas.contract import Contract

DIGITS = 8
UNREAD = (
    "id",
    "name_cn",
    "system",
    "cadence",
    "files",
    "rejects",
    "identity",
    "optional",
    "due_by",
    "redelivery_days",
)  # of a source
DESCRIBED = ("name_cn", "description", "example", "unit", "personal", "data_type")  # of a column


def value_sets(conf: Config) -> dict[str, list[str]]:
    """The sets of values that a contract may name."""
    return {
        "channels": sorted(conf.channels),
        "packages": sorted(conf.tariffs),
        "businesses": sorted(conf.services),
    }


def reading(source: Source, contract: Contract, sets: Mapping[str, Sequence[str]]) -> str:
    """`<entry and rules>.<values of the sets that the record names>`."""
    rules = [
        {one.name: getattr(column, one.name) for one in fields(column) if one.name not in DESCRIBED}
        for column in contract.columns
    ]
    entry = {
        one.name: getattr(source, one.name) for one in fields(source) if one.name not in UNREAD
    }
    named = {
        column.allowed: sets[column.allowed]
        for column in contract.columns
        if isinstance(column.allowed, str)
    }
    return ".".join(fingerprint(part)[:DIGITS] for part in ([entry, contract.key, rules], named))


def outdated(taken_in: str, now: str, rejected: int) -> bool:
    """Whether a slice that was read so would be read otherwise now.

    A value that is new in a set can only let in rows that were rejected.
    """
    entry, values = taken_in.split(".")
    entry_now, values_now = now.split(".")
    return entry != entry_now or (rejected > 0 and values != values_now)
