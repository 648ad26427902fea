"""By which figures a delivery is judged, from the counts of each of its days."""

from datetime import date, timedelta

import pytest

from models.intake import delivery_metrics
from models.intake.verdict import Check

DAY = date(2009, 5, 3)
BEFORE = DAY - timedelta(days=1)
BAD, ODD = Check("fee: not readable", None), Check("city: unknown", None, "warning")
UNLISTED = Check("toll: a code that is not listed", None, "warning", unlisted=True)
NOWHERE = Check("subscriber_no: no such record", None, refers=True)
PLAIN = {
    "accepted": 0,
    "rejected": 0,
    "duplicate": 0,
    "late": 0,
    "warned": 0,
    "unreferenced": 0,
    "unlisted": 0,
    "unread": 0,
    "newest": None,
    "check_0": 0,
    "check_1": 0,
    "check_2": 0,
}


def judged(delivered, counts, drifts=None, checks=(BAD, ODD)):
    counts = {day: {**PLAIN, **seen} for day, seen in counts.items()}
    return delivery_metrics.metrics(delivered, counts, checks, drifts or {})


def test_an_empty_delivery_is_faultless():
    assert judged({DAY: 0}, {}) == {
        "delivered": 0,
        "accepted": 0,
        "rejected": 0,
        "duplicate": 0,
        "rows_against_control": 0,
        "reject_share": 0,
        "duplicate_share": 0,
        "warning: city: unknown": 0,
    }


def test_shares_are_of_all_days_and_lost_rows_of_each_day():
    found = judged(
        {BEFORE: 6, DAY: 4},
        {
            BEFORE: {"accepted": 5, "rejected": 0, "late": 1, "newest": BEFORE},  # one row lost
            DAY: {"accepted": 3, "rejected": 1, "duplicate": 1, "late": 1, "newest": DAY},
        },
    )  # one more
    assert found["rows_against_control"] == 2, "what is lost on one day is not found on another"
    assert (found["reject_share"], found["late_share"]) == (0.1, 0.25)
    assert "missing_reference_share" not in found, "the record refers to nothing"


def test_rows_that_refer_to_what_is_nowhere_are_a_share_of_the_delivered():
    found = judged(
        {DAY: 4},
        {DAY: {"accepted": 3, "rejected": 1, "unreferenced": 1}},
        checks=(BAD, ODD, NOWHERE),
    )
    assert found["missing_reference_share"] == 0.25


def test_rows_kept_with_a_code_of_no_list_are_a_share_of_the_delivered_and_have_a_reason():
    counts = {
        DAY: {
            "accepted": 3,
            "rejected": 1,
            "warned": 3,
            "unlisted": 2,
            "check_0": 1,
            "check_1": 1,
            "check_2": 2,
        }
    }
    found = judged({DAY: 4}, counts, checks=(BAD, ODD, UNLISTED))
    assert found["unlisted_code_share"] == 0.5
    assert found["warning: toll: a code that is not listed"] == 2
    assert delivery_metrics.reasons(counts, (BAD, ODD, UNLISTED)) == {
        UNLISTED.reason: 2,
        BAD.reason: 1,
    }
    assert "unlisted_code_share" not in judged({DAY: 4}, counts), "the source keeps no such row"


def test_rows_kept_without_a_value_are_a_share_of_the_delivered_and_have_a_reason():
    unread = Check("birth_date: present but not readable", None, "warning", unread=True)
    counts = {DAY: {"accepted": 4, "unread": 3, "check_0": 0, "check_1": 0, "check_2": 3}}
    found = judged({DAY: 4}, counts, checks=(BAD, ODD, unread))
    assert found["unreadable_share"] == 0.75
    assert delivery_metrics.reasons(counts, (BAD, ODD, unread)) == {unread.reason: 3}
    assert "unreadable_share" not in judged({DAY: 4}, counts), "the source keeps no such row"


def test_the_newest_event_is_that_of_the_day_that_is_worst():
    found = judged(
        {BEFORE: 1, DAY: 1},
        {BEFORE: {"accepted": 1, "newest": BEFORE}, DAY: {"accepted": 1, "newest": BEFORE}},
    )
    assert found["newest_event_age"] == 1


@pytest.mark.parametrize(
    ("ratios", "worst"), [((0.9, 1.2), 1.2), ((0.4, 2.0), 0.4), ((3.0, 0.0), 0.0)]
)
def test_volume_is_that_of_the_day_farthest_from_the_usual(ratios, worst):
    drifts = dict(zip((BEFORE, DAY), ratios, strict=True))
    found = judged({DAY: 1}, {}, {"volume_drift": drifts, "rows_band": {}})
    assert found["volume_drift"] == worst
    assert "rows_band" not in found


def test_reasons_are_those_of_rejects_the_commonest_first():
    counts = {
        BEFORE: {"check_0": 2, "check_1": 9, "check_2": 1},
        DAY: {"check_0": 0, "check_1": 0, "check_2": 3},
    }
    assert list(delivery_metrics.reasons(counts, (BAD, ODD, NOWHERE)).items()) == [
        (NOWHERE.reason, 4),
        (BAD.reason, 2),
    ]
    assert delivery_metrics.reasons({DAY: {"check_0": 0}}, (BAD,)) == {}
