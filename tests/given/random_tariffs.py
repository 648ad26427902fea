"""Random packages and customer-months, the same in every run: Hypothesis draws them.

Packages are plain mappings as their YAML files would read, with everything that the language has;
months are events of one customer for the reference rater.
"""

import copy
import random
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from models.reference.tariff import Event
from models.tariff import catalogue, money_limit
from models.tariff.file import check as tariff_check
from models.tariff.file import reader as tariff_file
from schemas.document import Document
from schemas.errors import ConfigError
from tests.given import event_records

MONTHS = (date(2009, 2, 1), date(2009, 3, 1), date(2009, 4, 1))
HOLIDAYS = (date(2009, 4, 6),)
RATES = ("0", "0.05", "0.07", "0.10", "0.24", "0.333", "0.40", "1.005", "2")
BANDS = (
    None,
    {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]},
    {
        "peak": [{"days": ["workday"], "from": "07:30", "to": "12:00"}],
        "night": [{"days": "all", "from": "22:00", "to": "24:00"}],
    },
)
ROUNDINGS = tuple(
    {"at": at} if at == "none" else {"at": at, "scale": scale, "mode": mode}
    for at in ("line", "bill", "none", "event")
    for scale in (0, 1, 2, 3)
    for mode in ("half_up", "half_even", "up", "down")
)
SHAPES = {
    "voice": {
        "components": ("airtime", "toll"),
        "unit": ("60s", "6s", "1s"),
        "facts": {
            "direction": ["mo", "mt", "fwd"],
            "roaming": ["home", "inter_prov", "intl"],
            "dial": ["direct", "ip17951"],
            "toll": ["local", "intra_prov", "hkmotw"],
            "day_type": ["workday", "weekend", "holiday"],
        },
    },
    "gprs": {
        "components": ("volume",),
        "unit": ("1KB", "10KB", "1B"),
        "facts": {
            "roaming": ["home", "inter_prov", "intl"],
            "day_type": ["workday", "weekend", "holiday"],
        },
    },
    "sms": {
        "components": ("message",),
        "unit": ("1msg",),
        "facts": {"roaming": ["home", "inter_prov", "intl"], "message_kind": ["p2p", "sp"]},
    },
    "mms": {
        "components": ("message",),
        "unit": ("1msg",),
        "facts": {"roaming": ["home", "inter_prov", "intl"], "message_kind": ["p2p", "sp"]},
    },
    "wlan": {
        "components": ("airtime",),
        "unit": ("60s", "1s"),
        "facts": {
            "roaming": ["home", "intl"],
            "day_type": ["workday", "weekend", "holiday"],
        },
    },
}
SERVICES = {"gprs": "data"}  # of kinds; the others are named like their kind
EVERY_SERVICE = ("voice", "voice", "voice", "data", "sms", "sms", "mms", "wlan")


@st.composite
def clauses(draw, kind, bands):
    """Conditions on one or two facts, or none."""
    facts = dict(SHAPES[kind]["facts"])
    if bands:
        facts["band"] = [*bands, "off_peak"]
    chosen = draw(st.lists(st.sampled_from(sorted(facts)), max_size=2, unique=True))
    return {
        fact: draw(st.lists(st.sampled_from(facts[fact]), min_size=1, max_size=2, unique=True))
        for fact in chosen
    }


