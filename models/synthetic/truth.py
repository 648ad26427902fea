"""The truth about the synthetic province, for tests that check the pipeline.

The pipeline itself never reads it. Every table is a header and rows of text; the rows of a chunk
come after those of the chunk before.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction

import numpy as np

from models.synthetic.chunk import Billed, Life
from models.synthetic.contact.contacts import CHANNELS, COMPLAINT, COUNTED
from models.synthetic.people.crm import customer_id, subscriber_id
from models.synthetic.people.packages import Holding
from models.synthetic.people.people import ACTIVE, STATUSES
from models.synthetic.province import NEVER, Province
from models.synthetic.rows import MARKS, PLAIN, Rows, mark_no
from schemas.window import add_months

HEADERS = {
    "packages": ("subscriber_no", "kind", "package_id", "valid_from", "valid_to"),
    "numbers": (
        "subscriber_no",
        "customer_no",
        "msisdn",
        "valid_from",
        "valid_to",
        "taken_over_from",
    ),
    "spells": ("subscriber_no", "status", "first_day", "last_day"),
    "preferences": ("customer_no", "favourite", *CHANNELS),
    "contacts": ("customer_no", "channel", "contacts", "counted", "complaints_about"),
    "bills": (
        "subscriber_no",
        "month",
        "total",
        "unstated_discount",
        "joined",
        "left",
        "package_changed",
    ),
}


def tables(province: Province, life: Life, billed: Billed) -> dict[str, list[tuple[str, ...]]]:
    """The rows of each table of HEADERS for one chunk."""
    return {
        "packages": _packages(province, life),
        "numbers": _numbers(province, life),
        "spells": _spells(province, life),
        "preferences": _preferences(life),
        "contacts": _contacts(life),
        "bills": _bills(province, life, billed),
    }


def counts(source: str, rows: Rows) -> Counter:
    """Planted rows by (day of delivery, defect), and the missed calls among the true voice rows."""
    planted = rows.mark != PLAIN
    defects = [MARKS[mark] for mark in rows.mark[planted]]
    found = Counter(zip(rows.day[planted].tolist(), defects, strict=True))
    if source == "voice":
        true = (rows.mark == PLAIN) | (rows.mark == mark_no("late"))
        missed = true & (rows.columns["end_cause"] != "N")
        found.update((day, "missed_call") for day in rows.day[missed].tolist())
    return found


def _text(province: Province, day: int) -> str:
    return "" if day == NEVER else str(province.day(day))


def _packages(province: Province, life: Life) -> list[tuple[str, ...]]:
    return [
        (
            subscriber_id(int(life.people.line[one.subscriber])),
            one.kind,
            one.package,
            _text(province, one.start),
            _text(province, one.end),
        )
        for one in life.holdings
    ]


def _numbers(province: Province, life: Life) -> list[tuple[str, ...]]:
    people = life.people
    rows: list[tuple[str, ...]] = []
    for place, line in enumerate(people.line.tolist()):
        changed, left = int(people.renumbered[place]), int(people.left[place])
        held = [(people.msisdn[place], int(people.joined[place]), min(changed, left))]
        if changed != NEVER:
            held.append((people.new_msisdn[place], changed, left))
        before = int(people.recycled_from[place])
        source = subscriber_id(int(people.line[before])) if before >= 0 else ""
        for number, start, end in held:
            rows.append(
                (
                    subscriber_id(line),
                    customer_id(life.owners.no[people.owner[place]]),
                    str(number),
                    _text(province, start),
                    _text(province, end),
                    source,
                )
            )
    return rows


def _spells(province: Province, life: Life) -> list[tuple[str, ...]]:
    people = life.people
    return [
        (
            subscriber_id(int(people.line[place])),
            STATUSES[people.spell_status[place]],
            _text(province, people.spell_from[place]),
            _text(province, people.spell_to[place] - 1),
        )
        for place in np.nonzero(people.spell_status != ACTIVE)[0].tolist()
    ]


def _preferences(life: Life) -> list[tuple[str, ...]]:
    favourite = life.preferences.favourite
    return [
        (
            customer_id(number),
            CHANNELS[favourite[place]],
            *(f"{share:.6f}" for share in life.preferences.shares[place]),
        )
        for place, number in enumerate(life.owners.no.tolist())
    ]


def _contacts(life: Life) -> list[tuple[str, ...]]:
    """Per customer and channel: all contacts, those that count for a preference, and complaints.

    A complaint counts for the channel that it is about; if the customer names none, for the channel
    over which it came.
    """
    found = life.contacts
    rows: list[tuple[str, ...]] = []
    subject = np.where(found.about < 0, found.channel, found.about)
    complaint = found.kind == COMPLAINT
    counted = np.isin(found.kind, COUNTED)
    shape = (len(life.owners.no), len(CHANNELS))
    sums = [np.zeros(shape, dtype=np.int64) for _ in range(3)]
    np.add.at(sums[0], (found.customer, found.channel), 1)
    np.add.at(sums[1], (found.customer[counted], found.channel[counted]), 1)
    np.add.at(sums[2], (found.customer[complaint], subject[complaint]), 1)
    for place, channel in np.argwhere(sums[0] + sums[2] > 0).tolist():
        rows.append(
            (
                customer_id(life.owners.no[place]),
                CHANNELS[channel],
                *(str(each[place, channel]) for each in sums),
            )
        )
    return rows


def _bills(province: Province, life: Life, billed: Billed) -> list[tuple[str, ...]]:
    changes = {
        (one.subscriber, day.replace(day=1))
        for one in life.holdings
        for day in _within(province, life, one)
    }
    rows: list[tuple[str, ...]] = []
    for place, one in enumerate(billed.bills):
        line = int(life.people.line[one.subscriber])
        joined = _falls_in(province, one.month, int(life.people.joined[one.subscriber]))
        left = _falls_in(province, one.month, int(life.people.left[one.subscriber]))
        rows.append(
            (
                subscriber_id(line),
                str(one.month),
                _yuan(one.total),
                _yuan(billed.discounts.get(place, Fraction(0))),
                str(int(joined)),
                str(int(left)),
                str(int((one.subscriber, one.month) in changes)),
            )
        )
    return rows


def _yuan(amount: Fraction) -> str:
    cents = int(amount * 100)
    return f"{cents // 100}.{cents % 100:02d}"


def _falls_in(province: Province, month: date, day: int) -> bool:
    return province.number_of(month) < day < province.number_of(add_months(month, 1))


def _within(province: Province, life: Life, holding: Holding) -> list[date]:
    """Days on which a holding begins or ends within a month while the subscriber stays."""
    people, place = life.people, holding.subscriber
    days = []
    if holding.start > max(0, int(people.joined[place])):
        days.append(province.day(holding.start))
    if holding.end < int(people.left[place]):
        days.append(province.day(holding.end))
    return [day for day in days if day.day > 1]
