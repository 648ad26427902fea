"""A source that feeds several tables: what its entries may say, and what is refused."""

import pytest

from schemas import config
from schemas.config.mapping.source_fingerprint import source_fingerprint
from tests.given.small_configuration import edit, refusal, write

SOURCES = """
usage:
  name_cn: 使用
  system: boss
  cadence: daily
  files: {folder: "{source}", pattern: "usage_{yyyymmdd}.csv"}
  format: {delimiter: ","}
  columns: [no, number, at, seconds, bytes]
  records:
    - record: ods.voice_call
      when: "seconds is not null"
      mapping: {call_no: "no", msisdn: number}
      codes: {direction: {O: mo, otherwise: unknown}}
      parts: none
    - record: ods.data_session
      mapping: {session_no: "no", bytes_up: bytes}
      exclude: {a test call: "number = '1'"}
      parts: none
"""


@pytest.fixture
def usage(folder):
    edit_codes = SOURCES.replace("codes: {direction: {O: mo, otherwise: unknown}}\n      ", "")
    return write(folder, {"sources.yml": edit_codes})


def test_a_source_is_read_into_each_of_its_tables(usage):
    source = config.load([usage]).sources["usage"]
    voice, data = source.records
    assert source.tables == ("ods.voice_call", "ods.data_session")
    assert (voice.mapping, data.mapping) == (
        {"call_no": "no", "msisdn": "number"},
        {"session_no": "no", "bytes_up": "bytes"},
    )
    assert (voice.when, data.when) == ("seconds is not null", None)
    assert (voice.exclude, data.exclude) == ({}, {"a test call": "number = '1'"})
    assert (voice.parts, data.parts) == ("none", "none")
    assert voice.columns == data.columns == ("no", "number", "at", "seconds", "bytes")
    assert source.into("ods.data_session") == data


def test_what_an_entry_takes_belongs_to_how_its_table_is_read_and_to_no_other(usage, contracts):
    def readings():
        conf = config.load([usage])
        sets = {"channels": [], "packages": [], "businesses": []}
        return [
            source_fingerprint(one, contracts[one.record], sets)
            for one in conf.sources["usage"].records
        ]

    before = readings()
    edit(usage, "sources.yml", "seconds is not null", "seconds <> '0'")
    after = readings()
    assert after[0] != before[0]
    assert after[1] == before[1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  columns: [no",
            "  mapping: {call_no: 'no'}\n  columns: [no",
            "conf/sources.yml:8: usage.mapping: unknown key, expected it in each entry of "
            "'records', not beside them",
        ),
        (
            '      when: "seconds is not null"\n',
            '      whn: "seconds is not null"\n',
            "conf/sources.yml:11: usage.records[0].whn: unknown key, did you mean 'when'?",
        ),
        (
            '"seconds is not null"',
            '"secnds is not null"',
            "conf/sources.yml:11: usage.records[0].when: the file has no column 'secnds', did you "
            "mean 'seconds'?",
        ),
        (
            '"seconds is not null"',
            '"seconds <> \'"',
            "conf/sources.yml:11: usage.records[0].when: a quote is not closed: seconds <> '",
        ),
        (
            "msisdn: number",
            "msisdn: nmber",
            "conf/sources.yml:12: usage.records[0].mapping.msisdn: the file has no column 'nmber', "
            "did you mean 'number'?",
        ),
        (
            "record: ods.data_session",
            "record: ods.voice_call",
            "conf/sources.yml:14: usage.records[1].record: a source feeds a table once; "
            "ods.voice_call is fed already, on line 10",
        ),
        (
            "      exclude: {a test call: \"number = '1'\"}\n      parts: none\n",
            "",
            "conf/sources.yml:14: usage.records[1].record: expected parts: none, because the "
            "source feeds several tables of usage; got add",
        ),
        (
            "'1'\"}\n      parts: none",
            "'1'\"}\n      parts: cumulative",
            "conf/sources.yml:17: usage.records[1].parts: expected parts: none, because the source "
            "feeds several tables of usage; got cumulative",
        ),
        (
            '      mapping: {session_no: "no", bytes_up: bytes}\n',
            "",
            "conf/sources.yml:14: usage.records[1]: the key 'mapping' is missing",
        ),
    ],
)
def test_a_mistake_of_an_entry_is_refused_with_its_line(usage, old, new, message):
    edit(usage, "sources.yml", old, new)
    assert refusal(usage).splitlines()[0] == message


def test_one_entry_is_no_list(usage):
    text = (usage / "sources.yml").read_text(encoding="utf-8")
    write(usage, {"sources.yml": text[: text.index("    - record: ods.data_session")]})
    assert refusal(usage) == (
        "conf/sources.yml:9: usage.records: expected at least 2 of them; got [a map]"
    )


def test_entries_are_checked_against_the_contracts(folder, contracts):
    write(folder, {"sources.yml": SOURCES.replace("call_no:", "cal_no:")})
    few = {name: one for name, one in contracts.items() if name != "ods.bill_item"}
    lines = refusal(folder, contracts=few).splitlines()
    assert (
        "conf/sources.yml:12: usage.records[0].mapping.cal_no: ods.voice_call has no column "
        "'cal_no', did you mean 'call_no'?"
    ) in lines
    assert (
        "conf/sources.yml:16: usage.records[1].mapping: the required column 'msisdn' of "
        "ods.data_session is missing"
    ) in lines
    assert (
        "conf/sources.yml:13: usage.records[0].codes.direction: the mapping does not fill the "
        "column of these codes; known: cal_no, msisdn"
    ) in lines
