"""The logs in which the channels of the synthetic province write down contacts and complaints."""
from __future__ import annotations

from typing import Callable

import numpy as np

from models.synthetic_contacts import (
    CARE,
    CHANNELS,
    HALL,
    HOTLINE,
    MANAGER,
    MARKETING,
    SMS,
    WAP,
    WEB,
    Contacts,
)
from models.synthetic_people import Subscribers
from models.synthetic_province import Province, clock_texts, texts, wall_clock
from models.synthetic_rows import PLAIN, Rows, mark_no

SOURCES = {HALL: "hall_log", HOTLINE: "hotline_log", SMS: "sms_log", WEB: "web_log",
           WAP: "wap_log", MANAGER: "manager_log"}
CHANNEL_TEXTS = np.array(["营业厅", "热线", "短信", "网站", "WAP", "客户经理", ""], dtype=object)
KIND_TEXTS = np.array(["咨询", "投诉", "办理", "查询", "关怀", "营销"], dtype=object)
KIND_DIGITS = np.array(["1", "2", "3", "4", "5", "6"], dtype=object)
HALLS = np.array(["解放大道营业厅", "江汉路营业厅", "夷陵营业厅", "樊城营业厅"], dtype=object)
DEPARTMENTS = np.array(["客服中心", "网络部", "市场部", "数据部"], dtype=object)
COMMANDS = np.array(["ZX", "TS", "BL", "CX", "", ""], dtype=object)
PAGES = np.array(["话费查询,余额", "套餐办理", "业务介绍", "积分商城,兑换"], dtype=object)
COMPLAINT_TYPES = np.array(["资费", "网络", "梦网", "服务", "营销短信", "其他"], dtype=object)
AGENTS = np.array(["Nokia6120c", "MOTO-E6", "SonyEricssonK790", "Lenovo-P960"], dtype=object)
PLACEHOLDERS = np.array(["", "0", "unknown", "NULL"], dtype=object)
PLACEHOLDER_SHARE = 0.015
CAMPAIGN = "spring_2009"
OPENING = {HALL: (9, 17), MANAGER: (9, 17)}  # hours; the others answer from 7 to 23


class _Log:
    """What the logs have in common: who, when, what, as the cells of files."""

    def __init__(self, province: Province, chunk: int, people: Subscribers, found: Contacts,
                 places: np.ndarray, channel: int, rng: np.random.Generator):
        self.province, self.rng, self.count = province, rng, len(places)
        nobody = rng.binomial(self.count, PLACEHOLDER_SHARE)
        places = np.concatenate([places, places[rng.integers(0, max(1, self.count), nobody)]])
        self.mark = np.full(len(places), PLAIN)
        self.mark[self.count:] = mark_no("placeholder_number")
        self.count = len(places)
        self.day = found.day[places]
        self.kind, self.code = found.kind[places], found.code[places]
        self.about = found.about[places]
        self.channel = found.channel[places]
        self.number = texts(people.number_at(found.subscriber[places], self.day))
        self.number[self.mark != PLAIN] = rng.choice(PLACEHOLDERS, nobody)
        first, last = OPENING.get(channel, (7, 22))
        self.second = rng.integers(first * 3600, (last + 1) * 3600, self.count)
        self.at = wall_clock(province, self.day, self.second)
        self.id = texts((chunk + 1) * 1_000_000 + np.arange(self.count))
        self.good = rng.random(self.count)
        self.employee = texts(1_000 + rng.integers(0, 60, self.count))
        self.outbound = (self.kind == CARE) | (self.kind == MARKETING)

    def rows(self, columns: dict[str, np.ndarray]) -> Rows:
        return Rows.of(columns, self.day, self.second, mark=self.mark)

    def either(self, condition: np.ndarray, yes: str, no: str) -> np.ndarray:
        return np.where(condition, yes, no).astype(object)

    def ended(self, good: str, bad: str, worse: str) -> np.ndarray:
        """Nine in ten end well."""
        return np.array([good, bad, worse], dtype=object)[np.searchsorted((0.9, 0.97), self.good)]


def logs(province: Province, chunk: int, people: Subscribers, found: Contacts) -> dict[str, Rows]:
    """The rows of the six logs by source, contacts of unknown numbers included."""
    rng = province.rng(chunk, "logs")
    made = {}
    for channel, source in SOURCES.items():
        places = np.nonzero((found.channel == channel) & ~found.ticket.astype(bool))[0]
        log = _Log(province, chunk, people, found, places, channel, rng)
        made[source] = log.rows(WRITERS[channel](log))
    return made


