"""What all campaigns of a quarter changed, against the sum of what they claim."""

from datetime import date
from decimal import Decimal

import pytest

from models.evaluation import program
from schemas.config.campaign import Success
from tests.given.campaigns import campaign

DAY = date(2009, 8, 2)
GOAL = Success("order_rate", 30)
QUARTER = campaign(
    "all_2009q2", valid_from=date(2009, 4, 1), valid_to=date(2009, 7, 1), channels=(), success=GOAL
)
CAMPAIGNS = [campaign("a", success=GOAL), campaign("b", success=GOAL)]


def read(name, targets, uplift, low, high, **more):
    return {
        "data_date": DAY,
        "campaign_id": name,
        "wave": 1,
        "metric": "order_rate",
        "segment": "all",
        "role": "goal",
        "targets": targets,
        "controls": 100,
        "uplift": uplift and Decimal(uplift),
        "low": low and Decimal(low),
        "high": high and Decimal(high),
        "unit": "points",
        **more,
    }


A = read("a", 2000, "0.04", "0.03", "0.05")
B = read("b", 1000, "0.02", "0.00", "0.04")
WHOLE = read("all_2009q2", 4000, "0.02", "0.01", "0.03")


def test_the_effects_add_up_per_customer_of_the_quarter():
    """.04 × 2,000 and .02 × 1,000 over 4,000 customers; the errors add up as squares."""
    (row,) = program.sums([A, B, WHOLE], CAMPAIGNS, [QUARTER], DAY)
    assert row["uplift"] == Decimal("0.025")
    reach = ((0.01 * 0.5) ** 2 + (0.02 * 0.25) ** 2) ** 0.5
    assert float(row["high"]) == pytest.approx(0.025 + reach, abs=1e-9)
    assert (row["control_value"], row["outcome"]) == (Decimal("0.02"), "kept")
    assert row["verdict"] == (
        "The effects of 2 waves add up to 2.50 percentage points per customer (95 % interval 1.79 "
        "to 3.21); against the universal hold-out it is 2.00: they agree."
    )


def test_a_sum_above_what_all_of_them_changed_is_said():
    lucky = {**A, "uplift": Decimal("0.12"), "low": Decimal("0.11"), "high": Decimal("0.13")}
    (row,) = program.sums([lucky, B, WHOLE], CAMPAIGNS, [QUARTER], DAY)
    assert row["outcome"] == "broken"
    assert row["verdict_cn"].endswith("：各活动合计高估。")


@pytest.mark.parametrize(
    "rows",
    [
        [A, B],  # the quarter is not read out
        [A, read("b", 1000, None, None, None), WHOLE],  # a campaign is not
        [A, B, WHOLE, {**WHOLE, "metric": program.SUM, "role": "guardrail"}],  # it is told already
        [WHOLE],
    ],
)
def test_only_whole_quarters_add_up_and_once(rows):
    assert program.sums(rows, CAMPAIGNS, [QUARTER], DAY) == []
