"""What is scarce on a night: the daily budget of a campaign for a channel is a resource."""

from decimal import Decimal

from models.decision.scarce import Scarce
from schemas.config import Channel
from schemas.config.decision_policy import Budget, Resources
from tests.given.campaigns import campaign

CHANNELS = {
    "hall": Channel("hall", "自营厅", 1, Decimal("5.31"), capacity=120),
    "sms": Channel("sms", "短信", 2, Decimal("0.10"), capacity=400),
}


def test_a_daily_budget_of_a_campaign_pays_that_campaign_over_that_channel_only():
    mine = campaign(channels=("hall", "sms"), daily_budget={"hall": Decimal("53.10")})
    other = campaign("other", channels=("hall",), salt="other")
    whole = Budget(Decimal("900.00"))
    scarce = Scarce([mine, other], CHANNELS, Resources({}, {}, {"contacts": whole}))
    assert scarce.budgets == {
        "contacts": whole,
        "tariff:hall": Budget(Decimal("53.10"), ("tariff",), ("hall",)),
    }
    units = {one.name: one.capacity for one in scarce.resources()}
    # 0.01 yuan is one unit of money: 5.31 and 0.10 are whole multiples of it
    assert units["budget:tariff:hall"] == 5310
    assert units["budget:contacts"] == 90_000
