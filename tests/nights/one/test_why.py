"""A pushed amount follows from records and bills, and the command that explains it says so."""

import json
import random
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest

from jobs import why
from models.reference.rater import Rater
from schemas import config
from tests.given.one_night import CONF_FOLDERS, OPTIONS
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import events, query, rerated, table

APRIL = date(2009, 4, 1)
CHANNELS = ("hall", "hotline_outbound", "sms", "web")
TRIED = 20
OWN_ITEMS = {
    "voice": ("local_voice", "roam_voice", "ip_toll"),
    **{"gprs": ("gprs",), "sms": ("sms",), "mms": ("mms",), "wlan": ("wlan",)},
}
OF_RECORDS = ("toll_voice", "d12593", "info")
# What a month cost, and what of it a package of another kind leaves as it was: by subscriber.
BILLS = f"""
    SELECT s.subscriber_id, sum(b.total) FROM b JOIN s USING (subscriber_no)
    WHERE b.month = DATE '{APRIL}' AND s.data_date = DATE '{LAST}' GROUP BY ALL"""
ITEMS = f"""
    SELECT s.subscriber_id, i.item_code, i.package_id, i.amount FROM i JOIN s USING (subscriber_no)
    WHERE i.month = DATE '{APRIL}' AND s.data_date = DATE '{LAST}'"""
# Fees that records hold and no package re-rates: 12593, information, long distance not over IP.
OWNERS = f"SELECT * FROM n WHERE data_date = DATE '{LAST}'"
FEES = f"""
    WITH o AS ({OWNERS}),
    v AS (SELECT msisdn, occurred_at, local_date,
              CASE WHEN dial = 'ip12593' THEN airtime_fee + toll_fee + info_fee
                   WHEN dial = 'direct' THEN toll_fee + info_fee ELSE info_fee END AS fee,
              CASE WHEN in_group AND dial IS DISTINCT FROM 'ip12593' THEN airtime_fee
                   + CASE WHEN dial = 'direct' THEN 0 ELSE toll_fee END ELSE 0 END AS group_fee
          FROM calls
          UNION ALL SELECT msisdn, occurred_at, local_date, info_fee, 0 FROM messages)
    SELECT o.subscriber_id, sum(v.fee), sum(v.group_fee) FROM v JOIN o
        ON o.msisdn = v.msisdn AND v.occurred_at >= o.valid_from
        AND (o.valid_to IS NULL OR v.occurred_at < o.valid_to)
    WHERE date_trunc('month', v.local_date) = DATE '{APRIL}' GROUP BY ALL"""


@pytest.fixture(scope="module")
def night_conf():
    return config.load(CONF_FOLDERS)


@pytest.fixture(scope="module")
def pushed(one_night):
    """(channel, subscriber, package, packages that are new, before, after, joined, number)."""
    found = []
    for channel in CHANNELS:
        rows = query(
            one_night.warehouse,
            f"""
            SELECT t.subscriber_id, t.package_id, m.new_packages, t.cost_before, t.cost_after,
                   s.join_date, s.customer_no
            FROM t JOIN m USING (subscriber_id, package_id) JOIN s USING (subscriber_id)
            WHERE m.recommended AND s.data_date = DATE '{LAST}'""",
            t=f"push.{channel}",
            m="mart.package_match",
            s="dw.subscriber",
        )
        found += [(channel, *row) for row in rows]
    return sorted(found, key=lambda row: row[:3])


def test_pushed_amounts_follow_from_the_delivered_records_and_bills(one_night, night_conf, pushed):
    """Nothing of the engine is used: DuckDB reads `ods`, the reference rater prices the events."""
    warehouse, tariffs = one_night.warehouse, night_conf.tariffs
    bills = dict(query(warehouse, BILLS, b="ods.bill", s="dw.subscriber"))
    items = query(warehouse, ITEMS, i="ods.bill_item", s="dw.subscriber")
    fees = {
        subscriber: rest
        for subscriber, *rest in query(
            warehouse,
            FEES,
            n="dw.subscriber_identity",
            calls="ods.voice_call",
            messages="ods.message",
        )
    }
    used = events(warehouse, night_conf.policy.calendar.holidays)
    assert len(pushed) >= TRIED
    for channel, subscriber, package, new, before, after, joined, _ in random.Random(7).sample(
        pushed, TRIED
    ):
        kinds = {kind for name in new for kind in kinds_of(tariffs[name].data)}
        replaced = {item for kind in kinds for item in OWN_ITEMS[kind]} | set(OF_RECORDS)
        passed = sum(
            amount
            for of, item, rent, amount in items
            if of == subscriber
            and item not in replaced
            and not (item == "package_rent" and set(kinds_of(tariffs[rent].data)) & kinds)
        )
        recorded, in_group = fees.get(subscriber, (0, 0))
        own = sum(
            rerated(
                Rater(tariffs[name].data, toll="ip_only"), used.get(subscriber, []), APRIL, joined
            ).total
            for name in new
        )
        month = own + Fraction(passed + recorded + (in_group if "voice" in kinds else 0))
        assert printed(Fraction(bills[subscriber])) == before, (channel, package)
        assert printed(month) == after, (channel, package)


