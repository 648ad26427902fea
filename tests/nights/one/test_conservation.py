"""Conservation over the tables of a night: what was delivered is in the cube, in the months, and in
the quotes, once. Read by another engine."""

from datetime import date

from models.tariff.amounts import BUCKETS
from tests.readers.warehouse_reader import events, query

APRIL = date(2009, 4, 1)
PASSED = ("d12593", "other_record_fees", "new_service_fees", "vpmn_rent")
COUNTED = "sum(events)::BIGINT, sum(quantity)::BIGINT"


def test_the_lines_of_a_quote_add_up_to_its_total(one_night):
    """Fee, re-rated lines, cut, commitment, and what passes."""
    lines, passed = (" + ".join(names) for names in (BUCKETS, PASSED))
    (found,) = query(
        one_night.warehouse,
        f"""
        SELECT count(*) FILTER (comparable), count(*) FILTER (comparable AND replayed),
               count(*) FILTER (comparable AND {lines} + passed_through = total),
               count(*) FILTER (comparable AND {passed} = passed_through),
               count(*) FILTER (NOT comparable AND total IS NOT NULL)
        FROM q""",
        q="mart.package_quote",
    )
    comparable, replayed, added_up, passed_up, stated = found
    assert comparable == added_up == passed_up > 100
    assert replayed > 0
    assert stated == 0


def test_what_passes_is_the_same_under_every_package_of_a_kind(one_night):
    """It stands on both sides of a comparison, so it makes no saving.

    Two bundles are of one kind if they have the same services, as gotone_all_68 and mzone_all_35.
    """
    different = query(
        one_night.warehouse,
        """
        SELECT subscriber_id, month, CASE package_id WHEN 'easyown_talk_9' THEN 'voice sms'
               WHEN 'gotone_work_72' THEN 'voice gprs' ELSE kind END AS kind
        FROM q WHERE comparable GROUP BY ALL HAVING count(DISTINCT passed_through) > 1""",
        q="mart.package_quote",
    )
    assert different == []


def test_a_match_adds_its_quotes_up(one_night):
    (compared, off) = query(
        one_night.warehouse,
        """
        SELECT count(*), count(*) FILTER (abs(mean_cost * months - cost) > 0.00001)
        FROM m JOIN (SELECT subscriber_id, package_id, sum(total) AS cost, count(*) AS quoted
                     FROM q WHERE comparable GROUP BY ALL) USING (subscriber_id, package_id)
        WHERE months = quoted""",
        m="mart.package_match",
        q="mart.package_quote",
    )[0]
    assert compared > 100
    assert off == 0


def test_months_hold_what_their_days_hold(one_night):
    """Events, units and fees by subscriber, month and cell."""
    sums = f"{COUNTED}, sum(airtime_fee), sum(toll_fee), sum(other_fee)"
    days = query(
        one_night.warehouse,
        f"""
        SELECT subscriber_id, cell_id, {sums} FROM d
        WHERE date_trunc('month', local_date) = DATE '{APRIL}' GROUP BY ALL
        HAVING sum(events) <> 0 ORDER BY ALL""",
        d="dw.usage_day",
    )
    months = query(
        one_night.warehouse,
        f"""
        SELECT subscriber_id, cell_id, {sums}
        FROM (SELECT subscriber_id, unnest(cells, recursive := true) FROM m
              WHERE month = DATE '{APRIL}') GROUP BY ALL HAVING sum(events) <> 0 ORDER BY ALL""",
        m="dw.usage_month",
    )
    assert days == months
    assert len(days) > 300


def test_days_hold_what_was_guided(one_night):
    """By subscriber, day and service: every call, message and merged session of the records."""
    guided: dict[tuple, list[int]] = {}
    for subscriber, mine in events(one_night.warehouse).items():
        for event in mine:
            both = guided.setdefault((subscriber, event.local_date, event.service), [0, 0])
            both[0] += 1
            both[1] += event.quantity
    days = query(
        one_night.warehouse,
        f"""
        SELECT subscriber_id, local_date, service, {COUNTED}
        FROM d JOIN c USING (cell_id) GROUP BY ALL HAVING sum(events) <> 0""",
        d="dw.usage_day",
        c="dw.rating_cell",
    )
    assert {
        tuple(key): list(both) for *key, both in ((*row[:3], row[3:]) for row in days)
    } == guided
    assert len(guided) > 1000
