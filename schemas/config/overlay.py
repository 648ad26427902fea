"""The files of one or more configuration folders, overlaid and checked for their shape.

A later folder adds to the folders before it, replaces values of theirs and takes away from them:
with null over a value, with an empty file of a package, campaign or target, and with its
`overlay.yml`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from schemas import document
from schemas.config.settings import currency_of
from schemas.currency import YUAN, Currency
from schemas.document import Document, Place
from schemas.document.merged import overlaid, without
from schemas.document.violation import near_miss
from schemas.errors import ConfigError

SINGLE = ("runtime", "sources", "channels", "services", "metrics", "policy")
FOLDERS = {"campaigns": "campaign", "tariffs": "tariff", "targets": "target"}
KEPT = "overlay"  # the file that says what a folder keeps of those before it
_SHAPES = resources.files("schemas") / "shapes"


@dataclass(frozen=True)
class Documents:
    """The merged files; campaigns, tariffs and targets by the name of their file.

    `taken`: by part (tariffs, channels, …) the names that a folder took away, and the places that
    did so.
    """

    runtime: Document
    sources: Document
    channels: Document
    services: Document
    metrics: Document
    policy: Document
    campaigns: Mapping[str, Document]
    tariffs: Mapping[str, Document]
    targets: Mapping[str, Document]
    taken: Mapping[str, Mapping[str, Place]]


def read(folders: Sequence[Path], tried: Mapping[str, Path] | None = None) -> Documents:
    """The documents of `folders`; each folder overlays the ones before.

    `tried`: single files that are laid over all of them, by the name of what they are like.
    Raises ConfigError with one line per problem of any file.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(
                f"{document.shown(folder)}: no such configuration folder: check --conf"
            )
    stack = _Stack()
    for folder in folders:
        stack.lay(folder)
    for name, path in (tried or {}).items():
        stack.lay_files([(("", name), path)])
    problems = stack.problems or [*_missing(stack.merged, folders), *_misshapen(stack.merged)]
    if problems:
        raise ConfigError("\n".join(problems))
    parts: dict[str, Any] = {name: stack.merged["", name] for name in SINGLE}
    for group in FOLDERS:
        parts[group] = {name: stack.merged[group, name] for name in stack.names(group)}
    taken = {part: stack.taken_of(part) for part in shape(KEPT)["properties"]}
    return Documents(**parts, taken=taken)


@cache
def shape(name: str, currency: Currency = YUAN) -> Mapping[str, Any]:
    """The JSON Schema of one kind of configuration file; its descriptions name the currency."""
    found: Mapping[str, Any] = document.read(_SHAPES / f"{name}.yml").data
    worded: Mapping[str, Any] = _worded(found, currency)
    return worded


def _worded(found: Any, currency: Currency) -> Any:
    if isinstance(found, list):
        return [_worded(one, currency) for one in found]
    if not isinstance(found, dict):
        return found
    return {
        key: currency.worded(one)
        if key == "description" and isinstance(one, str)
        else _worded(one, currency)
        for key, one in found.items()
    }


