"""Delta tables of a few rows as contracts say, made without Spark."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import deltalake
import pyarrow as pa

from jobs.warehouse.ledger import COMMITTED
from schemas.contract import Contract
from schemas.contract.column_type import ColumnType
from schemas.render import delta
from tests.given.rows import CONTRACTS

LEDGER = "ops.run_ledger"
SIMPLE = {
    "string": pa.string(),
    "date": pa.date32(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_type(kind: ColumnType) -> pa.DataType:
    """The type of a contract's column in Arrow."""
    if kind.name == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    if kind.element is not None:
        return pa.list_(arrow_type(kind.element))
    if kind.fields:
        return pa.struct([(name, arrow_type(one)) for name, one in kind.fields])
    return SIMPLE[kind.name]


def arrow_rows(contract: Contract, rows: Iterable[Mapping]) -> pa.Table:
    """Rows with the columns and types of a contract."""
    fields = [
        pa.field(
            one.name,
            arrow_type(one.data_type),
            nullable=not one.required,
            metadata={"comment": one.name_cn},
        )
        for one in contract.columns
    ]
    return pa.Table.from_pylist(list(rows), pa.schema(fields))


def made(warehouse: Path, contract: Contract, rows: Iterable[Mapping] = ()) -> None:
    """The contract's table in its version 0: with its types and key, without its limits."""
    folder = warehouse.joinpath(*contract.table.split("."))
    deltalake.write_deltalake(
        str(folder),
        arrow_rows(contract, rows),
        partition_by=list(contract.partition_by),
        description=delta.comment(contract),
    )
    noted = {f"chudian.{key}": text for key, text in contract.currency.noted.items()}
    properties = delta.identity(contract) | noted
    log = folder / "_delta_log" / "00000000000000000000.json"  # delta-rs writes its own keys only
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    for one in lines:
        one.get("metaData", {})["configuration"] = properties
    log.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def appended(warehouse: Path, contract: Contract, rows: Iterable[Mapping], run: str) -> None:
    """The next version of a table, with more rows, written by a run; new columns are added."""
    deltalake.write_deltalake(
        str(warehouse.joinpath(*contract.table.split("."))),
        arrow_rows(contract, rows),
        mode="append",
        schema_mode="merge",
        commit_properties=deltalake.CommitProperties(custom_metadata={"userMetadata": run}),
    )


def committed(warehouse: Path, *slices: tuple, version: int = 0) -> None:
    """A ledger of committed slices: table, source, slice. `version`: of their tables then."""
    row = {
        "run_id": "R1",
        "step": "s",
        "state": COMMITTED,
        "committed_at": datetime(2009, 5, 4, tzinfo=UTC),
        "config_fingerprint": "f",
        "output_version": version,
    }
    made(
        warehouse,
        CONTRACTS[LEDGER],
        [
            {**row, "source": source, "table": table, "slice": slice_}
            for table, source, slice_ in slices
        ],
    )
