"""Knowledge messages of offers: what they say, and the mistakes that are refused (B2, 9-03)."""

from datetime import date

import pytest

from schemas import config
from tests.given.paths import CONF as CONFIGURATION
from tests.given.rows import CONTRACTS
from tests.given.small_configuration import edit, refusal, write

TARGET = """
id: everybody
name_cn: 全部客户
where: {fact: status, is: active}
"""
KNOWN = "knowledge: {text: '回复{reply}办理，至{valid_until}', reply: KT1}"
OFFER = f"offers: {{payment: {{margin: '3', {KNOWN}}}}}\n"
SENDER = "message: {sender: '10086', part: 70, max_parts: 2}"
SMS = f"""sms:
  name_cn: 短信
  order: 3
  unit_cost: "0.10"
  capacity: 1
  push: {{file: sms.txt, {SENDER}, columns: [script]}}
"""

WORKED = '    sms: {way: pull, contact_at: "09:00", listed_for: 7d, report_within: 2d}\n'


@pytest.fixture
def folder(folder):
    """A sound configuration: a campaign over the hall offers a business with a message."""
    write(folder, {"targets/everybody.yml": TARGET})
    edit(
        folder,
        "campaigns/saving.yml",
        "type: tariff\n",
        f"type: personal\ntarget: everybody\n{OFFER}",
    )
    edit(folder, "channels.yml", "[msisdn, script]", "[msisdn, script, knowledge_sms]")
    edit(folder, "channels.yml", "web:", f"{SMS}web:")
    edit(folder, "policy.yml", "    web: {way", f"{WORKED}    web: {{way")
    return folder


def test_a_message_has_its_answer_and_its_last_day(folder):
    offer = config.load([folder]).campaigns["saving"].offers["payment"]
    assert offer.knowledge.on(date(2009, 6, 2)) == "回复KT1办理，至2009-06-02"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{reply}", "KT1", "text: the customer is not told what to answer: write {reply}"),
        ("至{valid_until}", "{script}", "text: unknown placeholder {script}"),
        ("回复{reply}", "回复{reply", "text: the braces do not match"),
        ("reply: KT1", "reply: kt 1", "reply: expected capital letters and digits; got 'kt 1'"),
        # 70 characters a part: 140 fit, and 141 do not. The answer and the day are counted, too.
        (
            "办理",
            "办" * 124,
            "text: the text of 141 characters takes 3 parts of 70, the channel 'sms' allows 2: "
            "shorten it",
        ),
        (", reply: KT1", "", "offers.payment.knowledge: the key 'reply' is missing"),
    ],
)
def test_a_message_that_cannot_be_sent_or_answered_is_refused(folder, old, new, message):
    edit(folder, "campaigns/saving.yml", old, new)
    found = refusal(folder)
    assert found.startswith("conf/campaigns/saving.yml:6: offers.payment.knowledge")
    assert message in found


def test_a_message_as_long_as_allowed_is_read(folder):
    edit(folder, "campaigns/saving.yml", "办理", "办" * 123)
    text = config.load([folder]).campaigns["saving"].offers["payment"].knowledge.on("2009-06-02")
    assert len(text) == 140


def test_an_answer_orders_one_business(folder):
    second = OFFER.replace("payment", "ringback").replace("offers: {", "").rstrip("}\n")
    edit(
        folder,
        "services.yml",
        "payment:",
        "ringback: {name_cn: 彩铃, type: vas, standard: true}\npayment:",
    )
    edit(folder, "campaigns/saving.yml", "}}}\n", f"}}}}, {second}}}}}}}\n")
    assert refusal(folder).endswith(
        "offers.ringback.knowledge.reply: 'KT1' orders 'payment' already: an answer orders one "
        "business"
    )


def test_somebody_sends_it_and_something_says_how_long_it_may_be(folder):
    edit(folder, "channels.yml", ", knowledge_sms]", "]")
    assert refusal(folder).endswith(
        "no file of the campaign's channels (hall) has a column 'knowledge_sms': add it to "
        "push.columns in channels.yml"
    )
    edit(folder, "channels.yml", "[msisdn, script]", "[msisdn, script, knowledge_sms]")
    edit(folder, "channels.yml", f"{SENDER}, ", "")
    assert "no channel of channels.yml has push.message" in refusal(folder)


def test_the_shipped_pilot_has_a_message_for_each_offer():
    conf = config.load([CONFIGURATION], CONTRACTS)
    offers = conf.campaigns["hall_pilot"].offers
    assert all(one.knowledge and one.knowledge.reply for one in offers.values())
    assert "knowledge_sms" in conf.channels["hall"].push.columns
