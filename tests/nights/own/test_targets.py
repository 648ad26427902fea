"""The step and the command of target definitions, over the six customers' two days."""

import pytest

from jobs import targets
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import DAYS, overlay
from tests.readers.warehouse_reader import query

FIRST, DAY = DAYS
PEOPLE = "ingest.customer,ingest.subscriber,ingest.package_subscription,identity"
CAMPAIGN = """
id: welcome
name_cn: 老客户关怀
type: tariff
valid: {from: 2009-05-03, to: 2009-06-01}
channels: [sms]
target: long_held
wave: 2
priority: 3
control_share: "0"
salt: welcome
horizon_months: 3
acceptance: {sms: "0.01"}
valid_days: 30
script: "{package_name}"
"""
TARGET = """
id: long_held
name_cn: 老客户
where:
  and:
    - {fact: packages, is: gotone_58}
    - {fact: join_date, at_least_days_ago: 365}
    - {not: {fact: brand, is: mzone}}
"""


@pytest.fixture
def nights(tmp_path, conf):
    own = overlay(tmp_path / "conf", conf.sources)
    for folder, text in (("campaigns", CAMPAIGN), ("targets", TARGET)):
        (own / folder).mkdir()
        name = text.split()[1]
        (own / folder / f"{name}.yml").write_text(text, encoding="utf-8")
    made = TinyNights(tmp_path, conf.sources, own)
    made.landing.write_all()
    return made


def test_the_night_keeps_whom_a_campaign_is_for_and_the_command_counts_them(nights, capsys):
    assert nights.run(f"{PEOPLE},target", FIRST, DAY) == 0
    rows = query(
        nights.warehouse,
        """SELECT campaign_id, wave, count(*), count(DISTINCT t.customer_id),
                  bool_and(t.subscriber_ids = [s.subscriber_id]), min(entered_because)
           FROM t JOIN s USING (data_date, customer_id) GROUP BY 1, 2""",
        t="mart.target",
        s="dw.subscriber",
    )
    because = "packages is gotone_58; join_date at least days ago 365; not (brand is mzone)"
    assert rows == [("welcome", 2, 6, 6, True, because)]
    capsys.readouterr()
    assert targets.main(["long_held", "--data-date", str(DAY), *nights.where()]) == 0
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert said == [
        "long_held 老客户: 6 subscribers of 6 customers",
        "  condition                        alone  takes  subscribers  customers",
        "  all subscribers                      6      0            6          6",
        "  packages is gotone_58                6      0            6          6",
        "  join_date at least days ago 365      6      0            6          6",
        "  not (brand is mzone)                 6      0            6          6",
        "  branch      brand   subscribers  customers",
        "  海淀分公司  gotone            6          6",
        "",
    ]


def test_a_campaign_that_is_not_in_force_has_no_targets(nights):
    assert nights.run(f"{PEOPLE},target", FIRST, FIRST) == 0
    assert query(nights.warehouse, "SELECT count(*) FROM t", t="mart.target") == [(0,)]


def test_what_is_missing_is_told_in_one_line(nights, capsys):
    assert nights.run(PEOPLE, FIRST, DAY) == 0
    capsys.readouterr()
    options = ["--data-date", str(DAY), *nights.where()]
    assert targets.main(["long_hold", *options]) == 2
    said = capsys.readouterr().err
    assert said == "chudian: unknown target 'long_hold', did you mean 'long_held'?\n"
    assert targets.main(["bill_shock", *options]) == 4
    said = capsys.readouterr().err
    assert "targets: ods.bill from bill is not committed for 2009-05-03" in said
    assert said.count("\n") == 1
