"""dw.contact_history: what was made and reserved, told late, twice or never."""

import hashlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import functions as F

from models.contact_policy import history, reports
from models.contact_policy.compiled import compiled
from schemas.window import Window
from tests.given.contact_policies import POLICY, ZONE, contacts
from tests.given.frames import local_frame
from tests.given.rows import fits, frame

KEY = "a-key"
LISTS = {
    **POLICY["channels"],
    "sms": {
        "way": "intrusive",
        "contact_at": "10:00",
        "listed_for": "10h",
        "report_within": "2d",
    },
    "hotline": {
        "way": "intrusive",
        "contact_at": "09:00",
        "listed_for": "3d",
        "report_within": "1d",
    },
}
RULES = compiled(
    contacts(
        channels=LISTS,
        classes={
            **POLICY["classes"],
            "service": {**POLICY["classes"]["service"], "kinds": ["query", "enquiry"]},
        },
    ),
    {},
)


def instant(text):
    return datetime.strptime(f"2008-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE))


def day(text):
    return date.fromisoformat(f"2008-{text}")


class Night:
    """What is delivered and pushed; customer 1 holds S1 and then S2, customer 2 holds S1 later."""

    def __init__(self, spark):
        self.spark, self.events, self.calls, self.feedback, self.pushed = spark, [], [], [], []

    def event(self, told, when, *, channel="sms", campaign="spring", customer=1, **more):
        number = f"E{len(self.events)}"
        self.events.append(
            {
                "batch_date": day(told),
                "contact_id": 100 + len(self.events),
                "customer_id": customer,
                "channel": channel,
                "direction": "out",
                "kind": "marketing",
                "occurred_at": instant(when),
                "local_date": instant(when).date(),
                "result": "success",
                "campaign_id": campaign,
                "wave": 1,
                "source": "log",
                "source_record": number,
                **more,
            }
        )
        return number

    def call(self, told, when, outcome, **more):
        reached = outcome not in ("busy", "no_answer")
        result = "success" if reached else "not_reached"
        number = self.event(told, when, channel="hotline", result=result, **more)
        self.calls.append(
            {"source": "log", "batch_date": day(told), "call_no": number, "outcome": outcome}
        )

    def answer(self, told, when, *, subscriber="S1", channel="sms", **more):
        self.feedback.append(
            {
                "batch_date": day(told),
                "source": "feedback",
                "feedback_no": f"F{len(self.feedback)}",
                "campaign_id": "spring",
                "wave": 1,
                "subscriber_no": subscriber,
                "channel": channel,
                "occurred_at": instant(when),
                "local_date": instant(when).date(),
                "contacted": True,
                "accepted": None,
                "handled": False,
                "refusal": None,
                **more,
            }
        )

    def push(self, night, *, channel="sms", customer=1, campaign="spring", subscriber=11):
        self.pushed.append((day(night), campaign, 1, customer, subscriber, "gotone_58", channel))

    def reported(self):
        def subscriber(name):
            text = f"{KEY}|subscriber|{name}"
            return int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)

        held = [
            ("S1", 1, "01-01 00:00", "05-20 00:00"),
            ("S2", 1, "01-01 00:00", None),
            ("S1", 2, "05-20 00:00", None),
        ]
        owners = frame(
            self.spark,
            "dw.subscriber_identity",
            *(
                {
                    "subscriber_id": subscriber(name),
                    "msisdn": f"1380000000{no}",
                    "customer_id": customer,
                    "valid_from": instant(since),
                    "valid_to": until and instant(until),
                }
                for no, (name, customer, since, until) in enumerate(held)
            ),
        )
        told = reports.Told(
            events=frame(self.spark, "dw.contact_event", *self.events),
            calls=frame(self.spark, "ods.outbound_call", *self.calls),
            feedback=frame(self.spark, "ods.campaign_feedback", *self.feedback),
            identity=owners,
        )
        return reports.reports(told, RULES, {}, KEY)

    def history(self, first="05-01", last="05-31"):
        pushed = local_frame(
            self.spark,
            self.pushed,
            "data_date date, campaign_id string, wave int, customer_id bigint, "
            "subscriber_id bigint, offer string, channel string",
        )
        return history.contact_history(
            self.reported(),
            pushed,
            RULES,
            classes={"spring": "marketing"},
            window=Window(day(first), day(last)),
            key=KEY,
        )

    def states(self, **window):
        """(night, customer, channel, instant, state, source), in this order."""
        return sorted(
            (
                f"{row['batch_date']:%m-%d}",
                row["customer_id"],
                row["channel"],
                f"{row['happened_at'].astimezone(ZoneInfo(ZONE)):%m-%d %H:%M}",
                row["state"],
                row["source"],
            )
            for row in self.history(**window).collect()
        )


@pytest.fixture
def night(spark):
    return Night(spark)


def test_a_contact_of_a_log_and_its_feedback_are_one(night):
    night.event("05-02", "05-02 10:00")
    night.answer("05-02", "05-02 10:05")
    night.answer("05-04", "05-02 10:06")
    assert night.states() == [("05-02", 1, "sms", "05-02 10:00", "made", "log")]


def test_feedback_that_comes_before_the_log_tells_the_contact_first(night):
    night.answer("05-02", "05-02 10:05")
    night.event("05-03", "05-02 10:00")
    night.event("05-03", "05-02 15:00")
    assert night.states() == [
        ("05-02", 1, "sms", "05-02 10:05", "made", "feedback"),
        ("05-03", 1, "sms", "05-02 15:00", "made", "log"),
    ]


