"""The usage cube alone, against DuckDB on the same files: a full scan, one more night, a replay.

Makes synthetic calls of 92 days, guides them, and writes them as Parquet with their rating cell as
an integer, a file a day, clustered by subscriber, as the night would. Then:

- the month cube by one scan of all of them, into nothing: the grouped sums of `by_day` with
  the first of the month for a day. DuckDB adds up the same by subscriber, month and cell into a
  table in memory. Of a quarter, half and all subscribers.
- one night more in a window of 90 days: ours guides the day's calls, adds them up and appends them
  to dw.usage_day; DuckDB, which has no cube, adds up the 90 days, already guided.
- the replay of free units of ten signatures when a month closes, from the calls on, against the
  cube of that month: from the calls on as well, from guided calls, and from its days.
"""

import argparse
import shutil
import sys
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration
from jobs.warehouse.tables import cached
from models.rating import free_units
from models.rating.cube import Cube
from models.tariff import catalogue
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import register
from schemas.document import Document
from schemas.render.spark import struct_type
from tests.bench.watched import Watched
from tests.given.event_records import events_of
from tests.given.rows import CONTRACTS

FIRST, DAYS, WINDOW = date(2009, 2, 1), 92, 90
ALL_DAYS = [FIRST + timedelta(days=number) for number in range(DAYS)]
CLOSED = date(2009, 4, 1)
CALLS_PER_SUBSCRIBER, SIGNATURES = 350, 10
CHINA = timezone(timedelta(hours=8))
SHUFFLED_IN = "32"  # parts, as the profile says of a province of this size
PARTS = ("1", "2", "4")  # a quarter of the subscribers, the second quarter, the other half
HOURS = np.array([1] * 7 + [4] * 3 + [6] * 9 + [5] * 3 + [2] * 2) / 100
# direction, roaming, toll, dial, in_group; share of the calls
KINDS = (
    (("mo", "home", "local", "direct", False), 0.36),
    (("mt", "home", "local", "direct", False), 0.38),
    (("mo", "home", "local", "direct", True), 0.05),
    (("mo", "home", "intra_prov", "direct", False), 0.04),
    (("mo", "home", "inter_prov", "ip17951", False), 0.05),
    (("mo", "home", "inter_prov", "direct", False), 0.03),
    (("mt", "home", "inter_prov", "direct", False), 0.03),
    (("mo", "inter_prov", "local", "direct", False), 0.03),
    (("mt", "inter_prov", "local", "direct", False), 0.03),
)
MINUTE = {"per": "60s", "increment": [60, 60]}
GROUPED = """
    CREATE OR REPLACE TEMP TABLE cube AS
    SELECT date_trunc('month', local_date) AS month, subscriber_id, cell_id, count(*) AS events,
           count(*) FILTER (quantity > 0) AS billed_events, sum(quantity)::BIGINT AS quantity,
           {billed}, sum(airtime_fee) AS airtime_fee, sum(toll_fee) AS toll_fee,
           sum(other_fee) AS other_fee
    FROM read_parquet($files) GROUP BY ALL"""
CHECKED = "SELECT count(*), sum(events)::BIGINT, sum(quantity)::BIGINT, {billed} FROM cube"


def tariffs() -> catalogue.Catalogue:
    """Ten packages of one signature each (pools of 30 to 300 minutes), and one by the second."""
    toll = [
        {"component": "toll", "match": {"dial": "ip17951"}, "rate": "0.30", **MINUTE},
        {"component": "toll", "rate": "0.07", "per": "6s", "increment": [6, 6]},
    ]
    common = {
        "kind": "voice",
        "brands": ["gotone"],
        "source": "assumed",
        "partial_month": "none",
        "valid": {"from": FIRST, "to": date(2010, 1, 1)},
        "rounding": {"at": "line", "scale": 2, "mode": "half_up"},
    }
    covers = {"direction": ["mo", "fwd"], "roaming": "home", "in_group": False}
    made = [
        {
            "id": f"minutes_{amount}",
            "name": "synthetic",
            "monthly_fee": str(amount // 4),
            **common,
            "bands": {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]},
            "pools": [
                {
                    "id": "local",
                    "covers": covers,
                    "components": ["airtime"],
                    "amount": amount,
                    "unit": "60s",
                    "order": 1,
                }
            ],
            "rules": [
                {"component": "airtime", "match": {"direction": "mt"}, "rate": "0", **MINUTE},
                {
                    "component": "airtime",
                    "match": {"band": "peak"},
                    "rate": "0.40",
                    **MINUTE,
                    "pools": ["local"],
                },
                {"component": "airtime", "rate": "0.24", **MINUTE, "pools": ["local"]},
                *toll,
            ],
        }
        for amount in range(30, 30 * SIGNATURES + 1, 30)
    ]
    second = {"component": "airtime", "rate": "0.01", "per": "1s", "increment": [1, 1]}
    made.append(
        {
            "id": "by_second",
            "name": "synthetic",
            "monthly_fee": "0",
            **common,
            "rules": [second, *toll],
        }
    )
    return catalogue.load(Document(Path(f"{one['id']}.yml"), one, {}) for one in made)


