"""What the usage cube holds: the facts of a cell, recorded fees, and the definitions of measures.

A measure is one way to add up the events of a cell. It adds up either the billed units of one part
of a segmentation 计费分段, or the amounts of events that a package rounds one by one.
`models/usage/register.py` numbers the measures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from models.tariff.package import KIND_SERVICE
from models.tariff.segmentation import Part, Segmentation, Steps

FACTS = (
    "service",
    "direction",
    "roaming",
    "toll",
    "dial",
    "in_group",
    "message_kind",
    "day_type",
    "slot_from",
    "slot_to",
)
FEES = ("airtime_fee", "toll_fee", "other_fee")
SERVICES = tuple(dict.fromkeys(KIND_SERVICE.values()))


class Units(NamedTuple):
    """The sum of the billed units that events have in one part of a segmentation."""

    segmentation: Segmentation
    part: Part


class Rounded(NamedTuple):
    """The sum of the amounts of events, each rounded to 10^-scale yuan and counted in that quantum.

    `prices` holds one segmentation per component with the price of each of its parts, in
    1/denominator yuan per base unit. `connect`, in 1/denominator yuan, is due if the quantity is
    above 0.
    """

    scale: int
    mode: str
    denominator: int
    connect: int
    prices: tuple[tuple[Segmentation, tuple[int, ...]], ...]


Definition = Units | Rounded


def to_text(definition: Definition) -> str:
    """A definition as JSON, the form of dw.rating_measure; equal definitions give equal texts."""
    if isinstance(definition, Units):
        document = _segmentation_to_json(definition.segmentation) | {"part": list(definition.part)}
    else:
        document = definition._asdict() | {
            "prices": [
                _segmentation_to_json(segmentation) | {"by_part": list(prices)}
                for segmentation, prices in definition.prices
            ]
        }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> Definition:
    """The definition of a text made by `to_text`."""
    document = json.loads(text)
    if "part" in document:
        band, step = document["part"]
        return Units(_segmentation_from_json(document), (band, step))
    document["prices"] = tuple(
        (_segmentation_from_json(one), tuple(one["by_part"])) for one in document["prices"]
    )
    return Rounded(**document)


def _segmentation_to_json(segmentation: Segmentation) -> dict[str, Any]:
    return {
        "calendar": segmentation.calendar,
        "steps": [[band, steps.first, steps.steps] for band, steps in segmentation.steps],
    }


def _segmentation_from_json(document: Mapping[str, Any]) -> Segmentation:
    calendar = tuple(
        (band, tuple(days), start, end) for band, days, start, end in document["calendar"]
    )
    return Segmentation(
        calendar,
        tuple(
            (band, Steps(first, tuple((start, size) for start, size in steps)))
            for band, first, steps in document["steps"]
        ),
    )
