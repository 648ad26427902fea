"""Visits to the sites and to the palm hall of the synthetic province, page by page.

The last page of a visit is the page of its business; up to two pages lead to it. Some visitors of
the sites log in on the way, so the first page has no number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.synthetic.contact.log_rows import KIND_DIGITS, KIND_TEXTS, Log
from models.synthetic.province import clock_texts
from models.synthetic.rows import PLAIN, Rows, mark_no, stack

SITES = np.array(["portal", "portal", "portal", "monternet", "mail139", "fetion"], dtype=object)
PAGES = np.array(["话费查询,余额", "套餐办理", "业务介绍", "积分商城,兑换"], dtype=object)
ON_THE_WAY = ("首页", "我的移动")
PHONES = np.array(["Nokia6120c", "MOTO-E6", "SonyEricssonK790", "Lenovo-P960"], dtype=object)
LATE_LOGIN_SHARE, LONGEST_STAY = 0.25, 600


def web_views(log: Log) -> Rows:
    """Pages of the sites."""
    dates = np.array(
        [log.province.day(n).isoformat() for n in range(log.province.days)], dtype=object
    )
    site = SITES[log.rng.integers(0, len(SITES), log.count)]
    pushed = np.where(log.rng.random(log.count) < 0.05, "TJ" + log.id, "")
    unknown = log.rng.random(log.count) < LATE_LOGIN_SHARE

    def page(visit: _Visit) -> Rows:
        hidden = unknown & ~visit.last & (visit.number == 1)
        clock = clock_texts(visit.second).tolist()
        at = dates[log.day] + np.array([f" {t[:2]}:{t[2:4]}:{t[4:]}" for t in clock], dtype=object)
        mark = np.where(hidden & (log.mark == PLAIN), mark_no("placeholder_number"), log.mark)
        return Rows.of(
            {
                "session_id": "W" + log.id,
                "view_no": np.full(log.count, visit.number),
                "site": site,
                "login_no": np.where(hidden, "", log.number),
                "enter_time": at,
                "stay_s": visit.stay,
                "page_title": visit.page,
                "page_level": np.full(log.count, visit.number),
                "referrer": np.full(log.count, visit.referrer, dtype=object),
                "page_kind": np.where(visit.last, KIND_TEXTS[log.kind], ""),
                "biz_code": np.where(visit.last, log.code, ""),
                "action": visit.action,
                "push_id": np.where(visit.last, pushed, ""),
            },
            log.day,
            visit.second,
            mark=mark,
        )

    return _pages(log, page)


def wap_views(log: Log) -> Rows:
    """Pages of the palm hall; the gateway knows every number."""
    phone = PHONES[log.rng.integers(0, len(PHONES), log.count)]

    def page(visit: _Visit) -> Rows:
        return Rows.of(
            {
                "session_id": "A" + log.id,
                "view_no": np.full(log.count, visit.number),
                "msisdn": log.number,
                "user_agent": phone,
                "enter_time": log.later(visit.second - log.second),
                "stay_s": visit.stay,
                "page_id": visit.page,
                "svc_kind": np.where(visit.last, KIND_DIGITS[log.kind], ""),
                "biz_code": np.where(visit.last, log.code, ""),
                "action": visit.action,
            },
            log.day,
            visit.second,
            mark=log.mark,
        )

    return _pages(log, page)


class _Visit:
    """Page `number` of every visit: when, how long, and for which visits it is the last page."""

    def __init__(self, log: Log, number: int, second: np.ndarray, last: np.ndarray):
        self.number, self.second, self.last = number, second, last
        self.stay = log.rng.integers(5, LONGEST_STAY, log.count)
        passed = ON_THE_WAY[min(number, len(ON_THE_WAY)) - 1]
        self.page = np.where(last, log.rng.choice(PAGES, log.count), passed)
        self.referrer = "" if number == 1 else ON_THE_WAY[number - 2]
        self.action = np.where(last, log.ended("done", "apply", "fail"), "view")


def _pages(log: Log, page: Callable[[_Visit], Rows]) -> Rows:
    """The rows of all pages; each visit has 1 to 3 of them."""
    length = log.rng.integers(1, len(ON_THE_WAY) + 2, log.count)
    second, found = log.second, []
    for number in range(1, len(ON_THE_WAY) + 2):
        visit = _Visit(log, number, second, length == number)
        found.append(page(visit).take(np.nonzero(length >= number)[0]))
        second = second + visit.stay
    return stack(found)
