"""What each campaign changed, by assignment 活动评估 (S2-12, S1-07).

Grain of the result: campaign × wave × metric × segment in `mart.campaign_result`, in the slice of
the night. Spark adds up the values of both arms once; the statistics work on these few sums. When
this step fails, nothing is said of the night's campaigns; a later night reads out what was due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import reduce
from types import SimpleNamespace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.campaign import read_out
from models.customer.identity import keyed_id
from models.evaluation import arms, program, reading
from models.evaluation.reading import Counts, Wave
from models.frames.lookup import looked_up
from schemas.config import Campaign
from schemas.config.metric import Metric, Part
from schemas.currency import Currency
from schemas.window import Window, add_months, month_of

TABLE, RESPONSES = "mart.campaign_result", "dw.campaign_response"
FAMILY_DAYS = 90  # read-outs of so many days are tried together


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    campaigns = [one for one in read_out.judged(conf, day) if one.success is not None]
    rows: list[dict[str, Any]] = []
    if campaigns:
        responses = warehouse.read(RESPONSES, on=day).where(
            F.col("campaign_id").isin([one.id for one in campaigns])
        )
        subscribers = warehouse.read("dw.subscriber", on=day)
        with cached(arms.known(responses, subscribers)) as cohort:
            waves = _waves(context, campaigns, arms.counts(cohort).collect())
            found = reading.samples(_sums(context, campaigns, cohort)) if waves else {}
        earlier = _earlier(context)
        rows = reading.results(waves, found, conf.metrics, earlier, day)
        quarters = read_out.programs(conf, day)
        rows += program.sums([*earlier, *rows], read_out.of_all(conf), quarters, day)
    told = [SimpleNamespace(**_worded(row, conf.runtime.currency)) for row in rows]
    warehouse.replace(TABLE, warehouse.rows(TABLE, told))


def _worded(row: Mapping[str, Any], currency: Currency) -> dict[str, Any]:
    """The row with its verdict in the operator's currency."""
    said = {name: row[name] for name in ("verdict", "verdict_cn") if row[name] is not None}
    return {**row, **{name: currency.worded(text) for name, text in said.items()}}


def _earlier(context: Context) -> list[dict[str, Any]]:
    """The results of the nights before."""
    last = context.day - timedelta(days=1)
    nights = Window(last - timedelta(days=FAMILY_DAYS - 1), last)
    rows = context.warehouse.read(TABLE, window=nights, allow_missing=True).collect()
    return [row.asDict() for row in rows]


def _waves(context: Context, campaigns: Sequence[Campaign], counted: Iterable) -> list[Wave]:
    """Both arms of each wave, with how many of the pushed rows the channels loaded."""
    by_id = {one.id: one for one in campaigns}
    loaded = _loaded(context, campaigns)
    found: dict[tuple[str, int], dict[str, Counts]] = {}
    nights: dict[tuple[str, int], Counter[date]] = {}
    for row in counted:
        both = found.setdefault((row["campaign_id"], row["wave"]), {})
        share = loaded.get((row["channel"], row["assigned_on"]), (1, 1))
        if row["arm"] == "control":
            share = (1, 1)
        received = (2 * row["assigned"] * share[0] + share[1]) // (2 * share[1])
        both[row["arm"]] = both.get(row["arm"], Counts()).plus(row.asDict(), received)
        night = nights.setdefault((row["campaign_id"], row["wave"]), Counter())
        night[row["assigned_on"]] += row["known"]
    return [
        Wave(
            by_id[name],
            wave,
            both.get("treated", Counts()),
            both.get("control", Counts()),
            nights[name, wave],
        )
        for (name, wave), both in sorted(found.items())
    ]


def _loaded(
    context: Context, campaigns: Sequence[Campaign]
) -> dict[tuple[str, date], tuple[int, int]]:
    """(rows loaded, rows of the file) of each receipt, by channel and night of the push."""
    warehouse, day = context.warehouse, context.day
    first = min(one.valid_from for one in campaigns)
    nights = Window(first, day)
    files = warehouse.read("mart.push_file", window=nights, allow_missing=True).select(
        "channel", "file_name", F.col("data_date").alias("pushed_on")
    )
    told = warehouse.read("mart.receipt_check", window=nights, allow_missing=True).where(
        "pushed > 0 AND NOT coalesce(alarm, '') IN ('no_receipt', 'unknown_file')"
    )
    rows = (
        told.join(files, ["channel", "file_name"])
        .groupBy("channel", "pushed_on")
        .agg(F.max_by(F.struct("loaded", "pushed"), "data_date").alias("last"))
        .collect()
    )
    return {
        (row["channel"], row["pushed_on"]): (
            min(row["last"]["loaded"], row["last"]["pushed"]),
            row["last"]["pushed"],
        )
        for row in rows
    }


def _sums(context: Context, campaigns: Sequence[Campaign], cohort: DataFrame) -> list:
    """The sums of both arms, of what is read out today; nothing is added up before."""
    metrics = context.conf.metrics
    asked = [
        arms.Asked(
            one.id,
            metrics[name],
            days,
            one.success.read_out == read_out.DAILY,
        )
        for one in campaigns
        for name, days in read_out.windows(one, metrics).items()
        if one.success is not None
        if one.success.read_out == read_out.DAILY or context.day >= read_out.due_on(one, days)
    ]
    if not asked:
        return []
    used = {one.metric.id: one.metric for one in asked}
    first = min(one.valid_from for one in campaigns)
    values = reduce(DataFrame.unionByName, _values(context, used, first))
    costs = looked_up(
        F.col("channel"),
        {name: one.unit_cost for name, one in context.conf.channels.items()},
        arms.AMOUNT,
    )
    found = arms.sums(cohort, values, asked, F.coalesce(costs, F.lit(0)), context.day)
    return found.collect()


def _values(context: Context, metrics: Mapping[str, Metric], first: date) -> Iterable[DataFrame]:
    for metric in metrics.values():
        since = first - timedelta(days=metric.before_days or 0)
        for part, side in zip(metric.parts, (arms.Y, arms.X), strict=False):
            rows = _rows(context, part, since)
            name = f"{metric.unit}_id"
            key = (
                F.col(name)
                if name in rows.columns
                else keyed_id(
                    metric.unit, F.col(f"{metric.unit}_no"), key=context.conf.runtime.identity_key
                )
            )
            yield arms.values(metric, part, side, rows, key)


def _rows(context: Context, part: Part, since: date) -> DataFrame:
    """The rows of a metric's table: deliveries and months since a day, or the newest snapshot."""
    warehouse, table = context.warehouse, part.table
    cut = warehouse.contracts[table].slice
    if cut == "data_date":
        return context.newest(table)
    if cut == "month":
        there, month = [], month_of(since)
        while month <= context.day:
            if context.ledger.is_committed(table, month):
                there.append(month)
            month = add_months(month, 1)
        return warehouse.read(table, months=there) if there else warehouse.empty(table)
    return warehouse.read(table, window=Window(since, context.day), allow_missing=True)
