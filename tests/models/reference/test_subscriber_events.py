"""The events of one subscriber in plain Python are those that the engine merges and guides.

The cases in words have events written out by hand; random records follow. All go through the engine
in one run, each case with a subscriber of its own, whose number is n<subscriber>.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from random import Random

import pytest
from pyspark.sql import functions as F

from models.reference.event_key import event_key
from models.reference.subscriber_events import (
    COLUMNS,
    Parts,
    first_delivery,
    is_rerated,
    subscriber_events,
)
from models.reference.tariff import Event
from models.usage import events as usage_events
from models.usage.record_parts import Joining, merged
from tests.given.event_records import CHINA, held
from tests.given.frames import local_frame
from tests.given.rows import CONTRACTS, frame, rows

VOICE, MESSAGE, DATA, WLAN = COLUMNS
MODES = {mode: mode for mode in ("add", "cumulative", "last")}  # a source is named by its mode
GAP = 24
HOLIDAYS = (date(2009, 5, 1),)
SINCE = datetime(2008, 1, 1, tzinfo=CHINA)


def at(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)


def begun(text, night=0, row_no=1, source="whole"):
    """When a record began, and that it arrived so many days later."""
    instant = at(text)
    return {
        "source": source,
        "occurred_at": instant,
        "local_date": instant.date(),
        "local_second": instant.hour * 3600 + instant.minute * 60 + instant.second,
        "batch_date": instant.date() + timedelta(days=night),
        "row_no": row_no,
        "record_key": row_no,
    }


def call(text, seconds=60, night=0, row_no=1, source="whole", **changes):
    row = {"call_no": "c1", "part_no": None, "duration_s": seconds, "outcome": "answered"}
    return VOICE, {**begun(text, night, row_no, source), **row, **changes}


def session(text, size=512, night=0, row_no=1, source="add", **changes):
    sizes = {"bytes_up": size // 3, "bytes_down": size - size // 3}
    row = {"session_no": "d1", "gateway": "g1", "part_no": None, "duration_s": 60, **sizes}
    return DATA, {**begun(text, night, row_no, source), **row, **changes}


def wlan(text, seconds=1800, night=0, row_no=1, source="whole", **changes):
    row = {"session_no": "w1", "part_no": None, "duration_s": seconds}
    return WLAN, {**begun(text, night, row_no, source), **row, **changes}


def message(text, row_no=1, source="whole", **changes):
    return MESSAGE, {**begun(text, 0, row_no, source), "message_no": "m1", **changes}


MAY = "2009-05-"
# Words → records, and their events by hand: day, second, quantity, and the facts that matter.
CASES = {
    "no records": ([], []),
    "a call has its facts": (
        [call(MAY + "02 08:00:00", 61, toll="inter_prov", dial="ip17951", roaming="intl")],
        [("05-02", 28800, 61, {"toll": "inter_prov", "dial": "ip17951", "roaming": "intl"})],
    ),
    "a missed call has no quantity": (
        [call(MAY + "04 08:00:00", 7, outcome="missed")],
        [("05-04", 28800, 0, {"service": "voice", "day_type": "workday"})],
    ),
    "day types: a holiday, a weekend day, a workday": (
        [call(MAY + f"0{day} 08:00:00", row_no=day) for day in (4, 1, 3)],
        [
            ("05-01", 28800, 60, {"day_type": "holiday"}),
            ("05-03", 28800, 60, {"day_type": "weekend"}),
            ("05-04", 28800, 60, {"day_type": "workday"}),
        ],
    ),
    "in-group and 12593 calls are events too": (
        [
            call(MAY + "02 08:00:00", in_group=True),
            call(MAY + "02 09:00:00", dial="ip12593"),
        ],
        [("05-02", 28800, 60, {"in_group": True}), ("05-02", 32400, 60, {"dial": "ip12593"})],
    ),
    "message kinds: each message is one": (
        [
            message(MAY + "02 08:00:00", service="sms", kind="sp", direction="mo"),
            message(MAY + "02 08:00:01", service="mms", kind="p2p", direction="mt"),
        ],
        [
            ("05-02", 28800, 1, {"service": "sms", "message_kind": "sp", "direction": "mo"}),
            ("05-02", 28801, 1, {"service": "mms", "message_kind": "p2p", "direction": "mt"}),
        ],
    ),
    "wlan at home and at another operator's hot spot": (
        [
            wlan(MAY + "02 08:00:00", roaming_carrier=None),
            wlan(MAY + "02 09:00:00", roaming_carrier="abroad"),
        ],
        [
            ("05-02", 28800, 1800, {"service": "wlan", "roaming": "home"}),
            ("05-02", 32400, 1800, {"service": "wlan", "roaming": "intl"}),
        ],
    ),
    "a call over the local midnight belongs to the day of its start": (
        [call("2009-04-30 23:59:30", 90), call(MAY + "01 00:00:00", 5, row_no=2)],
        [("04-30", 86370, 90, {"day_type": "workday"}), ("05-01", 0, 5, {"day_type": "holiday"})],
    ),
    "the clock goes back an hour: events stay in order of their instants": (
        [
            call(MAY + "02 02:10:00", row_no=1, local_second=1 * 3600 + 600),
            call(MAY + "02 02:05:00", row_no=2, local_second=2 * 3600 + 300),
        ],
        [("05-02", 7500, 60, {}), ("05-02", 4200, 60, {})],
    ),
    "events of one instant are in order of their keys": (
        [
            call(MAY + "02 08:00:00", 2, record_key=5),
            call(MAY + "02 08:00:00", 1, record_key=-5, row_no=2),
        ],
        [("05-02", 28800, 1, {}), ("05-02", 28800, 2, {})],
    ),
    "two parts of 512 bytes are one kilobyte, at the time of the first": (
        [session(MAY + "02 10:01:00"), session(MAY + "02 10:00:00", roaming="intl", row_no=2)],
        [("05-02", 36000, 1024, {"service": "data", "roaming": "intl"})],
    ),
    "a part of the next night, over midnight": (
        [session("2009-04-30 23:59:00"), session(MAY + "01 00:00:00", night=1, row_no=2)],
        [("04-30", 86340, 1024, {"day_type": "workday"})],
    ),
    "a part that comes last and between two makes one event of them": (
        [
            session(MAY + "01 00:00:00"),
            session(MAY + "02 23:00:00", row_no=2),
            session(MAY + "01 23:30:00", night=3, row_no=3),
        ],
        [("05-01", 0, 1536, {})],
    ),
    "a part that begins as the gap ends continues the event": (
        [session(MAY + "02 10:00:00"), session(MAY + "03 10:01:00", row_no=2)],
        [("05-02", 36000, 1024, {})],
    ),
    "one second later the number is of another event": (
        [session(MAY + "02 10:00:00"), session(MAY + "03 10:01:01", row_no=2)],
        [("05-02", 36000, 512, {}), ("05-03", 36061, 512, {})],
    ),
    "the gap counts from the latest end, of whichever part": (
        [
            session(MAY + "02 10:00:00", duration_s=3600),
            session(MAY + "02 10:00:01", row_no=2, duration_s=None),
            session(MAY + "03 11:00:00", row_no=3),
        ],
        [("05-02", 36000, 1536, {})],
    ),
    "another gateway is another event": (
        [session(MAY + "02 10:00:00"), session(MAY + "02 10:00:01", gateway=None, row_no=2)],
        [("05-02", 36000, 512, {}), ("05-02", 36001, 512, {})],
    ),
    "records without a number are whole, though the source has parts": (
        [
            call(MAY + "02 10:00:00", source="add", call_no=None),
            call(MAY + "02 10:00:01", source="add", call_no=None, row_no=2),
        ],
        [("05-02", 36000, 60, {}), ("05-02", 36001, 60, {})],
    ),
    "add: a call of two legs, one per direction": (
        [
            call(MAY + "02 10:00:00", 30, source="add", direction="mo"),
            call(MAY + "02 10:00:30", 31, source="add", direction="mo", row_no=2),
            call(MAY + "02 10:00:40", 5, source="add", direction="fwd", row_no=3),
        ],
        [("05-02", 36000, 61, {"direction": "mo"}), ("05-02", 36040, 5, {"direction": "fwd"})],
    ),
    "cumulative: the highest part number counts, with the facts of the first": (
        [
            call(MAY + "02 10:00:00", 90, source="cumulative", part_no=1, toll="local"),
            call(MAY + "02 10:00:01", 80, source="cumulative", part_no=2, toll="intl", row_no=2),
        ],
        [("05-02", 36000, 80, {"toll": "local"})],
    ),
    "cumulative without numbers: the longest of those that began together": (
        [
            wlan(MAY + "02 10:00:00", 700, source="cumulative", row_no=1),
            wlan(MAY + "02 10:00:00", 900, source="cumulative", row_no=2),
            wlan(MAY + "02 10:00:00", 800, source="cumulative", row_no=3, night=1),
        ],
        [("05-02", 36000, 900, {})],
    ),
    "cumulative, equally long: the most bytes of those that began together": (
        [
            session(MAY + "02 10:00:00", 900, source="cumulative", row_no=1),
            session(MAY + "02 10:00:00", 800, source="cumulative", row_no=2),
        ],
        [("05-02", 36000, 900, {})],
    ),
    "last: a later record corrects quantity and facts, not the time": (
        [
            call(MAY + "02 10:00:00", 90, source="last", toll="local"),
            call(MAY + "02 10:00:05", 80, source="last", toll="intl", row_no=2, night=2),
        ],
        [("05-02", 36000, 80, {"toll": "intl"})],
    ),
    "last without numbers: of those that began together the one delivered last": (
        [
            call(MAY + "02 10:00:00", 90, source="last", row_no=3),
            call(MAY + "02 10:00:00", 70, source="last", row_no=2, night=1),
            call(MAY + "02 10:00:00", 80, source="last", row_no=1, night=1, file_name="z"),
        ],
        [("05-02", 36000, 80, {})],
    ),
    "a numbered part counts more than one without a number": (
        [
            call(MAY + "02 10:00:00", 90, source="last", part_no=1),
            call(MAY + "02 10:00:09", 70, source="last", row_no=2),
        ],
        [("05-02", 36000, 90, {})],
    ),
}
FACTS = {
    "msisdn": "n1",
    "direction": "mo",
    "roaming": "home",
    "toll": "local",
    "dial": "direct",
    "in_group": False,
}
MOVED = [("n901", day) for day in (2, 3, 4, 5)] + [
    ("n903", 1),
    ("n903", 2),
    ("m903", 1),
    ("m903", 2),
]
HELD = {  # subscriber → (number, from, to)
    901: [("n901", SINCE, at(MAY + "03 00:00:00")), ("n901", at(MAY + "05 00:00:00"), None)],
    902: [("n901", at(MAY + "03 00:00:00"), at(MAY + "04 00:00:00"))],
    903: [("n903", SINCE, at(MAY + "02 00:00:00")), ("m903", at(MAY + "02 00:00:00"), None)],
}
PAID = {901: [2, 5], 902: [3], 903: [1, 2]}  # the days of the calls, each as many seconds long
DRAWN = range(1000, 1250)
MOST = 12  # records of a subscriber


def of_number(number, records):
    return [(table, {**row, "msisdn": number}) for table, row in records]


def drawn(seed):
    """Records of a number: few instants, keys and lengths, so that many of them meet."""
    chance, found = Random(seed), []
    for row_no in range(1, chance.randrange(1, MOST + 1)):
        day, hour = chance.choice((1, 2, 2, 3, 4)), chance.choice((0, 10, 10, 23))
        part = {
            "night": chance.randrange(3),
            "row_no": row_no,
            "source": chance.choice(("whole", *MODES)),
            "record_key": chance.randrange(-5, 5) << 40 | row_no,
            "file_name": chance.choice(("a", "b")),
            "part_no": chance.choice((None, None, 1, 2, 3)),
            "duration_s": chance.choice((0, 60, 4000)),
        }
        where = chance.choice(("home", "intra_prov", "intl"))
        facts = {
            "call_no": chance.choice((None, "c1", "c2")),
            "direction": chance.choice(("mo", "mt")),
            "toll": chance.choice(("local", "intl")),
            "dial": chance.choice(("direct", "ip17951", "ip12593")),
            "in_group": chance.random() < 0.3,
            "outcome": chance.choice(("answered", "answered", "missed")),
        }
        names = {"gateway": chance.choice(("g1", None)), "session_no": chance.choice(("d", "e"))}
        text = f"2009-05-{day:02} {hour:02}:00:00"
        records = (
            call(text, **part, **facts, roaming=where),
            session(text, 512, **part, **names, roaming=where),
            wlan(text, **part, session_no="w", roaming_carrier=None if where == "home" else "x"),
        )
        found.append(chance.choice(records))
    return of_number(f"n{seed}", found)


def held_by(subscriber):
    """When the drawn subscriber held the number: some of them, from or until an instant."""
    change = at(MAY + "02 10:00:00")
    if subscriber in HELD or subscriber % 3 == 0:
        return HELD.get(subscriber, [(f"n{subscriber}", SINCE, None)])
    span = (SINCE, change) if subscriber % 3 == 1 else (change, None)
    return [(f"n{subscriber}", *span)]


@pytest.fixture(scope="module")
def delivered():
    """Subscriber → records of all numbers that the subscriber held at any time."""
    places = dict(enumerate(CASES))
    found = {
        3 * place: of_number(f"n{3 * place}", CASES[words][0]) for place, words in places.items()
    }
    moved = [(number, call(f"{MAY}0{day} 00:00:00", day, row_no=day)) for number, day in MOVED]
    for subscriber, spans in HELD.items():
        numbers = {number for number, *_ in spans}
        found[subscriber] = [
            one
            for number, record in moved
            if number in numbers
            for one in of_number(number, [record])
        ]
    return found | {seed: drawn(seed) for seed in DRAWN}


@pytest.fixture(scope="module")
def by_the_engine(spark, delivered):
    """Subscriber → events, merged and guided by the engine, in its order."""
    once = [
        record for subscriber, some in delivered.items() if subscriber != 902 for record in some
    ]
    records = {
        table: frame(spark, table, *(row for kind, row in once if kind == table))
        for table in COLUMNS
    }
    owners = held(spark, *((one, *span) for one in delivered for span in held_by(one)))
    guided = usage_events.guide(
        merged(records, Joining(MODES, GAP, {})), owners, {"voice": [3600]}, HOLIDAYS
    )
    found = defaultdict(list)
    for row in (
        guided.where("subscriber_id IS NOT NULL").orderBy("occurred_at", "event_key").collect()
    ):
        mine = found[row.subscriber_id]
        instant = int(row.occurred_at.timestamp())
        facts = [row[name] for name in Event._fields[1:8]]
        local = (instant, row.local_date, row.local_second, row.day_type, row.quantity)
        mine.append(Event(len(mine), *facts, *local))
    return found


def plainly(delivered, subscriber):
    """The events in plain Python, from the same rows."""
    records = {
        table: [
            dict(zip(CONTRACTS[table].column_names, rows(table, row)[0], strict=True))
            for kind, row in delivered[subscriber]
            if kind == table
        ]
        for table in COLUMNS
    }
    owned = [
        {"msisdn": number, "valid_from": since, "valid_to": until}
        for number, since, until in held_by(subscriber)
    ]
    return subscriber_events(records, owned, Parts(MODES, timedelta(hours=GAP)), HOLIDAYS)


@pytest.mark.parametrize("place", range(len(CASES)), ids=list(CASES))
def test_the_events_of_a_case_are_those_of_the_engine(delivered, by_the_engine, place):
    found = plainly(delivered, 3 * place)
    assert found == by_the_engine[3 * place]
    expected = list(CASES.values())[place][1]
    assert [(f"{one.local_date:%m-%d}", one.local_second, one.quantity) for one in found] == [
        one[:3] for one in expected
    ]
    for event, (*_, facts) in zip(found, expected, strict=True):
        assert {name: getattr(event, name) for name in facts} == facts


@pytest.mark.parametrize("subscriber", HELD)
def test_a_number_that_changed_its_owner_is_paid_by_each_in_turn(
    delivered, by_the_engine, subscriber
):
    found = plainly(delivered, subscriber)
    assert found == by_the_engine[subscriber]
    assert [event.quantity for event in found] == PAID[subscriber]


def test_random_records_give_the_events_of_the_engine(delivered, by_the_engine):
    together = 0
    for seed in DRAWN:
        found = plainly(delivered, seed)
        assert found == by_the_engine[seed], seed
        together += len(delivered[seed]) - len(found)
    assert together > len(DRAWN)  # records were merged, or paid by nobody


def test_in_group_and_12593_calls_are_not_rerated():
    (made,) = subscriber_events(
        {VOICE: [{**call(MAY + "02 08:00:00")[1], **FACTS}]},
        [{"msisdn": "n1", "valid_from": SINCE, "valid_to": None}],
        Parts({}, timedelta()),
        (),
    )
    assert is_rerated(made)
    assert is_rerated(made._replace(in_group=None, dial=None))  # of another service
    assert not is_rerated(made._replace(in_group=True))
    assert not is_rerated(made._replace(dial="ip12593"))


def test_the_deliveries_of_a_month_begin_the_day_before_it_and_the_look_back():
    assert first_delivery(date(2009, 5, 1), 0) == date(2009, 4, 30)
    assert first_delivery(date(2009, 5, 1), 7) == date(2009, 4, 23)


def test_keys_are_those_that_tables_hold(spark):
    """Spark's xxhash64 over texts of all lengths, true and false, numbers and missing values."""
    chance = Random(64)
    texts = [chance.choice("ab资\U0001f600") * length for length in range(100)] + [None]
    values = [
        (
            text,
            chance.choice((True, False, None)),
            chance.choice((None, -1, 0, chance.getrandbits(62))),
        )
        for text in texts
    ]
    made = local_frame(spark, values, "text string, flag boolean, number bigint")
    hashed = made.select(F.xxhash64("text", "flag", "number")).collect()
    assert [event_key(one) for one in values] == [key for (key,) in hashed]
