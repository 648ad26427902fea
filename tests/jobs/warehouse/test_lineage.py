"""Which slices have to be made again when one has changed, from the plan and a ledger alone."""

from datetime import date, timedelta

import pytest

from jobs.plan.night import night
from jobs.plan.slices import slices_of
from jobs.warehouse.ledger import COMMITTED, Ledger
from jobs.warehouse.lineage import Lineage, Slice
from schemas.window import Window

MONTHS = (date(2009, 3, 1), date(2009, 4, 1))
CLOSES = (date(2009, 4, 3), date(2009, 5, 3))  # of March and April


@pytest.fixture(scope="module")
def steps(conf):
    return night(conf)


class Nights:
    """Nights that have run: every step of the plan, committed for windows."""

    def __init__(self, conf, contracts, steps) -> None:
        self.conf, self.contracts, self.steps = conf, contracts, steps
        self.ledger = Ledger("nights", conf.fingerprint)
        self.held: dict[date, set[date]] = {}
        self.lineage = Lineage(
            conf,
            contracts,
            steps,
            self.ledger,
            lambda table, day: self.held.get(day, {day.replace(day=1)}),
        )

    def run(self, first, last=None, only=()):
        window = Window(first, last or first)
        for step in self.steps:
            if step.due(window, self.conf) and (not only or step.name in only):
                for table, source, slice_ in slices_of(self.conf, self.contracts, step, window):
                    self.ledger.write(step.name, table, slice_, COMMITTED, source=source)
        return self

    def touched(self, table, source, day, late=False):
        found = {}
        for one, _ in self.lineage.derived_from([Slice(table, source, day)], late=late):
            found.setdefault(one.source or one.table, []).append(one.day)
        return {name: sorted(days) for name, days in found.items()}


@pytest.fixture
def nights(conf, contracts, steps):
    return Nights(conf, contracts, steps)


def day(number, month=5):
    return date(2009, month, number)


def days(first, last):
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_a_contact_log_touches_its_day_and_every_later_snapshot(nights):
    for one in days(day(11), day(14)):
        nights.run(one)
    touched = nights.touched("ods.complaint", "complaint", day(12))
    assert touched["dw.contact_event"] == [day(12)]
    assert (
        touched["dw.contact_view"]
        == touched["mart.channel_preference"]
        == [day(12), day(13), day(14)]
    )
    assert touched.pop("complaint") == [day(13), day(14)]  # where a line may be repeated
    # A later night may tell the same contact again.
    assert touched.pop("dw.contact_history") == [day(12), day(13), day(14)]
    assert touched.pop("dw.contact_outcome") == [day(12), day(13), day(14)]
    assert touched.pop("mart.acceptance") == [day(12), day(13), day(14)]  # counts go on
    assert set(touched) == {"dw.contact_event", "dw.contact_view", "mart.channel_preference"}


def test_what_was_decided_and_sent_stays(nights):
    nights.run(day(3))
    touched = nights.touched("ods.customer", "customer", day(3))
    assert {"dw.subscriber", "mart.channel_preference"} <= set(touched)
    assert not [name for name in touched if name.startswith("push.") or name == "mart.decision"]


def test_a_customer_file_touches_what_refers_to_it_but_nothing_through_it(nights):
    """Whether a bill's rows change is known once its delivery is read again."""
    nights.run(day(2)).run(day(3))
    touched = nights.touched("ods.subscriber", "subscriber", day(2))
    assert touched["bill"] == touched["bill_item"] == [day(3)]
    assert touched["dw.subscriber_identity"] == [day(2), day(3)]
    assert touched["dw.contact_event"] == touched["dw.usage_day"] == [day(2), day(3)]


def test_days_of_a_history_were_made_of_the_snapshot_at_its_end(nights):
    nights.run(day(1), day(10)).run(day(11))
    touched = nights.touched("ods.customer", "customer", day(4))
    assert touched["dw.subscriber_identity"] == [day(10), day(11)]
    assert touched["dw.contact_event"] == days(day(1), day(11))


@pytest.mark.parametrize(("back", "again"), [(1, True), (7, True), (8, False)])
def test_a_delivery_is_touched_by_another_of_its_source_in_the_look_back(nights, back, again):
    nights.run(day(20))
    touched = nights.touched("ods.voice_call", "voice", day(20) - timedelta(days=back))
    assert ("voice" in touched) == again


def test_another_source_of_the_same_record_is_not_touched(nights):
    nights.run(day(20)).run(day(21))
    assert "message" not in nights.touched("ods.voice_call", "voice", day(20))


def test_usage_touches_the_months_of_its_events_and_what_was_priced_of_them(nights):
    nights.run(day(1, 3), CLOSES[0]).run(day(4, 4), CLOSES[1]).run(day(4))
    touched = nights.touched("ods.voice_call", "voice", day(15, 4))
    assert touched["dw.usage_month"] == [MONTHS[1]]
    assert touched["mart.package_quote"] == touched["mart.backtest"] == [CLOSES[1]]
    nights.held[day(2, 4)] = set(MONTHS)  # calls of March that came late are in it, too
    touched = nights.touched("ods.voice_call", "voice", day(2, 4))
    assert touched["dw.usage_month"] == list(MONTHS)
    assert touched["mart.package_match"] == list(CLOSES)


