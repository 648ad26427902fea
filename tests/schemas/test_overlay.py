"""A later folder that takes away: null over a value, an empty file, and what overlay.yml keeps."""

import pytest

from schemas import config
from tests.given.paths import CONF as SHIPPED
from tests.given.small_configuration import CONF, edit, refusal, write

TARIFF = CONF["tariffs/gprs_standard.yml"]
CAMPAIGN = CONF["campaigns/saving.yml"]


def tariff(name):
    return TARIFF.replace("gprs_standard", name)


@pytest.fixture
def three(folder):
    """Three packages, two campaigns and two sources."""
    second = CONF["sources.yml"].replace("complaint:\n", "complaint_east:\n").strip("\n")
    later = (
        CAMPAIGN.replace("id: saving", "id: later")
        .replace("salt: s1", "salt: s2")
        .replace("priority: 1", "priority: 2")
    )
    return write(
        folder,
        {
            "tariffs/easy_one.yml": tariff("easy_one"),
            "tariffs/easy_two.yml": tariff("easy_two"),
            "campaigns/later.yml": later,
            "sources.yml": CONF["sources.yml"] + second + "\n",
        },
    )


def local(tmp_path, files):
    return write(tmp_path / "local", files)


# Packages, campaigns, sources, channels and services ---------------------------------------------


@pytest.mark.parametrize("text", ["", "null\n", "~\n", "# sold no more\n", "{}\n"])
def test_an_empty_file_takes_a_package_or_a_campaign_away(three, tmp_path, text):
    top = local(tmp_path, {"tariffs/easy_one.yml": text, "campaigns/later.yml": text})
    conf = config.load([three, top])
    assert list(conf.tariffs) == ["easy_two", "gprs_standard"]
    assert list(conf.campaigns) == ["saving"]


def test_an_empty_file_that_takes_nothing_away_is_refused(three, tmp_path):
    top = local(tmp_path, {"tariffs/easy_on.yml": "", "campaigns/xyz.yml": "null\n"})
    assert refusal(three, top).splitlines() == [
        "local/campaigns/xyz.yml:1: an empty file takes 'xyz' away, and no folder before has it; "
        "known: later, saving",
        "local/tariffs/easy_on.yml:1: an empty file takes 'easy_on' away, and no folder before has "
        "it, did you mean 'easy_one'?",
    ]


@pytest.mark.parametrize(
    ("keep", "tariffs", "campaigns", "sources"),
    [
        ("tariffs: {keep: [gprs_*]}", ["gprs_standard"], 2, 2),
        ("tariffs: {keep: ['*_two', gprs_standard]}", ["easy_two", "gprs_standard"], 2, 2),
        ("tariffs: {keep: ['*']}", ["easy_one", "easy_two", "gprs_standard"], 2, 2),
        ("campaigns: {keep: none}", ["easy_one", "easy_two", "gprs_standard"], 0, 2),
        ("tariffs: {keep: [gprs_*]}\nsources: {keep: ['*_east']}", ["gprs_standard"], 2, 1),
        ("sources: {keep: none}", ["easy_one", "easy_two", "gprs_standard"], 2, 0),
    ],
)
def test_a_folder_keeps_what_its_patterns_name(three, tmp_path, keep, tariffs, campaigns, sources):
    conf = config.load([three, local(tmp_path, {"overlay.yml": f"{keep}\n"})])
    assert list(conf.tariffs) == tariffs
    assert (len(conf.campaigns), len(conf.sources)) == (campaigns, sources)


def test_what_is_kept_is_chosen_before_the_folder_adds_its_own(three, tmp_path):
    """The same name in the folder is a package of its own, not an overlay of the one before."""
    top = local(
        tmp_path,
        {
            "overlay.yml": "tariffs: {keep: none}\nchannels: {keep: none}\nservices: {keep: none}\n"
            "campaigns: {keep: none}\nsources: {keep: none}\n",
            "tariffs/gprs_standard.yml": TARIFF.replace("source: assumed", "source: own"),
            "channels.yml": 'shop: {name_cn: 店, order: 1, unit_cost: "1"}\n',
            "services.yml": "bill: {name_cn: 账单, type: query, standard: true}\n",
        },
    )
    conf = config.load([three, top])
    assert list(conf.tariffs) == ["gprs_standard"]
    assert conf.tariffs["gprs_standard"].data["source"] == "own"
    assert (list(conf.channels), list(conf.services)) == (["shop"], ["bill"])


def test_a_third_folder_brings_back_what_the_second_took_away(three, tmp_path):
    second = local(tmp_path, {"overlay.yml": "tariffs: {keep: [gprs_*]}\n"})
    third = write(tmp_path / "third", {"tariffs/easy_one.yml": tariff("easy_one")})
    assert list(config.load([three, second, third]).tariffs) == ["easy_one", "gprs_standard"]


def test_a_configuration_made_by_taking_away_is_that_made_without(three, tmp_path):
    top = local(
        tmp_path,
        {"overlay.yml": "tariffs: {keep: [gprs_*]}\ncampaigns: {keep: [saving]}\n"}
        | {"sources.yml": "complaint_east: null\n"},
    )
    alone = write(tmp_path / "alone", CONF)
    assert config.load([three, top]).fingerprint == config.load([alone]).fingerprint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tariffs: {keep: [gprs_*,\n  easyy_one]}",
            "local/overlay.yml:2: tariffs.keep[1]: none of the tariffs before has a name like "
            "'easyy_one', did you mean 'easy_one'?",
        ),
        (
            "\nsources: {keep: [voice_*]}",
            "local/overlay.yml:2: sources.keep[0]: none of the sources before has a name like "
            "'voice_*'; known: complaint, complaint_east",
        ),
        (
            "campaigns: {keep: nothing}",
            "local/overlay.yml:1: campaigns.keep: expected none, or a list of patterns like "
            "[gotone_*]; got 'nothing'",
        ),
        (
            "tariff: {keep: none}",
            "local/overlay.yml:1: tariff: unknown key, did you mean 'tariffs'?",
        ),
        (
            "tariffs: {keep: none, drop: [gprs_*]}",
            "local/overlay.yml:1: tariffs.drop: unknown key; known: keep",
        ),
        (
            "",
            "local/overlay.yml:1: expected at least 1 of them; got an empty map",
        ),
    ],
)
def test_a_mistake_of_overlay_yml_is_refused(three, tmp_path, text, message):
    found = refusal(three, local(tmp_path, {"overlay.yml": f"{text}\n"})).splitlines()
    assert found[0] == message


