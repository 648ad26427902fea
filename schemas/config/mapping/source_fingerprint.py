"""A short fingerprint of how a source is read: if it changes, ingested slices are out of date.

Only what decides the rows counts: the entry of sources.yml, the rules of its record, and the
configured values that the record may hold. Names and descriptions do not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date

from schemas.config import Config, fingerprint
from schemas.config.source import Source
from schemas.contract import Contract

DIGITS = 8
NOT_COUNTED = (
    "id",
    "name_cn",
    "system",
    "cadence",
    "files",
    "rejects",
    "duplicates",
    "identity",
    "optional",
    "due_by",
    "redelivery_days",
    "owners",
    "when",  # counted apart, where the source has one
    "also",
)  # fields of a source
DESCRIBED = (
    "name_cn",
    "description",
    "example",
    "unit",
    "personal",
    "data_type",
)  # fields of a column


def value_sets(conf: Config) -> dict[str, list[str]]:
    """The configured sets of values that a contract may name."""
    return {
        "channels": sorted(conf.channels),
        "packages": sorted(conf.tariffs),
        "businesses": sorted(conf.services),
    }


def source_fingerprint(
    source: Source,
    contract: Contract,
    sets: Mapping[str, Sequence[str]],
    open_ends: Sequence[date] = (),
) -> str:
    """`<hash of entry and rules>.<hash of the values of the sets that the record names>`.

    `open_ends` counts for records that have such ends.
    """
    rules = [
        {one.name: getattr(column, one.name) for one in fields(column) if one.name not in DESCRIBED}
        for column in contract.columns
    ]
    entry = {
        one.name: getattr(source, one.name) for one in fields(source) if one.name not in NOT_COUNTED
    }
    named = {
        column.allowed: sets[column.allowed]
        for column in contract.columns
        if isinstance(column.allowed, str)
    }
    ends = list(open_ends) if any(column.open_end for column in contract.columns) else []
    decides = [entry, contract.key_of(source.mapping), rules, ends]
    decides += [source.when] if source.when is not None else []
    return ".".join(fingerprint(part)[:DIGITS] for part in (decides, named))


def outdated(ingested: str, now: str, rejected: int) -> bool:
    """Whether a slice with the source fingerprint `ingested` would get other rows `now`.

    A new value of a set can only accept rows that were rejected before, so that without rejected
    rows a change of the sets alone does not count.
    """
    entry, values = ingested.split(".")
    entry_now, values_now = now.split(".")
    return entry != entry_now or (rejected > 0 and values != values_now)
