"""What `push` of a channel may say, and the one line that each mistake gives before Spark."""

from dataclasses import replace

import pytest

from schemas import config
from schemas.config import Config
from schemas.contract import Contract
from tests.given.paths import CONF as SHIPPED
from tests.given.rows import CONTRACTS
from tests.given.small_configuration import edit, refusal

PUSH = 'push: {file: "hall_{yyyymmdd}.csv", columns: [msisdn, script]}'
AT = "conf/channels.yml:7: hall.push"


def push(**keys: str) -> str:
    """The push of a channel as a line of YAML, with other keys or values."""
    entry = {"file": '"hall_{yyyymmdd}.csv"', "columns": "[msisdn, script]", **keys}
    return f"push: {{{', '.join(f'{key}: {value}' for key, value in entry.items())}}}"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"format": "xls"}, ".format: expected one of csv, fixed, jsonl, xlsx; got 'xls'"),
        (
            {"format": "xlsx", "encoding": "gb18030"},
            ".encoding: a xlsx file has none: it is for files of text",
        ),
        (
            {"format": "jsonl", "header": "true"},
            ".header: a jsonl file has none: it is for csv files",
        ),
        (
            {"widths": "{msisdn: 11}"},
            ".widths: a csv file has none: they are for fixed files",
        ),
        (
            {"format": "fixed", "widths": "{msisdn: 11}"},
            ": a fixed file needs the width of each column; script has none",
        ),
        (
            {"format": "fixed", "widths": "{msisdn: 11, script: 400, scrip: 2}"},
            ".widths.scrip: no column of the file, did you mean 'script'?",
        ),
        (
            {"encoding": "gbk", "replace_with": '"𠮷"'},
            ".replace_with: gbk cannot hold it: write one like ?",
        ),
        (
            {"test_targets": '["13800000001", "99"]'},
            ".test_targets[1]: no mobile number: expected one like 1[3-9][0-9]{9}",
        ),
        (
            {"columns": "[script]", "test_targets": '["13800000001"]'},
            ".test_targets: the file has no column msisdn: nobody could be reached by it",
        ),
        (
            {"columns": '[msisdn, vip_level: "gold"]'},
            ".columns[1].vip_level: expected a fact like subscriber.vip_level; got 'gold'",
        ),
        (
            {"deliver_to": "{folder: /in, host: gateway}"},
            ".deliver_to: a host needs the key 'user'",
        ),
        (
            {"deliver_to": "{folder: /in, port: 22}"},
            ".deliver_to.port: only a sink with a 'host' has it",
        ),
        (
            {"deliver_to": "{folder: /in, host: -oProxy}"},
            ".deliver_to.host: expected a host name; got '-oProxy'",
        ),
        (
            {"deliver_to": "{folder: /in, late: {after: '9:00', then: drop}}"},
            ".deliver_to.late.after: expected a clock time in quotes, like \"09:30\"; got '9:00'",
        ),
        (
            {"deliver_to": "{folder: /in, late: {after: '09:00', then: wait}}"},
            ".deliver_to.late.then: expected one of deliver, next_day, drop; got 'wait'",
        ),
        (
            {
                "deliver_to": "{folder: /in, late: {after: '09:00', then: next_day}}",
                "columns": "[msisdn, send_from]",
            },
            ".deliver_to.late.then: the file says on which day its messages are sent (send_from, "
            "send_to), so it cannot wait a day: write deliver or drop",
        ),
        (
            {
                "deliver_to": "{folder: /in, late: {after: '09:00', then: next_day}}",
                "file": "hall.csv",
            },
            ".deliver_to.late.then: the file of the next night has the same name: write {yyyymmdd} "
            "into push.file",
        ),
        ({"message": "{sender: '10086', part: 0, max_parts: 2}"}, ".message.part: "),
    ],
    ids=str,
)
def test_a_file_that_cannot_be_written_is_refused(folder, keys, message):
    edit(folder, "channels.yml", PUSH, push(**keys))
    assert refusal(folder).startswith(f"{AT}{message}")


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("employee", "expected a fact like member.employee; got 'employee'"),
        (
            "preference.channel",
            "unknown fact 'preference.channel': preference is none; known: subscriber, customer, "
            "member",
        ),
        (
            "membr.employee",
            "unknown fact 'membr.employee': membr is none, did you mean 'member'?",
        ),
        (
            "member.employe",
            "unknown fact 'member.employe': ods.group_member has no 'employe', did you mean "
            "'employee'?",
        ),
    ],
)
def test_a_channel_requires_a_fact_that_is_there(folder, fact, message):
    edit(folder, "channels.yml", PUSH, f"{PUSH}\n  requires: {fact}")
    told = refusal(folder, contracts=without_bill_items())
    assert told == f"conf/channels.yml:8: hall.requires: {message}"
    edit(folder, "channels.yml", f"requires: {fact}", "requires: member.employee")
    conf = config.load([folder], without_bill_items())
    assert conf.channels["hall"].requires == "member.employee"


