"""Results of a campaign of the synthetic province: orders of packages, and feedback of targets.

Orders are package subscriptions that are credited to the campaign. Subscriber, package, day and
channel agree with the CRM's own file. Feedback has one row for each order, and rows for some of the
campaign's contacts without an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from models.synthetic.contact.contacts import HALL, MARKETING, Contacts
from models.synthetic.contact.log_rows import CAMPAIGN, clerk_of
from models.synthetic.contact.logs import CHANNEL_TEXTS
from models.synthetic.people.crm import second_of, subscriber_id
from models.synthetic.people.packages import Holding
from models.synthetic.people.people import Subscribers
from models.synthetic.province import Province, moment
from models.synthetic.rows import Rows, table

ORDER_COLUMNS = (
    "order_id",
    "campaign_id",
    "wave_no",
    "user_id",
    "product_code",
    "channel",
    "order_time",
    "state",
)
FEEDBACK_COLUMNS = (
    "feedback_id",
    "campaign_id",
    "wave_no",
    "user_id",
    "channel",
    "contact_time",
    "contact_flag",
    "view_flag",
    "accept_flag",
    "handle_flag",
    "order_id",
    "refuse_code",
    "clerk_id",
)
CREDITED_SHARE, CANCELLED_SHARE, REACHED_SHARE, REPORTED_SHARE = 0.4, 0.05, 0.7, 0.6


def order_rows(
    province: Province, chunk: int, people: Subscribers, holdings: Sequence[Holding]
) -> Rows:
    """The orders credited to the campaign; some are cancelled."""
    cancelled = province.rng(chunk, "cancelled").random(len(holdings)) < CANCELLED_SHARE
    records = []
    for place, holding in _credited(province, chunk, holdings):
        line = int(people.line[holding.subscriber])
        second = second_of(line, holding.ordered)
        records.append(
            (
                holding.ordered,
                second,
                _order_no(chunk, place),
                CAMPAIGN,
                _wave(place),
                subscriber_id(line),
                holding.package.upper(),
                holding.order_channel,
                moment(province, holding.ordered, second),
                "取消" if cancelled[place] else "有效",
            )
        )
    return table(ORDER_COLUMNS, records)


def feedback_rows(
    province: Province,
    chunk: int,
    people: Subscribers,
    holdings: Sequence[Holding],
    found: Contacts,
) -> Rows:
    """The answers of all customers who ordered, and of some who did not."""
    rng = province.rng(chunk, "feedback")
    records: list[tuple] = []

    def answer(day: int, second: int, line: int, channel: str, wave: str, rest: tuple) -> None:
        records.append(
            (
                day,
                second,
                f"F{(chunk + 1) * 1_000_000 + len(records)}",
                CAMPAIGN,
                wave,
                subscriber_id(line),
                channel,
                moment(province, day, second),
                *rest,
                clerk_of(line) if channel == CHANNEL_TEXTS[HALL] else "",
            )
        )

    for place, holding in _credited(province, chunk, holdings):
        line = int(people.line[holding.subscriber])
        answer(
            holding.ordered,
            second_of(line, holding.ordered),
            line,
            holding.order_channel,
            _wave(place),
            ("1", "1", "1", "1", _order_no(chunk, place), ""),
        )
    for place in np.nonzero(found.kind == MARKETING)[0].tolist():
        if rng.random() >= REPORTED_SHARE:
            continue
        reached, line = rng.random() < REACHED_SHARE, int(people.line[found.subscriber[place]])
        refusal = str(rng.integers(1, 6)) if reached else ""
        answer(
            int(found.day[place]),
            int(rng.integers(9 * 3600, 20 * 3600)),
            line,
            CHANNEL_TEXTS[found.channel[place]],
            "1",
            (str(int(reached)), "1" if reached else "", "0" if reached else "", "0", "", refusal),
        )
    return table(FEEDBACK_COLUMNS, records)


def _credited(
    province: Province, chunk: int, holdings: Sequence[Holding]
) -> Iterator[tuple[int, Holding]]:
    """(place, holding) of the orders within the history that are credited to the campaign."""
    drawn = province.rng(chunk, "credited").random(len(holdings))
    for place, holding in enumerate(holdings):
        if 0 <= holding.ordered < province.days and drawn[place] < CREDITED_SHARE:
            yield place, holding


def _order_no(chunk: int, place: int) -> str:
    return f"B{(chunk + 1) * 1_000_000 + place}"


def _wave(place: int) -> str:
    return str(1 + place % 2)
