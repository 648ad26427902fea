"""Events of one second: they are in order of their keys, whatever else the catalogue holds.

A neighbour with another band cuts the rating cells anew. The price of a package must not notice.
"""

from fractions import Fraction

import pytest

from models.reference.rater import Rater
from models.reference.tariff import rounded
from tests.given import event_records
from tests.given.random_tariffs import HOLIDAYS, catalogue_of, drawn, months_of_events
from tests.given.tariff_examples import MARCH, airtime, call, package, pool, toll

ELEVEN = {"late": [{"days": "all", "from": "11:00", "to": "24:00"}]}
# One free minute is shared by a call within the country and one at home, at .10 and .40 a minute.
SHARED = package(
    rules=[
        airtime("0.40", match={"roaming": "home"}, pools=["free"]),
        airtime("0.10", match={"direction": "mo"}, pools=["free"]),
        airtime("0.20", pools=["free"]),
        toll("0"),
    ],
    pools=[pool(1)],
)
NEIGHBOUR = package(
    rules=[airtime("0.50", match={"band": "late"}), airtime(), toll("0")], bands=ELEVEN
)
AWAY = {"roaming": "inter_prov"}
# (first call by key, second call by key) and what the second costs beyond the free minute.
PAIRS = [
    (({}, {**AWAY}), "0.10"),
    (({**AWAY}, {}), "0.40"),
    (({}, {**AWAY, "direction": "mt"}), "0.20"),
    (({**AWAY, "direction": "mt"}, {}), "0.40"),
    (({**AWAY, "direction": "mt"}, {**AWAY}), "0.10"),
    (({**AWAY}, {**AWAY, "direction": "mt"}), "0.20"),
    (({"direction": "mt"}, {**AWAY}), "0.10"),
    (({**AWAY}, {"direction": "mt"}), "0.40"),
]


def test_a_free_minute_goes_to_the_call_of_the_smaller_key_whatever_is_loaded_beside(spark):
    """Both calls are answered in one second, on either side of the neighbour's band."""
    customers = {
        number: (
            MARCH,
            None,
            [
                call(60, f"2009-03-03 {clock}:00:00", key=key, **facts)
                for key, facts in enumerate(calls)
            ],
        )
        for number, (calls, clock) in enumerate(
            ((calls, clock) for calls, _ in PAIRS for clock in ("10", "12")), start=1
        )
    }
    expected = [Fraction(cost) for _, cost in PAIRS for _ in ("10", "12")]
    for packages in ({"one": SHARED}, {"one": SHARED, "beside": NEIGHBOUR}):
        rows = event_records.evaluated(spark, customers, packages)
        assert [Fraction(rows[number, "one"].rated) for number in customers] == expected
    assert [
        Rater(SHARED).rate_month(events, MARCH).total for _, _, events in customers.values()
    ] == expected


def test_events_of_one_second_are_rated_in_order_of_their_keys_however_they_are_delivered(spark):
    customers = {1: (MARCH, None, [call(60, key=key, **facts) for key, facts in TRIO])}
    costs = {
        seed: event_records.evaluated(
            spark, customers, {"one": SHARED}, shuffled=seed, partitions=3
        )
        for seed in range(3)
    }
    assert {rows[1, "one"].rated for rows in costs.values()} == {Fraction("0.50")}


TRIO = [(3, {}), (1, {**AWAY, "direction": "mt"}), (2, {**AWAY})]


@pytest.fixture(scope="module")
def tied_months():
    """Random months of calls, several of them answered in one second."""
    found = {}
    for number, (month, joined, events) in enumerate(drawn(months_of_events(), 40, 7), start=1):
        mine = [event for event in events if event.service == "voice"]
        together = {
            (event.local_date, event.local_second): event for event in mine[: len(mine) // 2]
        }
        moments = list(together.values()) or mine[:1]
        tied = [
            event._replace(
                at=int(moments[no % len(moments)].at),
                local_date=moments[no % len(moments)].local_date,
                local_second=moments[no % len(moments)].local_second,
                day_type=moments[no % len(moments)].day_type,
            )
            for no, event in enumerate(mine)
        ]
        found[number] = ([month], joined, tied)
    return found


def test_the_months_of_a_package_do_not_depend_on_what_else_is_loaded(spark, tied_months):
    """Random packages in a catalogue together and in two halves, and the reference."""
    tariffs = {name: one for name, one in catalogue_of(16, 8, 24).items() if one["kind"] == "voice"}
    names = sorted(tariffs)
    halves = [names[::2], names[1::2]]

    def priced(some):
        rows = event_records.evaluated_months(
            spark, tied_months, {name: tariffs[name] for name in some}, holidays=HOLIDAYS
        )
        return {key: (row.rated, row.reason, row.replayed) for key, row in rows.items()}

    together = priced(names)
    assert priced(halves[0]) | priced(halves[1]) == together
    assert sum(replayed for *_, replayed in together.values()) > 20
    for (number, month, name), (yuan, reason, _) in together.items():
        if reason is None:
            (_, joined, events) = tied_months[number]
            bill = Rater(tariffs[name], HOLIDAYS).rate_month(events, month, joined)
            assert rounded(bill.total, 6, "half_up") == Fraction(yuan), (number, month, name)