def test_the_first_folder_has_nothing_before_it_to_keep(folder):
    write(folder, {"overlay.yml": "tariffs: {keep: none}\n"})
    assert refusal(folder) == (
        "conf/overlay.yml:1: tariffs.keep: the folders before have no tariffs: leave this key out"
    )


# Single values -----------------------------------------------------------------------------------


def test_null_over_a_value_gives_its_default_back(folder, tmp_path):
    edit(folder, "policy.yml", "  months: 3", '  usage_elasticity: "-0.5"\n  months: 3')
    edit(folder, "sources.yml", "  cadence: daily", "  cadence: daily\n  late_after_days: 9")
    assert str(config.load([folder]).policy.rating.usage_elasticity) == "-0.5"
    top = local(
        tmp_path,
        {
            "policy.yml": "rating: {usage_elasticity: null}\ncontacts: {channels: {web: {"
            'contact_at: "09:00", listed_for: 1d, report_within: 1d}}}\n',
            "sources.yml": "complaint: {late_after_days: null}\n",
            "channels.yml": "hall: {push: null, capacity: null}\nweb: {capacity: 1, push: {file: "
            "w.csv, columns: [msisdn]}}\n",
            "campaigns/saving.yml": 'channels: [web]\nacceptance: {hall: null, web: "0.1"}\n',
        },
    )
    conf = config.load([folder, top])
    assert conf.policy.rating.usage_elasticity == 0
    assert conf.sources["complaint"].late_after_days == 0
    assert conf.channels["hall"].push is None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "policy.yml",
            "rating:\n  months: null\n",
            "local/policy.yml:2: rating.months: null cannot take this key away, it is required: "
            "write a value, or leave the line out",
        ),
        (
            "sources.yml",
            "complaint: {columns: null}\n",
            "local/sources.yml:1: complaint.columns: null cannot take this key away, it is "
            "required: write a value, or leave the line out",
        ),
        (
            "tariffs/gprs_standard.yml",
            "\nrounding: ~\n",
            "local/tariffs/gprs_standard.yml:2: rounding: null cannot take this key away, it is "
            "required: write a value, or leave the line out",
        ),
        (
            "channels.yml",
            "hall:\n  push: {columns: null}\n",
            "local/channels.yml:2: hall.push.columns: null cannot take this key away, it is "
            "required: write a value, or leave the line out",
        ),
        (
            "sources.yml",
            "complant: null\n",
            "local/sources.yml:1: complant: null takes a value away, and the folders before have "
            "none here, did you mean 'complaint'?",
        ),
    ],
)
def test_null_that_takes_nothing_or_too_much_says_why(folder, tmp_path, name, text, message):
    assert refusal(folder, local(tmp_path, {name: text})) == message


def test_null_is_the_value_of_a_code_and_takes_predicates_away(folder, tmp_path):
    edit(
        folder,
        "sources.yml",
        "  mapping:\n",
        "  exclude: {test call: number = '1'}\n  warn: {odd: number = '2'}\n  mapping:\n",
    )
    text = "complaint: {codes: {channel: {厅: null}}, exclude: null, warn: null}\n"
    source = config.load([folder, local(tmp_path, {"sources.yml": text})]).sources["complaint"]
    assert source.codes["channel"] == {"厅": None}
    assert (source.exclude, source.warn) == ({}, {})


# References to what is gone ----------------------------------------------------------------------


def test_a_reference_to_what_was_taken_away_says_what_took_it(folder, contracts, tmp_path):
    top = local(
        tmp_path,
        {
            "overlay.yml": "channels: {keep: [web]}\n",
            "tariffs/gprs_standard.yml": "",
        },
    )
    few = {name: one for name, one in contracts.items() if name != "ods.bill_item"}
    lines = refusal(folder, top, contracts=few).splitlines()
    helps = "took it away; take this away too, or name another"
    assert lines == [
        "conf/sources.yml:11: complaint.codes.channel.厅: the contract does not allow 'hall': "
        f"local/overlay.yml:1 {helps}",
        "conf/policy.yml:9: rating.default_package.gprs: no tariff 'gprs_standard': "
        f"local/tariffs/gprs_standard.yml:1 {helps}",
        "conf/campaigns/saving.yml:6: channels[0]: unknown channel 'hall': "
        f"local/overlay.yml:1 {helps}",
    ]


def test_an_operator_of_another_place_keeps_none_of_the_shipped_packages(contracts, tmp_path):
    top = write(
        tmp_path / "own",
        {
            "overlay.yml": "tariffs: {keep: [gprs_standard]}\ncampaigns: {keep: none}\n"
            "sources: {keep: [bill*, customer, subscriber]}\n",
            "policy.yml": "rating: {default_package: {sms: null, mms: null}}\n",
        },
    )
    conf = config.load([SHIPPED, top], contracts)
    assert (list(conf.tariffs), list(conf.campaigns)) == (["gprs_standard"], [])
    assert set(conf.policy.rating.default_package) == {"gprs"}
