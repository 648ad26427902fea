"""From the bytes of a delivered line, or the columns of a row, to the text of its fields."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.config import Source
from schemas.contract.rule import quoted_name

BLANKS = " \\t\\r\\u000b\\u000c"  # what a blank line may hold
PLACES_OF_CSV = 20_000
# UTF-8 read as GB18030 is mostly readable nonsense, but Chinese text is almost never both.
WRITTEN_AS_UTF8 = (
    r"is_valid_utf8(cast(value as string)) "
    r"and cast(value as string) rlike '[\\u4e00-\\u9fff]'"
)


def fields(lines: DataFrame, source: Source) -> DataFrame:
    """The delivered rows cut into the file's columns, all text, trimmed, the empty ones null.

    Grain: the delivered row, with `_line` (as readable text), `_file`, `_row`, `_day`, and
    whether it is `_undecoded` or `_broken` (not of the form that `expected` describes).
    `lines`: `value` (the raw line), or `_0`, `_1`, … (text by the order of the source's columns)
    for a file of columns; `file_name`, `row_no`, `batch_date`.
    """
    places = [
        F.col("file_name").alias("_file"),
        F.col("row_no").alias("_row"),
        F.col("batch_date").alias("_day"),
    ]
    names, form = list(source.columns), source.format
    if form.kind == "parquet":
        cells = [F.col(f"_{place}").alias(name) for place, name in enumerate(names)]
        nothing = F.lit(False)
        return lines.select(
            F.to_json(F.struct(*cells)).alias("_line"),
            *places,
            nothing.alias("_undecoded"),
            nothing.alias("_broken"),
            *_trimmed(names, cells),
        )
    line, undecoded = _decoded(F.col("value"), form.encoding)
    odd = F.startswith(line, F.lit("\ufeff")) | F.endswith(line, F.lit("\r"))
    text = F.when(odd, F.regexp_replace(line, "^\ufeff|\r$", "")).otherwise(line)
    here = lines.select(
        line.alias("_line"),
        undecoded.alias("_undecoded"),
        text.alias("_text"),
        F.col("value").cast("binary").alias("_bytes"),
        *places,
    )
    cut, broken, cells = _cut(source)
    here = here.withColumn("_cut", cut)
    return here.select(
        "_line",
        "_file",
        "_row",
        "_day",
        "_undecoded",
        (broken & ~F.col("_undecoded")).alias("_broken"),
        *_trimmed(names, cells),
    )


def expected(source: Source) -> str:
    """The form of a row in words, for the reason of one that is broken."""
    form, names = source.format, source.columns
    if form.kind == "fixed_width":
        return (
            f"expected {sum(form.widths)} bytes of {form.encoding}, {len(names)} fields of "
            f"whole characters"
        )
    if form.kind == "json_lines":
        return f"expected one JSON object with no other fields than {', '.join(names)}"
    return f"expected {len(names)} fields separated by {form.delimiter!r}"


def _decoded(value: Column, encoding: str) -> tuple[Column, Column]:
    """The line as text, and whether its bytes are not of the encoding."""
    if encoding == "utf-8":
        return F.make_valid_utf8(value), ~F.is_valid_utf8(value)
    # Undecodable bytes become U+FFFD, which no such file may hold.
    line = F.decode(value.cast("binary"), encoding.upper())
    return line, line.contains("\ufffd") | F.expr(WRITTEN_AS_UTF8)


def _trimmed(names: Sequence[str], cells: Sequence[Column]) -> list[Column]:
    return [F.nullif(F.trim(cell), F.lit("")).alias(name) for name, cell in zip(names, cells)]


def _cut(source: Source) -> tuple[Column, Column, list[Column]]:
    """How a line is cut into `_cut`, whether that failed, and each of its fields."""
    form, names = source.format, source.columns
    if form.kind == "fixed_width":
        return _by_widths(form.widths, form.encoding)
    if form.kind == "json_lines":
        return _object(names)
    if form.quote:
        return _unquoted(form.delimiter, form.quote, names)
    pattern = "".join("\\" + c if not c.isalnum() else c for c in form.delimiter)
    return (
        F.split("_text", pattern, -1),
        F.size("_cut") != len(names),
        [F.get(F.col("_cut"), F.lit(place)) for place in range(len(names))],
    )


def _by_widths(widths: Sequence[int], encoding: str) -> tuple[Column, Column, list[Column]]:
    """Fields are counted in bytes, so the line is cut before it is read as text."""
    whole = F.expr(
        "CASE WHEN endswith(_bytes, X'0D') "
        "THEN substring(_bytes, 1, octet_length(_bytes) - 1) ELSE _bytes END"
    )
    if encoding == "utf-8":
        whole = F.when(
            F.expr("startswith(_bytes, X'EFBBBF')"), F.substring(whole, 4, 1 << 30)
        ).otherwise(whole)
    cells, start = [], 1
    for width in widths:
        cells.append(F.decode(F.substring(F.col("_cut"), start, width), encoding.upper()))
        start += width
    broken = F.octet_length("_cut") != sum(widths)
    for cell in cells:
        broken = broken | cell.contains("\ufffd")
    return whole, broken, cells


def _object(names: Sequence[str]) -> tuple[Column, Column, list[Column]]:
    """Read as a list of one: of two objects on a line the parser would drop the second.

    A line that ends the list itself would drop the rest as well, so it has to be a value in an
    object too, which no line can end that fits into a list.
    """
    fields = ", ".join(f"{quoted_name(name)}: STRING" for name in names)
    whole = F.concat(F.lit("["), F.col("_text"), F.lit("]"))
    cut = F.from_json(whole, f"ARRAY<STRUCT<{fields}>>", {"mode": "PERMISSIVE"})
    known = F.array(*[F.lit(name) for name in names])
    others = F.size(F.array_except(F.json_object_keys("_text"), known))
    inside = F.json_object_keys(F.concat(F.lit('{"line":'), F.col("_text"), F.lit("}")))
    broken = F.coalesce((F.size("_cut") != 1) | (others != 0) | (F.size(inside) != 1), F.lit(True))
    return cut, broken, [F.get(F.col("_cut"), F.lit(0)).getField(name) for name in names]


def _unquoted(
    delimiter: str, quote: str, names: Sequence[str]
) -> tuple[Column, Column, list[Column]]:
    marks = F.length("_text") - F.length(F.replace("_text", F.lit(delimiter), F.lit("")))
    schema = ", ".join(f"{quoted_name(name)} STRING" for name in (*names, "_corrupt"))
    options = {
        "sep": delimiter,
        "quote": quote,
        "escape": quote,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_corrupt",
    }
    # The parser stops the run at a line of more fields than it has places for.
    cut = F.from_csv(F.when(marks < PLACES_OF_CSV, F.col("_text")), schema, options)
    broken = F.col("_cut").isNull() | F.col("_cut").getField("_corrupt").isNotNull()
    return cut, broken, [F.col("_cut").getField(name) for name in names]
