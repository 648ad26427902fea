"""mart.receipt_check: pushed = loaded + failed + missing, and the alarms by name."""

from datetime import date, datetime, timedelta, timezone

from models.push.receipt_check import receipt_check
from tests.given.rows import fits, frame, named

BEIJING = timezone(timedelta(hours=8))
DAY = date(2009, 5, 4)


def day(number):
    return date(2009, 5, number)


def at(hour, number=4):
    return datetime(2009, 5, number, hour, tzinfo=BEIJING)


def checked(spark, files=(), receipts=(), resent=(), on=DAY):
    made = receipt_check(
        frame(spark, "mart.push_file", *named("data_date file_name rows", *files)),
        frame(spark, "ops.delivery", *named("data_date file_name rows sequence state", *resent)),
        frame(
            spark,
            "ods.receipt",
            *named("pushed_file rows_loaded rows_failed received_at", *receipts),
        ),
        on,
    )
    rows = made.collect()
    for row in rows:
        assert row.pushed == row.loaded + row.failed + row.missing
    return {
        row.file_name: (row.pushed, row.loaded, row.failed, row.missing, row.alarm) for row in rows
    }


def test_a_file_is_right_if_every_row_is_loaded_or_failed(spark):
    assert checked(spark, [(day(3), "a", 10)], [("a", 9, 1, at(8))]) == {"a": (10, 9, 1, 0, None)}


def test_each_thing_that_is_wrong_has_its_name(spark):
    files = [(day(3), name, 10) for name in ("less", "more", "silent")] + [(day(2), "late", 10)]
    receipts = [("less", 7, 1, at(8)), ("more", 10, 1, at(8)), ("nobody", 3, 0, at(8))]
    assert checked(spark, files, receipts) == {
        "less": (10, 7, 1, 2, "rows_missing"),
        "more": (10, 10, 1, -1, "more_than_sent"),
        "silent": (10, 0, 0, 10, None),  # there is time until the second night
        "late": (10, 0, 0, 10, "no_receipt"),
        "nobody": (0, 3, 0, -3, "unknown_file"),
    }


def test_the_last_receipt_of_a_file_counts(spark):
    receipts = [("a", 10, 0, at(9)), ("a", 4, 0, at(8))]
    assert checked(spark, [(day(3), "a", 10)], receipts)["a"] == (10, 10, 0, 0, None)


def test_a_file_that_was_sent_again_has_a_receipt_of_its_own(spark):
    resent = [
        (day(3), "a_02", 8, 2, "delivered"),
        (day(3), "a", 10, 1, "delivered"),
        (day(3), "a_03", 8, 3, "failed"),
    ]
    found = checked(spark, [(day(3), "a", 10)], [("a_02", 8, 0, at(8))], resent)
    assert found == {"a": (10, 0, 0, 10, None), "a_02": (8, 8, 0, 0, None)}


def test_a_file_that_did_not_leave_in_time_is_not_expected(spark):
    files = [(day(2), name, 10) for name in ("dropped", "held", "failed", "fetched")]
    resent = [(day(2), name, 10, 1, name) for name in ("dropped", "held", "failed")]
    silent = (10, 0, 0, 10, "no_receipt")
    assert checked(spark, files, (), resent) == {"failed": silent, "fetched": silent}


def test_a_night_looks_a_week_back_and_a_late_receipt_still_finds_its_file(spark):
    files = [(day(3), "old", 5), (day(4), "older than a week", 5), (day(11), "new", 5)]
    receipts = [("old", 5, 0, at(8, 11))]
    found = checked(spark, files[:2], receipts, on=day(12))
    assert found == {"old": (5, 5, 0, 0, None)}
    assert checked(spark, files[2:], on=day(12)) == {"new": (5, 0, 0, 5, None)}


def test_the_rows_fit_the_contract(spark):
    made = receipt_check(
        frame(spark, "mart.push_file", {"data_date": day(3)}),
        frame(spark, "ops.delivery"),
        frame(spark, "ods.receipt"),
        DAY,
    )
    fits(made, "mart.receipt_check")
