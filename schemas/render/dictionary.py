"""The data dictionary: one Markdown text with a chapter per layer and domain."""

from collections.abc import Iterable, Mapping

from schemas.contract import LAYERS, Contract
from schemas.contract.column import Column
from schemas.contract.rule import requirements

_LAYER_TEXTS = {
    "ods": "delivered records, conformed",
    "dw": "details and roll-ups",
    "mart": "results",
    "push": "rows of the channel files",
    "ops": "run ledger, rejected records, quality results, deliveries of files, erasures",
}
_HEAD = (
    "column",
    "名称",
    "type",
    "unit",
    "required",
    "values",
    "personal",
    "description",
    "example",
)


def markdown(contracts: Mapping[str, Contract]) -> str:
    """A chapter per layer and domain: a list of its tables, then each with its columns.

    A layer without domains (push, ops) has its tables directly below it.
    """
    lines = ["# Data dictionary 数据字典", ""]
    for layer in LAYERS:
        tables = [one for one in contracts.values() if one.layer == layer]
        if tables:
            lines += [f"## {layer}: {_LAYER_TEXTS[layer]}", ""]
        for domain in sorted({one.domain for one in tables}):
            if domain:
                lines += [f"### {layer}/{domain}", ""]
            lines += _chapter([one for one in tables if one.domain == domain])
    return "\n".join(lines).rstrip("\n") + "\n"


def _chapter(contracts: list[Contract]) -> list[str]:
    lines = _table(
        ("table", "名称", "one row is"),
        [(f"`{one.table}`", one.name_cn, one.grain) for one in contracts],
    )
    for one in contracts:
        lines += _section(one)
    return lines


def _section(contract: Contract) -> list[str]:
    kept = "forever" if contract.retention_days is None else f"{contract.retention_days} days"
    if contract.kept_longer is not None:
        kept += f", {contract.kept_longer}"
    facts = [
        f"- one row is: {contract.grain}",
        f"- key: {_names(contract.key)}",
        f"- slice: {f'`{contract.slice}`' if contract.slice else 'none, rows are only appended'}",
    ]
    if contract.partition_by:
        facts.append(f"- partitions: {_names(contract.partition_by)}")
    if contract.sort_by:
        facts.append(f"- sorted within a partition by: {_names(contract.sort_by)}")
    facts.append(f"- kept: {kept}")
    if contract.restricted:
        facts.append("- restricted: raw or directly identifying, not for analysts")
    return [
        f"{'####' if contract.domain else '###'} {contract.table} {contract.name_cn}",
        "",
        contract.description,
        "",
        *facts,
        "",
        *_table(_HEAD, [_column(one) for one in contract.columns]),
    ]


def _column(column: Column) -> tuple[str, ...]:
    description = column.description
    if column.references:
        description += f" → `{column.references}`"
    return (
        f"`{column.name}`",
        column.name_cn,
        f"`{column.type}`",
        column.unit or "",
        "yes" if column.required else "",
        _values(column),
        column.personal or "",
        description,
        _example(column),
    )


def _values(column: Column) -> str:
    words = [one.expected for one in requirements([column]) if one.code != "required"]
    if isinstance(column.allowed, str):
        words.insert(0, f"configured {column.allowed}")
    return "; ".join(words)


def _example(column: Column) -> str:
    example = column.example
    if example is None or column.data_type.is_nested:
        return ""
    return str(example).lower() if isinstance(example, bool) else str(example)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    ] + [""]
