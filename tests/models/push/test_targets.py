"""Rows of push.<channel>: which ones leave, and their numbers and texts."""

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from models.push import targets
from models.push.facts import serving
from schemas.config import Channel, Push
from schemas.config.channel import PUSHED, LoggedAs, Message
from schemas.config.contact_policy import ContactChannel
from schemas.currency import YUAN, Currency
from tests.given.campaigns import campaign
from tests.given.rows import CONTRACTS, fits, frame, named

BEIJING = timezone(timedelta(hours=8))
DAY = date(2009, 5, 3)
AMOUNTS = (
    "monthly_fee",
    "local_airtime",
    "roaming_airtime",
    "toll",
    "sms",
    "mms",
    "gprs",
    "wlan",
    "connect",
    "cap_cut",
    "commitment",
)
TARGET = (
    "data_date",
    "campaign_id",
    "wave",
    "customer_id",
    "subscriber_id",
    "msisdn",
    "package_id",
    "package_name",
    "cost_before",
    "cost_after",
    "saving",
    "months_won",
    "reason",
    "script",
    "valid_until",
)
SCRIPT = (
    "推荐{package_name}，月均{cost_before}元降到{cost_after}元，省{saving}元，{valid_until}前有效"
)


def pushed_campaign(id="tariff", end=date(2009, 8, 1)):
    return campaign(id, valid_to=end, wave=2, script=SCRIPT)


def decision(number, *, channel="hall", fate="pushed", campaign_id="tariff", offer="gotone_58"):
    return {
        "customer_id": number,
        "subscriber_id": number,
        "campaign_id": campaign_id,
        "offer": offer,
        "channel": channel,
        "wave": 2,
        "fate": fate,
    }


def held(number, msisdn, start=1, end=None):
    def at(day):
        return datetime(2009, 5, day, tzinfo=BEIJING)

    return {
        "subscriber_id": number,
        "msisdn": msisdn,
        "customer_id": number,
        "valid_from": at(start),
        "valid_to": end and at(end),
    }


def quote(
    number, month, package_id, *, fee, airtime, total, present=False, comparable=True, kind="voice"
):
    return {
        "subscriber_id": number,
        "month": date(2009, month, 1),
        "package_id": package_id,
        "kind": kind,
        "comparable": comparable,
        "is_present": present,
        "total": Decimal(total),
        **dict.fromkeys(AMOUNTS, Decimal(0)),
        "monthly_fee": Decimal(fee),
        "local_airtime": Decimal(airtime),
    }


def target_frame(
    spark,
    decisions,
    *,
    identity=None,
    quotes=(),
    contacts=(),
    campaigns=None,
    columns=TARGET,
    channel="hall",
    costs=("100.004", "87.546"),
    months=3,
    currency=YUAN,
    offer="gotone_58",
    kind="voice",
    new=None,
    logged_as=None,
    facts=(),
    others=None,
):
    packages = offer.split("+")
    match = named(
        "subscriber_id package_id kind packages new_packages months mean_present_cost mean_cost "
        "months_won recommended",
        *(
            (number, offer, kind, packages, new or packages, months, *map(Decimal, costs), 2, True)
            for number in {row["subscriber_id"] for row in decisions}
        ),
    )
    tables = targets.Snapshots(
        decisions=frame(spark, "mart.decision", *decisions),
        match=frame(spark, "mart.package_match", *match),
        quotes=frame(spark, "mart.package_quote", *quotes),
        identity=frame(spark, "dw.subscriber_identity", *(identity or [held(1, "13800000001")])),
        contacts=frame(spark, "dw.contact_event", *contacts),
        others=others or {},
    )
    push = Push("file", (), facts=dict(facts), message=Message("10086", 70, 2))
    return targets.targets(
        tables,
        campaigns=campaigns or [pushed_campaign()],
        package_names={"gotone_58": "全球通58套餐", "chat": "畅聊", "data": "上网"},
        channel=Channel(channel, channel, 1, Decimal(1), 1, push, logged_as),
        contact=ContactChannel("intrusive", "09:00", "20:00", "10:00", "10h", "2d"),
        columns=columns,
        data_date=DAY,
        currency=currency,
    )


def pushed(spark, decisions, **given):
    return target_frame(spark, decisions, **given).collect()


