"""The share of events without an owner is judged by the limits of their source, day by day."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from jobs.intake import owners
from jobs.warehouse.gate import Gate
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from schemas.config.source import ShareLimits
from schemas.errors import QualityError
from tests.given.delivered_lines import source
from tests.given.frames import local_frame
from tests.given.rows import CONTRACTS, frame

FIRST, SECOND = date(2009, 5, 2), date(2009, 5, 3)
STRICT = ShareLimits(Decimal("0.01"), Decimal("0.20"))


@pytest.fixture(scope="module")
def judge():
    return Judge(None, "run")


@pytest.fixture
def required(spark, judge):
    """Judge events given as (source, day, with an owner, without one); the ledger's checks."""

    def run(*counts, accepting=None, **sources):
        ledger = Ledger("run", "print", accepting=accepting)
        warehouse = SimpleNamespace(
            conf=SimpleNamespace(sources=sources),
            contracts=CONTRACTS,
            ledger=ledger,
            gate=Gate(judge, ledger),
        )
        rows = [
            (name, day, number)
            for name, day, held, unheld in counts
            for number in [None] * held + ["139"] * unheld
        ]
        events = local_frame(spark, rows, "source string, batch_date date, unheld string")
        identity = frame(spark, "dw.subscriber_identity", {"msisdn": "138"})
        owners.require(warehouse, "dw.usage_day", events, identity, "events")
        return [
            (one.source, one.slice, one.severity, one.success)
            for one in ledger.checks
            if one.check == "unheld_share"
        ]

    return run


def test_the_worst_day_of_a_source_is_judged(required):
    call = replace(source(), id="call")
    assert required(("call", FIRST, 99, 1), ("call", SECOND, 90, 10), call=call) == [
        ("call", "2009-05-03", "critical", True),
        ("call", "2009-05-03", "warning", False),
    ]


def test_a_share_above_the_limit_stops_and_names_the_day(required):
    with pytest.raises(
        QualityError,
        match=r"^call 2009-05-02: 30 of 100 events \(30\.0%\) are of numbers that nobody held at "
        r"that time, expected at most 20\.0%; most often the number is in no customer file: ",
    ):
        required(("call", FIRST, 70, 30), ("call", SECOND, 90, 10), call=source())


def test_an_operator_lets_it_pass_and_the_check_stays_failed(required):
    found = required(("call", FIRST, 70, 30), call=source(), accepting="ticket 4711")
    assert found[0] == ("call", "2009-05-02", "critical", False)


def test_a_few_events_are_judged_only_where_the_source_has_limits(required):
    assert required(("call", FIRST, 0, 49), call=source()) == []
    with pytest.raises(QualityError, match="1 of 4 events"):
        required(("call", FIRST, 3, 1), call=source(owners=STRICT))


def test_sources_without_customer_files_and_sources_that_are_gone_are_not_judged(required):
    own = source(identity="from_events", owners=STRICT)
    assert required(("call", FIRST, 0, 60), ("gone", FIRST, 0, 60), call=own) == []