def complaint_rows(province: Province, chunk: int, people: Subscribers, found: Contacts) -> Rows:
    """The complaint file: those with a ticket. Half are closed on their own day."""
    rng = province.rng(chunk, "complaints")
    places = np.nonzero(found.ticket.astype(bool))[0]
    log = _Log(province, chunk, people, found, places, HOTLINE, rng)
    closed = rng.random(log.count) < 0.5
    close = np.minimum(log.second + rng.integers(600, 10_800, log.count), 86_399)
    close_time = province.day_texts[log.day] + clock_texts(close)
    satisfied = log.either(rng.random(log.count) < 0.7, "满意", "不满意")
    return log.rows({
        "complaint_id": "P" + log.id,
        "msisdn": log.number,
        "accept_time": log.at,
        "accept_channel": CHANNEL_TEXTS[log.channel],
        "about_channel": CHANNEL_TEXTS[np.where(log.about < 0, len(CHANNELS), log.about)],
        "complaint_type": rng.choice(COMPLAINT_TYPES, log.count),
        "dept": rng.choice(DEPARTMENTS, log.count),
        "close_time": np.where(closed, close_time, ""),
        "satisfied": np.where(closed, satisfied, ""),
    })


def _hall(log: _Log) -> dict[str, np.ndarray]:
    served = log.rng.integers(120, 1_500, log.count)
    return {
        "txn_id": "H" + log.id,
        "hall_name": log.rng.choice(HALLS, log.count),
        "msisdn": log.number,
        "start_time": log.at,
        "end_time": log.province.day_texts[log.day] + clock_texts(log.second + served),
        "clerk_id": "Y" + log.employee,
        "svc_kind": KIND_TEXTS[log.kind],
        "biz_code": log.code,
        "result": log.ended("成功", "失败", "失败"),
    }


def _hotline(log: _Log) -> dict[str, np.ndarray]:
    end = log.ended("0", "1", "2")
    end[log.outbound & (log.good > 0.6)] = "3"
    marketing = log.kind == MARKETING
    return {
        "call_id": "R" + log.id,
        "msisdn": log.number,
        "call_dir": log.either(log.outbound, "O", "I"),
        "start_time": log.at,
        "talk_s": log.rng.integers(15, 600, log.count) * (end != "3"),
        "call_kind": "0" + KIND_DIGITS[log.kind],
        "topic_code": log.code,
        "end_code": end,
        "agent_id": "Z" + log.employee,
        "campaign_id": log.either(marketing, CAMPAIGN, ""),
        "wave_no": log.either(marketing, "1", ""),
    }


def _sms(log: _Log) -> dict[str, np.ndarray]:
    recognised = log.outbound | (log.good < 0.97)
    return {
        "msg_id": "S" + log.id,
        "msisdn": log.number,
        "direct": log.either(log.outbound, "MT", "MO"),
        "in_time": log.at,
        "command": np.where(log.outbound, "", COMMANDS[log.kind]),
        "svc_kind": KIND_DIGITS[log.kind],
        "biz_code": log.code,
        "recognised": recognised.astype(np.int64),
        "reply_code": log.either(log.good < 0.92, "0000", "0301"),
        "campaign_id": log.either(log.kind == MARKETING, CAMPAIGN, ""),
    }


def _web(log: _Log) -> dict[str, np.ndarray]:
    dates = np.array([log.province.day(n).isoformat() for n in range(log.province.days)],
                     dtype=object)
    clock = clock_texts(log.second).tolist()
    at = dates[log.day] + np.array([f" {t[:2]}:{t[2:4]}:{t[4:]}" for t in clock], dtype=object)
    return {
        "session_id": "W" + log.id,
        "visit_no": texts(log.rng.integers(1, 4, log.count)),
        "login_no": log.number,
        "enter_time": at,
        "stay_s": log.rng.integers(5, 900, log.count),
        "page_kind": KIND_TEXTS[log.kind],
        "page_title": log.rng.choice(PAGES, log.count),
        "biz_code": log.code,
        "action": log.ended("done", "apply", "fail"),
    }


def _wap(log: _Log) -> dict[str, np.ndarray]:
    return {
        "visit_id": "A" + log.id,
        "msisdn": log.number,
        "user_agent": log.rng.choice(AGENTS, log.count),
        "enter_time": log.at,
        "stay_s": log.rng.integers(5, 400, log.count),
        "svc_kind": KIND_DIGITS[log.kind],
        "biz_code": log.code,
        "action": log.ended("done", "apply", "fail"),
    }


def _manager(log: _Log) -> dict[str, np.ndarray]:
    return {
        "visit_id": "K" + log.id,
        "manager_id": "J" + log.employee,
        "msisdn": log.number,
        "mode": log.either(log.rng.random(log.count) < 0.4, "拜访", "电话"),
        "visit_time": log.at,
        "minutes": log.rng.integers(3, 60, log.count),
        "purpose": KIND_TEXTS[log.kind],
        "biz_code": log.code,
        "outcome": log.ended("成功", "失败", "未接通"),
    }


WRITERS: dict[int, Callable[[_Log], dict[str, np.ndarray]]] = {
    HALL: _hall, HOTLINE: _hotline, SMS: _sms, WEB: _web, WAP: _wap, MANAGER: _manager,
}
