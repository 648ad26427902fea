"""Campaigns of the shared night: whose customers a branch's pilot reaches, its money, its pages."""

import csv
from decimal import Decimal

import pytest

from schemas import config
from tests.given.one_night import CONF_FOLDERS
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import query

PILOT, BRANCH = "hall_pilot", "荆州分公司"


@pytest.fixture(scope="module")
def conf():
    return config.load(CONF_FOLDERS)


def branches(one_night, table, where):
    """The branches of the subscribers of some rows, each once."""
    return query(
        one_night.warehouse,
        f"SELECT DISTINCT s.branch FROM t JOIN s USING (subscriber_id) WHERE {where} "
        f"AND s.data_date = DATE '{LAST}'",
        t=table,
        s="dw.subscriber",
    )


def test_a_pilot_of_one_branch_offers_nothing_to_customers_of_another(one_night, conf):
    """Of the candidates whatever their fate, so that nobody of another branch can be pushed."""
    assert branches(one_night, "mart.decision", f"campaign_id = '{PILOT}'") == [(BRANCH,)]
    assert branches(one_night, "push.hall", f"campaign_id = '{PILOT}'") in ([], [(BRANCH,)])
    numbers = dict(
        query(
            one_night.warehouse,
            "SELECT i.msisdn, s.branch FROM i JOIN s USING (subscriber_id, data_date) "
            f"WHERE data_date = DATE '{LAST}' AND i.valid_to IS NULL",
            i="dw.subscriber_identity",
            s="dw.subscriber",
        )
    )
    push = conf.channels["hall"].push
    (path,) = (one_night.push / "hall" / LAST).glob("*.csv")
    with path.open(encoding=push.encoding, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["campaign_id"] == PILOT]
    assert {numbers[row["msisdn"]] for row in rows} <= {BRANCH}
    asked = {row["questionnaire"] for row in rows}
    assert len(asked) <= 1
    assert all(text.startswith("1.您是否愿意了解该业务（") for text in asked)


def test_money_of_campaigns_adds_up_to_what_their_files_hold(one_night, conf):
    """Unit cost times rows of each push table: no receipt of the night's files is in yet."""
    for name in (PILOT, "hsdpa_card"):
        cost = Decimal(0)
        for channel in conf.campaigns[name].every_channel:
            ((rows,),) = query(
                one_night.warehouse,
                f"SELECT count(*) FROM t WHERE campaign_id = '{name}'",
                t=f"push.{channel}",
            )
            cost += rows * conf.channels[channel].unit_cost
        found = query(
            one_night.warehouse,
            "SELECT budget, actual, contact_cost, overspent FROM m "
            f"WHERE campaign_id = '{name}' AND cost_kind = 'commission'",
            m="mart.campaign_money",
        )
        budget = conf.campaigns[name].cost_targets["commission"]
        assert found == [(budget, cost, cost or None, False)]


def test_deposits_are_the_sums_of_the_applications(one_night):
    found = query(
        one_night.warehouse,
        "SELECT applied, approved, actual FROM m "
        "WHERE campaign_id = 'spring_2009' AND cost_kind = 'gift_deposit'",
        m="mart.campaign_money",
    )
    approved = "state IN ('approved', 'granted')"
    assert found == query(
        one_night.warehouse,
        f"SELECT sum(amount), sum(amount) FILTER ({approved}), sum(granted) FROM g "
        "WHERE campaign_id = 'spring_2009'",
        g="ods.gift_deposit",
    )


def test_pages_of_campaigns_and_channels_stand_beside_the_report(one_night):
    docs = one_night.warehouse / "_docs"
    report = (docs / f"report_{LAST}.html").read_text(encoding="utf-8")
    for name, words in (
        ("campaigns", ("厅台精细化营销试点", "cost against target", "questionnaire", "<svg")),
        ("channels", ("Files and load", "hotline_outbound", "Receipts of the last days")),
    ):
        assert f'href="{name}_{LAST}.html"' in report
        text = (docs / f"{name}_{LAST}.html").read_text(encoding="utf-8")
        assert all(word in text for word in words)
