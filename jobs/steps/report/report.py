"""The report of the run: what arrived and how, what was decided, what was sent.

Writes `<warehouse>/_docs/report_<day>.html` and the data docs of every judgement beside it. No
table depends on it; when this step fails, the night's results stand and nobody has seen them.
"""

from pyspark.sql import functions as F

from jobs.pages import night_page
from jobs.warehouse.ledger import Entry, Verdict
from jobs.warehouse.warehouse import Warehouse
from models.drawing import page as charts
from models.quote import backtest
from schemas.config import Config
from schemas.window import Window

REASONS = 12  # rows of reasons that are shown


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day = window.last
    parts = [
        *night_page.parts(
            _entries(wh, window), _verdicts(wh, window), _reasons(wh, window), conf, window
        ),
        _contacts(wh, day),
        _backtest(wh, day, conf),
        _decisions(wh, day),
    ]
    docs = wh.judge.publish()
    link = wh.judge.link(docs) if docs else "#"
    parts.append(
        f'<p><a href="{link}">Data docs: every check of this run and of those before it</a></p>'
    )
    wh.judge.keep(f"report_{day}.html", charts.page(f"Night of {window}", parts))


def _entries(wh: Warehouse, window: Window) -> list[Entry]:
    """The ledger as far back as the page goes, with what this run has not written down yet."""
    noted = wh.read("ops.run_ledger").where(
        F.col("source").isNull() | (F.col("slice") >= str(night_page.since(window)))
    )
    return [
        Entry.of_row(row.asDict()) for row in noted.orderBy("committed_at").collect()
    ] + wh.ledger.pending


def _verdicts(wh: Warehouse, window: Window) -> list[Verdict]:
    """The judgements of the window, the newest run last."""
    noted = wh.read("ops.quality_result").where(F.col("slice") == str(window)).orderBy("run_id")
    return [
        Verdict(**{**row.asDict(), "source": row["source"] or ""}) for row in noted.collect()
    ] + [one for one in wh.ledger.verdicts if one.slice == str(window)]


def _reasons(wh: Warehouse, window: Window) -> list[tuple[str, str, int]]:
    rows = (
        wh.read("ops.rejected_record", window=window)
        .select("source", F.explode("reasons").alias("reason"))
        .groupBy("source", "reason")
        .agg(F.count(F.lit(1)).alias("rows"))
        .orderBy(F.desc("rows"), "source", "reason")
        .limit(REASONS)
        .collect()
    )
    return [tuple(row) for row in rows]


def _contacts(wh: Warehouse, day) -> str:
    rows = (
        wh.read("dw.contact_view", on=day)
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


def _backtest(wh: Warehouse, day, conf: Config) -> str:
    tested = wh.last_snapshot("mart.backtest", day)
    if tested is None:
        return ""
    rows = wh.read("mart.backtest", on=tested)
    (seen,) = backtest.summary(rows).collect()
    title = f"Bills reproduced ({tested})"
    if not seen["compared"]:
        tiles = ""
    else:
        tiles = charts.tiles(
            [
                ("bills compared", f"{seen['compared']:,} of {seen['bills']:,}", False),
                (
                    f"within {conf.policy.rating.tolerance} yuan",
                    f"{seen['within'] / seen['compared']:.2%}",
                    False,
                ),
                ("median difference, yuan", f"{seen['p50']:.2f}", False),
                ("99 of 100 differ by at most, yuan", f"{seen['p99']:.2f}", False),
            ]
        )
    return (
        _drawn(
            title,
            ["cause", "months", "differences, yuan", "largest, yuan"],
            [list(row) for row in backtest.by_cause(rows).collect()],
            bar=1,
        )
        + tiles
    )


def _decisions(wh: Warehouse, day) -> str:
    rows = (
        wh.read("mart.decision", on=day)
        .groupBy("activity", "channel", "fate", F.coalesce("first_reason", F.lit("")))
        .agg(F.count(F.lit(1)).alias("candidates"))
        .orderBy("activity", "channel", "fate", F.desc("candidates"))
        .collect()
    )
    return _drawn(
        "Decisions",
        ["activity", "channel", "fate", "first reason", "candidates"],
        [list(row) for row in rows],
        bar=4,
    )


def _drawn(title: str, heads: list[str], rows: list[list], bar: int) -> str:
    """A table whose column `bar` is drawn beside its figures as well."""
    most = max((row[bar] or 0 for row in rows), default=0)
    return charts.table(
        title, [*heads, ""], [[*row, charts.bar(row[bar] or 0, most)] for row in rows]
    )