@st.composite
def packages(draw, simple=False, kind=None, bands=None, split=False, rounding=None):
    """A package of the tariff language, as its YAML file would read. A `simple` one has bands and a
    pool of airtime, on which an event draws at one price. A part of a bundle has the bundle's
    bands and rounding."""
    if kind is None:
        kind = "voice" if simple else draw(st.sampled_from(("voice",) * 3 + ("gprs", "sms")))
        bands = draw(st.sampled_from(BANDS[1:] if simple else BANDS)) if kind == "voice" else None
        split = bool(bands) and not simple and draw(st.booleans())
        rounding = draw(st.sampled_from(ROUNDINGS[:48] if simple else ROUNDINGS))
    shape = SHAPES[kind]
    unit = draw(st.sampled_from(shape["unit"]))
    count = 1 if simple else draw(st.sampled_from((0, 1, 1, 2, 3)))
    pools = [
        {
            "id": f"pool_{no}",
            "covers": {} if simple else draw(clauses(kind, bands)),
            "components": ["airtime"]
            if simple
            else draw(st.lists(st.sampled_from(shape["components"]), min_size=1, unique=True)),
            "amount": draw(st.integers(1 if simple else 0, 12)),
            "unit": unit,
            "order": order,
            "draw": draw(st.sampled_from(("block", "base"))),
            "both": draw(st.booleans()),
            "carry_over": draw(st.booleans()),
        }
        for no, order in enumerate(draw(st.permutations(range(count))))
    ]
    # Few rates, so that rules of one price on several lines are common.
    rates = draw(st.lists(st.sampled_from(RATES), min_size=1, max_size=3))
    shapes = ["plain"] * 3
    if not simple:
        shapes += ["steps", "month" if not split and rounding["at"] != "event" else "plain"]
    rules = []
    for component in shape["components"]:
        specific = draw(st.lists(clauses(kind, bands), max_size=2))
        if bands and component == "airtime":
            specific = [{"band": ["peak"]}, *specific]
        rules += [
            draw(a_rule(component, match, pools, unit, rates, shapes)) for match in [*specific, {}]
        ]
    tiers = [
        draw(a_tier(component, unit))
        for component in shape["components"]
        if not simple and rounding["at"] != "event" and draw(st.integers(0, 4)) == 0
    ]
    return {
        "id": "unnamed",
        "name": "unnamed",
        "kind": kind,
        "brands": ["gotone"],
        "valid": {"from": date(2009, 1, 1), "to": date(2010, 1, 1)},
        "source": "assumed",
        "monthly_fee": draw(st.sampled_from(("0", "5", "58.5", "0.01"))),
        "partial_month": draw(st.sampled_from(("none", "daily", "half_month"))),
        "pools": pools,
        "rules": rules,
        "tiers": tiers,
        "caps": draw(st.sampled_from(({}, {}, {kind: "0"}, {kind: "1.234"}))),
        "min_commitment": draw(st.sampled_from(("0", "0", "6.005", "20"))),
        "rounding": rounding,
        **({"bands": bands, "band_policy": "split" if split else "start"} if bands else {}),
    }


@st.composite
def bundles(draw):
    """A package of two or three services: packages of one service with one fee, one rounding and
    one calendar, and often a pool of calls on which messages draw by exchange."""
    kinds = draw(st.lists(st.sampled_from(sorted(SHAPES)), min_size=2, max_size=3, unique=True))
    kinds = ["voice", *kinds][:3] if draw(st.booleans()) and "voice" not in kinds else kinds
    bands = draw(st.sampled_from(BANDS))
    split = bool(bands) and bool({"voice", "wlan"} & set(kinds)) and draw(st.booleans())
    rounding = draw(st.sampled_from(ROUNDINGS))
    parts = {
        kind: draw(packages(kind=kind, bands=bands, split=split, rounding=rounding))
        for kind in kinds
    }
    several = [component for kind in kinds for component in SHAPES[kind]["components"]]
    for kind, part in parts.items():
        service = SERVICES.get(kind, kind)
        named = {pool["id"]: f"{kind}_{pool['id']}" for pool in part["pools"]}
        for pool in part["pools"]:
            pool["id"], pool["covers"] = named[pool["id"]], {**pool["covers"], "service": service}
        for rule in part["rules"]:
            rule["pools"] = [named[name] for name in rule["pools"]]
            if several.count(rule["component"]) > 1 or draw(st.booleans()):
                rule["match"] = {**rule["match"], "service": service}
        for tier in part["tiers"]:
            if several.count(tier["component"]) > 1:
                tier["service"] = service
    pools = [pool for part in parts.values() for pool in part["pools"]]
    writing = [kind for kind in ("sms", "mms") if kind in parts]
    if "voice" in parts and writing and draw(st.integers(0, 3)):
        pools.append(draw(a_shared_pool(parts, writing)))
    for pool, order in zip(pools, draw(st.permutations(range(len(pools)))), strict=True):
        pool["order"] = order
    return {
        **{key: value for key, value in parts[kinds[0]].items() if key != "kind"},
        "services": kinds,
        "pools": pools,
        "rules": [rule for part in parts.values() for rule in part["rules"]],
        "tiers": [tier for part in parts.values() for tier in part["tiers"]],
        "caps": {name: cap for part in parts.values() for name, cap in part["caps"].items()},
        "fee_when": draw(st.sampled_from(("held", "used"))),
    }


