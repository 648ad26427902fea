"""Who never gets anything: the furthest stage of the best candidate, by brand."""

from datetime import date

from models.decision.policy import STAGES
from models.decision.unserved import unserved
from tests.given.rows import frame, named

NIGHTS = [date(2009, 5, day) for day in (1, 2, 3)]


def fell_out(spark, *decisions):
    """(reason, brand, customers), in order. Customer n holds the subscribers n0 and n1."""
    subscribers = frame(
        spark,
        "dw.subscriber",
        *named(
            "customer_id subscriber_id brand",
            (1, 10, "gotone"),
            (1, 11, "mzone"),
            (2, 20, "mzone"),
            (3, 30, "gotone"),
            (4, 40, None),
        ),
    )
    rows = frame(
        spark,
        "mart.decision",
        *named("data_date customer_id subscriber_id fate first_reason", *decisions),
    )
    found = unserved(rows, subscribers, STAGES).collect()
    return sorted((row["reason"], row["brand"] or "", row["customers"]) for row in found)


def test_the_furthest_stage_of_any_night_counts(spark):
    assert fell_out(
        spark,
        (NIGHTS[0], 1, 10, "dropped", "CONSENT"),
        (NIGHTS[1], 1, 11, "spilled", "LOST_CAPACITY"),
        (NIGHTS[2], 1, 10, "dropped", "CAP_ALL"),
        (NIGHTS[0], 2, 20, "dropped", "CAP_ALL"),
        (NIGHTS[2], 2, 20, "pushed", None),
        (NIGHTS[0], 3, 30, "held_out", "HOLD_UNIVERSAL"),
        (NIGHTS[1], 3, 30, "dropped", "NO_SAVING"),
    ) == [
        ("HOLD_UNIVERSAL", "gotone", 1),
        ("LOST_CAPACITY", "mzone", 1),
        ("NO_CANDIDATE", "", 1),
    ]


def test_a_customer_without_any_candidate_is_counted_once(spark):
    assert fell_out(spark, (NIGHTS[0], 2, 20, "pushed", None)) == [
        ("NO_CANDIDATE", "", 1),
        ("NO_CANDIDATE", "gotone", 2),
    ]


def test_a_customer_who_has_left_is_counted_without_a_brand(spark):
    found = fell_out(spark, *((NIGHTS[0], who, 10 * who, "pushed", None) for who in (1, 2, 3, 4)))
    assert found == []
    gone = fell_out(
        spark,
        *((NIGHTS[0], who, 10 * who, "pushed", None) for who in (1, 2, 3, 4)),
        (NIGHTS[0], 9, 90, "dropped", "STATUS"),
    )
    assert gone == [("STATUS", "", 1)]