@pytest.mark.parametrize("columns", [PUSHED, *((name,) for name in PUSHED)], ids="-".join)
def test_every_column_that_a_channel_may_ask_for_is_filled(spark, columns):
    assert target_frame(spark, [decision(1)], columns=columns).columns == list(columns)


@pytest.mark.parametrize("channel", ["hall", "hotline_outbound", "sms", "web", "email", "terminal"])
def test_the_rows_of_a_channel_have_the_columns_and_types_of_its_contract(spark, channel):
    table = f"push.{channel}"
    columns = CONTRACTS[table].column_names
    facts = {"preferred_channel": "preference.channel"} if "preferred_channel" in columns else {}
    first = frame(spark, "mart.channel_preference", {"customer_id": 1, "rank": 1})
    rows = target_frame(
        spark,
        [decision(1)],
        channel=channel,
        columns=columns,
        facts=facts,
        others={"preference": first},
    )
    fits(rows, table)


def test_a_pushed_row_has_customer_number_package_costs_and_texts(spark):
    rows = pushed(spark, [decision(1)])
    assert [row.asDict() for row in rows] == [
        {
            "data_date": DAY,
            "campaign_id": "tariff",
            "wave": 2,
            "customer_id": 1,
            "subscriber_id": 1,
            "msisdn": "13800000001",
            "package_id": "gotone_58",
            "package_name": "全球通58套餐",
            "cost_before": Decimal("100.00"),
            "cost_after": Decimal("87.55"),
            "saving": Decimal("12.45"),  # 100.00 − 87.55, so the printed row adds up
            "months_won": 2,
            "reason": "近3个月中有2个月更省，平均每月节省12.45元",
            "script": "推荐全球通58套餐，月均100.00元降到87.55元，省12.45元，2009-06-02前有效",
            "valid_until": date(2009, 6, 2),
        }
    ]


def test_only_pushed_rows_of_the_channel_leave(spark):
    decisions = [
        decision(1),
        decision(2, fate="held_out"),
        decision(3, fate="dropped"),
        decision(4, fate="spilled"),
        decision(5, channel="sms"),
    ]
    identity = [held(number, f"138{number}") for number in range(1, 6)]
    assert [row.customer_id for row in pushed(spark, decisions, identity=identity)] == [1]


def test_an_offer_ends_at_the_latest_with_its_activity(spark):
    rows = pushed(spark, [decision(1)], campaigns=(pushed_campaign(end=date(2009, 5, 20)),))
    assert rows[0].valid_until == date(2009, 5, 19)


def test_the_number_is_the_one_held_after_the_data_date(spark):
    identity = [
        held(1, "given up at midnight", 1, 4),
        held(2, "kept", 1),
        held(3, "old", 1),
        held(3, "new", 3),
        held(4, "from tomorrow", 4),
    ]
    decisions = [decision(number) for number in (1, 2, 3, 4)]
    rows = pushed(spark, decisions, identity=identity)
    assert {row.customer_id: row.msisdn for row in rows} == {2: "kept", 3: "new"}


def test_served_counts_contacts_that_reached_the_customer_for_the_activity(spark):
    contacts = named(
        "customer_id channel campaign_id result",
        (1, "hotline", "tariff", "failed"),
        (1, "hotline", "tariff", None),
        (1, "hotline", "tariff", "not_reached"),
        (1, "hotline", "another", "success"),
        (1, "hotline", None, "success"),
        (1, "hall", "tariff", "success"),
        (None, "hotline", "tariff", "success"),
    )
    decisions = [decision(1, channel="hotline"), decision(2, channel="hotline")]
    rows = pushed(
        spark,
        decisions,
        identity=[held(1, "a"), held(2, "b")],
        contacts=contacts,
        channel="hotline",
        columns=("customer_id", "served", "best_frequency", "best_wave"),
    )
    assert {row.best_wave for row in rows} == {2}  # the only wave of the campaign
    assert {row.customer_id: row.served for row in rows} == {1: 2, 2: 0}
    assert {row.best_frequency for row in rows} == {targets.BEST_FREQUENCY}


