"""Arrow batches cut anew: no customer is in two of them, no row is lost or moved."""

import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.frames.customer_batches import of_some_size, whole_customers


def batches(*lists):
    """One batch per list of customers, with row numbers over all batches."""
    number = 0
    for customers in lists:
        rows = range(number, number + len(customers))
        number += len(customers)
        yield pa.record_batch(
            {"subscriber_id": pa.array(customers, pa.int64()), "row": pa.array(rows, pa.int64())}
        )


def customers_of(cut):
    return [batch.column("subscriber_id").to_pylist() for batch in cut]


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([[1, 1, 2], [2, 3]], [[1, 1], [2, 2], [3]]),
        ([[1], [1], [1, 2]], [[1, 1, 1], [2]]),
        ([[1, 1], [2, 2]], [[1, 1], [2, 2]]),
        ([[], [1], []], [[1]]),
        ([], []),
    ],
)
def test_a_customer_leaves_in_one_batch(lists, expected):
    assert customers_of(whole_customers(batches(*lists))) == expected


@given(
    st.lists(st.integers(1, 6), max_size=30).map(sorted),
    st.lists(st.integers(0, 30)),
    st.integers(1, 9),
)
def test_rows_stay_in_order_however_they_come(customers, cuts, size):
    edges = [0, *sorted(min(cut, len(customers)) for cut in cuts), len(customers)]
    lists = [customers[start:end] for start, end in itertools.pairwise(edges)]
    cut = list(whole_customers(batches(*lists)))
    firsts = [one[0] for one in customers_of(cut)]
    assert len(set(firsts)) == len(firsts)
    again = list(of_some_size(iter(cut), size))
    for made in (cut, again):
        assert [row for batch in made for row in batch.column("row").to_pylist()] == list(
            range(len(customers))
        )
    assert all(batch.num_rows >= size for batch in again[:-1])
