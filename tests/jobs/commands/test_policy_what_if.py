"""A policy tried on a night that was decided."""

import csv

import pytest

from jobs import night, policy_what_if
from tests.given.one_night import differing_tables
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import query

PUSHED = """
    SELECT customer_id, campaign_id,
           string_agg(offer || ' over ' || channel, ', ' ORDER BY offer || ' over ' || channel),
           sum(value)
    FROM d WHERE fate = 'pushed' GROUP BY ALL"""


@pytest.fixture
def tried(tmp_path, capsys):
    """Exit code, what was said, what was said of errors, and the list, of one night's options."""

    def run(options, **files):
        named = []
        for option, text in files.items():
            path = tmp_path / f"{option}.yml"
            path.write_text(text, encoding="utf-8")
            named += [f"--{option}", str(path)]
        code = policy_what_if.main(
            [*named, "--data-date", LAST, "--out", str(tmp_path / "out"), *options]
        )
        said = capsys.readouterr()
        listed = tmp_path / "out" / f"{LAST}.csv"
        rows = (
            list(csv.DictReader(listed.read_text(encoding="utf-8").splitlines()))
            if listed.exists()
            else None
        )
        return code, said.out, said.err, rows

    return run


def test_a_policy_that_changes_nothing_changes_nothing(one_night, tried):
    code, said, _, rows = tried(one_night.options(), policy="value: {stay_bonus: '0.05'}\n")
    assert (code, rows) == (0, [])
    assert "value changes by 0.00 yuan" in said


def test_what_if_equals_a_real_night_with_that_policy(one_night, again, tried, tmp_path):
    capacity = "hall: {capacity: 0}\nsms: {capacity: 3}\n"
    code, _, _, rows = tried(one_night.options(), capacity=capacity)
    assert code == 0
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "channels.yml").write_text(capacity, encoding="utf-8")
    options = [*again.options(), "--conf", str(tmp_path / "real")]
    assert night.main(["--data-date", LAST, "--only", "decide", *options]) == 0
    before, after = (
        {
            tuple(key): (offers, value)
            for *key, offers, value in query(one, PUSHED, d="mart.decision")
        }
        for one in (one_night.warehouse, again.warehouse)
    )
    nothing = ("", 0)
    wanted = {
        key: (*before.get(key, nothing), *after.get(key, nothing))
        for key in {*before, *after}
        if before.get(key, nothing)[0] != after.get(key, nothing)[0]
    }
    assert wanted
    found = {
        (int(row["customer_id"]), row["campaign_id"]): (
            row["offers_before"],
            float(row["value_before"]),
            row["offers_after"],
            float(row["value_after"]),
        )
        for row in rows
    }
    assert found == {
        key: (offers, float(value), offers_after, float(value_after))
        for key, (offers, value, offers_after, value_after) in wanted.items()
    }
    assert "mart.decision" in differing_tables(again, one_night)


@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        ({}, 2, "nothing to try: give --policy FILE, --capacity FILE, or both"),
        (
            {"capacity": "sms: {capacity: -1}\n"},
            2,
            "capacity.yml:1: sms.capacity: expected a number ≥ 0; got -1",
        ),
        (
            {"policy": "contacts:\n  caps:\n    week: {limit: 1, per: 0d}\n"},
            2,
            "policy.yml:3: contacts.caps.week.per: expected hours or days above 0",
        ),
    ],
)
def test_a_mistake_is_one_line(tried, one_night, files, code, message):
    found, _, said, rows = tried(one_night.options(), **files)
    assert (found, rows) == (code, None)
    assert message in said
    assert "Traceback" not in said


def test_a_channel_that_requires_a_fact_lists_nobody_without_it(again, tmp_path):
    """The night's decision once more, where the web wants a customer manager."""
    (tmp_path / "own").mkdir()
    requires = "web: {requires: member.employee}\n"
    (tmp_path / "own" / "channels.yml").write_text(requires, encoding="utf-8")
    options = [*again.options(), "--conf", str(tmp_path / "own")]
    assert night.main(["--data-date", LAST, "--only", "decide", *options]) == 0
    found = query(
        again.warehouse,
        """
        WITH managed AS (
            SELECT DISTINCT subscriber_id FROM s JOIN m USING (subscriber_no)
            WHERE employee IS NOT NULL)
        SELECT subscriber_id IN (FROM managed), list_contains(reasons, 'CHANNEL'), count(*)
        FROM d WHERE channel = 'web' GROUP BY ALL ORDER BY ALL""",
        d="mart.decision",
        s="dw.subscriber",
        m="ods.group_member",
    )
    assert [row[:2] for row in found] == [(False, True), (True, False)]
