"""From the bytes of a delivered line to the text of its fields."""
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.config import Source
from schemas.rule import quoted_name

BLANKS = " \\t\\r\\u000b\\u000c"  # what a blank line may hold
PLACES_OF_CSV = 20_000
# UTF-8 read as GB18030 is mostly readable nonsense, but Chinese text is almost never both.
WRITTEN_AS_UTF8 = (r"is_valid_utf8(cast(value as string)) "
                   r"and cast(value as string) rlike '[\\u4e00-\\u9fff]'")


def fields(lines: DataFrame, source: Source) -> DataFrame:
    """The line cut into the file's columns, all text, trimmed, the empty ones null.

    Grain: the delivered line, with `_line` (as readable text), `_file`, `_row`, `_day`, and
    whether it is `_undecoded` or `_broken` (of another number of fields).
    """
    form = source.format
    names = list(source.columns)
    if form.encoding == "utf-8":
        undecoded = ~F.expr("is_valid_utf8(value)")
        line = F.expr("make_valid_utf8(value)")
    else:  # undecodable bytes become U+FFFD, which no such file may hold
        line = F.decode(F.col("value").cast("binary"), form.encoding.upper())
        undecoded = line.contains("\ufffd") | F.expr(WRITTEN_AS_UTF8)
    here = lines.select(line.alias("_line"), undecoded.alias("_undecoded"),
                        F.regexp_replace(line, "^\ufeff|\r$", "").alias("_text"),
                        F.col("file_name").alias("_file"), F.col("row_no").alias("_row"),
                        F.col("batch_date").alias("_day"))
    if form.quote:
        cut, broken, cell = _unquoted(form.delimiter, form.quote, names)
    else:
        pattern = "".join("\\" + c if not c.isalnum() else c for c in form.delimiter)
        cut, broken = F.split("_text", pattern, -1), F.size("_cut") != len(names)
        cell = [F.get(F.col("_cut"), F.lit(place)) for place in range(len(names))]
    here = here.withColumn("_cut", cut)
    broken = broken & ~F.col("_undecoded")
    cells = [F.nullif(F.trim(one), F.lit("")).alias(name) for name, one in zip(names, cell)]
    return here.select("_line", "_file", "_row", "_day", "_undecoded", broken.alias("_broken"),
                       *cells)


def _unquoted(delimiter: str, quote: str, names: Sequence[str]
              ) -> tuple[Column, Column, list[Column]]:
    """How a line with quoted fields is cut, whether the cut failed, and each of its fields."""
    marks = F.length("_text") - F.length(F.replace("_text", F.lit(delimiter), F.lit("")))
    schema = ", ".join(f"{quoted_name(name)} STRING" for name in (*names, "_corrupt"))
    options = {"sep": delimiter, "quote": quote, "escape": quote, "mode": "PERMISSIVE",
               "columnNameOfCorruptRecord": "_corrupt"}
    # The parser stops the run at a line of more fields than it has places for.
    cut = F.from_csv(F.when(marks < PLACES_OF_CSV, F.col("_text")), schema, options)
    broken = F.col("_cut").isNull() | F.col("_cut").getField("_corrupt").isNotNull()
    return cut, broken, [F.col("_cut").getField(name) for name in names]
