"""Mistakes in offers, waves, salts and scripts of a campaign: refused with file and line."""

import pytest

from tests.given.small_configuration import CONF, edit, refusal, write

CAMPAIGN = CONF["campaigns/saving.yml"]
TARGET = """
id: everybody
name_cn: 全部客户
where: {fact: status, is: active}
"""
LINES = {
    "type: tariff\n": "type: personal\ntarget: everybody\noffers: {payment: {margin: '3'}}\n",
}


@pytest.fixture
def folder(folder):
    """A sound configuration with a campaign that offers a business."""
    write(folder, {"targets/everybody.yml": TARGET})
    for old, new in LINES.items():
        edit(folder, "campaigns/saving.yml", old, new)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "offers: {payment: {margin: '3'}}\n",
            "",
            "saving.yml:4: type: a campaign of type personal needs 'offers': businesses of "
            "services.yml with their margin a month",
        ),
        (
            "{payment: {margin",
            "{paymnt: {margin",
            "saving.yml:6: offers.paymnt: unknown business, did you mean 'payment'?",
        ),
        (
            "target: everybody\n",
            "",
            "saving.yml:5: offers: needs 'target': whom the campaign is for",
        ),
        (
            "wave: 1\n",
            "wave: 1\nlater_waves: [{wave: 2, reaches: touched, channels: [hal]}]\n",
            "saving.yml:10: later_waves[0].channels[0]: unknown channel 'hal', did you mean "
            "'hall'?",
        ),
        (
            "wave: 1\n",
            "wave: 2\nlater_waves: [{wave: 2, reaches: touched, channels: [hall]}]\n",
            "saving.yml:10: later_waves[0].wave: expected a number above 2, the wave before it; "
            "got 2",
        ),
        (
            "wave: 1\n",
            "wave: 1\nlater_waves:\n  - {wave: 2, reaches: touched, channels: [hall], "
            "from: 2009-07-01, to: 2009-09-01}\n",
            "saving.yml:11: later_waves[0]: expected days from 2009-05-01 on, before 2009-08-01, "
            "the first one before the last one; got 2009-07-01 to 2009-09-01",
        ),
        ('script: "{package_name} 省 {saving}"\n', "", "saving.yml:1: the key 'script' is missing"),
        (
            "valid_days: 30\n",
            "valid_days: 30\nscripts: {web: text}\n",
            "scripts.web: 'web' is no channel of the campaign; known: hall",
        ),
        (
            "valid_days: 30\n",
            "valid_days: 30\nscripts: {hall: 'save {savings}'}\n",
            "scripts.hall: unknown placeholder {savings}, did you mean 'saving'?",
        ),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_what_to_do(folder, old, new, message):
    edit(folder, "campaigns/saving.yml", old, new)
    assert message in refusal(folder)


def test_two_campaigns_with_one_salt_would_hold_out_the_same_customers(folder):
    write(folder, {"campaigns/other.yml": CAMPAIGN.replace("id: saving", "id: other")})
    assert refusal(folder) == (
        "conf/campaigns/saving.yml:12: salt: 's1' is also the salt of 'other': both would hold out "
        "the same customers; write another one"
    )


@pytest.mark.parametrize(
    ("success", "message"),
    [
        ("{metric: order_rat, within_days: 30}", "unknown metric 'order_rat', did you mean"),
        ("{metric: complaint_rate, within_days: 30}", "is a guardrail: name a metric of role"),
        ("{metric: order_rate, within_days: 0}", "success.within_days"),
        ("{metric: order_rate}", "within_days"),
        ("{metric: order_rate, within_days: 30, also: [bil]}", "success.also[0]: unknown metric"),
        (
            "{metric: order_rate, within_days: 30, segments: [a, b, c, d, e, f]}",
            "success.segments",
        ),
        (
            "{metric: order_rate, within_days: 30, segments: [gotone, gotone]}",
            "success.segments[1]: 'gotone' is listed twice",
        ),
    ],
)
def test_what_success_is_must_be_told_by_a_metric(folder, success, message):
    goal = CONF["metrics.yml"].replace("complaint_rate", "order_rate")
    goal = goal.replace('  role: guardrail\n  margin: "0.005"', "  role: goal")
    (folder / "metrics.yml").write_text(CONF["metrics.yml"] + goal, encoding="utf-8")
    edit(
        folder, "campaigns/saving.yml", "valid_days: 30\n", f"valid_days: 30\nsuccess: {success}\n"
    )
    found = refusal(folder)
    assert "saving.yml:" in found
    assert message in found
