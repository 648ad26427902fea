"""The evaluator alone, at a province's size, against DuckDB's join of cube and prices.

Makes a synthetic usage cube (three closed months of so many customers) and a hundred packages like
those of the configuration, and keeps the months of the best four of each of three kinds for every
customer: of a quarter, a half and all of them, so that one sees how the time grows. DuckDB joins
the quarter's files with the prices of each cell, adds up in whole numbers and keeps the months of
as many; it settles no pools, caps or rounding. The quarter is also priced with twenty bundles in
place of as many packages: a bundle is a package of calls, one of messages and one of data together.
"""

import argparse
import copy
import sys
import time
from datetime import date
from decimal import Decimal
from itertools import pairwise, product
from math import lcm
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration
from models.rating import evaluator as rating
from models.rating.cube import Cube
from models.rating.shortlist import Shortlist
from models.tariff import catalogue, measure, money_limit
from models.tariff.charge import charges
from models.tariff.measure import FACTS, FEES, Units
from models.tariff.package import KIND_SERVICE
from models.usage import register
from schemas.document import Document
from tests.bench.watched import Watched

MONTHS = (date(2009, 2, 1), date(2009, 3, 1), date(2009, 4, 1))
PACKAGES, BUNDLES, KEEP, PIECE = 100, 20, 4, 50_000
KINDS = "voice", "gprs", "sms"
SHARE_OF_CELLS = 0.17  # about thirty of all cells, that a customer uses in a month


def rating_cells(tariffs: catalogue.Catalogue) -> list[SimpleNamespace]:
    """Every cell of home and roaming calls, messages and sessions that a customer may have."""
    found = []
    for service, facts in (
        (
            "voice",
            {
                "direction": ("mo", "mt"),
                "roaming": ("home", "inter_prov"),
                "toll": ("local", "inter_prov"),
                "dial": ("direct", "ip17951"),
                "in_group": (False,),
            },
        ),
        (
            "sms",
            {
                "direction": ("mo",),
                "roaming": ("home", "inter_prov"),
                "message_kind": ("p2p", "sp"),
            },
        ),
        ("data", {"roaming": ("home", "inter_prov")}),
    ):
        cuts = [*tariffs.cuts(service), 86400]
        for values in product(*facts.values(), ("workday", "weekend"), pairwise(cuts)):
            *chosen, day_type, (start, end) = values
            cell = (
                dict.fromkeys(FACTS)
                | dict(zip(facts, chosen, strict=True))
                | {"service": service, "day_type": day_type, "slot_from": start, "slot_to": end}
            )
            found.append(SimpleNamespace(cell_id=1000 + len(found), **cell))
    return found


