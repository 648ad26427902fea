"""Split free units event by event where the usage cube is not enough 免费资源分摊.

Grain of the result: subscriber × month × signature in `dw.free_unit_split`, only for the months in
which a pool is overdrawn by calls of several prices. Due when a month closes. When this step fails,
no package can be priced for those months.
"""

from jobs.plan.slices import rated_months
from jobs.runtime.context import Context
from jobs.steps.rating.guided_events import guided_events
from jobs.steps.rating.renewal import renewal
from jobs.warehouse.tables import cached
from models.rating import cube as rating_cube
from models.rating import free_units
from models.usage import register
from models.usage.local_time import LASTING

SPLITS = "dw.free_unit_split"


def run(context: Context) -> None:
    warehouse, policy = context.warehouse, context.conf.policy
    months = rated_months(context.conf, context.window)
    some = free_units.representatives(
        list(context.catalogue.packages.values()), policy.rating.toll_rerated
    )
    used = warehouse.read("dw.usage_month", months=months)
    cells = warehouse.read("dw.rating_cell").collect()
    cube = rating_cube.Cube(
        rating_cube.customer_months(used, warehouse.read("dw.subscriber", on=context.day), months),
        used,
        cells,
        register.from_rows(warehouse.read("dw.rating_measure").collect()),
    )
    with (
        renewal(context, SPLITS) as new,
        cached(free_units.wanted(cube, some, policy.rating.toll_rerated)) as wanted,
    ):
        stored = new.kept(warehouse.read(SPLITS, months=new.kept_months))
        to_do, kept = free_units.outstanding(wanted, stored, some)
        with cached(to_do) as to_do:
            open_months = [row["month"] for row in to_do.select("month").distinct().collect()]
            events = guided_events(context, open_months, to_do)
            replayed = free_units.split(
                events,
                to_do,
                cells,
                some,
                policy.rating.toll_rerated,
                policy.calendar.holidays,
                context.conf.clock_zone(*LASTING),
            )
            warehouse.replace(SPLITS, replayed.unionByName(kept))
