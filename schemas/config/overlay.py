"""The files of one or more configuration folders, overlaid and checked for their shape."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from schemas import document
from schemas.config.settings import currency_of
from schemas.currency import YUAN, Currency
from schemas.document import Document
from schemas.document.violation import near_miss
from schemas.errors import ConfigError

SINGLE = ("runtime", "sources", "channels", "services", "policy")
FOLDERS = {"campaigns": "campaign", "tariffs": "tariff"}
_SHAPES = resources.files("schemas") / "shapes"


@dataclass(frozen=True)
class Documents:
    """The merged files; campaigns and tariffs by the name of their file."""

    runtime: Document
    sources: Document
    channels: Document
    services: Document
    policy: Document
    campaigns: Mapping[str, Document]
    tariffs: Mapping[str, Document]


def read(folders: Sequence[Path]) -> Documents:
    """The documents of `folders`; each folder overlays the ones before.

    Raises ConfigError with one line per problem of any file.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(
                f"{document.shown(folder)}: no such configuration folder: check --conf"
            )
    problems: list[str] = []
    merged: dict[tuple[str, str], Document] = {}
    for folder in folders:
        problems += _unknown_files(folder)
        for key, path in _files(folder):
            try:
                found = document.read(path)
            except ConfigError as error:
                problems.append(str(error))
                continue
            merged[key] = merged[key].overlaid(found) if key in merged else found
    if not problems:
        problems = [*_missing(merged, folders), *_misshapen(merged)]
    if problems:
        raise ConfigError("\n".join(problems))
    parts: dict[str, Any] = {name: merged["", name] for name in SINGLE}
    for group in FOLDERS:
        parts[group] = {
            name: found for (part, name), found in sorted(merged.items()) if part == group
        }
    return Documents(**parts)


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


def _files(folder: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    for name in SINGLE:
        if (folder / f"{name}.yml").is_file():
            yield ("", name), folder / f"{name}.yml"
    for group in FOLDERS:
        for path in sorted((folder / group).glob("*.yml")):
            yield (group, path.stem), path


def _unknown_files(folder: Path) -> Iterator[str]:
    """YAML files that nothing reads: a misspelt file name would be a setting without effect."""
    known = [f"{name}.yml" for name in SINGLE]
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
