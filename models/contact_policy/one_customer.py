"""The rules of the contact policy for one customer, in plain Python: for questions and proofs.

The same rules as `rules`, without Spark: an answer takes milliseconds. All instants are local
seconds (compiled.local_second).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.contact_policy.compiled import CODES, DAY, Cap, Compiled, Hours, Rest

Spans = Mapping[str, Sequence[tuple[int, int]]]  # by cap: what the contacts that count cover


@dataclass(frozen=True)
class Contact:
    """A contact that was made, or a reserved one that may be made in [at, until).

    `until` equals `at` for a contact that was made.
    """

    class_: str
    way: str
    channel: str
    at: int
    until: int
    campaign: str | None = None
    offer: str | None = None
    made: bool = True


@dataclass(frozen=True)
class Candidate:
    """A contact that is being decided on; it may be made in [at, until)."""

    class_: str
    channel: str
    at: int
    until: int
    campaign: str
    offer: str


@dataclass(frozen=True)
class Closed:
    """An entry of the do-not-contact list, valid in [since, until); None: all, or no end."""

    channel: str | None
    class_: str | None
    since: int
    until: int | None = None


@dataclass(frozen=True)
class Consent:
    """What the customer said about a class, valid in [since, until)."""

    class_: str
    granted: bool
    since: int
    until: int | None = None


@dataclass(frozen=True)
class Person:
    """What the policy knows about one customer: all numbers and accounts together."""

    contacts: Sequence[Contact] = ()
    outcomes: Sequence[tuple[str, int]] = ()
    closed: Sequence[Closed] = ()
    consent: Sequence[Consent] = ()
    sensitive: bool = False
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Room:
    """The slots that a cap leaves, and when the next one opens; None: never.

    `used`: the contacts of the fullest `window` that may also hold the candidate: those after its
    first instant, up to its last one. A calendar day is [first, last).
    """

    cap: str
    left: int
    opens_at: int | None
    used: int
    window: tuple[int, int]


@dataclass(frozen=True)
class Verdict:
    """`reasons`: the codes of all broken rules. `slots`: what the caps and the night leave.

    `retry_at`: the first instant in the channel's hours at which every cap has room; None: never.
    """

    reasons: tuple[str, ...]
    slots: int
    room: tuple[Room, ...]
    retry_at: int | None


def judged(person: Person, candidate: Candidate, policy: Compiled) -> Verdict:
    """The rules that the candidate breaks, the slots left and when the next one opens."""
    way = policy.ways[candidate.channel]
    limited = policy.limited.of(candidate.class_, way, candidate.channel)
    caps = [cap for cap in policy.caps if cap.bit & limited]
    used = {
        cap.name: [
            covered(cap, one.at, one.until)
            for one in person.contacts
            if policy.counted.of(one.class_, one.way, one.channel) & cap.bit
        ]
        for cap in caps
    }
    length = candidate.until - candidate.at
    room = tuple(_room(cap, used, candidate.at, length) for cap in caps)
    retry_at = _first(caps, used, policy.hours[candidate.channel], candidate.at, length)
    broken = {cap.code for cap, one in zip(caps, room, strict=True) if not one.left}
    broken |= {code for code, is_broken in _rules(person, candidate, policy) if is_broken}
    return Verdict(
        tuple(code for code in CODES if code in broken),
        min([policy.a_night[way], *(one.left for one in room)]),
        room,
        retry_at,
    )


def covered(cap: Cap, at: int, until: int) -> tuple[int, int]:
    """The instants whose window may hold a contact that is made in [at, until)."""
    if cap.window is None:
        last = max(at, until - 1)
        return at - at % DAY, last - last % DAY + DAY
    return at, until + cap.window


def fullest(spans: Sequence[tuple[int, int]], cap: Cap, at: int, length: int) -> tuple[int, int]:
    """(contacts, its last instant) of the fullest window that may also hold [at, at + length)."""
    begin, end = covered(cap, at, at + length)
    instants = [begin, *(first for first, _ in spans if begin < first < end)]
    used, last = max((sum(first <= one < last for first, last in spans), -one) for one in instants)
    return used, -last


def _room(cap: Cap, used: Spans, at: int, length: int) -> Room:
    most, last = fullest(used[cap.name], cap, at, length)
    window = (last - last % DAY, last - last % DAY + DAY)
    return Room(
        cap.name,
        max(0, cap.limit - most),
        _first([cap], used, Hours(), at, length),
        most,
        window if cap.window is None else (last - cap.window, last),
    )


def _first(caps: Sequence[Cap], used: Spans, hours: Hours, at: int, length: int) -> int | None:
    """The first instant from `at` on, within the hours, at which all of the caps have room.

    Room begins only where a contact leaves its window, or when the channel opens after that.
    """
    ends = [end for cap in caps for _, end in used[cap.name]]
    instants = sorted({hours.next(one) for one in (at, *ends) if one >= at})
    return next(
        (
            one
            for one in instants
            if all(fullest(used[cap.name], cap, one, length)[0] < cap.limit for cap in caps)
        ),
        None,
    )


def _rules(person: Person, candidate: Candidate, policy: Compiled) -> Iterator[tuple[str, bool]]:
    """(code, whether it is broken) of each rule that is no cap."""
    at, class_, channel = candidate.at, candidate.class_, candidate.channel
    last = max(at, candidate.until - 1)
    said = [
        one.granted
        for one in person.consent
        if one.class_ == class_ and one.since <= at and (one.until is None or at < one.until)
    ]
    yield "CONSENT", not (all(said) if said else policy.consent[class_])
    for entry in person.closed:
        is_now = entry.since <= last and (entry.until is None or at < entry.until)
        names = (None, channel, policy.known_as.get(channel))
        is_meant = entry.channel in names and entry.class_ in (None, class_)
        yield "CONSENT", is_now and is_meant
    yield "SENSITIVE", person.sensitive
    for level in policy.levels:
        yield (
            "SENSITIVE",
            (
                person.levels.get(level.fact) in level.levels
                and class_ in level.classes
                and (not level.channels or channel in level.channels)
            ),
        )
    for rest in policy.rests:
        yield "SUPPRESSED", class_ in rest.classes and _rests(person, rest, at)
    yield "CONFLICT", _conflicts(person, candidate, policy)
    yield "QUIET", policy.hours[channel].next(at) != at


def _rests(person: Person, rest: Rest, at: int) -> bool:
    """Whether the last of `times` outcomes within the duration began a rest that holds `at`."""
    moments = sorted(when for outcome, when in person.outcomes if outcome == rest.outcome)
    return any(
        moments[place] - moments[place - rest.times + 1] < rest.within
        and moments[place] <= at < moments[place] + rest.rest
        for place in range(rest.times - 1, len(moments))
    )


def _conflicts(person: Person, candidate: Candidate, policy: Compiled) -> bool:
    own, last = candidate.campaign, max(candidate.at, candidate.until - 1)
    for family in policy.families:
        if own in family.campaigns and any(
            one.campaign in family.campaigns
            and (one.campaign != own or one.offer not in (None, candidate.offer))
            and one.at - family.apart < last
            and candidate.at < one.until + family.apart
            for one in person.contacts
        ):
            return True
    had = {one.campaign for one in person.contacts}
    made = {one.campaign for one in person.contacts if one.made and one.at <= candidate.at}
    return any(own in names and (had & set(names)) - {own} for names in policy.exclusive) or any(
        own == then and first not in made for first, then in policy.sequences
    )
