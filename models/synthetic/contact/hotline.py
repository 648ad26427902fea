"""The hotline of the synthetic province: the voice menu, its agents, and their calls to customers.

Three in five calls to an agent come through the menu, under the same call id; the others reach the
agent over a direct line. All other calls end in the menu. The menu diverts some of them to another
channel, because all agents are busy.
"""

from __future__ import annotations

import numpy as np

from models.synthetic.contact.contacts import MARKETING
from models.synthetic.contact.log_rows import CAMPAIGN, KIND_DIGITS, Log
from models.synthetic.province import clock_texts, texts
from models.synthetic.rows import Rows, stack

OVER_MENU_SHARE, LEFT_SHARE, BUSY_SHARE = 0.6, 0.08, 0.12
ROOT, HELP, LEAVES = "M0", "M9", 12
KEYS = np.array(["1", "2", "3", "4", "5"], dtype=object)
MENU_S = 90  # seconds from the start of the menu to the call to the agent
ACCESS = np.array(["10086", "10086", "10086", "1008651"], dtype=object)
GUIDED = np.array(["", "", "", "1", "2", "3", "4"], dtype=object)
OUTCOMES = np.array(["0", "1", "2", "3", "9"], dtype=object)


def agent_calls(log: Log) -> dict[str, np.ndarray]:
    """Calls to an agent; one in twenty is not answered."""
    rng, connected = log.rng, log.good < 0.95
    mark = texts(rng.integers(1, 6, log.count))
    return {
        "call_id": "R" + log.id,
        "msisdn": log.number,
        "start_time": log.at,
        "conn_flag": connected.astype(np.int64),
        "queue_s": rng.integers(0, 120, log.count),
        "talk_s": rng.integers(15, 600, log.count) * connected,
        "skill": log.either(rng.random(log.count) < 0.9, "01", "02"),
        "agent_id": np.where(connected, "Z" + log.employee, ""),
        "call_kind": "0" + KIND_DIGITS[log.kind],
        "topic_code": log.code,
        "resolve_flag": np.where(connected, log.either(log.good < 0.88, "1", "0"), ""),
        "satisfaction": np.where(connected & (rng.random(log.count) < 0.4), mark, ""),
        "guide_to": np.where(connected, rng.choice(GUIDED, log.count), ""),
    }


def outbound_calls(log: Log) -> dict[str, np.ndarray]:
    """Calls to customers; four in ten reach nobody."""
    rng, marketing = log.rng, log.kind == MARKETING
    outcome = OUTCOMES[np.searchsorted((0.25, 0.58, 0.75, 0.99), log.good)]
    outcome[~marketing & (log.good < 0.58)] = "0"  # care calls are never refused
    connected = ~np.isin(outcome, ("2", "3"))
    return {
        "call_id": "T" + log.id,
        "campaign_id": log.either(marketing, CAMPAIGN, ""),
        "wave_no": log.either(marketing, "1", ""),
        "msisdn": log.number,
        "call_time": log.at,
        "conn_flag": connected.astype(np.int64),
        "result_code": outcome,
        "talk_s": rng.integers(15, 300, log.count) * connected,
        "agent_id": "Z" + log.employee,
        "call_kind": "0" + KIND_DIGITS[log.kind],
        "topic_code": log.code,
    }


def menu_steps(menu: Log, agents: Log) -> Rows:
    """The steps of the calls that end in the menu, and of those that reach an agent through it."""
    rng = menu.rng
    left, busy = menu.good < LEFT_SHARE, menu.good > 1 - BUSY_SHARE
    call, everyone = "I" + menu.id, np.ones(menu.count, bool)
    came = np.zeros(menu.count, np.int64)
    steps = [
        _step(menu, call, 1, came, everyone, node=ROOT, ends=left),
        _step(menu, call, 2, came + 30, ~left, node=_leaf(menu), ends=~busy, business=True),
        _step(menu, call, 3, came + 60, ~left & busy, node=HELP, ends=everyone, busy=True),
    ]
    over = rng.random(agents.count) < OVER_MENU_SHARE
    call, came = "R" + agents.id, np.full(agents.count, -MENU_S)
    steps.append(_step(agents, call, 1, came, over, node=ROOT, ends=~over))
    steps.append(_step(agents, call, 2, came + 30, over, node=HELP, ends=~over, busy=False))
    return stack(steps)


def _leaf(log: Log) -> np.ndarray:
    """The node that serves a business."""
    known = {code: place for place, code in enumerate(sorted(log.province.services))}
    return np.array(
        [f"M{known[code] % 5 + 1}{known[code] % LEAVES:02d}" for code in log.code], dtype=object
    )


def _step(
    log: Log,
    call: np.ndarray,
    number: int,
    came: np.ndarray,
    some: np.ndarray,
    *,
    node: np.ndarray | str,
    ends: np.ndarray,
    business: bool = False,
    busy: bool | None = None,
) -> Rows:
    """One step of the calls in `some`, begun `came` seconds after the contact (negative: before).

    `ends`: the call ends with this step. `busy`: whether all agents are busy; None: the caller does
    not ask for an agent.
    """
    rng, none = log.rng, np.full(log.count, "", dtype=object)
    stayed = rng.integers(3, 30, log.count)
    for_agent = busy is not None
    key = np.full(log.count, "0", dtype=object) if for_agent else rng.choice(KEYS, log.count)
    begun = log.second + came
    rows = Rows.of(
        {
            "call_id": call,
            "step_no": np.full(log.count, number),
            "msisdn": log.number,
            "access_no": ACCESS[(log.second // 7) % len(ACCESS)],
            "node_id": np.full(log.count, node, dtype=object) if isinstance(node, str) else node,
            "key_pressed": np.where(ends & ~np.full(log.count, for_agent), "", key),
            "enter_time": log.later(came),
            "leave_time": log.province.day_texts[log.day] + clock_texts(begun + stayed),
            "next_node": np.where(ends | for_agent, "", HELP if business else "M" + key),
            "svc_kind": KIND_DIGITS[log.kind] if business else none,
            "biz_code": log.code if business else none,
            "agent_flag": np.full(log.count, int(for_agent)),
            "queue_s": texts(rng.integers(5, 60, log.count)) if for_agent else none,
            "busy_flag": np.full(log.count, str(int(bool(busy))), dtype=object)
            if for_agent
            else none,
            "divert_to": log.either(log.second % 2 == 0, "WEB", "SMS") if busy else none,
            "hangup_flag": ends.astype(np.int64),
        },
        log.day,
        begun,
        mark=log.mark,
    )
    return rows.take(np.nonzero(some)[0])
