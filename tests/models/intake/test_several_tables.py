"""Rows that become records of several tables: which of them each table takes, against plain Python.

For any lines: what a table takes and what it leaves out are all the rows, and a line that cannot be
read is taken by every table.
"""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.intake import delivered_line, verdict
from schemas.config.source import SourceFormat
from tests.given.delivered_lines import DAY, LINES, source
from tests.given.frames import local_frame

VOICE, MESSAGE = "ods.voice_call", "ods.message"
CELLS = st.sampled_from(["", "1", "2", "x"])
ROWS = st.lists(st.one_of(st.tuples(CELLS, CELLS), st.just(("broken",))), min_size=1, max_size=12)


def takes(cells):
    """(the first table takes the row, the second does): the predicates below in Python."""
    if len(cells) == 1:
        return True, True
    seconds, kind = cells
    return seconds != "", kind in ("1", "2")


@given(ROWS)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_taken_or_left_out_by_each_table(spark, rows):
    both = {"format": SourceFormat(delimiter=","), "columns": ("seconds", "kind")}
    of = [
        replace(source(VOICE), when="seconds is not null", **both),
        replace(source(MESSAGE), when="kind in ('1', '2')", **both),
    ]
    lines = [(",".join(cells), "a.csv", row, DAY) for row, cells in enumerate(rows, 1)]
    frame = local_frame(spark, [(bytearray(line.encode()), *rest) for line, *rest in lines], LINES)
    fields = delivered_line.fields(frame.withColumn("value", frame["value"].cast("string")), of[0])
    taken = [takes(cells) for cells in rows]
    assert verdict.skipped(fields, of) == {
        DAY: {
            VOICE: sum(not one for one, _ in taken),
            MESSAGE: sum(not one for _, one in taken),
            verdict.NOWHERE: sum(not any(both) for both in taken),
        }
    }
    for place, one in enumerate(of):
        found = [row["_row"] for row in verdict.chosen(fields, one).select("_row").collect()]
        assert sorted(found) == [row for row, both in enumerate(taken, 1) if both[place]]
