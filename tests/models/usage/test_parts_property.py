"""Any order and split of parts, any mix of repeats, parts and corrections: the usage is the same.

Delivered lines go through intake and merging night by night. A plain reference takes the sets of
different records of each call.
"""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.intake import delivered_line, duplicates, outcome, verdict
from models.usage import record_parts
from schemas.render.spark import struct_type
from tests.given.delivered_lines import DAY, LINES, SETS, ZONE, line, source
from tests.given.frames import local_frame

NIGHTS, LOOKBACK, GAP = 3, 7, 24
START = "20090503101500"


def drawn(chance, mode):
    """(caller → seconds of the different records of the call, lines by night).

    Each caller has one call, and its records have the same key. The longest record counts
    (cumulative), or the one delivered last (last).
    """
    calls, lines = {}, defaultdict(list)
    for call in range(60):
        caller, seconds = f"1380000{call:04}", chance.sample(range(1, 4000), chance.randrange(1, 6))
        if mode == "cumulative":
            seconds.sort()
        nights = [chance.randrange(NIGHTS) for _ in seconds]
        if mode == "last":
            nights.sort()  # the one delivered last counts
        calls[caller] = seconds
        for night, length in zip(nights, seconds, strict=True):
            text = line(number=caller, seconds=str(length), fee=f"{length}.000004", start=START)
            lines[night].append(text)
            if chance.random() < 0.3:  # delivered once more, then or later
                lines[night if mode == "last" else chance.randrange(night, NIGHTS)].append(text)
    for night in range(NIGHTS):
        if mode != "last":
            chance.shuffle(lines[night])
    return calls, lines


def used(seconds, mode):
    """(seconds, fee in micro-yuan) of a call, from its different records."""
    counted = seconds if mode == "add" else seconds[-1:]
    return sum(counted), sum(1_000_000 * length + 4 for length in counted)


@pytest.mark.parametrize("mode", ["add", "cumulative", "last"])
def test_usage_is_that_of_the_reference(spark, contracts, mode):
    calls, lines = drawn(random.Random(f"2009 {mode}"), mode)
    of = source(parts=mode, late_after_days=9, lookback_days=LOOKBACK)
    contract, table = contracts[of.record], of.record
    joining = record_parts.Joining({of.id: mode}, GAP, {of.id: LOOKBACK})
    kinds, earlier, events, counted = struct_type(contract), [], [], 0
    for night in range(NIGHTS):
        day = DAY + timedelta(days=night)
        rows = [
            (bytearray(text.encode()), f"{night}.txt", place, day)
            for place, text in enumerate(lines[night], start=1)
        ]
        frame = local_frame(spark, rows, LINES).withColumn("value", F.col("value").cast("string"))
        judged = verdict.validate(delivered_line.fields(frame, of), of.id, of, contract, SETS, ZONE)
        validated = replace(judged, frame=judged.frame.localCheckpoint())
        known = local_frame(spark, earlier, kinds)
        among = duplicates.candidates(validated, duplicates.candidate_keys(validated, known))
        shared = duplicates.find(among, of, contract, known).localCheckpoint()
        settled = outcome.Outcome(validated, among, shared, None, mode)
        counted += settled.counts()[day]["duplicate"]
        accepted = [tuple(row) for row in settled.accepted().collect()]
        added = record_parts.contributions(
            {table: local_frame(spark, accepted, kinds)}, {table: known}, joining
        )
        events.append(added.localCheckpoint())
        earlier += accepted
    together = reduce(DataFrame.unionByName, events)
    signed = [F.sum(F.col(name) * F.col("sign")) for name in ("quantity", "airtime_fee")]
    usage = together.groupBy("msisdn").agg(F.sum("sign"), *signed).collect()
    found = {caller: (number, used, fee) for caller, number, used, fee in usage}
    assert found == {caller: (1, *used(seconds, mode)) for caller, seconds in calls.items()}
    assert counted == sum(map(len, lines.values())) - sum(map(len, calls.values()))
