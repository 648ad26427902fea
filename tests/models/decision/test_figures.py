"""The figures of a night: what does not add up is found, prices and churn are told."""

from decimal import Decimal

from models.decision import figures
from tests.given.decisions import DAY, DecisionInputs, channels
from tests.given.rows import fits, frame, named

COLUMNS = "customer_id campaign_id wave channel fate first_reason"


def decisions(spark, *rows):
    return frame(spark, "mart.decision", *named(COLUMNS, *rows))


def test_candidates_that_no_decision_explains_are_found(spark):
    sound = (
        (1, "a", 1, "sms", "pushed", None),
        (2, "a", 1, "sms", "dropped", "CONSENT"),
        (3, "a", 1, "web", "spilled", "LOST_CAPACITY"),
    )
    targets = figures.targets(decisions(spark, *sound))
    assert figures.unexplained(targets, decisions(spark, *sound)).collect() == []
    broken = (
        (1, "a", 1, "sms", "pushed", "QUIET"),  # pushed in spite of a rule
        (2, "a", 1, "sms", "dropped", None),  # dropped without a reason
        (4, "b", 2, "hall", "pushed", None),  # nobody's candidate; and that of web is missing
    )
    found = figures.unexplained(targets, decisions(spark, *broken)).collect()
    assert sorted(tuple(row) for row in found) == [
        ("a", 1, "sms", 2),
        ("a", 1, "web", 1),
        ("b", 2, "hall", -1),
    ]


def test_the_funnel_counts_each_first_reason_and_what_is_pushed(spark):
    made = decisions(
        spark,
        (1, "a", 1, "sms", "pushed", None),
        (2, "a", 1, "sms", "pushed", None),
        (2, "a", 1, "web", "dropped", "CAP_ALL"),
        (3, "a", 1, "sms", "dropped", "ELIG"),
    )
    found = fits(figures.funnel(made, DAY), "mart.decision_funnel").collect()
    assert sorted((row.channel, row.stage, row.reason, row.rows) for row in found) == [
        ("sms", 1, "ELIG", 1),
        ("sms", 19, "PUSHED", 2),
        ("web", 12, "CAP_ALL", 1),
    ]


def test_prices_and_the_rivals_stand_in_one_table(spark):
    inputs = DecisionInputs()
    for number in range(1, 6):
        inputs.subscriber(number).match(number, saving=str(10 + number))
    inputs.was_pushed(1, "hotline").was_pushed(9, "sms")
    made = inputs.decision(spark, room=channels(hotline=2, hall=0, sms=1))
    rows = {row.resource: row for row in figures.capacity_prices(made.assignment.summary, DAY)}
    assert list(rows) == ["channel:hall", "channel:hotline", "channel:sms", "TOTAL"]
    hotline, total = rows["channel:hotline"], rows["TOTAL"]
    assert (hotline.capacity, hotline.used, hotline.unit) == (2, 2, "contacts")
    assert hotline.price > 0
    assert hotline.value_plus_one is not None
    assert total.gap == total.bound - total.primal >= 0
    assert total.value >= max(total.value_greedy, total.value_naive, total.value_margin_order)
    assert (total.kept, total.moved, total.gone) == (0, 0, 1)  # 9 is no candidate any more
    assert total.churn == Decimal(1)
