"""The text of a row's fields, from a delivered line of bytes or from the columns of a file."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames import invisible
from models.intake.quoted_record import END, RECORD_BYTES
from schemas.config import Source
from schemas.contract.rule import quoted_name

BLANKS = " \\t\\r\\u000b\\u000c"  # the characters that a blank line may hold
# A text without such a character has no blanks at its ends but ordinary ones.
UNUSUAL = r"[^ -~\u4e00-\u9fa5]"
CSV_FIELDS = 20_000  # the most fields of a line that Spark's CSV parser accepts
# GB18030 decodes most UTF-8 bytes without an error, as wrong characters. Chinese text is almost
# never valid in both encodings, so a line that is valid UTF-8 with Chinese is refused.
WRITTEN_AS_UTF8 = (
    r"is_valid_utf8(cast(value as string)) "
    r"and cast(value as string) rlike '[\\u4e00-\\u9fff]'"
)


def fields(lines: DataFrame, source: Source) -> DataFrame:
    """The delivered rows with one text column per field of the file. Grain: the delivered row.

    Fields are trimmed of blanks of all kinds and of what nobody sees; empty ones are null. Further
    columns: `_line` (readable text), `_file`, `_row`, `_day`, `_undecoded` (bytes are not of the
    encoding), `_broken` (the row has not the form that `expected` describes) and `_open` (a line of
    a quote that stays open).
    `lines` has `file_name`, `row_no`, `batch_date` and the content: `value` (the raw line) or, for
    Parquet, `_0`, `_1`, … (text, in the order of the source's columns). With `multiline` `value`
    is a record, and `unclosed` says whether it is a line of a quote that stays open.
    """
    places = [
        F.col("file_name").alias("_file"),
        F.col("row_no").alias("_row"),
        F.col("batch_date").alias("_day"),
    ]
    names, form = list(source.columns), source.format
    if form.kind == "parquet":
        cells = [F.col(f"_{place}").alias(name) for place, name in enumerate(names)]
        never = F.lit(False)
        return lines.select(
            F.to_json(F.struct(*cells)).alias("_line"),
            *places,
            never.alias("_undecoded"),
            never.alias("_broken"),
            never.alias("_open"),
            *_trimmed(names, cells, None),
        )
    line, undecoded = _decoded(F.col("value"), form.encoding)
    marked = F.startswith(line, F.lit("\ufeff")) | F.endswith(line, F.lit("\r"))
    text = F.when(marked, F.regexp_replace(line, "^\ufeff|\r$", "")).otherwise(line)
    unclosed = F.lit(False)
    if form.multiline:
        text, unclosed = F.replace(text, F.lit("\r\n"), F.lit("\n")), F.col("unclosed")
    decoded = lines.select(
        line.alias("_line"),
        undecoded.alias("_undecoded"),
        text.alias("_text"),
        F.col("value").cast("binary").alias("_bytes"),
        unclosed.alias("_open"),
        *places,
    )
    cut, broken, cells = _cut(source)
    # A character of a JSON object may be written as an escape.
    unusual = None if form.kind == "json_lines" else F.col("_unusual")
    decoded = decoded.withColumn("_unusual", F.col("_text").rlike(UNUSUAL))
    return decoded.withColumn("_cut", cut).select(
        "_line",
        "_file",
        "_row",
        "_day",
        "_undecoded",
        (broken & ~F.col("_undecoded") & ~F.col("_open")).alias("_broken"),
        "_open",
        *_trimmed(names, cells, unusual),
    )


def lines(delivered: DataFrame, rows: DataFrame) -> DataFrame:
    """(batch_date, file_name, row_no, _line): the readable text of some of the `fields`."""
    whole = delivered.select(
        F.col("_day").alias("batch_date"),
        F.col("_file").alias("file_name"),
        F.col("_row").alias("row_no"),
        "_line",
    )
    return whole.join(F.broadcast(rows), ["batch_date", "file_name", "row_no"], "left_semi")


def expected(source: Source) -> str:
    """The expected form of a row in words, for the reason of a broken row."""
    form, names = source.format, source.columns
    if form.kind == "fixed_width":
        return (
            f"expected {sum(form.widths)} bytes of {form.encoding}, {len(names)} fields of "
            f"whole characters"
        )
    if form.kind == "json_lines":
        return f"expected one JSON object with no other fields than {', '.join(names)}"
    return f"expected {len(names)} fields separated by {form.delimiter!r}"


def expected_end(source: Source) -> str:
    """What was expected of a quote that stays open, in words, for the reason of its lines."""
    return (
        f"a quote stays open, expected another {source.format.quote} in the same file within "
        f"{RECORD_BYTES:,} bytes"
    )


def _decoded(value: Column, encoding: str) -> tuple[Column, Column]:
    """The line as text, and whether its bytes are not valid in the encoding."""
    if encoding == "utf-8":
        return F.make_valid_utf8(value), ~F.is_valid_utf8(value)
    # Undecodable bytes become U+FFFD. A file of such an encoding may not hold that character.
    line = F.decode(value.cast("binary"), encoding.upper())
    return line, line.contains("\ufffd") | F.expr(WRITTEN_AS_UTF8)


def _trimmed(names: Sequence[str], cells: Sequence[Column], unusual: Column | None) -> list[Column]:
    """The cells without what nobody sees at their ends.

    `unusual`: whether the row has `UNUSUAL` characters; None: each cell is asked.
    """
    trimmed = []
    for name, cell in zip(names, cells, strict=True):
        asked = cell.rlike(UNUSUAL) if unusual is None else unusual
        bare = F.when(asked, F.regexp_replace(cell, invisible.AT_THE_ENDS, ""))
        trimmed.append(F.nullif(bare.otherwise(F.trim(cell)), F.lit("")).alias(name))
    return trimmed


def _cut(source: Source) -> tuple[Column, Column, list[Column]]:
    """The column `_cut` of a line, whether the line is broken, and the line's fields."""
    form, names = source.format, source.columns
    delimiter = form.delimiter or ""  # only the delimited kind has one, and needs it
    if form.kind == "fixed_width":
        return _by_widths(form.widths, form.encoding)
    if form.kind == "json_lines":
        return _object(names)
    if form.multiline:
        return _of_record(delimiter, form.quote or "", names)
    if form.quote:
        return _unquoted(delimiter, form.quote, names)
    pattern = "".join("\\" + c if not c.isalnum() else c for c in delimiter)
    return (
        F.split("_text", pattern, -1),
        F.size("_cut") != len(names),
        [F.get(F.col("_cut"), F.lit(place)) for place in range(len(names))],
    )


def _by_widths(widths: Sequence[int], encoding: str) -> tuple[Column, Column, list[Column]]:
    """Fields of fixed widths in bytes: the line is cut before its fields are decoded."""
    content = F.expr(
        "CASE WHEN endswith(_bytes, X'0D') "
        "THEN substring(_bytes, 1, octet_length(_bytes) - 1) ELSE _bytes END"
    )
    if encoding == "utf-8":
        content = F.when(
            F.expr("startswith(_bytes, X'EFBBBF')"), F.substring(content, 4, 1 << 30)
        ).otherwise(content)
    cells, start = [], 1
    for width in widths:
        cells.append(F.decode(F.substring(F.col("_cut"), start, width), encoding.upper()))
        start += width
    broken = F.octet_length("_cut") != sum(widths)
    for cell in cells:
        broken = broken | cell.contains("\ufffd")
    return content, broken, cells


def _object(names: Sequence[str]) -> tuple[Column, Column, list[Column]]:
    """Fields of a JSON object. A line with more than one object is broken.

    The parser reads one value and drops the rest of the line. So the line is parsed twice:
    - inside `[` and `]`: two objects become a list of two;
    - inside `{"line":` and `}`: a line that closes the list itself is no value of an object.
    No line passes both unless it is exactly one object.
    """
    fields = ", ".join(f"{quoted_name(name)}: STRING" for name in names)
    in_list = F.concat(F.lit("["), F.col("_text"), F.lit("]"))
    cut = F.from_json(in_list, f"ARRAY<STRUCT<{fields}>>", {"mode": "PERMISSIVE"})
    known = F.array(*[F.lit(name) for name in names])
    others = F.size(F.array_except(F.json_object_keys("_text"), known))
    keys = F.json_object_keys(F.concat(F.lit('{"line":'), F.col("_text"), F.lit("}")))
    broken = F.coalesce((F.size("_cut") != 1) | (others != 0) | (F.size(keys) != 1), F.lit(True))
    return cut, broken, [F.get(F.col("_cut"), F.lit(0)).getField(name) for name in names]


def _unquoted(
    delimiter: str, quote: str, names: Sequence[str]
) -> tuple[Column, Column, list[Column]]:
    """Fields of a line in which values may be quoted."""
    delimiters = F.length("_text") - F.length(F.replace("_text", F.lit(delimiter), F.lit("")))
    schema = ", ".join(f"{quoted_name(name)} STRING" for name in (*names, "_corrupt"))
    options = {
        "sep": delimiter,
        "quote": quote,
        "escape": quote,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_corrupt",
    }
    # A line with more fields than the parser's limit would stop the run.
    cut = F.from_csv(F.when(delimiters < CSV_FIELDS, F.col("_text")), schema, options)
    broken = F.col("_cut").isNull() | F.col("_cut").getField("_corrupt").isNotNull()
    return cut, broken, [F.col("_cut").getField(name) for name in names]


def _of_record(
    delimiter: str, quote: str, names: Sequence[str]
) -> tuple[Column, Column, list[Column]]:
    """Fields of a record in which quoted values may hold line breaks.

    They are cut by the rule that found the record's lines (models.intake.quoted_record). Another
    parser that sees the end of a quote elsewhere would drop what follows the next line break.
    """
    cut, mark = (rf"\x{{{ord(sign):x}}}" for sign in (delimiter, quote))
    blanks = " \t".replace(delimiter, "")
    end = rf"{mark}[{blanks}]*+"
    closed = rf"{mark}(?:[^{mark}]++|{mark}{mark})*+{end}(?={cut}|{END})"
    field = rf"{cut}(?:{closed}|(?!{mark})[^{cut}]*+)"
    text = F.concat(F.lit(delimiter), F.col("_text"))
    pieces = F.regexp_extract_all(text, F.lit(field), F.lit(0))
    broken = (F.size("_cut") != len(names)) | (F.array_join("_cut", "") != text)
    cells = []
    for place in range(len(names)):
        piece = F.get(F.col("_cut"), F.lit(place))
        inner = F.regexp_replace(piece, rf"^{cut}{mark}|{end}{END}", "")
        cell = F.when(
            F.startswith(piece, F.lit(delimiter + quote)),
            F.replace(inner, F.lit(quote * 2), F.lit(quote)),
        ).otherwise(F.substring(piece, 2, 1 << 30))
        cells.append(F.trim(cell, F.lit(" \n")))
    return pieces, broken, cells
