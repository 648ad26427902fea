"""YAML documents that know the file and line of each value, and the check of their shape.

Every problem is one line `file:line: path: what, expected, what to do`, so that the author of the
file finds the place without reading a stack. The reader is stricter than YAML 1.1:

- keys are always text (`on:`, `010:` and `1:` remain as written) and unique within their map;
- only `true` and `false` are booleans; `08:00` and `0600` are text;
- a number with a point becomes `decimal.Decimal`: money never passes through a binary float;
- a date becomes `datetime.date`; an impossible one (2009-02-30) is refused with its line.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from schemas.document.violation import Key, Validator, explained
from schemas.errors import ConfigError

_TAG = "tag:yaml.org,2002:"
if TYPE_CHECKING:
    _BaseLoader = yaml.SafeLoader
else:  # the one in C, much faster, if PyYAML was built with libyaml
    _BaseLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place(NamedTuple):
    """A line of a file, counted from 1."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}"


class Document:
    """Plain Python values of one YAML file (or of several, overlaid) and the place of each.

    A path is a tuple of map keys and list positions. The place of a map entry is that of its key.
    `removed`: what an overlay took away, with the place that did so.
    """

    def __init__(
        self,
        path: Path,
        data: Any,
        places: Mapping[Key, Place],
        removed: Mapping[Key, Place] | None = None,
    ) -> None:
        self.path = path
        self.data = data
        self.places = dict(places)
        self.removed = dict(removed or {})

    def place(self, path: Key = ()) -> Place:
        """The place of `path`; for a missing path, the place of the nearest map above it."""
        path = tuple(path)
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.path, 1))

    def line(self, path: Key = ()) -> int:
        return self.place(path).line

    def problem(self, path: Key, text: str) -> str:
        """One line for the user: file, line, path and what is wrong."""
        name = dotted(path)
        return f"{self.place(path)}: {name}: {text}" if name else f"{self.place(path)}: {text}"

    def error(self, path: Key, text: str) -> ConfigError:
        return ConfigError(self.problem(path, text))


def read(file: Path | Traversable | str) -> Document:
    """The document in a YAML file of UTF-8 text; an empty file is an empty map.

    A Traversable is a file of a package, which may lie in an archive.
    """
    path = Path(str(file))
    try:
        text = (path if isinstance(file, str) else file).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{Place(path, line)}: not UTF-8 text: save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Document:
    """The document in `text`; its problems name the file `path`."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "broken"
        raise ConfigError(f"{Place(path, line)}: not valid YAML: {what}") from None
    places: dict[Key, Place] = {(): Place(path, 1)}
    data = {} if root is None else _value(root, (), places, path, ())
    return Document(path, data, places)


def shown(path: Path | str) -> str:
    """A file's name for a message, relative to the current folder if it lies below it."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def dotted(path: Iterable[str | int]) -> str:
    """`("voice", "columns", 2)` as `voice.columns[2]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def check(document: Document, shape: Mapping[str, Any], *, at: Key = ()) -> None:
    """Raise ConfigError, one line per problem, if the value at `at` does not have `shape`.

    `shape` is a JSON Schema (2020-12). Messages take what was expected from the `description`
    beside a `pattern`, `type` or `anyOf`.
    """
    value = document.data
    for part in at:
        value = value[part]
    lines = problems(document, shape, value, tuple(at))
    if lines:
        raise ConfigError("\n".join(lines))


def problems(document: Document, shape: Mapping[str, Any], value: Any, at: Key) -> list[str]:
    """The lines that `check` raises, sorted by their places."""
    found: dict[tuple[Key, str], None] = {}
    for error in Validator(shape).iter_errors(value):
        for path, text in explained(error, at, document.removed):
            found[path, text] = None
    ordered = sorted(
        found,
        key=lambda one: (
            str(document.place(one[0]).path),
            document.line(one[0]),
            dotted(one[0]),
            one[1],
        ),
    )
    return [document.problem(path, text) for path, text in ordered]


# Reading -----------------------------------------------------------------------------------------


class _Loader(_BaseLoader):
    """A loader that takes plain text for nothing but the forms added below."""


_Loader.yaml_implicit_resolvers = {}

_NUMBER = list("-+0123456789.")
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("timestamp", r"\d{4}-\d{2}-\d{2}", list("0123456789")),
    ("int", r"[-+]?(?:0|[1-9]\d*)", _NUMBER),
    ("float", r"[-+]?(?:0|[1-9]\d*)?(?:\.\d+|\.\d*[eE][-+]?\d+|[eE][-+]?\d+)", _NUMBER),
):
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(f"(?:{_pattern})$"), _first)


def _value(
    node: yaml.Node,
    path: Key,
    places: dict[Key, Place],
    file: Path,
    above: tuple[yaml.Node, ...],
) -> Any:
    """The plain value of a YAML node; fills `places` for everything below `path`."""
    if any(node is one for one in above):
        raise _refusal(file, node, path, "an alias inside its own anchor")
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        return _map(node, path, places, file, above)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path, file)
    for position, item in enumerate(node.value):
        places[(*path, position)] = _place(file, item)
    return [
        _value(item, (*path, position), places, file, above)
        for position, item in enumerate(node.value)
    ]


def _map(
    node: yaml.MappingNode,
    path: Key,
    places: dict[Key, Place],
    file: Path,
    above: tuple[yaml.Node, ...],
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _refusal(file, key_node, path, "a key must be plain text")
        key = key_node.value
        below = (*path, key)
        if key in result:
            raise _refusal(
                file,
                key_node,
                below,
                f"duplicate key, first on line {places[below].line}: keep one of the two",
            )
        places[below] = _place(file, key_node)
        result[key] = _value(value_node, below, places, file, above)
    return result


def _scalar(node: yaml.ScalarNode, path: Key, file: Path) -> Any:
    kind, text = node.tag.removeprefix(_TAG), node.value
    try:
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return int(text)
        if kind == "float":
            return Decimal(text)
        if kind == "timestamp":
            return datetime.date.fromisoformat(text)
    except (ValueError, ArithmeticError):
        what = "no such date" if kind == "timestamp" else f"not a value of type {kind}"
        raise _refusal(file, node, path, f"{what}: {text}") from None
    raise _refusal(file, node, path, f"the tag {node.tag} is not used here")


def _place(file: Path, node: yaml.Node) -> Place:
    return Place(file, node.start_mark.line + 1)


def _refusal(file: Path, node: yaml.Node, path: Key, text: str) -> ConfigError:
    name = f"{dotted(path)}: " if path else ""
    return ConfigError(f"{_place(file, node)}: {name}{text}")
