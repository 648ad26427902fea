"""Nights over few rows: their plans are interpreted, and a delivery without rows starts nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.intake import archive
from jobs.intake.landing import Landing
from jobs.plan.night import night as plan
from jobs.runtime.few_rows import reads_few_rows
from jobs.steps.ingest import ingest
from schemas.config.settings import FewRows
from schemas.window import Window
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import DAYS, call, overlay
from tests.readers.warehouse_reader import differing_rows, query

FIRST, DAY = DAYS
NEXT = DAY + timedelta(days=1)
STEPS = "ingest.customer,ingest.subscriber,ingest.package_subscription,ingest.voice,ingest.bill"
TABLES = (
    "ods.customer",
    "ods.subscriber",
    "ods.voice_call",
    "ods.bill",
    "ops.rejected_record",
    "dw.subscriber_identity",
    "dw.usage_day",
)
# What the tests' own session turns off (tests/conftest.py).
COMPILED = (
    "spark.sql.codegen.wholeStage true\n"
    "spark.sql.codegen.factoryMode FALLBACK\n"
    "spark.sql.adaptive.enabled true\n"
)


def nights(folder, conf, few: str, profile: str = "") -> TinyNights:
    """The six customers' two days, with `few` as runtime.yml's spark.few_rows."""
    changed = overlay(folder / "conf", conf.sources)
    (changed / "runtime.yml").write_text(f"spark: {{few_rows: {few}}}\n", encoding="utf-8")
    if profile:
        (changed / "spark").mkdir()
        (changed / "spark" / "local.conf").write_text(profile, encoding="utf-8")
    made = TinyNights(folder, conf.sources, changed)
    made.landing.write_all()
    return made


def test_interpreted_and_compiled_nights_leave_equal_tables(spark, tmp_path, conf):
    compiled = spark._jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_COMPILATION_TIME()
    counts, made = [], []
    for name, few, profile in (("few", "{rows: 100000}", ""), ("many", "null", COMPILED)):
        before = compiled.getCount()
        night = nights(tmp_path / name, conf, few, profile)
        assert night.run(f"{STEPS},identity,usage_day", FIRST, DAY) == 0
        counts.append(compiled.getCount() - before)
        made.append(night.warehouse)
    assert counts[1] > 5 * counts[0] > 0  # some of Delta's own are compiled in any case
    assert [name for name in TABLES if differing_rows(*made, name)] == []
    assert query(made[0], "SELECT count(*) FROM t", t="dw.usage_day") != [(0,)]


def test_a_step_is_one_of_few_rows_up_to_the_configured_number(conf, tmp_path, contracts):
    """On the second day 60 calls come; a limit of 59 rows makes the step one of many rows."""
    landing = nights(tmp_path, conf, "null").landing.folder
    (voice,) = [step for step in plan(conf) if step.name == "ingest.voice"]

    def asked(limit, warehouse=str(tmp_path / "none")):
        few = None if limit is None else FewRows(limit, "spark/few_rows.conf")
        spark = replace(conf.runtime.spark, few_rows=few)
        changed = replace(conf, runtime=replace(conf.runtime, spark=spark))
        window = Window(DAY, DAY)
        delivered = Landing(landing, archive.below(str(tmp_path / "none"), landing))
        return reads_few_rows([voice], window, changed, contracts, delivered, warehouse)

    assert [asked(limit) for limit in (None, 59, 60, 61)] == [False, False, True, True]
    assert not asked(61, "s3a://bucket/warehouse")


def test_a_delivery_without_rows_is_recorded_and_read_by_nobody(spark, tmp_path, conf, monkeypatch):
    """Later it comes again with rows, and then once more without: the rows are gone again."""
    made = nights(tmp_path, conf, "{rows: 100000}")
    assert made.run("ingest.voice", FIRST, DAY) == 0

    def found():
        rows = query(
            made.warehouse,
            "SELECT arg_max(state, committed_at), arg_max(rows_delivered, committed_at), "
            f"arg_max(rows_accepted, committed_at) FROM l WHERE slice = '{NEXT}'",
            l="ops.run_ledger",
        )
        calls_there = query(
            made.warehouse,
            f"SELECT count(*) FROM t WHERE batch_date = DATE '{NEXT}'",
            t="ods.voice_call",
        )
        return rows + calls_there

    with monkeypatch.context() as patched:
        patched.setattr(ingest, "read_rows", lambda *_: pytest.fail("rows of no delivery are read"))
        made.landing.write("voice", NEXT, [[], []])
        assert made.run("ingest.voice", NEXT, more=["--accept-rejects", "a holiday"]) == 0
    assert found() == [("committed", 0, 0), (0,)]
    checks = query(
        made.warehouse,
        f"""SELECT count(*) FROM c WHERE slice = '{NEXT}' AND "check" = 'rows_against_control'""",
        c="ops.quality_result",
    )
    assert checks == [(1,)]
    made.landing.write("voice", NEXT, [[call(1, NEXT), call(2, NEXT)], []])
    assert made.run("ingest.voice", NEXT, more=["--accept-rejects", "a holiday"]) == 0
    assert found() == [("committed", 2, 2), (2,)]
    made.landing.write("voice", NEXT, [[], []])
    assert made.run("ingest.voice", NEXT, more=["--accept-rejects", "a holiday"]) == 0
    assert found() == [("committed", 0, 0), (0,)]
