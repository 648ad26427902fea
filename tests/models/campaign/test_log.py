"""The log of campaigns' states: what may follow what, what runs, and how it is tampered with."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from models.campaign import log, state
from models.campaign.state import Change
from schemas import config
from schemas.config.policy import CampaignPolicy
from schemas.errors import ConfigError, QualityError
from tests.given.campaigns import campaign
from tests.given.paths import CONF

AT = datetime(2009, 4, 28, 2, tzinfo=UTC)
DAY = date(2009, 5, 3)
SHIPPED = config.load([CONF])


def configured(*campaigns, approval="required"):
    policy = replace(SHIPPED.policy, campaigns=CampaignPolicy(approval))
    return replace(SHIPPED, policy=policy, campaigns={one.id: one for one in campaigns})


CONFIGURED = configured(campaign("saving"), campaign("other"))


def entries(*asked, conf=CONFIGURED):
    """A log of changes written as `submit`, `approve market`, `start 2009-05-03` of `saving`."""
    written = []
    for place, words in enumerate(asked):
        name, _, said = words.rpartition(":")
        action, _, more = said.partition(" ")
        change = Change(
            name or "saving",
            {"submit": "submitted", "approve": "approved", "start": "running", "end": "ended"}[
                action
            ],
            "Li Wei",
            AT + timedelta(hours=place),
            more if action == "approve" else None,
            date.fromisoformat(more) if action in ("start", "end") else None,
        )
        written.append(state.next_entry(written, change, conf))
    return written


APPROVED = ("submit", "approve business", "approve market", "approve service")
RUNS = (*APPROVED, "start 2009-05-03")


def ids(conf, written, day=DAY):
    return [one.id for one in state.running(conf, written, day)]


def test_a_campaign_runs_once_business_market_and_service_have_approved_it_and_it_is_started():
    for steps in range(len(RUNS)):
        assert ids(CONFIGURED, entries(*RUNS[:steps])) == []
    assert ids(CONFIGURED, entries(*RUNS)) == ["saving"]


@pytest.mark.parametrize(
    ("day", "runs"),
    [
        (date(2009, 5, 2), False),  # started for the 3rd
        (date(2009, 5, 3), True),
        (date(2009, 5, 9), True),
        (date(2009, 5, 10), False),  # ended from the 10th on
        (date(2009, 6, 1), False),  # its file is valid until 31 May
    ],
)
def test_it_runs_from_its_start_until_its_end_whenever_the_night_is_repeated(day, runs):
    assert ids(CONFIGURED, entries(*RUNS, "end 2009-05-10"), day) == (["saving"] if runs else [])


def test_a_changed_file_needs_all_approvals_again():
    written = entries(*RUNS)
    changed = configured(campaign("saving", script="{saving}"), campaign("other"))
    assert ids(changed, written) == []
    current = state.versions(written, changed.runtime.identity_key)["saving"]
    assert state.state_of(changed.campaigns["saving"], current, changed) == "planned"
    with pytest.raises(ConfigError, match="campaign saving: its file is new or has changed"):
        state.next_entry(written, Change("saving", "running", "Li", AT, since=DAY), changed)
    submitted = state.next_entry(written, Change("saving", "submitted", "Li", AT), changed)
    assert submitted.version == 2
    now = state.versions([*written, submitted], changed.runtime.identity_key)["saving"]
    assert now.missing == ("business", "market", "service")
    assert ids(changed, [*written, submitted]) == []
    assert ids(CONFIGURED, [*written, submitted]) == []  # version 1 is no longer the newest


def test_a_changed_target_definition_is_a_new_version_too():
    conf = configured(campaign("saving", target="roamers"))
    written = entries(*RUNS, conf=conf)
    assert ids(conf, written) == ["saving"]
    other = replace(conf.targets["tariff_savers"], id="roamers")
    assert ids(replace(conf, targets={**conf.targets, "roamers": other}), written) == []


def test_a_change_of_another_campaign_changes_nothing():
    changed = configured(campaign("saving"), campaign("other", script="{saving}"))
    assert ids(changed, entries(*RUNS)) == ["saving"]


@pytest.mark.parametrize(
    ("before", "asked", "message"),
    [
        ((), "approve market", "its file is new or has changed: submit it first"),
        ((), "start 2009-05-03", "its file is new or has changed: submit it first"),
        (("submit",), "submit", "this version is submitted already"),
        (("submit",), "approve manager", "only business, market, service approve"),
        (
            ("submit", "approve market"),
            "approve market",
            "market has approved it already, by Li Wei",
        ),
        (APPROVED[:3], "start 2009-05-03", "the approval of service is missing"),
        (APPROVED, "submit", "this version is approved already"),
        (RUNS, "start 2009-05-04", "it runs already"),
        (RUNS, "approve market", "it runs already"),
        ((*RUNS, "end 2009-05-09"), "end 2009-05-10", "it has ended: submit it again first"),
        ((*RUNS, "end 2009-05-09"), "start 2009-05-10", "it has ended: submit it again first"),
    ],
)
def test_a_state_that_may_not_follow_is_refused(before, asked, message):
    with pytest.raises(ConfigError) as caught:
        entries(*before, asked)
    assert str(caught.value) == f"campaign saving: {message}"


def test_an_ended_campaign_may_be_submitted_again_as_a_version():
    again = entries(*RUNS, "end 2009-05-10", *APPROVED, "start 2009-05-20")
    assert again[-1].version == 2
    assert ids(CONFIGURED, again, date(2009, 5, 15)) == []
    assert ids(CONFIGURED, again, date(2009, 5, 20)) == ["saving"]


def test_without_required_approvals_what_has_not_ended_runs():
    conf = configured(campaign("saving"), campaign("other"), approval="not_required")
    assert ids(conf, []) == ["saving", "other"]
    ended = entries("submit", "end 2009-05-03", conf=conf)
    assert ids(conf, ended) == ["other"]
    assert ids(conf, ended, date(2009, 5, 2)) == ["saving", "other"]


def test_the_configuration_says_whether_approval_is_required_and_silence_requires_it():
    assert SHIPPED.policy.campaigns.approval == "not_required"
    assert CampaignPolicy().approval == "required"


def tampered(change):
    """What is said of the log of two campaigns, of which one runs, after a change of its rows."""
    written = entries(*APPROVED, "other:submit", "start 2009-05-03")
    conf = configured(campaign("saving"), campaign("other"), approval="not_required")
    for one in (CONFIGURED, conf):  # also where no approval is required
        with pytest.raises(QualityError) as caught:
            state.running(one, change(list(written)), DAY)
    return str(caught.value).removeprefix("ops.campaign_log: ").partition("; no campaign runs")[0]


def resealed(written, key=SHIPPED.runtime.identity_key):
    """The same rows, numbered and sealed anew by somebody who holds the key."""
    made = []
    for place, one in enumerate(written, start=1):
        before = made[-1].seal if made else ""
        made.append(log.sealed(replace(one, entry_no=place, previous_seal=before), key))
    return made


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda rows: [replace(rows[0], by="Wang"), *rows[1:]],
            "entry 1: it was changed after it was written, or identity_key was",
        ),
        (
            lambda rows: [*rows[:2], replace(rows[2], role="service"), *rows[3:]],
            "entry 3: it was changed after it was written, or identity_key was",
        ),
        (
            lambda rows: [*rows[:5], replace(rows[5], since=date(2009, 4, 1))],
            "entry 6: it was changed after it was written, or identity_key was",
        ),
        (lambda rows: [*rows[:2], *rows[3:]], "entry 3: it is missing or stands twice"),
        (lambda rows: rows[1:], "entry 1: it is missing or stands twice"),
        (lambda rows: [*rows, rows[3]], "entry 5: it is missing or stands twice"),
        (
            lambda rows: [
                rows[0],
                replace(rows[1], entry_no=3),
                replace(rows[2], entry_no=2),
                *rows[3:],
            ],
            "entry 2: it does not follow the entry before it",
        ),
        (lambda rows: resealed(rows, "guessed"), "entry 1: it was changed after it was written"),
        # With the key: the chain is whole, but no such entry would have been written.
        (
            lambda rows: resealed([*rows[:3], *rows[4:]]),
            "entry 5: the approval of service is missing",
        ),
        (
            lambda rows: resealed([*rows[:2], rows[1], *rows[2:]]),
            "entry 3: business has approved it already, by Li Wei",
        ),
        (
            lambda rows: resealed(rows[5:]),
            "entry 1: its file is new or has changed: submit it first",
        ),
        (
            lambda rows: resealed([replace(rows[0], version=2), *rows[1:]]),
            "entry 1: expected version 1",
        ),
        (
            lambda rows: resealed([*rows[:5], replace(rows[5], at=AT)]),
            "entry 6: it is older than the entry before it",
        ),
        (
            lambda rows: resealed([*rows[:5], replace(rows[5], fingerprint="0" * 64)]),
            "entry 6: its file is new or has changed: submit it first",
        ),
    ],
)
def test_a_log_that_was_tampered_with_is_refused(change, message):
    assert tampered(change).startswith(message)


def test_rows_may_be_read_in_any_order_and_in_any_zone():
    written = entries(*RUNS)
    rows = [{**vars(one), "at": round(one.at.timestamp() * 1_000_000)} for one in written[::-1]]
    assert ids(CONFIGURED, [log.Entry.of_row(row) for row in rows]) == ["saving"]
    local = [log.Entry.of_row({**vars(one), "at": one.at.astimezone()}) for one in written]
    assert ids(CONFIGURED, local) == ["saving"]


def test_a_clock_that_was_set_back_does_not_make_the_log_look_tampered():
    written = entries("submit", "approve market")
    late = Change("saving", "approved", "Li", AT - timedelta(days=1), "business")
    assert state.next_entry(written, late, CONFIGURED).at == written[-1].at