def write_calls(subscribers: range, records: int, folder: Path, seed: int) -> None:
    """ods.voice_call of some subscribers, a file a day."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    shares = np.array([share for _, share in KINDS])
    for number, day in enumerate(ALL_DAYS):
        count = records * (number + 1) // DAYS - records * number // DAYS
        who = subscribers.start + (len(subscribers) * rng.random(count) ** 1.4).astype(np.int64)
        kind = rng.choice(len(KINDS), count, p=shares / shares.sum())
        second = rng.choice(24, count, p=HOURS / HOURS.sum()) * 3600 + rng.integers(0, 3600, count)
        seconds = np.where(rng.random(count) < 0.1, 0, 1 + rng.exponential(90, count).astype(int))
        seconds = np.minimum(seconds, 7200)
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=CHINA).timestamp())
        fee = pa.array((seconds + 59) // 60 * 400).cast(pa.decimal128(19, 0))
        nothing = pa.array([Decimal(0)], pa.decimal128(15, 6)).take(pa.array(np.zeros(count, int)))
        columns = {
            "source": pa.array(["voice"]).take(pa.array(np.zeros(count, int))),
            "batch_date": pa.array([day], pa.date32()).take(pa.array(np.zeros(count, int))),
            "record_key": pa.array(number * 10**10 + seed * 10**9 + np.arange(count)),
            "msisdn": pa.array(who).cast(pa.string()),
            "occurred_at": pa.array((midnight + second) * 1_000_000).cast(
                pa.timestamp("us", "UTC")
            ),
            "local_date": pa.array([day], pa.date32()).take(pa.array(np.zeros(count, int))),
            "local_second": pa.array(second.astype(np.int32)),
            **{
                name: pa.array([facts[place] for facts, _ in KINDS]).take(pa.array(kind))
                for place, name in enumerate(("direction", "roaming", "toll", "dial", "in_group"))
            },
            "outcome": pa.array(["missed", "answered"]).take(pa.array((seconds > 0).astype(int))),
            "duration_s": pa.array(seconds.astype(np.int64)),
            "airtime_fee": pc.multiply(fee, pa.scalar(Decimal("0.001"))).cast(pa.decimal128(15, 6)),
            "toll_fee": nothing,
            "info_fee": nothing,
        }
        order = np.argsort(who, kind="stable")
        pq.write_table(pa.table(columns).take(pa.array(order)), folder / f"{day}.parquet")


class Province:
    """The files, the catalogue, and what of them is read."""

    def __init__(self, spark, build: Path, records: int):
        self.spark, self.build, self.tariffs = spark, build, tariffs()
        self.measures = register.measures_wanted((), self.tariffs)
        self.sizes = [one.parsed.segmentation.steps[0][1].first for one in self.measures]
        self.subscribers = max(4, records // CALLS_PER_SUBSCRIBER)
        cuts = [0, self.subscribers // 4, self.subscribers // 2, self.subscribers]
        for part, start, end in zip(PARTS, cuts, cuts[1:], strict=False):
            share = records * (end - start) // self.subscribers
            write_calls(range(start, end), share, build / "calls" / part, int(part))
            self.guide(self.calls(part)).repartition("batch_date").sortWithinPartitions(
                "batch_date", "subscriber_id"
            ).write.partitionBy("batch_date").parquet(
                str((build / "guided" / f"size={part}").resolve())
            )

    def calls(self, parts: str = "124", days=ALL_DAYS):
        """Rows of ods.voice_call of some parts and days."""
        files = [
            str((self.build / "calls" / part / f"{day}.parquet").resolve())
            for part in parts
            for day in days
        ]
        return self.spark.read.schema(struct_type(CONTRACTS["ods.voice_call"])).parquet(*files)

    def guide(self, calls):
        """The calls guided, as the step usage_day does it."""
        return usage_events.guide(*self.guiding(calls))

    def guiding(self, calls) -> tuple:
        """What `guide` takes: events, identity, cuts and holidays."""
        identity = self.spark.range(self.subscribers).selectExpr(
            "id AS subscriber_id",
            "CAST(id AS STRING) AS msisdn",
            "TIMESTAMP'2005-01-01' AS valid_from",
            "CAST(NULL AS TIMESTAMP) AS valid_to",
        )
        return (
            events_of({"ods.voice_call": calls}),
            identity,
            {"voice": self.tariffs.cuts("voice")},
            (),
        )

    def files(self, parts: str = "124", days=ALL_DAYS) -> list[str]:
        """The guided files of some parts and days."""
        return [
            str(path)
            for part in parts
            for day in days
            for path in sorted(
                (self.build / "guided" / f"size={part}" / f"batch_date={day}").resolve().glob("*")
            )
            if path.suffix == ".parquet"
        ]

    def guided(self, parts: str = "124", days=ALL_DAYS):
        frame = self.spark.read.parquet(str((self.build / "guided").resolve()))
        return frame.where(
            F.col("size").isin(list(map(int, parts))) & F.col("batch_date").isin(list(days))
        ).drop("size")

    def month_sums(self, records):
        """The records added up by subscriber, month and cell."""
        return usage_cube.by_day(
            records.withColumns(
                {"local_date": F.trunc("local_date", "month"), "batch_date": F.lit(CLOSED)}
            ),
            self.measures,
        )

    def by_duckdb(self, files: list[str]) -> tuple[float, tuple]:
        """Seconds of DuckDB's grouped sums, and what they add up to."""
        billed = ", ".join(
            f"sum((greatest(quantity, 0) + {size - 1}) // {size} * {size})::BIGINT AS billed_{no}"
            for no, size in enumerate(self.sizes, start=1)
        )
        checked = ", ".join(f"sum(billed_{no})::BIGINT" for no in range(1, len(self.sizes) + 1))
        with duckdb.connect() as db:
            db.execute("SET threads = 2")
            # Beside Java in 24 GiB; without a limit it takes four fifths of the machine.
            db.execute("SET memory_limit = '12GB'")
            db.execute(f"SET temp_directory = '{(self.build / 'spilled').resolve()}'")
            begun = time.monotonic()
            db.execute(GROUPED.format(billed=billed), {"files": files})
            seconds = time.monotonic() - begun
            return seconds, db.execute(CHECKED.format(billed=checked)).fetchone()


