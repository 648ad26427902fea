"""Checks of sources.yml: file columns, contract columns, codes, expressions, formats, limits."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from schemas.config.checks.value_checks import Names, repeated, template_problems, zone_problem
from schemas.config.expression import columns_of, is_plain
from schemas.config.source import ABSENT, OTHERWISE, PARTS, REJECT, PartRule
from schemas.contract import Contract
from schemas.contract.column import Column
from schemas.contract.column_type import INTEGERS
from schemas.document import Document, Key
from schemas.document.violation import near_miss

FILE_PLACEHOLDERS = ("source", "data_date", "yyyymmdd", "yyyymm")
# Columns that the ingest fills itself, so that no mapping may.
FILLED = ("source", "file_name", "row_no", "batch_date", "record_key", "local_date", "local_second")
# Keys of the format that each kind requires, and those that it also knows.
FORMAT_KEYS = {
    "delimited": (("delimiter",), ("quote", "header", "encoding", "compression", "multiline")),
    "fixed_width": (("widths",), ("encoding", "compression")),
    "json_lines": ((), ("compression",)),
    "parquet": ((), ()),
}
# Below these, a byte is never a part of a character of several bytes.
WHOLE_BYTES = {"utf-8": 0x80, "gb18030": 0x30}


def problems(
    found: Document, contracts: Mapping[str, Contract] | None, sets: Mapping[str, Names]
) -> Iterator[str]:
    """One line per problem. `sets`: the values of the sets that a contract may name."""
    for name, entry in found.data.items():
        if "timezone" in entry:
            yield from zone_problem(found, (name, "timezone"), entry["timezone"])
        yield from _files(found, name, entry["files"])
        yield from repeated(found, (name, "columns"), entry["columns"])
        yield from _format(found, name, entry)
        yield from _expressions(found, name, entry)
        yield from _limits(found, name, entry)
        yield from _parts(found, name, entry)
        for column, codes in entry.get("codes", {}).items():
            if set(codes) == {OTHERWISE}:
                yield found.problem(
                    (name, "codes", column, OTHERWISE), "list the known codes beside it"
                )
            if column not in entry["mapping"]:
                yield found.problem(
                    (name, "codes", column),
                    f"the mapping does not fill the column of these codes"
                    f"{near_miss(column, entry['mapping'])}",
                )
        yield from _values(found, name, entry, contracts)
        if contracts is not None:
            yield from _record(found, name, entry, contracts, sets)


def _files(found: Document, name: str, files: Mapping[str, Any]) -> Iterator[str]:
    path = (name, "files")
    for key in ("folder", "pattern", "control"):
        yield from template_problems(found, (*path, key), files.get(key) or "", FILE_PLACEHOLDERS)
    if files.get("control") and files.get("stable_s"):
        yield found.problem(
            (*path, "stable_s"),
            "the control file already shows when the delivery is complete: leave this key out",
        )
    yield from _band(found, (*path, "rows_band"), files.get("rows_band"))


def _band(found: Document, path: Key, band: Mapping[str, str] | None) -> Iterator[str]:
    if band and not 0 <= Decimal(band["low"]) <= 1 <= Decimal(band["high"]):
        yield found.problem(path, "expected 0 ≤ low ≤ 1 ≤ high, as shares of the usual rows")


def _format(found: Document, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Keys that the kind of format requires and lacks, or does not know."""
    form, path = entry["format"], (name, "format")
    kind = form.get("kind", "delimited")
    needed, other = FORMAT_KEYS[kind]
    for key in needed:
        if form.get(key) is None:
            yield found.problem(path, f"the key '{key}' is missing: {kind} needs it")
    for key in form:
        if key not in ("kind", *needed, *other):
            known = ", ".join(("kind", *needed, *other))
            yield found.problem((*path, key), f"{kind} has no '{key}'; known: {known}")
    if kind == "fixed_width" and len(form.get("widths") or ()) not in (0, len(entry["columns"])):
        yield found.problem(
            (*path, "widths"),
            f"expected a width for each of the {len(entry['columns'])} columns; "
            f"got {len(form['widths'])}",
        )
    if form.get("multiline") and kind == "delimited":
        yield from _multiline(found, (*path, "multiline"), form)


def _multiline(found: Document, path: Key, form: Mapping[str, Any]) -> Iterator[str]:
    """A quote is needed, and it must be a byte that is never a part of another character."""
    encoding, quote = form.get("encoding", "utf-8"), form.get("quote")
    if not quote:
        yield found.problem(path, "only a quoted field can hold line breaks: give the key 'quote'")
    elif quote == form.get("delimiter"):
        yield found.problem(path, "expected a quote that is not the delimiter")
    elif ord(quote) >= WHOLE_BYTES[encoding]:
        yield found.problem(
            path, f'expected a quote that is no part of other characters of {encoding}, such as "'
        )


