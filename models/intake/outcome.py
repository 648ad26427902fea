"""The outcome of a delivery: every row is accepted, rejected with its reasons, or a duplicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.conditions import any_of
from models.frames.lookup import looked_up
from models.intake.duplicates import DUPLICATE, FOLLOWS
from models.intake.verdict import LINE, ROW, SHARED_KEY, VERDICT, Check, Validated, has_error
from schemas.contract import Contract


@dataclass(frozen=True)
class Outcome:
    """The validated rows together with those among them that share their key.

    `candidates`: the rejected rows and, where keys repeat, all rows of these keys.
    `shared`: the rows of `duplicates.find`; None if the delivery has none.
    `lines`: `ROW` and `_line`, the delivered line, of the rows of `shared` that are rejected.
    `parts`: how the source says that records belong together (Source.parts).
    """

    validated: Validated
    candidates: DataFrame
    shared: DataFrame | None = None
    lines: DataFrame | None = None
    parts: str = "none"

    def accepted(self) -> DataFrame:
        """Rows of the contract: of rows with one key and one content only the first."""
        good = self.validated.frame.where("not _rejected")
        if self.shared is not None:
            surplus = self.shared.where(F.col("_role") != FOLLOWS).select(*ROW)
            good = good.join(surplus, list(ROW), "left_anti")
        return good.select([name for name in self.validated.frame.columns if name not in VERDICT])

    def rejected(self) -> DataFrame:
        """Rows of `ops.rejected_record`: the raw line and every reason."""
        reasons = [
            F.when(has_error(F.col("_errors"), place), F.lit(check.reason))
            for place, check in enumerate(self.validated.checks)
            if check.severity == "critical"
        ]
        by_themselves = self.candidates.where("_rejected").withColumns(
            {"_line": F.col("_raw"), "_reasons": F.array_compact(F.array(*reasons))}
        )
        rows = by_themselves.select("source", *ROW, "_line", "_reasons")
        if self.lines is not None and self.shared is not None:
            source = F.lit(self.validated.source)
            by_others = (
                self.shared.where(F.col("_role").isin(*SHARED_KEY))
                .select(
                    *ROW, F.array(looked_up(F.col("_role"), SHARED_KEY, "string")).alias("_why")
                )
                .join(self.lines, list(ROW), "left")
            )
            rows = rows.unionByName(
                by_others.select(
                    source.alias("source"), *ROW, "_line", F.col("_why").alias("_reasons")
                )
            )
        return rows.select(
            "source",
            F.col("batch_date").alias("data_date"),
            "file_name",
            "row_no",
            F.coalesce("_line", F.lit("")).alias("raw_line"),
            F.col("_reasons").alias("reasons"),
        )

    def counts(self) -> dict[date, dict[str, Any]]:
        """Rows by batch_date: delivered, accepted, rejected, duplicate, late, and these:

        - `warned`: accepted rows with a warning;
        - `part`, `correction`: accepted rows with the key of another row and other content;
        - `conflict`: rejected rows with the key of an accepted row;
        - `unreferenced`: rows that name a record that does not exist;
        - `unlisted`: accepted rows with a code that is not in the source's list;
        - `unread`: accepted rows without a value that is present and not readable;
        - `newest`: local date of the newest event that is not rejected (None: no event records);
        - `rounding_<column>`: what rounding added to the accepted values, where the source rounds;
        - `check_<n>`: rows that violate the check; for a warning only accepted rows.
        """
        checks = self.validated.checks
        counts = _counts(self.validated.frame, checks)
        shared = {} if self.shared is None else _counts(self.shared, checks, "_role")
        places = {check.reason: place for place, check in enumerate(checks)}
        for day, figures in counts.items():
            of = {role: seen for (there, role), seen in shared.items() if there == day}
            for role in (DUPLICATE, *SHARED_KEY):
                for name, rows in of.get(role, {}).items():
                    if name not in ("delivered", "newest"):
                        figures[name] -= rows
            refused = {role: of.get(role, {}).get("accepted", 0) for role in SHARED_KEY}
            for role, rows in refused.items():
                figures[f"check_{places[SHARED_KEY[role]]}"] += rows
            followers = of.get(FOLLOWS, {}).get("accepted", 0)
            figures["rejected"] += sum(refused.values())
            figures |= {
                "duplicate": of.get(DUPLICATE, {}).get("accepted", 0),
                "conflict": sum(refused.values()),
                "part": 0 if self.parts == "last" else followers,
                "correction": followers if self.parts == "last" else 0,
            }
        return counts


def rejected_of_several(outcomes: Mapping[str, Outcome]) -> DataFrame:
    """Rows of `ops.rejected_record` where rows are read into several tables. Grain: rejected row.

    `outcomes`: by table. A row may be rejected by one table and accepted by another, so each reason
    names its table. What makes a line unreadable is a reason once.
    """
    found = []
    for place, (table, one) in enumerate(outcomes.items()):
        reasons = F.transform("reasons", _of_table(table))
        placed = F.struct(F.lit(place).alias("place"), reasons.alias("all"))
        found.append(one.rejected().withColumn("reasons", placed))
    in_order = F.array_sort(F.collect_list("reasons"))
    return (
        reduce(DataFrame.unionByName, found)
        .groupBy("source", "data_date", "file_name", "row_no")
        .agg(
            F.max("raw_line").alias("raw_line"),
            F.array_distinct(F.flatten(F.transform(in_order, lambda one: one["all"]))).alias(
                "reasons"
            ),
        )
    )


def _of_table(table: str) -> Callable[[Column], Column]:
    """Names the table before a reason that is not of the line itself."""

    def named(reason: Column) -> Column:
        of_line = F.startswith(reason, F.lit(LINE))
        return F.when(of_line, reason).otherwise(F.concat(F.lit(f"{table}: "), reason))

    return named


def _counts(frame: DataFrame, checks: Sequence[Check], *by: str) -> dict[Any, dict[str, Any]]:
    """The figures of `Outcome.counts` as if no row shared its key: by day, or by (day, *`by`)."""
    violated = []
    for place, check in enumerate(checks):
        error = has_error(F.col("_errors"), place)
        violated.append(error if check.severity == "critical" else error & F.expr("not _rejected"))

    def rows_with(chosen: Sequence[bool]) -> Column:
        return F.count_if(
            any_of(column for column, wanted in zip(violated, chosen, strict=True) if wanted)
        )

    rows = frame.groupBy(F.col("batch_date").alias("_day"), *by).agg(
        F.count(F.lit(1)).alias("delivered"),
        F.count_if(~F.col("_rejected")).alias("accepted"),
        F.count_if("_rejected").alias("rejected"),
        F.count_if(F.expr("not _rejected and _late")).alias("late"),
        rows_with([check.severity == "warning" for check in checks]).alias("warned"),
        rows_with([check.refers for check in checks]).alias("unreferenced"),
        rows_with([check.unlisted for check in checks]).alias("unlisted"),
        rows_with([check.unread for check in checks]).alias("unread"),
        F.max(
            F.when(~F.col("_rejected"), F.col("local_date"))
            if "local_date" in frame.columns
            else F.lit(None).cast("date")
        ).alias("newest"),
        *[F.count_if(one).alias(f"check_{place}") for place, one in enumerate(violated)],
        *_sums_of_rounding(frame),
    )
    collected = [row.asDict() for row in rows.collect()]
    found = {}
    for figures in collected:
        day = figures.pop("_day")
        found[(day, *[figures.pop(name) for name in by]) if by else day] = figures
    return found


def _sums_of_rounding(frame: DataFrame) -> list[Column]:
    """Exact sums: each addend has at most 18 decimals and is smaller than 1."""
    kind = frame.schema["_rounding"].dataType
    added = [(name, F.col("_rounding")[name]) for name in getattr(kind, "names", ())]
    return [
        F.coalesce(F.sum(F.when(~F.col("_rejected"), one)), F.lit(Decimal(0))).alias(
            f"rounding_{name}"
        )
        for name, one in added
    ]


def digests(accepted: DataFrame, contract: Contract) -> DataFrame:
    """(batch_date, rows, low, high): equal for equal rows, also when file and row number differ.

    `low` and `high` are the sums of the two halves of the rows' hashes.
    """
    content = [name for name in contract.column_names if name not in ("file_name", "row_no")]
    hashed = F.xxhash64(*content)
    low, high = hashed.bitwiseAND(F.lit((1 << 32) - 1)), F.shiftright(hashed, 32)
    return accepted.groupBy("batch_date").agg(
        F.count(F.lit(1)).alias("rows"), F.sum(low).alias("low"), F.sum(high).alias("high")
    )
