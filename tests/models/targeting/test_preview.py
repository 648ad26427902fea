"""The counts of a dry run: arms, rules, caps and free channels, from rows after the policy."""

from pyspark.sql import functions as F

from models.targeting.preview import (
    CONTROL,
    TREATED,
    UNIVERSAL,
    candidates,
    preview,
    with_channel_rule,
)
from tests.given.campaigns import campaign
from tests.given.frames import local_frame

JUDGED = (
    "customer_id bigint, campaign_id string, channel string, contact_reasons array<string>, "
    "room array<struct<cap string, left int>>"
)


def test_a_customer_is_one_candidate_for_each_channel(spark):
    members = local_frame(
        spark, [(1, 11), (1, 12), (2, 21)], "customer_id bigint, subscriber_id bigint"
    )
    rows = candidates(members, campaign("saving", channels=("hall", "sms"))).collect()
    assert sorted((row["customer_id"], row["channel"]) for row in rows) == [
        (1, "hall"),
        (1, "sms"),
        (2, "hall"),
        (2, "sms"),
    ]
    assert {row["campaign_id"] for row in rows} == {"saving"}


def test_customers_are_counted_by_arm_free_channels_rule_and_cap(spark):
    """1 may get both, 2 the hall only (SMS is capped), 3 neither, 4 and 5 are held out."""
    members = local_frame(
        spark,
        [(1, 11), (1, 12), (2, 21), (3, 31), (4, 41), (5, 51)],
        "customer_id bigint, subscriber_id bigint",
    )
    late = local_frame(spark, [(12,), (11,), (31,), (99,)], "subscriber_id bigint")
    free, full = [("message", 2)], [("message", 0), ("day", 1)]
    judged = local_frame(
        spark,
        [
            (1, "c", "hall", [], []),
            (1, "c", "sms", [], free),
            (2, "c", "hall", [], []),
            (2, "c", "sms", ["CAP_CHANNEL"], full),
            (3, "c", "hall", ["CONSENT"], []),
            (3, "c", "sms", ["CONSENT", "CAP_CHANNEL"], full),
            (4, "c", "hall", [], []),
            (4, "c", "sms", [], free),
            (5, "c", "hall", [], []),
            (5, "c", "sms", [], free),
        ],
        JUDGED,
    )
    customer = F.col("customer_id")
    found = preview(members, late, judged, customer == 4, customer.isin(4, 5))
    assert (found.reached, found.ordered) == (5, 2)
    assert found.reasons == {
        ("hall", "CONSENT"): 1,
        ("sms", "CONSENT"): 1,
        ("sms", "CAP_CHANNEL"): 2,
    }
    assert found.caps == {("sms", "message"): 2}
    both = ("hall", "sms")
    assert found.groups == {
        (TREATED, both): 1,
        (TREATED, ("hall",)): 1,
        (TREATED, ()): 1,
        (UNIVERSAL, both): 1,
        (CONTROL, both): 1,
    }


def test_a_channel_that_serves_no_number_of_the_customer_is_kept_from_him(spark):
    """The manager knows one of the two numbers of 1, none of 2 and of 3; SMS asks for nothing."""
    members = local_frame(
        spark, [(1, 11), (1, 12), (2, 21), (3, 31)], "customer_id bigint, subscriber_id bigint"
    )
    serving = local_frame(
        spark,
        [(11, []), (12, ["manager"]), (21, [])],
        "subscriber_id bigint, serving array<string>",
    )
    judged = local_frame(
        spark,
        [
            (1, "c", "manager", [], []),
            (2, "c", "manager", ["CAP_ALL"], []),
            (2, "c", "sms", [], []),
            (3, "c", "manager", [], []),
        ],
        JUDGED,
    )
    found = with_channel_rule(judged, members, serving, ["manager"])
    assert found.columns == judged.columns
    assert {(row[0], row["channel"]): row["contact_reasons"] for row in found.collect()} == {
        (1, "manager"): [],
        (2, "manager"): ["CHANNEL", "CAP_ALL"],
        (2, "sms"): [],
        (3, "manager"): ["CHANNEL"],
    }
