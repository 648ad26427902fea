"""The order of rows, partitions and campaigns changes nothing; rows and figures agree."""

from decimal import Decimal

import numpy as np
import pytest

from models.assignment.assign import assign
from models.assignment.choices import choices, uses_of
from models.assignment.resource import Resource
from tests.given.options import option, options_frame, places

RESOURCES = [
    *places(hall=25, sms=40, web=30, branch_0=9, branch_1=9),
    Resource("money", 90, "yuan"),
]


def rows(campaigns=("spring", "summer", "winter")):
    """Ties of half a yuan, two ways, up to two slots, yesterday's options, for 90 customers."""
    made = []
    for customer in range(90):
        for campaign in campaigns:
            number = ("spring", "summer", "winter").index(campaign)
            for channel in ("hall", "sms"):
                value = (customer * 7 + number * 5 + len(channel)) % 19 / 2
                uses = [channel, ("money", 1 + number)]
                if channel == "hall":
                    uses.append(f"branch_{customer % 2}")
                made.append(
                    option(
                        customer,
                        f"{campaign}|{channel}",
                        str(value),
                        *uses,
                        slots=1 + customer % 2,
                        preference=1 + (customer + number) % 3,
                        sticky=customer % 5 == number,
                    )
                )
        made.append(option(customer, "spring|web", f"{customer % 4}.5", "web", way="pull"))
    return made


def outcome(frame, resources=RESOURCES):
    made = assign(choices(frame), uses_of(frame), resources, stay_bonus=Decimal("0.05"))
    return sorted(made.rows.collect(), key=lambda row: row[:3]), made.summary


@pytest.fixture(scope="module")
def one_way(spark):
    return outcome(options_frame(spark, *rows()))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("partitions", [1, 3])
def test_the_order_of_rows_and_the_partitions_change_nothing(spark, one_way, seed, partitions):
    mixed = rows()
    np.random.default_rng(seed).shuffle(mixed)
    mixed = [(*row[:4], row[4][::-1], *row[5:]) for row in map(tuple, mixed)]
    assert outcome(options_frame(spark, *mixed).repartition(partitions)) == one_way


def test_batches_that_cut_customers_change_nothing(spark, one_way):
    rows_a_batch = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = spark.conf.get(rows_a_batch)
    spark.conf.set(rows_a_batch, "5")
    try:
        assert outcome(options_frame(spark, *rows())) == one_way
    finally:
        spark.conf.set(rows_a_batch, before)


def test_the_order_of_campaigns_and_resources_changes_nothing(spark, one_way):
    frame = options_frame(spark, *rows(("winter", "summer", "spring")))
    assert outcome(frame, RESOURCES[::-1]) == one_way


def test_the_rows_add_up_to_the_figures_and_every_loss_has_its_reason(one_way):
    found, summary = one_way
    assert len(found) == len(rows())
    taken = [row for row in found if row.fate == "assigned"]
    assert len(taken) == summary.assigned
    assert sum(row.value for row in taken) == summary.value
    stayed = sum(row.sticky for row in taken)
    assert summary.primal == summary.value + stayed * Decimal("0.05")
    assert 0 <= summary.gap <= summary.bound / 100
    assert set(summary.rivals) == {"naive", "greedy", "margin_order"}
    assert all(value <= summary.bound for value in summary.rivals.values())
    assert summary.rivals["naive"] < summary.value
    for row in found:
        assert (row.lost_to is None) == (row.fate == "assigned")
        assert (row.full is not None) == (row.lost_to == "capacity")
        assert (row.winner is not None) == (row.lost_to == "slot")
        assert (row.lost_to == "value") == (row.value <= 0)


def test_slack_of_a_priced_resource_costs_no_more_than_the_gap(one_way):
    _, summary = one_way
    idle = sum(use.price * (use.resource.capacity - use.used) for use in summary.uses)
    assert 0 <= idle <= summary.gap
