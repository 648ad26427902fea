"""Remove one customer's lines from the archived deliveries, so that no later run reads them.

Which lines belong to the customer:
- a line that a mapping of its source accepts: by the condition of a table that it is read into;
- a line that every mapping rejects or leaves out: if it contains an identifier of the customer;
- a line of a file that today's configuration cannot read: likewise.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import reduce
from itertools import pairwise
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.intake import delivered_rows
from jobs.intake.archive import Archive
from jobs.intake.delivered_file import DeliveredFile, inspect
from jobs.warehouse.tables import Tables
from models.customer import erasure
from models.intake import delivered_line, number_form, verdict
from models.intake.quoted_record import QuotedLines
from schemas.config import Config, Source
from schemas.config.mapping.source_fingerprint import value_sets
from schemas.contract import Contract
from schemas.errors import ChudianError

Place = tuple[date, str, int]  # day, file and row of a delivered line


def erase(
    tables: Tables,
    archive: Archive,
    found: DataFrame,
    words: Collection[str],
    conf: Config,
    contracts: Mapping[str, Contract],
) -> dict[str, int]:
    """Remove the customer's lines; returns the number of removed lines by source.

    `found`: the customer's `identifiers`; `words`: those of them that a line may contain.
    ChudianError for a Parquet file that cannot be read as its source is configured today.
    """
    removed: dict[str, int] = {}
    turns: dict[tuple[str, int], list[tuple[date, Path]]] = {}
    for name, day, contents in archive.deliveries():
        source = conf.sources.get(name)
        if source is not None and not any(
            erasure.is_personal(contracts[table]) for table in source.tables
        ):
            continue
        for turn, content in enumerate(contents):  # contents of one day may have equal file names
            paths = [
                path
                for path in sorted(archive.folder(name, day, content).iterdir())
                if _may_mention(path, words, source)
            ]
            turns.setdefault((name, turn), []).extend((day, path) for path in paths)
    for (name, _), files in turns.items():
        source, lines = conf.sources.get(name), 0
        readable, others = _sorted_out(name, source, files)
        if source is not None and readable:
            lines += _erase_by_mapping(tables, archive, found, readable, source, conf, contracts)
        for path in others:
            lines += _erase_by_words(archive, path, words)
        removed[name] = removed.get(name, 0) + lines
    return {name: lines for name, lines in removed.items() if lines}


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def _may_mention(path: Path, words: Collection[str], source: Source | None) -> bool:
    """Whether the file may contain one of the words; always true for Parquet."""
    if _is_parquet(path, source):
        return True
    encoding = source.format.encoding if source else "utf-8"
    data = _unpacked(path)
    if any(word.encode(encoding) in data for word in words):
        return True
    bare = number_form.bare(data.decode(encoding, "replace"))
    return any(word in bare for word in words)


def _is_parquet(path: Path, source: Source | None) -> bool:
    return source.format.kind == "parquet" if source else path.suffix == ".parquet"


def _sorted_out(
    name: str, source: Source | None, files: Sequence[tuple[date, Path]]
) -> tuple[list[DeliveredFile], list[Path]]:
    """The files that today's configuration can read, and the paths of the others."""
    readable: list[DeliveredFile] = []
    others: list[Path] = []
    for day, path in files:
        file = None
        if source is not None:
            with suppress(ChudianError):
                file = inspect(name, source, day, path)
        if file is not None:
            readable.append(file)
        elif _is_parquet(path, source):
            raise ChudianError(
                f"{name} {day}: {path.name} in the archive cannot be read as the "
                "source is configured today: its rows cannot be assigned to customers"
            )
        else:
            others.append(path)
    return readable, others


def _erase_by_mapping(
    tables: Tables,
    archive: Archive,
    found: DataFrame,
    files: Sequence[DeliveredFile],
    source: Source,
    conf: Config,
    contracts: Mapping[str, Contract],
) -> int:
    """Remove the customer's rows as the source is read today; returns their number."""
    read = delivered_line.fields(delivered_rows.read_rows(tables, list(files), source), source)
    theirs: set[Place] = set()
    # Lines that name the customer, but a table rejects them or no table takes them.
    doubtful: set[Place] = set()
    frames = []
    for one in source.records:
        frames.append(_read_into(one, read, conf, contracts[one.record]))
        for *place, is_rejected in _belonging(frames[-1], one, found, contracts).collect():
            (doubtful if is_rejected else theirs).add(tuple(place))
    if source.also:
        doubtful |= _naming(read, source, found, contracts)
        doubtful -= _accepted(tables, frames, doubtful)
    places: dict[tuple[date, str], set[int]] = {}
    for day, name, row_no in theirs | doubtful:
        places.setdefault((day, name), set()).add(row_no)
    for file in files:
        rows = places.get((file.day, file.path.name))
        if rows and source.format.kind == "parquet":
            archive.rewrite(file.path, _without_rows(file.path, rows))
        elif rows:
            first = 0 if source.format.header else 1  # row_no of the file's first line
            here = {row - first for row in rows}
            if source.format.multiline:
                _remove_records(archive, file.path, here, QuotedLines(source.format))
            else:
                _remove_lines(archive, file.path, here)
    return sum(map(len, places.values()))


