"""Who owns a number when: recycled numbers, overlaps, placeholders, stable ids."""

import hashlib
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.customer import identity
from tests.given.frames import local_frame
from tests.given.rows import fits, frame, named

KEY = "demonstration"
DAY = date(2009, 5, 3)
BEIJING = timezone(timedelta(hours=8))
EVENT_ROW = "event string, msisdn string, occurred_at timestamp"
PARTY_ROW = "source string, party string"


def at(day, second=0):
    """An instant of 2009, days counted from 1 January, Beijing time."""
    return datetime(2009, 1, 1, tzinfo=BEIJING) + timedelta(days=day, seconds=second)


def subscriber_row(
    subscriber_no,
    msisdn,
    start,
    end=None,
    *,
    customer_no=None,
    status="active",
    changed=0,
    batch=date(2009, 1, 1),
    row=1,
):
    return {
        "subscriber_no": subscriber_no,
        "customer_no": customer_no or f"C-{subscriber_no}",
        "msisdn": msisdn,
        "status": status,
        "valid_from": at(start),
        "valid_to": None if end is None else at(end),
        "changed_at": at(changed),
        "source": "subscriber",
        "row_no": row,
        "batch_date": batch,
    }


def identity_of(spark, rows, parties=None, placeholders=()):
    event_parties = None if parties is None else local_frame(spark, parties, PARTY_ROW)
    known = identity.subscriber_identity(
        frame(spark, "ods.subscriber", *rows),
        event_parties,
        key=KEY,
        data_date=DAY,
        placeholders=placeholders,
    )
    return fits(known, "dw.subscriber_identity")


def expected_id(kind, natural_key):
    digest = hashlib.sha256(f"{KEY}|{kind}|{natural_key}".encode()).hexdigest()
    return int(digest, 16) >> (256 - 60)


def intervals(known):
    return sorted(
        (row.msisdn, row.subscriber_id, instant(row.valid_from), instant(row.valid_to))
        for row in known.collect()
    )


def instant(collected):
    """A collected timestamp (naive, in the zone of this machine) with its zone."""
    return None if collected is None else collected.astimezone(BEIJING)


def owners_at(spark, known, events, placeholders=("", "0", "unknown")):
    linked = identity.as_of(local_frame(spark, events, EVENT_ROW), known, placeholders)
    return sorted((row.event, row.subscriber_id) for row in linked.collect())


S1, S2 = expected_id("subscriber", "S1"), expected_id("subscriber", "S2")


def test_an_id_is_the_first_60_bits_of_the_keyed_sha256(spark):
    row = identity_of(spark, [subscriber_row("S1", "138", 0)]).first()
    assert row.subscriber_id == S1
    assert row.customer_id == expected_id("customer", "C-S1")
    assert 0 <= row.subscriber_id < 2**60


def test_ids_of_one_natural_key_differ_by_key_and_by_kind(spark):
    from pyspark.sql import functions as F

    ids = (
        spark.range(1)
        .select(
            identity.keyed_id("subscriber", F.lit("7"), key="a"),
            identity.keyed_id("subscriber", F.lit("7"), key="b"),
            identity.keyed_id("customer", F.lit("7"), key="a"),
            identity.keyed_id("customer", F.lit(None), key="a"),
        )
        .first()
    )
    assert len(set(ids)) == 4
    assert ids[3] is None


def test_two_natural_keys_under_one_id_are_shown_and_a_repeated_one_is_not(spark):
    pairs = local_frame(spark, [(1, "S1"), (1, "S9"), (2, "S2"), (2, "S2")], "id int, no string")
    clashes = identity.collisions(pairs, "id", ["no"]).collect()
    assert sorted(tuple(row) for row in clashes) == [(1, "S1"), (1, "S9")]


def test_natural_keys_name_every_subscriber_customer_and_party_once(spark):
    rows = [
        subscriber_row("S1", "138", 0, 5, customer_no="C1"),
        subscriber_row("S1", "139", 5, customer_no="C1"),
    ]
    keys = identity.natural_keys(
        frame(spark, "ods.subscriber", *rows),
        local_frame(spark, [("calls", "p1"), ("texts", "p1")], PARTY_ROW),
        key=KEY,
        data_date=DAY,
    )
    assert sorted(tuple(row) for row in keys.collect()) == sorted(
        [
            (S1, "subscriber", "S1"),
            (expected_id("customer", "C1"), "customer", "C1"),
            (expected_id("party", "p1"), "party", "p1"),
        ]
    )
    assert identity.collisions(keys, "id", ["kind", "natural_key"]).count() == 0


