"""The report of the run: what was delivered, what was decided, what was sent.

Writes `<warehouse>/_docs/report_<day>.html`, and beside it the pages of campaigns and channels and
the data docs with every check. No table depends on it. When this step fails, the night's results
are valid and only the report is missing.
"""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.pages import best_tariff_page, campaign_page, channel_page, decision_page, night_page
from jobs.pages.decision_words import REASONS as STAGES
from jobs.runtime.context import Context
from jobs.steps.report import pages
from jobs.warehouse.ledger import CheckResult, Entry
from models.decision import unserved
from models.drawing import page as charts
from models.forecast import best_tariff, bill_forecast
from models.quote import backtest
from schemas.render import expectations
from schemas.window import Window

REASONS = 12  # rows of reasons that are shown
UNSERVED_NIGHTS = 35  # so long mart.decision keeps all its rows
BY_DAY = [expectations.UNHELD_SHARE, expectations.UNHELD_EVENTS]  # judged day by day


def run(context: Context) -> None:
    conf, window, judge = context.conf, context.window, context.judge
    parts = [
        *night_page.parts(_entries(context), _checks(context), _reasons(context), conf, window),
        _contacts(context),
        _backtest(context),
        _best_tariffs(context),
        *_decisions(context),
    ]
    money, day = conf.runtime.currency, context.day
    beside = {
        f"campaigns_{day}.html": (
            f"Campaigns on {day}",
            campaign_page.parts(pages.campaigns(context), money),
        ),
        f"channels_{day}.html": (f"Channels on {day}", channel_page.parts(pages.channels(context))),
    }
    links = [f'<a href="{name}">{title}</a>' for name, (title, _) in beside.items()]
    parts.insert(0, f"<p>{', '.join(links)}</p>")
    for name, (title, shown) in beside.items():
        judge.keep(name, charts.page(title, [*shown, _back(day)]))
    docs = judge.publish()
    link = judge.link(docs) if docs else "#"
    parts.append(
        f'<p><a href="{link}">Data docs: every check of this run and of those before it</a></p>'
    )
    judge.keep(f"report_{day}.html", charts.page(f"Night of {window}", parts))


def _back(day: date) -> str:
    return f'<p><a href="report_{day}.html">The report of the night</a></p>'


def _entries(context: Context) -> list[Entry]:
    """The ledger as far back as the page goes, with the rows that this run has not written yet."""
    recorded = context.warehouse.read("ops.run_ledger").where(
        F.col("source").isNull() | (F.col("slice") >= str(night_page.since(context.window)))
    )
    return [
        Entry.of_row(row.asDict()) for row in recorded.orderBy("committed_at").collect()
    ] + context.ledger.pending


def _checks(context: Context) -> list[CheckResult]:
    """The results of checks of the window, the newest run last.

    Numbers that nobody held are counted day by day.
    """
    window, days = str(context.window), [str(day) for day in context.window.days()]
    by_day = F.col("check").isin(BY_DAY) & F.col("slice").isin(days)
    checked = context.warehouse.read("ops.quality_result").where(
        (F.col("slice") == window) | by_day
    )
    return [
        CheckResult(**{**row.asDict(), "source": row["source"] or ""})
        for row in checked.orderBy("run_id").collect()
    ] + [
        one
        for one in context.ledger.checks
        if one.slice == window or (one.check in BY_DAY and one.slice in days)
    ]


def _reasons(context: Context) -> list[tuple[str, str, int]]:
    rows = (
        context.warehouse.read("ops.rejected_record", window=context.window)
        .select("source", F.explode("reasons").alias("reason"))
        .groupBy("source", "reason")
        .agg(F.count(F.lit(1)).alias("rows"))
        .orderBy(F.desc("rows"), "source", "reason")
        .limit(REASONS)
        .collect()
    )
    return [tuple(row) for row in rows]


def _contacts(context: Context) -> str:
    rows = (
        context.warehouse.read("dw.contact_view", on=context.day)
        .groupBy("channel")
        .agg(F.sum("contacts"), F.count(F.lit(1)), F.sum("complaints"))
        .orderBy("channel")
        .collect()
    )
    return _drawn(
        "Contacts so far",
        ["channel", "contacts", "customers", "complaints"],
        [list(row) for row in rows],
        bar=1,
    )


def _backtest(context: Context) -> str:
    warehouse = context.warehouse
    tested = warehouse.last_snapshot("mart.backtest", context.day)
    if tested is None:
        return ""
    rows = warehouse.read("mart.backtest", on=tested)
    (seen,) = backtest.summary(rows).collect()
    money = context.conf.runtime.currency
    unit, decimals = money.unit, money.minor_unit
    title = f"Bills reproduced ({tested})"
    if not seen["compared"]:
        tiles = ""
    else:
        tiles = charts.tiles(
            [
                ("bills compared", f"{seen['compared']:,} of {seen['bills']:,}", False),
                (
                    f"within {context.conf.policy.rating.tolerance} {unit}",
                    f"{seen['within'] / seen['compared']:.2%}",
                    False,
                ),
                (f"median difference, {unit}", f"{seen['p50']:.{decimals}f}", False),
                (f"99 of 100 differ by at most, {unit}", f"{seen['p99']:.{decimals}f}", False),
            ]
        )
    return (
        _drawn(
            title,
            ["cause", "months", f"differences, {unit}", f"largest, {unit}"],
            [list(row) for row in backtest.by_cause(rows).collect()],
            bar=1,
        )
        + tiles
    )


def _best_tariffs(context: Context) -> str:
    answers = context.newest("mart.best_tariff")
    rows = _rows(best_tariff.summary(answers))
    judged = _rows(bill_forecast.summary(context.newest("mart.bill_forecast")))
    return best_tariff_page.part(rows, context.conf.runtime.currency) + best_tariff_page.kept(
        judged
    )


def _decisions(context: Context) -> list[str]:
    warehouse, day = context.warehouse, context.day
    nights = Window(day - timedelta(days=UNSERVED_NIGHTS - 1), day)
    decided = warehouse.read("mart.decision_funnel", window=nights, allow_missing=True)
    fell_out = unserved.unserved(
        warehouse.read("mart.decision", window=nights, allow_missing=True),
        warehouse.read("dw.subscriber", on=day),
        tuple(STAGES),
    )
    made = decision_page.Decisions(
        _rows(warehouse.read("mart.decision_funnel", on=day)),
        _rows(warehouse.read("mart.capacity_price", on=day)),
        [tuple(row) for row in fell_out.collect()],
        decided.select("data_date").distinct().count(),
    )
    return decision_page.parts(made, context.conf.runtime.currency)


def _rows(frame: DataFrame) -> list[dict]:
    return [row.asDict() for row in frame.collect()]


def _drawn(title: str, heads: list[str], rows: list[list], bar: int) -> str:
    """A table whose column `bar` is also drawn as bars."""
    most = max((row[bar] or 0 for row in rows), default=0)
    return charts.table(
        title, [*heads, ""], [[*row, charts.bar(row[bar] or 0, most)] for row in rows]
    )
