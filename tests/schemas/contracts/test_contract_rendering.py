"""One small contract in each of its renderings."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from pyspark.sql import types as T

from schemas.config.source import Cadence, RowsBand, ShareLimits, Source, SourceFiles, SourceFormat
from schemas.render import delta, dictionary, expectations
from schemas.render import spark as rendered
from tests.given.paths import GOLDEN

DICTIONARY = GOLDEN / "data_dictionary.md"


def test_the_contract_itself(call):
    assert (call.layer, call.name, call.slice) == ("ods", "call", "batch_date")
    assert call.key == ("source", "call_no")
    assert call.column_names[-3:] == ("check", "source", "batch_date")  # included ones come last
    assert call.column("fee").min == Decimal("-0.5")
    assert call.column("joined_on").min == date(1987, 11, 18)
    assert call.column("direction").allowed == ("mo", "m't")
    assert call.column("channel").allowed == "channels"
    assert not call.restricted


def test_tables_come_by_layer(contracts):
    assert list(contracts) == ["ods.call", "dw.subscriber"]


def test_the_version_changes_with_the_contract_only(load, files, call):
    again = load(files)["ods.call"]
    assert again.version == call.version
    files["ods/call.yml"] = files["ods/call.yml"].replace("max: 86400", "max: 86401")
    other = load(files)["ods.call"]
    assert other.version != call.version


def test_the_domain_is_the_folder_below_the_layer(load, files, call, contracts):
    assert (call.domain, contracts["dw.subscriber"].domain) == ("", "customer")
    files["ods/usage/call.yml"] = files.pop("ods/call.yml")
    moved = load(files)["ods.call"]
    assert (moved.table, moved.domain) == ("ods.call", "usage")
    assert moved.version == call.version, "moving a file is no new contract"


def test_spark_schema(call):
    expected = T.StructType(
        [
            T.StructField("call_no", T.StringType(), nullable=True),
            T.StructField("subscriber_no", T.StringType(), nullable=False),
            T.StructField("direction", T.StringType(), nullable=False),
            T.StructField("channel", T.StringType(), nullable=True),
            T.StructField("duration_s", T.LongType(), nullable=False),
            T.StructField("fee", T.DecimalType(12, 3), nullable=True),
            T.StructField("joined_on", T.DateType(), nullable=True),
            T.StructField("month", T.DateType(), nullable=True),
            T.StructField("note", T.StringType(), nullable=True),
            T.StructField("began_at", T.TimestampType(), nullable=True),
            T.StructField("score", T.DoubleType(), nullable=True),
            T.StructField(
                "steps",
                T.ArrayType(
                    T.StructType(
                        [
                            T.StructField("no", T.IntegerType()),
                            T.StructField("fee", T.DecimalType(5, 2)),
                        ]
                    )
                ),
                nullable=True,
            ),
            T.StructField("check", T.BooleanType(), nullable=True),
            T.StructField("source", T.StringType(), nullable=False),
            T.StructField("batch_date", T.DateType(), nullable=False),
        ]
    )
    assert rendered.struct_type(call) == expected


def test_example_row(call):
    assert rendered.example_row(call) == {
        "call_no": "V1",
        "subscriber_no": "S1",
        "direction": "mo",
        "channel": "hall",
        "duration_s": 61,
        "fee": Decimal("0.800"),
        "joined_on": date(2005, 6, 1),
        "month": date(2009, 4, 1),
        "note": "备注",
        "began_at": datetime(2009, 5, 3, 0, 30, tzinfo=timezone(timedelta(hours=8))),
        "score": 0.5,
        "steps": [{"no": 1, "fee": Decimal("0.10")}],
        "check": True,
        "source": "voice",
        "batch_date": date(2009, 5, 3),
    }


def test_rules_in_a_fixed_order_and_in_words(spark, call):
    rules = rendered.row_rules(call, {"channels": ["hall", "sms"]})
    assert [(one.column, one.code, one.expected) for one in rules] == [
        ("call_no", "pattern", r"text that matches [A-Z]\d+"),
        ("subscriber_no", "required", "a value"),
        ("direction", "required", "a value"),
        ("direction", "allowed", "one of mo, m't"),
        ("channel", "allowed", "one of the configured channels"),
        ("duration_s", "required", "a value"),
        ("duration_s", "range", "0 to 86400 seconds"),
        ("fee", "range", "-0.5 to 99.999 yuan"),
        ("joined_on", "range", "at least 1987-11-18"),
        ("month", "month", "the first day of a month"),
        ("note", "max_length", "at most 5 characters"),
        ("source", "required", "a value"),
        ("batch_date", "required", "a value"),
    ]
    assert {one.severity for one in rules} == {"critical"}
    assert rules[6].reason == "duration_s: expected 0 to 86400 seconds"


def test_delta_statement(call):
    assert (
        delta.create_table_sql(call, "s3://bucket/it`s")
        == f"""\
