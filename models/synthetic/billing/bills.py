"""Bills of the synthetic province: each true month, rated by the plain reference rater.

A re-rater must reproduce what the billing of the province does:
- A subscriber's month is rated from the true events under the true packages, service by service
  (voice, GPRS, SMS). Without a GPRS or SMS package, the configured standard package prices the
  service.
- A package that began or ended within the month rates its own days. Its fee and free units are
  those of a whole month, unless it began within the month (`partial_month`).
- Calls within a company group cost nothing; the group's monthly fee is the item vpmn_rent.
- 12593 calls and information fees are items, as charged on the records.
- The toll of a call dialled direct is charged on the record too, at the package's price of that one
  call. It does not count for a minimum commitment.
- The item package_rent is the fee, what a minimum commitment adds, and the rounding of the bill.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from models.reference.bill import MonthBill
from models.reference.rater import Rater
from models.reference.tariff import Event
from models.synthetic.people.packages import KINDS, Holding
from models.synthetic.people.people import Subscribers
from models.synthetic.province import UTC_OFFSET_S, Province
from models.synthetic.usage.data import Sessions
from models.synthetic.usage.habits import DAY_SECONDS, ROAMING, Moments
from models.synthetic.usage.message import Messages
from models.synthetic.usage.voice import DIALS, DIRECT, DIRECTIONS, IP12593, TOLLS, Calls
from schemas.errors import ConfigError
from schemas.window import add_months, month_of

MMS_PRICE = Fraction(3, 10)  # yuan per message sent, from any place: there is no MMS package
VAS_PRICES = (5, 3, 8)  # yuan a month: ring-back tone, mobile paper, both
VPMN_RENTS = (5, 10)
SERVICE = {"voice": "voice", "gprs": "data", "sms": "sms"}


@dataclass(frozen=True)
class Bill:
    """One month of one subscriber of the chunk. `items`: (item code, package id or "") → yuan."""

    subscriber: int
    month: date
    items: Mapping[tuple[str, str], Fraction]

    @property
    def total(self) -> Fraction:
        """The sum of the items in yuan."""
        return sum(self.items.values(), Fraction(0))


class Rates:
    """The raters of the province's packages, built once for all chunks.

    `month` rates a month without the toll of direct calls, because that toll is on the records.
    `toll` gives the toll of one call in 厘 and keeps each result.
    """

    def __init__(self, province: Province):
        packages = {
            name: one for name, one in province.packages.items() if one.get("kind") in KINDS
        }
        self.month = {name: Rater(one, toll="ip_only") for name, one in packages.items()}
        self._record = {name: Rater(one) for name, one in packages.items()}
        self._known: dict[tuple, int] = {}

    def toll(self, package: str, call: Event) -> int:
        """The toll of one call in 厘."""
        rater = self._record[package]
        slot = bisect_right(rater.cuts, call.local_second)
        facts = (package, slot, call.quantity, *call[1:8], call.day_type)
        if facts not in self._known:
            bill = rater.rate_month([call], month_of(call.local_date))
            toll = sum(
                (line.amount for key, line in bill.lines.items() if key[1] == "toll"), Fraction(0)
            )
            self._known[facts] = li(toll, package)
        return self._known[facts]


class Billing:
    """Rates the months of one chunk's subscribers."""

    def __init__(
        self, province: Province, rates: Rates, people: Subscribers, holdings: Sequence[Holding]
    ):
        self.province, self.rates, self.people = province, rates, people
        self.held: dict[tuple[int, str], list[Holding]] = defaultdict(list)
        for holding in holdings:
            self.held[holding.subscriber, holding.kind].append(holding)

    def package_on(self, subscriber: int, kind: str, day: int) -> str | None:
        """The subscriber's package of a kind on a day; the standard package if there is none."""
        for holding in self.held[subscriber, kind]:
            if holding.start <= day < holding.end:
                return holding.package
        return self.province.defaults.get(kind)

    def bills(
        self,
        calls: Calls,
        messages: Messages,
        sessions: Sessions,
        toll_fee: np.ndarray,
        vas: np.ndarray,
    ) -> list[Bill]:
        """Every bill of the chunk, by month and subscriber.

        `toll_fee` (厘) is per call. `vas` is each subscriber's monthly fee (yuan) for value-added
        services.
        """
        # Not rated: missed calls are free, the group's fee covers calls within it, and 12593 calls
        # are charged on the record.
        rated = np.nonzero((calls.duration > 0) & ~calls.in_group & (calls.dial != IP12593))[0]
        events = {
            "voice": _by_subscriber(self.people, *_voice_events(self.province, calls, rated)),
            "sms": _by_subscriber(self.people, *_sms_events(self.province, messages)),
            "data": _by_subscriber(self.people, *_data_events(self.province, sessions)),
        }
        bills = []
        for month in self.province.billed_months:
            first = self.province.number_of(month)
            end = self.province.number_of(add_months(month, 1))
            recorded = self._recorded(calls, messages, toll_fee, first, end)
            for subscriber in range(len(self.people)):
                life = (
                    max(first, int(self.people.joined[subscriber])),
                    min(end, int(self.people.left[subscriber])),
                )
                if life[0] >= life[1] or not self.people.activated[subscriber]:
                    continue
                items: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
                for kind in KINDS:
                    mine = events[SERVICE[kind]][subscriber]
                    self._rate(items, subscriber, kind, mine, month, life)
                for code, amounts in recorded.items():
                    items[code, ""] += Fraction(int(amounts[subscriber]), 1000)
                if self.people.vpmn[subscriber] >= 0:
                    rent = VPMN_RENTS[self.people.vpmn[subscriber] % len(VPMN_RENTS)]
                    items["vpmn_rent", ""] += rent
                items["vas", ""] += int(vas[subscriber])
                charged = {key: amount for key, amount in items.items() if amount}
                bills.append(Bill(subscriber, month, charged))
        return bills

    def _rate(
        self,
        items: dict[tuple[str, str], Fraction],
        subscriber: int,
        kind: str,
        events: tuple[list[int], list[Event]],
        month: date,
        life: tuple[int, int],
    ) -> None:
        """Rate a month of one kind, package by package, and add the amounts to the items."""
        days, all_events = events
        bounds = {life[0], life[1]}
        for holding in self.held[subscriber, kind]:
            bounds |= {day for day in (holding.start, holding.end) if life[0] < day < life[1]}
        cuts = sorted(bounds)
        for start, end in itertools.pairwise(cuts):
            package = self.package_on(subscriber, kind, start)
            mine = all_events[bisect_left(days, start) : bisect_right(days, end - 1)]
            standard = package == self.province.defaults.get(kind)
            if package is None or (standard and not mine):
                continue
            joined = self.province.day(start) if start > self.province.number_of(month) else None
            bill = self.rates.month[package].rate_month(mine, month, joined)
            self._add(items, kind, package, bill)

    def _add(
        self, items: dict[tuple[str, str], Fraction], kind: str, package: str, bill: MonthBill
    ) -> None:
        rules = self.rates.month[package].rules
        items["package_rent", package] += bill.fee + bill.commitment + bill.rounding
        for (_, component, no), line in bill.lines.items():
            if kind != "voice":
                code = kind
            elif component == "toll":
                code = "ip_toll"
            else:
                match = rules[no].get("match") if no >= 0 else None
                places = (match or {}).get("roaming", "home")
                code = "local_voice" if "home" in places else "roam_voice"
            items[code, ""] += line.charged
        for cut in bill.cap_cuts.values():
            items["local_voice" if kind == "voice" else kind, ""] += cut

    def _recorded(
        self, calls: Calls, messages: Messages, toll_fee: np.ndarray, first: int, end: int
    ) -> dict[str, np.ndarray]:
        """Amounts charged on the records of the days [first, end): item → 厘 by subscriber.

        MMS have a price per message.
        """

        def summed(when: Moments, fees: np.ndarray) -> np.ndarray:
            here = (when.day >= first) & (when.day < end)
            return np.bincount(
                when.subscriber[here], weights=fees[here], minlength=len(self.people)
            ).astype(np.int64)

        sent_mms = (messages.service == 1) & (messages.direction == 0)
        return {
            "toll_voice": summed(calls.when, toll_fee),
            "d12593": summed(calls.when, calls.fee_12593),
            "info": summed(calls.when, calls.info_fee) + summed(messages.when, messages.info_fee),
            "mms": summed(messages.when, sent_mms * int(MMS_PRICE * 1000)),
        }

    def toll_fees(self, calls: Calls) -> np.ndarray:
        """The toll (厘) of each call dialled direct, at the price of the subscriber's package."""
        fees = np.zeros(len(calls), dtype=np.int64)
        owing = (calls.dial == DIRECT) & (calls.toll > 0) & (calls.duration > 0)
        places = np.nonzero(owing)[0]
        when, events = _voice_events(self.province, calls, places)
        for place, subscriber, day, event in zip(
            places.tolist(), when.subscriber.tolist(), when.day.tolist(), events, strict=True
        ):
            package = self.package_on(subscriber, "voice", day)
            assert package is not None, "every subscriber has a voice package on each day"
            fees[place] = self.rates.toll(package, event)
        return fees


