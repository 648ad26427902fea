"""The assignment of a night, part by part, beside simpler ways over the same options.

A night is so many customers × eight channels: with values of their own; then with two hundred
branches too; then with values that tie (segment × channel, in half yuan). `--growth` adds four
times as many customers. The rows of mart.decision are those of all options. If OR-tools is
installed, its PDLP solves the first night's linear program.
"""

import argparse
import os
import shutil
import sys
import time
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy import sparse

from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration
from models.assignment.assign import planned
from models.assignment.choices import choices, uses_of
from models.assignment.fates import fates
from models.assignment.options import Options, options_of
from models.assignment.prices import exact_sum
from models.assignment.resource import Resource
from models.assignment.rivals import OPTIMAL, RIVALS
from models.contact_policy.compiled import Compiled, compiled
from models.decision import ledger
from models.decision.contest import OPEN
from tests.bench.watched import Watched, processor_seconds

CHANNELS, BRANCHES, SEGMENTS, PIECE = 8, 200, 5, 100_000
PLACES_A_CUSTOMER = 0.6
PDLP_SECONDS = 600
DAY = date(2009, 5, 3)
ROOM = "array<struct<cap:string,left:int,opens_at:timestamp>>"


def write_options(customers: int, branches: int, folder: Path, *, ties: bool) -> list[Resource]:
    """A row per option, in files of some customers; the resources of the night come back."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(2009)
    share = rng.dirichlet(np.full(CHANNELS, 2.0))
    weights = rng.dirichlet(np.full(max(branches, 1), 3.0))
    by_segment = rng.integers(2, 60, (SEGMENTS, CHANNELS)) / 2
    names = pa.array(
        [*(f"channel_{i}" for i in range(CHANNELS)), *map(branch_name, range(branches))]
    )
    for first in range(0, customers, PIECE):
        count = min(PIECE, customers - first)
        if ties:
            value = by_segment[rng.integers(0, SEGMENTS, count)]
        else:
            value = rng.gamma(2, 3, (count, 1)) * rng.uniform(0.3, 1.5, (count, CHANNELS)) - 2
        channel = np.tile(np.arange(CHANNELS), count)
        at_hall = (channel == 0) & (branches > 0)
        second = CHANNELS + np.repeat(rng.integers(0, max(branches, 1), count), CHANNELS)
        used = np.column_stack([channel, second])[np.column_stack([channel >= 0, at_hall])]
        ends = np.concatenate([[0], np.cumsum(1 + at_hall)])
        uses = pa.ListArray.from_arrays(
            pa.array(ends, pa.int32()),
            pa.StructArray.from_arrays(
                [names.take(pa.array(used)), pa.array(np.ones(len(used), dtype=np.int64))],
                names=["resource", "units"],
            ),
        )
        table = pa.table(
            {
                "customer_id": np.repeat(np.arange(first, first + count), CHANNELS),
                "way": pa.array(["intrusive"]).take(pa.array(np.zeros(len(channel), int))),
                "option_id": pa.array(
                    [f"spring|gotone_58|{name}|1" for name in names[:CHANNELS]]
                ).take(pa.array(channel)),
                "value": pa.array(np.rint(value.ravel() * 1e6).astype(np.int64)),
                "uses": uses,
                "slots": np.ones(len(channel), dtype=np.int32),
                "preference": rng.permuted(
                    np.tile(np.arange(CHANNELS, dtype=np.int16), (count, 1)), axis=1
                ).ravel(),
                "sticky": rng.random(len(channel)) < 0.05,
            }
        )
        pq.write_table(table, folder / f"{first:09}.parquet")
    room = PLACES_A_CUSTOMER * customers
    return [Resource(f"channel_{i}", int(room * share[i]), "contacts") for i in range(CHANNELS)] + [
        Resource(branch_name(i), int(0.9 * room * share[0] * weights[i]), "contacts")
        for i in range(branches)
    ]


def branch_name(number: int) -> str:
    return f"branch_{number:03}"


def timed(what: str, work, *args):
    begun, busy = time.monotonic(), processor_seconds(os.getpid())
    made = work(*args)
    print(
        f"  {what:<34} {time.monotonic() - begun:7.1f} s "
        f"({processor_seconds(os.getpid()) - busy} s of processors)"
    )
    return made


def night(
    spark: SparkSession, title: str, folder: Path, resources: list[Resource], policy: Compiled
) -> Options:
    """Times each part of a night, and says how near to the bound ours and the rivals come."""
    print(f"{title}, {len(resources)} resources")
    rows = spark.read.parquet(str(folder)).selectExpr(
        "customer_id",
        "way",
        "option_id",
        "CAST(value / 1000000 AS DECIMAL(18,6)) AS value",
        "uses",
        "slots",
        "preference",
        "sticky",
        "FALSE AS unlucky",
    )
    with Watched() as cost:
        kept = timed("one row per customer", choices(rows).localCheckpoint)
        begun = time.monotonic()
        options, _ = timed("arrays on the driver", options_of, kept, uses_of(rows), resources, 0)
        plan = timed("prices, plan, bound, unit values", planned, options)
        written = fates(kept, plan.admission, plan.per_unit, 0)
        timed("fates", written.write.format("noop").mode("overwrite").save)
        ours = time.monotonic() - begun
        names = [one.name for one in resources]
        prices = {
            name: Decimal(round(float(price))).scaleb(-6)
            for name, price in zip(names, plan.per_unit, strict=True)
        }
        decisions = ledger.decided(
            contested(rows),
            written,
            prices=prices,
            policy=policy,
            stay_bonus=Decimal(0),
            explored=Decimal("0.015"),
            rule=OPTIMAL,
            data_date=DAY,
        )
        told = f"mart.decision, {rows.count():,} rows"
        timed(told, decisions.write.format("noop").mode("overwrite").save)
    primal = exact_sum(options.worth[plan.admission.taken])
    print(
        f"  assigned {ours:.1f} s after the rows; {primal / 1e6:,.2f} yuan of at most "
        f"{plan.bound / 1e6:,.2f}: gap {1 - primal / plan.bound:.5%}; "
        f"most memory {cost.most_gib:.2f} GiB"
    )
    reduced = options.worth - options.kinds.prices(plan.per_unit)[options.kind]
    for name, rival in RIVALS.items():
        theirs = timed(name, rival, options, reduced)
        value = exact_sum(options.worth[theirs.taken])
        print(f"  {'':<34} {1 - value / plan.bound:7.3%} below the bound")
    return options


def contested(rows: DataFrame) -> DataFrame:
    """The options as models.decision.contest hands them over; no rule speaks against one."""
    told = F.split("option_id", r"\|")
    amount = "decimal(18,6)"
    return rows.select(
        "customer_id",
        F.col("customer_id").alias("subscriber_id"),
        "option_id",
        *(
            told[place].alias(name)
            for place, name in enumerate(("campaign_id", "offer", "channel"))
        ),
        told[3].cast("int").alias("wave"),
        "way",
        F.col("way").alias("contact_way"),
        "value",
        "uses",
        "sticky",
        F.lit(OPEN).alias("side"),
        *(F.lit(False).alias(name) for name in ("beaten", "explored")),
        F.lit(1).alias("choices"),
        F.array().cast("array<string>").alias("reasons"),
        F.array().cast(ROOM).alias("room"),
        F.col("preference").alias("preference_rank"),
        F.col("preference").alias("place"),
        F.lit(Decimal("0.02")).cast(amount).alias("acceptance"),
        *(
            F.lit(Decimal(1)).cast(amount).alias(name)
            for name in ("saving_value", "margin", "preference_value", "cost")
        ),
    )


def by_pdlp(options: Options) -> None:
    """The linear program of the options, by OR-tools' first-order method."""
    if find_spec("ortools") is None:
        print("  OR-tools is not installed: no comparison with PDLP")
        return
    from ortools.pdlp import solvers_pb2
    from ortools.pdlp.python import pdlp

    columns = np.arange(len(options))
    by_chooser = sparse.csc_array(
        (np.ones(len(options)), (options.chooser, columns)), (options.choosers, len(options))
    )
    by_resource = options.kinds.matrix[options.kind].T
    program = pdlp.QuadraticProgram()
    program.objective_vector = -options.worth / 1e6
    program.constraint_matrix = sparse.csc_matrix(sparse.vstack([by_chooser, by_resource]))
    program.constraint_lower_bounds = np.full(program.constraint_matrix.shape[0], -np.inf)
    program.constraint_upper_bounds = np.concatenate([options.slots, options.kinds.capacity])
    program.variable_lower_bounds = np.zeros(len(options))
    program.variable_upper_bounds = np.ones(len(options))
    params = solvers_pb2.PrimalDualHybridGradientParams()
    optimality = params.termination_criteria.simple_optimality_criteria
    optimality.eps_optimal_relative, optimality.eps_optimal_absolute = 1e-5, 0.0
    params.termination_criteria.time_sec_limit = PDLP_SECONDS
    params.num_threads = 2
    found = timed("OR-tools PDLP, shares only", pdlp.primal_dual_hybrid_gradient, program, params)
    print(f"  {'':<34} {found.primal_solution @ options.worth / 1e6:,.2f} yuan, within 1e-5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("customers", type=int)
    parser.add_argument("build", type=Path)
    parser.add_argument("--growth", action="store_true", help="four times as many customers too")
    args = parser.parse_args()
    folders = arguments.conf_folders(None)
    nights = [
        ("values of their own", args.customers, 0, False),
        ("values of their own", args.customers, BRANCHES, False),
        ("values that tie", args.customers, BRANCHES, True),
    ]
    if args.growth:
        nights.append(("values of their own", 4 * args.customers, 0, False))
    conf = configuration(folders).conf
    policy = compiled(conf.policy.contacts, conf.channels)
    with spark_session(conf, folders) as spark:
        for number, (title, customers, branches, ties) in enumerate(nights):
            folder = (args.build / "options").resolve()
            resources = write_options(customers, branches, folder, ties=ties)
            options = night(spark, f"{customers:,} customers, {title}", folder, resources, policy)
            if number == 0:
                by_pdlp(options)
    print(
        "goals for a million: 8 resources 20 s and .01 %; 208 resources 120 s and .05 %, "
        "with ties .1 %"
    )


if __name__ == "__main__":
    sys.exit(main())
