"""The contact view: every contact once, and night by night equal to all at once."""

from datetime import date, datetime, timedelta, timezone

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.contact.event import contact_event, linked
from models.contact.view import KIND_COUNTS, contact_view
from schemas.window import Window
from tests.given.rows import fits, frame, named

BEIJING = timezone(timedelta(hours=8))
DAY = date(2009, 5, 3)


def at(hour):
    return datetime(2009, 5, 1, tzinfo=BEIJING) + timedelta(hours=hour)


def contact_row(contact_no, msisdn, channel="hall", kind="enquiry", hour=8, source="hall_log"):
    return {
        "contact_no": contact_no,
        "msisdn": msisdn,
        "channel": channel,
        "kind": kind,
        "business_code": "bill_query",
        "occurred_at": at(hour),
        "local_date": date(2009, 5, 1),
        "duration_s": 60,
        "campaign_id": "tariff_2009_05",
        "wave": 2,
        "source": source,
    }


def complaint_row(complaint_no, msisdn, channel="hotline", about=None, hour=9):
    return {
        "complaint_no": complaint_no,
        "msisdn": msisdn,
        "channel": channel,
        "about_channel": about,
        "occurred_at": at(hour),
        "local_date": date(2009, 5, 1),
        "closed_at": None,
        "source": "complaint",
    }


def events_of(spark, contacts=(), complaints=(), **others):
    """Number 138 is customer 1's until hour 10, then customer 2's."""
    identity = frame(
        spark,
        "dw.subscriber_identity",
        *named(
            "subscriber_id msisdn customer_id valid_from valid_to",
            (11, "138", 1, at(0), at(10)),
            (12, "138", 2, at(10), None),
        ),
    )
    logs = {
        "ods.contact": frame(spark, "ods.contact", *contacts),
        "ods.complaint": frame(spark, "ods.complaint", *complaints),
        **others,
    }
    contacts = linked(
        logs, identity, window=Window(DAY, DAY), lookback_days={}, placeholders=["", "0"]
    )
    return fits(contact_event(contacts, "k"), "dw.contact_event")


def event(
    customer_id=1,
    channel="hall",
    kind="enquiry",
    hour=1,
    *,
    result="success",
    about=None,
    duration=60,
):
    return {
        "customer_id": customer_id,
        "channel": channel,
        "kind": kind,
        "result": result,
        "about_channel": about,
        "duration_s": duration,
        "occurred_at": at(hour),
    }


def view_of(spark, events, previous=None):
    view = contact_view(previous, frame(spark, "dw.contact_event", *events), data_date=DAY)
    return fits(view, "dw.contact_view")


def counts(view, *names):
    return {
        (row.customer_id, row.channel): tuple(row[name] for name in names) for row in view.collect()
    }


def test_every_source_contact_appears_once_resolved_or_not(spark):
    events = events_of(
        spark,
        [
            contact_row("H1", "138", hour=9),
            contact_row("H2", "138", hour=10),
            contact_row("H3", "0"),
            contact_row("H4", None),
            contact_row("H5", "139"),
            contact_row("H1", "138", hour=9, source="hotline_log", channel="hotline"),
        ],
        [complaint_row("P1", "138", hour=11)],
    ).collect()
    assert {
        (row.source, row.source_record): (row.customer_id, row.subscriber_id) for row in events
    } == {
        ("hall_log", "H1"): (1, 11),
        ("hall_log", "H2"): (2, 12),  # the number changed hands at this instant
        ("hall_log", "H3"): (None, None),  # a placeholder
        ("hall_log", "H4"): (None, None),
        ("hall_log", "H5"): (None, None),  # a number nobody holds
        ("hotline_log", "H1"): (1, 11),  # another source may use the same record number
        ("complaint", "P1"): (2, 12),
    }
    assert len(events) == 7
    assert len({row.contact_id for row in events}) == 7


