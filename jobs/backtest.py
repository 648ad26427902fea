"""Re-rate each customer's own packages and compare with the bill that he really had.

Grain of the result: subscriber × month in `mart.backtest`, with the difference and its cause. Due
when a month closes. When this step fails, nobody gets a recommendation.
"""
from pyspark.sql import functions as F

from jobs.comparison import comparison
from jobs.warehouse import Warehouse
from models import backtest
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    seen, policy = comparison(window, wh, conf), conf.policy.rating
    held = {row["package_id"] for row in seen.holdings.select("package_id").distinct().collect()}
    present = [package for name, package in seen.packages.items() if name in held]
    tested = backtest.backtest(
        seen.cube.months, seen.evaluated(present, (), policy), seen.holdings, seen.passing,
        seen.actual, policy.tolerance, sorted({package.kind for package in seen.packages.values()}))
    wh.replace("mart.backtest", tested.withColumn("data_date", F.lit(window.last)))


if __name__ == "__main__":
    from jobs.night import step_main

    step_main("backtest")
