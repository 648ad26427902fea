"""Alarms of acceptance: by hand, and how often they are false and found in seeded seasons."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from models.learning.drift import HIGHER, LOWER, drifts, judged, outcomes
from tests.given.decisions import BEIJING, DAY
from tests.given.rows import frame, named

WEIGHT, NIGHTS, LEVEL = 200, 28, Decimal("0.01")


def cell(channel, contacts, orders, expected):
    (made,) = named(
        "campaign_id offer channel contacts orders expected",
        ("tariff", "gotone_58", channel, contacts, orders, expected),
    )
    return made


def told(cells, known=None, level=LEVEL):
    made = drifts(
        cells, known or {}, weight=WEIGHT, least=50, level=level, data_date=date(2009, 5, 30)
    )
    return {one.channel: one for one in made}


def test_the_range_is_that_of_contacts_and_of_what_was_learnt():
    """Uniform beliefs: after weight 2 and 50 %, each number of orders of 99 is equally likely."""
    low, high, p = judged(99, 4, 49.5, 2, 0.09)
    assert (low, high) == (4, 95)
    assert p == pytest.approx(2 * 5 / 100)


def test_much_more_or_less_than_expected_is_an_alarm_with_its_name():
    expected = Decimal(20)
    found = told(
        [
            cell("sms", 1000, 20, expected),
            cell("web", 1000, 90, expected),
            cell("hall", 4000, 3, expected * 4),
            cell("email", 49, 49, Decimal(1)),  # too few contacts
        ]
    )
    assert {name: one.alarm for name, one in found.items()} == {
        "sms": None,
        "web": HIGHER,
        "hall": LOWER,
    }
    assert found["sms"].low < 20 < found["sms"].high < 90


def test_what_is_known_from_many_contacts_is_trusted_more():
    few = told([cell("sms", 1000, 34, Decimal(20))])["sms"]
    many = told([cell("sms", 1000, 34, Decimal(20))], {("tariff", "gotone_58", "sms"): 100_000})[
        "sms"
    ]
    assert few.p > many.p
    assert many.high < few.high


def season(seed, seasons, cells, *, change=1.0, nights=60, a_night=8):
    """Seasons of nights that learn, as the acceptance step does; p of the last NIGHTS at the end.

    The true acceptance of a cell is drawn as the configured one and its weight say, and is `change`
    times as great in the last NIGHTS.
    """
    draw = np.random.default_rng(seed)
    shape, prior = (seasons, cells), 0.06
    true = draw.beta(prior * WEIGHT, (1 - prior) * WEIGHT, shape)
    seen, orders = np.zeros(shape), np.zeros(shape)
    expected, late = np.zeros(shape), np.zeros(shape)
    for night in range(nights):
        recent = night >= nights - NIGHTS
        predicted = (orders + WEIGHT * prior) / (seen + WEIGHT)
        new = draw.binomial(a_night, true * (change if recent else 1.0))
        if recent:
            expected, late = expected + a_night * predicted, late + new
        seen, orders = seen + a_night, orders + new
    learnt = (nights - NIGHTS) * a_night + WEIGHT
    _, _, p = judged(NIGHTS * a_night, late, expected, learnt, float(LEVEL) / cells)
    return (p < float(LEVEL) / cells).any(axis=1).mean()


@pytest.mark.parametrize("cells", [1, 20])
def test_without_drift_at_most_one_night_in_100_has_an_alarm(cells):
    false = season(29, 20_000 // cells, cells)
    most = float(LEVEL) + 3 * np.sqrt(float(LEVEL) / (20_000 // cells))
    assert false <= most


def test_acceptance_that_falls_to_nothing_or_trebles_is_found():
    assert season(30, 1000, 1, change=3.0, a_night=20) > 0.9
    assert season(31, 1000, 1, change=0.0, a_night=20) > 0.9


def test_outcomes_are_what_was_predicted_when_pushed_last(spark):
    """Contacts of customers 1 to 3: two over SMS, one accepted; 3 expired and is none."""
    when = datetime(2009, 5, 3, 10, tzinfo=BEIJING)
    columns = "batch_date contact_id customer_id channel campaign_id offer state source happened_at"

    def contact(customer, source="sms_log"):
        freed = (DAY, customer, customer, "sms", "tariff", "gotone_58", "freed", source, when)
        made = (DAY, customer + 90, customer, "sms", "tariff", None, "made", source, when)
        return named(columns, freed, *([made] if source != "expiry" else []))

    history = [*contact(1), *contact(2), *contact(3, "expiry")]
    accepted = named(
        "batch_date customer_id channel campaign_id outcome", (DAY, 2, "sms", "tariff", "accepted")
    )
    chosen = "data_date customer_id campaign_id offer channel pushed acceptance"
    days = [date(2009, 5, 1), date(2009, 5, 2), DAY]
    choices = named(
        chosen,
        (days[0], 1, "tariff", "gotone_58", "sms", True, Decimal("0.03")),
        (days[1], 1, "tariff", "gotone_58", "sms", True, Decimal("0.04")),
        (days[2], 1, "tariff", "gotone_58", "sms", True, Decimal("0.90")),  # after the contact
        (days[1], 2, "tariff", "gotone_58", "sms", True, Decimal("0.05")),
        (days[1], 2, "tariff", "gotone_58", "hall", False, Decimal("0.50")),
    )
    (row,) = outcomes(
        frame(spark, "dw.contact_history", *history),
        frame(spark, "dw.contact_outcome", *accepted),
        frame(spark, "mart.rule_choice", *choices),
    ).collect()
    assert (row.contacts, row.orders, row.expected) == (2, 1, Decimal("0.09"))


def test_a_season_without_learning_is_judged_by_the_exact_distribution():
    """Against scipy's own draws of the beta-binomial, not its tails."""
    draw = np.random.default_rng(7)
    rate = stats.beta(12, 188).rvs(40_000, random_state=draw)
    orders = draw.binomial(224, rate)
    low, high, p = judged(224, orders, 224 * 0.06, WEIGHT, 0.01)
    assert (p < 0.01).mean() <= 0.01
    assert (orders < low).mean() <= 0.005 + 0.001
    assert (orders > high).mean() <= 0.005 + 0.001