def li(amount: Fraction, package: str) -> int:
    """An amount in yuan as whole 厘; ConfigError if the package leaves a fraction of a 厘."""
    exact = amount * 1000
    if exact.denominator != 1:
        raise ConfigError(
            f"tariffs: {package}: {amount} yuan is not a whole number of 厘 and cannot be on a "
            "bill; give the package a rounding with scale 2"
        )
    return int(exact)


def _by_subscriber(
    people: Subscribers, when: Moments, events: list[Event]
) -> list[tuple[list[int], list[Event]]]:
    """(days, events) of each subscriber; both in order of time."""
    bounds = np.searchsorted(when.subscriber, np.arange(len(people) + 1)).tolist()
    days = when.day.tolist()
    return [(days[a:b], events[a:b]) for a, b in itertools.pairwise(bounds)]


def _events(
    province: Province,
    service: str,
    when: Moments,
    key: np.ndarray,
    facts: Sequence,
    quantity: np.ndarray,
) -> list[Event]:
    """Events of one service.

    `facts` are direction, roaming, toll, dial, in_group and message_kind. Each is one value for all
    events, or (names, the place of each event's name).
    """
    count = len(when)
    midnight = int(np.datetime64(province.first, "s").astype(np.int64)) - UTC_OFFSET_S
    at = midnight + when.day * DAY_SECONDS + when.second
    dates = np.array([province.day(n) for n in range(province.days)], dtype=object)
    types = np.array(province.day_types, dtype=object)
    named = [
        np.array(fact[0], dtype=object)[fact[1]].tolist()
        if isinstance(fact, tuple)
        else [fact] * count
        for fact in facts
    ]
    columns = [
        key.tolist(),
        [service] * count,
        *named,
        at.tolist(),
        dates[when.day].tolist(),
        when.second.tolist(),
        types[when.day].tolist(),
        quantity.tolist(),
    ]
    return list(map(Event._make, zip(*columns, strict=True)))


