"""What leaves on a channel: the rows of push.<channel> and the bytes of its file."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from models.customer.identity import numbers_on
from models.drawing import bill_comparison as before_after
from models.frames.lookup import looked_up
from models.tariff.amounts import BUCKETS
from schemas.config import Campaign, Push
from schemas.errors import ConfigError

# Rows of a file stand in this order, whatever the order of the table.
FILE_ORDER = ("activity", "subscriber_id")
# S2-10: both bills line by line, and their picture.
COMPARED = ("before_lines", "after_lines", "picture")
# Times an offer is made before it rests. The source documents ask for the figure (9-07) and
# give none, so this one is assumed.
BEST_FREQUENCY = 3
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}


def targets(
    decisions: DataFrame,
    match: DataFrame,
    quotes: DataFrame,
    identity: DataFrame,
    contacts: DataFrame,
    *,
    campaigns: Sequence[Campaign],
    package_names: Mapping[str, str],
    channel: str,
    columns: Sequence[str],
    data_date: date,
) -> DataFrame:
    """push.<channel>: one row per pushed decision of the channel, in the contract's `columns`.

    `decisions`: mart.decision of the day; `match` and `quotes`: mart.package_match and
    mart.package_quote as last made; `identity`: the day's snapshot; `contacts`: dw.contact_event,
    counted into `served` (how often the customer was reached for the activity over the channel).
    Costs are yuan a month, rounded half up to the cent; saving is their difference as printed.
    """
    pushed = decisions.where((F.col("channel") == channel) & (F.col("fate") == "pushed")).select(
        "activity", "wave", "customer_id", "subscriber_id", F.col("offer").alias("package_id")
    )
    rows = (
        pushed.join(
            match.select(
                "subscriber_id",
                "package_id",
                "kind",
                "months",
                "months_won",
                "mean_present_cost",
                "mean_cost",
                _cents("mean_present_cost").alias("cost_before"),
                _cents("mean_cost").alias("cost_after"),
            ),
            ["subscriber_id", "package_id"],
        )
        .join(numbers_on(identity, data_date), "subscriber_id")
        .withColumn("data_date", F.lit(data_date))
        .withColumn("package_name", looked_up(F.col("package_id"), package_names, "string"))
        .withColumn("saving", (F.col("cost_before") - F.col("cost_after")).cast("decimal(18,2)"))
        .withColumn("valid_until", _valid_until(campaigns, data_date))
        .withColumn(
            "reason",
            F.format_string(
                "近%d个月中有%d个月更省，平均每月节省%s元",
                "months",
                "months_won",
                F.col("saving").cast("string"),
            ),
        )
        .withColumn("script", _script(campaigns))
    )
    if "served" in columns:
        rows = (
            rows.join(_served(contacts, channel), ["customer_id", "activity"], "left")
            .fillna(0, ["served"])
            .withColumn("best_frequency", F.lit(BEST_FREQUENCY))
        )
    if set(COMPARED) & set(columns):
        rows = _compared(rows.join(_means(rows, quotes), ["subscriber_id", "package_id"], "left"))
    return rows.select(*columns)


def _cents(column: str) -> Column:
    return F.round(column, 2).cast("decimal(18,2)")


def _valid_until(campaigns: Sequence[Campaign], data_date: date) -> Column:
    """The last day of the offer: `valid_days` on, and never after the activity's own last day."""
    last_days = {
        campaign.id: min(
            data_date + timedelta(days=campaign.valid_days), campaign.valid_to - timedelta(days=1)
        )
        for campaign in campaigns
    }
    return looked_up(F.col("activity"), last_days, "date")


def _script(campaigns: Sequence[Campaign]) -> Column:
    """The activity's script with its places filled."""
    script = looked_up(
        F.col("activity"), {campaign.id: campaign.script for campaign in campaigns}, "string"
    )
    for place in (
        "cost_before",
        "cost_after",
        "saving",
        "months_won",
        "valid_until",
        "package_name",
    ):
        script = F.replace(script, F.lit("{" + place + "}"), F.col(place).cast("string"))
    return script


def _served(contacts: DataFrame, channel: str) -> DataFrame:
    reached = (F.col("channel") == channel) & ~F.col("result").eqNullSafe("not_reached")
    return (
        contacts.where(reached & F.col("customer_id").isNotNull())
        .groupBy("customer_id", F.col("campaign_id").alias("activity"))
        .agg(F.count("*").cast("int").alias("served"))
    )