def hundred(documents, bundles: int = 0) -> catalogue.Catalogue:
    """A hundred packages: those of the configuration, and the same with other fees and pools.

    The last `bundles` of them are bundles of those before.
    """
    made = {}
    documents = {
        name: found for name, found in documents.items() if found.data.get("kind") in KINDS
    }
    for turn in range(PACKAGES):
        name, found = sorted(documents.items())[turn % len(documents)]
        data = copy.deepcopy(found.data)
        data["id"] = f"{name}_{turn // len(documents)}"
        data["monthly_fee"] = str(Decimal(data["monthly_fee"]) + 7 * (turn // len(documents)))
        for pool in data.get("pools") or []:
            pool["amount"] += 40 * (turn // len(documents))
        made[data["id"]] = Document(Path(f"{data['id']}.yml"), data, {})
    single = list(made.values())
    plain = [
        one for one in single if not one.data.get("tiers") and one.data["rounding"]["at"] != "event"
    ]
    by_kind = {
        kind: [
            one
            for one in plain
            if one.data["kind"] == kind and (kind == "voice" or not one.data.get("bands"))
        ]
        for kind in KINDS
    }
    for no in range(bundles):
        del made[single[-1 - no].data["id"]]
        parts = [by_kind[kind][no % len(by_kind[kind])].data for kind in KINDS]
        made[f"bundle_{no}"] = Document(Path(f"bundle_{no}.yml"), bundle(no, parts), {})
    return catalogue.load(made.values())


def bundle(no: int, parts: list[dict]) -> dict:
    """Packages of several kinds as one, a tenth cheaper by fee; the first one's bands and terms."""
    data = copy.deepcopy(parts[0]) | {"id": f"bundle_{no}", "pools": [], "rules": []}
    data |= {"services": [part["kind"] for part in parts], "caps": {}}
    for part in copy.deepcopy(parts):
        service = KIND_SERVICE[part["kind"]]
        for pool in part.get("pools") or []:
            pool["id"], pool["order"] = f"{service}_{pool['id']}", len(data["pools"]) + 1
            pool["covers"] = {**pool["covers"], "service": service}
            data["pools"].append(pool)
        for rule in part["rules"]:
            rule["pools"] = [f"{service}_{name}" for name in rule.get("pools") or []]
            data["rules"].append(rule)
        data["caps"] |= part.get("caps") or {}
    data["monthly_fee"] = str(sum(Decimal(part["monthly_fee"]) for part in parts) * 9 / 10)
    return {key: value for key, value in data.items() if key not in ("kind", "tiers")}


def write_cube(customers: int, cells: list, measures, folder: Path) -> None:
    """dw.usage_month of the size, in files of some thousand customers."""
    rng = np.random.default_rng(2009)
    depth = {service: sum(m.service == service for m in measures) for service in measure.SERVICES}
    depths = np.array([depth[cell.service] for cell in cells])
    sizes = np.array([{"voice": 60, "sms": 1, "data": 1024}[cell.service] for cell in cells])
    ids = np.array([cell.cell_id for cell in cells])
    for first in range(0, customers, PIECE):
        count = min(PIECE, customers - first)
        for month in MONTHS:
            used = rng.random((count, len(cells))) < SHARE_OF_CELLS
            _row, cell = np.nonzero(used)
            events = rng.geometric(0.12, len(cell))
            quantity = events * sizes[cell] * rng.integers(1, 5, len(cell))
            lists = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
            billed = np.repeat(quantity, depths[cell])
            offsets = np.concatenate([[0], np.cumsum(depths[cell])])
            zero = pa.array(np.zeros(len(cell), dtype=np.int64))
            entries = pa.StructArray.from_arrays(
                [
                    pa.array(ids[cell]),
                    pa.array(events),
                    pa.array(events),
                    pa.array(quantity),
                    pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(billed)),
                    zero,
                    zero,
                    zero,
                ],
                names=["cell_id", "events", "billed_events", "quantity", "billed", *FEES],
            )
            table = pa.table(
                {
                    "month": pa.array([month] * count, pa.date32()),
                    "subscriber_id": pa.array(np.arange(first, first + count) * 7919 + 13),
                    "joined": pa.nulls(count, pa.date32()),
                    "cells": pa.ListArray.from_arrays(pa.array(lists, pa.int32()), entries),
                }
            )
            part = folder / f"size={'124'[_part(first, customers)]}"
            part.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, part / f"{month}_{first}.parquet")


def _part(first: int, customers: int) -> int:
    """The first quarter of the customers, the second, and the other half."""
    return 0 if 4 * first < customers else 1 if 2 * first < customers else 2


def priced(packages, cells, measures) -> tuple[pa.Table, pa.Table]:
    """For DuckDB: what a base unit of each measure costs in each cell, and the monthly fees, as
    whole numbers over one denominator."""
    whole = lcm(*(money_limit.settling_denominator(package) for package in packages))
    rows = []
    for package in packages:
        for cell in cells:
            facts = {fact: getattr(cell, fact) for fact in FACTS}
            if cell.service in package.services:
                for charge in charges(package, facts)[0]:
                    for part, price in charge.prices.items():
                        units = Units(charge.segmentation, part)
                        no = register.measure_no(package, cell.service, units, measures)
                        rows.append(
                            (package.id, package.kind, cell.cell_id, no, int(price.rate * whole))
                        )
    names = "package_id", "kind", "cell_id", "no", "price"
    fees = {package.id: int(package.monthly_fee * whole) for package in packages}
    return (
        pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))),
        pa.table({"package_id": list(fees), "fee": list(fees.values())}),
    )


