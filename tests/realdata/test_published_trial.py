"""A published trial of 64,000 customers through the pipeline, by configuration alone.

The expected values are those of the trial's data sheet. Its intervals of rates are Wald's; with
21,000 customers an arm Newcombe's differ in the sixth digit.
"""

from pathlib import Path

import pytest

from jobs import night
from tests.given.paths import SHARED
from tests.readers.warehouse_reader import query
from tests.realdata.__main__ import CONF, ROOT

DATA = SHARED / "data"
STEPS = "ingest,identity,campaign_response,evaluate"
pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def warehouse(spark, tmp_path_factory) -> Path:
    if not (DATA / "hillstrom").is_dir():
        pytest.skip("no folder of real data beside the project")
    build = tmp_path_factory.mktemp("trial")
    folders = (ROOT / "conf", CONF, CONF.with_name("trial_conf"))
    chosen = [part for folder in folders for part in ("--conf", str(folder))]
    places = ["--landing", str(DATA), "--warehouse", str(build / "w"), "--push", str(build / "p")]
    assert night.main(["--data-date", "2008-03-20", "--only", STEPS, *chosen, *places]) == 0
    return build / "w"


@pytest.fixture(scope="module")
def results(warehouse) -> dict[tuple[str, str], dict]:
    """(campaign, metric) → the columns of its row."""
    columns = ["treated_value", "control_value", "uplift", "low", "high", "outcome", "verdict"]
    rows = query(
        warehouse,
        f"SELECT campaign_id, metric, {', '.join(columns)} FROM results WHERE segment = 'all'",
        results="mart.campaign_result",
    )
    return {tuple(row[:2]): dict(zip(columns, row[2:], strict=True)) for row in rows}


def test_rows_that_equal_each_other_are_customers_of_their_own(warehouse):
    arms = query(
        warehouse,
        "SELECT campaign_id, arm, count(*) FROM v GROUP BY ALL ORDER BY ALL",
        v="dw.campaign_response",
    )
    assert arms == [
        ("mens_mail", "control", 21_306),
        ("mens_mail", "treated", 21_307),
        ("womens_mail", "control", 21_306),
        ("womens_mail", "treated", 21_387),
    ]


@pytest.mark.parametrize(
    ("campaign", "share", "uplift", "low", "high"),
    [
        ("mens_mail", 0.182757, 0.076590, 0.069953, 0.083226),
        ("womens_mail", 0.151400, 0.045233, 0.038894, 0.051573),
    ],
)
def test_visits_rose_as_published(results, campaign, share, uplift, low, high):
    row = results[campaign, "visit_rate"]
    assert float(row["treated_value"]) == pytest.approx(share, abs=5e-7)
    assert float(row["control_value"]) == pytest.approx(0.106167, abs=5e-7)
    assert float(row["uplift"]) == pytest.approx(uplift, abs=1e-6)
    assert (float(row["low"]), float(row["high"])) == pytest.approx((low, high), abs=3e-6)
    assert row["outcome"] == "gain"
    assert row["verdict"].startswith(f"The visit rate rose by {uplift * 100:.2f} percentage points")


def test_orders_rose_as_published(results):
    row = results["mens_mail", "conversion_rate"]
    assert float(row["uplift"]) == pytest.approx(0.006805, abs=5e-7)
    assert row["low"] > 0


def test_spend_rose_as_published(results):
    row = results["mens_mail", "spend"]
    assert float(row["uplift"]) == pytest.approx(0.769827, abs=5e-7)
    assert (float(row["low"]), float(row["high"])) == pytest.approx((0.485144, 1.054510), abs=2e-5)
