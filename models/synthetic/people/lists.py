"""Lists of the synthetic province: group members, objections, sensitive numbers, all numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.synthetic.contact.outlets import OUTLETS
from models.synthetic.people.crm import customer_id, subscriber_id
from models.synthetic.people.people import Customers, Subscribers
from models.synthetic.province import (
    AREA_CODES,
    LINES_PER_CUSTOMER,
    NEVER,
    Province,
    moment,
    month_before,
)
from models.synthetic.rows import Rows, table

LIST_DAY, STOCK_DAY = 1, 2  # days of the month on which the lists and the numbers are delivered
MEMBER_COLUMNS = (
    "stat_month",
    "group_id",
    "user_id",
    "member_type",
    "short_no",
    "contact_flag",
    "manager_id",
    "income",
)
OBJECTION_COLUMNS = (
    "serial_number",
    "channel",
    "campaign_type",
    "reason",
    "enter_time",
    "exit_time",
    "change_time",
)
SENSITIVE_COLUMNS = ("list_month", "serial_number", "class_code")
NUMBER_COLUMNS = (
    "stat_month",
    "serial_number",
    "state_code",
    "outlet_id",
    "issue_time",
    "active_time",
    "area_code",
    "first_area",
)
STATES = {"stock": "0", "issued": "1", "sold": "2", "activated": "3", "active": "4", "churned": "5"}
NO_MESSAGES_SHARE, REGRET_SHARE, SENSITIVE_SHARE = 0.02, 0.3, 0.01
CROSS_REGION_SHARE = 0.02
ISSUED_BEFORE, FRESH = 20, 30  # days from issue to sale; days until a new number is active
OPENS = 10 * 3600
OPEN_TIME = "20991231235959"


def member_rows(province: Province, chunk: int, owners: Customers, people: Subscribers) -> Rows:
    """Members at the end of the month before: of VPMN groups, and lines of group customers."""
    rng = province.rng(chunk, "members")
    income = rng.gamma(2.0, 40_000, len(people)).astype(np.int64) // 10 * 10
    records = []
    for day in province.days_of_month(LIST_DAY):
        contacts: set[str] = set()
        for place in np.nonzero((people.joined < day) & (people.left >= day))[0].tolist():
            vpmn, owner = int(people.vpmn[place]), int(people.owner[place])
            if vpmn >= 0:
                group, kind, short = f"G{chunk:05d}{vpmn:03d}", "V", str(people.short[place])
            elif owners.group[owner]:
                group, kind, short = f"K{customer_id(owners.no[owner])}", "S", ""
            else:
                continue
            line = int(people.line[place])
            records.append(
                (
                    day,
                    line,
                    month_before(province.day(day)),
                    group,
                    subscriber_id(line),
                    kind,
                    short,
                    str(int(group not in contacts)),
                    f"J{1_000 + chunk % 60}",
                    str(income[place]),
                )
            )
            contacts.add(group)
    return table(MEMBER_COLUMNS, records)


def objection_rows(province: Province, chunk: int, people: Subscribers) -> Rows:
    """Subscribers who object to all contacts or to messages, and some withdrawn objections.

    An objection to all contacts is listed on the first day or on the day of joining.
    """
    rng = province.rng(chunk, "objections")
    records = []
    draws = rng.random((len(people), 2))
    days = rng.integers(0, province.days, (len(people), 2))
    for place, line in enumerate(people.line.tolist()):
        joined, left = int(people.joined[place]), int(people.left[place])
        if people.do_not_disturb[place]:
            listed, closed = max(joined, 0), ("", "", "1")
        elif draws[place, 0] < NO_MESSAGES_SHARE:
            listed, closed = max(joined, int(days[place, 0])), ("短信", "资费", "2")
        else:
            continue
        if not listed < min(left, province.days):
            continue
        number = str(people.number_at(np.array([place]), np.array([listed]))[0])
        since = moment(province, listed if listed else -30, OPENS)
        records.append((listed, line, number, *closed, since, OPEN_TIME, since))
        regret = int(days[place, 1])
        if draws[place, 1] < REGRET_SHARE and listed < regret < left:
            until = moment(province, regret, OPENS)
            records.append((regret, line, number, *closed, since, until, until))
    return table(OBJECTION_COLUMNS, records)


def sensitive_rows(province: Province, chunk: int, people: Subscribers) -> Rows:
    """Sensitive numbers (public bodies, media and so on): a whole list each month."""
    rng = province.rng(chunk, "sensitive")
    chosen = rng.random(len(people)) < SENSITIVE_SHARE
    code = rng.integers(1, 6, len(people))
    records = []
    for day in province.days_of_month(LIST_DAY):
        held = chosen & (people.joined < day) & (people.left >= day)
        for place in np.nonzero(held)[0].tolist():
            number = people.number_at(np.array([place]), np.array([day]))[0]
            records.append(
                (
                    day,
                    int(people.line[place]),
                    f"{province.day(day):%Y%m}",
                    str(number),
                    str(code[place]),
                )
            )
    return table(SENSITIVE_COLUMNS, records)


def number_rows(province: Province, chunk: int, owners: Customers, people: Subscribers) -> Rows:
    """Every number of the chunk's people at the end of the month before, and some in stock.

    For each customer without a second line, one number is in stock. Each number has one state.
    """
    rng = province.rng(chunk, "numbers")
    elsewhere = np.where(rng.random(len(people)) < CROSS_REGION_SHARE, 1, 0)
    records = []
    for day in province.days_of_month(STOCK_DAY):
        month, end = month_before(province.day(day)), day - STOCK_DAY
        for place, line in enumerate(people.line.tolist()):
            city = int(owners.city[people.owner[place]])
            areas = (AREA_CODES[city], AREA_CODES[(city + int(elsewhere[place])) % len(AREA_CODES)])
            for number, state, since in _states(people, place, end):
                records.append(
                    (
                        day,
                        line,
                        month,
                        str(number),
                        STATES[state],
                        *_history(province, line, state, since, areas),
                    )
                )
        stock = np.setdiff1d(province.customers_of(chunk) * LINES_PER_CUSTOMER + 1, people.line)
        for line, number in zip(stock.tolist(), province.msisdn(stock).tolist(), strict=True):
            records.append(
                (
                    day,
                    line,
                    month,
                    str(number),
                    STATES["stock"],
                    "",
                    "",
                    "",
                    AREA_CODES[line % len(AREA_CODES)],
                    "",
                )
            )
    return table(NUMBER_COLUMNS, records)


def _states(people: Subscribers, place: int, end: int) -> Iterator[tuple[int, str, int]]:
    """(number, state, day of activation) of the numbers of one subscriber at the end of a day.

    A recycled number is listed once: with the former holder until the new one joins.
    """
    joined, left = int(people.joined[place]), int(people.left[place])
    changed = int(people.renumbered[place])
    taken = np.nonzero(people.recycled_from == place)[0]
    before = int(people.recycled_from[place])
    passed_on = len(taken) and people.joined[taken[0]] <= end
    if not passed_on and not (before >= 0 and joined > end):
        yield people.msisdn[place], _state(people, place, min(left, changed), end), joined
    if changed != NEVER:
        state = "stock" if changed > end else "churned" if left <= end else "active"
        yield people.new_msisdn[place], state, changed


def _state(people: Subscribers, place: int, until: int, end: int) -> str:
    joined = int(people.joined[place])
    if joined > end:  # not sold yet: in stock, or issued to an outlet
        return "stock" if joined > end + ISSUED_BEFORE else "issued"
    if until <= end:
        return "churned"
    if not people.activated[place]:
        return "sold"
    return "activated" if end - joined < FRESH else "active"


def _history(
    province: Province, line: int, state: str, since: int, areas: tuple[str, str]
) -> tuple[str, str, str, str, str]:
    """Outlet, issue time, activation time, area of the number, area of the first use."""
    if state == "stock":
        return "", "", "", areas[0], ""
    outlet = OUTLETS[line % len(OUTLETS)].no
    issued = moment(province, since - ISSUED_BEFORE, OPENS)
    if state in ("issued", "sold"):
        return outlet, issued, "", areas[0], ""
    return outlet, issued, moment(province, since, OPENS), *areas
