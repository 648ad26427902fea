"""Add the days of a month that closes up; of earlier months only the customers with late events.

Grain of the result: subscriber × month in `dw.usage_month`, with the measures of every rating cell
in an array. Due when a month closes. When this step fails, the months cannot be re-rated.
"""

from pyspark.sql import functions as F

from jobs.steps.rating.renewal import renewal
from jobs.warehouse.warehouse import Warehouse
from models.usage import cube as usage_cube
from models.usage import register
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    measures = register.from_rows(wh.read("dw.rating_measure").collect())
    with renewal(wh, "dw.usage_month", window) as new:
        months = new.months
        made = usage_cube.by_month(new.of(new.days), months, measures)
        stands = wh.read("dw.usage_month", months=new.standing).where(F.col("month").isin(months))
        wh.replace("dw.usage_month", made.unionByName(new.kept(stands)), months)
