"""Which wave of a campaign is due: a table of histories, each with the wave in words."""

from datetime import date, datetime

import pytest

from models.decision import waves
from schemas.config.campaign import LaterWave
from tests.given.campaigns import campaign
from tests.given.decisions import BEIJING
from tests.given.frames import local_frame
from tests.given.rows import frame, named

DAY = date(2009, 5, 20)
CARD = campaign(
    "card",
    later_waves=(
        LaterWave(2, "not_reached", ("sms",), date(2009, 5, 10), date(2009, 6, 1)),
        LaterWave(3, "touched", ("hotline",)),
    ),
)
WHEN = datetime(2009, 5, 4, 10, tzinfo=BEIJING)


def pushed(wave, *, freed=True):
    states = ["reserved", "freed"] if freed else ["reserved"]
    return [(100 + wave, "card", wave, state) for state in states]


def made(wave=None, campaign_id="card"):
    return [(200 + (wave or 0), campaign_id, wave, "made")]


LATE = [*pushed(1), *pushed(2, freed=False), *made(1)]
CASES = [
    ("never pushed: the first wave", [], [], 1),
    ("the list is open: none", pushed(1, freed=False), [], None),
    ("ended, nobody reached: the second wave", pushed(1), [], 2),
    ("reached, nothing ordered: the third wave", [*pushed(1), *made(1)], [], 3),
    ("reached and ordered: none", [*pushed(1), *made(1)], ["accepted"], None),
    ("refused is not ordered: the third wave", [*pushed(1), *made(1)], ["refused"], 3),
    ("second wave not reached either: none is left", [*pushed(1), *pushed(2)], [], None),
    ("second wave reached: the third", [*pushed(1), *pushed(2), *made(2)], [], 3),
    ("the third has ended: none", [*pushed(1), *made(1), *pushed(3)], [], None),
    ("touched by a log without our list: the third", made(), [], 3),
    ("a contact of another campaign says nothing", made(campaign_id="other"), [], 1),
    ("told late of a contact, the second list is open: none", LATE, [], None),
    ("ordered by itself: none", [], ["accepted"], None),
]


def due(spark, cases, one=CARD, day=DAY):
    """Customer number → wave, for one customer a case."""
    contacts, outcomes = [], []
    for number, (_, history, answers, _) in enumerate(cases):
        contacts += named(
            "customer_id contact_id campaign_id wave state happened_at",
            *(
                (number, number * 1000 + contact, name, wave, state, WHEN)
                for contact, name, wave, state in history
            ),
        )
        outcomes += named(
            "customer_id campaign_id outcome", *((number, "card", answer) for answer in answers)
        )
    members = local_frame(
        spark,
        [(number, [number], "because") for number in range(len(cases))],
        "customer_id bigint, subscriber_ids array<bigint>, entered_because string",
    )
    found = waves.due(
        members,
        one,
        frame(spark, "dw.contact_history", *contacts),
        frame(spark, "dw.contact_outcome", *outcomes),
        day,
    )
    assert found.columns == ["customer_id", "subscriber_ids", "entered_because", "wave"]
    return {row.customer_id: row.wave for row in found.collect()}


def test_the_wave_follows_from_what_came_of_the_waves_before(spark):
    found = due(spark, CASES)
    said = {name: found.get(number) for number, (name, *_) in enumerate(CASES)}
    assert said == {name: wave for name, _, _, wave in CASES}


@pytest.mark.parametrize(
    ("day", "wave"),
    [
        (date(2009, 5, 9), None),
        (date(2009, 5, 10), 2),
        (date(2009, 5, 31), 2),
        (date(2009, 6, 1), None),
    ],
)
def test_a_wave_runs_from_its_first_day_to_before_its_last(spark, day, wave):
    assert due(spark, [("", pushed(1), [], None)], day=day) == ({0: wave} if wave else {})


def test_a_campaign_without_later_waves_has_its_own_for_everybody(spark):
    assert due(spark, CASES, campaign("card")) == dict.fromkeys(range(len(CASES)), 1)