def kinds_of(package):
    """The kinds that a package of the configuration re-rates."""
    return package.get("services") or [package["kind"]]


def printed(amount: Fraction) -> Decimal:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.fixture
def asked(one_night, tmp_path, capsys):
    """The answer of the command for a customer named in a file, and its text."""

    def ask(number, channel):
        file = tmp_path / "asked.txt"
        file.write_text(number, encoding="utf-8")
        options = ["--customer", str(file), "--channel", channel, "--data-date", LAST]
        options += [*OPTIONS, "--warehouse", str(one_night.warehouse)]
        assert why.main([*options, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert why.main(options) == 0
        return answer, capsys.readouterr().out

    return ask


def test_the_answer_leads_from_the_pushed_row_to_months_and_bills(one_night, pushed, asked):
    numbers = {n for (n,) in query(one_night.warehouse, "SELECT msisdn FROM n", n="ods.subscriber")}
    by_channel = {row[0]: row for row in reversed(pushed)}
    assert len(by_channel) >= 3
    for channel, _, package, new, before, after, _, number in by_channel.values():
        answer, text = asked(number, channel)
        assert answer["answer"]["fate"] == "pushed"
        assert not {word for word in (number, *numbers) if word in text + json.dumps(answer)}
        (row,) = (one for one in answer["pushed"] if one["package_id"] == package)
        assert (row["cost_before"], row["cost_after"]) == (str(before), str(after))
        (evidence,) = (one for one in answer["evidence"] if one["offer"] == package)
        (month,) = evidence["months"]
        assert Decimal(month["bill"]["total"]).quantize(Decimal("0.01"), ROUND_HALF_UP) == before
        assert sum(Decimal(item["amount"]) for item in month["items"]) == Decimal(
            month["bill"]["total"]
        )
        quoted = {quote["package_id"]: quote for quote in evidence["quotes"]}
        assert set(new) <= set(quoted)
        if len(new) == 1:
            assert printed(Fraction(quoted[new[0]]["total"])) == after
        for one in answer["candidates"]:
            if one["gain"] is not None:
                parts = (one["gain"], one["preference_value"], "-" + one["cost"])
                assert sum(map(Decimal, parts)) == Decimal(one["value"])
        manifest = one_night.push / channel / LAST / f"{answer['file']['file_name']}.manifest.json"
        assert json.loads(manifest.read_text())["sha256"] == answer["file"]["sha256"]


def test_every_table_of_the_answer_is_named_with_its_version(one_night, pushed, asked):
    channel, *_, number = pushed[0]
    answer, text = asked(number, channel)
    for name, read in answer["tables"].items():
        assert read["version"] == table(one_night.warehouse, name).version(), name
        assert f"  {name} " in text
    assert {"mart.decision", "mart.package_quote", "ods.bill", "dw.usage_month"} <= set(
        answer["tables"]
    )


def test_funnel_and_fates_of_the_answer_are_those_of_the_night(one_night, asked):
    """For customers who got nothing over the channel: the reasons of the decision, and no row."""
    rows = query(
        one_night.warehouse,
        f"""
        SELECT DISTINCT ON (first_reason) s.customer_no, first_reason
        FROM d JOIN s USING (customer_id)
        WHERE s.data_date = DATE '{LAST}' AND channel = 'hall' AND customer_id NOT IN
            (SELECT customer_id FROM d WHERE channel = 'hall' AND fate IN ('pushed', 'held_out'))
        ORDER BY first_reason, customer_no LIMIT 4""",
        d="mart.decision",
        s="dw.subscriber",
    )
    assert len(rows) == 4
    for number, reason in rows:
        answer, text = asked(number, "hall")
        assert answer["pushed"] == []
        assert answer["answer"]["fate"] in ("dropped", "spilled")
        assert {reason} <= {code for one in answer["candidates"] for code in one["reasons"]}
        assert set(answer["answer"]["reasons"]) <= set(text.split())
        assert any(one["reason"] == "PUSHED" for one in answer["funnel"])
