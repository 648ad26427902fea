"""Take one customer's lines out of the archived deliveries, so that no later reading finds them.

A line is his by the same condition as a row of the table that it becomes, after the mapping of its
source; a line that the mapping rejects, and every line that today's configuration cannot read, when
his number or a key of his stands in it.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.intake import delivered_rows
from jobs.intake.archive import Archive
from jobs.intake.delivered_file import inspect
from jobs.warehouse.tables import Tables
from models.customer import erasure
from models.intake import verdict as delivery
from schemas.config import Config, Source
from schemas.config.source_fingerprint import value_sets
from schemas.contract import Contract
from schemas.errors import ChudianError


def erase(
    tables: Tables,
    archive: Archive,
    found: DataFrame,
    words: Collection[str],
    conf: Config,
    contracts: Mapping[str, Contract],
) -> dict[str, int]:
    """How many lines of each source went. `found` and `words`: what the customer is known by."""
    gone: dict[str, int] = {}
    turns: dict[tuple[str, int], list[tuple[date, Path]]] = {}
    for name, day, contents in archive.deliveries():
        source = conf.sources.get(name)
        if source is not None and not erasure.personal(contracts[source.record]):
            continue
        for turn, content in enumerate(contents):  # two contents of a day have files of one name
            paths = [
                path
                for path in sorted(archive.folder(name, day, content).iterdir())
                if _mentioned(path, words, source)
            ]
            turns.setdefault((name, turn), []).extend((day, path) for path in paths)
    for (name, _), files in turns.items():
        source, lines = conf.sources.get(name), 0
        readable, others = _sorted_out(name, source, files)
        if readable:
            lines += _by_mapping(tables, archive, found, readable, source, conf, contracts)
        for path in others:
            lines += _by_words(archive, path, words)
        gone[name] = gone.get(name, 0) + lines
    return {name: lines for name, lines in gone.items() if lines}


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def _mentioned(path: Path, words: Collection[str], source: Source | None) -> bool:
    """Whether the file is worth a closer look; the columns of Parquet always are."""
    if _of_columns(path, source):
        return True
    encoding = source.format.encoding if source else "utf-8"
    data = _content(path)
    return any(word.encode(encoding) in data for word in words)


def _of_columns(path: Path, source: Source | None) -> bool:
    return source.format.kind == "parquet" if source else path.suffix == ".parquet"


def _sorted_out(name: str, source: Source | None, files: Sequence[tuple[date, Path]]) -> tuple:
    """The files as today's configuration reads them, and those that it cannot read."""
    readable, others = [], []
    for day, path in files:
        file = None
        if source is not None:
            with suppress(ChudianError):
                file = inspect(name, source, day, path)
        if file is not None:
            readable.append(file)
        elif _of_columns(path, source):
            raise ChudianError(
                f"{name} {day}: {path.name} in the archive cannot be read as the "
                "source is configured today: nobody can say whose its rows are"
            )
        else:
            others.append(path)
    return readable, others


def _by_mapping(
    tables: Tables,
    archive: Archive,
    found: DataFrame,
    files: Sequence,
    source: Source,
    conf: Config,
    contracts: Mapping[str, Contract],
) -> int:
    contract, rejected = contracts[source.record], contracts["ops.rejected_record"]
    judged = delivery.judge(
        delivered_rows.rows(tables, list(files), source),
        source.id,
        source,
        contract,
        value_sets(conf),
        conf.runtime.timezone,
    )
    lines = judged.frame.withColumns({"raw_line": F.col("_raw"), "data_date": F.col("batch_date")})
    how = (
        f"(NOT t._rejected AND {erasure.match(contract, source.max_age_days)}) OR "
        f"(t._rejected AND {erasure.match(rejected, source.max_age_days)})"
    )
    his = lines.alias("t").join(F.broadcast(found).alias("p"), F.expr(how), "left_semi")
    places: dict[tuple[date, str], set[int]] = {}
    for row in his.select("batch_date", "file_name", "row_no").collect():
        places.setdefault((row.batch_date, row.file_name), set()).add(row.row_no)
    for file in files:
        rows = places.get((file.day, file.path.name))
        if rows and source.format.kind == "parquet":
            archive.rewrite(file.path, _without_rows(file.path, rows))
        elif rows:
            first = 0 if source.format.header else 1  # a header has the ordinal 0
            _without(archive, file.path, {row - first for row in rows})
    return sum(map(len, places.values()))


def _by_words(archive: Archive, path: Path, words: Collection[str]) -> int:
    said = re.compile("|".join(re.escape(word) for word in words).encode())
    lines = {place for place, line in enumerate(_content(path).split(b"\n")) if said.search(line)}
    _without(archive, path, lines)
    return len(lines)


def _without(archive: Archive, path: Path, places: Collection[int]) -> None:
    """The file without some of its lines, counted from 0."""
    lines = _content(path).split(b"\n")
    data = b"\n".join(line for place, line in enumerate(lines) if place not in places)
    archive.rewrite(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _without_rows(path: Path, rows: Collection[int]) -> bytes:
    """A file of columns without some of its rows, counted from 1."""
    from pyarrow import array, parquet

    table = parquet.read_table(path)
    out = io.BytesIO()
    parquet.write_table(
        table.filter(array([place + 1 not in rows for place in range(table.num_rows)])), out
    )
    return out.getvalue()