def _means(rows: DataFrame, quotes: DataFrame) -> DataFrame:
    """Per pushed (subscriber, package) the mean of every line on both sides, and over how many
    months: those that are priced exactly under the present package and under the offered one."""
    lines = F.struct(*BUCKETS)
    priced = quotes.where("comparable")
    present = priced.where("is_present").select(
        "subscriber_id", "month", "kind", lines.alias("before")
    )
    offered = priced.select("subscriber_id", "month", "kind", "package_id", lines.alias("after"))
    return (
        rows.select("subscriber_id", "package_id")
        .distinct()
        .join(offered, ["subscriber_id", "package_id"])
        .join(present, ["subscriber_id", "month", "kind"])
        .groupBy("subscriber_id", "package_id")
        .agg(
            F.count("*").alias("priced_months"),
            *(
                F.struct(*(F.avg(f"{side}.{line}").alias(line) for line in BUCKETS)).alias(
                    side
                )
                for side in ("before", "after")
            ),
        )
    )


def _compared(rows: DataFrame) -> DataFrame:
    """`rows` with the columns COMPARED.

    Drawn row by row in Python: of a night's rows only those of a channel that shows pictures, some
    thousands, come here.
    """
    schema = StructType(
        [*rows.schema.fields, *(StructField(name, StringType()) for name in COMPARED)]
    )
    return rows.mapInArrow(_drawn(rows.columns), schema)


def _drawn(names: Sequence[str]) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    asked = (
        "package_name",
        "months",
        "priced_months",
        "mean_present_cost",
        "mean_cost",
        "before",
        "after",
    )

    def draw(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            made = [_comparison(row) for row in batch.select(asked).to_pylist()]
            added = zip(*made) if made else [()] * len(COMPARED)
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, *(pa.array(column, pa.string()) for column in added)],
                [*names, *COMPARED],
            )

    return draw


def _comparison(row: Mapping) -> tuple[str, str, str]:
    """Both bills of a row as JSON of texts, and their picture.

    Only the totals where a compared month is not priced on both sides: lines of fewer months would
    not belong to the total beside them.
    """
    itemised = row["priced_months"] == row["months"]
    before = before_after.stated(row["mean_present_cost"], row["before"] if itemised else None)
    after = before_after.stated(row["mean_cost"], row["after"] if itemised else None)
    picture = before_after.picture(
        f"换用{row['package_name']}：近{row['months']}个月平均每月费用",
        "平均每月",
        before_after.Side("使用前", before),
        before_after.Side("换用后", after),
    )
    return _json(before), _json(after), picture


def _json(amounts: Mapping[str, Decimal]) -> str:
    return json.dumps(
        {line: str(amount) for line, amount in amounts.items()}, separators=(",", ":")
    )


def render(rows: Iterable[Mapping], push: Push) -> Iterator[bytes]:
    """The lines of a channel's file, each with its line end, in the order of `rows`.

    `rows` answer `row[column]` for every column of `push`; NULL becomes an empty cell, dates are
    ISO, amounts plain decimals. A cell with the delimiter, a quote or a line break is quoted, its
    quotes doubled. Where the channel says so, text that a spreadsheet would take for a formula gets
    a leading apostrophe; numbers stay as they are. Raises ConfigError for a column that the rows
    do not have.
    """
    end = LINE_ENDS[push.line_end]
    if push.header:
        yield _line(push.columns, push.delimiter, end).encode(push.encoding)
    for row in rows:
        cells = [_text(_cell(row, name)) for name in push.columns]
        if push.neutralise_formulas:
            cells = [_neutral(cell) for cell in cells]
        yield _line(cells, push.delimiter, end).encode(push.encoding)


def _cell(row: Mapping, name: str) -> object:
    try:
        return row[name]
    except (KeyError, ValueError):
        raise ConfigError(
            f"channels.yml: push column '{name}' is no column of the channel's table"
        ) from None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def _neutral(cell: str) -> str:
    if cell.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def _line(cells: Iterable[str], delimiter: str, end: str) -> str:
    special = (delimiter, '"', "\r", "\n")
    quoted = (
        '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in special) else cell
        for cell in cells
    )
    return delimiter.join(quoted) + end


def manifest(
    *,
    file: str,
    channel: str,
    data_date: date,
    contract_version: str,
    rows: int,
    size: int,
    sha256: str,
) -> dict[str, object]:
    """What the receiver checks a file against: its rows without the header, bytes and sha256.

    Holds no time of writing: a rerun gives the same manifest.
    """
    return {
        "file": file,
        "channel": channel,
        "data_date": data_date.isoformat(),
        "contract_version": contract_version,
        "rows": rows,
        "bytes": size,
        "sha256": sha256,
    }