def without_bill_items() -> dict[str, Contract]:
    """The contracts without the codes of bills, which the small configuration does not have."""
    return {name: one for name, one in CONTRACTS.items() if name != "ods.bill_item"}


def hall_with(**changes) -> dict[str, Contract]:
    """The contracts with a further column of push.hall: a VIP level with these changes."""
    hall = CONTRACTS["push.hall"]
    level = CONTRACTS["dw.subscriber"].column("vip_level")
    wider = replace(hall, columns=(*hall.columns, replace(level, **changes)))
    return {**without_bill_items(), "push.hall": wider}


@pytest.mark.parametrize(
    ("columns", "changes", "message"),
    [
        (
            "[msisdn]",
            {},
            ": nothing fills the column 'vip_level' of push.hall: list it in `columns` with its "
            "fact, like 'vip_level: subscriber.vip_level'; the step push fills data_date, ",
        ),
        (
            "[msisdn, vip_levl: subscriber.vip_level, vip_level: subscriber.vip_level]",
            {},
            ".columns[1]: push.hall has no column 'vip_levl', did you mean 'vip_level'?",
        ),
        (
            "[vip_level: subscriber.vip_levl]",
            {},
            ".columns[0]: unknown fact 'subscriber.vip_levl': dw.subscriber has no 'vip_levl', did "
            "you mean 'vip_level'?",
        ),
        (
            "[vip_level: subscribr.vip_level]",
            {},
            ".columns[0]: unknown fact 'subscribr.vip_level': subscribr is none, did you mean "
            "'subscriber'?",
        ),
        (
            "[vip_level: subscriber.join_date]",
            {},
            ".columns[0]: subscriber.join_date is of type date, push.hall.vip_level of type string",
        ),
        (
            "[vip_level: match.packages]",
            {},
            ".columns[0]: match.packages is of type array<string>, which no cell of a file can "
            "hold",
        ),
        (
            "[vip_level: customer.name]",
            {},
            ".columns[0]: customer.name is personal data (name): the contract of "
            "push.hall.vip_level must say the same; it says none",
        ),
        (
            "[vip_level: subscriber.vip_level]",
            {"required": True},
            ".columns[0]: subscriber.vip_level may be missing: push.hall.vip_level cannot be "
            "required",
        ),
        (
            "[script: subscriber.branch, vip_level: subscriber.vip_level]",
            {},
            ".columns[0]: the step push fills 'script' itself: leave the fact out",
        ),
        (
            "[msisdn]",
            {"name": "sender"},
            ": the column 'sender' of push.hall needs `message` with sender, part and max_parts",
        ),
    ],
    ids=str,
)
def test_a_column_without_a_sound_fact_is_refused(folder, columns, changes, message):
    edit(folder, "channels.yml", PUSH, push(columns=columns))
    assert refusal(folder, contracts=hall_with(**changes)).startswith(f"{AT}{message}")


def test_a_new_column_needs_its_contract_and_a_line_of_configuration(folder):
    edit(folder, "channels.yml", PUSH, push(columns="[msisdn, vip_level: subscriber.vip_level]"))
    conf = config.load([folder], hall_with())
    form = conf.channels["hall"].push
    assert form.columns == ("msisdn", "vip_level")
    assert form.facts == {"vip_level": "subscriber.vip_level"}


def shipped() -> Config:
    return config.load([SHIPPED], CONTRACTS)


def test_nine_channels_get_files_and_the_shipped_ones_name_no_staff():
    pushed = {name: one.push for name, one in shipped().channels.items() if one.push}
    assert sorted(pushed) == [
        "customer_manager",
        "email",
        "hall",
        "hotline_inbound",
        "hotline_outbound",
        "sms",
        "terminal",
        "wap",
        "web",
    ]
    assert {one.format for one in pushed.values()} == {"csv", "fixed", "jsonl", "xlsx"}
    assert not any(one.test_targets for one in pushed.values())


def test_the_flag_of_the_hotline_is_a_prompt_for_incoming_calls():
    conf = shipped()
    channel = conf.channels["hotline_inbound"]
    assert (channel.known_as, channel.logged_as.direction) == ("hotline", "in")
    assert conf.policy.contacts.channels["hotline_inbound"].way == "pull"
