"""The synthetic province as plain arrays: what holds whatever the seed."""

from collections import defaultdict
from datetime import date

import numpy as np
import pytest

from models.synthetic import chunk as synthetic
from models.synthetic import truth as synthetic_truth
from models.synthetic.billing.bills import Rates
from models.synthetic.contact.contacts import CHANNELS, COUNTED
from models.synthetic.defects import PLANS, plant
from models.synthetic.people.crm import subscriber_id
from models.synthetic.province import CHUNK_CUSTOMERS, NEVER, Province
from models.synthetic.rows import MARKS, Rows, files

BRANDS = ["gotone", "mzone", "easyown"]


def package(name: str, kind: str, fee: str, rules: list) -> dict:
    return {
        "id": name,
        "name": name,
        "kind": kind,
        "brands": BRANDS,
        "monthly_fee": fee,
        "partial_month": "daily",
        "valid": {"from": date(2008, 1, 1), "to": date(2012, 1, 1)},
        "rules": rules,
        "rounding": {"at": "line", "scale": 2, "mode": "half_up"},
    }


def per_minute(component: str, rate: str, **match) -> dict:
    return {
        "component": component,
        "match": match,
        "rate": rate,
        "per": "60s",
        "increment": ["60s", "60s"],
    }


PACKAGES = [
    package("small", "voice", "10", [per_minute("airtime", "0.30"), per_minute("toll", "0.60")]),
    package("large", "voice", "50", [per_minute("airtime", "0.10"), per_minute("toll", "0.60")]),
    package(
        "sms_standard",
        "sms",
        "0",
        [{"component": "message", "rate": "0.10", "per": "1msg", "increment": [1, 1]}],
    ),
    package(
        "gprs_standard",
        "gprs",
        "0",
        [{"component": "volume", "rate": "0.03", "per": "1KB", "increment": ["1KB", "1KB"]}],
    ),
    package(
        "gprs_5",
        "gprs",
        "5",
        [{"component": "volume", "rate": "0.01", "per": "1KB", "increment": ["1KB", "1KB"]}],
    ),
]


def planned(seed: int = 1, customers: int = 120, first=date(2009, 3, 1)) -> Province:
    return Province(
        seed=seed,
        customers=customers,
        first=first,
        last=date(2009, 5, 3),
        packages={one["id"]: one for one in PACKAGES},
        defaults={"sms": "sms_standard", "gprs": "gprs_standard"},
        services={"payment": "payment", "bill_query": "query", "package_handling": "package"},
        holidays=frozenset({date(2009, 5, 1)}),
    )


@pytest.fixture(scope="module")
def province():
    return planned()


@pytest.fixture(scope="module")
def life(province):
    return synthetic.live(province, 0)


@pytest.fixture(scope="module")
def billed(province, life):
    return synthetic.bill(province, life, Rates(province))


@pytest.fixture(scope="module")
def rows(province, life, billed):
    return synthetic.deliveries(province, life, billed)


def written(rows: dict[str, Rows]) -> dict[str, list]:
    return {source: list(files(found, "|", None)) for source, found in rows.items()}


def test_the_same_seed_gives_the_same_rows_and_another_seed_does_not(province, rows):
    def deliveries(of: Province) -> dict[str, list]:
        again = synthetic.live(of, 0)
        return written(synthetic.deliveries(of, again, synthetic.bill(of, again, Rates(of))))

    assert deliveries(planned()) == written(rows)
    assert deliveries(planned(seed=2))["voice"] != written(rows)["voice"]


def test_a_chunk_is_the_same_whichever_chunk_is_made_before_it():
    large = planned(customers=2 * CHUNK_CUSTOMERS)
    alone = synthetic.live(large, 1)
    synthetic.live(large, 0)
    after = synthetic.live(large, 1)
    assert np.array_equal(alone.calls.duration, after.calls.duration)
    assert np.array_equal(alone.people.msisdn, after.people.msisdn)


def test_no_two_lines_of_a_province_share_a_number_at_a_time():
    large = planned(customers=3 * CHUNK_CUSTOMERS)
    held = defaultdict(list)
    for chunk in range(large.chunks):
        people = synthetic.live(large, chunk).people
        for place in range(len(people)):
            life_of = (int(people.joined[place]), int(people.left[place]))
            until = min(life_of[1], int(people.renumbered[place]))
            held[int(people.msisdn[place])].append((life_of[0], until))
            if people.renumbered[place] != NEVER:
                held[int(people.new_msisdn[place])].append((until, life_of[1]))
    shared = [sorted(spans) for spans in held.values() if len(spans) > 1]
    assert shared, "some numbers are recycled"
    for (_, first_end), (second_start, _) in shared:
        assert second_start - first_end >= 90


def test_everybody_has_one_voice_package_on_each_day_of_his_life(province, life):
    people = life.people
    for kind, needed in (("voice", True), ("gprs", False)):
        held = np.zeros((len(people), province.days), dtype=int)
        for one in life.holdings:
            if one.kind == kind:
                held[one.subscriber, max(0, one.start) : max(0, one.end)] += 1
        day = np.arange(province.days)[None, :]
        alive = (people.joined[:, None] <= day) & (day < people.left[:, None])
        assert held.max() == 1
        assert not needed or np.array_equal(held == 1, alive)


