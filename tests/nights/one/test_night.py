"""A whole night over a small synthetic province, judged by the planted truth and other engines."""

import hashlib
import json
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from xml.etree import ElementTree

import pytest

from jobs import night, status, undo
from jobs.plan.night import night as steps_of
from jobs.plan.selection import select
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import current_entries
from models.reference.rater import Rater
from schemas import config
from tests.given.one_night import CONF_FOLDERS, OPTIONS, differing_tables, pushed_files
from tests.given.small_province import LAST
from tests.readers.plain_reader import truth_table
from tests.readers.warehouse_reader import all_rows, events, query, rerated, table

APRIL = date(2009, 4, 1)
SVG = "{http://www.w3.org/2000/svg}"
EXPORTED = (
    "ops.run_ledger",
    "ops.rejected_record",
    "ops.quality_result",
    "ods.voice_call",
    "ods.bill",
    "dw.subscriber_identity",
    "dw.contact_event",
    "dw.contact_view",
    "dw.usage_month",
    "mart.package_quote",
    "mart.package_match",
    "mart.backtest",
    "mart.channel_preference",
    "mart.decision",
    "push.hall",
    "push.hotline_outbound",
    "push.sms",
    "push.web",
)


@pytest.fixture(scope="module")
def night_conf():
    return config.load(CONF_FOLDERS)


def test_delta_rs_opens_every_table_at_reader_version_1(one_night):
    for name in EXPORTED:
        opened = table(one_night.warehouse, name)
        assert opened.protocol().min_reader_version == 1, name
        assert all_rows(one_night.warehouse, name).num_rows > 0, name


def test_every_delivered_row_is_accounted_for_as_it_was_planted(one_night):
    """delivered = accepted + rejected + duplicate per source and day, and each as planted."""
    ledger = query(
        one_night.warehouse,
        """
        SELECT source, slice, rows_delivered, rows_accepted, rows_rejected, rows_duplicate,
               rows_late FROM ledger WHERE state = 'committed' AND source IS NOT NULL""",
        ledger="ops.run_ledger",
    )
    delivered, planted = Counter(), {}
    for row in truth_table(one_night.truth, "deliveries"):
        delivered[row["source"], row["data_date"]] += int(row["rows"])
    for row in truth_table(one_night.truth, "defects"):
        planted.setdefault((row["source"], row["data_date"]), Counter())[row["defect"]] = int(
            row["rows"]
        )
    assert {row[:2] for row in ledger} == set(delivered)
    for source, day, *counts in ledger:
        total, accepted, rejected, duplicate, late = counts
        defects = planted.get((source, day), Counter())
        bad = sum(
            rows
            for defect, rows in defects.items()
            if defect
            in ("broken", "unknown_code", "clock_1980", "unknown_package", "unknown_subscriber")
        )
        doubled = defects["duplicate_within"] + defects["duplicate_across"]
        assert total == delivered[source, day] == accepted + rejected + duplicate, (source, day)
        assert (rejected, duplicate, late) == (bad, doubled, defects["late"]), (source, day)


def test_rejected_lines_are_kept_as_delivered(one_night):
    kept = query(
        one_night.warehouse,
        "SELECT source, data_date, file_name, row_no, raw_line "
        "FROM rejected WHERE source = 'bill' OR source = 'message'",
        rejected="ops.rejected_record",
    )
    assert kept
    for source, day, file_name, row_no, raw_line in kept:
        path = one_night.landing / source / str(day) / file_name
        assert path.read_text(encoding="utf-8").split("\n")[row_no - 1] == raw_line