CREATE TABLE IF NOT EXISTS delta.`s3://bucket/it``s` (
  `call_no` string COMMENT '话单编号',
  `subscriber_no` string NOT NULL COMMENT '用户标识',
  `direction` string NOT NULL COMMENT '方向',
  `channel` string COMMENT '渠道',
  `duration_s` bigint NOT NULL COMMENT '时长',
  `fee` decimal(12,3) COMMENT '费用',
  `joined_on` date COMMENT '入网日期',
  `month` date COMMENT '帐期',
  `note` string COMMENT '备注',
  `began_at` timestamp COMMENT '开始时间',
  `score` double COMMENT '得分',
  `steps` array<struct<no:int,fee:decimal(5,2)>> COMMENT '步骤',
  `check` boolean COMMENT '检查',
  `source` string NOT NULL COMMENT '来源',
  `batch_date` date NOT NULL COMMENT '数据日期'
)
USING DELTA
PARTITIONED BY (`batch_date`)
COMMENT '通话: one accepted call'
TBLPROPERTIES (
  'delta.minReaderVersion' = '1',
  'delta.minWriterVersion' = '3',
  'delta.enableDeletionVectors' = 'false',
  'chudian.key' = 'source,call_no',
  'chudian.slice' = 'batch_date',
  'chudian.contract' = '{call.version}',
  'delta.dataSkippingStatsColumns' = 'subscriber_no,source,call_no',
  'delta.constraints.call_no_pattern' = '`call_no` IS NULL OR (`call_no` RLIKE \\'^(?:[A-Z]\
\\\\\\\\d+)\\\\\\\\z\\')',
  'delta.constraints.direction_allowed' = '`direction` IS NULL OR (`direction` IN (\\'mo\\', \
\\'m\\\\\\'t\\'))',
  'delta.constraints.duration_s_range' = '`duration_s` IS NULL OR (`duration_s` >= 0 AND \
`duration_s` <= 86400)',
  'delta.constraints.fee_range' = '`fee` IS NULL OR (`fee` >= -0.500 AND `fee` <= 99.999)',
  'delta.constraints.joined_on_range' = '`joined_on` IS NULL OR (`joined_on` >= \
DATE\\'1987-11-18\\')',
  'delta.constraints.month_month' = '`month` IS NULL OR (day(`month`) = 1)',
  'delta.constraints.note_max_length' = '`note` IS NULL OR (octet_length(`note`) <= 5 OR \
char_length(`note`) <= 5)'
)"""
    )


SOURCE = Source(
    "voice",
    "ods.voice_call",
    "语音清单",
    "boss",
    Cadence(),
    SourceFiles("{source}", "*.txt"),
    SourceFormat(delimiter="|"),
    "Asia/Shanghai",
    ("a",),
    {},
)


def test_suite_of_a_delivery():
    between = "expect_column_values_to_be_between"
    metrics = ["rows_against_control", "reject_share", "warning: a call of an hour"]
    few = {"delivered": 99, "duplicate_share": 0}
    suite = expectations.delivery_suite(SOURCE, few | dict.fromkeys(metrics, 0))
    assert suite == [
        {
            "type": between,
            "severity": severity,
            "kwargs": {"column": column, "min_value": low, "max_value": high},
        }
        for column, low, high, severity in [
            ("rows_against_control", 0, 0, "critical"),
            ("reject_share", None, 0.05, "critical"),
            ("reject_share", None, 0.01, "warning"),
            (metrics[-1], 0, 0, "warning"),
        ]
    ]


def test_suite_of_a_delivery_with_all_that_can_be_judged():
    band = RowsBand(Decimal("0.5"), Decimal("3"), 28)
    source = replace(
        SOURCE,
        files=SourceFiles("{source}", "*.txt", rows_band=band),
        late_after_days=2,
        references=ShareLimits(warn_share=Decimal("0"), stop_share=Decimal("0.2")),
    )
    names = [
        "duplicate_share",
        "missing_reference_share",
        "unlisted_code_share",
        "unreadable_share",
        "rows_band",
        "volume_drift",
        "late_share",
        "newest_event_age",
    ]
    found = expectations.delivery_suite(source, {"delivered": 100, **dict.fromkeys(names, 0)})
    assert [
        (
            one["kwargs"]["column"],
            one["kwargs"]["min_value"],
            one["kwargs"]["max_value"],
            one["severity"],
        )
        for one in found
    ] == [
        ("duplicate_share", None, 0.5, "critical"),
        ("duplicate_share", None, 0.02, "warning"),
        ("missing_reference_share", None, 0.2, "critical"),
        ("missing_reference_share", None, 0.0, "warning"),
        ("unlisted_code_share", None, 0.05, "critical"),
        ("unreadable_share", None, 0.05, "critical"),
        ("rows_band", 0.5, 3.0, "critical"),
        ("volume_drift", 0.5, 2.0, "warning"),
        ("late_share", None, 0.1, "warning"),
        ("newest_event_age", None, 2, "warning"),
    ]
    without = expectations.delivery_suite(SOURCE, {"delivered": 9, "missing_reference_share": 0})
    assert [one["kwargs"]["max_value"] for one in without] == [0.05, 0.01], "those of the rejects"


def test_suite_of_a_slice(contracts):
    assert [
        (
            one["kwargs"]["column"],
            one["kwargs"]["min_value"],
            one["kwargs"]["max_value"],
            one["severity"],
        )
        for one in expectations.suite(contracts["dw.subscriber"])
    ] == [
        ("key_duplicates", 0, 0, "critical"),
        ("null_data_date", 0, 0, "critical"),
        ("null_subscriber_no", 0, 0, "critical"),
        ("rows", 1, None, "warning"),
    ]


def test_a_snapshot_that_is_often_empty_gives_no_warning(contracts):
    of = replace(contracts["dw.subscriber"], empty_is_usual=True)
    assert [one["severity"] for one in expectations.suite(of)] == ["critical"] * 3


def test_an_optional_column_of_the_key_may_be_missing(contracts):
    assert [one["kwargs"]["column"] for one in expectations.suite(contracts["ods.call"])] == [
        "key_duplicates",
        "null_source",
    ]


def test_data_dictionary_is_the_golden_one(contracts):
    assert dictionary.markdown(contracts) == DICTIONARY.read_text(encoding="utf-8")
