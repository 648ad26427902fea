"""What the pages of campaigns and channels show, read from the tables of a night; no step."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.pages.campaign_page import DAYS_DRAWN, PUSHED, Campaigns
from jobs.pages.channel_page import Channels
from jobs.runtime.context import Context
from jobs.steps.decision.running import log_entries
from models.campaign import state
from schemas.window import Window


def campaigns(context: Context) -> Campaigns:
    """The configured campaigns, and what the night says of them."""
    conf, day, entries = context.conf, context.day, log_entries(context)
    known = state.versions(entries, conf.runtime.identity_key)
    running = {one.id for one in state.running(conf, entries, day)}
    warehouse = context.warehouse
    reach = _of_night(context, "mart.target").groupBy("campaign_id", "wave").count()
    funnel = _rows(warehouse.read("mart.decision_funnel", window=_nights(day), allow_missing=True))
    nights: dict[str, dict[date, int]] = {}
    for row in funnel:
        if row["reason"] == PUSHED:
            of = nights.setdefault(row["campaign_id"], {})
            of[row["data_date"]] = of.get(row["data_date"], 0) + row["rows"]
    return Campaigns(
        campaigns=list(conf.campaigns.values()),
        day=day,
        states={
            name: "running" if name in running else state.state_of(one, known.get(name), conf)
            for name, one in conf.campaigns.items()
        },
        running=frozenset(running),
        reach={(row["campaign_id"], row["wave"]): row["count"] for row in reach.collect()},
        funnel=[row for row in funnel if row["data_date"] == day],
        money=_rows(_of_night(context, "mart.campaign_money")),
        unit_costs={name: one.unit_cost for name, one in conf.channels.items()},
        nights=nights,
        answers=_answers(context),
    )


def _answers(context: Context) -> list[dict]:
    """By campaign how many treated customers were contacted, looked and ordered."""
    treated = _of_night(context, "dw.campaign_response").where("arm = 'treated'")
    counts = [F.count_if(name).alias(name) for name in ("contacted", "viewed", "ordered")]
    return _rows(treated.groupBy("campaign_id").agg(F.count(F.lit(1)).alias("treated"), *counts))


def channels(context: Context) -> Channels:
    """The channels that get files, and what the last nights say of them."""
    warehouse, day = context.warehouse, context.day
    nights = _nights(day)
    pushed = [one for one in context.conf.channels.values() if one.push]
    delivered: list[dict] = []
    if any(one.push and one.push.deliver_to for one in pushed):
        told = warehouse.read("ops.delivery").where(F.col("data_date") >= F.lit(nights.first))
        delivered = _rows(told)
    load = warehouse.read("mart.capacity_price", on=day)
    return Channels(
        channels=pushed,
        day=day,
        load=_rows(load.where("resource LIKE 'channel:%' OR resource LIKE 'minutes:%'")),
        files=_rows(warehouse.read("mart.push_file", window=nights, allow_missing=True)),
        receipts=_rows(_of_night(context, "mart.receipt_check")),
        deliveries=delivered,
    )


def _of_night(context: Context, table: str) -> DataFrame:
    """The night's rows of a table whose step may have been left out: then none."""
    night = Window(context.day, context.day)
    return context.warehouse.read(table, window=night, allow_missing=True)


def _nights(day: date) -> Window:
    return Window(day - timedelta(days=DAYS_DRAWN - 1), day)


def _rows(frame: DataFrame) -> list[dict]:
    return [row.asDict() for row in frame.collect()]