def test_bills_are_reproduced_but_for_the_planted_causes(one_night):
    numbers = dict(
        query(one_night.warehouse, "SELECT subscriber_no, subscriber_id FROM s", s="dw.subscriber")
    )
    causes = dict(
        query(
            one_night.warehouse,
            f"SELECT subscriber_id, cause FROM b WHERE month = DATE '{APRIL}'",
            b="mart.backtest",
        )
    )
    off = dict(
        query(
            one_night.warehouse,
            f"SELECT subscriber_id, difference FROM b WHERE month = DATE '{APRIL}'",
            b="mart.backtest",
        )
    )
    april = [row for row in truth_table(one_night.truth, "bills") if row["month"] == str(APRIL)]
    assert len(april) > 40
    changed = 0
    for bill in april:
        cause = causes[numbers[bill["subscriber_no"]]]
        if cause == "order_of_events":
            continue
        if Decimal(bill["unstated_discount"]):
            assert cause == "unstated_discount"
            assert off[numbers[bill["subscriber_no"]]] == Decimal(bill["unstated_discount"])
        else:  # in parts, if a package was changed
            assert cause == "equal", bill
            changed += bill["package_changed"] == "1"
    assert Counter(causes.values())["equal"] > len(april) * 3 / 4
    assert changed >= 4


def test_whose_bill_has_no_planted_cause_is_reproduced_to_the_cent_or_not_compared(one_night):
    """Of the customers with a defect each has its name; of the others all are exact, those too who
    changed a package within the month."""
    planted = {
        row["subscriber_no"]: Decimal(row["unstated_discount"]) > 0
        for row in truth_table(one_night.truth, "bills")
        if row["month"] == str(APRIL)
    }
    rows = query(
        one_night.warehouse,
        f"""
        SELECT subscriber_no, cause, difference FROM b JOIN s USING (subscriber_id)
        WHERE month = DATE '{APRIL}' AND actual IS NOT NULL""",
        b="mart.backtest",
        s="dw.subscriber",
    )
    assert len(rows) == len(planted)
    by_cause = Counter()
    for number, cause, difference in rows:
        by_cause[cause] += 1
        if not planted[number]:
            assert cause == "order_of_events" or abs(difference) <= Decimal("0.001"), number
        else:
            assert cause in ("unstated_discount", "order_of_events"), number
    assert by_cause["unstated_discount"] >= 1


def test_nobody_whose_bill_is_not_reproduced_gets_a_recommendation(one_night, night_conf):
    """The gate: with the reason, from the match to the decision, and in no file.

    Campaigns that offer businesses compare no bills.
    """
    tariff = [name for name, one in night_conf.campaigns.items() if not one.offers]
    of_tariff = f"campaign_id IN ({', '.join(map(repr, tariff))})"
    verified = query(
        one_night.warehouse,
        """
        SELECT subscriber_id, bool_and(cause IN ('equal', 'order_of_events', 'no_bill'))
               AND bool_or(cause = 'equal') FROM b
        GROUP BY ALL HAVING count(actual) > 0""",
        b="mart.backtest",
    )
    outside = {subscriber for subscriber, right in verified if not right}
    assert outside
    matches = query(
        one_night.warehouse,
        "SELECT subscriber_id, recommended, reasons FROM m",
        m="mart.package_match",
    )
    for subscriber, recommended, reasons in matches:
        if subscriber in outside:
            assert not recommended
            assert "BACKTEST" in reasons
        else:
            assert "BACKTEST" not in reasons
    assert outside & {subscriber for subscriber, _, _ in matches}
    assert any(recommended for _, recommended, _ in matches)
    for channel in ("hall", "hotline_outbound", "sms", "web"):
        pushed = query(
            one_night.warehouse,
            f"SELECT subscriber_id FROM t WHERE {of_tariff}",
            t=f"push.{channel}",
        )
        assert not outside & {subscriber for (subscriber,) in pushed}
    decided = query(
        one_night.warehouse,
        """
        SELECT fate, list_contains(reasons, 'BACKTEST') FROM d
        WHERE subscriber_id IN (SELECT unnest(?)) AND """.replace("?", repr(sorted(outside)))
        + of_tariff,
        d="mart.decision",
    )
    assert all(fate != "pushed" and told for fate, told in decided)


def test_quotes_equal_the_reference_rater_over_the_same_records(one_night, night_conf):
    quoted = query(
        one_night.warehouse,
        f"""
        SELECT q.subscriber_id, package_id, total - passed_through, join_date
        FROM q JOIN s USING (subscriber_id) WHERE comparable AND month = DATE '{APRIL}'""",
        q="mart.package_quote",
        s="dw.subscriber",
    )
    used = events(one_night.warehouse, night_conf.policy.calendar.holidays)
    raters = {
        name: Rater(document.data, toll="ip_only") for name, document in night_conf.tariffs.items()
    }
    assert len({package for _, package, _, _ in quoted}) >= 45
    for subscriber, package, own, joined in quoted:
        expected = rerated(raters[package], used.get(subscriber, []), APRIL, joined).total
        assert Fraction(own) == expected, (subscriber, package)