def _expressions(found: Document, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Columns in `mapping`, `exclude` and `warn` that the file does not have."""
    known = {column.lower() for column in entry["columns"]}
    for part in ("mapping", "exclude", "warn"):
        for key, expression in (entry.get(part) or {}).items():
            path = (name, part, key)
            try:
                read = columns_of(expression)
            except ValueError as error:
                yield found.problem(path, f"{error}: {expression}")
                continue
            for column in read:
                if column.lower() not in known:
                    yield found.problem(
                        path,
                        f"the file has no column '{column}'{near_miss(column, entry['columns'])}",
                    )


def _limits(found: Document, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Limits of a delivery that contradict each other or are no shares."""
    for key in ("rejects", "references", "duplicates", "owners"):
        limits = entry.get(key)
        if limits and not 0 <= Decimal(limits["warn_share"]) <= Decimal(limits["stop_share"]) <= 1:
            yield found.problem((name, key), "expected 0 ≤ warn_share ≤ stop_share ≤ 1")
    yield from _band(found, (name, "volume_band"), entry.get("volume_band"))
    if not 0 <= Decimal(entry.get("late_share", "0")) <= 1:
        yield found.problem((name, "late_share"), "expected a share from 0 to 1")


def _parts(found: Document, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Parts of a record that has none, or without the number that they share."""
    parts, rule = entry.get("parts", "none"), PARTS.get(entry["record"], PartRule())
    if parts not in rule.modes:
        yield found.problem(
            (name, "parts"),
            f"the records of {entry['record']} may be: {', '.join(rule.modes)}",
        )
    elif parts != "none" and rule.number not in entry["mapping"]:
        yield found.problem(
            (name, "parts"),
            f"the mapping does not fill '{rule.number}', the number that the parts share",
        )


def _values(
    found: Document,
    name: str,
    entry: Mapping[str, Any],
    contracts: Mapping[str, Contract] | None,
) -> Iterator[str]:
    """What `absent`, `unreadable` and `rounding` say of columns for which it means nothing."""
    contract = (contracts or {}).get(entry["record"])
    files, mapping = entry["columns"], entry["mapping"]
    for part in ("absent", "unreadable", "rounding"):
        for column, said in entry.get(part, {}).items():
            path = (name, part, column)
            if column not in mapping:
                yield found.problem(
                    path, f"the mapping does not fill this column{near_miss(column, mapping)}"
                )
                continue
            try:
                read = columns_of(mapping[column], files)
            except ValueError:
                continue  # told of the mapping
            if contract is not None and column in contract.column_names:
                plain = is_plain(mapping[column], files)
                problem = _meaningless(part, said, contract.column(column), read, plain)
                if problem:
                    yield found.problem(path, problem)


def _meaningless(
    part: str, said: Any, column: Column, read: Sequence[str], plain: bool
) -> str | None:
    """Why an entry of such a part means nothing; None if it means something."""
    if part == "rounding":
        number = column.data_type.name == "decimal" or column.data_type.name in INTEGERS
        return None if number else f"only numbers are rounded, the column is of type {column.type}"
    if not read:
        return "the mapping reads no column of the file: leave it out"
    if column.required and said != REJECT:
        return "the column is required, so that a row without a value is rejected: leave it out"
    if part == "unreadable" and plain and column.type == "string":
        return "text is taken as it is, all of it is readable: leave it out"
    if part == "unreadable" and plain and said == ABSENT:
        return "the column is taken as it is, and empty only where the file is: leave it out"
    return None


def _record(
    found: Document,
    name: str,
    entry: Mapping[str, Any],
    contracts: Mapping[str, Contract],
    sets: Mapping[str, Names],
) -> Iterator[str]:
    if entry["record"] not in contracts:
        tables = [table for table in contracts if table.startswith("ods.")]
        yield found.problem(
            (name, "record"),
            f"no contract for '{entry['record']}'{near_miss(entry['record'], tables)}",
        )
        return
    contract = contracts[entry["record"]]
    free = [column for column in contract.column_names if column not in FILLED]
    for part in ("mapping", "codes"):
        for column in entry.get(part, {}):
            if column in FILLED and column in contract.column_names:
                yield found.problem(
                    (name, part, column), "the ingest fills this column: leave it out"
                )
            elif column not in free:
                yield found.problem(
                    (name, part, column),
                    f"{contract.table} has no column '{column}'{near_miss(column, free)}",
                )
    for column in contract.columns:
        if column.required and column.name in free and column.name not in entry["mapping"]:
            yield found.problem(
                (name, "mapping"),
                f"the required column '{column.name}' of {contract.table} is missing",
            )
    for column, codes in entry.get("codes", {}).items():
        if column in free:
            yield from _codes(
                found, (name, "codes", column), codes, contract.column(column).allowed, sets
            )


def _codes(
    found: Document,
    path: Key,
    codes: Mapping[str, Any],
    allowed: Sequence[str] | str | None,
    sets: Mapping[str, Names],
) -> Iterator[str]:
    names = sets[allowed] if isinstance(allowed, str) else Names(allowed or (), {})
    if OTHERWISE in codes and allowed is None:
        yield found.problem(
            (*path, OTHERWISE),
            "a code can be unknown only where the contract lists the allowed values: leave it out",
        )
    for code, value in codes.items():
        if allowed is not None and isinstance(value, str) and value not in names.known:
            yield found.problem(
                (*path, code), f"the contract does not allow '{value}'{names.hint(value)}"
            )
