"""What an operator sees of deliveries and steps, from rows of the ledger."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from jobs import status
from jobs.warehouse import ledger_summary
from jobs.warehouse.ledger import COMMITTED, FAILED, STARTED, Entry
from schemas.config.source import Cadence
from schemas.window import Window

NOW = datetime(2009, 5, 4, 6, 0, tzinfo=UTC)
FIRST, SECOND = date(2009, 5, 2), date(2009, 5, 3)
BOTH = Window(FIRST, SECOND)


def feeding(*tables, **cadence):
    """A source of these tables."""
    also = tables[1:]
    return SimpleNamespace(cadence=Cadence(**cadence), optional=False, tables=tables, also=also)


CONF = SimpleNamespace(
    sources={"voice": feeding("ods.voice"), "bill": feeding("ods.bill", monthly=3)}
)


def noted(
    state,
    minutes_ago,
    source="voice",
    day=SECOND,
    run="r1",
    step=None,
    seconds=None,
    message=None,
    **counts,
):
    at = NOW - timedelta(minutes=minutes_ago)
    rows = (
        {f"rows_{part}": counts.get(part, 0) for part in ledger_summary.COUNTS}
        if state == COMMITTED
        else {}
    )
    return Entry(
        run,
        step or f"ingest.{source}",
        source,
        f"ods.{source}",
        str(day),
        state,
        "print",
        committed_at=at,
        message=message,
        started_at=None if seconds is None else at - timedelta(seconds=seconds),
        **rows,
    )


def states(*entries, window=BOTH):
    return {
        (one.source, one.day): one.state for one in ledger_summary.deliveries(entries, CONF, window)
    }


def test_what_is_due_and_was_never_noted_is_missing():
    assert states() == {
        ("voice", FIRST): "missing",
        ("voice", SECOND): "missing",
        ("bill", SECOND): "missing",
    }


def test_the_last_attempt_says_how_a_delivery_stands():
    tried = [noted(STARTED, 9), noted(FAILED, 8, message="no"), noted(STARTED, 7)]
    assert states(*tried)["voice", SECOND] == "started"
    assert states(*tried, noted(COMMITTED, 6))["voice", SECOND] == "committed"
    assert states(*tried, noted(COMMITTED, 6))["voice", FIRST] == "missing"


def test_the_counts_that_stand_are_those_of_the_last_commit():
    (one,) = [
        one
        for one in ledger_summary.deliveries(
            [
                noted(COMMITTED, 9, delivered=7),
                noted(COMMITTED, 8, delivered=8),
                noted(STARTED, 7),
                noted(FAILED, 6, message="too many rejected"),
            ],
            CONF,
            BOTH,
        )
        if (one.source, one.day) == ("voice", SECOND)
    ]
    assert (one.state, one.current.rows_delivered, one.message) == (
        "failed",
        8,
        "too many rejected",
    )


def test_a_delivery_outside_the_days_or_of_a_source_that_is_gone_is_not_shown():
    found = states(noted(COMMITTED, 5, day=date(2009, 5, 1)), noted(COMMITTED, 5, source="fax"))
    assert set(found) == set(states())


def test_a_steps_seconds_are_compared_with_the_median_of_its_earlier_runs():
    runs = [
        noted(COMMITTED, 50 - n, run=f"r{n}", seconds=seconds)
        for n, seconds in enumerate((10, 90, 12, 31))
    ]
    # A range writes many slices: the step took as long as the last of them.
    runs.append(replace(runs[-1], started_at=runs[-1].committed_at - timedelta(seconds=30)))
    (one,) = ledger_summary.timings(runs)
    assert (one.step, one.seconds, one.usual, one.runs) == ("ingest.voice", 31, 12, 3)


def test_a_step_that_ran_once_has_no_usual_and_one_that_only_started_no_time():
    (one,) = ledger_summary.timings(
        [noted(COMMITTED, 5, seconds=4), noted(STARTED, 3, step="rerate")]
    )
    assert (one.seconds, one.usual, one.runs) == (4, None, 0)


def test_what_is_shown():
    entries = [
        noted(
            COMMITTED,
            2000,
            run="r0",
            delivered=1000,
            accepted=990,
            rejected=6,
            duplicate=4,
            late=2,
            warned=3,
            seconds=10,
        ),
        noted(
            COMMITTED,
            130,
            day=FIRST,
            delivered=5,
            accepted=5,
            seconds=40,
            message="accepted: a known fault",
        ),
        noted(FAILED, 5, message="reject_share: 0.4000, expected at most 0.05"),
    ]
    text = status.shown(
        ledger_summary.deliveries(entries, CONF, BOTH), ledger_summary.timings(entries), NOW
    )
    assert text.splitlines() == [
        "source                day         state       delivered  accepted  rejected duplicate"
        "      late    warned      age",
        "voice                 2009-05-02  committed           5         5         0         0"
        "         0         0      2 h",
        "                      accepted: a known fault",
        "bill                  2009-05-03  missing",
        "voice                 2009-05-03  failed          1,000       990         6         4"
        "         2         3    5 min",
        "                      reject_share: 0.4000, expected at most 0.05; the commit"
        " before it stays valid",
        "",
        "step                            seconds    usual  runs",
        "ingest.voice                       40.0     10.0     1  ################ 4.0 times",
    ]


def test_columns_are_as_wide_as_their_longest_value():
    """A name of over 21 letters, a Chinese one, counts of 11 digits, a step of over 29 letters."""
    long, chinese = "recharges_of_the_prepaid_cards", "预付费卡充值记录与余额变动明细"
    count = 98_765_432_101
    entries = [
        noted(COMMITTED, 9, long, seconds=1, delivered=count, accepted=count, warned=count),
        noted(FAILED, 9, chinese, message="no"),
    ]
    conf = SimpleNamespace(sources=dict.fromkeys((long, chinese), CONF.sources["voice"]))
    found = ledger_summary.deliveries(entries, conf, Window(SECOND, SECOND))
    lines = status.shown(found, ledger_summary.timings(entries), NOW).splitlines()
    head, first, second, message, _, heads, step = lines
    assert head.split() == ["source", "day", "state", *ledger_summary.COUNTS, "age"]
    assert first.split() == [
        *(long, "2009-05-03", "committed", "98,765,432,101", "98,765,432,101"),
        *("0", "0", "0", "98,765,432,101", "9", "min"),
    ]
    day = head.index("day")
    assert first.index("2009-05-03") == day
    assert second.startswith(f"{chinese}{' ' * (day - 30)}2009-05-03  failed ")
    assert message == f"{' ' * day}no"
    assert head.index("age") + 3 == len(first)
    assert step.split() == [f"ingest.{long}", "1.0", "0"]
    assert len(heads) == len(step)


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(minutes=120), "2 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(hours=48), "2 days"),
    ],
)
def test_ages_are_said_shortly(age, said):
    entry = replace(noted(COMMITTED, 0), committed_at=NOW - age)
    found = ledger_summary.deliveries([entry], CONF, Window(SECOND, SECOND))
    line = [one for one in status.shown(found, [], NOW).splitlines() if one.startswith("voice")]
    assert line[0].endswith(f"  {said}")