def test_every_contact_that_happened_is_in_the_view_once(one_night):
    """Over all channels and logs, whatever was broken, repeated or late on its way (M1)."""
    happened = {
        (row["customer_no"], row["channel"]): tuple(
            int(row[name]) for name in ("contacts", "counted", "complaints_about")
        )
        for row in truth_table(one_night.truth, "contacts")
    }
    viewed = query(
        one_night.warehouse,
        """
        SELECT customer_no, channel, contacts, enquiries + transactions + complaints,
               complaints_about
        FROM v JOIN (SELECT DISTINCT customer_id, customer_no FROM s) USING (customer_id)""",
        v="dw.contact_view",
        s="dw.subscriber",
    )
    assert {(customer, channel): counts for customer, channel, *counts in viewed} == {
        key: list(counts) for key, counts in happened.items()
    }
    assert {
        "hall",
        "hotline",
        "ivr",
        "sms",
        "web",
        "wap",
        "terminal",
        "customer_manager",
        "designated_shop",
        "agent",
    } == {channel for _, channel in happened}


def test_the_planted_preference_is_learnt_where_contacts_tell(one_night):
    favourites = {
        row["customer_no"]: row["favourite"] for row in truth_table(one_night.truth, "preferences")
    }
    first = query(
        one_night.warehouse,
        """
        SELECT customer_no, channel, p.reason FROM p JOIN
            (SELECT DISTINCT customer_id, customer_no FROM s) USING (customer_id)
        WHERE rank = 1 AND basis = 'frequent'""",
        p="mart.channel_preference",
        s="dw.subscriber",
    )
    assert len(first) >= 8
    hits = sum(favourites[customer] == channel for customer, channel, _ in first)
    assert hits >= len(first) * 3 / 4


def test_targets_are_pushed_or_have_a_first_reason(one_night):
    for total, pushed, reasoned, silent in query(
        one_night.warehouse,
        """
            SELECT count(*), count(*) FILTER (fate = 'pushed'), count(first_reason),
                   count(*) FILTER (fate <> 'pushed' AND first_reason IS NULL)
            FROM d GROUP BY campaign_id, channel""",
        d="mart.decision",
    ):
        assert total == pushed + reasoned
        assert silent == 0


def test_nobody_of_the_control_group_is_pushed(one_night, night_conf):
    """Recomputed with hashlib: the first 60 bits of sha2(salt|customer) under the share.

    Held out are a campaign's own control group and, of marketing, the universal one of the quarter.
    """
    contacts = night_conf.policy.contacts
    universal = contacts.hold_out
    fates = query(
        one_night.warehouse,
        "SELECT DISTINCT customer_id, campaign_id, fate FROM d "
        "WHERE fate IN ('pushed', 'held_out')",
        d="mart.decision",
    )
    assert {fate for *_, fate in fates} == {"pushed", "held_out"}
    for customer, name, fate in fates:
        campaign = night_conf.campaigns[name]
        groups = [(campaign.salt, campaign.control_share)]
        if contacts.class_of_type(campaign.type) in universal.classes:
            groups.append((f"{universal.salt}-2009q2", universal.share))
        drawn = any(
            int(hashlib.sha256(f"{salt}|{customer}".encode()).hexdigest()[:15], 16)
            < ceil(Fraction(share) * 2**60)
            for salt, share in groups
        )
        assert drawn == (fate == "held_out")


