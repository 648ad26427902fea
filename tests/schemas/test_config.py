"""The configuration loader: overlays, references, refusals with file and line, fingerprint."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas import config, contract
from schemas.config.expression import columns_of, functions_of
from schemas.errors import ConfigError

CONF = {
    "runtime.yml": """
timezone: Asia/Shanghai
identity_key: a-key-for-the-tests
spark: {conf: spark/local.conf}
parallel: {steps: 1, files_per_day: 1}
""",
    "sources.yml": """
complaint:
  record: ods.complaint
  name_cn: 投诉
  system: crm
  cadence: daily
  files: {folder: "{source}/{data_date}", pattern: "complaint_{yyyymmdd}.txt"}
  format: {delimiter: "|"}
  columns: [no, number, start_time, channel, kind]
  codes:
    channel: {厅: hall}
    complaint_type: {"1": tariff}
  mapping:
    complaint_no: "no"
    msisdn: number
    channel: channel
    complaint_type: kind
    occurred_at: "try_to_timestamp(start_time, 'yyyyMMddHHmmss')"
""",
    "channels.yml": """
hall:
  name_cn: 自营厅
  order: 2
  unit_cost: "5.31"
  capacity: 400
  push: {file: "hall_{yyyymmdd}.csv", columns: [msisdn, script]}
web: {name_cn: 网站营业厅, order: 1, unit_cost: "0.05"}
""",
    "services.yml": "payment: {name_cn: 缴费充值, type: payment, standard: true}\n",
    "policy.yml": """month_close: {day: 3}
calendar: {holidays: [2009-01-01]}
rating:
  session_gap_hours: 24
  months: 3
  keep_packages: 10
  vpmn_rent_mode: add
  toll_rerated: ip_only
  default_package: {gprs: gprs_standard}
  tolerance: "0.01"
  min_saving: "5.00"
  min_months_won: 2
  bill_shock: "0.10"
bill_items:
  local_voice: {treatment: rerated, kind: voice}
  toll_voice: {treatment: records}
preference: {frequent_above: 10, kinds: [enquiry, complaint]}
contact: {placeholders: ["", "0"]}
""",
    "campaigns/saving.yml": """
id: saving
name_cn: 资费优惠推荐
type: tariff
valid: {from: 2009-05-01, to: 2009-08-01}
channels: [hall]
wave: 1
priority: 1
control_share: "0.10"
salt: s1
horizon_months: 3
valid_days: 30
script: "{package_name} 省 {saving}"
""",
    "tariffs/gprs_standard.yml": """
id: gprs_standard
name: GPRS标准资费
kind: gprs
brands: [gotone]
source: assumed
valid: {from: 2009-01-01, to: 2010-01-01}
monthly_fee: "0"
partial_month: none
rules:
  - {component: volume, rate: "0.03", per: 1KB, increment: [1KB, 1024]}
