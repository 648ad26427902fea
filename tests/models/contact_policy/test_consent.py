"""dw.consent: whose answer holds when, and what stays of an erased customer."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from models.contact_policy.consent import consent
from tests.given.contact_policies import ZONE
from tests.given.rows import fits, frame, named

KEY = "a-key"
COLUMNS = "customer_no subscriber_no changed_at consent_marketing do_not_disturb valid_to row_no"


def instant(text):
    return datetime.strptime(f"2008-{text}", "%Y-%m-%d").replace(tzinfo=ZoneInfo(ZONE))


def ledger(spark, *answers, previous=None, day="05-10"):
    """(granted, since, until, row of the proof) in order; `answers`: as COLUMNS."""
    rows = [
        {
            **one,
            "changed_at": instant(one["changed_at"]),
            "valid_to": one["valid_to"] and instant(one["valid_to"]),
            "valid_from": instant("01-01"),
            "batch_date": date(2008, 1, 1),
            "source": "crm",
            "file_name": "s.txt",
        }
        for one in named(COLUMNS, *answers)
    ]
    return fits(
        consent(
            previous,
            frame(spark, "ods.subscriber", *rows),
            class_="marketing",
            kept_days=150,
            key=KEY,
            data_date=date.fromisoformat(f"2008-{day}"),
        ),
        "dw.consent",
    )


def said(made):
    def day(when):
        return when and f"{when.astimezone(ZoneInfo(ZONE)):%m-%d}"

    return sorted(
        (row["granted"], day(row["valid_from"]), day(row["valid_to"]), row["proof"])
        for row in made.collect()
    )


def test_an_answer_holds_until_the_next_one(spark):
    made = ledger(
        spark,
        ("C1", "S1", "01-01", True, False, None, 1),
        ("C1", "S1", "02-01", True, False, None, 2),
        ("C1", "S1", "03-01", False, False, None, 3),
        ("C1", "S1", "04-01", True, True, None, 4),
        ("C1", "S1", "05-01", True, False, None, 5),
    )
    assert said(made) == [
        (False, "03-01", "05-01", "crm/s.txt/3"),
        (True, "01-01", "03-01", "crm/s.txt/1"),
        (True, "05-01", None, "crm/s.txt/5"),
    ]


def test_a_customer_agrees_if_all_numbers_do(spark):
    made = ledger(
        spark,
        ("C1", "S1", "01-01", True, False, None, 1),
        ("C1", "S2", "02-01", False, False, "04-01", 2),
    )
    assert said(made) == [
        (False, "02-01", "04-01", "crm/s.txt/2"),
        (True, "01-01", "02-01", "crm/s.txt/1"),
        (True, "04-01", None, "crm/s.txt/1"),
    ]


def test_the_consent_of_an_erased_customer_stays_for_its_time(spark):
    before = ledger(spark, ("C1", "S1", "01-01", True, False, None, 1), day="05-09")
    kept = ledger(spark, ("C2", "S2", "01-01", False, False, None, 7), previous=before)
    assert said(kept) == [
        (False, "01-01", None, "crm/s.txt/7"),
        (True, "01-01", "05-10", "crm/s.txt/1"),
    ]
    late = ledger(spark, ("C2", "S2", "01-01", False, False, None, 7), previous=kept, day="10-06")
    assert len(said(late)) == 2
    gone = ledger(spark, ("C2", "S2", "01-01", False, False, None, 7), previous=kept, day="10-07")
    assert said(gone) == [(False, "01-01", None, "crm/s.txt/7")]
