"""The page of channels: load, receipts, and deliveries that need a look."""

from datetime import UTC, date, datetime
from decimal import Decimal

from jobs.pages import channel_page
from jobs.pages.channel_page import Channels
from models.drawing import page
from schemas.config import Channel, Push
from schemas.config.channel import Sink
from schemas.render.spark import example_row
from tests.given.rows import CONTRACTS, named
from tests.jobs.pages.test_campaign_page import tables

BEFORE, DAY = date(2009, 5, 2), date(2009, 5, 3)


def channel(name, capacity, sink=None):
    push = Push(f"{name}.csv", ("msisdn",), deliver_to=sink)
    return Channel(name, f"渠道{name}", 1, Decimal(1), capacity=capacity, push=push)


def filled(table, columns, *rows):
    example = example_row(CONTRACTS[table])
    return [{**example, **row} for row in named(columns, *rows)]


MADE = Channels(
    channels=[channel("hall", 10, Sink("/in/hall")), channel("sms", 40, Sink("/in/sms"))],
    day=DAY,
    load=filled(
        "mart.capacity_price",
        "resource capacity used",
        ("channel:hall", 10, 10),
        ("channel:sms", 40, 4),
        ("minutes:sms", 60, 30),
    ),
    files=filled(
        "mart.push_file",
        "channel data_date file_name rows test_rows",
        ("hall", BEFORE, "h2", 9, 0),
        ("hall", DAY, "h3", 12, 2),
        ("sms", BEFORE, "s2", 5, 0),
        ("sms", DAY, "s3", 4, 0),
    ),
    receipts=filled(
        "mart.receipt_check",
        "channel file_name pushed loaded failed missing alarm",
        ("hall", "h2", 9, 7, 1, 1, "rows_missing"),
        ("sms", "s2", 5, 5, 0, 0, None),
    ),
    deliveries=filled(
        "ops.delivery",
        "channel data_date state because told_at",
        ("hall", BEFORE, "failed", "no route", datetime(2009, 5, 3, 1, tzinfo=UTC)),
        ("hall", BEFORE, "delivered", None, datetime(2009, 5, 3, 2, tzinfo=UTC)),
        ("hall", DAY, "failed", "disk is full", datetime(2009, 5, 4, 1, tzinfo=UTC)),
    ),
)
TABLES = tables(page.page("Channels", channel_page.parts(MADE)))


def test_load_stands_against_capacity():
    assert [[one[0], *one[2:6], *one[7:9], one[10]] for one in TABLES["Files and load"]] == [
        ["hall", "h3", "12", "2", "10", "100%", "", "/in/hall"],
        ["sms", "s3", "4", "0", "40", "10%", "30 of 60 min", "/in/sms"],
    ]


def test_a_receipt_shows_its_alarm():
    assert [[*one[:7], one[8]] for one in TABLES["Receipts of the last days"]] == [
        ["warning", "hall", "h2", "9", "7", "1", "1", "rows missing"],
        ["", "sms", "s2", "5", "5", "0", "0", ""],
    ]


def test_what_is_staged_or_failed_is_listed_by_its_last_attempt():
    assert TABLES["Staged and failed deliveries"] == [
        ["failed", "hall", "2009-05-03", "h3", "12", "disk is full"],
        ["waiting", "sms", "2009-05-02", "s2", "5", "no attempt is known"],
    ]


def test_the_figures_at_the_top_need_attention_where_something_is_wrong():
    text = page.page("Channels", channel_page.parts(MADE))
    for figure in ("<b>14</b>contacts", "<b>1</b>channels", "<b>1</b>receipts", "<b>2</b>deliv"):
        assert figure in text