def _read_into(source: Source, read: DataFrame, conf: Config, contract: Contract) -> DataFrame:
    """The rows as the source is read into one table today, with `_rejected` and `raw_line`."""
    validated = verdict.validate(
        verdict.chosen(read, source),
        source.id,
        source,
        contract,
        value_sets(conf),
        conf.runtime.timezone,
        open_ends=conf.runtime.open_ends,
    )
    return validated.frame.withColumns(
        {"raw_line": F.col("_raw"), "data_date": F.col("batch_date")}
    )


def _belonging(
    rows: DataFrame, source: Source, found: DataFrame, contracts: Mapping[str, Contract]
) -> DataFrame:
    """The customer's rows of one table: by its condition, or by words where it rejects them."""
    contract, age = contracts[source.record], source.max_age_days
    accepted = erasure.condition(contract, age) if erasure.is_personal(contract) else "false"
    rejected = erasure.condition(contracts["ops.rejected_record"], age)
    belongs = f"(NOT t._rejected AND {accepted}) OR (t._rejected AND {rejected})"
    theirs = rows.alias("t").join(F.broadcast(found).alias("p"), F.expr(belongs), "left_semi")
    return theirs.select(*verdict.ROW, "_rejected")


def _naming(
    read: DataFrame, source: Source, found: DataFrame, contracts: Mapping[str, Contract]
) -> set[Place]:
    """The lines that contain an identifier of the customer, whatever table takes them."""
    lines = read.select(
        F.col("_day").alias("batch_date"),
        F.col("_file").alias("file_name"),
        F.col("_row").alias("row_no"),
        F.col("_line").alias("raw_line"),
        F.col("_day").alias("data_date"),
    )
    named = erasure.condition(contracts["ops.rejected_record"], source.max_age_days)
    theirs = lines.alias("t").join(F.broadcast(found).alias("p"), F.expr(named), "left_semi")
    return {tuple(row) for row in theirs.select(*verdict.ROW).collect()}


def _accepted(tables: Tables, frames: Sequence[DataFrame], places: Collection[Place]) -> set[Place]:
    """Those of the places that some table accepts: its condition has told whose they are."""
    if not places:
        return set()
    kind = "batch_date date, file_name string, row_no bigint"
    asked = F.broadcast(tables.spark.createDataFrame(list(places), kind))
    found = [
        rows.where("not _rejected").join(asked, list(verdict.ROW), "left_semi").select(*verdict.ROW)
        for rows in frames
    ]
    return {tuple(row) for row in reduce(DataFrame.unionByName, found).collect()}


def _erase_by_words(archive: Archive, path: Path, words: Collection[str]) -> int:
    """Remove the lines that contain one of the words; returns their number."""
    any_word = re.compile("|".join(re.escape(word) for word in words))
    lines = {
        place
        for place, line in enumerate(_unpacked(path).split(b"\n"))
        for text in [line.decode("utf-8", "replace")]
        if any_word.search(text) or any_word.search(number_form.bare(text))
    }
    _remove_lines(archive, path, lines)
    return len(lines)


def _remove_lines(archive: Archive, path: Path, places: Collection[int]) -> None:
    """Rewrite the file without the lines at `places`, counted from 0."""
    lines = _unpacked(path).split(b"\n")
    _rewrite(archive, path, [line for place, line in enumerate(lines) if place not in places])


def _remove_records(
    archive: Archive, path: Path, places: Collection[int], quoted: QuotedLines
) -> None:
    """Rewrite the file without the records whose first lines are at `places`, counted from 0.

    A line that stands alone in a quote that stays open leaves the quotes that it opens or closes:
    the lines around it are read as before.
    """
    lines = _unpacked(path).split(b"\n")
    opened = list(quoted.states(lines))
    begins = [place for place in range(len(lines)) if not opened[place]]
    kept = []
    for first, end in pairwise((*begins, len(lines))):
        record = lines[first:end]
        size = sum(map(len, record)) + len(record)
        if quoted.is_unclosed(len(record), size, open_at_end=opened[end]):
            for place, line in enumerate(record, first):
                if place not in places:
                    kept.append(line)
                elif opened[place] != opened[place + 1]:
                    kept.append(quoted.quote)
        elif first not in places:
            kept += record
    _rewrite(archive, path, kept)


def _rewrite(archive: Archive, path: Path, lines: Sequence[bytes]) -> None:
    data = b"\n".join(lines)
    archive.rewrite(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _without_rows(path: Path, rows: Collection[int]) -> bytes:
    """The bytes of a Parquet file without some of its rows, counted from 1."""
    from pyarrow import array, parquet

    table = parquet.read_table(path)
    out = io.BytesIO()
    parquet.write_table(
        table.filter(array([place + 1 not in rows for place in range(table.num_rows)])), out
    )
    return out.getvalue()