def seconds_of(frame) -> float:
    """Of all its rows, into nothing."""
    with Watched() as cost:
        frame.write.format("noop").mode("overwrite").save()
    return cost.seconds


def added_up(cube, depth: int) -> tuple:
    """What DuckDB's sums are checked with: groups, events, units, and billed units by measure."""
    row = cube.agg(
        F.count(F.lit(1)),
        F.sum("events"),
        F.sum("quantity"),
        *(F.sum(F.get("billed", F.lit(no))) for no in range(depth)),
    ).first()
    return tuple(row)


def full_scan(province: Province, records: int) -> None:
    """The month cube of a quarter, half and all subscribers."""
    seconds_of(province.month_sums(province.guided("1")))  # warm
    for parts, share in (("1", 4), ("12", 2), ("124", 1)):
        cube = province.month_sums(province.guided(parts))
        ours = seconds_of(cube)
        theirs, sums = province.by_duckdb(province.files(parts))
        if share == 4 and added_up(cube, len(province.sizes)) != sums:
            sys.exit("DuckDB's sums are other than ours")
        print(
            f"{records // share:>12,} calls to {sums[0]:,} groups: {ours:6.1f} s into nothing, "
            f"DuckDB {theirs:.1f} s: {ours / theirs:.2f} times (goal at most 2)"
        )