def test_a_recycled_number_resolves_to_its_owner_at_that_time(spark):
    known = identity_of(
        spark,
        [
            subscriber_row("S1", "138", 0, 10),
            subscriber_row("S2", "138", 20),
        ],
    )
    assert owners_at(
        spark,
        known,
        [
            ("before anybody", "138", at(-1)),
            ("first owner, first instant", "138", at(0)),
            ("first owner, last second", "138", at(9, 86399)),
            ("valid_to itself: nobody's", "138", at(10)),
            ("between the two", "138", at(15)),
            ("second owner", "138", at(20)),
            ("second owner, open end", "138", at(300)),
            ("a number nobody knows", "139", at(5)),
        ],
    ) == sorted(
        [
            ("before anybody", None),
            ("first owner, first instant", S1),
            ("first owner, last second", S1),
            ("valid_to itself: nobody's", None),
            ("between the two", None),
            ("second owner", S2),
            ("second owner, open end", S2),
            ("a number nobody knows", None),
        ]
    )


def test_the_instant_of_handing_over_belongs_to_the_next_owner(spark):
    known = identity_of(
        spark,
        [
            subscriber_row("S1", "138", 0, 10),
            subscriber_row("S2", "138", 10),
        ],
    )
    assert owners_at(spark, known, [("handover", "138", at(10))]) == [("handover", S2)]


def test_an_interval_left_open_ends_where_the_next_owner_begins(spark):
    known = identity_of(
        spark,
        [
            subscriber_row("S1", "138", 0),
            subscriber_row("S2", "138", 10, 20),
        ],
    )
    assert intervals(known) == sorted(
        [
            ("138", S1, at(0), at(10)),
            ("138", S2, at(10), at(20)),
        ]
    )


def test_of_two_owners_from_one_instant_the_one_changed_last_stays(spark):
    known = identity_of(
        spark,
        [
            subscriber_row("S1", "138", 0, changed=3),
            subscriber_row("S2", "138", 0, changed=2),
        ],
    )
    assert intervals(known) == [("138", S1, at(0), None)]


def test_blank_and_placeholder_numbers_never_link_even_when_files_claim_them(spark):
    placeholders = ("", "0", "unknown")
    known = identity_of(spark, [subscriber_row("S1", "0", 0), subscriber_row("S2", "138", 0)])
    assert owners_at(
        spark,
        known,
        [
            ("zero", "0", at(1)),
            ("blank", "  ", at(1)),
            ("none", None, at(1)),
            ("a word in capitals", "UNKNOWN", at(1)),
            ("a number", "138", at(1)),
        ],
        placeholders,
    ) == sorted(
        [
            ("zero", None),
            ("blank", None),
            ("none", None),
            ("a word in capitals", None),
            ("a number", S2),
        ]
    )
    kept_out = identity_of(spark, [subscriber_row("S1", "0", 0)], placeholders=placeholders)
    assert kept_out.count() == 0


def test_the_last_change_of_an_interval_counts_then_the_first_delivered_row(spark):
    rows = [
        subscriber_row("S1", "138", 0, changed=1, row=1),
        subscriber_row("S1", "139", 0, changed=2, row=7),
        subscriber_row("S1", "137", 0, changed=2, row=8),
        subscriber_row("S2", "136", 0, changed=4, batch=DAY),
        subscriber_row("S2", "135", 0, changed=5, batch=DAY + timedelta(days=1)),
    ]
    assert intervals(identity_of(spark, rows)) == sorted(
        [
            ("136", S2, at(0), None),
            ("139", S1, at(0), None),
        ]
    )


def test_a_party_of_events_is_one_open_interval_whatever_sources_know_it(spark):
    known = identity_of(
        spark,
        [subscriber_row("S1", "138", 0)],
        parties=[
            ("calls", "p1"),
            ("texts", "p1"),
            ("calls", "0"),
            ("calls", None),
            ("calls", "138"),
        ],
        placeholders=("0",),
    )
    party = [row for row in known.collect() if row.msisdn == "p1"]
    assert len(party) == 1
    assert known.count() == 2
    assert party[0].subscriber_id == party[0].customer_id == expected_id("party", "p1")
    assert party[0].valid_to is None
    epoch = known.where("msisdn = 'p1' and unix_timestamp(valid_from) = 0")
    assert epoch.count() == 1