def test_nobody_uses_the_network_while_he_is_not_active(province, life):
    active = life.people.active(np.arange(province.days))
    for found in (life.calls.when, life.messages.when, life.sessions.when):
        assert active[found.subscriber, found.day].all()
    assert active[life.contacts.subscriber, life.contacts.day].all()
    assert (~active).any()


def test_a_subscriber_is_never_in_two_calls_at_once(life):
    when = life.calls.when
    start = when.day * 86_400 + when.second
    same = when.subscriber[1:] == when.subscriber[:-1]
    assert (start[1:] > start[:-1] + life.calls.duration[:-1])[same].all()


def test_the_mix_of_calls_is_that_of_the_era(life, province):
    calls, days = life.calls, life.people.active(np.arange(province.days)).sum()
    assert 2.5 < len(calls) / days < 5
    assert 0.06 < (calls.duration == 0).mean() < 0.12
    for share, low, high in (
        ((calls.toll > 0).mean(), 0.05, 0.2),
        ((calls.dial == 1).mean(), 0.01, 0.08),
        ((calls.dial == 2).mean(), 0.001, 0.03),
        ((calls.roaming > 0).mean(), 0.005, 0.06),
        (calls.in_group.mean(), 0.01, 0.15),
        ((calls.info_fee > 0).mean(), 0.0003, 0.01),
    ):
        assert low < share < high
    assert not (calls.in_group & (calls.toll > 0)).any()
    per_line = np.bincount(calls.when.subscriber, minlength=len(life.people))
    assert per_line.max() > 5 * np.median(per_line)
    noon = np.isin(calls.when.second // 3600, (9, 10, 11)).sum()
    assert noon > 10 * np.isin(calls.when.second // 3600, (2, 3, 4)).sum()


def test_items_of_calls_within_a_group_and_of_records(life, billed):
    """A group member pays a rent of 5 or 10 yuan; 12593 and information fees are billed as they
    stand on the records."""
    rents = {one.subscriber: one.items.get(("vpmn_rent", "")) for one in billed.bills}
    members = life.people.vpmn >= 0
    assert all(rents[who] in (5, 10) if members[who] else rents[who] is None for who in rents)
    march = [one for one in billed.bills if one.month == date(2009, 3, 1)]
    within = life.calls.when.day < 31
    for item, fees in (("d12593", life.calls.fee_12593), ("toll_voice", billed.toll_fee)):
        billed_sum = sum(one.items.get((item, ""), 0) for one in march)
        assert billed_sum * 1000 == fees[within].sum() > 0


def test_a_package_changed_within_the_month_is_billed_for_both_parts():
    large = planned(customers=CHUNK_CUSTOMERS)
    life = synthetic.live(large, 0)
    billed = synthetic.bill(large, life, Rates(large))
    flagged = {
        (row[0], row[1])
        for row in synthetic_truth.tables(large, life, billed)["bills"]
        if row[-1] == "1"
    }
    seen = 0
    for one in life.holdings:
        left = one.end >= life.people.left[one.subscriber]
        if one.kind != "voice" or left or large.day(one.end).day == 1:
            continue
        month = large.day(one.end).replace(day=1)
        for bill in billed.bills:
            if (bill.subscriber, bill.month) == (one.subscriber, month):
                rents = [name for item, name in bill.items if item == "package_rent"]
                assert {"small", "large"} <= set(rents)
                assert (subscriber_id(int(life.people.line[one.subscriber])), str(month)) in flagged
                seen += 1
    assert seen >= 1


def test_about_a_third_of_customers_have_more_than_ten_contacts_that_show_a_preference():
    large = planned(customers=CHUNK_CUSTOMERS, first=date(2009, 1, 1))
    found = synthetic.live(large, 0)
    counted = np.isin(found.contacts.kind, COUNTED)
    used = np.zeros((CHUNK_CUSTOMERS, len(CHANNELS)), dtype=int)
    np.add.at(used, (found.contacts.customer[counted], found.contacts.channel[counted]), 1)
    frequent = used.sum(axis=1) > 10
    assert 0.27 < frequent.mean() < 0.43
    hits = used[frequent].argmax(axis=1) == found.preferences.favourite[frequent]
    assert hits.mean() > 0.9


def plain_rows(count: int, days: int) -> Rows:
    number = np.arange(count)
    ids = np.array([f"V{n}" for n in number], dtype=object)
    columns = {
        "cdr_id": ids,
        "call_type": np.full(count, "MO", dtype=object),
        "end_cause": np.full(count, "N", dtype=object),
        "vpmn_flag": number * 0,
        "start_time": np.full(count, "20090402101112", dtype=object),
        "duration": number,
    }
    return Rows.of(columns, number % days, number)


def test_planted_defects_are_copies_and_no_true_row_is_lost(province):
    """10,000 records on 64 days: every one is still delivered whole, on its day or late."""
    rows = plant(province, 0, "voice", plain_rows(10_000, province.days))
    true = np.isin(rows.mark, [MARKS.index("plain"), MARKS.index("late")])
    assert sorted(rows.columns["cdr_id"][true]) == sorted(f"V{n}" for n in range(10_000))
    assert set(np.unique(rows.mark)) >= {
        MARKS.index(name)
        for name in (
            "plain",
            "broken",
            "unknown_code",
            "clock_1980",
            "duplicate_within",
            "duplicate_across",
            "late",
        )
    }
    assert not rows.cut[true].any()
    assert (rows.cut[rows.mark == MARKS.index("broken")] > 0).all()


def test_no_delivery_has_so_many_bad_rows_that_its_reader_refuses_it(province):
    rows = plant(province, 0, "voice", plain_rows(4_000, province.days))
    bad = np.isin(
        rows.mark, [MARKS.index(name) for name in ("broken", "unknown_code", "clock_1980")]
    )
    share = np.bincount(rows.day[bad], minlength=province.days) / np.bincount(rows.day)
    assert 0 < share.max() <= PLANS["voice"].stop_share


def test_a_broken_line_ends_after_some_of_its_fields():
    columns = {
        name: np.array([text], dtype=object) for name, text in zip("abc", "xyz", strict=True)
    }
    whole = Rows.of(columns, np.array([0]), np.array([0]))
    assert list(files(whole, "|", None)) == [(0, 0, ["x|y|z"])]
    broken = Rows(columns, whole.day, whole.order, whole.part, whole.mark, np.array([2]))
    assert list(files(broken, ",", '"')) == [(0, 0, ['"x","y"'])]


# -- what the sources say of each other ------------------------------------------------------------


def true_cells(rows: Rows, *names: str) -> list[tuple]:
    """Cells of the rows that are neither bad copies nor repeated."""
    kept = [MARKS.index(name) for name in ("plain", "late", "placeholder_number")]
    true = np.isin(rows.mark, kept)
    return list(zip(*(rows.columns[name][true].tolist() for name in names), strict=True))


def test_orders_are_of_the_package_subscriptions_and_feedback_is_of_orders(rows):
    held = set(
        true_cells(
            rows["package_subscription"], "user_id", "product_code", "order_channel", "order_time"
        )
    )
    orders = true_cells(rows["campaign_order"], "user_id", "product_code", "channel", "order_time")
    assert orders
    assert set(orders) <= held
    numbered = set(true_cells(rows["campaign_order"], "order_id", "user_id", "channel"))
    answers = true_cells(rows["campaign_feedback"], "order_id", "user_id", "channel", "handle_flag")
    assert {answer[:3] for answer in answers if answer[0]} == numbered
    assert {handled for order, *_, handled in answers if order} == {"1"}
    assert {handled for order, *_, handled in answers if not order} == {"0"}


def test_a_call_that_the_menu_led_to_an_agent_stands_in_his_log_after_it(rows):
    agents = {
        call: (number, start)
        for call, number, start in true_cells(
            rows["hotline_log"], "call_id", "msisdn", "start_time"
        )
    }
    led, settled = set(), set()
    for call, number, left, to_agent, busy in true_cells(
        rows["ivr_log"], "call_id", "msisdn", "leave_time", "agent_flag", "busy_flag"
    ):
        if to_agent and busy == "0":
            assert agents[call][0] == number
            assert left < agents[call][1]
            led.add(call)
        elif call not in agents:
            settled.add(call)
    assert len(led) > 20
    assert len(settled) > 20
    assert not settled & set(agents)


def test_each_number_has_one_state_a_month_and_members_are_subscribers(province, life, rows):
    states = true_cells(rows["number_resource"], "stat_month", "serial_number", "state_code")
    assert len({state[:2] for state in states}) == len(states)
    assert {month for month, *_ in states} == {"200902", "200903", "200904"}
    assert {"0", "4", "5"} <= {state for *_, state in states}
    known = {subscriber_id(int(line)) for line in life.people.line}
    members = true_cells(rows["group_member"], "user_id")
    assert members
    assert {member for (member,) in members} <= known


def test_ledgers_of_the_month_before_add_up_within_themselves(rows):
    for amount, granted, approver in true_cells(
        rows["gift_deposit"], "amount", "granted", "approver"
    ):
        assert int(granted) <= int(amount)
        assert approver or granted == "0"
    outlets = true_cells(rows["outlet_month"], "stat_month", "outlet_id", "channel", "commission")
    assert len({outlet[:2] for outlet in outlets}) == len(outlets)
    assert all(
        (commission != "0") == (channel in ("专营店", "代理点"))
        for _, _, channel, commission in outlets
    )
    seen = {outlet for _, outlet, *_ in outlets}
    used = true_cells(rows["hall_log"], "hall_id") + true_cells(rows["outlet_log"], "outlet_id")
    assert {outlet for (outlet,) in used} <= seen
    costs = true_cells(rows["mis_cost"], "cost_month", "centre", "type_code", "campaign_id")
    assert len(set(costs)) == len(costs)
    assert len({month for month, *_ in costs}) == 3
