"""Random histories of 120 days against a simulator that was written independently."""

import hashlib
import random
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.contact_policy import history, one_customer, reports, rules
from models.contact_policy.compiled import compiled, instant_of, local_second
from models.contact_policy.one_customer import Candidate, Contact, Person
from schemas.window import Window
from tests.given import contact_simulator as world
from tests.given.contact_policies import POLICY, ZONE, contacts, frames
from tests.given.frames import local_frame
from tests.given.rows import frame

KEY = "a-key"

START = date(2008, 1, 10)  # 120 days with month ends and a leap day
BASE = local_second(datetime(2008, 1, 10, tzinfo=ZoneInfo(ZONE)), ZONE)


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


RULES = compiled(
    contacts(
        ways={way: {**one, "a_night": 9} for way, one in POLICY["ways"].items()},
        channels={
            name: {
                "way": way,
                "open_from": clock(world.HOURS[name][0]),
                "open_to": clock(world.HOURS[name][1]),
                "contact_at": clock(world.LISTS[name][0]),
                "listed_for": f"{world.LISTS[name][1] // 60}h",
                "report_within": f"{world.LISTS[name][2] // 60}h",
            }
            for name, way in world.WAY.items()
        },
        caps={
            "message": {"limit": 2, "per": "72h", "channels": ["sms"]},
            "call": {"limit": 2, "per": "30d", "channels": ["hotline"]},
            "interruption": {"limit": 1, "per": "24h", "ways": ["intrusive"]},
            "week": {"limit": 4, "per": "7d"},
            "prompt": {"limit": 1, "per": "calendar_day", "ways": ["pull"]},
            "month": {"limit": 9, "per": "30d"},
        },
    ),
    {},
)


def second(minute):
    return BASE + minute * 60


def contact(known):
    class_, way, channel, first, end = known
    return Contact(class_, way, channel, second(first), second(end), made=first == end)


class Judge:
    """Asks the rules for one customer about every candidate of the simulated world."""

    def __init__(self, chance):
        self.chance, self.seen = chance, Counter()

    def __call__(self, customer, night, candidate, full):
        known = customer.known(night)
        class_, _, channel, first, end = candidate
        person = Person([contact(one) for one in known])
        asked = Candidate(class_, channel, second(first), second(end), "c", "o")
        found = one_customer.judged(person, asked, RULES)
        assert {one.cap for one in found.room if not one.left} == full, (night, candidate, known)
        self.seen["full" if full else "room"] += 1
        if full and self.chance.random() < 0.1:
            self._retry(known, candidate, found.retry_at)

    def _retry(self, known, candidate, retry_at):
        """The first window with room has room, and no moment before it, within the hours."""
        class_, way, channel, first, end = candidate
        retry = (retry_at - BASE) // 60

        def full(minute):
            return world.full_caps(known, (class_, way, channel, minute, minute + end - first))

        assert not full(retry)
        opens, closes = world.HOURS[channel]
        earlier = [retry - 1, *(self.chance.randrange(first, retry) for _ in range(5))]
        for minute in earlier:
            if minute >= first and opens <= minute % world.DAY < closes:
                assert full(minute), (minute, retry)
        self.seen["retried"] += 1


def lives(seed, count, ask):
    chance = random.Random(seed)
    for number in range(count):
        customer = world.Customer(number)
        world.live(customer, chance, ask)
        yield customer


def test_no_window_is_overfull_and_nobody_is_dropped_whom_the_policy_allows():
    judge = Judge(random.Random(2))
    for customer in lives(1, 40, judge):
        assert world.violations(customer) == []
    assert judge.seen["full"] > 500
    assert judge.seen["room"] > 500
    assert judge.seen["retried"] > 50


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
def test_ten_thousand_histories(part):
    judge = Judge(random.Random(100 + part))
    for customer in lives(200 + part, 1000, judge):
        assert world.violations(customer) == []


