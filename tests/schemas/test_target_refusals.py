"""A mistake in a target definition is refused with file, line and what to do."""

import pytest

from schemas import config, contract
from schemas.config.targeting.facts import (
    AMOUNT,
    COUNT,
    DAY,
    EVENTS_KNOWN,
    FACTS,
    FLAG,
    SET,
    TABLES,
    TEXT,
)
from schemas.config.targeting.target import Asked, described
from tests.given.paths import CONF as SHIPPED
from tests.given.paths import ROOT
from tests.given.small_configuration import CONF, edit, refusal, write

CONTRACTS = contract.load()
TYPES = {
    TEXT: {"string"},
    SET: {"string"},
    FLAG: {"boolean"},
    DAY: {"date", "timestamp"},
    COUNT: {"bigint", "smallint", "int"},
    AMOUNT: {"decimal"},
}
TARGET = """
id: payers
name_cn: 缴费客户
where:
  and:
    - CONDITION
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "conf", CONF)


def told(folder, condition):
    """What is said of a definition with this condition, without the name of the file.

    With all contracts, other files of the small configuration are refused too.
    """
    write(folder, {"targets/payers.yml": TARGET.replace("CONDITION", condition)})
    place = "conf/targets/payers.yml:6: "
    said = refusal(folder, contracts=CONTRACTS).splitlines()
    return "\n".join(line.removeprefix(place) for line in said if line.startswith(place))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "{fact: brnad, is: gotone}",
            "where.and[0].fact: unknown fact 'brnad', did you mean 'brand'?",
        ),
        (
            "{event: bill_rised, factor: '2', months: 3}",
            "where.and[0].event: unknown event 'bill_rised', did you mean 'bill_rise'?",
        ),
        (
            "{fact: brand, is: goton}",
            "where.and[0].is: unknown brand 'goton', did you mean 'gotone'?",
        ),
        (
            "{fact: brand, in: [gotone, esyown]}",
            "where.and[0].in[1]: unknown brand 'esyown', did you mean 'easyown'?",
        ),
        (
            "{fact: brand, at_least: 2}",
            "where.and[0].at_least: the fact 'brand' is text: compare it by is, in",
        ),
        (
            "{fact: contacts, within_days: 2}",
            "where.and[0].within_days: the fact 'contacts' is a number: compare it by is, in, "
            "at_least, at_most, above, below, between",
        ),
        ("{fact: brand, is: 7}", "where.and[0].is: expected text; got 7"),
        ("{fact: contacts, is: seven}", "where.and[0].is: expected a whole number; got 'seven'"),
        (
            "{fact: saving, at_least: 5}",
            'where.and[0].at_least: expected a decimal written as a string, like "5.00"; got 5',
        ),
        (
            "{fact: do_not_disturb, is: 'yes'}",
            "where.and[0].is: expected true or false; got 'yes'",
        ),
        (
            "{fact: contacts, between: [9, 3]}",
            "where.and[0].between: the interval is empty: 9 is above 3",
        ),
        (
            "{fact: saving, between: ['10', '9.99']}",
            "where.and[0].between: the interval is empty: 10 is above 9.99",
        ),
        (
            "{fact: join_date, between: [2009-05-01, 2009-04-30]}",
            "where.and[0].between: the interval is empty: 2009-05-01 is above 2009-04-30",
        ),
        (
            "{fact: join_date, between: [soon, 2009-04-30]}",
            "where.and[0].between[0]: expected a date like 2009-05-03; got 'soon'",
        ),
        (
            "{fact: join_date, within_days: 0}",
            "where.and[0].within_days: expected a number ≥ 1; got 0",
        ),
        (
            "{fact: contacts}",
            "where.and[0]: expected one comparison of the fact 'contacts', by is, in, at_least, "
            "at_most, above, below, between; got none",
        ),
        (
            "{fact: contacts, above: 1, below: 9}",
            "where.and[0]: expected one comparison of the fact 'contacts', by is, in, at_least, "
            "at_most, above, below, between; got above and below",
        ),
        (
            "{fact: recent_contacts, at_least: 3}",
            "where.and[0]: the key 'over_days' is missing: the fact 'recent_contacts' needs it",
        ),
        (
            "{fact: mean_bill, at_least: '80'}",
            "where.and[0]: the key 'over_months' is missing: the fact 'mean_bill' needs it",
        ),
        (
            "{fact: contacts, over_days: 30, at_least: 3}",
            "where.and[0].over_days: the fact 'contacts' has no key 'over_days'; known: fact, of, "
            "is, in, at_least, at_most, above, below, between",
        ),
        (
            "{fact: contacts, of: {chanel: [hall]}, at_least: 3}",
            "where.and[0].of.chanel: unknown column 'chanel', did you mean 'channel'?",
        ),
        (
            "{fact: contacts, of: {channel: [hall, hal]}, at_least: 3}",
            "where.and[0].of.channel[1]: unknown channel 'hal', did you mean 'hall'?",
        ),
        (
            "{fact: recent_contacts, of: {business_code: [paiment]}, over_days: 9, at_least: 3}",
            "where.and[0].of.business_code[0]: unknown business_code 'paiment', did you mean "
            "'payment'?",
        ),
        (
            "{fact: offers_made, of: {class: [marketin]}, over_days: 9, at_least: 3}",
            "where.and[0].of.class[0]: unknown class 'marketin', did you mean 'marketing'?",
        ),
        (
            "{fact: answers, of: {campaign_id: [savin]}, over_days: 9, at_least: 3}",
            "where.and[0].of.campaign_id[0]: unknown campaign_id 'savin', did you mean 'saving'?",
        ),
        (
            "{fact: usage_quantity, of: {service: [voice, sms]}, over_days: 30, above: 10}",
            "where.and[0]: name one service in 'of': several have no unit in common",
        ),
        (
            "{fact: packages, in: [gprs_standart]}",
            "where.and[0].in[0]: unknown package_id 'gprs_standart', did you mean 'gprs_standard'?",
        ),
        (
            "{event: roaming_without, roaming: [abroad], packages: [gprs_standard], "
            "within_days: 9}",
            "where.and[0].roaming[0]: unknown roaming 'abroad'; known: home, intra_prov, "
            "inter_prov, hkmotw, intl, unknown",
        ),
        (
            "{event: tariff_contact, within_days: 9}",
            "where.and[0]: the key 'businesses' is missing: the event 'tariff_contact' needs it",
        ),
        (
            "{event: bill_fall, factor: '0', months: 3}",
            "where.and[0].factor: expected a factor above 0",
        ),
        (
            "{event: bill_fall, factor: '0.5', months: 3, times: 2}",
            "where.and[0].times: the event 'bill_fall' has no key 'times'; known: event, factor, "
            "months",
        ),
        (
            "{fact: contacts, event: bill_rise}",
            "where.and[0]: expected one of and, or, not, fact, event in a condition; got fact and "
            "event",
        ),
        (
            "{over_days: 3}",
            "where.and[0]: expected one of and, or, not, fact, event in a condition; got over_days",
        ),
        (
            "{or: [{fact: brand, is: gotone}], fact: brand}",
            "where.and[0]: expected one of and, or, not, fact, event in a condition; got or and "
            "fact",
        ),
        ("{or: []}", "where.and[0].or: expected at least 1 of them; got []"),
        (
            "{not: {fact: brnad, is: gotone}}",
            "where.and[0].not.fact: unknown fact 'brnad', did you mean 'brand'?",
        ),
        (
            "{fakt: brand, is: gotone}",
            "where.and[0].fakt: unknown key, did you mean 'fact'?",
        ),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(folder, condition, message):
    assert told(folder, condition) == message


def test_the_file_of_a_target_bears_its_id(folder):
    text = TARGET.replace("CONDITION", "{fact: brand, is: gotone}")
    write(folder, {"targets/other.yml": text})
    assert refusal(folder) == (
        "conf/targets/other.yml:2: id: expected 'other', the name of the file; got 'payers'"
    )


def test_a_campaign_names_a_target_that_is_there(folder):
    write(folder, {"targets/payers.yml": TARGET.replace("CONDITION", "{fact: brand, is: gotone}")})
    edit(folder, "campaigns/saving.yml", "wave: 1", "wave: 1\ntarget: payer")
    assert refusal(folder).endswith("target: unknown target 'payer', did you mean 'payers'?")


def test_a_target_that_a_later_folder_takes_away_is_missed_by_its_campaign(folder, tmp_path):
    write(folder, {"targets/payers.yml": TARGET.replace("CONDITION", "{fact: brand, is: gotone}")})
    edit(folder, "campaigns/saving.yml", "wave: 1", "wave: 1\ntarget: payers")
    assert config.load([folder]).campaigns["saving"].target == "payers"
    own = write(tmp_path / "own", {"overlay.yml": "targets: {keep: none}\n"})
    said = refusal(folder, own)
    assert "target: unknown target 'payers': own/overlay.yml:1" in said


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_a_column_of_its_contract(name):
    fact = FACTS[name]
    found = CONTRACTS[fact.table]
    columns = [found.column(one.strip()) for one in fact.column.split(",")]
    if fact.how in ("count", "distinct"):
        assert fact.type == COUNT
    else:
        assert columns[0].data_type.name in TYPES[fact.type]
    if fact.how == "set":
        assert fact.type == SET
    assert fact.owner in found.column_names
    joined = TABLES[fact.table].joined
    known = {*found.column_names, *(CONTRACTS[joined].column_names if joined else ())}
    assert set(fact.narrowed_by) <= known
    assert not fact.day or found.column(fact.day).data_type.name in TYPES[DAY]
    assert set(fact.one_of) <= set(fact.narrowed_by)


def test_all_facts_of_a_table_belong_to_one_owner_and_one_day():
    for table in {fact.table for fact in FACTS.values()}:
        facts = [fact for fact in FACTS.values() if fact.table == table]
        assert len({fact.owner for fact in facts}) == 1
        assert len({fact.day for fact in facts}) == 1


def test_events_are_made_of_facts():
    for event in EVENTS_KNOWN.values():
        assert set(event.facts) <= set(FACTS)


def test_the_shipped_targets_say_what_they_ask():
    targets = config.load([SHIPPED], CONTRACTS).targets
    asked = {one.target for one in config.load([SHIPPED], CONTRACTS).campaigns.values()}
    assert set(targets) == {*asked, "tariff_savers"} - {None}
    assert [described(one) for one in targets["tariff_savers"].steps] == [
        "status is active",
        "saving at least 5.00",
        "join_date at least days ago 90",
    ]
    assert targets["bill_shock"].asked == (
        Asked("status"),
        Asked("last_bill"),
        Asked("bills_before", over_months=3),
    )
    assert targets["roamers"].tables == (
        "dw.subscriber",
        "dw.usage_day",
        "dw.rating_cell",
        "dw.subscription",
    )


def test_a_target_may_name_a_package_that_a_later_folder_took_away(folder, tmp_path):
    held = "{not: {fact: packages, in: [gprs_5]}}"
    write(folder, {"targets/payers.yml": TARGET.replace("CONDITION", held)})
    more = CONF["tariffs/gprs_standard.yml"].replace("gprs_standard", "gprs_5")
    write(folder, {"tariffs/gprs_5.yml": more})
    own = write(tmp_path / "own", {"tariffs/gprs_5.yml": ""})
    assert "payers" in config.load([folder, own]).targets


def test_the_manual_names_every_fact_and_event():
    page = (ROOT / "docs" / "targets.md").read_text(encoding="utf-8")
    listed = page.split("## Facts")[1]
    assert [name for name in (*FACTS, *EVENTS_KNOWN) if f"`{name}`" not in listed] == []
