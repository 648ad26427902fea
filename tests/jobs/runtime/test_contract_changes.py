"""A table that cannot follow its contract stops a run before Spark starts, and says what helps."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import deltalake
import pyarrow as pa
import pytest

from jobs import night
from jobs.runtime import contract_changes
from jobs.warehouse.ledger import COMMITTED
from schemas.errors import ConfigError
from schemas.render import delta
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS

TYPES = {
    "string": pa.string(),
    "date": pa.date32(),
    "int": pa.int32(),
    "smallint": pa.int16(),
    "bigint": pa.int64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "decimal(18,2)": pa.decimal128(18, 2),
    "decimal(18,6)": pa.decimal128(18, 6),
}


def made(warehouse, contract, rows=()):
    """The contract's table, made without Spark: with its types and key, without its limits."""
    schema = pa.schema(
        [
            pa.field(
                one.name,
                TYPES[one.type],
                nullable=not one.required,
                metadata={"comment": one.name_cn},
            )
            for one in contract.columns
        ]
    )
    folder = warehouse.joinpath(*contract.table.split("."))
    deltalake.write_deltalake(
        str(folder),
        pa.Table.from_pylist(list(rows), schema),
        partition_by=list(contract.partition_by),
        description=delta.comment(contract),
    )
    log = folder / "_delta_log" / "00000000000000000000.json"  # delta-rs writes its own keys only
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    for one in lines:
        one.get("metaData", {})["configuration"] = delta.identity(contract)
    log.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def committed(warehouse, *slices):
    """A ledger of committed slices: table, source, slice."""
    now = datetime(2009, 5, 4, tzinfo=UTC)
    made(
        warehouse,
        CONTRACTS["ops.run_ledger"],
        [
            {
                "run_id": "R1",
                "step": "s",
                "source": source,
                "table": table,
                "slice": slice_,
                "state": COMMITTED,
                "committed_at": now,
                "config_fingerprint": "f",
            }
            for table, source, slice_ in slices
        ],
    )


def without(contract, *names):
    return replace(
        contract, columns=tuple(one for one in contract.columns if one.name not in names)
    )


def test_a_run_over_a_table_that_cannot_follow(tmp_path, capsys):
    web = CONTRACTS["push.web"]
    mood = replace(web.column("reason"), name="mood")
    made(tmp_path, without(replace(web, columns=(*web.columns, mood)), "picture"))
    committed(tmp_path, ("push.web", None, "2009-05-02"), ("push.web", None, "2009-05-03"))
    line = ["--data-date", "2009-05-03", "--conf", str(CONF), "--warehouse", str(tmp_path)]
    for more in ([], ["--dry-run"]):
        assert night.main([*line, "--landing", str(tmp_path / "none"), *more]) == 2
        assert capsys.readouterr().err == (
            "chudian: push.web: column 'mood': the table has it (string), the contract does not\n"
            "push.web: column 'picture': the table lacks it, the contract requires a value in "
            "every row; a new column must be optional\n"
            f"  put the contract of push.web back as it was, or move {tmp_path}/push/web away and "
            "run: python -m jobs.night --data-date 2009-05-03 --only push\n"
        )


@pytest.mark.parametrize(
    ("table", "slices", "advice"),
    [
        (
            "dw.contact_view",
            [("dw.contact_view", None, "2009-05-02"), ("dw.contact_view", None, "2009-05-03")],
            "run: python -m jobs.night --data-date 2009-05-03 --only contact_view",
        ),
        (
            "ods.customer",
            [
                ("ods.customer", "customer", "2009-05-01"),
                ("ods.customer", "customer", "2009-05-03"),
            ],
            "run: python -m jobs.night --from-date 2009-05-01 --to-date 2009-05-03 "
            "--only ingest.customer",
        ),
        (
            "dw.usage_month",
            [("dw.usage_month", None, "2009-04-01"), ("ods.customer", "customer", "2009-05-03")],
            "run: python -m jobs.night --from-date 2009-04-01 --to-date 2009-05-03 "
            "--only usage_month",
        ),
        ("dw.contact_view", [], "run: the next night"),
        ("dw.rating_measure", [], "no run can write the rows again that are in the table"),
    ],
    ids=["snapshots", "deliveries", "months", "an empty table", "an append-only table"],
)
def test_what_helps(tmp_path, conf, table, slices, advice):
    changed = replace(CONTRACTS[table], key=CONTRACTS[table].key[:-1])
    column = CONTRACTS[table].columns[0]
    made(tmp_path, replace(changed, columns=(column,), partition_by=()))
    committed(tmp_path, *slices)
    with pytest.raises(ConfigError) as raised:
        contract_changes.require_fit(str(tmp_path), conf, CONTRACTS, [table])
    assert str(raised.value).splitlines()[-1].endswith(advice)


def test_an_optional_column_and_a_limit_are_followed(tmp_path, conf):
    made(tmp_path, without(CONTRACTS["dw.contact_view"], "first_contact_at"))
    changes = contract_changes.require_fit(str(tmp_path), conf, CONTRACTS, ["dw.contact_view"])
    assert changes["dw.contact_view"].startswith("first_contact_at added; contacts_range added; ")


def test_a_warehouse_without_tables(tmp_path, conf):
    assert contract_changes.require_fit(str(tmp_path), conf, CONTRACTS, CONTRACTS) == {}
