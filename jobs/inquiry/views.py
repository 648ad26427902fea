"""The analysts' views of conf/views: read, overlaid, and checked against the contracts.

A view is a file `views/<name>.sql` with one query. Its first three lines are comments that begin
with `name_cn:`, `name:` and `answers:`. A later configuration folder replaces the file of the same
name; an empty file takes the view away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.inquiry import database
from schemas import document
from schemas.contract import Contract
from schemas.contract.column import Column
from schemas.document.violation import near_miss
from schemas.errors import ConfigError
from schemas.render.database import column_comment, comment, name, rows_sql, table_name, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEAD = ("name_cn", "name", "answers")
NAME = re.compile("[a-z][a-z0-9_]{0,62}")
LINE = re.compile(r"\n*^LINE ([0-9]+):.*", re.DOTALL | re.MULTILINE)
KIND = re.compile(r"^[A-Za-z ]+ Error: ")
QUOTED = re.compile(r'"([^"]+)"')


@dataclass(frozen=True)
class View:
    """A query with its names, and the question that it answers. `file` is for messages."""

    name: str
    file: str
    sql: str
    name_cn: str
    name_en: str
    answers: str

    @property
    def comment(self) -> str:
        return f"{self.name_cn} {self.name_en}: {self.answers}"


def read(folders: Sequence[Path]) -> dict[str, View]:
    """The views of the folders by name; ConfigError with one line for each problem."""
    files: dict[str, Path] = {}
    problems: list[str] = []
    for folder in folders:
        for path in sorted((folder / "views").glob("*")):
            shown = document.shown(path)
            if path.suffix != ".sql" or not NAME.fullmatch(path.stem):
                problems.append(
                    f"{shown}: unknown file: a view is <name>.sql, with small letters, digits and _"
                )
            elif _content(path).strip():
                files[path.stem] = path
            elif files.pop(path.stem, None) is None:
                problems.append(
                    f"{shown}: an empty file takes '{path.stem}' away, and no folder before has it"
                    f"{near_miss(path.stem, files)}"
                )
    views = {}
    for one in sorted(files):
        try:
            views[one] = _view(files[one])
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return views


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{document.shown(path)}: this file cannot be read as UTF-8") from None


def _view(path: Path) -> View:
    """A view, from the comments at the head of its file."""
    shown, content = document.shown(path), _content(path)
    lines = content.splitlines()
    head = {}
    for place, key in enumerate(HEAD):
        line = lines[place] if place < len(lines) else ""
        begins, _, words = line.partition(f"-- {key}:")
        if begins or not words.strip():
            raise ConfigError(
                f"{shown}:{place + 1}: expected '-- {key}: …'; a view begins with the comments "
                f"{', '.join(HEAD)}"
            )
        head[key] = words.strip()
    return View(path.stem, shown, content, head["name_cn"], head["name"], head["answers"])


def public(contract: Contract) -> tuple[Column, ...]:
    """The columns that analysts get: none of a restricted table, and none that is personal."""
    if contract.restricted:
        return ()
    return tuple(one for one in contract.columns if not one.personal)


def require_sound(views: Mapping[str, View], contracts: Mapping[str, Contract]) -> None:
    """ConfigError for views that name what the contracts do not have, with file and line."""
    with database.connected() as db:
        for contract in contracts.values():
            if columns := public(contract):
                create_table(db, contract, rows_sql(contract, columns, [], ()))
        create_views(db, views, contracts)


def create_table(db: DuckDBPyConnection, contract: Contract, query: str) -> None:
    """A view `<layer>.<table>` of a query."""
    db.execute(f"CREATE SCHEMA IF NOT EXISTS {name(contract.layer)}")
    db.execute(f"CREATE VIEW {table_name(contract.table)} AS {query}")


def describe_table(db: DuckDBPyConnection, contract: Contract) -> None:
    """The comments of the contract, for its view and the columns of it."""
    table = table_name(contract.table)
    db.execute(f"COMMENT ON VIEW {table} IS {text(comment(contract))}")
    for one in public(contract):
        column = f"{table}.{name(one.name)}"
        db.execute(f"COMMENT ON COLUMN {column} IS {text(column_comment(one))}")


def create_views(
    db: DuckDBPyConnection, views: Mapping[str, View], contracts: Mapping[str, Contract]
) -> None:
    """The views, those that others read first; ConfigError with one line for each that fails."""
    waiting = dict(views)
    while waiting:
        failed = {one.name: problem for one in waiting.values() if (problem := _create(db, one))}
        if len(failed) == len(waiting):
            raise ConfigError(
                "\n".join(_problem(views[one], said, contracts) for one, said in failed.items())
            )
        waiting = {one: views[one] for one in failed}


def _create(db: DuckDBPyConnection, view: View) -> str:
    """Create a view; what DuckDB says against it, or nothing."""
    import duckdb

    try:
        statements = duckdb.extract_statements(view.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            return "a view is one query: one SELECT, and nothing after it"
        db.execute(f"CREATE VIEW {name(view.name)} AS {view.sql}")  # its lines keep their numbers
    except duckdb.Error as error:
        return str(error)
    db.execute(f"COMMENT ON VIEW {name(view.name)} IS {text(view.comment)}")
    return ""


def _problem(view: View, said: str, contracts: Mapping[str, Contract]) -> str:
    """What DuckDB said as one line: file, line, the fault, and what is there instead."""
    at = LINE.search(said)
    place = f":{at[1]}" if at else ""
    words = " ".join(KIND.sub("", LINE.sub("", said)).split())
    return f"{view.file}{place}: {words}{''.join(_hints(words, view, contracts))}"


def _hints(words: str, view: View, contracts: Mapping[str, Contract]) -> Iterator[str]:
    """Why analysts do not get something that a contract has."""
    for word in QUOTED.findall(words)[:1]:
        if word in contracts and contracts[word].restricted:
            yield f"; {word} is restricted: analysts do not get it"
        holds = [
            one.table
            for one in contracts.values()
            if one.table in view.sql
            and any(column.name == word and column.personal for column in one.columns)
        ]
        if holds:
            yield f"; {word} is personal in {', '.join(holds)}: analysts do not get it"