@st.composite
def a_shared_pool(draw, parts, writing):
    """A pool of calls on which the messages of some kinds draw by exchange."""
    calls = [rule for rule in parts["voice"]["rules"] if rule["component"] == "airtime"]
    unit = draw(st.sampled_from(("60s", "6s", "1s")))
    size = int(unit.rstrip("s"))
    blocks = all(rule.get("increment") == [unit, unit] for rule in calls) and draw(st.booleans())
    times = st.integers(1, 4).map(lambda count: f"{count * size if blocks else 7 * count}s")
    some = draw(st.lists(st.sampled_from(writing), min_size=1, unique=True))
    for rule in calls:
        if draw(st.integers(0, 3)):
            rule["pools"] = [*rule["pools"], "shared"]
    for kind in some:
        for rule in parts[kind]["rules"]:
            if draw(st.integers(0, 3)):
                rule["pools"] = ["shared"]  # pools of messages take other units
    return {
        "id": "shared",
        "covers": {"service": ["voice", *some]},
        "components": ["airtime", "message"],
        "amount": draw(st.integers(0, 12)),
        "unit": unit,
        "draw": "block" if blocks else "base",
        "both": draw(st.booleans()),
        "carry_over": draw(st.booleans()),
        "exchange": {kind: draw(times) for kind in some},
    }


@st.composite
def a_rule(draw, component, match, pools, unit, rates, shapes):
    mine = [pool for pool in pools if component in pool["components"]]
    drawn = [pool for pool in mine if draw(st.integers(0, 3))]
    size, suffix = unit.rstrip("sBKmg"), unit.lstrip("0123456789")
    whole = any(pool["draw"] == "block" for pool in drawn) or suffix == "msg"

    def increment():
        return unit if whole else f"{draw(st.sampled_from((1, 3, 45, 60)))}{suffix}"

    def price():
        return {
            "rate": draw(st.sampled_from(rates)),
            "per": f"{draw(st.sampled_from((int(size), 1, 7, 60)))}{suffix}",
        }

    rule = {
        "component": component,
        "match": match,
        "connect": draw(st.sampled_from(("0", "0", "0.15", "0.0049"))),
        "pools": [pool["id"] for pool in drawn],
    }
    shape = draw(st.sampled_from(shapes))
    if shape == "steps":
        starts = [0, *sorted(draw(st.sets(st.sampled_from((30, 60, 61, 100, 600)), max_size=2)))]
        return rule | {
            "groups": [
                {"start": f"{start}{suffix}" if start else 0, **price(), "increment": increment()}
                for start in starts
            ]
        }
    rule |= {**price(), "increment": [increment(), increment()]}
    return rule | ({"increment_at": "month"} if shape == "month" else {})


@st.composite
def a_tier(draw, component, unit):
    bounds = sorted(draw(st.sets(st.integers(1, 40), max_size=2)))
    return {
        "component": component,
        "mode": draw(st.sampled_from(("graduated", "volume"))),
        "per": unit,
        "flat_at_zero": draw(st.booleans()),
        "steps": [
            {
                "up_to": bound,
                "rate": draw(st.sampled_from(RATES)),
                "flat": draw(st.sampled_from(("0", "0", "2", "0.555"))),
            }
            for bound in (*bounds, None)
        ],
    }