rounding: {at: none}
""",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small sound configuration in `conf` below the current folder."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "conf", CONF)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def refusal(folder: Path, *more: Path, contracts=None) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load([folder, *more], contracts)
    return str(caught.value)


@pytest.fixture(scope="session")
def contracts():
    return contract.load()


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


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "sources.yml",
            "files: {folder:",
            "fils: {folder:",
            "conf/sources.yml:7: complaint.fils: unknown key, did you mean 'files'?",
        ),
        (
            "runtime.yml",
            "Asia/Shanghai",
            "Asia/Beijing",
            "conf/runtime.yml:2: timezone: unknown time zone 'Asia/Beijing': write one like "
            "Asia/Shanghai",
        ),
        (
            "tariffs/gprs_standard.yml",
            '"0.03"',
            "0.03",
            "conf/tariffs/gprs_standard.yml:11: rules[0].rate: prices are written as strings: "
            '"0.03"',
        ),
        (
            "sources.yml",
            '"1": tariff',
            '"1": tariff, otherwise: tariff',
            "conf/sources.yml:12: complaint.codes.complaint_type.otherwise: expected 'unknown', "
            "or leave it out; got 'tariff'",
        ),
        (
            "sources.yml",
            '{"1": tariff}',
            "{otherwise: unknown}",
            "conf/sources.yml:12: complaint.codes.complaint_type.otherwise: list the known codes "
            "beside it",
        ),
        (
            "channels.yml",
            '"5.31"',
            "5.31",
            'conf/channels.yml:5: hall.unit_cost: prices are written as strings: "5.31"',
        ),
        (
            "channels.yml",
            "  capacity: 400\n",
            "",
            "conf/channels.yml:2: hall: a pushed channel needs 'capacity': write its contacts per "
            "day, 0 for none",
        ),
        (
            "channels.yml",
            "order: 1",
            "order: 2",
            "conf/channels.yml:8: web.order: 2 is already the order of 'hall': each channel needs "
            "its own",
        ),
        (
            "channels.yml",
            "hall_{yyyymmdd}",
            "hall_{yymmdd}",
            "conf/channels.yml:7: hall.push.file: unknown placeholder {yymmdd}, did you mean "
            "'yyyymmdd'?",
        ),
        (
            "campaigns/saving.yml",
            "[hall]",
            "[hal]",
            "conf/campaigns/saving.yml:6: channels[0]: unknown channel 'hal', did you mean 'hall'?",
        ),
        (
            "campaigns/saving.yml",
            "[hall]",
            "[web]",
            "conf/campaigns/saving.yml:6: channels[0]: the channel 'web' has no 'push' in "
            "channels.yml",
        ),
        (
            "campaigns/saving.yml",
            "[hall]",
            "[hall, hall]",
            "conf/campaigns/saving.yml:6: channels[1]: 'hall' is listed twice, first on line 6",
        ),
        (
            "campaigns/saving.yml",
            "{saving}",
            "{savings}",
            "conf/campaigns/saving.yml:13: script: unknown placeholder {savings}, did you mean "
            "'saving'?",
        ),
        (
            "campaigns/saving.yml",
            "{saving}",
            "{saving",
            "conf/campaigns/saving.yml:13: script: the braces do not match: '{package_name} 省 "
            "{saving'",
        ),
        (
            "campaigns/saving.yml",
            '"0.10"',
            '"1"',
            "conf/campaigns/saving.yml:9: control_share: expected 0 or more and less than 1; got 1",
        ),
        (
            "campaigns/saving.yml",
            "id: saving",
            "id: other",
            "conf/campaigns/saving.yml:2: id: expected 'saving', the name of the file; got 'other'",
        ),
        (
            "tariffs/gprs_standard.yml",
            "id: gprs_standard",
            "id: gprs_std",
            "conf/tariffs/gprs_standard.yml:2: id: expected 'gprs_standard', the name of the file; "
            "got 'gprs_std'",
        ),
        (
            "tariffs/gprs_standard.yml",
            "to: 2010-01-01",
            "to: 2009-01-01",
            "conf/tariffs/gprs_standard.yml:7: valid.to: expected a date after 2009-01-01 (the "
            "last day is not included); got 2009-01-01",
        ),
        (
            "policy.yml",
            "{gprs: gprs_standard}",
            "{gprs: gprs_standrd}",
            "conf/policy.yml:9: rating.default_package.gprs: no tariff 'gprs_standrd', "
            "did you mean 'gprs_standard'?",
        ),
        (
            "policy.yml",
            "{gprs: gprs_standard}",
            "{sms: gprs_standard}",
            "conf/policy.yml:9: rating.default_package.sms: the tariff 'gprs_standard' is of kind "
            "gprs, not sms",
        ),
        (
            "policy.yml",
            "rerated, kind: voice",
            "rerated, kind: talk",
            "conf/policy.yml:15: bill_items.local_voice.kind: expected one of voice, gprs, sms, "
            "mms, wlan; got 'talk'",
        ),
        (
            "policy.yml",
            "{treatment: rerated, kind: voice}",
            "{treatment: rerated}",
            "conf/policy.yml:15: bill_items.local_voice: a re-rated item needs 'kind': voice, "
            "gprs, sms, mms or wlan",
        ),
        (
            "policy.yml",
            "ip_only",
            "all",
            "conf/policy.yml:16: bill_items.toll_voice: direct long-distance calls are re-rated "
            "only if rating.toll_rerated is all: write treatment rerated with all, records with "
            "ip_only",
        ),
        (
            "policy.yml",
            "  months: 3",
            '  usage_elasticity: "0.1"\n  months: 3',
            "conf/policy.yml:5: rating.usage_elasticity: expected 0 to -5 with at most six "
            "decimals (usage does not grow with its price); got 0.1",
        ),
        (
            "policy.yml",
            "  months: 3",
            '  usage_elasticity: "-5.000001"\n  months: 3',
            "conf/policy.yml:5: rating.usage_elasticity: expected 0 to -5 with at most six "
            "decimals (usage does not grow with its price); got -5.000001",
        ),
        (
            "policy.yml",
            "  months: 3",
            '  usage_elasticity: "-0.0000001"\n  months: 3',
            "conf/policy.yml:5: rating.usage_elasticity: expected 0 to -5 with at most six "
            "decimals (usage does not grow with its price); got -1E-7",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: saving * RAND()\n  months: 3",
            "conf/policy.yml:5: rating.priority: 'rand' is not allowed in a priority; known: abs, "
            "array_contains, ceil, coalesce, floor, greatest, if, ifnull, least, nullif, nvl, "
            "round, size",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: if(current_date > valid, saving, 0)\n  months: 3",
            "conf/policy.yml:5: rating.priority: 'current_date' is not allowed in a priority; "
            "known: abs, array_contains, ceil, coalesce, floor, greatest, if, ifnull, least, "
            "nullif, nvl, round, size",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: (saving\n  months: 3",
            "conf/policy.yml:5: rating.priority: the parentheses do not match: (saving",
        ),
        (
            "sources.yml",
            "start_time, channel, kind]",
            "start_time, channel, kind, NO]",
            "conf/sources.yml:9: complaint.columns[5]: 'NO' is listed twice, first on line 9",
        ),
        (
            "sources.yml",
            "{source}/{data_date}",
            "{sourc}/{data_date}",
            "conf/sources.yml:7: complaint.files.folder: unknown placeholder {sourc}, "
            "did you mean 'source'?",
        ),
        (
            "sources.yml",
            "msisdn: number",
            "msisdn: nmber",
            "conf/sources.yml:15: complaint.mapping.msisdn: the file has no column 'nmber', "
            "did you mean 'number'?",
        ),
        (
            "sources.yml",
            "msisdn: number",
            'msisdn: "concat(number, \'x"',
            "conf/sources.yml:15: complaint.mapping.msisdn: a quote is not closed: concat(number, "
            "'x",
        ),
        (
            "sources.yml",
            "complaint_type: kind\n",
            "about_channel: kind\n",
            "conf/sources.yml:12: complaint.codes.complaint_type: the mapping does not fill the "
            "column of these codes, did you mean 'complaint_no'?",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  rejects: {warn_share: "0.2", stop_share: "0.1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.rejects: expected 0 ≤ warn_share ≤ stop_share ≤ 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  references: {warn_share: "0.2", stop_share: "0.1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.references: expected 0 ≤ warn_share ≤ stop_share ≤ 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  volume_band: {low: "1.1", high: "2", days: 28}\n  mapping:\n',
            "conf/sources.yml:13: complaint.volume_band: expected 0 ≤ low ≤ 1 ≤ high, as shares "
            "of the usual rows",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  late_share: "1.01"\n  mapping:\n',
            "conf/sources.yml:13: complaint.late_share: expected a share from 0 to 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  warn: {a reason: "nosuch = 1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.warn.a reason: the file has no column 'nosuch'; "
            "known: no, number, start_time, channel, kind",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            f'  warn: {{{"r" * 101}: "a = 1"}}\n  mapping:\n',
            f"conf/sources.yml:13: complaint.warn.{'r' * 101}: unknown key, expected a reason "
            "of at most 100 characters",
        ),
        (
            "sources.yml",
            'complaint_{yyyymmdd}.txt"}',
            'complaint_{yyyymmdd}.txt", control: "c.ctl", stable_s: 60}',
            "conf/sources.yml:7: complaint.files.stable_s: the control file already shows when "
            "the delivery is complete: leave this key out",
        ),
        (
            "sources.yml",
            'complaint_{yyyymmdd}.txt"}',
            'complaint_{yyyymmdd}.txt", rows_band: {low: "1.1", high: "2", days: 28}}',
            "conf/sources.yml:7: complaint.files.rows_band: expected 0 ≤ low ≤ 1 ≤ high, as "
            "shares of the usual rows",
        ),
        (
            "sources.yml",
            "  cadence: daily\n",
            "  cadence: daily\n  due_by: 5 o'clock\n",
            "conf/sources.yml:7: complaint.due_by: expected a time like 05:30; got '5 o'clock'",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{header: true}",
            "conf/sources.yml:8: complaint.format: the key 'delimiter' is missing: delimited "
            "needs it",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: fixed_width}",
            "conf/sources.yml:8: complaint.format: the key 'widths' is missing: fixed_width needs "
            "it",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: fixed_width, widths: [8, 11]}",
            "conf/sources.yml:8: complaint.format.widths: expected a width for each of the 5 "
            "columns; got 2",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: json_lines, encoding: gb18030}",
            "conf/sources.yml:8: complaint.format.encoding: json_lines has no 'encoding'; known: "
            "kind, compression",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: parquet, compression: gzip}",
            "conf/sources.yml:8: complaint.format.compression: parquet has no 'compression'; "
            "known: kind",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: excel}",
            "conf/sources.yml:8: complaint.format.kind: expected one of delimited, fixed_width, "
            "json_lines, parquet; got 'excel'",
        ),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_what_to_do(folder, name, old, new, message):
    edit(folder, name, old, new)
    assert refusal(folder) == message


def test_two_campaigns_in_force_at_once_need_an_order(folder):
    second = CONF["campaigns/saving.yml"].replace("id: saving", "id: more")
    write(folder, {"campaigns/more.yml": second})
    assert refusal(folder) == (
        "conf/campaigns/saving.yml:8: priority: 1 is also the priority of 'more', which is valid "
        "at the same time: give one of the two another priority"
    )
    after = second.replace("2009-05-01, to: 2009-08-01", "2009-08-01, to: 2009-09-01")
    write(folder, {"campaigns/more.yml": after})
    assert list(config.load([folder]).campaigns) == ["more", "saving"]


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

WHOLE_LANGUAGE = """
id: whole
name: 全部字段
kind: voice
brands: [gotone, mzone]
source: assumed
present_only: true
valid: {from: 2009-01-01, to: 2010-01-01}
monthly_fee: "58"
partial_month: half_month
pools:
  - id: local_min
    covers: {service: voice, direction: [mo, fwd], roaming: home, in_group: false, band: peak}
    components: [airtime, toll]
    amount: 260
    unit: 60s
    order: 1
    draw: base
    both: true
    carry_over: true
