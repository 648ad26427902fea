"""A mistake in the contact policy is refused with file, line and what to do."""

import pytest

from tests.given.small_configuration import CONF, edit, refusal, write

CAMPAIGN = CONF["campaigns/saving.yml"].replace("salt: s1", "salt: s2")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "conf", CONF)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "prompt: {limit: 2, per: 7d}",
            "prompt: {limit: 2, per: 0d}",
            "conf/policy.yml:33: contacts.caps.prompt.per: expected hours or days above 0, like "
            "72h or 7d, or calendar_day; got '0d'",
        ),
        (
            "prompt: {limit: 2, per: 7d}",
            "prompt: {limit: -1, per: 7d}",
            "conf/policy.yml:33: contacts.caps.prompt.limit: expected a number ≥ 0; got -1",
        ),
        (
            "prompt: {limit: 2, per: 7d}",
            "prompt: {limit: many, per: 7d}",
            "conf/policy.yml:33: contacts.caps.prompt.limit: expected a whole number; got 'many'",
        ),
        (
            "prompt: {limit: 2, per: 7d}",
            "prompt: {per: 7d}",
            "conf/policy.yml:33: contacts.caps.prompt: the key 'limit' is missing",
        ),
        (
            "prompt: {limit: 2, per: 7d}",
            "prompt: {limit: 2, per: 7d, channels: [web]}",
            "conf/policy.yml:32: contacts.caps: no cap for contacts of the limited class "
            "'marketing' over 'hall': add one (limit 0: never), or write limited: false",
        ),
        (
            "prompt: {limit: 2, per: 7d}",
            "prompt: {limit: 2, per: 7d, channels: [hall, web, wbe]}",
            "conf/policy.yml:33: contacts.caps.prompt.channels[2]: unknown channel 'wbe', did you "
            "mean 'web'?",
        ),
        (
            "prompt: {limit: 2, per: 7d}",
            "prompt: {limit: 2, per: 7d, classes: [marketing, servce]}",
            "conf/policy.yml:33: contacts.caps.prompt.classes[1]: unknown class 'servce', did you "
            "mean 'service'?",
        ),
        (
            'open_from: "08:00", open_to: "20:00"',
            'open_from: "20:00", open_to: "08:00"',
            "conf/policy.yml:31: contacts.channels.web.open_to: expected a time after open_from "
            "20:00; got 08:00",
        ),
        (
            'open_from: "08:00", open_to: "20:00"',
            'open_from: "08:00", open_to: "25:00"',
            "conf/policy.yml:31: contacts.channels.web.open_to: expected a clock time in quotes, "
            "like \"09:30\"; got '25:00'",
        ),
        (
            'open_from: "08:00", open_to: "20:00"',
            'contact_at: "08:00", open_from: "09:00"',
            "conf/policy.yml:31: contacts.channels.web.contact_at: expected a time from 09:00 and "
            "before 24:00; got 08:00",
        ),
        (
            "hall: {way: pull, ",
            "hall: {way: push, ",
            "conf/policy.yml:30: contacts.channels.hall.way: unknown way 'push'; known: pull",
        ),
        (
            'hall: {way: pull, contact_at: "09:00", listed_for: 7d, report_within: 2d}',
            "hall: {way: pull, listed_for: 7d}",
            "conf/policy.yml:30: contacts.channels.hall: a pushed channel needs contact_at, "
            "report_within: when its list is worked, how long, and how soon it reports",
        ),
        (
            'hall: {way: pull, contact_at: "09:00", listed_for: 7d, report_within: 2d}',
            "wap: {way: pull}",
            "conf/policy.yml:30: contacts.channels.wap: unknown channel 'wap'; known: hall, web\n"
            "conf/policy.yml:29: contacts.channels: the pushed channel 'hall' has no entry: add "
            "its way, contact_at, listed_for, report_within",
        ),
        (
            'share: "0.02"',
            'share: "1.00"',
            "conf/policy.yml:21: contacts.hold_out.share: expected 0 or more and less than 1; got "
            "1.00",
        ),
        (
            "kinds: [care, marketing]",
            "kinds: [query, marketing]",
            "conf/policy.yml:25: contacts.classes.marketing.kinds[0]: 'query' belongs to the class "
            "'service' already: leave it in one of them\n"
            "conf/policy.yml:22: contacts.classes: no class has 'care' in kinds: add it to one",
        ),
        (
            "rests: {}",
            "rests: {calm: {outcome: refused, times: 2, within: 30d, rest: 0d, "
            "classes: [marketing]}}",
            "conf/policy.yml:34: contacts.rests.calm.rest: expected hours or days above 0, like "
            "72h or 7d; got '0d'",
        ),
        (
            "families: {}",
            "families: {tariff: {campaigns: [savng], apart: 30d}}",
            "conf/policy.yml:35: contacts.families.tariff.campaigns[0]: unknown campaign 'savng', "
            "did you mean 'saving'?",
        ),
        (
            "sequences: {}",
            "sequences: {odd: {first: saving, then: saving}}",
            "conf/policy.yml:37: contacts.sequences.odd: impossible: 'saving' would have to come "
            "before itself; remove one sequence",
        ),
        (
            "sequences: {}",
            "sequences: {ab: {first: saving, then: later}, ba: {first: later, then: saving}}",
            "conf/policy.yml:37: contacts.sequences.ba: impossible: 'saving' would have to come "
            "before itself; remove one sequence",
        ),
        (
            "sequences: {}",
            "sequences: {ab: {first: later, then: saving}}",
            "conf/policy.yml:37: contacts.sequences.ab: impossible: 'saving' ends on 2009-08-01, "
            "before 'later' starts on 2009-08-01; change valid of one of the two",
        ),
        (
            "exclusive: {}\n  sequences: {}",
            "exclusive: {one: [saving, later]}\n  sequences: {ab: {first: saving, then: later}}",
            "conf/policy.yml:37: contacts.sequences.ab: impossible: exclusive.one forbids 'saving' "
            "and 'later' for one customer; remove one of the two",
        ),
    ],
)
def test_a_mistake_is_refused(folder, old, new, message):
    later = CAMPAIGN.replace("id: saving", "id: later")
    later = later.replace(
        "{from: 2009-05-01, to: 2009-08-01}", "{from: 2009-08-01, to: 2009-09-01}"
    )
    write(folder, {"campaigns/later.yml": later})
    edit(folder, "policy.yml", old, new)
    assert refusal(folder) == message


def test_an_absent_policy_is_refused(folder):
    text = (folder / "policy.yml").read_text(encoding="utf-8")
    without = text[: text.index("contacts:")] + text[text.index("value:") :]
    (folder / "policy.yml").write_text(without, encoding="utf-8")
    assert refusal(folder) == "conf/policy.yml:1: the key 'contacts' is missing"
