"""What a season really did: effects against no contact, caps, wrong pushes, and costs."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from jobs.synthetic import province as synthetic
from jobs.synthetic.season import truth
from jobs.synthetic.season.province import Season
from models.synthetic.season.answers import Memory, Push, Touch
from schemas import config
from tests.given.paths import CONF

FIRST, NIGHT, UNTIL = date(2009, 4, 1), date(2009, 5, 3), date(2009, 5, 31)
CONFIGURED = config.load([CONF])
RINGBACK = "outbound_ringback"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The people of a small province, who have not been contacted yet."""
    folder = tmp_path_factory.mktemp("season")
    province = synthetic.plan(CONFIGURED, 7, 12, FIRST, UNTIL)
    return Season(province, CONFIGURED, 1.0, NIGHT, UNTIL, folder / "landing", folder / "push")


@pytest.fixture
def season(made):
    made.pushes, made.touches, made.memory = [], [], Memory()
    return made


def numbers(season, day=NIGHT):
    return sorted((who, number) for who, number in season.numbers(day + timedelta(days=1)))


def push(number, campaign=RINGBACK, channel="hotline_outbound", day=NIGHT, wave=1):
    return Push(campaign, wave, channel, number, "ringback_tone", day)


def contact(season, who, moment, channel="hotline_outbound", *, reached=True):
    season.touches.append(
        Touch(
            push("", channel=channel),
            who,
            moment,
            reached=reached,
            accepted=False,
            refusal=None,
            complains=False,
            objects=False,
            calls_back=False,
        )
    )


def test_an_effect_is_who_ordered_less_who_would_have_ordered_anyway(season):
    people = numbers(season)
    season.pushes = [push(number) for _, number in people]
    would = {who for who, _ in people if season.natural_in(RINGBACK, who, *_window(10))}
    moved = [who for who, _ in people if who not in would][:3]
    days = (NIGHT + timedelta(days=1), NIGHT + timedelta(days=10), NIGHT + timedelta(days=11))
    for who, day in zip(moved, days, strict=True):  # the last one orders after the window
        season.memory.accepted[RINGBACK, who] = day
    (effect,) = truth.effects(season, 10)
    assert (effect.campaign, effect.wave, effect.pushed) == (RINGBACK, 1, len(people))
    assert (effect.ordered, effect.without) == (len(would) + 2, len(would))
    assert effect.uplift == pytest.approx(2 / len(people))


def _window(days):
    return NIGHT + timedelta(days=1), days


def test_a_window_that_has_not_closed_tells_nothing(season):
    ((_, number), *_) = numbers(season)
    season.pushes = [push(number, day=UNTIL - timedelta(days=10))]
    assert len(truth.effects(season, 10)) == 1
    season.pushes = [push(number, day=UNTIL - timedelta(days=9))]
    assert truth.effects(season, 10) == []


def test_only_the_first_push_of_a_wave_opens_a_window(season):
    ((_, number), *_) = numbers(season)
    season.pushes = [
        push(number),
        push(number, day=NIGHT + timedelta(days=5)),
        push(number, wave=2),
    ]
    assert [(one.wave, one.pushed) for one in truth.effects(season, 10)] == [(1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("apart", "broken"), [(timedelta(hours=71, minutes=59), 1), (timedelta(hours=72), 0)]
)
def test_two_interruptions_within_72_hours_break_a_cap(season, apart, broken):
    ((who, _), *_) = numbers(season)
    first = datetime.combine(NIGHT, time(10))
    contact(season, who, first)
    contact(season, who, first + apart, "sms")
    assert truth.violations(season) == broken


def test_a_contact_that_was_not_made_breaks_nothing(season):
    ((who, _), *_) = numbers(season)
    moment = datetime.combine(NIGHT, time(10))
    for _ in range(3):
        contact(season, who, moment, reached=False)
    assert truth.violations(season) == 0


def test_contacts_and_attempts_cost_what_their_channels_cost(season):
    """A call that nobody answers was made all the same; a row that is only listed costs nothing."""
    ((who, number), *_) = numbers(season)
    season.pushes = [push(number, channel="hall")]
    moment = datetime.combine(NIGHT, time(10))
    contact(season, who, moment, reached=False)
    contact(season, who, moment, "sms")
    assert truth.cost(CONFIGURED, season.touches) == Decimal("2.10")


def test_without_contacts_only_who_is_active_on_the_day_would_have_ordered(tmp_path, monkeypatch):
    """Everybody would order the ring-back tone on one day: 6 months of a margin of 5 yuan."""
    province = synthetic.plan(CONFIGURED, 7, 60, FIRST, UNTIL)
    season = Season(province, CONFIGURED, 1.0, NIGHT, UNTIL, tmp_path, tmp_path)

    def ordered(campaign, who, first):
        return first if campaign == RINGBACK else None

    planted = type("Planted", (), {"natural_day": staticmethod(ordered)})()
    monkeypatch.setattr(season, "planted", planted)
    active = [who for who in season.people if season.active(who, NIGHT)]
    assert 0 < len(active) < len(season.people)
    assert sorted(active) == [who for who, _ in sorted(season.numbers(NIGHT))]
    assert truth.value_without(season) == 30 * len(active)
