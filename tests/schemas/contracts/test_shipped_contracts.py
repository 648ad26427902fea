"""Every contract that is shipped: what others rely on, and rules that hold over all of them."""

import deltalake
import pytest
from pyspark.sql import functions as F

from schemas import contract
from schemas.render import delta, dictionary
from schemas.render import spark as rendered

CONTRACTS = contract.load()
SETS = {
    "channels": ["hall", "hotline", "sms"],
    "packages": ["gotone_58"],
    "businesses": ["balance_query"],
}

RELIED_ON = {
    "ops.run_ledger": "run_id step source table slice state committed_at rows_delivered "
    "rows_accepted rows_rejected rows_duplicate rows_late config_fingerprint",
    "ops.rejected_record": "source file_name row_no raw_line reasons data_date",
    "ops.quality_result": "source table slice check severity success observed expected",
    "dw.subscriber_identity": "subscriber_id msisdn customer_id valid_from valid_to",
    "dw.contact_event": "contact_id customer_id subscriber_id channel direction kind "
    "business_code occurred_at duration_s result source source_record",
    "dw.usage_month": "month subscriber_id cells",
    "mart.package_quote": "subscriber_id month package_id monthly_fee passed_through total "
    "replayed",
    "mart.package_match": "mean_present_cost mean_cost saving months_won worst_month_cost regret "
    "rank recommended reasons",
    "mart.backtest": "actual rated difference within_tolerance cause",
    "mart.channel_preference": "rank score contacts last_contact_at basis reason",
    "mart.decision": "customer_id campaign_id offer channel wave value fate first_reason reasons "
    "price runner_up",
    "mart.target": "campaign_id wave customer_id entered_because",
    "ops.campaign_log": "campaign_id version state by at",
}


@pytest.mark.parametrize("table", RELIED_ON)
def test_columns_that_others_rely_on(table):
    assert set(RELIED_ON[table].split()) <= set(CONTRACTS[table].column_names)


def test_every_delivered_record_says_where_it_came_from():
    for table in (one for one in CONTRACTS.values() if one.layer == "ods"):
        assert {"source", "file_name", "row_no", "batch_date"} <= set(table.column_names)
        assert table.partition_by == ("batch_date",)
        assert "source" in table.key


def test_numbers_live_in_few_places_only():
    """Analysis tables carry subscriber_id; numbers stay with deliveries, identity and pushes."""
    holding = {
        one.table
        for one in CONTRACTS.values()
        if any(column.personal == "number" for column in one.columns)
    }
    assert {table for table in holding if table.split(".")[0] in ("dw", "mart", "ops")} == {
        "dw.subscriber_identity",
        "ops.rejected_record",
    }
    assert all(CONTRACTS[table].restricted for table in holding if not table.startswith("ods."))


def test_every_column_called_msisdn_is_classified():
    for table in CONTRACTS.values():
        for column in table.columns:
            assert column.name not in ("msisdn", "other_party") or column.personal == "number"


def test_every_amount_has_a_unit():
    for table in CONTRACTS.values():
        for column in table.columns:
            assert column.data_type.name != "decimal" or column.unit in (
                "yuan",
                "share",
                "count",
                "square_metres",
                "metric",
            )


def test_full_loads_followed_by_changes_are_never_dropped():
    for table in (
        "ods.customer",
        "ods.subscriber",
        "ods.package_subscription",
        "ods.do_not_contact",
    ):
        assert CONTRACTS[table].retention_days is None


def test_what_was_decided_is_kept_in_sums_for_ever():
    decision = CONTRACTS["mart.decision"]
    assert decision.retention_days == 35
    assert str(decision.kept_longer) == "rows with fate pushed or held_out 400 days"
    for table in ("mart.decision_funnel", "mart.capacity_price"):
        assert CONTRACTS[table].retention_days is None


@pytest.fixture(scope="module")
def warehouse(spark, tmp_path_factory):
    """Every table, made and filled with its example row where a test reads it back."""
    root = tmp_path_factory.mktemp("shipped")
    for table in CONTRACTS.values():
        spark.sql(delta.create_table_sql(table, str(root / table.layer / table.name)))
    return root


@pytest.mark.parametrize("table", CONTRACTS)
def test_its_example_satisfies_its_own_rules(spark, table):
    one = CONTRACTS[table]
    frame = spark.createDataFrame([rendered.example_row(one)], rendered.struct_type(one))
    rules = rendered.row_rules(one, SETS)
    broken = frame.select(F.array(*[rule.violated for rule in rules])).first()[0]
    verdicts = zip(rules, broken, strict=True)
    assert [rule.reason for rule, verdict in verdicts if verdict is not False] == []


@pytest.mark.parametrize("table", CONTRACTS)
def test_other_readers_open_it(warehouse, table):
    one = CONTRACTS[table]
    opened = deltalake.DeltaTable(str(warehouse / one.layer / one.name))
    assert opened.protocol().min_reader_version == 1
    assert tuple(field.name for field in opened.schema().fields) == one.column_names


@pytest.mark.parametrize(
    "table", ["ods.voice_call", "dw.usage_month", "mart.decision", "push.web", "ops.run_ledger"]
)
def test_its_example_can_be_written_and_read_elsewhere(spark, warehouse, table):
    one = CONTRACTS[table]
    location = str(warehouse / one.layer / one.name)
    (
        spark.createDataFrame([rendered.example_row(one)], rendered.struct_type(one))
        .write.format("delta")
        .mode("append")
        .save(location)
    )
    rows = deltalake.DeltaTable(location).to_pyarrow_table().to_pylist()
    assert [{name: row[name] for name in one.key} for row in rows] == [
        {name: rendered.example_row(one)[name] for name in one.key}
    ]


def test_the_dictionary_has_a_chapter_per_domain_and_a_section_per_table():
    headings = [
        line for line in dictionary.markdown(CONTRACTS).splitlines() if line.startswith("###")
    ]
    domains = [line for line in headings if "." not in line]
    assert domains == [
        *(f"### ods/{one}" for one in ("billing", "contact", "crm", "ledger", "usage")),
        *(f"### dw/{one}" for one in ("contact", "customer", "usage")),
        *(f"### mart/{one}" for one in ("decision", "evaluation", "preference", "quote")),
    ]
    tables = [line.split(" ", 1)[1] for line in headings if "." in line]
    assert sorted(tables) == sorted(f"{one.table} {one.name_cn}" for one in CONTRACTS.values())
