"""Steps that ingest deliveries: one for each source of the configuration."""

from collections.abc import Mapping
from functools import cache

from jobs.plan.step import Step
from schemas import contract
from schemas.config import Config


def steps(conf: Config) -> tuple[Step, ...]:
    """A step per source, after the sources of the records that its record refers to."""
    references = _references()
    return tuple(
        Step(
            f"ingest.{name}",
            "ingest",
            f"ingest {source.name_cn} ({source.system})",
            (source.record, *references.get(source.record, ())),
            (source.record,),
            str(source.cadence),
            name,
        )
        for name, source in sorted(
            conf.sources.items(), key=lambda item: _depth(item[1].record, references)
        )
    )


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
