"""Checks of `push` of a channel: its columns and their facts, the form of its file, its texts."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.config.channel import (
    CSV,
    FACT_TABLES,
    FIXED,
    MESSAGE_COLUMNS,
    NEXT_DAY,
    PUSHED,
    XLSX,
    named_column,
)
from schemas.config.checks.value_checks import repeated, template_problems
from schemas.config.settings import Numbers
from schemas.contract import Contract
from schemas.contract.column import Column
from schemas.document import Document, Key
from schemas.document.violation import near_miss

PUSH_PLACEHOLDERS = ("data_date", "yyyymmdd", "yyyymm")
_OF_CSV = ("delimiter", "header", "neutralise_formulas")
_OF_TEXT = ("encoding", "line_end", "replace_with")
_ALWAYS = ("decision", "match")  # a pushed target has a row of these in any case


def problems(
    found: Document, channel: str, contracts: Mapping[str, Contract] | None, runtime: Document
) -> Iterator[str]:
    """One line per problem; without `contracts` no names of columns are checked."""
    push, path = found.data[channel]["push"], (channel, "push")
    columns = dict(named_column(one) for one in push["columns"])
    yield from template_problems(found, (*path, "file"), push["file"], PUSH_PLACEHOLDERS)
    names = [named_column(one)[0] for one in push["columns"]]
    yield from repeated(found, (*path, "columns"), names)
    yield from _form(found, path, push, names)
    yield from _replacement(found, path, push)
    yield from _test_targets(found, path, push, names, runtime)
    yield from _sink(found, (*path, "deliver_to"), push.get("deliver_to", {}))
    yield from _late(found, (*path, "deliver_to", "late"), push, names)
    if contracts is None:
        return
    table = f"push.{channel}"
    if table not in contracts:
        yield found.problem(path, f"a pushed channel needs the contract {table}")
        return
    yield from _filled(found, path, push, contracts[table], columns)
    for position, name in enumerate(names):
        at = (*path, "columns", position)
        if name not in contracts[table].column_names:
            hint = near_miss(name, contracts[table].column_names)
            yield found.problem(at, f"{table} has no column '{name}'{hint}")
        elif columns[name]:
            column = contracts[table].column(name)
            yield from _fact(found, at, table, column, columns[name], contracts)


def _form(found: Document, path: Key, push: Mapping[str, Any], names: list[str]) -> Iterator[str]:
    """Keys that the format of the file does not have, and columns without a width."""
    form = push.get("format", CSV)
    for key in _OF_CSV:
        if key in push and form != CSV:
            yield found.problem((*path, key), f"a {form} file has none: it is for {CSV} files")
    for key in _OF_TEXT:
        if key in push and form == XLSX:
            yield found.problem((*path, key), f"a {form} file has none: it is for files of text")
    widths = push.get("widths", {})
    if form != FIXED and widths:
        yield found.problem(
            (*path, "widths"), f"a {form} file has none: they are for {FIXED} files"
        )
    if form == FIXED:
        missing = [name for name in names if name not in widths]
        if missing:
            yield found.problem(
                path,
                f"a {FIXED} file needs the width of each column; {', '.join(missing)} has none",
            )
        for name in widths:
            if name not in names:
                yield found.problem(
                    (*path, "widths", name), f"no column of the file{near_miss(name, names)}"
                )


def _replacement(found: Document, path: Key, push: Mapping[str, Any]) -> Iterator[str]:
    """A character that stands for others and that the encoding lacks itself."""
    mark = push.get("replace_with", "?")
    try:
        mark.encode(push.get("encoding", "utf-8"))
    except UnicodeEncodeError:
        yield found.problem(
            (*path, "replace_with"), f"{push['encoding']} cannot hold it: write one like ?"
        )


def _sink(found: Document, path: Key, sink: Mapping[str, Any]) -> Iterator[str]:
    """A host has a user, and a folder of this machine has nothing of a host."""
    if "host" in sink and "user" not in sink:
        yield found.problem(path, "a host needs the key 'user'")
    for key in ("user", "port", "key_file", "known_hosts"):
        if key in sink and "host" not in sink:
            yield found.problem((*path, key), "only a sink with a 'host' has it")


def _late(found: Document, path: Key, push: Mapping[str, Any], names: list[str]) -> Iterator[str]:
    """A file that waits has a name of its own, and its messages name no day on which they go."""
    late = push.get("deliver_to", {}).get("late", {})
    if late.get("then") != NEXT_DAY:
        return
    if not any(f"{{{name}}}" in push["file"] for name in ("data_date", "yyyymmdd")):
        yield found.problem(
            (*path, "then"),
            "the file of the next night has the same name: write {yyyymmdd} into push.file",
        )
    if {"send_from", "send_to"} & set(names):
        yield found.problem(
            (*path, "then"),
            "the file says on which day its messages are sent (send_from, send_to), so it cannot "
            "wait a day: write deliver or drop",
        )


def _test_targets(
    found: Document, path: Key, push: Mapping[str, Any], names: list[str], runtime: Document
) -> Iterator[str]:
    """Numbers of staff are numbers of the country, and the file has a column for them."""
    national = runtime.data.get("numbers", {}).get("national", Numbers.national)
    for position, number in enumerate(push.get("test_targets", ())):
        at = (*path, "test_targets", position)
        try:
            right = re.fullmatch(national, number) is not None
        except re.error:  # told by the checks of runtime.yml
            return
        if not right:
            yield found.problem(at, f"no mobile number: expected one like {national}")
    if "test_targets" in push and "msisdn" not in names:
        yield found.problem(
            (*path, "test_targets"), "the file has no column msisdn: nobody could be reached by it"
        )


def _filled(
    found: Document,
    path: Key,
    push: Mapping[str, Any],
    contract: Contract,
    columns: Mapping[str, str],
) -> Iterator[str]:
    """Columns of the table that nothing fills, and those of a message where none is described."""
    for column in contract.column_names:
        if column not in PUSHED and not columns.get(column):
            yield found.problem(
                path,
                f"nothing fills the column '{column}' of {contract.table}: list it in `columns` "
                f"with its fact, like '{column}: subscriber.{column}'; the step push fills "
                f"{', '.join(PUSHED)}",
            )
        elif column in MESSAGE_COLUMNS and "message" not in push:
            yield found.problem(
                path,
                f"the column '{column}' of {contract.table} needs `message` with sender, part "
                "and max_parts",
            )


def _fact(
    found: Document,
    at: Key,
    table: str,
    column: Column,
    fact: str,
    contracts: Mapping[str, Contract],
) -> Iterator[str]:
    """A fact that no table has, or that the push table's column cannot hold as it is."""
    of, name = fact.split(".")
    here = f"{table}.{column.name}"
    if column.name in PUSHED:
        yield found.problem(at, f"the step push fills '{column.name}' itself: leave the fact out")
        return
    if of not in FACT_TABLES:
        yield found.problem(at, f"unknown fact '{fact}': {of} is none{near_miss(of, FACT_TABLES)}")
        return
    source = contracts[FACT_TABLES[of]]
    if name not in source.column_names:
        hint = near_miss(name, source.column_names)
        yield found.problem(at, f"unknown fact '{fact}': {source.table} has no '{name}'{hint}")
        return
    held = source.column(name)
    if held.data_type.is_nested:
        yield found.problem(at, f"{fact} is of type {held.type}, which no cell of a file can hold")
    elif held.type != column.type:
        yield found.problem(at, f"{fact} is of type {held.type}, {here} of type {column.type}")
    if held.personal != column.personal:
        yield found.problem(
            at,
            f"{fact} is personal data ({held.personal or 'none'}): the contract of {here} must "
            f"say the same; it says {column.personal or 'none'}",
        )
    if column.required and not (held.required and of in _ALWAYS):
        yield found.problem(at, f"{fact} may be missing: {here} cannot be required")
