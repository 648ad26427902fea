"""Steps that ingest deliveries: one for each source of the configuration."""

from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter

from jobs.plan.step import Step
from schemas import contract
from schemas.config import Config, Source
from schemas.errors import ConfigError


def steps(conf: Config) -> tuple[Step, ...]:
    """A step per source, after the sources of the records that its records refer to."""
    references = _references()
    return tuple(
        Step(
            f"ingest.{name}",
            "ingest",
            f"ingest {source.name_cn} ({source.system})",
            tuple(dict.fromkeys((*source.tables, *_referred(source, references)))),
            source.tables,
            str(source.cadence),
            name,
        )
        for name, source in _in_order(conf.sources, references)
    )


def in_order(source: Source) -> list[Source]:
    """The source as it is read into each of its tables, after those that the table refers to."""
    references = _references()
    return sorted(source.records, key=lambda one: _depth(one.record, references))


def _in_order(
    sources: Mapping[str, Source], references: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, Source]]:
    """Each source after those it refers to, else as configured; ConfigError for a ring."""
    feeding: dict[str, list[str]] = {}
    for name, source in sources.items():
        for table in source.tables:
            feeding.setdefault(table, []).append(name)
    waits_for = {
        name: [
            other
            for table in _referred(source, references)
            for other in feeding.get(table, ())
            if other != name
        ]
        for name, source in sources.items()
    }
    order = TopologicalSorter(waits_for)
    try:
        order.prepare()
    except CycleError as error:
        ring = list(reversed(error.args[1]))
        raise ConfigError(
            f"sources.yml: {ring[0]}: records of {' refer to records of '.join(ring)}: no order of "
            "the sources has every reference before it; feed the tables from sources of their own"
        ) from None
    while order.is_active():
        ready = order.get_ready()
        yield from ((name, source) for name, source in sources.items() if name in ready)
        order.done(*ready)


def _referred(source: Source, references: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The tables to which the records of the source refer."""
    return [other for table in source.tables for other in references.get(table, ())]


@cache
def _references() -> dict[str, tuple[str, ...]]:
    """By table the tables to which its columns refer, from the contracts."""
    return {
        table: tuple(
            dict.fromkeys(
                column.references.rsplit(".", 1)[0] for column in entry.columns if column.references
            )
        )
        for table, entry in contract.load().items()
    }


def _depth(table: str, references: Mapping[str, tuple[str, ...]]) -> int:
    """How many levels of tables the table refers to; 0 for one that refers to none."""
    return max((1 + _depth(other, references) for other in references.get(table, ())), default=0)
