"""Lines judged as a night judges them, for the tests of this folder."""

from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from models.intake import delivered_line, duplicates, outcome, verdict
from tests.given.delivered_lines import LINES, SETS, ZONE, Verdicts
from tests.given.frames import local_frame


@pytest.fixture(scope="module")
def judged(spark, contracts):
    """Rows of lines with their verdict by row number; `rows`: (line, file, row, day)."""

    def run(rows, of, known=None, earlier=None, repeated_hours=()):
        frame = local_frame(
            spark,
            [
                (
                    bytearray(text if isinstance(text, bytes) else text.encode(of.format.encoding)),
                    file,
                    row,
                    day,
                )
                for text, file, row, day in rows
            ],
            LINES,
        )
        if of.format.encoding == "utf-8":
            frame = frame.withColumn("value", frame["value"].cast("string"))
        contract = contracts[of.record]
        fields = delivered_line.fields(frame, of)
        validated = verdict.validate(fields, of.id, of, contract, SETS, ZONE, known)
        validated = replace(validated, frame=validated.frame.persist())
        try:
            keys = duplicates.candidate_keys(validated, earlier)
            candidates = duplicates.candidates(validated, keys)
            repeated = duplicates.find(candidates, of, contract, earlier, repeated_hours)
            refused = repeated.where(F.col("_role").isin(*verdict.SHARED_KEY)).select(*verdict.ROW)
            lines = delivered_line.lines(fields, refused)
            return Verdicts(outcome.Outcome(validated, candidates, repeated, lines, of.parts))
        finally:
            validated.frame.unpersist()

    return run
