"""Checks of sources.yml: file columns, contract columns, codes, expressions, formats, limits."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from schemas.config.checks.value_checks import Names, repeated, template_problems, zone_problem
from schemas.config.mapping.expression import columns_of, is_plain
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

LINE = "_row"  # in an expression: the number of the line in its file


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
        yield from _limits(found, name, entry)
        yield from _several_records(found, name, entry)
        for at, one in _records(name, entry):
            yield from _expressions(found, at, one, entry["columns"])
            yield from _parts(found, at, one)
            yield from _coded(found, at, one)
            yield from _values(found, at, one, entry["columns"], contracts)
            if contracts is not None:
                yield from _record(found, at, one, contracts, sets)


def _records(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """Where it stands how rows become records of a table, and what it says, for each table."""
    if "records" not in entry:
        yield (name,), entry
    for position, one in enumerate(entry.get("records", ())):
        yield (name, "records", position), one


def _several_records(found: Document, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """A table that is fed twice, and parts of events of several usage tables."""
    several, first = list(_records(name, entry)), dict[str, Key]()
    for at, one in several:
        before = first.setdefault(one["record"], at)
        if before != at:
            yield found.problem(
                (*at, "record"),
                f"a source feeds a table once; {one['record']} is fed already, on line "
                f"{found.line((*before, 'record'))}",
            )
    usage = [(at, one) for at, one in several if one["record"] in PARTS]
    for at, one in usage if len(usage) > 1 else ():
        parts = one.get("parts", PARTS[one["record"]].default)
        if parts != "none":
            yield found.problem(
                (*at, "parts" if "parts" in one else "record"),
                f"expected parts: none, because the source feeds several tables of usage; "
                f"got {parts}",
            )


def _coded(found: Document, at: Key, entry: Mapping[str, Any]) -> Iterator[str]:
    """Codes without a list of the known ones, or of a column that nothing fills."""
    for column, codes in entry.get("codes", {}).items():
        if set(codes) == {OTHERWISE}:
            yield found.problem((*at, "codes", column, OTHERWISE), "list the known codes beside it")
        if column not in entry["mapping"]:
            yield found.problem(
                (*at, "codes", column),
                f"the mapping does not fill the column of these codes"
                f"{near_miss(column, entry['mapping'])}",
            )


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


def _expressions(
    found: Document, at: Key, entry: Mapping[str, Any], columns: Sequence[str]
) -> Iterator[str]:
    """Columns in `when`, `mapping`, `exclude` and `warn` that the file does not have."""
    known = {column.lower() for column in columns} | {LINE}
    expressions: list[tuple[Key, str]] = [((*at, "when"), entry["when"])] if "when" in entry else []
    for part in ("mapping", "exclude", "warn"):
        expressions += [((*at, part, key), sql) for key, sql in (entry.get(part) or {}).items()]
    for path, expression in expressions:
        try:
            read = columns_of(expression)
        except ValueError as error:
            yield found.problem(path, f"{error}: {expression}")
            continue
        for column in read:
            if column.lower() not in known:
                yield found.problem(
                    path, f"the file has no column '{column}'{near_miss(column, columns)}"
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


def _parts(found: Document, at: Key, entry: Mapping[str, Any]) -> Iterator[str]:
    """Parts of a record that has none, or without the number that they share."""
    parts, rule = entry.get("parts", "none"), PARTS.get(entry["record"], PartRule())
    if parts not in rule.modes:
        yield found.problem(
            (*at, "parts"),
            f"the records of {entry['record']} may be: {', '.join(rule.modes)}",
        )
    elif parts != "none" and rule.number not in entry["mapping"]:
        yield found.problem(
            (*at, "parts"),
            f"the mapping does not fill '{rule.number}', the number that the parts share",
        )


def _values(
    found: Document,
    at: Key,
    entry: Mapping[str, Any],
    files: Sequence[str],
    contracts: Mapping[str, Contract] | None,
) -> Iterator[str]:
    """What `absent`, `unreadable` and `rounding` say of columns for which it means nothing."""
    contract = (contracts or {}).get(entry["record"])
    mapping = entry["mapping"]
    for part in ("absent", "unreadable", "rounding"):
        for column, said in entry.get(part, {}).items():
            path = (*at, part, column)
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
    at: Key,
    entry: Mapping[str, Any],
    contracts: Mapping[str, Contract],
    sets: Mapping[str, Names],
) -> Iterator[str]:
    if entry["record"] not in contracts:
        tables = [table for table in contracts if table.startswith("ods.")]
        yield found.problem(
            (*at, "record"),
            f"no contract for '{entry['record']}'{near_miss(entry['record'], tables)}",
        )
        return
    contract = contracts[entry["record"]]
    free = [column for column in contract.column_names if column not in FILLED]
    for part in ("mapping", "codes"):
        for column in entry.get(part, {}):
            if column in FILLED and column in contract.column_names:
                yield found.problem(
                    (*at, part, column), "the ingest fills this column: leave it out"
                )
            elif column not in free:
                yield found.problem(
                    (*at, part, column),
                    f"{contract.table} has no column '{column}'{near_miss(column, free)}",
                )
    for column in contract.columns:
        if column.required and column.name in free and column.name not in entry["mapping"]:
            yield found.problem(
                (*at, "mapping"),
                f"the required column '{column.name}' of {contract.table} is missing",
            )
    for column, codes in entry.get("codes", {}).items():
        if column in free:
            yield from _codes(
                found, (*at, "codes", column), codes, contract.column(column).allowed, sets
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
