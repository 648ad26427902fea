"""Contacts of the synthetic province's customers over ten channels, with a planted preference.

Each customer has a true distribution over the channels with one clear favourite. The customer's
enquiries, transactions and complaints follow it; none of them goes over the voice menu.
Two kinds of contact say nothing about the preference: queries (balance, bill) follow habits that
are the same for all customers, and the operator's own contacts (care, marketing) follow shares of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.synthetic.people.people import Subscribers
from models.synthetic.province import Province

CHANNELS = (
    "hall",
    "hotline",
    "sms",
    "web",
    "wap",
    "customer_manager",
    "ivr",
    "terminal",
    "designated_shop",
    "agent",
)
HALL, HOTLINE, SMS, WEB, WAP, MANAGER, IVR, TERMINAL, SHOP, AGENT = range(10)
KINDS = ("enquiry", "complaint", "transaction", "query", "care", "marketing")
ENQUIRY, COMPLAINT, TRANSACTION, QUERY, CARE, MARKETING = range(6)
COUNTED = (ENQUIRY, COMPLAINT, TRANSACTION)  # the kinds that show a preference
FAVOURITE_SHARES = (0.20, 0.27, 0.14, 0.13, 0.07, 0.07, 0.0, 0.04, 0.03, 0.05)
QUERY_SHARES = (0.05, 0.10, 0.36, 0.12, 0.12, 0.0, 0.20, 0.05, 0.0, 0.0)
OUTBOUND_SHARES = (0.0, 0.35, 0.45, 0.0, 0.0, 0.20, 0.0, 0.0, 0.0, 0.0)
FREQUENT_SHARE = 0.36  # customers with more than ten contacts
REFERENCE_DAYS = 123  # four months; a longer history holds proportionally more contacts
COMPLAINT_SHARE = 0.10
ABOUT_SHARES = (0.3, 0.2, 0.5)  # no channel named, the favourite, another channel
CODE_TYPES = {
    ENQUIRY: ("package", "vas", "data", "voice", "points", "account"),
    COMPLAINT: ("complaint",),
    TRANSACTION: ("payment", "package", "vas", "data", "account", "points", "voice"),
    QUERY: ("query",),
    CARE: ("care",),
    MARKETING: ("campaign",),
}


@dataclass(frozen=True)
class Contacts:
    """One entry per true contact, complaints included, in order of customer and kind.

    `subscriber` is the line over which it came. `channel` is a place of CHANNELS, `kind` of KINDS.
    `ticket` marks a complaint of the complaint file; all other contacts are in a channel's log.
    `about` is the channel that a complaint is about, or −1. `code` is a business code.
    """

    customer: np.ndarray
    subscriber: np.ndarray
    day: np.ndarray
    channel: np.ndarray
    kind: np.ndarray
    ticket: np.ndarray
    about: np.ndarray
    code: np.ndarray

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True)
class Preferences:
    """The truth: each customer's distribution over CHANNELS (rows add up to 1)."""

    shares: np.ndarray

    @property
    def favourite(self) -> np.ndarray:
        """The place of each customer's favourite in CHANNELS."""
        return self.shares.argmax(axis=1)


def preferences(province: Province, chunk: int, customers: int) -> Preferences:
    """A favourite with 50 to 80 percent of the contacts; the rest is random."""
    rng = province.rng(chunk, "preferences")
    favourite = rng.choice(len(CHANNELS), customers, p=FAVOURITE_SHARES)
    strength = rng.uniform(0.5, 0.8, customers)
    possible = np.nonzero(np.array(FAVOURITE_SHARES))[0]
    shares = np.zeros((customers, len(CHANNELS)))
    shares[:, possible] = rng.dirichlet(np.ones(len(possible)), customers)
    shares *= (1 - strength)[:, None]
    shares[np.arange(customers), favourite] += strength
    return Preferences(shares)


def contacts(province: Province, chunk: int, people: Subscribers, truth: Preferences) -> Contacts:
    """The true contacts of a chunk's customers, each on a day on which the line is active."""
    rng = province.rng(chunk, "contacts")
    scale = max(1.0, province.days / REFERENCE_DAYS)
    line, day = np.nonzero(people.active(np.arange(province.days)))
    lines_of = [np.nonzero(people.owner[line] == c)[0] for c in range(len(truth.shares))]
    columns: list[list] = [[] for _ in range(7)]
    for customer, possible in enumerate(lines_of):
        if not len(possible):
            continue
        channel, kind, ticket, about = _of_customer(rng, truth, customer, scale)
        chosen = possible[rng.integers(0, len(possible), len(kind))]
        kind[(kind == MARKETING) & people.do_not_disturb[line[chosen]]] = CARE
        values = (
            np.full(len(kind), customer),
            line[chosen],
            day[chosen],
            channel,
            kind,
            ticket,
            about,
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    none = np.zeros(0, dtype=np.int64)
    arrays = [np.concatenate(column) if column else none for column in columns]
    arrays.append(_codes(province, rng, arrays[4]))
    return Contacts(*arrays)


def _of_customer(
    rng: np.random.Generator, truth: Preferences, customer: int, scale: float
) -> tuple[np.ndarray, ...]:
    """Channel, kind, ticket and subject of all contacts of one customer."""
    shares = truth.shares[customer]
    if rng.random() < FREQUENT_SHARE:
        counted = 11 + rng.gamma(2.0, 6.0)
    else:
        counted = min(rng.poisson(4.0), 10)
    counted = int(counted * scale)
    channel = [rng.choice(len(CHANNELS), counted, p=shares)]
    kind = [np.where(rng.random(counted) < 0.6, TRANSACTION, ENQUIRY)]
    ticket, about = [np.zeros(counted, bool)], [np.full(counted, -1)]
    if counted and rng.random() < COMPLAINT_SHARE:
        kind[0][0] = COMPLAINT
        channel[0][0] = HALL if channel[0][0] == TERMINAL else channel[0][0]  # to a person
        ticket[0][0] = rng.random() < 0.8
        if ticket[0][0]:
            about[0][0] = _subject(rng, int(shares.argmax()))
    queries = np.full(rng.poisson(4.0 * scale), QUERY)
    outbound = rng.choice((CARE, MARKETING), rng.poisson(1.5 * scale))
    for others, chances in ((queries, QUERY_SHARES), (outbound, OUTBOUND_SHARES)):
        kind.append(others)
        channel.append(rng.choice(len(CHANNELS), len(others), p=chances))
        ticket.append(np.zeros(len(others), bool))
        about.append(np.full(len(others), -1))
    return tuple(np.concatenate(part) for part in (channel, kind, ticket, about))


def _subject(rng: np.random.Generator, favourite: int) -> int:
    """The channel that a complaint is about; −1 if the customer names none."""
    which = rng.choice(3, p=ABOUT_SHARES)
    if which == 0:
        return -1
    if which == 1:
        return favourite
    others = [place for place in np.nonzero(np.array(FAVOURITE_SHARES))[0] if place != favourite]
    return int(rng.choice(others))


def _codes(province: Province, rng: np.random.Generator, kind: np.ndarray) -> np.ndarray:
    """A business code for each contact, of a type that fits its kind."""
    codes = np.empty(len(kind), dtype=object)
    for number in range(len(KINDS)):
        fitting = sorted(
            code
            for code, service_type in province.services.items()
            if service_type in CODE_TYPES[number]
        )
        here = kind == number
        codes[here] = rng.choice(np.array(fitting or [""], dtype=object), here.sum())
    return codes
