"""Split free units event by event where the usage cube alone cannot tell 免费资源分摊.

Grain of the result: subscriber × month × signature in `dw.free_unit_split`, only for the months in
which a pool is overdrawn by calls of several prices. Due when a month closes. When this step fails,
no package can be priced for those months.
"""
from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.renewal import renewal
from jobs.tables import cached
from jobs.warehouse import Warehouse
from models import catalogue, data_session, free_units, measure, rating, usage
from schemas.config import Config
from schemas.window import Window

SPLITS = "dw.free_unit_split"


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day, months, policy = window.last, wh.months(window), conf.policy
    tariffs = catalogue.load(conf.tariffs.values())
    some = free_units.representatives(tariffs.packages.values(), policy.rating.toll_rerated)
    used, cells = wh.read("dw.usage_month", months=months), wh.read("dw.rating_cell").collect()
    cube = rating.Cube(
        rating.customer_months(used, wh.read("dw.subscriber", on=day), months), used,
        cells, measure.register(wh.read("dw.rating_measure").collect()))
    with renewal(wh, SPLITS, window) as new, \
            cached(free_units.wanted(cube, some, policy.rating.toll_rerated)) as wanted:
        to_do, stands = free_units.outstanding(
            wanted, new.kept(wh.read(SPLITS, months=new.standing)), some)
        with cached(to_do) as to_do:
            open_months = [row["month"] for row in to_do.select("month").distinct().collect()]
            records = _records(day, sorted(open_months), wh, conf)
            guided = free_units.guided(
                records, wh.read("dw.subscriber_identity", on=day),
                {service: tariffs.cuts(service) for service in measure.SERVICES},
                policy.calendar.holidays, to_do
            ).where(F.trunc("local_date", "month").isin(open_months))
            made = free_units.split(guided, to_do, cells, some, policy.rating.toll_rerated,
                                    policy.calendar.holidays)
            wh.replace(SPLITS, made.unionByName(stands))


def _records(day: date, months: Sequence[date], wh: Warehouse, conf: Config) -> usage.Records:
    """The records of the months; a session that began before them is not taken for one."""
    sessions = "ods.data_session"
    back = max(conf.lookback_days(sessions).values(), default=0)

    def delivered(table: str, earlier: int = 0) -> DataFrame:
        rows = wh.read(table, upto=day, whatever_is_there=True)
        if not months:
            return rows.limit(0)
        since = usage.first_delivery(months[0]) - timedelta(days=earlier)
        return rows.where(F.col("batch_date") >= F.lit(since))

    return usage.Records(
        delivered("ods.voice_call"), delivered("ods.message"),
        data_session.merged(delivered(sessions, back), conf.policy.rating.session_gap_hours),
        delivered("ods.wlan_session"))


if __name__ == "__main__":
    from jobs.night import step_main

    step_main("free_units")