def test_files_hold_the_pushed_rows_and_their_manifests_agree(one_night, night_conf):
    for channel in ("hall", "hotline_outbound", "sms", "web"):
        rows = query(
            one_night.warehouse,
            "SELECT msisdn FROM t ORDER BY campaign_id, subscriber_id",
            t=f"push.{channel}",
        )
        decided = query(
            one_night.warehouse,
            f"SELECT count(*) FROM d WHERE channel = '{channel}' AND fate = 'pushed'",
            d="mart.decision",
        )[0][0]
        (manifest_path,) = (one_night.push / channel / LAST).glob("*.manifest.json")
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        body = (manifest_path.parent / manifest["file"]).read_bytes()
        form = night_conf.channels[channel].push
        lines = body.decode(form.encoding).splitlines()[1 if form.header else 0 :]
        assert len(rows) == len(lines) == manifest["rows"] == decided
        assert len(rows) <= night_conf.channels[channel].capacity
        assert manifest["sha256"] == hashlib.sha256(body).hexdigest()
        assert manifest["bytes"] == len(body)
        if "msisdn" in form.columns:
            place = form.columns.index("msisdn")
            assert [line.split(form.delimiter)[place] for line in lines] == [n for (n,) in rows]


def test_the_web_shows_the_bill_before_and_after_as_a_picture(one_night, night_conf):
    """S2-10: parsable, in proportion, and of the row's own amounts, in the table as in the file."""
    rows = query(
        one_night.warehouse,
        """
        SELECT picture, before_lines, after_lines, cost_before, cost_after, saving FROM t
        ORDER BY campaign_id, subscriber_id""",
        t="push.web",
    )
    assert rows
    form = night_conf.channels["web"].push
    path = one_night.push / "web" / LAST / f"web_{LAST.replace('-', '')}.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split("\t")[form.columns.index("picture")] for line in lines]
    assert cells == [row[0] for row in rows]
    for picture, *sides, cost_before, cost_after, saving in rows:
        root = ElementTree.fromstring(picture)
        words = list(root.itertext())
        bars = {}
        for piece in root.iter(f"{SVG}rect"):
            for title in piece.iter(f"{SVG}title"):
                bars.setdefault(int(piece.get("x")), []).append(
                    (Decimal(title.text.split()[1]), Decimal(piece.get("height")))
                )
        whole = sum(
            max(
                sum(abs(amount) for amount, _ in bar if (amount > 0) == above)
                for bar in bars.values()
            )
            for above in (True, False)
        )
        for (_, pieces), side, cost in zip(
            sorted(bars.items()), sides, (cost_before, cost_after), strict=True
        ):
            amounts = {line: Decimal(amount) for line, amount in json.loads(side).items()}
            total = amounts.pop("total", None)
            assert total == cost == sum(amounts.values())
            assert sorted(amount for amount, _ in pieces) == sorted(
                amount for amount in amounts.values() if amount
            )
            for amount, height in pieces:
                assert abs(height - abs(amount) * 230 / whole) <= Decimal("0.01")
        assert f"平均每月节省 {saving} 元" in words


def test_the_report_shows_what_arrived_and_what_was_decided(one_night):
    page = (one_night.warehouse / "_docs" / f"report_{LAST}.html").read_text(encoding="utf-8")
    for part in (
        "within 0.01 yuan",
        "median difference",
        "99 of 100",
        "unstated_discount",
        "Deliveries",
        "voice",
        "Decisions",
        "tariff_saving",
        "Bills reproduced",
        "<svg ",
        "Why rows were rejected",
        "rerate",
        "Contacts so far",
        "Value beside simpler ways",
        "channel:sms",
        "Customers who got nothing in the last night",
    ):
        assert part in page


def test_steps_once_more_replace_what_they_wrote(one_night, again, capsys):
    """As one night, where the first was the end of a range."""
    assert (
        night.main(["--data-date", LAST, "--only", "contact_view,decide,push", *again.options()])
        == 0
    )
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in said[1:4]] == [["[", "1/3]"], ["[", "2/3]"], ["[", "3/3]"]]
    assert re.fullmatch(r"done in \d+ s; longest: (\w+ [0-9.]+ s(, )?){3}", said[4])
    assert said[5:] == [
        "look at",
        f"  files of the channels     {again.push}/<channel>/{LAST}",
        f"  tables                    {again.warehouse}/<layer>/<table>",
        f"  logs of the run and Spark {again.warehouse}/_logs",
    ]
    assert pushed_files(again.push) == pushed_files(one_night.push)
    assert differing_tables(again, one_night) == []


