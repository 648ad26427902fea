"""The report of the run: what arrived, what was decided, what was sent.

Writes `<warehouse>/_docs/report_<day>.html` and the data docs of every judgement beside it. No
table depends on it; when this step fails, the night's results stand and nobody has seen them.
"""
from html import escape

from pyspark.sql import functions as F

from jobs.plan import due_days
from jobs.warehouse import Warehouse
from schemas.config import Config
from schemas.window import Window

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Night of {day}</title><style>
body {{ font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 62em; color: #222 }}
table {{ border-collapse: collapse; margin: 0 0 2em }}
th, td {{ padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: left }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums }}
.bar {{ background: #4a7ebb; height: .8em; display: inline-block }}
</style></head><body><h1>Night of {day}</h1>
{parts}
<p><a href="{docs}">Data docs: every check of the run</a></p></body></html>
"""


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day = window.last
    parts = [_deliveries(window, wh, conf), _contacts(wh, day), _backtest(wh, day),
             _decisions(wh, day)]
    docs = wh.judge.publish()
    wh.judge.keep(f"report_{day}.html", PAGE.format(
        day=window, parts="\n".join(part for part in parts if part),
        docs=wh.judge.link(docs) if docs else "#"))


def _deliveries(window: Window, wh: Warehouse, conf: Config) -> str:
    rows = []
    for name, source in conf.sources.items():
        entries = [wh.ledger.entry(source.record, day, name)
                   for day in due_days(conf, name, window)]
        entries = [entry for entry in entries if entry is not None]
        if entries:
            rows.append([name, source.name_cn, len(entries), *[
                sum(getattr(entry, f"rows_{part}") for entry in entries)
                for part in ("delivered", "accepted", "rejected", "duplicate", "late")]])
    return _table("Deliveries", ["source", "", "days", "delivered", "accepted", "rejected",
                                 "duplicate", "late"], rows)


def _contacts(wh: Warehouse, day) -> str:
    rows = (wh.read("dw.contact_view", on=day).groupBy("channel")
            .agg(F.sum("contacts"), F.count(F.lit(1)), F.sum("complaints"))
            .orderBy("channel").collect())
    return _table("Contacts so far", ["channel", "contacts", "customers", "complaints"],
                  [list(row) for row in rows], bar=1)


def _backtest(wh: Warehouse, day) -> str:
    tested = wh.last_snapshot("mart.backtest", day)
    if tested is None:
        return ""
    rows = (wh.read("mart.backtest", on=tested).groupBy("cause").agg(
        F.count(F.lit(1)), F.count_if("within_tolerance"), F.max(F.abs("difference")))
        .orderBy("cause").collect())
    return _table(f"Bills reproduced ({tested})", ["cause", "bills", "within tolerance",
                                                   "largest difference, yuan"],
                  [list(row) for row in rows], bar=1)


def _decisions(wh: Warehouse, day) -> str:
    rows = (wh.read("mart.decision", on=day)
            .groupBy("activity", "channel", "fate", F.coalesce("first_reason", F.lit("")))
            .agg(F.count(F.lit(1)).alias("candidates"))
            .orderBy("activity", "channel", "fate", F.desc("candidates")).collect())
    return _table("Decisions", ["activity", "channel", "fate", "first reason", "candidates"],
                  [list(row) for row in rows], bar=4)


def _table(title: str, heads: list[str], rows: list[list], bar: int | None = None) -> str:
    """A table; with `bar`, that column is drawn beside its figures as well."""
    if not rows:
        return f"<h2>{escape(title)}</h2><p>nothing</p>"
    numeric = [place for place in range(len(heads))
               if all(not isinstance(row[place], str) for row in rows)]
    largest = max((row[bar] or 0 for row in rows), default=0) if bar is not None else 0

    def cell(place: int, value) -> str:
        if place not in numeric:
            return f"<td>{escape(str(value))}</td>"
        shown = "" if value is None else f"{value:,}"
        return f'<td class="n">{shown}</td>'

    body = []
    for row in rows:
        cells = "".join(cell(place, value) for place, value in enumerate(row))
        if bar is not None:
            width = 14 * (row[bar] or 0) / largest if largest else 0
            cells += f'<td><span class="bar" style="width:{width:.2f}em"></span></td>'
        body.append(f"<tr>{cells}</tr>")
    head = "".join(f'<th class="{"n" if place in numeric else ""}">{escape(name)}</th>'
                   for place, name in enumerate(heads))
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{''.join(body)}</table>"


if __name__ == "__main__":
    from jobs.night import step_main

    step_main("report")