@dataclass
class _Stack:
    """What the folders laid so far give together. Files by (group, name), group "" for `SINGLE`."""

    merged: dict[tuple[str, str], Document] = field(default_factory=dict)
    taken: dict[tuple[str, str], Place] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def lay(self, folder: Path) -> None:
        """Overlay what is there with the files of a folder: first it takes away, then it adds."""
        self.problems += _unknown_files(folder)
        self.lay_files(_files(folder))

    def lay_files(self, files: Iterable[tuple[tuple[str, str], Path]]) -> None:
        """Overlay what is there with files, by their keys."""
        for key, path in files:
            try:
                found = document.read(path)
                if key == ("", KEPT):
                    document.check(found, shape(KEPT))
                    self._keep(found)
                else:
                    self._overlay(key, found)
            except ConfigError as error:
                self.problems.append(str(error))

    def names(self, part: str) -> list[str]:
        """The names of a part: the files of a folder, or the keys of a file."""
        if part in FOLDERS:
            return sorted(name for group, name in self.merged if group == part)
        found = self.merged.get(("", part))
        return list(found.data) if found is not None and isinstance(found.data, dict) else []

    def taken_of(self, part: str) -> dict[str, Place]:
        """The names of a part that a folder took away."""
        if part in FOLDERS:
            return {name: place for (group, name), place in self.taken.items() if group == part}
        removed = self.merged["", part].removed
        return {str(path[0]): place for path, place in removed.items() if len(path) == 1}

    def _keep(self, found: Document) -> None:
        """Take away what no pattern of overlay.yml keeps."""
        for part, entry in found.data.items():
            names, path = self.names(part), (part, "keep")
            patterns = [] if entry["keep"] == "none" else entry["keep"]
            if not names:
                self.problems.append(
                    found.problem(path, f"the folders before have no {part}: leave this key out")
                )
            for position, pattern in enumerate(patterns):
                if names and not any(fnmatchcase(name, pattern) for name in names):
                    self.problems.append(
                        found.problem(
                            (*path, position),
                            f"none of the {part} before has a name like '{pattern}'"
                            f"{near_miss(pattern, names)}",
                        )
                    )
            gone = [name for name in names if not any(fnmatchcase(name, one) for one in patterns)]
            self._take(part, gone, found.place(path))

    def _take(self, part: str, names: Sequence[str], place: Place) -> None:
        if part in FOLDERS:
            for name in names:
                del self.merged[part, name]
                self.taken[part, name] = place
        elif names:
            self.merged["", part] = without(self.merged["", part], names, place)

    def _overlay(self, key: tuple[str, str], found: Document) -> None:
        group, name = key
        if group and not found.data:
            if key not in self.merged:
                raise found.error(
                    (),
                    f"an empty file takes '{name}' away, and no folder before has it"
                    f"{near_miss(name, self.names(group))}",
                )
            self._take(group, [name], found.place())
        elif key in self.merged:
            kind = shape(FOLDERS.get(group, name))
            self.merged[key] = overlaid(self.merged[key], found, kind)
        else:
            self.merged[key] = found
            self.taken.pop(key, None)


def _files(folder: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """The files of a folder with their keys, what it keeps first."""
    for name in (KEPT, *SINGLE):
        if (folder / f"{name}.yml").is_file():
            yield ("", name), folder / f"{name}.yml"
    for group in FOLDERS:
        for path in sorted((folder / group).glob("*.yml")):
            yield (group, path.stem), path


def _unknown_files(folder: Path) -> Iterator[str]:
    """YAML files that nothing reads: a misspelt file name would be a setting without effect."""
    known = [f"{name}.yml" for name in (*SINGLE, KEPT)]
    for path in sorted(folder.glob("*.y*ml")):
        if path.name not in known:
            yield f"{document.shown(path)}: unknown file{near_miss(path.name, known)}"
    for group in FOLDERS:
        for path in sorted((folder / group).glob("*.yaml")):
            yield f"{document.shown(path)}: unknown file: rename it to {path.stem}.yml"


def _missing(merged: Mapping[tuple[str, str], Document], folders: Sequence[Path]) -> Iterator[str]:
    for name in SINGLE:
        if ("", name) not in merged:
            where = ", ".join(document.shown(folder) for folder in folders)
            yield f"{where}: no file {name}.yml: every configuration needs one"


def _misshapen(merged: Mapping[tuple[str, str], Document]) -> Iterator[str]:
    currency = _currency(merged)
    for (group, name), found in merged.items():
        kind = shape(FOLDERS.get(group, name), currency)
        yield from document.problems(found, kind, found.data, ())


def _currency(merged: Mapping[tuple[str, str], Document]) -> Currency:
    """The currency of the configuration; yuan where runtime.yml names none that is known."""
    found = merged.get(("", "runtime"))
    if found is None or document.problems(found, shape("runtime"), found.data, ()):
        return YUAN
    return currency_of(found.data) or YUAN