def test_a_channel_that_logs_know_under_another_name_counts_what_it_did_itself(spark):
    contacts = named(
        "customer_id channel direction campaign_id result",
        (1, "hotline", "out", "tariff", "success"),
        (1, "hotline", "out", "tariff", "failed"),
        (1, "hotline", "in", "tariff", "success"),
    )

    def served(direction):
        name = f"hotline_{direction}bound"
        (row,) = pushed(
            spark,
            [decision(1, channel=name)],
            contacts=contacts,
            channel=name,
            columns=("served",),
            logged_as=LoggedAs("hotline", direction),
        )
        return row.served

    assert (served("out"), served("in")) == (2, 1)


def test_a_message_has_its_sender_its_parts_and_the_hours_in_which_it_is_sent(spark):
    (row,) = pushed(
        spark,
        [decision(1, channel="sms")],
        channel="sms",
        campaigns=[campaign("tariff", script="好" * 64 + "{package_name}", wave=2)],
        columns=("script", "sender", "parts", "send_from", "send_to"),
    )
    assert (len(row.script), row.sender, row.parts) == (71, "10086", 2)
    assert (row.send_from, row.send_to) == ("2009-05-04 10:00:00", "2009-05-04 20:00:00")


def test_each_customer_manager_gets_his_own_customers_only(spark):
    """The manager of the newest month counts; whom nobody looks after has no manager."""
    april, march = date(2009, 4, 1), date(2009, 3, 1)
    numbers = "subscriber_id subscriber_no customer_no"
    of = [(number, f"S{number}", f"C{number}") for number in (1, 2, 3, 4)]
    members = (
        ("S1", march, "G1", "J9"),
        ("S1", april, "G1", "J1"),
        ("S2", april, "G1", "J1"),
        ("S3", april, "G2", "J2"),
        ("S9", april, "G2", "J2"),  # not pushed
    )
    others = {
        "subscriber": frame(spark, "dw.subscriber", *named(numbers, *of)),
        "member": frame(
            spark, "ods.group_member", *named("subscriber_no month group_no employee", *members)
        ),
    }
    rows = pushed(
        spark,
        [decision(number) for number in (1, 2, 3, 4)],
        identity=[held(number, str(number)) for number in (1, 2, 3, 4)],
        columns=("employee", "subscriber_id"),
        facts={"employee": "member.employee"},
        others=others,
    )
    assert {tuple(row) for row in rows} == {("J1", 1), ("J1", 2), ("J2", 3), (None, 4)}


def test_a_channel_serves_those_of_whom_its_fact_is_known(spark):
    """The member of the newest month counts, as in the column of the file."""
    april, march = date(2009, 4, 1), date(2009, 3, 1)
    of = [(number, f"S{number}", f"C{number}", "gold") for number in (1, 2, 3)]
    members = (
        ("S1", april, "G1", "J1"),
        ("S2", march, "G1", "J1"),
        ("S2", april, "G1", None),
    )
    names = "subscriber_id subscriber_no customer_no vip_level"
    tables = {
        "subscriber": frame(spark, "dw.subscriber", *named(names, *of)),
        "member": frame(
            spark, "ods.group_member", *named("subscriber_no month group_no employee", *members)
        ),
    }
    required = {"customer_manager": "member.employee", "web": "subscriber.vip_level"}
    rows = serving(required, tables).collect()
    assert {row.subscriber_id: row.serving for row in rows} == {
        1: ["customer_manager", "web"],
        2: ["web"],
        3: ["web"],
    }


FACTS = {
    "worth": "decision.acceptance",
    "idle": "match.idle_months",
    "fee": "quote.monthly_fee",
    "vip_level": "subscriber.vip_level",
    "name": "customer.name",
    "employee": "member.employee",
}


