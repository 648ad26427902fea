"""conf/sources.yml over the synthetic province: the engine's verdicts are the planted ones."""

from collections import Counter
from dataclasses import replace

import pytest

from models.intake import delivered_line, duplicates, outcome, verdict
from models.synthetic.chunk import SOURCES
from tests.readers.plain_reader import accepted, lines, truth_table

REJECTED = {"broken", "unknown_code", "clock_1980", "unknown_package", "unknown_subscriber"}
DUPLICATE = {"duplicate_within", "duplicate_across"}


def planted(truth, source: str, kinds: set) -> dict[str, int]:
    found = Counter()
    for row in truth_table(truth, "defects"):
        if row["source"] == source and row["defect"] in kinds:
            found[row["data_date"]] += int(row["rows"])
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_is_read_as_it_was_meant(name, delivered, conf, contracts, spark):
    landing, truth = delivered
    source = conf.sources[name]
    rows = [
        (line.text, "file", number, line.day)
        for number, line in enumerate(lines(landing, source), start=1)
    ]
    frame = spark.createDataFrame(
        rows, "value string, file_name string, row_no bigint, batch_date date"
    )
    if source.format.encoding == "gb18030":
        frame = frame.selectExpr(
            "cast(encode(value, 'GB18030') as binary) as value", "file_name", "row_no", "batch_date"
        )
    known = {}
    if any(column.references for column in contracts[source.record].columns):
        users = [(cells["user_id"],) for cells in accepted(landing, conf.sources["subscriber"])]
        known = {
            column.name: spark.createDataFrame(users, f"{column.name} string")
            for column in contracts[source.record].columns
            if column.references == "ods.subscriber.subscriber_no"
        }
    sets = {
        "channels": sorted(conf.channels),
        "packages": sorted(conf.tariffs),
        "businesses": sorted(conf.services),
    }
    record = contracts[source.record]
    validated = verdict.validate(
        delivered_line.fields(frame, source),
        name,
        source,
        record,
        sets,
        conf.runtime.timezone,
        known,
    )
    validated = replace(validated, frame=validated.frame.persist())
    candidates = duplicates.candidates(validated, duplicates.candidate_keys(validated, None))
    repeated = duplicates.find(candidates, source, record, None)
    counts = outcome.Outcome(validated, candidates, repeated).counts()
    counts = {str(day): row for day, row in counts.items()}
    for part, kinds in (("rejected", REJECTED), ("duplicate", DUPLICATE), ("late", {"late"})):
        expected = planted(truth, name, kinds)
        assert {day: row[part] for day, row in counts.items() if row[part]} == expected, part
    validated.frame.unpersist()
