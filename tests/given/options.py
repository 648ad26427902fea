"""Options of an assignment, a few written by hand, as a frame or assigned at once."""

from decimal import Decimal

from pyspark.sql import DataFrame, SparkSession

from models.assignment.assign import Assignment, assign
from models.assignment.choices import USES, choices, uses_of
from models.assignment.resource import Resource
from tests.given.frames import local_frame

COLUMNS = (
    "customer_id bigint, way string, option_id string, value decimal(18,6), "
    f"uses {USES}, slots int, preference smallint, sticky boolean, unlucky boolean"
)


def option(
    customer: int,
    name: str,
    value: str | None,
    *uses: tuple[str, int] | str,
    way: str = "intrusive",
    slots: int = 1,
    preference: int = 1,
    sticky: bool = False,
    unlucky: bool = False,
) -> tuple:
    """A use that is only a name takes one unit."""
    taken = [use if isinstance(use, tuple) else (use, 1) for use in uses]
    worth = None if value is None else Decimal(value)
    return customer, way, name, worth, taken, slots, preference, sticky, unlucky


def places(**capacity: int) -> list[Resource]:
    """Resources counted in contacts."""
    return [Resource(name, room, "contacts") for name, room in capacity.items()]


def options_frame(spark: SparkSession, *rows: tuple) -> DataFrame:
    return local_frame(spark, rows, COLUMNS)


def assigned(
    spark: SparkSession, rows: list[tuple], resources: list[Resource], stay_bonus: str = "0"
) -> tuple[Assignment, dict]:
    """The assignment, and its rows by customer and option."""
    frame = options_frame(spark, *rows)
    made = assign(choices(frame), uses_of(frame), resources, stay_bonus=Decimal(stay_bonus))
    return made, {(row.customer_id, row.option_id): row for row in made.rows.collect()}