def test_a_column_takes_a_fact_of_the_target_the_quote_or_the_customer(spark):
    """The last state counts; who has none gets an empty cell, and no row is lost or doubled."""

    def at(day):
        return datetime(2009, 5, day, tzinfo=BEIJING)

    april, march = date(2009, 4, 1), date(2009, 3, 1)
    others = {
        "subscriber": frame(
            spark,
            "dw.subscriber",
            *named(
                "subscriber_id subscriber_no customer_no vip_level",
                (1, "S1", "C1", "gold"),
                (2, "S2", "C2", None),
            ),
        ),
        "customer": frame(
            spark,
            "ods.customer",
            *named(
                "customer_no name changed_at",
                ("C1", "old", at(1)),
                ("C1", "new", at(2)),
                ("C3", "another", at(2)),
            ),
        ),
        "member": frame(
            spark,
            "ods.group_member",
            *named(
                "subscriber_no month group_no employee",
                ("S1", march, "G1", "J1"),
                ("S1", april, "G2", "J3"),
                ("S1", april, "G1", "J2"),
            ),
        ),
    }
    quotes = [
        quote(1, 3, "gotone_58", fee="58", airtime="1", total="60"),
        quote(1, 4, "gotone_58", fee="59", airtime="1", total="60"),
        quote(1, 4, "gotone_88", fee="88", airtime="1", total="90"),
    ]
    rows = pushed(
        spark,
        [
            {**decision(1), "acceptance": Decimal("0.25")},
            {**decision(2), "acceptance": Decimal("0.50")},
            {**decision(1, channel="sms"), "acceptance": Decimal("0.75")},
        ],
        identity=[held(1, "a"), held(2, "b")],
        quotes=quotes,
        columns=("customer_id", *FACTS),
        facts=FACTS,
        others=others,
    )
    quarter, half, fee = Decimal("0.250000"), Decimal("0.500000"), Decimal("59.000000")
    assert [tuple(row) for row in sorted(rows)] == [
        (1, quarter, 0, fee, "gold", "new", "J2"),
        (2, half, 0, None, None, None, None),
    ]


WEB = ("before_lines", "after_lines", "picture")


def test_the_web_gets_means_over_the_months_priced_on_both_sides(spark):
    quotes = [
        quote(1, 2, "old", fee="50", airtime="40", total="95", present=True),
        quote(1, 3, "old", fee="50", airtime="41", total="96.01", present=True),
        quote(1, 4, "old", fee="50", airtime="900", total="955", present=True),
        quote(1, 3, "gprs_5", fee="5", airtime="0", total="5", present=True, kind="gprs"),
        quote(1, 2, "gotone_58", fee="58", airtime="10", total="73"),
        quote(1, 3, "gotone_58", fee="58", airtime="11.01", total="74.02"),
        quote(1, 4, "gotone_58", fee="58", airtime="0", total="58", comparable=False),
        quote(1, 3, "gotone_88", fee="88", airtime="0", total="93"),
        quote(2, 3, "gotone_58", fee="1", airtime="1", total="3"),
    ]

    def shown(months):
        return pushed(
            spark,
            [decision(1, channel="web")],
            quotes=quotes,
            channel="web",
            columns=WEB,
            months=months,
            costs=("95.505", "73.51"),
        )[0]

    row = shown(months=2)
    before = json.loads(row.before_lines, object_pairs_hook=list)
    assert [line for line, _ in before] == [*AMOUNTS, "passed_through", "total"]
    before, after = dict(before), json.loads(row.after_lines)
    # passed_through is 5.005 on both sides; lines are rounded so that they add up to the total.
    assert (before["monthly_fee"], before["local_airtime"]) == ("50.00", "40.50")
    assert (before["passed_through"], before["total"]) == ("5.01", "95.51")
    assert (after["monthly_fee"], after["local_airtime"]) == ("58.00", "10.50")
    assert (after["passed_through"], after["total"]) == ("5.01", "73.51")
    assert "<title>换用全球通58套餐：近2个月平均每月费用</title>" in row.picture
    assert "平均每月节省 22.00 元" in row.picture
    assert "月租 58.00" in row.picture
    without_april = shown(months=3)
    assert json.loads(without_april.before_lines) == {"total": "95.51"}
    assert json.loads(without_april.after_lines) == {"total": "73.51"}
    assert "只比较合计" in without_april.picture
    assert "月租" not in without_april.picture


def test_the_part_of_the_bill_outside_the_quote_is_passed_through(spark):
    """The policy subtracts the VPMN fee from both quotes; the bill before still has it."""
    quotes = [
        quote(1, 3, "old", fee="50", airtime="40", total="80", present=True),
        quote(1, 3, "gotone_58", fee="58", airtime="0", total="48"),
    ]
    row = pushed(
        spark,
        [decision(1, channel="web")],
        quotes=quotes,
        channel="web",
        columns=WEB,
        months=1,
        costs=("100", "48"),
    )[0]
    before, after = json.loads(row.before_lines), json.loads(row.after_lines)
    assert (before["passed_through"], before["total"]) == ("10.00", "100.00")
    assert (after["passed_through"], after["total"]) == ("-10.00", "48.00")