def _voice_events(
    province: Province, calls: Calls, places: np.ndarray
) -> tuple[Moments, list[Event]]:
    """Moments and events of the calls at these places."""
    when = calls.when.take(places)
    facts = (
        (DIRECTIONS, calls.direction[places]),
        (ROAMING, calls.roaming[places]),
        (TOLLS, calls.toll[places]),
        (DIALS, calls.dial[places]),
        False,
        None,
    )
    return when, _events(province, "voice", when, places, facts, calls.duration[places])


def _sms_events(province: Province, messages: Messages) -> tuple[Moments, list[Event]]:
    """Moments and events of the SMS sent; received ones are free."""
    places = np.nonzero((messages.service == 0) & (messages.direction == 0))[0]
    when = messages.when.take(places)
    facts = (
        "mo",
        (ROAMING, messages.roaming[places]),
        None,
        None,
        None,
        (("p2p", "sp"), messages.kind[places]),
    )
    return when, _events(province, "sms", when, places, facts, np.ones(len(places), np.int64))


def _data_events(province: Province, sessions: Sessions) -> tuple[Moments, list[Event]]:
    places = np.arange(len(sessions))
    facts = (None, (ROAMING, sessions.roaming), None, None, None, None)
    volume = sessions.up + sessions.down
    return sessions.when, _events(province, "data", sessions.when, places, facts, volume)