MOMENTS = (0, 3600, 27000, 28799, 28800, 43200, 71999, 72000, 79200, 86399)


@st.composite
def months_of_events(draw, services=("voice", "voice", "voice", "data", "sms")):
    """(month, joined or None, events): calls, messages and sessions of one customer's month."""
    month = draw(st.sampled_from(MONTHS))
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    joined = draw(st.none() | st.integers(1, last.day).map(lambda day: month.replace(day=day)))
    events = []
    for key in range(draw(st.integers(0, 14))):
        service = draw(st.sampled_from(services))
        day = month.replace(day=draw(st.integers(1, last.day)))
        second = draw(st.sampled_from(MOMENTS))
        facts = SHAPES[{"data": "gprs"}.get(service, service)]["facts"]
        calls, writes = service == "voice", service in ("sms", "mms")
        quantity = draw(st.sampled_from((0, 1, 45, 59, 60, 61, 119, 120, 300, 1111)))
        events.append(
            Event(
                key,
                service,
                draw(st.sampled_from(facts["direction"])) if calls else "mo" if writes else None,
                draw(st.sampled_from(facts["roaming"])),
                draw(st.sampled_from(facts["toll"])) if calls else None,
                draw(st.sampled_from(facts["dial"])) if calls else None,
                False if calls else None,
                draw(st.sampled_from(facts["message_kind"])) if writes else None,
                _instant(day, second) + key / 64,
                day,
                second,
                _day_type(day),
                1 if writes else quantity * (100 if service == "data" else 1),
            )
        )
    return month, joined, events


def _instant(day, second):
    midnight = datetime(day.year, day.month, day.day, tzinfo=event_records.CHINA)
    return int(midnight.timestamp()) + second


def _day_type(day):
    if day in HOLIDAYS:
        return "holiday"
    return "weekend" if day.isoweekday() >= 6 else "workday"


def drawn(strategy, count, start=0, many=1500):
    """So many examples of a strategy, the same for the same start, picked from `many` or twice as
    many: Hypothesis begins with small ones and likes to repeat itself."""
    found = []

    @seed(start)
    @settings(
        max_examples=max(many, 2 * count),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example):
        found.append(example)

    collect()
    return random.Random(start).sample(found, count)


def without_the_useless(package):
    """The package without what the catalogue refuses as written in vain."""
    package = copy.deepcopy(package)  # drawn packages share their bands
    while True:
        try:
            catalogue.load([Document(Path("drawn.yml"), package, {})])
            return package
        except ConfigError:
            read = tariff_file.read_package(Document(Path("drawn.yml"), package, {}))
            path = next(path for path, _ in tariff_check.problems(read))
        holder = package
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]
        if "bands" not in package:
            package.pop("band_policy", None)
        for rule in package["rules"]:
            listed = rule.get("pools", ())
            rule["pools"] = [pool["id"] for pool in package["pools"] if pool["id"] in listed]


def fits(package):
    """Whether 64 bits hold the money of its months; the catalogue refuses the others."""
    read = tariff_file.read_package(Document(Path("drawn.yml"), {**package, "id": "drawn"}, {}))
    return not list(money_limit.problems(read))


def bundles_of(count, start=0):
    """Drawn bundles as documents, by id."""
    found = drawn(bundles().filter(fits), count, start, many=0)
    return {
        name: without_the_useless({**one, "id": name})
        for name, one in ((f"bundle_{no}", one) for no, one in enumerate(found))
    }


def catalogue_of(count, simple, start=0):
    """Drawn packages as documents, by id."""
    documents = {
        f"drawn_{no}": one for no, one in enumerate(drawn(packages().filter(fits), count, start))
    }
    documents |= {
        f"simple_{no}": one
        for no, one in enumerate(drawn(packages(simple=True).filter(fits), simple, start))
    }
    return {name: without_the_useless({**one, "id": name}) for name, one in documents.items()}
