"""A warehouse of a few tables, shared by the tests of this folder."""

import pytest
from pyspark.sql import types as T

from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.tables import Tables
from jobs.warehouse.warehouse import Warehouse
from schemas.render.spark import struct_type
from tests.given.rows import CONTRACTS, rows
from tests.given.warehouse_steps import TABLES


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("warehouse")


@pytest.fixture(scope="session")
def opened(spark, root, conf, contracts):
    """A new run over the shared warehouse."""

    def make(run_id="run"):
        ledger, judge = Ledger(run_id, conf.fingerprint), Judge(None, run_id)
        made = Warehouse(
            Tables(spark, str(root), contracts, run_id), contracts, conf, ledger, judge
        )
        made.open(TABLES)
        return made

    return make


@pytest.fixture(scope="session")
def wh(opened):
    """The run that most tests share: opening one reads the ledger, each step appends to it."""
    return opened()


@pytest.fixture(scope="session")
def frame(spark):
    """Rows of a table by its contract, but every column may be empty: some are to be refused.

    Not local relations: Spark would evaluate those while it plans, and not in a task.
    """

    def make(table, *changes):
        fields = struct_type(CONTRACTS[table])
        schema = T.StructType([T.StructField(one.name, one.dataType) for one in fields])
        return spark.createDataFrame(rows(table, *changes), schema)

    return make