def test_a_subscriber_has_the_state_that_holds_at_the_end_of_the_day(spark):
    rows = [
        subscriber_row("S1", "138", 0, 50, status="active", changed=0),
        subscriber_row("S1", "138", 50, status="suspended", changed=50),
        subscriber_row("S2", "139", 122, changed=90),  # begins at 3 May 00:00: on the day
        subscriber_row("S3", "137", 123, changed=90),  # begins at 4 May 00:00: not yet
        subscriber_row("S4", "136", 0, 10, changed=10),  # his number is gone, his state is kept
    ]
    customers = named(
        "customer_no vip_level changed_at batch_date",
        ("C-S1", "none", at(0), date(2009, 1, 1)),
        ("C-S1", "gold", at(9), date(2009, 1, 10)),
    )
    found = identity.subscriber(
        frame(spark, "ods.subscriber", *rows),
        frame(spark, "ods.customer", *customers),
        local_frame(spark, [("calls", "p1")], PARTY_ROW),
        key=KEY,
        data_date=DAY,
    )
    states = fits(found, "dw.subscriber").collect()
    assert {(row.subscriber_no, row.status, row.vip_level, row.source) for row in states} == {
        ("S1", "suspended", "gold", "subscriber"),
        ("S2", "active", None, "subscriber"),
        ("S4", "active", None, "subscriber"),
        (None, None, None, "calls"),
    }
    assert len(states) == 4
    assert {row.data_date for row in states} == {DAY}


def test_a_subscription_is_its_last_change_with_the_kind_of_its_package(spark):
    january, march = date(2009, 1, 1), date(2009, 3, 1)
    subscriptions = frame(
        spark,
        "ods.package_subscription",
        *named(
            "subscriber_no package_id valid_from valid_to changed_at",
            ("S1", "gotone_58", january, None, at(0)),
            ("S1", "gotone_58", january, march, at(50)),  # ended later on
            ("S1", "gprs_5", march, march, at(60)),  # cancelled before its first day
            ("S1", "gprs_20", march, None, at(60)),
        ),
    )
    kinds = {"gotone_58": "voice", "gprs_5": "gprs", "gprs_20": "gprs"}
    found = identity.subscription(subscriptions, kinds=kinds, key=KEY, data_date=DAY)
    result = fits(found, "dw.subscription").collect()
    assert sorted(
        (r.subscriber_id, r.package_id, r.kind, r.valid_from, r.valid_to) for r in result
    ) == sorted(
        [
            (S1, "gotone_58", "voice", january, march),
            (S1, "gprs_20", "gprs", march, None),
        ]
    )


@st.composite
def claims(draw):
    """Rows on three numbers: (subscriber, number, start, end or None), any overlap allowed."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(1, 4),
                st.sampled_from(["a", "b", "c"]),
                st.integers(0, 12),
                st.none() | st.integers(0, 14),
            ),
            min_size=1,
            max_size=12,
            unique_by=lambda claim: (claim[0], claim[2]),
        )
    )
    return rows


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=claims())
def test_at_every_instant_the_claim_begun_last_owns_the_number_or_nobody(spark, rows):
    known = identity_of(
        spark,
        [
            subscriber_row(f"S{who}", number, start, end, changed=n)
            for n, (who, number, start, end) in enumerate(rows)
        ],
    ).collect()

    def owner(number, day):
        begun = [
            (start, n, who, end)
            for n, (who, holds, start, end) in enumerate(rows)
            if holds == number and start <= day and (end is None or start < end)
        ]
        if not begun:
            return []
        _, _, who, end = max(begun, key=lambda claim: claim[:2])
        return [expected_id("subscriber", f"S{who}")] if end is None or day < end else []

    for number in ("a", "b", "c"):
        for day in range(16):
            holding = [
                row.subscriber_id
                for row in known
                if row.msisdn == number
                and instant(row.valid_from) <= at(day)
                and (row.valid_to is None or at(day) < instant(row.valid_to))
            ]
            assert holding == owner(number, day), (number, day)


@pytest.mark.parametrize("partitions", [1, 7])
def test_each_event_comes_back_exactly_once_however_it_is_spread(spark, partitions):
    known = identity_of(
        spark,
        [
            subscriber_row("S1", "138", 0),
            subscriber_row("S2", "138", 3),
        ],
    )
    events = local_frame(
        spark, [(f"e{n}", "138" if n % 2 else None, at(n)) for n in range(40)], EVENT_ROW
    ).repartition(partitions)
    linked = identity.as_of(events, known, [""]).collect()
    assert sorted(row.event for row in linked) == sorted(f"e{n}" for n in range(40))
    assert {row.subscriber_id for row in linked if row.msisdn is None} == {None}
