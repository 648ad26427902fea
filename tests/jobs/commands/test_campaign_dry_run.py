"""What the dry run of a campaign says of a night, from counts that Spark has made."""

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