def test_a_complaint_is_a_contact_of_the_channel_over_which_it_came(spark):
    row = events_of(spark, [], [complaint_row("P1", "138", "hotline", about="sms")]).first()
    assert (row.channel, row.direction, row.kind, row.business_code, row.about_channel) == (
        "hotline",
        "in",
        "complaint",
        "tariff",
        "sms",
    )
    assert row.batch_date == DAY


def test_a_contact_keeps_its_facts_and_leaves_employee_and_number_behind(spark):
    events = events_of(spark, [contact_row("H1", "138", kind="transaction")], [])
    row = events.first()
    assert (
        row.kind,
        row.business_code,
        row.duration_s,
        row.result,
        row.location,
        row.campaign_id,
        row.wave,
    ) == ("transaction", "bill_query", 60, "success", "中关村营业厅", "tariff_2009_05", 2)
    assert not {"msisdn", "employee"} & set(events.columns)


def test_the_view_counts_by_kind_and_the_kinds_add_up(spark):
    kinds = tuple(KIND_COUNTS)
    view = view_of(
        spark,
        [
            event(
                kind=kind,
                hour=n,
                result="success" if n % 2 else "failed",
                duration=None if n else 5,
            )
            for n, kind in enumerate(kinds)
        ]
        + [event(kind="query", hour=30)],
    )
    row = view.first()
    assert view.count() == 1
    assert [row[name] for name in KIND_COUNTS.values()] == [
        2 if kind == "query" else 1 for kind in kinds
    ]
    assert row.contacts == 7
    assert row.successes == 4
    assert row.duration_s == 65
    assert row.first_contact_at.astimezone(BEIJING) == at(0)
    assert row.last_contact_at.astimezone(BEIJING) == at(30)


def test_a_complaint_counts_where_it_came_and_against_what_it_is_about(spark):
    view = view_of(
        spark,
        [
            event(channel="hotline", kind="complaint", about="hall"),
            event(channel="hotline", kind="complaint", about=None),
            event(channel="sms", kind="marketing", about=None),
        ],
    )
    assert counts(view, "contacts", "complaints", "complaints_about") == {
        (1, "hotline"): (2, 2, 1),  # not said what it is about: the channel it came over
        (1, "hall"): (0, 0, 1),  # never used, complained about
        (1, "sms"): (1, 0, 0),
    }
    blamed = view.where("channel = 'hall'").first()
    assert blamed.last_contact_at is None
    assert blamed.duration_s == 0


def test_a_contact_of_nobody_we_know_is_not_in_the_view(spark):
    assert counts(view_of(spark, [event(customer_id=None), event()]), "contacts") == {
        (1, "hall"): (1,)
    }


def test_a_night_without_events_carries_the_view_over(spark):
    before = view_of(spark, [event(), event(kind="complaint", about="web")])
    after = contact_view(
        before, frame(spark, "dw.contact_event"), data_date=DAY + timedelta(days=1)
    )
    assert sorted(after.drop("data_date").collect(), key=str) == sorted(
        before.drop("data_date").collect(), key=str
    )
    assert {row.data_date for row in after.collect()} == {DAY + timedelta(days=1)}


contacts_of_any_kind = st.lists(
    st.builds(
        event,
        customer_id=st.sampled_from([1, 2, None]),
        channel=st.sampled_from(["hall", "sms"]),
        kind=st.sampled_from(sorted(KIND_COUNTS)),
        hour=st.integers(0, 50),
        result=st.sampled_from(["success", "failed", None]),
        about=st.sampled_from(["hall", "web", None]),
        duration=st.none() | st.integers(0, 900),
    ),
    max_size=25,
)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(nights=st.lists(contacts_of_any_kind, min_size=1, max_size=3))
def test_night_by_night_equals_all_at_once(spark, nights):
    view = None
    for night in nights:
        view = view_of(spark, night, view)
    at_once = view_of(spark, [entry for night in nights for entry in night])
    assert sorted(view.collect(), key=str) == sorted(at_once.collect(), key=str)