def test_a_run_is_undone_as_if_it_had_not_been(one_night, again, tmp_path, capsys):
    """Decisions of halls that may serve nobody: other tables and files; then they are undone."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "channels.yml").write_text("hall: {capacity: 0}\n", encoding="utf-8")
    assert (
        night.main(
            [
                "--data-date",
                LAST,
                "--only",
                "decide,push",
                *again.options(),
                "--conf",
                str(tmp_path / "closed"),
            ]
        )
        == 0
    )
    assert {"mart.decision", "push.hall"} <= set(differing_tables(again, one_night))
    run = delta_log.entries(str(again.warehouse))[-1].run_id
    where = [*OPTIONS, "--warehouse", str(again.warehouse), "--push", str(again.push)]
    capsys.readouterr()
    assert undo.main(["--run-id", run, "--dry-run", *where]) == 0
    said = capsys.readouterr().out
    assert f"undo of run {run}: 14 slices" in said
    assert {"mart.decision", "push.hall"} <= {line.split()[0] for line in said.splitlines()[1:]}
    assert "hall: the manifest of 2009-05-03/hall_20090503.csv is removed" in said
    assert {"mart.decision", "push.hall"} <= set(differing_tables(again, one_night))
    assert undo.main(["--run-id", run, *where]) == 0
    assert differing_tables(again, one_night) == []
    assert not [name for name in pushed_files(again.push) if name.endswith(".manifest.json")]
    before = select(steps_of(config.load(CONF_FOLDERS)), "decide,push")
    current = current_entries(delta_log.entries(str(again.warehouse)))
    first = {entry.run_id for entry in delta_log.entries(str(one_night.warehouse))}
    assert {current[table, "", LAST][0].run_id for step in before for table in step.writes} <= first
    assert undo.main(["--run-id", run, *where]) == 2
    assert f"run {run} has been undone already" in capsys.readouterr().err


@pytest.mark.soak
def test_the_whole_night_once_more_gives_equal_tables_and_the_same_bytes(one_night, again):
    """Two runs of a night from nothing are compared in tests/dags."""
    assert night.main(["--data-date", LAST, *again.options()]) == 0
    assert pushed_files(again.push) == pushed_files(one_night.push)
    assert differing_tables(again, one_night) == []


def test_every_step_of_the_plan_left_committed_slices(one_night, night_conf):
    states = query(
        one_night.warehouse, "SELECT step, state, count(*) FROM l GROUP BY ALL", l="ops.run_ledger"
    )
    committed = {step for step, state, _ in states if state == "committed"}
    assert committed == {step.name for step in steps_of(night_conf) if step.writes}
    assert not [row for row in states if row[1] == "failed"]


def test_the_status_of_the_night_is_read_without_spark(one_night, capsys):
    """In a second, with the figures of the ledger; a day that nobody delivered is missing."""
    asked = [*OPTIONS, "--warehouse", str(one_night.warehouse)]
    assert status.main(asked) == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if LAST in line}
    (voice,) = query(
        one_night.warehouse,
        f"""
        SELECT rows_delivered, rows_accepted, rows_rejected, rows_duplicate, rows_late FROM l
        WHERE source = 'voice' AND slice = '{LAST}' AND state = 'committed'""",
        l="ops.run_ledger",
    )
    assert rows["voice"][:7] == [LAST, "committed", *(f"{count:,}" for count in voice)]
    steps = out.split("step  ")[1].splitlines()[1:]
    assert {"ingest.voice", "rerate", "push"} <= {line.split()[0] for line in steps}
    assert status.main([*asked, "--data-date", "2009-05-05"]) == 4
    said = capsys.readouterr()
    assert "customer              2009-05-05  missing" in said.out
    assert said.err.startswith(
        "chudian: 22 of 22 deliveries are missing or failed, first campaign_feedback 2009-05-05"
    )


def test_the_status_of_a_warehouse_that_is_none(tmp_path, capsys):
    assert status.main([*OPTIONS, "--warehouse", str(tmp_path)]) == 4
    assert capsys.readouterr().err == (
        f"chudian: {tmp_path} holds no ledger: run a night into it "
        "first, or give another --warehouse\n"
    )
