"""The logs of the synthetic province: contacts by channel, and the complaint file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.synthetic.contact import outlets
from models.synthetic.contact.contacts import (
    AGENT,
    CARE,
    CHANNELS,
    HALL,
    HOTLINE,
    IVR,
    MANAGER,
    MARKETING,
    SHOP,
    SMS,
    TERMINAL,
    WAP,
    WEB,
    Contacts,
)
from models.synthetic.contact.hotline import agent_calls, menu_steps, outbound_calls
from models.synthetic.contact.log_rows import CAMPAIGN, KIND_DIGITS, KIND_TEXTS, Log
from models.synthetic.contact.visits import wap_views, web_views
from models.synthetic.people.people import Subscribers
from models.synthetic.province import Province, clock_texts
from models.synthetic.rows import Rows

CHANNEL_TEXTS = np.array(
    [
        "营业厅",
        "热线",
        "短信",
        "网站",
        "WAP",
        "客户经理",
        "自助语音",
        "自助终端",
        "专营店",
        "代理点",
        "",
    ],
    dtype=object,
)
DEPARTMENTS = np.array(["客服中心", "网络部", "市场部", "数据部"], dtype=object)
COMMANDS = np.array(["ZX", "TS", "BL", "CX", "", ""], dtype=object)
COMPLAINT_TYPES = np.array(["资费", "网络", "梦网", "服务", "营销短信", "其他"], dtype=object)
HALL_PAYMENTS = np.array(["现金", "刷卡", "托收"], dtype=object)
LONGEST_QUEUE = 1_800


def logs(province: Province, chunk: int, people: Subscribers, found: Contacts) -> dict[str, Rows]:
    """The rows of the ten logs by source, contacts of unknown numbers included."""
    rng = province.rng(chunk, "logs")
    outbound = np.isin(found.kind, (CARE, MARKETING))

    def log(*channels: int, where: np.ndarray | bool = True) -> Log:
        here = np.isin(found.channel, channels) & ~found.ticket.astype(bool) & where
        return Log(province, chunk, people, found, np.nonzero(here)[0], channels[0], rng)

    agents, menu = log(HOTLINE, where=~outbound), log(IVR)
    by_source: dict[str, tuple[Log, Callable[[Log], dict[str, np.ndarray]]]] = {
        "hall_log": (log(HALL), _hall),
        "outlet_log": (log(SHOP, AGENT), _outlet),
        "hotline_log": (agents, agent_calls),
        "outbound_log": (log(HOTLINE, where=outbound), outbound_calls),
        "sms_log": (log(SMS), _sms),
        "terminal_log": (log(TERMINAL), _terminal),
        "manager_log": (log(MANAGER), _manager),
    }
    return {
        **{source: one.as_rows(cells(one)) for source, (one, cells) in by_source.items()},
        "ivr_log": menu_steps(menu, agents),
        "web_log": web_views(log(WEB)),
        "wap_log": wap_views(log(WAP)),
    }


def complaint_rows(province: Province, chunk: int, people: Subscribers, found: Contacts) -> Rows:
    """The complaint file: complaints with a ticket. Half of them are closed on the same day."""
    rng = province.rng(chunk, "complaints")
    places = np.nonzero(found.ticket.astype(bool))[0]
    log = Log(province, chunk, people, found, places, HOTLINE, rng)
    closed = rng.random(log.count) < 0.5
    close = np.minimum(log.second + rng.integers(600, 10_800, log.count), 86_399)
    close_time = province.day_texts[log.day] + clock_texts(close)
    satisfied = log.either(rng.random(log.count) < 0.7, "满意", "不满意")
    return log.as_rows(
        {
            "complaint_id": "P" + log.id,
            "msisdn": log.number,
            "accept_time": log.at,
            "accept_channel": CHANNEL_TEXTS[log.channel],
            "about_channel": CHANNEL_TEXTS[np.where(log.about < 0, len(CHANNELS), log.about)],
            "complaint_type": rng.choice(COMPLAINT_TYPES, log.count),
            "dept": rng.choice(DEPARTMENTS, log.count),
            "close_time": np.where(closed, close_time, ""),
            "satisfied": np.where(closed, satisfied, ""),
        }
    )


def _hall(log: Log) -> dict[str, np.ndarray]:
    rng = log.rng
    waited, served = rng.integers(0, LONGEST_QUEUE, log.count), rng.integers(120, 1_500, log.count)
    surveyed = (log.kind == MARKETING) & (rng.random(log.count) < 0.5)
    return {
        "txn_id": "H" + log.id,
        "hall_id": rng.choice(outlets.numbers_of(HALL), log.count),
        "hall_type": np.full(log.count, "自营厅", dtype=object),
        "msisdn": log.number,
        "ticket_time": np.where(waited < LONGEST_QUEUE // 5, "", log.later(-waited)),
        "start_time": log.at,
        "end_time": log.later(served),
        "clerk_id": "Y" + log.employee,
        "svc_kind": KIND_TEXTS[log.kind],
        "biz_code": log.code,
        "pay_kind": np.where(log.fee > 0, rng.choice(HALL_PAYMENTS, log.count), "无"),
        "fee": log.fee,
        "result": log.ended("成功", "失败", "失败"),
        "questionnaire_id": log.either(surveyed, f"WJ_{CAMPAIGN}", ""),
    }


def _outlet(log: Log) -> dict[str, np.ndarray]:
    shop = log.channel == SHOP
    shops, agents = (log.rng.choice(outlets.numbers_of(one), log.count) for one in (SHOP, AGENT))
    return {
        "txn_id": "D" + log.id,
        "outlet_id": np.where(shop, shops, agents),
        "outlet_type": log.either(shop, "1", "2"),
        "msisdn": log.number,
        "txn_time": log.at,
        "svc_kind": KIND_DIGITS[log.kind],
        "biz_code": log.code,
        "fee": log.fee,
        "commission": np.where(log.fee > 0, log.fee // 100 * 3, 2_000),
        "result": log.ended("0", "1", "1"),
    }


def _sms(log: Log) -> dict[str, np.ndarray]:
    recognised = (log.rng.random(log.count) < 0.96) | log.outbound
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


def _terminal(log: Log) -> dict[str, np.ndarray]:
    terminal, place = outlets.terminals(log.rng.integers(0, len(outlets.TERMINALS), log.count))
    detail = np.array(["detail" in code for code in log.code], dtype=bool)
    return {
        "txn_id": "Q" + log.id,
        "terminal_id": terminal,
        "place": place,
        "msisdn": log.number,
        "txn_time": log.at,
        "svc_kind": KIND_DIGITS[log.kind],
        "biz_code": log.code,
        "print_count": log.rng.integers(1, 4, log.count) * detail,
        "pay_kind": np.where(log.fee > 0, log.either(log.good < 0.7, "1", "2"), "0"),
        "fee": log.fee,
        "result": log.ended("0", "1", "1"),
    }


def _manager(log: Log) -> dict[str, np.ndarray]:
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