def test_feedback_without_a_log_is_a_contact_and_told_twice_still_one(night):
    night.answer("05-02", "05-02 10:05", subscriber="S2")
    night.answer("05-03", "05-02 10:06", subscriber="S1")
    assert night.states() == [("05-02", 1, "sms", "05-02 10:05", "made", "feedback")]


def test_contacts_of_other_directions_and_attempts_are_none(night):
    night.event("05-02", "05-02 10:00", direction="in")
    night.event("05-02", "05-02 10:00", customer=None)
    night.call("05-02", "05-02 10:00", "no_answer")
    night.answer("05-02", "05-02 10:00", contacted=False)
    assert night.states() == []


def test_a_number_that_changed_hands_counts_for_who_held_it_then(night):
    night.answer("05-25", "05-19 23:59")
    night.answer("05-25", "05-20 00:00")
    assert [state[1:4] for state in night.states()] == [
        (1, "sms", "05-19 23:59"),
        (2, "sms", "05-20 00:00"),
    ]


def test_a_push_reserves_the_next_day_and_a_report_frees_it(night):
    night.push("05-01")
    night.event("05-02", "05-02 10:00")
    assert night.states() == [
        ("05-02", 1, "sms", "05-02 10:00", "freed", "log"),
        ("05-02", 1, "sms", "05-02 10:00", "made", "log"),
        ("05-02", 1, "sms", "05-02 10:00", "reserved", "push"),
    ]


def test_a_list_that_is_never_worked_expires(night):
    night.push("05-01")
    night.push("05-01", channel="hotline")
    assert night.states() == [
        ("05-02", 1, "hotline", "05-02 09:00", "reserved", "push"),
        ("05-02", 1, "sms", "05-02 10:00", "reserved", "push"),
        ("05-04", 1, "sms", "05-04 20:00", "freed", "expiry"),
        ("05-06", 1, "hotline", "05-06 09:00", "freed", "expiry"),
    ]


def test_a_late_report_does_not_free_what_has_expired(night):
    night.push("05-01")
    night.event("05-09", "05-02 11:00")
    assert [state[0:1] + state[3:] for state in night.states()] == [
        ("05-02", "05-02 10:00", "reserved", "push"),
        ("05-04", "05-04 20:00", "freed", "expiry"),
        ("05-09", "05-02 11:00", "made", "log"),
    ]


def test_an_attempt_leaves_the_reservation_and_feedback_ends_it(night):
    night.push("05-01", channel="hotline")
    night.call("05-02", "05-02 10:00", "busy")
    night.answer("05-03", "05-03 10:00", channel="hotline", contacted=False)
    assert [state[0:1] + state[3:] for state in night.states()] == [
        ("05-02", "05-02 09:00", "reserved", "push"),
        ("05-03", "05-03 10:00", "freed", "feedback"),
    ]


def test_one_report_frees_one_of_two_lists(night):
    night.push("05-01", channel="hotline")
    night.push("05-02", channel="hotline")
    night.call("05-03", "05-03 10:00", "refused")
    assert [state[0:1] + state[3:] for state in night.states()] == [
        ("05-02", "05-02 09:00", "reserved", "push"),
        ("05-03", "05-03 09:00", "reserved", "push"),
        ("05-03", "05-03 10:00", "freed", "log"),
        ("05-03", "05-03 10:00", "made", "log"),
        ("05-06", "05-06 09:00", "freed", "expiry"),
    ]


def test_night_by_night_is_equal_to_all_nights_at_once(night):
    for number in range(1, 9):
        night.push(f"05-0{number}", channel="hotline" if number % 2 else "sms")
        night.answer(f"05-1{number}", f"05-0{number} 12:00", channel="hotline")
        night.event(f"05-0{number}", f"05-0{number} 11:00", channel="sms")
    whole = night.states(first="05-02", last="05-19")
    one = timedelta(days=1)
    nights = [
        state
        for number in range(18)
        for state in night.states(
            first=f"{day('05-02') + number * one:%m-%d}",
            last=f"{day('05-02') + number * one:%m-%d}",
        )
    ]
    assert sorted(nights) == whole
    assert len(whole) > 20


def test_what_stands_are_contacts_and_open_reservations(night):
    night.push("05-01", channel="hotline")
    night.push("05-03", channel="sms")
    night.event("05-04", "05-04 11:00")
    night.push("05-06", channel="hotline")
    stands = history.standing(fits(night.history(last="05-07"), "dw.contact_history"))
    assert sorted((row["state"], row["channel"]) for row in stands.collect()) == [
        ("made", "sms"),
        ("reserved", "hotline"),
    ]


def test_outcomes_are_told_once(night):
    night.call("05-02", "05-02 10:00", "refused")
    night.answer("05-02", "05-02 10:05", channel="hotline", refusal="price")
    night.answer("05-03", "05-02 10:05", channel="hotline", accepted=False)
    night.call("05-04", "05-04 10:00", "do_not_disturb")
    night.call("05-04", "05-04 10:00", "no_answer")
    night.answer("05-04", "05-04 12:00", handled=True)
    night.answer("05-04", "05-04 12:00", contacted=False, refusal="other")
    in_may = F.col("batch_date") < "2008-06-01"
    told = fits(reports.outcomes(night.reported(), in_may), "dw.contact_outcome")
    assert told.count() == 4
    found = history.outcomes(told).collect()
    assert sorted(
        (row["outcome"], row["happened_at"].astimezone(ZoneInfo(ZONE)).day) for row in found
    ) == [
        ("accepted", 4),
        ("do_not_disturb", 4),
        ("refused", 2),
    ]
