"""The logs of the channels: what of them is one contact, and each contact exactly once (M1)."""

from datetime import date, datetime, timedelta, timezone

import pytest
from pyspark.sql import functions as F

from models.contact.event import contact_event, continued_days, linked
from models.contact.log import LOGS
from schemas.render import spark as rendered
from schemas.window import Window
from tests.given.rows import CONTRACTS, frame, named

BEIJING = timezone(timedelta(hours=8))
DAY = date(2009, 5, 2)
NEXT = date(2009, 5, 3)
BOTH_DAYS = Window(DAY, NEXT)
LOOKBACK = {"ivr_log": 7, "web_log": 7}


def at(second):
    return datetime(2009, 5, 2, 9, tzinfo=BEIJING) + timedelta(seconds=second)


def frames(spark, **logs):
    """Some records of ods tables, by table."""
    return {f"ods.{name}": frame(spark, f"ods.{name}", *rows) for name, rows in logs.items()}


def contacts(spark, window=BOTH_DAYS, lookback_days=LOOKBACK, **logs):
    """The contacts of some records of ods tables, whose number 138 is customer 1's."""
    held = "subscriber_id msisdn customer_id valid_from valid_to"
    identity = frame(spark, "dw.subscriber_identity", *named(held, (11, "138", 1, at(-10), None)))
    found = linked(
        frames(spark, **logs),
        identity,
        window=window,
        lookback_days=lookback_days,
        placeholders=["0"],
    )
    return contact_event(found, "k")


def step(call_no, number, **changes):
    """A step at which nothing happens but a key, ten seconds after the one before it."""
    return {
        "source": "ivr_log",
        "call_no": call_no,
        "step_no": number,
        "msisdn": "138",
        "node": f"M{number}",
        "kind": None,
        "business_code": None,
        "to_agent": False,
        "agent_busy": None,
        "occurred_at": at(10 * number),
        "left_at": at(10 * number + 7),
        "batch_date": DAY,
        **changes,
    }


def page(session_no, number, **changes):
    return {
        "source": "web_log",
        "session_no": session_no,
        "view_no": number,
        "msisdn": "138",
        "page": f"page {number}",
        "kind": None,
        "business_code": None,
        "action": "view",
        "stay_s": 20,
        "occurred_at": at(20 * number),
        "batch_date": DAY,
        **changes,
    }


def test_a_call_is_one_contact_of_the_menu_or_of_the_agents(spark):
    found = contacts(
        spark,
        ivr_step=[
            step("settled", 1),
            step("settled", 2, kind="query", business_code="bill_query"),
            step("left", 1),
            step("busy", 1),
            step("busy", 2, kind="query", business_code="payment"),
            step("busy", 3, to_agent=True, agent_busy=True, diverted_to="web"),
            step("answered", 1),
            step("answered", 2, to_agent=True, agent_busy=False),
            step("gave up", 1),
            step("gave up", 2, to_agent=True),
        ],
        agent_call=[
            {"source": "hotline_log", "call_no": "answered", "connected": True, "resolved": True},
            {"source": "hotline_log", "call_no": "gave up", "connected": False, "resolved": None},
        ],
    ).collect()
    assert {
        (row.source_record, row.channel, row.kind, row.business_code, row.result) for row in found
    } == {
        ("settled", "ivr", "query", "bill_query", "success"),
        ("left", "ivr", "query", None, "abandoned"),
        ("busy", "ivr", "query", "payment", "abandoned"),
        ("answered", "hotline", "enquiry", "balance_query", "success"),
        ("gave up", "hotline", "enquiry", "balance_query", "abandoned"),
    }
    assert len(found) == 5
    (settled,) = [row for row in found if row.source_record == "settled"]
    assert (
        settled.duration_s,
        settled.occurred_at.astimezone(BEIJING),
        settled.batch_date,
        settled.location,
        settled.customer_id,
    ) == (17, at(10), DAY, "M2", 1)


