"""Delta rendering of a contract: the statement that creates its table."""

from collections.abc import Mapping

from schemas.contract import Contract
from schemas.contract.rule import quoted_name, quoted_text, requirements
from schemas.currency import YUAN

READER_VERSION = 1  # what delta-rs, DuckDB and Polars open without any table feature
WRITER_VERSION = 3  # the first one with CHECK constraints
CURRENCY = "chudian.currency"


def create_table_sql(contract: Contract, location: str) -> str:
    """The statement that creates the contract's table at `location` unless one exists.

    NOT NULL and CHECK are the last lock behind the row rules. The constraints are written as table
    properties, because each ALTER TABLE would cost a commit.
    """
    columns = ",\n  ".join(
        f"{quoted_name(column.name)} {column.type}{' NOT NULL' if column.required else ''}"
        f" COMMENT {quoted_text(column.name_cn)}"
        for column in contract.columns
    )
    lines = [
        f"CREATE TABLE IF NOT EXISTS delta.{quoted_name(str(location))} (\n  {columns}\n)",
        "USING DELTA",
    ]
    if contract.partition_by:
        lines.append(f"PARTITIONED BY ({', '.join(map(quoted_name, contract.partition_by))})")
    lines.append(f"COMMENT {quoted_text(comment(contract))}")
    listed = ",\n  ".join(
        f"{quoted_text(name)} = {quoted_text(text)}" for name, text in properties(contract).items()
    )
    lines.append(f"TBLPROPERTIES (\n  {listed}\n)")
    return "\n".join(lines)


def comment(contract: Contract) -> str:
    """What the table is, in words."""
    return f"{contract.name_cn}: {contract.grain}"


def identity(contract: Contract) -> dict[str, str]:
    """What the rows of a table are told apart by: no table can follow a change of it."""
    return {"chudian.key": ",".join(contract.key), "chudian.slice": contract.slice or "none"}


def currency_of(properties: Mapping[str, str]) -> str:
    """The code of the currency of a table's amounts; a table in yuan does not name it."""
    return properties.get(CURRENCY, YUAN.code)


def properties(contract: Contract) -> dict[str, str]:
    """The table's properties: protocol, statistics, the contract's version and constraints."""
    found = {
        "delta.minReaderVersion": str(READER_VERSION),
        "delta.minWriterVersion": str(WRITER_VERSION),
        "delta.enableDeletionVectors": "false",
        **identity(contract),
        **{f"chudian.{key}": text for key, text in contract.currency.noted.items()},
        "chudian.contract": contract.version,
    }
    measured = _measured(contract)
    if measured:
        found["delta.dataSkippingStatsColumns"] = ",".join(measured)
    found.update((f"delta.constraints.{name}", text) for name, text in checks(contract).items())
    return found


def checks(contract: Contract) -> dict[str, str]:
    """CHECK predicates by name; true for a missing value, because NOT NULL covers `required`.

    Configured sets get no predicate, because a table outlives its configuration.
    """
    return {name: predicate for name, (_, predicate) in checks_by_column(contract).items()}


def checks_by_column(contract: Contract) -> dict[str, tuple[str, str]]:
    """By name of the CHECK its column and its predicate."""
    return {
        f"{one.column}_{one.code}": (
            one.column,
            f"{quoted_name(one.column)} IS NULL OR ({one.holds})",
        )
        for one in requirements(contract.columns)
        if one.code != "required"
    }


def _measured(contract: Contract) -> list[str]:
    """Columns whose statistics let a read skip files; statistics of others would be dead weight.

    Personal columns get none: their values would remain in the table's log, which VACUUM does not
    clean.
    """
    wanted = dict.fromkeys((*contract.sort_by, *contract.key))
    return [
        name
        for name in wanted
        if name not in contract.partition_by
        and contract.column(name).personal is None
        and contract.column(name).data_type.name != "boolean"
    ]
