"""A small sound configuration for tests of the loader, and its refusals."""

from pathlib import Path

import pytest

from schemas import config
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
    "metrics.yml": """
complaint_rate:
  name_cn: 投诉率
  name_en: The complaint rate
  unit: customer
  numerator: {table: dw.contact_event, at: local_date, take: any, where: {kind: complaint}}
  denominator: assigned
  window_days: 30
  direction: down
  role: guardrail
  margin: "0.005"
""",
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
contacts:
  proof_kept_days: 150
  hold_out: {share: "0.02", salt: all, classes: [marketing]}
  classes:
    service: {kinds: [enquiry, complaint, transaction, query], campaign_types: [], limited: false,
              counts: false, consent: allowed}
    marketing: {kinds: [care, marketing], limited: true, counts: true, consent: refused,
                campaign_types: [tariff, offload, personal, care, retention]}
  ways:
    pull: {limited: true, counts: true, a_night: 1}
  channels:
    hall: {way: pull, contact_at: "09:00", listed_for: 7d, report_within: 2d}
    web: {way: pull, open_from: "08:00", open_to: "20:00"}
  caps:
    prompt: {limit: 2, per: 7d}
  rests: {}
  families: {}
  exclusive: {}
  sequences: {}
  sensitivity: {}
value:
  acceptance_weight: 100
  stay_bonus: "0.05"
  channel_rule:
    high_value_from: "50"
    high_value: {preference: "1", cost: "1"}
    ordinary: {preference: "0", cost: "1"}
  exploration: {share: "0.01", salt: explore}
resources: {branches: {}, minutes: {}, budgets: {}}
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
acceptance: {hall: "0.1"}
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
