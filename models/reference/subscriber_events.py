"""The events of one subscriber, from the records in which switches and gateways deliver them.

For the few rows of one subscriber, in plain Python. It is written from the rules, shares nothing
with the engine that merges and guides the records of everybody, and the tests compare the two:

1. A record is whole, or a part of an event if its source delivers events in parts.
2. Parts of one source, gateway, number, paying number and direction follow each other by their
   begin. One that begins more than the gap after the end of all before it begins another event.
3. An event has the time of its first part. `add`: the facts of the first part and the sum of the
   quantities. `cumulative`: the facts of the first and the quantity of the last. `last`: both of
   the last.
4. The last part has the highest part number. Without numbers it is the one that began last; of
   those the longest (cumulative), then the one that was delivered last.
5. The subscriber pays who held the number when the event began.
6. Events are in order of their instants, those of one instant in order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from models.reference.event_key import event_key
from models.reference.tariff import Event, day_type

Row = Mapping[str, Any]
"""A row of a table by column; instants know their zone."""

OWNED = ("msisdn", "valid_from", "valid_to")  # of dw.subscriber_identity
_TIME = ("msisdn", "occurred_at", "local_date", "local_second")
_RECORD = (*_TIME, "source", "batch_date", "file_name", "row_no", "record_key")
_CALL = ("call_no", "direction", "roaming", "toll", "dial", "in_group", "outcome", "duration_s")
_MESSAGE = ("message_no", "service", "direction", "roaming", "kind")
_DATA = ("session_no", "gateway", "roaming", "duration_s", "bytes_up", "bytes_down")
_WLAN = ("session_no", "roaming_carrier", "duration_s")
COLUMNS = {
    "ods.voice_call": (*_RECORD, *_CALL, "part_no"),
    "ods.message": (*_RECORD, *_MESSAGE),
    "ods.data_session": (*_RECORD, *_DATA, "part_no"),
    "ods.wlan_session": (*_RECORD, *_WLAN, "part_no"),
}
"""The usage tables, each with the columns that are read of it."""


@dataclass(frozen=True)
class Parts:
    """Which sources deliver events in parts.

    `modes`: source → add, cumulative or last; the other sources deliver whole events.
    `gap`: a part continues an event if it begins at most so long after the end of those before it.
    """

    modes: Mapping[str, str]
    gap: timedelta


@dataclass(frozen=True)
class _Use:
    """A record, whichever service it is of; a fact that the service does not have is None."""

    row: Row
    service: str
    quantity: int
    roaming: str
    number: str | None
    gateway: str | None = None
    direction: str | None = None
    toll: str | None = None
    dial: str | None = None
    in_group: bool | None = None
    message_kind: str | None = None

    @property
    def begin(self) -> datetime:
        return self.row["occurred_at"]

    @property
    def seconds(self) -> int | None:
        """How long the record lasted."""
        return self.row.get("duration_s")

    @property
    def delivered(self) -> tuple[date, str, int]:
        return self.row["batch_date"], self.row["file_name"], self.row["row_no"]


def first_delivery(month: date, lookback_days: int) -> date:
    """The first day whose deliveries tell the events of a month.

    An event is delivered from the day before it on, because a clock may be ahead. Its parts are
    looked for so many days further back.
    """
    return month - timedelta(days=1 + lookback_days)


def subscriber_events(
    records: Mapping[str, Iterable[Row]],
    owned: Collection[Row],
    parts: Parts,
    holidays: Collection[date],
) -> list[Event]:
    """The events that one subscriber pays for, in their order.

    `records`: rows of some tables of COLUMNS, of the subscriber's numbers at any time.
    `owned`: the subscriber's rows of dw.subscriber_identity: when which number was held.
    """
    uses = [_FORMS[table](row) for table, rows in records.items() for row in rows]
    keyed = [(use, use.row["record_key"]) for use in uses if not _is_part(use, parts)]
    keyed += [(use, _key(use)) for use in _merged(uses, parts)]
    mine = [(use, key) for use, key in keyed if _pays(owned, use)]
    mine.sort(key=lambda one: (one[0].begin, one[1]))
    return [_event(place, use, holidays) for place, (use, _) in enumerate(mine)]


def is_rerated(event: Event) -> bool:
    """Whether packages price the event: in-group and 12593 calls are left out (S2-07, S2-R5)."""
    return not event.in_group and event.dial != "ip12593"


def _call(row: Row) -> _Use:
    missed = row["outcome"] == "missed"
    return _Use(
        row,
        "voice",
        0 if missed else row["duration_s"],
        row["roaming"],
        row["call_no"],
        direction=row["direction"],
        toll=row["toll"],
        dial=row["dial"],
        in_group=row["in_group"],
    )


def _message(row: Row) -> _Use:
    return _Use(
        row,
        row["service"],
        1,
        row["roaming"],
        row["message_no"],
        direction=row["direction"],
        message_kind=row["kind"],
    )


def _data_session(row: Row) -> _Use:
    used = row["bytes_up"] + row["bytes_down"]
    return _Use(row, "data", used, row["roaming"], row["session_no"], row["gateway"])


def _wlan_session(row: Row) -> _Use:
    """At another operator's hot spot the customer is abroad."""
    roaming = "home" if row["roaming_carrier"] is None else "intl"
    return _Use(row, "wlan", row["duration_s"], roaming, row["session_no"])