def test_frames_know_and_judge_what_the_simulator_knows_and_judges(spark):
    """All nights of 150 customers at once: reports late, twice or never, lists never worked.

    Each customer has two numbers; the second one passes to another customer on day 60.
    """
    people = list(lives(7, 150, lambda *_: None))
    last = world.NIGHTS - 1
    told = _told(spark, people)
    made = history.contact_history(
        reports.reports(told, RULES, {}, KEY),
        _pushed(spark, people),
        RULES,
        classes={},
        window=Window(START, _day(last)),
        key=KEY,
    )
    stands = history.standing(made).cache()
    known = {
        one.id: Counter(
            (kind, channel, first, end) for kind, _, channel, first, end in one.known(last)
        )
        for one in people
    }
    found = {one.id: Counter() for one in people}
    for row in stands.collect():
        first, end = (
            (local_second(when.astimezone(), ZONE) - BASE) // 60
            for when in (row["happened_at"], row["until"] or row["happened_at"])
        )
        if end > (last - 45) * world.DAY:
            found[row["customer_id"]][row["class"], row["channel"], first, end] += 1
    assert found == known

    asked = [
        (one, world.Push(last, 0, channel, "c"), kind)
        for one in people
        for channel in world.WAY
        for kind in ("marketing", "survey", "care")
    ]
    nothing = Person()
    candidates, facts = frames(
        spark,
        {0: nothing},
        [
            (one.id, Candidate(kind, push.channel, second(push.first), second(push.end), "c", "o"))
            for one, push, kind in asked
        ],
    )
    judged = rules.judged(candidates, replace(facts, contacts=stands), RULES, ZONE)
    full = {
        row["no"]: {one["cap"] for one in row["room"] if not one["left"]}
        for row in judged.select("no", "room").collect()
    }
    expected = {
        number: world.full_caps(
            one.known(last), (kind, world.WAY[push.channel], push.channel, push.first, push.end)
        )
        for number, (one, push, kind) in enumerate(asked)
    }
    assert full == expected
    assert 200 < sum(bool(caps) for caps in full.values()) < len(asked) - 200


def _day(number):
    return START + timedelta(days=number)


def _instant(minute):
    return instant_of(second(minute), ZONE)


def _told(spark, people):
    events, feedback = [], []
    changed, count = 60 * world.DAY, len(people)
    for one in people:
        for push in one.pushes:
            for day, by_log in push.told:
                if day >= world.NIGHTS:
                    continue
                when = {
                    "batch_date": _day(day),
                    "occurred_at": _instant(push.made),
                    "local_date": _day(push.made // world.DAY),
                    "channel": push.channel,
                    "campaign_id": push.campaign,
                }
                if by_log:
                    events.append({**when, "customer_id": one.id, "kind": "marketing"})
                else:
                    holder = (one.id - (push.made >= changed)) % count
                    of = f"S{holder}b" if push.subscriber else f"S{one.id}a"
                    feedback.append({**when, "subscriber_no": of, "contacted": True})
        events += [
            {
                "batch_date": _day(told),
                "occurred_at": _instant(at),
                "local_date": _day(at // world.DAY),
                "channel": channel,
                "campaign_id": None,
                "customer_id": one.id,
                "kind": {"service": "query"}.get(kind, kind),
            }
            for kind, channel, at, told in one.other
            if told < world.NIGHTS
        ]
    common = {"direction": "out", "result": "success", "source": "log"}
    return reports.Told(
        events=frame(
            spark,
            "dw.contact_event",
            *(
                {**common, **one, "contact_id": number, "source_record": f"E{number}"}
                for number, one in enumerate(events)
            ),
        ),
        calls=frame(spark, "ods.outbound_call"),
        feedback=frame(
            spark,
            "ods.campaign_feedback",
            *({**one, "feedback_no": f"F{number}"} for number, one in enumerate(feedback)),
        ),
        identity=frame(
            spark,
            "dw.subscriber_identity",
            *(
                {
                    "subscriber_id": _id(f"S{held}{letter}"),
                    "customer_id": (held + later) % count,
                    "valid_from": _instant(changed if later else 0),
                    "valid_to": _instant(changed) if letter == "b" and not later else None,
                }
                for held in range(count)
                for letter, later in (("a", 0), ("b", 0), ("b", 1))
            ),
        ),
    )


def _id(subscriber):
    digest = hashlib.sha256(f"{KEY}|subscriber|{subscriber}".encode()).hexdigest()
    return int(digest[:15], 16)


def _pushed(spark, people):
    rows = [
        (_day(push.night), push.campaign, 1, one.id, one.id, "o", push.channel)
        for one in people
        for push in one.pushes
    ]
    return local_frame(
        spark,
        rows,
        "data_date date, campaign_id string, wave int, customer_id bigint, "
        "subscriber_id bigint, offer string, channel string",
    )
