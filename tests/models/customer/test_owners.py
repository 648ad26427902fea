"""Events of numbers that nobody held: counted by source and day, strange numbers apart."""

from datetime import date, datetime, timedelta, timezone

from models.customer.owners import Unheld, deliveries
from tests.given.frames import local_frame
from tests.given.rows import frame, named

BEIJING = timezone(timedelta(hours=8))
FIRST, SECOND = date(2009, 5, 1), date(2009, 5, 2)
EVENTS = "source string, batch_date date, unheld string"


def identity(spark):
    """Number 138 was held until April; nobody ever held 139."""
    since, until = (datetime(2009, month, 1, tzinfo=BEIJING) for month in (1, 4))
    columns = "subscriber_id msisdn valid_from valid_to"
    return frame(spark, "dw.subscriber_identity", *named(columns, (1, "138", since, until)))


def test_events_without_an_owner_are_counted_by_source_and_day(spark):
    events = [
        *[("voice", FIRST, None)] * 5,
        *[("voice", FIRST, "138")] * 2,
        ("voice", FIRST, "139"),
        *[("voice", SECOND, "139")] * 2,
        ("message", FIRST, None),
    ]
    found = deliveries(local_frame(spark, events, EVENTS), identity(spark))
    assert found == [
        Unheld("message", FIRST, events=1, unheld=0, never_known=0),
        Unheld("voice", FIRST, events=8, unheld=3, never_known=1),
        Unheld("voice", SECOND, events=2, unheld=2, never_known=2),
    ]
    assert [(one.share, one.at_other_times) for one in found] == [(0, 0), (0.375, 2), (1, 0)]


def test_no_events_are_no_deliveries(spark):
    assert deliveries(local_frame(spark, [], EVENTS), identity(spark)) == []