def test_a_session_is_one_contact_of_whoever_logged_in_on_the_way(spark):
    found = contacts(
        spark,
        web_view=[
            page("W1", 1, msisdn=None),
            page("W1", 2),
            page("W1", 3, kind="transaction", business_code="payment", action="done"),
            page("W2", 1, msisdn=None),
            page("W3", 1, kind="transaction", business_code="gprs", action="apply"),
            page("W4", 2),  # its first page never came
        ],
    ).collect()
    assert {
        (
            row.source_record,
            row.customer_id,
            row.kind,
            row.business_code,
            row.result,
            row.duration_s,
            row.location,
        )
        for row in found
    } == {
        ("W1", 1, "transaction", "payment", "success", 60, "page 3"),
        ("W2", None, "query", None, None, 20, "page 1"),
        ("W3", 1, "transaction", "gprs", "abandoned", 20, "page 1"),
    }
    assert {(row.channel, row.direction) for row in found} == {("web", "in")}


def test_rows_of_a_contact_that_come_in_other_deliveries_belong_to_it(spark):
    """Midnight cuts a session in two, a part comes a week later, or before the beginning."""
    log = [
        page("cut", 1),
        page("cut", 2, kind="transaction", action="done", batch_date=DAY + timedelta(days=1)),
        page("a week", 1),
        page("a week", 2, batch_date=DAY + timedelta(days=7)),
        page("too late", 1),
        page("too late", 2, batch_date=DAY + timedelta(days=8)),
        page("before", 2, batch_date=DAY - timedelta(days=7)),
        page("before", 1),
    ]
    steps = [step("agent at last", 1), step("agent at last", 2, to_agent=True, batch_date=NEXT)]
    found = contacts(spark, Window(DAY, DAY), web_view=log, ivr_step=steps).collect()
    assert {(row.source_record, row.kind, row.result, row.duration_s) for row in found} == {
        ("cut", "transaction", "success", 40),
        ("a week", "query", None, 40),
        ("too late", "query", None, 20),
        ("before", "query", None, 40),
    }
    assert {row.batch_date for row in found} == {DAY}
    assert (
        contacts(
            spark, Window(NEXT, NEXT + timedelta(days=9)), web_view=log, ivr_step=steps
        ).collect()
        == []
    )


@pytest.mark.parametrize(("late", "days"), [(1, [DAY]), (7, [DAY]), (8, [])])
def test_a_delivery_says_to_which_days_its_rows_belong(spark, late, days):
    night = DAY + timedelta(days=late)
    logs = frames(
        spark,
        complaint=[{"source": "complaint"}],
        ivr_step=[step("other", 1)],
        web_view=[
            page("cut", 1),
            page("cut", 2, batch_date=night),
            page("of that night", 1, batch_date=night),
            page("of that night", 2, batch_date=night),
            page("whole", 1),
            page("whole", 2),
        ],
    )
    found = continued_days(logs, window=Window(night, night), lookback_days=LOOKBACK)
    assert [row.batch_date for row in found.collect()] == days


def test_a_call_to_a_customer_is_a_contact_of_the_hotline_and_tells_how_it_ended(spark):
    ends = {
        "accepted": "success",
        "refused": "failed",
        "do_not_disturb": "failed",
        "busy": "not_reached",
        "no_answer": "not_reached",
    }
    found = contacts(
        spark,
        outbound_call=[
            {
                "call_no": end,
                "outcome": end,
                "kind": "marketing",
                "campaign_id": "spring",
                "wave": 2,
            }
            for end in ends
        ],
    )
    rows = found.collect()
    assert {row.source_record: row.result for row in rows} == ends
    assert {(row.channel, row.direction, row.kind, row.campaign_id, row.wave) for row in rows} == {
        ("hotline", "out", "marketing", "spring", 2)
    }


def test_every_log_gives_contacts_that_satisfy_the_contract(spark):
    """One record of each kind, as its contract's example has it, is one valid contact."""
    found = contacts(spark, **{table.removeprefix("ods."): [{"source": table}] for table in LOGS})
    rules = rendered.row_rules(
        CONTRACTS["dw.contact_event"],
        {
            "channels": [
                "hall",
                "hotline",
                "ivr",
                "sms",
                "web",
                "wap",
                "terminal",
                "customer_manager",
                "designated_shop",
                "agent",
            ]
        },
    )
    broken = F.array(*[rule.violated for rule in rules]).alias("broken")
    rows = found.select("source", broken).collect()
    assert sorted(row.source for row in rows) == sorted(LOGS)
    assert {
        row.source: [
            rule.reason
            for rule, verdict in zip(rules, row.broken, strict=True)
            if verdict is not False
        ]
        for row in rows
    } == {table: [] for table in LOGS}