def one_night(province: Province) -> None:
    """Usage of the last day, appended to that of the days before, against all of 90 days."""
    table, last = str((province.build / "usage_day").resolve()), ALL_DAYS[-1]
    window = ALL_DAYS[-WINDOW:]
    with Watched() as made:
        before = usage_cube.by_day(province.guided(days=window[:-1]), province.measures)
        before.repartition("batch_date").sortWithinPartitions(
            "batch_date", "subscriber_id"
        ).write.format("delta").partitionBy("batch_date").save(table)
    warm = usage_cube.by_day(province.guide(province.calls(days=[window[-2]])), province.measures)
    seconds_of(warm)
    tonight = usage_cube.by_day(province.guide(province.calls(days=[last])), province.measures)
    with Watched() as cost:
        tonight.coalesce(1).sortWithinPartitions("subscriber_id").write.format("delta").mode(
            "append"
        ).save(table)
    theirs, _ = province.by_duckdb(province.files(days=window))
    print(
        f"the usage of {WINDOW - 1} days was made in {made.seconds:.1f} s, once; one night more, "
        f"guided, added up and appended: {cost.seconds:.1f} s"
    )
    print(
        f"  DuckDB adds up the {WINDOW} days anew in {theirs:.1f} s: "
        f"{theirs / cost.seconds:.2f} times as long (goal at least 2, at least 5 of "
        "175,000,000 calls or more)"
    )


def replayed(province: Province) -> None:
    """The step free_units of a closed month, against the cube of the month."""
    days = [day for day in ALL_DAYS if day.replace(day=1) == CLOSED]
    scan = seconds_of(province.month_sums(province.guided(days=days)))
    from_calls = seconds_of(province.month_sums(province.guide(province.calls(days=days))))
    from_days = (
        province.spark.read.format("delta")
        .load(str((province.build / "usage_day").resolve()))
        .where(F.col("batch_date").isin(days))
    )
    month = usage_cube.by_month(from_days, [CLOSED], province.measures)
    added = seconds_of(month)
    path = str((province.build / "usage_month").resolve())
    month.write.parquet(path)
    month = province.spark.read.parquet(path)
    packages = province.tariffs.packages.values()
    some = free_units.representatives(packages, "all")
    cells = usage_events.cells(province.guided(days=days)).collect()
    cube = Cube(
        month.selectExpr("month", "subscriber_id", "CAST(NULL AS DATE) AS joined"),
        month,
        cells,
        province.measures,
    )
    for _ in range(2):  # the first time warms up
        with Watched() as cost, cached(free_units.wanted(cube, some, "all")) as wanted:
            guided = free_units.guided(*province.guiding(province.calls(days=days)), wanted)
            free_units.split(guided, wanted, cells, some, "all", ()).write.format("noop").mode(
                "overwrite"
            ).save()
            marks = wanted.agg(F.sum(F.size("wanted")), F.count(F.lit(1))).first()
    print(
        f"{len(some)} signatures, {marks[0] or 0:,} splits of {marks[1]:,} customer-months of "
        f"{province.subscribers:,} replayed in {cost.seconds:.1f} s, guiding their calls anew"
    )
    for source, seconds in (
        ("its guided calls (goal at most 2)", scan),
        ("its calls, guided anew as the replay does", from_calls),
        ("its days in dw.usage_day", added),
    ):
        print(
            f"  the month's cube from {source}: {seconds:.1f} s, {cost.seconds / seconds:.2f} times"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int)
    parser.add_argument("build", type=Path)
    parser.add_argument(
        "--night",
        action="store_true",
        help="only the one night more, which is worth a province of hundreds of millions of calls",
    )
    args = parser.parse_args()
    shutil.rmtree(args.build, ignore_errors=True)
    folders = arguments.conf_folders(None)
    conf = configuration(folders).conf
    with spark_session(conf, folders) as spark, Watched() as whole:
        spark.conf.set("spark.sql.shuffle.partitions", SHUFFLED_IN)
        with Watched() as making:
            province = Province(spark, args.build, args.records)
        print(
            f"{args.records:,} calls of {province.subscribers:,} subscribers in {DAYS} days made "
            f"and guided in {making.seconds:.0f} s; {len(province.sizes)} measures"
        )
        if not args.night:
            full_scan(province, args.records)
        one_night(province)
        if not args.night:
            replayed(province)
    shutil.rmtree(args.build)
    print(f"most memory of all of it {whole.most_gib:.2f} GiB")


if __name__ == "__main__":
    main()
