"""Every file that left the shared night: whom it names, and where numbers and names stand in it."""

import hashlib
import re
from fractions import Fraction
from math import ceil

import pytest

from schemas import config, contract
from tests.given.one_night import CONF_FOLDERS
from tests.given.small_province import LAST
from tests.readers.channel_file_reader import read
from tests.readers.warehouse_reader import query

ELEVEN_DIGITS = re.compile(r"(?<![0-9])1[0-9]{10}(?![0-9])")
HOLDERS = f"""
    SELECT i.msisdn, i.customer_id, i.valid_from, s.branch, s.do_not_disturb
    FROM i JOIN s USING (data_date, subscriber_id)
    WHERE data_date = DATE '{LAST}' AND i.valid_to IS NULL"""
# The last state of each entry of the list; an entry without channel or type closes all of them.
CLOSED = f"""
    SELECT msisdn, channel, campaign_type, listed_at FROM (
        SELECT *, row_number() OVER (
            PARTITION BY msisdn, channel, campaign_type, reason, listed_at
            ORDER BY changed_at DESC) AS place
        FROM d)
    WHERE place = 1 AND listed_at < TIMESTAMPTZ '{LAST} 00:00:00+08'
        AND (delisted_at IS NULL OR delisted_at > TIMESTAMPTZ '{LAST} 00:00:00+08' + INTERVAL 1 DAY)
    """


@pytest.fixture(scope="module")
def conf():
    return config.load(CONF_FOLDERS)


@pytest.fixture(scope="module")
def files(one_night, conf):
    """The rows of each channel's file of the last night."""
    found = {}
    for name, channel in conf.channels.items():
        if channel.push is not None:
            folder = one_night.push / name / LAST
            (path,) = (one for one in folder.iterdir() if not one.name.endswith(".json"))
            found[name] = read(path, channel.push)
    assert sum(map(len, found.values())) >= 40
    return found


@pytest.fixture(scope="module")
def holders(one_night):
    """Of each number its holder on the day: customer, since when, branch, not to be disturbed."""
    rows = query(one_night.warehouse, HOLDERS, i="dw.subscriber_identity", s="dw.subscriber")
    return {number: rest for number, *rest in rows}


@pytest.fixture(scope="module")
def named(files, holders):
    """(channel, campaign, number, holder) of every row of every file."""
    return [
        (channel, row["campaign_id"], row["msisdn"], holders[row["msisdn"]])
        for channel, rows in files.items()
        for row in rows
    ]


def test_no_file_names_a_customer_of_a_control_group(named, conf):
    """Recomputed with hashlib: the first 60 bits of sha2(salt|customer) under the share."""
    contacts = conf.policy.contacts
    for channel, name, _, (customer, *_) in named:
        campaign = conf.campaigns[name]
        groups = [(campaign.salt, campaign.control_share)]
        if contacts.class_of_type(campaign.type) in contacts.hold_out.classes:
            groups.append((f"{contacts.hold_out.salt}-2009q2", contacts.hold_out.share))
        for salt, share in groups:
            first = hashlib.sha256(f"{salt}|{customer}".encode()).hexdigest()[:15]
            assert int(first, 16) >= ceil(Fraction(share) * 2**60), (channel, name)


def test_no_file_names_a_customer_who_closed_the_channel(one_night, named, conf):
    """The list of objections, and the mark of the CRM, against marketing of any kind."""
    closed = {}
    for number, *rest in query(one_night.warehouse, CLOSED, d="ods.do_not_contact"):
        closed.setdefault(number, []).append(rest)
    seen = 0
    for channel, name, number, (_, since, _, do_not_disturb) in named:
        campaign = conf.campaigns[name]
        if campaign.type == "care":
            continue
        seen += 1
        assert not do_not_disturb, (channel, name)
        for of, kind, at in closed.get(number, ()):
            if at >= since:  # else it was the number of somebody before
                assert of not in (None, conf.channels[channel].known_as, channel), name
                assert kind not in (None, campaign.type), (channel, name)
    assert seen
    assert closed


def test_no_file_names_a_customer_of_another_branch_for_a_branch_campaign(named):
    for _, name, _, (_, _, branch, _) in named:
        assert name != "hall_pilot" or branch == "荆州分公司"


def test_numbers_and_names_stand_in_the_columns_of_a_file_that_say_so(one_night, files, conf):
    """A number that was delivered as somebody's stands nowhere else, in no longer text either."""
    numbers = {
        one for (one,) in query(one_night.warehouse, "SELECT msisdn FROM s", s="ods.subscriber")
    }
    names = {
        one
        for (one,) in query(
            one_night.warehouse,
            "SELECT name FROM c WHERE customer_type = 'person' AND name IS NOT NULL",
            c="ods.customer",
        )
    }
    contracts, held = contract.load(), set()
    for channel, rows in files.items():
        for row in rows:
            for name, cell in row.items():
                text = str(cell)
                kind = contracts[f"push.{channel}"].column(name).personal
                if numbers & {*ELEVEN_DIGITS.findall(text)}:
                    assert kind == "number", (channel, name)
                    held.add(channel)
                assert kind == "name" or text not in names, (channel, name)
    assert held == {channel for channel, rows in files.items() if rows}


def test_names_of_files_and_manifests_name_nobody(one_night, holders):
    read = 0
    for path in one_night.push.rglob("*"):
        assert not {*holders} & {*ELEVEN_DIGITS.findall(path.name)}
        if path.name.endswith(".manifest.json"):
            read += 1
            assert not {*holders} & {*ELEVEN_DIGITS.findall(path.read_text("utf-8"))}
    assert read >= 9


def test_a_pilot_tells_the_clerk_what_message_to_send(files, conf):
    """B2: each offer of the pilot has its own message with the answer that orders it."""
    offers = conf.campaigns["hall_pilot"].offers
    for row in files["hall"]:
        offer = offers.get(row["package_id"]) if row["campaign_id"] == "hall_pilot" else None
        assert row["knowledge_sms"] == (offer.knowledge.on(row["valid_until"]) if offer else "")
