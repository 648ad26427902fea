"""The plan of the night: order, declared tables, what is due, and what is asked for."""

from dataclasses import replace
from datetime import date

import pytest

from jobs.plan.night import night
from jobs.plan.selection import applications, select
from jobs.plan.slices import rated_months, slices
from jobs.plan.step import CAMPAIGN_LOG, OPS, due_days
from schemas.errors import ConfigError
from schemas.window import Window


@pytest.fixture(scope="module")
def steps(conf):
    return night(conf)


def names(steps):
    return [step.name for step in steps]


def one_night(day):
    return Window(day, day)


def test_every_table_that_a_step_reads_was_written_by_a_step_before_it(steps):
    written = {*OPS, CAMPAIGN_LOG}
    for step in steps:
        for table in step.reads:
            # Yesterday's view of the contacts goes into today's; a channel's file is made from
            # the table that the same step has just written; look-backs read earlier deliveries.
            assert table in written or table in (*step.writes, *step.earlier), (
                f"{step.name} reads {table}"
            )
        written |= set(step.writes)


def test_every_table_is_written_by_one_step_and_has_a_contract(steps, contracts):
    writers = {}
    for step in steps:
        assert set(step.writes) | set(step.reads) <= set(contracts), step.name
        for table in step.writes:
            writers.setdefault(table, set()).add(step.name.split(".")[0])
    assert all(len(steps) == 1 for steps in writers.values()), writers
    # Contacts in the common form, and campaigns of other systems, come from sources that a province
    # adds by configuration.
    added = {"ods.contact", "ods.campaign_assignment"}
    assert set(writers) == set(contracts) - {*OPS, CAMPAIGN_LOG, "ops.erasure", *added}


def test_names_are_different_and_applications_hold_neighbours(steps):
    assert len(set(names(steps))) == len(steps)
    groups = [step.application for step in steps]
    assert groups == sorted(groups, key=groups.index)
    assert names(sum(applications(steps).values(), ())) == names(steps)
    assert list(applications(steps)) == list(dict.fromkeys(groups))


def test_a_source_comes_after_what_its_record_refers_to(conf, steps, contracts):
    place = {step.writes[0]: number for number, step in enumerate(steps) if step.source is not None}
    referring = 0
    for step in steps:
        if step.source is None:
            continue
        for column in contracts[conf.sources[step.source].record].columns:
            if column.references:
                table = column.references.rsplit(".", 1)[0]
                assert table in step.reads
                assert place[table] < place[step.writes[0]]
                referring += 1
    assert referring >= 3


def test_a_source_by_configuration_is_a_step_of_its_own(conf, steps):
    assert {step.source for step in steps if step.source} == set(conf.sources)
    (voice,) = [step for step in steps if step.source == "voice"]
    assert (voice.name, voice.module, voice.cadence) == (
        "ingest.voice",
        "jobs.steps.ingest.ingest",
        "daily",
    )
    assert voice.writes == ("ods.voice_call",)


def test_contacts_are_read_from_the_logs_that_a_source_feeds(conf):
    """One that nobody feeds costs no reading; without any there is still a step."""

    def reads(sources):
        (event,) = [
            step for step in night(replace(conf, sources=sources)) if step.name == "contact_event"
        ]
        return event.reads

    assert "ods.contact" not in reads(conf.sources)
    assert {"ods.ivr_step", "ods.agent_call", "ods.complaint"} < set(reads(conf.sources))
    few = {name: conf.sources[name] for name in ("customer", "web_log")}
    assert reads(few) == ("ods.web_view", "dw.subscriber_identity")
    assert reads({}) == ("ods.contact", "dw.subscriber_identity")


# -- what is asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("push", ["push"]),
        ("push,decide", ["decide", "push"]),  # in the order of the plan
        (" decide , push ,", ["decide", "push"]),
        ("ingest.voice", ["ingest.voice"]),
        ("ingest.voice,ingest.voice", ["ingest.voice"]),
    ],
)
def test_only_takes_the_named_steps(steps, only, expected):
    assert names(select(steps, only)) == expected


