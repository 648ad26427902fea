"""Each rule of the contact policy, on frames and for one customer alike."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from models.contact_policy import one_customer, rules
from models.contact_policy.compiled import CODES, compiled, local_second
from models.contact_policy.one_customer import Candidate, Closed, Consent, Contact, Person
from models.decision.policy import STAGES
from schemas.config import Channel
from schemas.config.channel import LoggedAs
from tests.given.contact_policies import ZONE, at, contacts, frames, said

FAMILIES = {
    "rests": {
        "refusals": {
            "outcome": "refused",
            "times": 2,
            "within": "30d",
            "rest": "60d",
            "classes": ["marketing"],
        }
    },
    "families": {"tariff": {"campaigns": ["saving", "upgrade"], "apart": "30d"}},
    "exclusive": {"gift": ["gift_a", "gift_b"]},
    "sequences": {"trial": {"first": "trial", "then": "purchase"}},
    "sensitivity": {
        "pitch": {
            "fact": "tariff_level",
            "levels": ["high"],
            "classes": ["marketing"],
            "channels": ["hotline"],
        }
    },
}


def sms(when, **more):
    return Contact("marketing", "intrusive", "sms", at(when), at(when), **more)


def call(when, **more):
    return Contact("marketing", "intrusive", "hotline", at(when), at(when), **more)


def web(when, **more):
    return Contact("marketing", "pull", "web", at(when), at(when), **more)


def reserved(since, until, channel="sms", **more):
    return Contact("marketing", "intrusive", channel, at(since), at(until), made=False, **more)


def planned(
    when, channel="sms", class_="marketing", campaign="spring", offer="gotone_58", until=None
):
    return Candidate(class_, channel, at(when), at(until or when), campaign, offer)


@dataclass(frozen=True)
class Case:
    """`left`: slots by cap; None: not looked at. `retry`: the first window with room."""

    name: str
    person: Person
    candidate: Candidate
    reasons: tuple[str, ...] = ()
    left: dict | None = None
    retry: str | None = "not looked at"


def person(*made, **more):
    return Person(contacts=made, **more)


CALLED = Channel("hotline", "外呼", 1, Decimal(2), logged_as=LoggedAs("telephone", "out"))
WORKED_AS = {"hotline": CALLED}

CASES = [
    Case(
        "closed under the name that customers know",
        person(closed=[Closed("telephone", "marketing", at("05-01 00:00"))]),
        planned("05-10 10:00", "hotline"),
        ("CONSENT",),
    ),
    Case("nothing known", person(), planned("05-10 10:00"), left={"message": 2, "week": 3}),
    Case(
        "cap 0 means never",
        person(),
        planned("05-10 10:00", "email"),
        ("CAP_CHANNEL",),
        {"never": 0, "week": 3},
        None,
    ),
    Case(
        "two messages within 72 hours",
        person(sms("05-08 10:00"), sms("05-09 10:00")),
        planned("05-10 10:00"),
        ("CAP_CHANNEL",),
        {"message": 0, "week": 1},
        "05-11 10:00",
    ),
    Case(
        "a window less one minute",
        person(sms("05-07 10:01"), sms("05-09 10:00")),
        planned("05-10 10:00"),
        ("CAP_CHANNEL",),
        retry="05-10 10:01",
    ),
    Case(
        "a whole window",
        person(sms("05-07 10:00"), sms("05-09 10:00")),
        planned("05-10 10:00"),
        left={"message": 1, "week": 1},
        retry="05-10 10:00",
    ),
    Case(
        "a window and one minute",
        person(sms("05-07 09:59"), sms("05-09 10:00")),
        planned("05-10 10:00"),
        left={"message": 1, "week": 1},
    ),
    Case(
        "three contacts in a week over any channel",
        person(sms("05-04 10:00"), call("05-05 10:00"), web("05-06 23:59")),
        planned("05-10 10:00", "hotline"),
        ("CAP_ALL",),
        {"week": 0},
        "05-11 10:00",
    ),
    Case(
        "both caps are full, and the first window with room opens in the quiet hours",
        person(call("05-03 21:30"), sms("05-08 10:00"), sms("05-09 10:00")),
        planned("05-10 10:00"),
        ("CAP_CHANNEL", "CAP_ALL"),
        {"message": 0, "week": 0},
        "05-11 10:00",
    ),
    Case(
        "retry in the first window with room: at the next opening",
        person(call("05-03 21:30"), call("05-05 10:00"), call("05-06 10:00")),
        planned("05-10 10:00", "hotline"),
        ("CAP_ALL",),
        retry="05-11 09:00",
    ),
    Case(
        "a day begins at midnight: 23:59",
        person(web("05-09 23:59")),
        planned("05-10 00:00", "web"),
        left={"week": 2, "day": 1},
    ),
    Case(
        "a day begins at midnight: 00:00",
        person(web("05-10 00:00")),
        planned("05-10 00:01", "web"),
        ("CAP_CHANNEL",),
        {"week": 2, "day": 0},
        "05-11 00:00",
    ),
    Case(
        "a day ends at midnight: 00:01 of the next one",
        person(web("05-11 00:01")),
        planned("05-10 23:59", "web"),
        left={"week": 2, "day": 1},
    ),
    Case(
        "an exempt class that counts uses a slot",
        person(*(Contact("care", "pull", "web", at(day), at(day)) for day in ("05-08 10:00",) * 3)),
        planned("05-10 10:00"),
        ("CAP_ALL",),
        {"message": 2, "week": 0},
    ),
    Case(
        "an exempt class that counts is never dropped by a cap",
        person(sms("05-08 10:00"), sms("05-09 10:00"), sms("05-10 09:00")),
        planned("05-10 10:00", class_="care"),
        left={},
        retry="05-10 10:00",
    ),
    Case(
        "a limited class that does not count uses no slot",
        person(
            *(Contact("survey", "pull", "web", at(day), at(day)) for day in ("05-09 10:00",) * 9)
        ),
        planned("05-10 10:00"),
        left={"message": 2, "week": 3},
    ),
    Case(
        "a limited class that does not count is dropped by a cap",
        person(sms("05-08 10:00"), sms("05-09 10:00")),
        planned("05-10 10:00", class_="survey"),
        ("CAP_CHANNEL",),
    ),
    Case(
        "contacts on both sides that no window holds together",
        person(sms("05-08 10:00"), sms("05-12 10:00")),
        planned("05-10 10:00"),
        left={"message": 1, "week": 1},
    ),
    Case(
        "a reservation of the future fills a window that the contact opens",
        person(sms("05-09 10:00"), reserved("05-11 10:00", "05-11 20:00")),
        planned("05-10 10:00"),
        ("CAP_CHANNEL",),
        {"message": 0, "week": 1},
        "05-12 10:00",
    ),
    Case(
        "a list may be worked at any time of its days",
        person(reserved("05-01 10:00", "05-09 10:00"), reserved("05-01 10:00", "05-09 10:00")),
        planned("05-10 10:00"),
        ("CAP_CHANNEL",),
        {"message": 0, "week": 1},
        "05-12 10:00",
    ),
    Case(
        "a candidate's own list reaches into a later window",
        person(sms("05-11 10:00"), sms("05-12 10:00")),
        planned("05-08 09:00", until="05-10 09:00"),
        ("CAP_CHANNEL",),
    ),
    Case(
        "a candidate of one moment, before that window",
        person(sms("05-11 10:00"), sms("05-12 10:00")),
        planned("05-08 10:00"),
        left={"message": 2, "week": 1},
    ),
    Case(
        "no consent",
        person(consent=[Consent("marketing", granted=False, since=at("01-01 00:00"))]),
        planned("05-10 10:00"),
        ("CONSENT",),
    ),
    Case(
        "consent of another class",
        person(consent=[Consent("survey", granted=False, since=at("01-01 00:00"))]),
        planned("05-10 10:00"),
    ),
    Case(
        "consent that has ended",
        person(
            consent=[
                Consent(
                    "marketing", granted=False, since=at("01-01 00:00"), until=at("05-10 10:00")
                )
            ]
        ),
        planned("05-10 10:00"),
    ),
    Case(
        "do not contact over this channel",
        person(closed=[Closed("sms", "marketing", at("05-01 00:00"))]),
        planned("05-10 10:00"),
        ("CONSENT",),
    ),
    Case(
        "do not contact over another channel, for another class, or no more",
        person(
            closed=[
                Closed("web", None, at("05-01 00:00")),
                Closed(None, "care", at("05-01 00:00")),
                Closed(None, None, at("05-01 00:00"), at("05-10 10:00")),
                Closed(None, None, at("05-10 10:01")),
            ]
        ),
        planned("05-10 10:00"),
    ),
    Case("a sensitive number", person(sensitive=True), planned("05-10 10:00"), ("SENSITIVE",)),
    Case(
        "sensitive to tariffs, at the desk",
        person(levels={"tariff_level": "high"}),
        planned("05-10 10:00", "hotline"),
        ("SENSITIVE",),
    ),
    Case(
        "sensitive to tariffs, by message",
        person(levels={"tariff_level": "high"}),
        planned("05-10 10:00"),
    ),
    Case(
        "two refusals in 30 days: 60 days of rest",
        person(outcomes=[("refused", at("03-01 10:00")), ("refused", at("03-31 09:59"))]),
        planned("05-30 09:58"),
        ("SUPPRESSED",),
    ),
    Case(
        "two refusals in 30 days: after the rest",
        person(outcomes=[("refused", at("03-01 10:00")), ("refused", at("03-31 09:59"))]),
        planned("05-30 09:59"),
    ),
    Case(
        "two refusals that are 30 days apart",
        person(outcomes=[("refused", at("03-01 10:00")), ("refused", at("03-31 10:00"))]),
        planned("04-01 10:00"),
    ),
    Case(
        "a refusal and another outcome",
        person(outcomes=[("refused", at("03-01 10:00")), ("accepted", at("03-02 10:00"))]),
        planned("03-03 10:00"),
    ),
    Case(
        "another campaign of the family",
        person(web("04-20 10:00", campaign="upgrade")),
        planned("05-10 10:00", campaign="saving"),
        ("CONFLICT",),
    ),
    Case(
        "another offer of the same campaign",
        person(reserved("05-01 10:00", "05-02 10:00", campaign="saving", offer="gotone_88")),
        planned("05-10 10:00", campaign="saving"),
        ("CONFLICT",),
    ),
    Case(
        "the same offer once more",
        person(reserved("05-01 10:00", "05-02 10:00", campaign="saving", offer="gotone_58")),
        planned("05-10 10:00", campaign="saving"),
    ),
    Case(
        "another campaign of the family, a month ago",
        person(web("04-10 10:00", campaign="upgrade")),
        planned("05-10 10:00", campaign="saving"),
    ),
    Case(
        "never the one with the other",
        person(web("01-10 10:00", campaign="gift_a")),
        planned("05-10 10:00", campaign="gift_b"),
        ("CONFLICT",),
    ),
    Case(
        "the second before the first",
        person(reserved("05-10 09:00", "05-12 10:00", campaign="trial")),
        planned("05-10 10:00", campaign="purchase"),
        ("CONFLICT",),
    ),
    Case(
        "the second after the first",
        person(web("05-01 10:00", campaign="trial")),
        planned("05-10 10:00", campaign="purchase"),
    ),
    Case("before the hours", person(), planned("05-10 08:59"), ("QUIET",), retry="05-10 09:00"),
    Case("at their begin", person(), planned("05-10 09:00")),
    Case("at their end", person(), planned("05-10 20:00"), ("QUIET",), retry="05-11 09:00"),
    Case(
        "everything at once, in the order of the stages",
        person(
            *(sms("05-10 07:00"), sms("05-10 06:00"), call("05-10 05:00", campaign="upgrade")),
            outcomes=[("refused", at("05-01 10:00")), ("refused", at("05-02 10:00"))],
            closed=[Closed(None, None, at("05-01 00:00"))],
            sensitive=True,
        ),
        planned("05-10 08:00", campaign="saving"),
        CODES,
        {"message": 0, "week": 0},
        "05-17 09:00",
    ),
]


@pytest.fixture(scope="module")
def policy():
    return compiled(contacts(**FAMILIES), WORKED_AS)


@pytest.fixture(scope="module")
def in_frames(spark, policy):
    """The verdicts of all cases in one batch; by the name of the case."""
    people = dict(enumerate(case.person for case in CASES))
    candidates, facts = frames(spark, people, [(no, one.candidate) for no, one in enumerate(CASES)])
    found = rules.judged(candidates, facts, policy, ZONE).collect()
    assert len(found) == len(CASES)
    return {CASES[row["no"]].name: row for row in found}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_rule_for_one_customer(case, policy):
    found = one_customer.judged(case.person, case.candidate, policy)
    assert found.reasons == case.reasons
    if case.left is not None:
        assert {one.cap: one.left for one in found.room} == case.left
    if case.retry != "not looked at":
        assert said(found.retry_at) == case.retry


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_rule_over_frames(case, policy, in_frames):
    found = in_frames[case.name]
    assert tuple(found["contact_reasons"]) == case.reasons
    if case.left is not None:
        assert {one["cap"]: one["left"] for one in found["room"]} == case.left
    if case.retry != "not looked at":
        retry = found["retry_at"]
        assert said(retry and local_second(retry.astimezone(), ZONE)) == case.retry
    alone = one_customer.judged(case.person, case.candidate, policy)
    assert found["slots"] == alone.slots
    assert [
        (one["cap"], one["opens_at"] and local_second(one["opens_at"].astimezone(), ZONE))
        for one in found["room"]
    ] == [(one.cap, one.opens_at) for one in alone.room]


def test_the_codes_are_in_the_order_of_the_stages():
    assert [code for code in STAGES if code in CODES] == list(CODES)