rules:
  - {component: airtime, match: {direction: mo, band: [peak, off_peak], day_type: workday},
     rate: "0.40", per: 60s, increment: [60, 60], pools: [local_min], connect: "0.1"}
  - {component: airtime, match: {roaming: [intl, hkmotw]},
     groups: [{start: 0s, rate: "1.2", per: 60s, increment: 60},
              {start: 60, rate: "0.6", per: 60s, increment: 1s}]}
  - {component: toll, match: {dial: ip17951, toll: [intra_prov, inter_prov]},
     rate: "0.07", per: 6s, increment: [6s, 6s], increment_at: month}
bands:
  peak: [{days: all, from: "08:00", to: "20:00"}, {days: [weekend], from: 20:00, to: 24:00}]
band_policy: split
tiers:
  - {component: airtime, mode: graduated, per: 60s, flat_at_zero: true,
     steps: [{up_to: 100, rate: "0.3", flat: "5"}, {up_to: null, rate: "0.2"}]}
caps: {voice: "500"}
min_commitment: "10"
rounding: {at: line, scale: 2, mode: half_even}
otherwise: pass_through
"""


def test_the_whole_language_of_tariffs_has_a_shape(folder):
    write(folder, {"tariffs/whole.yml": WHOLE_LANGUAGE})
    assert list(config.load([folder]).tariffs) == ["gprs_standard", "whole"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "dial: ip17951",
            "dial: ip17950",
            "27: rules[2].match.dial: expected one of direct, ip17951, ip12593; got 'ip17950', "
            "did you mean 'ip17951'?",
        ),
        (
            "match: {roaming:",
            "match: {roming:",
            "24: rules[1].match.roming: unknown key, did you mean 'roaming'?",
        ),
        (
            "per: 6s,",
            "per: 6,",
            "28: rules[2].per: expected a quantity with its unit: 60s, 1KB, 30MB, 1msg; got 6",
        ),
        ("[6s, 6s]", "[6s]", "28: rules[2].increment: expected at least 2 of them; got ['6s']"),
        (
            'rate: "0.07", per: 6s, increment',
            "increment",
            "27: rules[2]: expected rate, per and increment, or groups; got a map",
        ),
        (
            "to: 24:00",
            "to: 25:00",
            "30: bands.peak[1].to: expected a time of day like \"08:00\"; got '25:00'",
        ),
        ('flat: "5"', "flat: 5", '34: tiers[0].steps[0].flat: prices are written as strings: "5"'),
        ("caps: {voice:", "caps: {voce:", "35: caps.voce: unknown key, did you mean 'voice'?"),
    ],
)
def test_a_slip_in_a_tariff_is_refused_at_its_line(folder, old, new, message):
    write(folder, {"tariffs/whole.yml": WHOLE_LANGUAGE})
    edit(folder, "tariffs/whole.yml", old, new)
    assert refusal(folder) == f"conf/tariffs/whole.yml:{message}"


# Contracts ---------------------------------------------------------------------------------------


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
            "to rank by; known: package_id, kind, months, mean_present_cost, mean_cost, saving, "
            "months_won, worst_month_cost, regret, income_change, usage_change, expected_saving, "
            "expected_income_change, recommended, reasons",
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


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("start_time", ["start_time"]),
        ("'mo'", []),
        ("try_cast(fee as decimal(12,3)) * 0.001", ["fee"]),
        ("case when a = 'b' and c is not null then d else e end", ["a", "c", "d", "e"]),
        ("`Request ID`", ["Request ID"]),
        ("transform(split(x, ','), one -> upper(one))", ["x"]),
        ("regexp_replace(n, '^\\\\+86', '')", ["n"]),
        ("'it''s' || \"a b\" || f", ["f"]),
        ("timestamp_seconds(try_cast(t as bigint)) + interval 8 hours", ["t"]),
        ("element_at(parts, 1).name", ["parts"]),
    ],
)
def test_an_expression_names_the_columns_it_reads(expression, columns):
    assert columns_of(expression) == columns


@pytest.mark.parametrize(
    ("expression", "functions"),
    [
        ("saving", []),
        ("CASE WHEN kind IN ('voice', 'now()') THEN (saving) ELSE - Abs(saving) END", ["abs"]),
        (
            "cast(a AS decimal(18, 2)) + coalesce(b, uuid (), current_timestamp)",
            ["coalesce", "uuid", "current_timestamp"],
        ),
    ],
)
def test_an_expression_names_the_functions_it_calls(expression, functions):
    assert functions_of(expression) == functions


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("concat(a, 'b)", "a quote is not closed"),
        ("upper(a", "the parentheses do not match"),
        ("(select max(a) from b)", "a query is not a scalar expression"),
    ],
)
def test_an_expression_that_cannot_be_one_is_refused(expression, message):
    with pytest.raises(ValueError, match=message):
        columns_of(expression)


# The configuration of the project ----------------------------------------------------------------


def test_the_shipped_configuration_agrees_with_the_contracts(contracts):
    conf = config.load(contracts=contracts)
    assert [name for name, one in conf.channels.items() if one.push] == [
        "hall",
        "hotline",
        "sms",
        "web",
    ]
    assert conf.channels["hall"].unit_cost == Decimal("5.31")  # 7-01
    assert conf.channels["hotline"].unit_cost == Decimal("2")
    assert "campaign" in {service.type for service in conf.services.values()}
