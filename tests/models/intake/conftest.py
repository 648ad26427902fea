"""Lines judged as a night judges them, for the tests of this folder."""

import pytest

from models.intake import duplicates as repeats
from models.intake import verdict as delivery
from tests.given.delivered_lines import LINES, SETS, ZONE, Verdicts
from tests.given.frames import local_frame


@pytest.fixture(scope="module")
def judged(spark, contracts):
    """Rows of lines with their verdict by row number; `rows`: (line, file, row, day)."""

    def run(rows, of, known=None, earlier=None):
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
        alone = delivery.judge(frame, of.id, of, contract, SETS, ZONE, known)
        alone = delivery.Judged(alone.frame.persist(), alone.checks)
        try:
            unusual = repeats.unusual(alone, repeats.suspects(alone, earlier))
            repeated = repeats.found(unusual, of, contract, earlier)
            return Verdicts(delivery.Tagged(alone, unusual, repeated))
        finally:
            alone.frame.unpersist()

    return run