def test_two_activities_with_the_same_offer_show_the_same_lines(spark):
    quotes = [
        quote(1, 3, "old", fee="50", airtime="40", total="90", present=True),
        quote(1, 3, "gotone_58", fee="58", airtime="0", total="58"),
    ]
    first, second = pushed(
        spark,
        [decision(1, channel="web"), decision(1, channel="web", campaign_id="spring")],
        quotes=quotes,
        channel="web",
        columns=WEB,
        months=1,
        costs=("90", "58"),
        campaigns=(pushed_campaign(), pushed_campaign("spring")),
    )
    assert first == second
    assert json.loads(first.before_lines)["local_airtime"] == "40.00"


def test_without_quotes_the_web_gets_the_totals(spark):
    row = pushed(spark, [decision(1, channel="web")], channel="web", columns=WEB)[0]
    assert (row.before_lines, row.after_lines) == ('{"total":"100.00"}', '{"total":"87.55"}')
    assert "平均每月节省 12.45 元" in row.picture


@pytest.mark.parametrize(
    ("currency", "before", "after", "saving"),
    [
        (YUAN, "100.00", "87.55", "12.45"),
        (Currency("RUB", "RUB", "руб.", 2), "100.00", "87.55", "12.45"),
        (Currency("JPY", "yen", "円", 0), "100", "88", "12"),
        (Currency("KWD", "KWD", "د.ك", 3), "100.004", "87.546", "12.458"),
    ],
    ids=lambda one: getattr(one, "code", ""),
)
def test_numbers_and_texts_are_in_the_currency(spark, currency, before, after, saving):
    script = "{cost_after} {currency}, {saving} {currency} меньше, {package_name}"
    row = pushed(
        spark,
        [decision(1, channel="web")],
        channel="web",
        columns=PUSHED,
        campaigns=[campaign("tariff", script=script, valid_to=date(2009, 8, 1))],
        currency=currency,
    )[0]
    costs = (row.cost_before, row.cost_after, row.saving)
    assert tuple(map(str, costs)) == (before, after, saving)
    name = currency.name
    assert row.script == f"{after} {name}, {saving} {name} меньше, 全球通58套餐"
    assert row.reason == f"近3个月中有2个月更省，平均每月节省{saving}{name}"
    assert row.before_lines == f'{{"total":"{before}"}}'
    assert f"平均每月节省 {saving} {name}" in row.picture
    assert (currency is YUAN) == ("元" in row.reason + row.picture)


def test_an_alternative_is_offered_under_all_its_names_with_the_lines_that_it_changes(spark):
    quotes = [
        quote(1, 3, "old", fee="50", airtime="40", total="100", present=True),
        quote(1, 3, "texts", fee="5", airtime="0", total="100", present=True, kind="sms"),
        quote(1, 3, "data", fee="20", airtime="0", total="100", present=True, kind="gprs"),
        quote(1, 3, "chat", fee="60", airtime="7", total="82", kind="bundle"),
        quote(1, 4, "chat", fee="60", airtime="7", total="82", kind="bundle"),
    ]
    row = pushed(
        spark,
        [decision(1, channel="web", offer="chat+data")],
        quotes=quotes,
        channel="web",
        columns=("package_id", "package_name", "script", *WEB),
        months=1,
        costs=("100", "72"),
        offer="chat+data",
        kind="whole",
        new=["chat"],
    )[0]
    assert (row.package_id, row.package_name) == ("chat+data", "畅聊+上网")
    assert "推荐畅聊+上网，" in row.script
    # The data package is kept: it is in neither bill by itself, its fee passes through.
    before, after = json.loads(row.before_lines), json.loads(row.after_lines)
    assert (before["monthly_fee"], before["local_airtime"]) == ("55.00", "40.00")
    assert (after["monthly_fee"], after["local_airtime"]) == ("60.00", "7.00")
    assert (before["passed_through"], after["passed_through"]) == ("5.00", "5.00")