def by_duckdb(files: list[str], prices: pa.Table, fees: pa.Table) -> float:
    """Seconds of the join, the sums by customer, month and package, and the months of the best."""
    begun = time.monotonic()
    with duckdb.connect() as db:
        db.execute("SET threads = 2")
        db.register("prices", prices)
        db.register("fees", fees)
        db.execute(
            """
            WITH monthly AS MATERIALIZED (
                SELECT subscriber_id, month, kind, package_id, cost + fee AS cost
                FROM (SELECT subscriber_id, month, kind, package_id,
                             sum(cell.billed[no] * price) AS cost
                      FROM (SELECT subscriber_id, month, unnest(cells) AS cell
                            FROM read_parquet($files))
                      JOIN prices ON prices.cell_id = cell.cell_id
                      GROUP BY ALL) JOIN fees USING (package_id)),
            best AS (
                SELECT subscriber_id, package_id, kind, sum(cost) AS total FROM monthly
                GROUP BY subscriber_id, package_id, kind
                QUALIFY row_number() OVER (
                    PARTITION BY subscriber_id, kind ORDER BY total, package_id) <= $keep)
            SELECT count(*), sum(cost) FROM monthly JOIN best USING (subscriber_id, package_id)
        """,
            {"files": files, "keep": KEEP},
        ).fetchall()
    return time.monotonic() - begun


def with_bundles(documents, cube: Cube, people: DataFrame) -> DataFrame:
    """The same months with bundles among the packages; no cell and no measure is new."""
    tariffs = hundred(documents, BUNDLES)
    shortlist = Shortlist(list(tariffs.packages.values()), tuple(tariffs.packages), KEEP)
    return rating.evaluate_best(cube, list(tariffs.packages.values()), people, shortlist, "all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("customers", type=int)
    parser.add_argument("build", type=Path)
    args = parser.parse_args()
    folders = arguments.conf_folders(None)
    conf = configuration(folders).conf
    tariffs = hundred(conf.tariffs)
    packages = list(tariffs.packages.values())
    cells, measures = rating_cells(tariffs), register.measures_wanted((), tariffs)
    folder = args.build / "cube"
    begun = time.monotonic()
    write_cube(args.customers, cells, measures, folder)
    print(
        f"{args.customers:,} customers × {len(MONTHS)} months made in "
        f"{time.monotonic() - begun:.0f} s; {len(packages)} packages, {len(cells)} cells, "
        f"{len(measures)} measures"
    )
    shortlist = Shortlist(packages, tuple(tariffs.packages), KEEP)
    prices, fees = priced(packages, cells, measures)
    with spark_session(conf, folders) as spark:
        for size, parts in (
            (args.customers // 4, "1"),
            (args.customers // 2, "12"),
            (args.customers, "124"),
        ):
            files = [
                str(path)
                for part in parts
                for path in sorted((folder / f"size={part}").glob("*.parquet"))
            ]
            months = spark.read.parquet(*files)
            people = months.where(F.col("month") == MONTHS[0]).selectExpr(
                "subscriber_id", "'gotone' AS brand", "CAST(NULL AS ARRAY<STRING>) AS own"
            )
            cube = Cube(months.select("month", "subscriber_id", "joined"), months, cells, measures)
            kept = rating.evaluate_best(cube, packages, people, shortlist, "all")
            for _ in range(2 if parts == "1" else 1):  # the first time warms up
                with Watched() as cost:
                    kept.write.format("noop").mode("overwrite").save()
            rows = size * len(MONTHS) * len(packages)
            print(
                f"{size:>9,} customers: {cost.seconds:6.1f} s, "
                f"{cost.seconds / rows * 1e9:,.0f} ns per month and package, "
                f"{cost.most_gib:.2f} GiB"
            )
            if parts == "1":
                bundled = with_bundles(conf.tariffs, cube, people)
                with Watched() as other:
                    bundled.write.format("noop").mode("overwrite").save()
                print(
                    f"{'':>9} with {BUNDLES} bundles among the {PACKAGES}: {other.seconds:.1f} s, "
                    f"{other.seconds / cost.seconds:.2f} times as long (at most 1.3)"
                )
                theirs = by_duckdb(files, prices, fees)
                print(
                    f"{'':>9} DuckDB's join for them: {theirs:.1f} s, "
                    f"{theirs / cost.seconds:.1f} times as long"
                )
        with Watched() as written:
            kept.write.format("delta").save(str((args.build / "kept").resolve()))
        print(f"{'':>9} the same, evaluated and written as Delta: {written.seconds:.1f} s")
    million = cost.seconds / args.customers * 10**6
    print(
        f"a million customers would take {million:.0f} s (at most 90, goal 30); "
        f"most memory {cost.most_gib:.2f} GiB (at most 8)"
    )


if __name__ == "__main__":
    sys.exit(main())
