"""Small tariff packages and events for tests: plain mappings as the YAML gives them."""

from datetime import UTC, date, datetime

from models.reference.rater import Event

MARCH = date(2009, 3, 1)
# A package as somebody writes it, with bands, a pool and every component due.
VOICE_FILE = """\
id: example
name: 例
kind: voice
brands: [gotone]
valid: {from: 2009-01-01, to: 2010-01-01}
source: assumed
monthly_fee: "58"
partial_month: none
pools:
  - {id: free, covers: {roaming: home}, components: [airtime], amount: 260, unit: 60s, order: 1}
bands: {peak: [{days: all, from: "08:00", to: "20:00"}]}
rules:
  - {component: airtime, match: {band: peak}, rate: "0.40", per: 60s, increment: [60, 60],
     pools: [free]}
  - {component: airtime, rate: "0.24", per: 60s, increment: [60, 60], pools: [free]}
  - {component: toll, rate: "0.07", per: 6s, increment: [6, 6]}
rounding: {at: line, scale: 2, mode: half_up}
"""
MINUTE = {"per": "60s", "increment": [60, 60]}


def package(kind="voice", rules=(), **changes):
    """A package without fee, pools, bands or rounding unless the test says so."""
    return {
        "id": "example",
        "name": "例",
        "kind": kind,
        "brands": ["gotone"],
        "valid": {"from": date(2009, 1, 1), "to": date(2010, 1, 1)},
        "source": "assumed",
        "monthly_fee": "0",
        "partial_month": "none",
        "rounding": {"at": "none"},
        "rules": [dict(rule) for rule in rules],
        **changes,
    }


def airtime(rate="0.40", **changes):
    """A price of airtime, by the minute unless the test says so."""
    return {"component": "airtime", "rate": rate, **MINUTE, **changes}


def toll(rate="0.07", **changes):
    """A price of long distance by six seconds."""
    return {"component": "toll", "rate": rate, "per": "6s", "increment": [6, 6], **changes}


def pool(amount, unit="60s", **changes):
    """A pool of airtime that covers every call."""
    return {
        "id": "free",
        "covers": {},
        "components": ["airtime"],
        "amount": amount,
        "unit": unit,
        "order": 1,
        **changes,
    }


def call(seconds, at="2009-03-03 12:00:00", key="a", instant=None, **facts):
    """A voice call; `instant` is the answer time where it is not Beijing time as written."""
    return _event(
        "voice",
        seconds,
        at,
        key,
        instant,
        {
            "direction": "mo",
            "roaming": "home",
            "toll": "local",
            "dial": "direct",
            "in_group": False,
            **facts,
        },
    )


def message(at="2009-03-03 12:00:00", key="a", service="sms", **facts):
    """A short message sent at home."""
    known = {"direction": "mo", "roaming": "home", "message_kind": "p2p", **facts}
    return _event(service, 1, at, key, None, known)


def session(size, at="2009-03-03 12:00:00", key="a", **facts):
    """A data session of so many bytes."""
    return _event("data", size, at, key, None, {"roaming": "home", **facts})


def online(seconds, at="2009-03-03 12:00:00", key="a", **facts):
    """A WLAN session."""
    return _event("wlan", seconds, at, key, None, {"roaming": "home", **facts})


def _event(service, quantity, at, key, instant, facts):
    local = datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)  # as if: 8 h are taken
    seconds = local.timestamp() - 8 * 3600
    return Event(
        key=key,
        service=service,
        direction=facts.get("direction"),
        roaming=facts["roaming"],
        toll=facts.get("toll"),
        dial=facts.get("dial"),
        in_group=facts.get("in_group"),
        message_kind=facts.get("message_kind"),
        at=int(seconds) if instant is None else instant,
        local_date=local.date(),
        local_second=local.hour * 3600 + local.minute * 60 + local.second,
        day_type=facts.get("day_type", "workday"),
        quantity=quantity,
    )
