"""Logged choices with what came of them: rows by hand, and a seeded log through the whole way."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from models.learning.logged import judged, policy_values, sums
from tests.given.campaigns import campaign
from tests.given.rows import frame, named

NIGHT, DAY = date(2009, 5, 1), date(2009, 6, 3)  # 30 days of the window and 3 to settle
CHOICE = "data_date customer_id channel rules pushed propensity acceptance worth cost"
RESPONSE = "customer_id arm assigned_on credited"
MADE, LEFT = True, False  # whether the night pushed it
ALWAYS = {"campaign_id": "tariff", "wave": 1}


def choice(customer, channel, rules, pushed, propensity, *, night=NIGHT):
    money = (Decimal("0.1"), Decimal(30), Decimal("0.50"))
    return (night, customer, channel, rules.split(), pushed, Decimal(propensity), *money)


def rows(spark, choices, responses):
    return judged(
        frame(spark, "mart.rule_choice", *({**one, **ALWAYS} for one in named(CHOICE, *choices))),
        frame(
            spark,
            "dw.campaign_response",
            *({**one, **ALWAYS} for one in named(RESPONSE, *responses)),
        ),
        [campaign()],
        DAY,
    )


def test_only_the_first_contact_of_a_wave_counts_and_its_order_is_shared(spark):
    later, before = NIGHT + timedelta(days=1), NIGHT - timedelta(days=1)
    choices = [
        choice(1, "sms", "naive", MADE, "0.5"),
        choice(1, "web", "optimal naive", MADE, "0.9"),  # two contacts of one night
        choice(2, "sms", "naive", MADE, "1"),
        choice(3, "sms", "naive", MADE, "1"),  # he had been assigned before
        choice(4, "sms", "naive", LEFT, "0.1"),
        choice(5, "sms", "naive", LEFT, "0.1"),  # he too
        choice(6, "sms", "naive", MADE, "1"),  # erased since
        choice(7, "sms", "naive", LEFT, "0", night=later),  # his window is open
    ]
    responses = [
        (1, "treated", NIGHT, True),
        (2, "treated", NIGHT, False),
        (3, "treated", before, True),
        (5, "treated", before, True),
        (4, "treated", later, True),
    ]
    made = rows(spark, choices, responses).collect()
    found = {(row.customer_id, row.rules[0]): (row.earned, row.expected) for row in made}
    expected = Decimal("2.50")
    assert found == {
        (1, "naive"): (Decimal("14.50"), expected),
        (1, "optimal"): (Decimal("14.50"), expected),
        (2, "naive"): (Decimal("-0.50"), expected),
        (4, "naive"): (Decimal("29.50"), expected),  # of another night: it does not count below
    }


def test_the_log_of_a_rule_by_hand(spark):
    """Of four contacts of greedy one is impossible; two were made, with p of 1 and 1 in 4."""
    choices = [
        choice(1, "sms", "greedy", MADE, "1"),
        choice(2, "sms", "greedy optimal", MADE, "0.25"),
        choice(3, "sms", "greedy", LEFT, "0.25"),
        choice(4, "sms", "greedy", LEFT, "0"),
    ]
    responses = [(1, "treated", NIGHT, False), (2, "treated", NIGHT, True)]
    found = {row.rule: row.asDict() for row in sums(rows(spark, choices, responses)).collect()}
    assert set(found) == {"greedy", "optimal"}
    greedy = found["greedy"]
    wanted = {"customers": 3, "n": 3, "contacts": 4, "made": 2, "made_by_lot": 1}
    wanted |= {"w": 5, "a": Decimal("117.5"), "z": Decimal("112.5"), "expected": 10}
    wanted |= {"lot_contacts": 2, "lot_orders": Decimal("0.05")}
    # w: 1, 4, 0; a: -0.5, 118, 0; z: 2.5 - 3, 2.5 + 4 × 27, 2.5
    wanted |= {"nn": 3, "ww": 17, "aa": Decimal("13924.25"), "an": Decimal("117.5")}
    wanted |= {"aw": Decimal("471.5"), "zz": Decimal("12216.75"), "zn": Decimal("112.5")}
    assert {name: greedy[name] for name in wanted} == wanted
    values = {one.estimator: one for one in policy_values([greedy], 1, DAY)}
    assert values["doubly_robust"].because == "too_few"
    assert (values["model"].value, values["model"].low) == (Decimal("2.5"), None)
    assert values["inverse_propensity"].support == Decimal("0.75")


def test_a_seeded_log_gives_the_planted_value_of_a_rule_that_never_ran(spark):
    """The night takes SMS, greedy the hall; half of the customers are drawn among both.

    An order is worth 30. In the hall 40 of 100 order, over SMS 10: greedy earns 11.50 a contact.
    """
    draw = np.random.default_rng(29)
    choices, responses = [], []
    for customer in range(1, 1201):
        hall = bool(draw.random() < 0.25)
        ordered = bool(draw.random() < (0.4 if hall else 0.1))
        choices.append(choice(customer, "hall", "greedy", hall, "0.25"))
        choices.append(choice(customer, "sms", "optimal", not hall, "0.75"))
        responses.append((customer, "treated", NIGHT, ordered))
    added = [row.asDict() for row in sums(rows(spark, choices, responses)).collect()]
    found = {(one.rule, one.estimator): one for one in policy_values(added, 1, DAY)}
    for estimator in ("inverse_propensity", "self_normalised", "doubly_robust"):
        greedy, ours = found["greedy", estimator], found["optimal", estimator]
        assert greedy.because is None
        assert greedy.low < Decimal("11.5") < greedy.high
        assert ours.low < Decimal("2.5") < ours.high < greedy.low
        assert greedy.made == greedy.made_by_lot
    assert found["greedy", "model"].value == Decimal("2.5")  # it knows nothing of the hall


def test_no_rows_say_nothing(spark):
    assert policy_values(sums(rows(spark, [], [])).collect(), 0, DAY) == []