def test_a_prefix_takes_every_source(conf, steps):
    assert len(select(steps, "ingest")) == len(conf.sources)
    assert names(select(steps, None, "ingest")) == names(steps)
    assert names(select(steps)) == names(steps)


def test_from_takes_the_step_and_all_after_it(steps):
    assert names(select(steps, None, "decide")) == [
        "decide",
        "receipt_check",
        "push",
        "hold_out",
        "evaluate",
        "channel_effect",
        "policy_value",
        "acceptance_drift",
        "clerk_credit",
        "campaign_money",
        "report",
        "effects",
        "deliver",
    ]


@pytest.mark.parametrize(
    ("only", "start", "said"),
    [
        ("pushh", None, "--only: no step 'pushh'; the plan has: ingest."),
        ("push,ing", None, "--only: no step 'ing'; the plan has: ingest."),
        ("", None, "--only names no step; the plan has: ingest."),
        (None, "nosuch", "--from: no step 'nosuch'; the plan has: ingest."),
        (None, "", "--from: no step ''; the plan has: ingest."),
    ],
)
def test_a_step_that_is_not_there_is_refused_with_those_that_are(steps, only, start, said):
    with pytest.raises(ConfigError) as raised:
        select(steps, only, start)
    assert str(raised.value).startswith(said)
    assert str(raised.value).endswith(
        "channel_effect, policy_value, acceptance_drift, clerk_credit, campaign_money, report, "
        "effects, deliver"
    )


# -- what is due ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "due"),
    [
        (one_night(date(2009, 5, 2)), False),
        (one_night(date(2009, 5, 3)), True),
        (one_night(date(2009, 5, 4)), False),
        (Window(date(2009, 5, 4), date(2009, 6, 2)), False),
        (Window(date(2009, 5, 4), date(2009, 6, 3)), True),
        (Window(date(2009, 1, 1), date(2009, 5, 3)), True),
    ],
)
def test_months_are_re_rated_when_one_closes_within_the_window(conf, steps, window, due):
    """The month closes on the third, when its bills are delivered."""
    asked = {step.name: step.due(window, conf) for step in steps}
    for name in ("usage_month", "backtest", "rerate", "ingest.bill", "ingest.bill_item"):
        assert asked[name] == due, name
    assert asked["ingest.voice"]
    assert asked["identity"]
    assert asked["push"]


def test_a_delivery_is_due_on_the_days_of_its_cadence(conf):
    window = Window(date(2009, 3, 1), date(2009, 5, 3))
    assert due_days(conf, "bill", window) == [date(2009, month, 3) for month in (3, 4, 5)]
    assert due_days(conf, "voice", window) == window.days()


def test_the_months_that_a_run_re_rates(conf):
    """S2-07: the last three closed months."""
    assert rated_months(conf, one_night(date(2009, 5, 3))) == [
        date(2009, 2, 1),
        date(2009, 3, 1),
        date(2009, 4, 1),
    ]
    assert rated_months(conf, one_night(date(2009, 5, 2))) == [
        date(2009, 1, 1),
        date(2009, 2, 1),
        date(2009, 3, 1),
    ]


@pytest.mark.parametrize(
    ("table", "source", "expected"),
    [
        ("ods.bill", "bill", ["2009-05-03"]),
        ("ods.voice_call", "voice", ["2009-05-02", "2009-05-03"]),
        ("dw.contact_event", None, ["2009-05-02", "2009-05-03"]),
        ("dw.subscriber", None, ["2009-05-03"]),
        ("dw.usage_month", None, ["2009-02-01", "2009-03-01", "2009-04-01"]),
        ("dw.rating_cell", None, ["-"]),
    ],
    ids=["a monthly delivery", "a daily delivery", "events", "a snapshot", "months", "a register"],
)
def test_the_slices_that_a_run_replaces(conf, contracts, table, source, expected):
    window = Window(date(2009, 5, 2), date(2009, 5, 3))
    assert slices(conf, contracts[table], window, source) == expected
