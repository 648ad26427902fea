"""What the dry run of a campaign says of a night, from counts that Spark has made."""

import re

from jobs.steps.decision import dry_run
from models.targeting.preview import CONTROL, TREATED, Preview
from schemas import config
from tests.given.paths import CONF


def test_a_night_has_no_more_contacts_than_the_campaigns_own_budget_pays():
    """400.00 yuan a night are 75 contacts of 5.31 yuan; the halls could take 120."""
    conf = config.load([CONF])
    found = Preview(300, 0, {}, {}, {(TREATED, ("hall",)): 200, (CONTROL, ("hall",)): 20})
    said = "\n".join(dry_run.lines(conf.campaigns["hall_pilot"], conf, found))
    assert "75 contacts, 398.25 yuan" in said
    assert "75 contacts of 75" in said


def marked(treated, control, ordered=0):
    """The mark on the pilot of the halls, where 18 in 100 contacts are expected to order."""
    conf = config.load([CONF])
    groups = {(TREATED, ("hall",)): treated, (CONTROL, ("hall",)): control}
    found = Preview(treated + control, ordered, {}, {}, groups)
    said = dry_run.lines(conf.campaigns["hall_pilot"], conf, found)
    return [line for line in said if line.startswith("  TOO SMALL")]


def test_a_campaign_that_cannot_see_its_own_success_is_marked_with_what_would():
    (mark,) = marked(200, 20)
    needed = [
        int(part.replace(",", "")) for part in re.findall("[0-9,]+ (?=treated|control)", mark)
    ]
    assert len(needed) == 2
    assert marked(*(2 * one for one in needed)) == []