def test_parts_of_sessions_touch_the_nights_that_look_back_to_them(nights):
    for one in days(day(10), day(20)):
        nights.run(one)
    assert nights.touched("ods.data_session", "data", day(12))["dw.usage_day"] == days(
        day(12), day(19)
    )
    assert nights.touched("ods.voice_call", "voice", day(12))["dw.usage_day"] == [day(12)]


def test_rows_of_contacts_touch_the_nights_around_them_when_they_are_late(nights):
    for one in days(day(4), day(20)):
        nights.run(one)
    assert nights.touched("ods.web_view", "web_log", day(12))["dw.contact_event"] == days(
        day(12), day(19)
    )
    assert nights.touched("ods.web_view", "web_log", day(12), late=True)[
        "dw.contact_event"
    ] == days(day(5), day(19))


def test_usage_after_the_last_close_touches_no_month(nights):
    nights.run(day(1, 3), CLOSES[1]).run(day(4)).run(day(5))
    nights.held[day(4)] = {MONTHS[1]}
    touched = nights.touched("ods.voice_call", "voice", day(4))
    assert touched["dw.usage_day"] == [day(4)]
    assert "dw.usage_month" not in touched


def test_a_month_is_made_again_at_the_close_that_made_it_last(nights, steps):
    nights.run(day(1, 3), CLOSES[0]).run(day(4, 4), CLOSES[1])
    nights.ledger.invalidate("dw.usage_month", str(MONTHS[0]), "", "test")
    (step,) = [step for step in steps if step.name == "usage_month"]
    assert nights.lineage.windows(step) == [Window(CLOSES[1], CLOSES[1])]
    nights.ledger.write("usage_month", "dw.usage_month", str(MONTHS[0]), COMMITTED)
    assert nights.lineage.windows(step) == []


def test_a_snapshot_whose_own_are_not_kept_any_more_stays(nights):
    nights.run(day(2)).run(day(3))
    for table in ("dw.subscriber", "dw.subscriber_identity"):
        del nights.ledger.committed[table, ""][str(day(2))]
    touched = nights.touched("ods.complaint", "complaint", day(2))
    assert touched["mart.channel_preference"] == [day(3)]
    assert touched["dw.contact_view"] == [day(2), day(3)]


def test_days_are_made_again_together_where_they_are_made_of_the_same_snapshot(nights, steps):
    nights.run(day(1), day(4)).run(day(5)).run(day(6))
    for one in (day(1), day(3), day(4), day(5), day(6)):
        nights.ledger.invalidate("dw.contact_event", str(one), "", "test")
    (step,) = [step for step in steps if step.name == "contact_event"]
    assert nights.lineage.windows(step) == [
        Window(day(1), day(1)),
        Window(day(3), day(4)),
        Window(day(5), day(5)),
        Window(day(6), day(6)),
    ]
    assert nights.lineage.windows(step, besides=Window(day(5), day(6))) == [
        Window(day(1), day(1)),
        Window(day(3), day(4)),
    ]


def test_a_reason_names_the_delivery_that_has_changed(nights):
    nights.run(day(11)).run(day(12))
    changed = Slice("ods.complaint", "complaint", day(11))
    assert (
        dict(nights.lineage.derived_from([changed]))[Slice("dw.contact_view", "", day(12))]
        == changed
    )


# -- what of a month that closed before has to be made again ---------------------------------------


def made_of(nights, month, version, written):
    """A month of the cube made of a version of dw.usage_day, whose days were written in others."""
    nights.ledger.write(
        "usage_month", "dw.usage_month", str(month), COMMITTED, versions={"dw.usage_day": version}
    )
    for one, output in written.items():
        nights.ledger.write("usage_day", "dw.usage_day", str(one), COMMITTED, output_version=output)
    return nights.lineage.days_since("dw.usage_month", month, "dw.usage_day")


def test_deliveries_after_a_close_are_what_has_come_since(nights):
    assert made_of(nights, MONTHS[1], 5, {day(2): 4, day(3): 5, day(4): 6, day(9): 7}) == [
        day(4),
        day(9),
    ]


def test_nothing_has_come_since(nights):
    assert made_of(nights, MONTHS[1], 5, {day(2): 4, day(3): 5}) == []


def test_a_day_made_again_makes_its_month_whole(nights):
    """The third closes April: what was delivered up to that day is in it."""
    assert made_of(nights, MONTHS[1], 5, {day(3): 6, day(4): 7}) is None


def test_a_month_that_is_stale_or_was_never_made_is_made_whole(nights):
    assert nights.lineage.days_since("dw.usage_month", MONTHS[1], "dw.usage_day") is None
    assert made_of(nights, MONTHS[1], 5, {day(2): 4}) == []
    nights.ledger.invalidate("dw.usage_month", str(MONTHS[1]), "", "test")
    assert nights.lineage.days_since("dw.usage_month", MONTHS[1], "dw.usage_day") is None
