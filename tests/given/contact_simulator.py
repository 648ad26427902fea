"""A world of customers, channels and reports, day by day, that judges contacts by the minute.

Plain Python that shares nothing with the code that it judges. Time is in minutes since the first
day. A contact is (class, way, channel, first, end): made in `first` (then `end` is `first`), or
reserved for some moment in [first, end).
"""

import random
from dataclasses import dataclass, field

DAY = 1440
NIGHTS = 120
WAY = {"sms": "intrusive", "hotline": "intrusive", "web": "pull"}
HOURS = {"sms": (540, 1200), "hotline": (540, 1200), "web": (0, 1440)}
# A list is worked from this minute of the next day, for so long; reports come within so long.
LISTS = {"sms": (600, 600, 2 * DAY), "hotline": (540, 3 * DAY, DAY), "web": (0, 5 * DAY, 2 * DAY)}
LIMITED, COUNTS = {"marketing", "survey"}, {"care", "marketing"}
# (name, limit, window in minutes; None: a calendar day, whether the cap is about it)
CAPS = (
    ("message", 2, 72 * 60, lambda way, channel: channel == "sms"),
    ("call", 2, 30 * DAY, lambda way, channel: channel == "hotline"),
    ("interruption", 1, DAY, lambda way, channel: way == "intrusive"),
    ("week", 4, 7 * DAY, lambda way, channel: True),
    ("prompt", 1, None, lambda way, channel: way == "pull"),
    ("month", 9, 30 * DAY, lambda way, channel: True),
)


def possible_in(contact, cap, moment) -> bool:
    """Whether the window that ends with `moment` may hold the contact."""
    *_, first, end = contact
    _, _, window, _ = cap
    if window is None:
        last = end - 1 if end > first else first
        return first // DAY <= moment // DAY <= last // DAY
    return first <= moment and end > moment - window


def full_caps(contacts, candidate) -> set[str]:
    """The caps that the candidate may break in some window."""
    class_, way, channel, first, end = candidate
    broken = set()
    for cap in CAPS if class_ in LIMITED else ():
        name, limit, window, is_about = cap
        if not is_about(way, channel):
            continue
        others = [one for one in contacts if one[0] in COUNTS and is_about(one[1], one[2])]
        edges = {one[3] for one in (*others, candidate)} | {one[4] for one in (*others, candidate)}
        moments = {edge + more for edge in edges for more in (-1, 0, 1)}
        moments |= {first + (window or 0) - 1, end + (window or 0) - 1}
        moments |= set(range(first // DAY * DAY, end + DAY, DAY))
        for moment in moments:
            if possible_in(candidate, cap, moment) and limit < 1 + sum(
                possible_in(one, cap, moment) for one in others
            ):
                broken.add(name)
    return broken


@dataclass
class Push:
    """A pushed contact: its night, its campaign, when it was made (None: never), when told."""

    night: int
    subscriber: int
    channel: str
    campaign: str
    made: int | None = None
    told: list[tuple[int, bool]] = field(default_factory=list)  # (day, by the log of the channel)
    honest: bool = True

    @property
    def first(self) -> int:
        return (self.night + 1) * DAY + LISTS[self.channel][0]

    @property
    def end(self) -> int:
        return self.first + LISTS[self.channel][1]

    @property
    def last_day(self) -> int:
        """The night on which the reservation ends if nothing is heard of it."""
        return (self.end + LISTS[self.channel][2] - 1) // DAY

    def known(self, night: int) -> tuple | None:
        """The contact as the night knows it; None: no contact and no reservation."""
        told = min((day for day, _ in self.told), default=None)
        if told is not None and told <= night:
            return ("marketing", WAY[self.channel], self.channel, self.made, self.made)
        if self.night < night < self.last_day:
            return ("marketing", WAY[self.channel], self.channel, self.first, self.end)
        return None


@dataclass
class Customer:
    """One person with two numbers; `other` contacts are made by systems that we do not steer."""

    id: int
    pushes: list[Push] = field(default_factory=list)
    other: list[tuple[str, str, int, int]] = field(default_factory=list)

    def known(self, night: int) -> list[tuple]:
        """What the night knows: contacts that it was told, and open reservations."""
        found = [one.known(night) for one in self.pushes]
        found += [
            (class_, WAY[channel], channel, at, at)
            for class_, channel, at, told in self.other
            if told <= night
        ]
        return [one for one in found if one is not None and one[4] > (night - 45) * DAY]


def live(customer: Customer, chance: random.Random, ask) -> None:
    """120 days of a customer. `ask(customer, night, candidate, full)`: of each night's candidate.

    `full`: the caps without a slot, as judged here. A candidate is pushed if there is none.
    """
    for night in range(NIGHTS):
        channel = chance.choice(list(WAY))
        class_ = chance.choice(("marketing", "marketing", "marketing", "survey", "care"))
        push = Push(night, chance.randrange(2), channel, f"c{night}")
        candidate = (class_, WAY[channel], channel, push.first, push.end)
        full = full_caps(customer.known(night), candidate)
        ask(customer, night, candidate, full)
        if not full and class_ == "marketing" and chance.random() < 0.5:
            _work(push, chance)
            customer.pushes.append(push)
        if chance.random() < 0.15:
            minute = chance.choice((0, 1, 539, 540, 600, 1199, 1439, chance.randrange(DAY)))
            at = (night + 1) * DAY + minute
            told = at // DAY + chance.choice((0, 0, 0, 1, 4))
            kind = chance.choice(("care", "marketing", "service"))
            customer.other.append((kind, chance.choice(list(WAY)), at, told))


def _work(push: Push, chance: random.Random) -> None:
    """The channel works the list, or never does; reports come in time, late, twice or never."""
    fate = chance.random()
    if fate < 0.2:
        return
    push.made = chance.choice((push.first, push.end - 1, chance.randrange(push.first, push.end)))
    day = push.made // DAY
    if fate < 0.3:  # nothing is ever heard of it
        push.honest = False
        return
    in_time = push.last_day - day
    delay = chance.randrange(in_time + 1) if fate < 0.9 else in_time + chance.randrange(1, 6)
    push.honest = delay <= in_time
    push.told.append((day + delay, chance.random() < 0.5))
    if chance.random() < 0.4:  # told twice, by the other system too
        push.told.append((day + delay + chance.randrange(3), not push.told[0][1]))


def violations(customer: Customer) -> list[tuple[str, Push]]:
    """Our contacts that were one too many, of those of which the channel told us in time.

    The contacts of other systems count if the night of the push had been told of them.
    """
    found = []
    for push in customer.pushes:
        if push.made is None or not push.honest:
            continue
        mine = ("marketing", WAY[push.channel], push.channel, push.made, push.made)
        others = [
            ("marketing", WAY[one.channel], one.channel, one.made, one.made)
            for one in customer.pushes
            if one is not push and one.made is not None and one.honest
        ]
        others += [
            (class_, WAY[channel], channel, at, at)
            for class_, channel, at, told in customer.other
            if told <= push.night and class_ in COUNTS
        ]
        for cap in CAPS:
            name, limit, _, is_about = cap
            counted = [one for one in (mine, *others) if is_about(one[1], one[2])]
            held = sum(possible_in(one, cap, push.made) and one[3] <= push.made for one in counted)
            if is_about(mine[1], mine[2]) and held > limit:
                found.append((name, push))
    return found
