"""The configuration loader: overlays, references between files, fingerprint."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas import config
from tests.given.paths import CONF as SHIPPED
from tests.given.small_configuration import edit, refusal, write


def test_values_arrive_as_the_types_that_the_program_computes_with(folder):
    conf = config.load([folder])
    assert conf.channels["hall"].unit_cost == Decimal("5.31")
    assert conf.channels["hall"].push.mode == "0600"
    assert conf.channels["web"].push is None
    assert conf.policy.rating.min_saving == Decimal("5.00")
    assert conf.policy.bill_items["local_voice"].kind == "voice"
    assert conf.campaigns["saving"].channels == ("hall",)
    assert conf.services["payment"].type == "payment"
    source = conf.sources["complaint"]
    assert source.timezone == "Asia/Shanghai"
    assert source.format.encoding == "utf-8"
    assert source.rejects.stop_share == Decimal("0.05")
    assert source.files.control is None


def test_channels_stand_in_their_order(folder):
    assert list(config.load([folder]).channels) == ["web", "hall"]


def test_a_campaign_is_in_force_on_its_first_day_and_no_longer_on_its_end(folder):
    saving = config.load([folder]).campaigns["saving"]
    assert [
        saving.valid_on(date(2009, month, day)) for month, day in ((4, 30), (5, 1), (7, 31), (8, 1))
    ] == [False, True, True, False]


def test_a_tariff_keeps_its_lines(folder):
    tariff = config.load([folder]).tariffs["gprs_standard"]
    assert tariff.data["rules"][0]["rate"] == "0.03"
    assert tariff.problem(("rules", 0, "rate"), "too dear") == (
        "conf/tariffs/gprs_standard.yml:11: rules[0].rate: too dear"
    )


@pytest.mark.parametrize(
    ("cadence", "due"),
    [
        ("daily", [True, True, True]),
        ("{monthly: 31}", [True, False, False]),  # February: on its last day
        ("{on: [2009-03-01]}", [False, True, False]),
    ],
)
def test_a_delivery_is_due_by_the_cadence_of_its_source(folder, cadence, due):
    edit(folder, "sources.yml", "cadence: daily", f"cadence: {cadence}")
    found = config.load([folder]).sources["complaint"].cadence
    days = (date(2009, 2, 28), date(2009, 3, 1), date(2009, 3, 2))
    assert [found.due(day) for day in days] == due


# Overlays ----------------------------------------------------------------------------------------


def test_an_overlay_merges_maps_by_id_and_replaces_lists(folder, tmp_path):
    local = write(
        tmp_path / "local",
        {
            "channels.yml": "hall: {capacity: 7, push: {columns: [msisdn]}}\n"
            'wap: {name_cn: 掌上营业厅, order: 3, unit_cost: "0.03"}\n'
        },
    )
    channels = config.load([folder, local]).channels
    assert channels["hall"].capacity == 7
    assert channels["hall"].unit_cost == Decimal("5.31")
    assert channels["hall"].push.columns == ("msisdn",)
    assert channels["hall"].push.file == "hall_{yyyymmdd}.csv"
    assert list(channels) == ["web", "hall", "wap"]


def test_null_in_an_overlay_takes_an_entry_away(folder, tmp_path):
    local = write(tmp_path / "local", {"sources.yml": "complaint: null\n"})
    assert dict(config.load([folder, local]).sources) == {}


def test_a_problem_names_the_file_that_holds_it(folder, tmp_path):
    local = write(tmp_path / "local", {"channels.yml": "\nhall: {capcity: 7}\n"})
    assert refusal(folder, local) == (
        "local/channels.yml:2: hall.capcity: unknown key, did you mean 'capacity'?"
    )


def test_a_folder_that_is_not_there_is_refused(folder):
    assert refusal(folder, Path("conf/nowhere")) == (
        "conf/nowhere: no such configuration folder: check --conf"
    )


def test_a_missing_policy_stops(folder):
    (folder / "policy.yml").unlink()
    assert refusal(folder) == "conf: no file policy.yml: every configuration needs one"


def test_a_file_that_nothing_reads_is_refused(folder):
    write(folder, {"chanels.yml": "hall: {}\n"})
    assert refusal(folder) == "conf/chanels.yml: unknown file, did you mean 'channels.yml'?"


# Refusals ----------------------------------------------------------------------------------------


def test_the_problems_of_all_files_come_together(folder):
    edit(folder, "runtime.yml", "timezone:", "timezon:")
    edit(folder, "channels.yml", '"5.31"', "5.31")
    edit(folder, "tariffs/gprs_standard.yml", "kind: gprs", "kind: fax")
    assert [line.split(":")[0] for line in refusal(folder).splitlines()] == [
        "conf/runtime.yml",
        "conf/channels.yml",
        "conf/tariffs/gprs_standard.yml",
    ]


# Tariffs -----------------------------------------------------------------------------------------


def without_bill_items(contracts) -> dict:
    return {name: one for name, one in contracts.items() if name != "ods.bill_item"}


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "sources.yml",
            "record: ods.complaint",
            "record: ods.complant",
            "conf/sources.yml:3: complaint.record: no contract for 'ods.complant', "
            "did you mean 'ods.complaint'?",
        ),
        (
            "sources.yml",
            "    msisdn: number",
            "    msisd: number",
            "conf/sources.yml:15: complaint.mapping.msisd: ods.complaint has no column 'msisd', "
            "did you mean 'msisdn'?",
        ),
        (
            "sources.yml",
            "    msisdn: number",
            "    local_date: number",
            "conf/sources.yml:15: complaint.mapping.local_date: the ingest fills this column: "
            "leave it out",
        ),
        (
            "sources.yml",
            '    complaint_no: "no"\n',
            "",
            "conf/sources.yml:13: complaint.mapping: the required column 'complaint_no' of "
            "ods.complaint is missing",
        ),
        (
            "sources.yml",
            '"1": tariff',
            '"1": tarif',
            "conf/sources.yml:12: complaint.codes.complaint_type.1: the contract does not allow "
            "'tarif', did you mean 'tariff'?",
        ),
        (
            "sources.yml",
            '"1": tariff',
            '"1": tariff, otherwise: unknown',
            "conf/sources.yml:12: complaint.codes.complaint_type.otherwise: the contract does not "
            "allow 'unknown'; known: tariff, network, sp, service, marketing_sms, other",
        ),
        (
            "sources.yml",
            '"1": tariff}',
            '"1": tariff}\n    occurred_at: {"1": x, otherwise: unknown}',
            "conf/sources.yml:13: complaint.codes.occurred_at.otherwise: a code can be unknown "
            "only where the contract lists the allowed values: leave it out",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  absent: {complaint_type: ['0']}\n  mapping:\n",
            "conf/sources.yml:13: complaint.absent.complaint_type: the column is required, so that "
            "a row without a value is rejected: leave it out",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  unreadable: {occurred_at: warn}\n  mapping:\n",
            "conf/sources.yml:13: complaint.unreadable.occurred_at: the column is required, so "
            "that a row without a value is rejected: leave it out",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  unreadable: {msisdn: warn}\n  mapping:\n",
            "conf/sources.yml:13: complaint.unreadable.msisdn: text is taken as it is, all of it "
            "is readable: leave it out",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  unreadable: {closed_at: absent}\n  mapping:\n    closed_at: start_time\n",
            "conf/sources.yml:13: complaint.unreadable.closed_at: the column is taken as it is, "
            "and empty only where the file is: leave it out",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  absent: {closed_at: ['-']}\n  mapping:\n    closed_at: \"timestamp'2009-05-03'\"\n",
            "conf/sources.yml:13: complaint.absent.closed_at: the mapping reads no column of the "
            "file: leave it out",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  rounding: {occurred_at: floor}\n  mapping:\n",
            "conf/sources.yml:13: complaint.rounding.occurred_at: only numbers are rounded, the "
            "column is of type timestamp",
        ),
        (
            "sources.yml",
            "厅: hall",
            "厅: hal",
            "conf/sources.yml:11: complaint.codes.channel.厅: the contract does not allow 'hal', "
            "did you mean 'hall'?",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: savings\n  months: 3",
            "conf/policy.yml:5: rating.priority: mart.package_match has no column 'savings' to "
            "rank by, did you mean 'saving'?",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: mean_cost - customer_no\n  months: 3",
            "conf/policy.yml:5: rating.priority: mart.package_match has no column 'customer_no' "
            "to rank by; known: package_id, kind, packages, new_packages, basis, months, "
            "idle_months, mean_present_cost, mean_cost, saving, months_won, worst_month_cost, "
            "regret, income_change, usage_change, …",
        ),
        (
            "channels.yml",
            "[msisdn, script]",
            "[msisdn, scrpt]",
            "conf/channels.yml:7: hall.push.columns[1]: push.hall has no column 'scrpt', "
            "did you mean 'script'?",
        ),
    ],
)
def test_names_of_tables_and_columns_are_checked_against_the_contracts(
    folder, contracts, name, old, new, message
):
    edit(folder, name, old, new)
    assert refusal(folder, contracts=without_bill_items(contracts)) == message


def test_a_pushed_channel_needs_a_contract(folder, contracts):
    edit(
        folder,
        "channels.yml",
        'unit_cost: "0.05"}',
        'unit_cost: "0.05", capacity: 0, push: {file: web.csv, columns: [msisdn]}}',
    )
    edit(
        folder,
        "policy.yml",
        'open_from: "08:00", open_to: "20:00"}',
        'contact_at: "08:00", listed_for: 7d, report_within: 2d}',
    )
    fewer = {name: one for name, one in without_bill_items(contracts).items() if name != "push.web"}
    assert refusal(folder, contracts=fewer) == (
        "conf/channels.yml:8: web.push: a pushed channel needs the contract push.web"
    )


def test_every_bill_item_needs_a_treatment_and_no_other_has_one(folder, contracts):
    edit(folder, "policy.yml", "local_voice:", "local_voce:")
    lines = refusal(folder, contracts=contracts).splitlines()
    assert lines[0] == (
        "conf/policy.yml:15: bill_items.local_voce: unknown bill item, did you mean 'local_voice'?"
    )
    assert "conf/policy.yml:14: bill_items: the bill item 'vas' has no treatment" in lines


@pytest.mark.parametrize(
    ("item", "treatment", "message"),
    [
        (
            "info",
            "passed",
            "its fee is taken from the detail records: write treatment records, or it "
            "is counted twice",
        ),
        (
            "d12593",
            "rerated, kind: voice",
            "its fee is taken from the detail records: write treatment "
            "records, or it is counted twice",
        ),
        (
            "vas",
            "records",
            "the detail records do not hold its fee: write treatment rerated or passed",
        ),
    ],
)
def test_a_fee_is_counted_once(folder, item, treatment, message):
    """Either from the records or from the bill, under any policy (S2-R5, S2-R6, S2-R7)."""
    edit(
        folder,
        "policy.yml",
        "  toll_voice:",
        f"  {item}: {{treatment: {treatment}}}\n  toll_voice:",
    )
    assert refusal(folder) == f"conf/policy.yml:16: bill_items.{item}: {message}"


# Fingerprint -------------------------------------------------------------------------------------


def test_the_fingerprint_does_not_depend_on_the_order_of_keys_or_on_where_a_value_stands(
    folder, tmp_path
):
    before = config.load([folder]).fingerprint
    edit(folder, "channels.yml", "  order: 2\n", "")
    edit(folder, "channels.yml", "  capacity: 400\n", "")
    local = write(tmp_path / "local", {"channels.yml": "hall: {capacity: 400, order: 2}\n"})
    assert config.load([folder, local]).fingerprint == before


def test_a_default_written_out_leaves_the_fingerprint(folder):
    before = config.load([folder]).fingerprint
    edit(folder, "sources.yml", '{delimiter: "|"}', '{encoding: utf-8, delimiter: "|"}')
    assert config.load([folder]).fingerprint == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("runtime.yml", "a-key-for-the-tests", "another-key-for-them"),
        ("sources.yml", "msisdn: number", "msisdn: upper(number)"),
        ("channels.yml", "capacity: 400", "capacity: 401"),
        ("channels.yml", "[msisdn, script]", "[script, msisdn]"),
        ("services.yml", "true", "false"),
        ("policy.yml", '"5.00"', '"5.01"'),
        ("campaigns/saving.yml", "salt: s1", "salt: s2"),
        ("tariffs/gprs_standard.yml", '"0.03"', '"0.02"'),
    ],
)
def test_any_change_of_a_value_changes_the_fingerprint(folder, name, old, new):
    before = config.load([folder]).fingerprint
    edit(folder, name, old, new)
    assert config.load([folder]).fingerprint != before


# Expressions -------------------------------------------------------------------------------------


def test_the_shipped_configuration_agrees_with_the_contracts(contracts):
    conf = config.load([SHIPPED], contracts)
    assert conf.channels["hall"].unit_cost == Decimal("5.31")  # 7-01
    assert conf.channels["hotline_outbound"].unit_cost == Decimal("2")
    assert conf.channels["hotline_outbound"].known_as == "hotline"
    assert "campaign" in {service.type for service in conf.services.values()}


def test_an_expression_may_use_the_number_of_the_line(folder):
    edit(folder, "sources.yml", 'complaint_no: "no"', "complaint_no: \"concat('L', _row)\"")
    mapping = config.load([folder]).sources["complaint"].mapping
    assert mapping["complaint_no"] == "concat('L', _row)"
