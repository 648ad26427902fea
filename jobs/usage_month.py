"""Add the days of the closed months up.

Grain of the result: subscriber × month in `dw.usage_month`, with the measures of every rating cell
in an array. Due when a month closes. When this step fails, the months cannot be re-rated.
"""
from jobs.warehouse import Warehouse
from models import measure, usage
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    measures = measure.register(wh.read("dw.rating_measure").collect())
    days = wh.read("dw.usage_day", upto=window.last)
    wh.replace("dw.usage_month", usage.by_month(days, wh.months(window), measures))


if __name__ == "__main__":
    from jobs.night import step_main

    step_main("usage_month")
