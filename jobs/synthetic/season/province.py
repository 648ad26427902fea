"""The people of a season between two nights: they answer, and the sources deliver what follows.

Only the pushed files tell them what a night decided. What follows is added to the deliveries of the
day after the night: contacts, feedback, receipts, orders, packages, complaints, objections, and the
bills of a month in which packages changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from jobs.synthetic import receipts
from jobs.synthetic.season import additions, pushed_files
from models.synthetic import chunk
from models.synthetic.billing.bills import Rates
from models.synthetic.billing.statements import bill_rows, item_rows
from models.synthetic.chunk import Life
from models.synthetic.defects import plant
from models.synthetic.people.crm import customer_id, package_rows, subscriber_id
from models.synthetic.people.packages import KINDS, Holding
from models.synthetic.province import BILL_DAY, NEVER, Province
from models.synthetic.rows import Rows, files
from models.synthetic.season import answers, rows
from models.synthetic.season.answers import Memory, Push, Touch
from models.synthetic.season.planted import planted
from schemas.config import Config, Source
from schemas.window import add_months, month_of


@dataclass
class Person:
    """Where a subscriber stands: the chunk's life and the place in it."""

    chunk: int
    place: int


@dataclass
class Season:
    """The province during its season.

    `uplift`: a factor of what contacts cause.
    `first`, `until`: the first and the last day on which customers answer, or act by themselves.
    """

    province: Province
    conf: Config
    uplift: float
    first: date
    until: date
    landing: Path
    push: Path
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self.planted = planted(self.conf.campaigns, self.province.seed, self.uplift)
        self.lives = [chunk.live(self.province, n) for n in range(self.province.chunks)]
        self.undisturbed = [life.holdings for life in self.lives]  # without any contact
        self.people = {
            subscriber_id(int(line)): Person(number, place)
            for number, life in enumerate(self.lives)
            for place, line in enumerate(life.people.line.tolist())
        }
        self.rates = Rates(self.province)
        self.waiting: dict[date, list[Push]] = defaultdict(list)
        self.pushes: list[Push] = []
        self.touches: list[Touch] = []
        self._numbers: dict[date, dict[str, str]] = {}  # by day: subscriber → number
        self._holders: dict[date, dict[str, str]] = {}  # by day: number → subscriber
        self.changed = False
        self.offers = {
            one.id: tuple(one.offers) for one in self.conf.campaigns.values() if one.offers
        }

    def answer(self, night: date) -> int:
        """Answer the files of a night on the day after it; how many contacts there were."""
        day = night + timedelta(days=1)
        receipts.answer(self.push, self.landing, self.conf.sources, night, self.province.seed)
        for push in pushed_files.pushes(self.push, self.conf.channels.values(), night):
            self.pushes.append(push)
            self.waiting[answers.due(push, self.planted)].append(push)
        numbers, holders = self._numbers_on(day), self._holders_on(day)
        truth, memory = self.planted, self.memory
        touched = [
            self._possible(one, day)
            for one in answers.touches(day, self.waiting.pop(day, []), holders, truth, memory)
        ]
        natural = answers.natural_orders(
            day, self.first, sorted(numbers), self.offers, truth, memory
        )
        made = rows.lines(
            touched,
            natural,
            numbers,
            {
                name: "care" if one.type == "care" else "sale"
                for name, one in self.conf.campaigns.items()
            },
            self._words(),
            self.province.packages,
            truth,
        )
        for name, cells in made.items():
            source = self.conf.sources[name]
            additions.add(self.landing, source, day, [additions.line(source, one) for one in cells])
        self._subscribe([one for one in touched if one.accepted], day)
        if day.day == BILL_DAY and self.changed:
            self._bill(day)
        self.touches += touched
        return sum(one.reached for one in touched)

    def holder(self, push: Push) -> str | None:
        """The subscriber who held the number of a pushed row on the day after the push."""
        return self._holders_on(push.pushed + timedelta(days=1)).get(push.msisdn)

    def customer(self, subscriber: str) -> str:
        """The customer of a subscriber."""
        person = self.people[subscriber]
        life = self.lives[person.chunk]
        return customer_id(int(life.owners.no[life.people.owner[person.place]]))

    def natural_in(self, campaign: str, who: str, since: date, days: int) -> bool:
        """Whether a subscriber would have ordered within the days without any contact."""
        if campaign in self.offers:
            day = self.planted.natural_day(campaign, who, self.first)
            return day is not None and since <= day < since + timedelta(days=days)
        person = self.people[who]
        return any(
            since <= self.province.day(one.ordered) < since + timedelta(days=days)
            for one in self.undisturbed[person.chunk]
            if one.subscriber == person.place and one.ordered < self.province.days
        )

    def _words(self) -> dict[str, str]:
        """The word of the feedback file for each channel that it knows."""
        codes = self.conf.sources["campaign_feedback"].codes["channel"]
        return {str(channel): word for word, channel in codes.items()}

    def active(self, who: str, day: date) -> bool:
        """Whether a subscriber is active on a day, so that he can order."""
        return who in self._numbers_on(day)

    def numbers(self, day: date) -> Iterator[tuple[str, str]]:
        """Each active subscriber and the number held on the day."""
        number = self.province.number_of(day)
        for life in self.lives:
            active = life.people.active(np.array([number]))[:, 0]
            held = life.people.number_at(np.arange(len(life.people)), np.array(number))
            for place in np.nonzero(active)[0].tolist():
                yield subscriber_id(int(life.people.line[place])), str(held[place])

    def _numbers_on(self, day: date) -> dict[str, str]:
        if day not in self._numbers:
            self._numbers[day] = dict(self.numbers(day))
        return self._numbers[day]

    def _holders_on(self, day: date) -> dict[str, str]:
        if day not in self._holders:
            held = self._numbers_on(day)
            self._holders[day] = {number: who for who, number in held.items()}
        return self._holders[day]

    def _possible(self, one: Touch, day: date) -> Touch:
        """The contact; who has decided on other packages already, does not take those offered."""
        if not one.accepted or one.push.campaign in self.offers:
            return one
        today = self.province.number_of(day)
        wanted = self._kinds(one.push.offer)
        decided = any(
            held.kind in wanted and (held.ordered > today or held.start > today or held.end < NEVER)
            for held in self._held(one.subscriber)
            if held.end > today
        )
        if wanted and not decided:
            return one
        self.memory.orders.pop((one.push.campaign, one.subscriber), None)
        self.memory.accepted.pop((one.push.campaign, one.subscriber), None)
        return replace(one, accepted=False)

    def _kinds(self, offer: str) -> dict[str, str | None]:
        """By kind, the package of an offer to subscribe to; None: the standard price is enough.

        Empty where the province does not bill one of the packages.
        """
        found: dict[str, str | None] = {}
        for package in offer.split("+"):
            document = self.province.packages.get(package)
            if document is None:
                return {}
            kind = document.get("kind")
            if package in self.province.defaults.values():
                if kind in KINDS:
                    found[kind] = None
            elif kind in KINDS:
                found[kind] = package
            else:
                return {}
        return found

    def _held(self, who: str) -> list[Holding]:
        person = self.people[who]
        return [one for one in self.lives[person.chunk].holdings if one.subscriber == person.place]

    def _subscribe(self, accepted: Sequence[Touch], day: date) -> None:
        """From the first of the next month on, who accepted has the packages that were offered."""
        ordered = self.province.number_of(day)
        start = self.province.number_of(add_months(month_of(day), 1))
        words = self._words()
        for one in accepted:
            if one.push.campaign in self.offers:
                continue
            person = self.people[one.subscriber]
            life = self.lives[person.chunk]
            channel = words.get(rows.LOGGED.get(one.push.channel, one.push.channel), "热线")
            kept, changed = [], []
            wanted = self._kinds(one.push.offer)
            for held in life.holdings:
                same = held.subscriber == person.place and held.kind in wanted
                if same and held.end > start and held.package != wanted[held.kind]:
                    held = replace(held, end=start, cancelled=ordered)
                    changed.append(held)
                elif same and held.end > start:
                    wanted = {kind: name for kind, name in wanted.items() if kind != held.kind}
                kept.append(held)
            begun = [
                Holding(person.place, kind, package, start, NEVER, ordered, NEVER, channel)
                for kind, package in wanted.items()
                if package is not None
            ]
            self.lives[person.chunk] = replace(life, holdings=[*kept, *begun])
            self._deliver(life, [*changed, *begun], day)
            self.changed = True

    def _deliver(self, life: Life, changed: Sequence[Holding], day: date) -> None:
        source = self.conf.sources["package_subscription"]
        lines = self._lines(source, package_rows(self.province, life.people, changed), day)
        additions.add(self.landing, source, day, lines)

    def _bill(self, day: date) -> None:
        """The bills of the month before, of what customers hold now."""
        found: dict[str, list[str]] = {"bill": [], "bill_item": []}
        for place, life in enumerate(self.lives):
            bills = chunk.bill(self.province, life, self.rates).bills
            for name, made in (("bill", bill_rows), ("bill_item", item_rows)):
                delivered = made(self.province, place, life.people, bills)
                delivered = plant(self.province, place, name, delivered)
                found[name] += self._lines(self.conf.sources[name], delivered, day)
        for name, lines in found.items():
            additions.replace(self.landing, self.conf.sources[name], day, lines)

    def _lines(self, source: Source, made: Rows, day: date) -> list[str]:
        """The lines of the rows that are delivered on the day."""
        today = made.take(np.nonzero(made.day == self.province.number_of(day))[0])
        form = source.format
        written = files(today.sorted(), form.delimiter or "", form.quote)
        return [line for _, _, lines in written for line in lines]
