"""Split free units event by event where the usage cube alone cannot tell 免费资源分摊.

Grain of the result: subscriber × month × signature in `dw.free_unit_split`, only for the months in
which a pool is overdrawn by calls of several prices. Due when a month closes. When this step fails,
no package can be priced for those months.
"""

from jobs.steps.rating.guided_events import guided_events
from jobs.steps.rating.renewal import renewal
from jobs.warehouse.tables import cached
from jobs.warehouse.warehouse import Warehouse
from models.rating import free_units
from models.rating.cube import Cube, customer_months
from models.tariff import catalogue
from models.usage import register
from schemas.config import Config
from schemas.window import Window

SPLITS = "dw.free_unit_split"


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day, months, policy = window.last, wh.months(window), conf.policy
    tariffs = catalogue.load(conf.tariffs.values())
    some = free_units.representatives(tariffs.packages.values(), policy.rating.toll_rerated)
    used, cells = wh.read("dw.usage_month", months=months), wh.read("dw.rating_cell").collect()
    cube = Cube(
        customer_months(used, wh.read("dw.subscriber", on=day), months),
        used,
        cells,
        register.from_rows(wh.read("dw.rating_measure").collect()),
    )
    with (
        renewal(wh, SPLITS, window) as new,
        cached(free_units.wanted(cube, some, policy.rating.toll_rerated)) as wanted,
    ):
        to_do, stands = free_units.outstanding(
            wanted, new.kept(wh.read(SPLITS, months=new.standing)), some
        )
        with cached(to_do) as to_do:
            open_months = [row["month"] for row in to_do.select("month").distinct().collect()]
            events = guided_events(day, open_months, to_do, tariffs, wh, conf)
            made = free_units.split(
                events, to_do, cells, some, policy.rating.toll_rerated, policy.calendar.holidays
            )
            wh.replace(SPLITS, made.unionByName(stands))
