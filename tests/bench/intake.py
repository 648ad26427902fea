"""Taking in a night of calls against what reads and writes the same files without any check.

The rivals, in the same run: DuckDB that reads them and writes Parquet; in the same session Spark
that reads the lines, casts the cells and writes a Delta table. Ours is the whole command:
inspection and archive, verdicts, rejects, duplicates, judgement, commits and ledger. The calls are
synthetic. A quarter of them goes first, while Java still compiles: what a run costs whatever its
size (to open the warehouse, to judge, to commit) weighs most there.
"""

import gzip
import hashlib
import json
import random
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import duckdb
from pyspark.sql import functions as F

from jobs import night
from jobs.runtime import arguments
from jobs.runtime.session import profile, spark_session
from jobs.runtime.walk import configuration
from tests.bench.watched import Watched

DAY, PARTS, BAD, TWICE = date(2009, 5, 3), 4, 0.003, 0.003
WARM_SHARE, SEED = 4, 2009
PARALLEL, HEAP = "parallel: {files_per_day: 4}\n", "4g"


def deliver(landing: Path, rows: int) -> None:
    """Calls of one day in gzip files with their control file; a few are bad, a few come twice."""
    chance, promised = random.Random(SEED), []
    folder = landing / "voice" / str(DAY)
    folder.mkdir(parents=True)
    for part in range(PARTS):
        path, lines = folder / f"voice_{DAY:%Y%m%d}_{part + 1:02}.txt.gz", 0
        with open(path, "wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            for number in range(part, rows, PARTS):
                line = _call(chance, number)
                again = 2 if chance.random() < TWICE else 1
                packed.write(line * again)
                lines += again
        data = path.read_bytes()
        promised.append(
            {
                "file": path.name,
                "rows": lines,
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        )
    (folder / f"voice_{DAY:%Y%m%d}.ctl").write_text(
        "".join(json.dumps(one) + "\n" for one in promised)
    )


def _call(chance: random.Random, number: int) -> bytes:
    second = number % 86_400
    return (
        f"V{number:09}|138{chance.randrange(100_000):08}|139{chance.randrange(10**8):08}"
        f"|{'XX' if chance.random() < BAD else 'MO'}|{DAY:%Y%m%d}{second // 3600:02}"
        f"{second // 60 % 60:02}{second % 60:02}|{chance.randrange(1, 600)}|N|0|0|0|CMCC"
        f"|010|010|{chance.randrange(0, 4000, 100)}|0|0\n"
    ).encode()


def plain(spark, columns, landing: Path, target: Path) -> None:
    """Read, cut, cast, write: nothing is checked and nothing is kept of what does not fit."""
    text = ", ".join(f"{name} string" for name in columns)
    files = [str(path) for path in sorted((landing / "voice" / str(DAY)).glob("*.gz"))]
    lines = spark.read.csv(files, text, sep="|")
    numbers = [
        F.col(name).try_cast("bigint").alias(name)
        for name in ("duration", "base_fee", "toll_fee", "info_fee")
    ]
    cast = {
        "start_time": F.expr("try_to_timestamp(start_time, 'yyyyMMddHHmmss')"),
        **dict(zip(("duration", "base_fee", "toll_fee", "info_fee"), numbers, strict=True)),
    }
    lines.withColumns(cast).write.format("delta").mode("overwrite").save(str(target.resolve()))


def duck(columns, landing: Path, target: Path) -> None:
    files = landing / "voice" / str(DAY) / "*.gz"
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    with duckdb.connect() as db:
        db.execute("SET threads = 2")
        db.execute(f"""COPY (SELECT * REPLACE (
                try_strptime(start_time, '%Y%m%d%H%M%S') AS start_time,
                try_cast(duration AS BIGINT) AS duration, try_cast(base_fee AS BIGINT) AS base_fee)
            FROM read_csv('{files}', delim = '|', header = false, quote = '',
                          columns = {{{names}}})) TO '{target}' (FORMAT parquet)""")


def main() -> None:
    rows, build = int(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(build, ignore_errors=True)
    overlay = build / "conf"
    (overlay / "spark").mkdir(parents=True)
    (overlay / "runtime.yml").write_text(PARALLEL)
    properties = profile("spark/local.conf", ()) | {"spark.driver.memory": HEAP}
    (overlay / "spark" / "local.conf").write_text(
        "".join(f"{key} {value}\n" for key, value in properties.items())
    )
    folders = (*arguments.conf_folders(None), overlay)
    conf = configuration(folders).conf
    columns = conf.sources["voice"].columns
    warm, whole = build / "warm", build / "whole"
    for place, size in ((warm, rows // WARM_SHARE), (whole, rows)):
        deliver(place / "landing", size)
    with spark_session(conf, folders) as spark:
        for place, size in ((warm, rows // WARM_SHARE), (whole, rows)):
            options = [
                "--data-date",
                str(DAY),
                "--only",
                "ingest.voice",
                "--landing",
                str(place / "landing"),
                "--warehouse",
                str(place / "warehouse"),
                "--push",
                str(place / "push"),
            ]
            confs = [part for folder in folders for part in ("--conf", str(folder))]
            duckdb_s = apart(duck, columns, place / "landing", place / "calls.parquet")
            with Watched() as plain_cost:
                plain(spark, columns, place / "landing", place / "plain")
            with Watched() as cost:
                night.main([*options, *confs])
            report(size, duckdb_s, plain_cost, cost)


def apart(work, *arguments) -> float:
    """Seconds of the work in a process of its own, which leaves no memory behind in this one; to
    start that process is not counted."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(timed, work, *arguments).result()


def timed(work, *arguments) -> float:
    begun = time.monotonic()
    work(*arguments)
    return time.monotonic() - begun


def report(rows: int, duckdb_s: float, plain_cost: Watched, ours: Watched) -> None:
    print(
        f"{rows:,} calls in {PARTS} gzip files: read, checked and written in {ours.seconds:.1f} s"
        f" ({rows / ours.seconds:,.0f} a second), {ours.most_gib:.2f} GiB (at most 6; Java's heap"
        f" {HEAP})"
    )
    print(
        f"  Spark that only reads and writes {plain_cost.seconds:.1f} s, "
        f"{plain_cost.most_gib:.2f} GiB: {ours.seconds / plain_cost.seconds:.2f} times (at most "
        "2.5, goal 1.5)"
    )
    print(
        f"  DuckDB, CSV to Parquet without checks {duckdb_s:.1f} s: "
        f"{ours.seconds / duckdb_s:.2f} times"
    )


if __name__ == "__main__":
    main()