_FORMS: Mapping[str, Callable[[Row], _Use]] = {
    "ods.voice_call": _call,
    "ods.message": _message,
    "ods.data_session": _data_session,
    "ods.wlan_session": _wlan_session,
}


def _is_part(use: _Use, parts: Parts) -> bool:
    """A record without a number is whole, whatever its source says."""
    return use.row["source"] in parts.modes and use.number is not None


def _merged(uses: Iterable[_Use], parts: Parts) -> Iterator[_Use]:
    """Each event of the parts, as one record."""
    together: dict[tuple, list[_Use]] = {}
    for use in uses:
        if _is_part(use, parts):
            key = (use.row["source"], use.gateway, use.number, use.row["msisdn"], use.direction)
            together.setdefault(key, []).append(use)
    for (source, *_), found in together.items():
        for event in _apart(sorted(found, key=lambda use: (use.begin, use.delivered)), parts.gap):
            yield _as_one(event, parts.modes[source])


def _apart(uses: Iterable[_Use], gap: timedelta) -> Iterator[list[_Use]]:
    """The parts of each event; numbers of events repeat over time."""
    event: list[_Use] = []
    ended: datetime | None = None
    for use in uses:
        if ended is not None and use.begin > ended + gap:
            yield event
            event = []
        event.append(use)
        end = use.begin + timedelta(seconds=use.seconds or 0)
        ended = end if ended is None else max(ended, end)
    yield event


def _as_one(event: list[_Use], mode: str) -> _Use:
    """The parts of an event, in order of their begin, as one record."""
    first = event[0]
    if mode == "add":
        return replace(first, quantity=sum(use.quantity for use in event))
    last = max(event, key=lambda use: _in_order_of_use(use, mode))
    if mode == "cumulative":
        return replace(first, quantity=last.quantity)
    times = {name: first.row[name] for name in ("occurred_at", "local_date", "local_second")}
    return replace(last, row={**last.row, **times})


def _in_order_of_use(use: _Use, mode: str) -> tuple:
    """What the last part of an event is the greatest by."""
    longest = (_least(use.seconds), use.quantity) if mode == "cumulative" else ()
    return _least(use.row.get("part_no")), use.begin, longest, use.delivered


def _least(value: int | None) -> tuple:
    """The value, so that a missing one is below all others."""
    return () if value is None else (value,)


def _key(use: _Use) -> int:
    """An event of several records has no record key, so what decides its price is its key."""
    facts = (use.direction, use.roaming, use.toll, use.dial, use.in_group, use.message_kind)
    return event_key((*facts, use.quantity))


def _pays(owned: Collection[Row], use: _Use) -> bool:
    """Whether the subscriber held the number when the event began."""
    return any(
        one["msisdn"] == use.row["msisdn"]
        and one["valid_from"] <= use.begin
        and (one["valid_to"] is None or use.begin < one["valid_to"])
        for one in owned
    )


def _event(place: int, use: _Use, holidays: Collection[date]) -> Event:
    local_date = use.row["local_date"]
    return Event(
        place,
        use.service,
        use.direction,
        use.roaming,
        use.toll,
        use.dial,
        use.in_group,
        use.message_kind,
        int(use.begin.timestamp()),
        local_date,
        use.row["local_second"],
        day_type(local_date, holidays),
        use.quantity,
    )
