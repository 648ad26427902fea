"""What a campaign may cost, and how it is made known: parts of a file of campaigns/.

Amounts are in yuan. What counts towards a cost target is in policy.yml (`campaigns.costs`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.config.settings import built

# The kinds of cost targets 营销成本目标 (S1-01): 营销物品成本, 渠道佣金成本, 折扣折让成本.
GOODS, COMMISSION, DISCOUNT = "goods", "commission", "discount"
KINDS = (GOODS, COMMISSION, DISCOUNT)
PER_HEAD = "per_head"  # 人均营销成本: all of these for each customer who was contacted
# What may count towards a kind besides the types of the MIS ledger.
CONTACTS, GIFT_DEPOSIT = "contacts", "gift_deposit"


@dataclass(frozen=True)
class Medium:
    """A medium of the publicity 媒介 (S1-04): `content` at a `placement` on the days [from, to)."""

    medium: str
    content: str
    placement: str
    valid_from: date
    valid_to: date
    cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class Material:
    """Printed matter 宣传物料 (S1-04): `pieces` of it, put up or handed out on [from, to)."""

    material: str
    content: str
    placement: str
    pieces: int
    valid_from: date
    valid_to: date
    cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class Question:
    """A question of a questionnaire 问卷 (B2) with its answers."""

    question: str
    answers: tuple[str, ...]

    @property
    def written(self) -> str:
        """The question as a channel's file holds it."""
        return f"{self.question}（{'/'.join(self.answers)}）"


def questionnaire_text(questions: Iterable[Question]) -> str:
    """The questions of a channel in one text, numbered."""
    return " ".join(f"{place}.{one.written}" for place, one in enumerate(questions, start=1))


def media_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Medium, ...]:
    """The media that a list of a campaign's file describes."""
    return tuple(built(Medium, _dated(one)) for one in entries)


def materials_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Material, ...]:
    """The materials that a list of a campaign's file describes."""
    return tuple(built(Material, _dated(one)) for one in entries)


def questionnaires_of(
    entries: Mapping[str, Iterable[Mapping[str, Any]]],
) -> dict[str, tuple[Question, ...]]:
    """The questions of each channel."""
    return {
        channel: tuple(built(Question, one) for one in asked) for channel, asked in entries.items()
    }


def _dated(entry: Mapping[str, Any]) -> dict[str, Any]:
    days = {"from": "valid_from", "to": "valid_to"}
    return {days.get(key, key): value for key, value in entry.items()}
