"""What is present and cannot be read is never taken for what is absent."""

from datetime import UTC, date, datetime

import pytest

from schemas.config.source import SourceFormat
from schemas.errors import ConfigError
from tests.given.delivered_lines import DAY, source

UNREAD_END = ["valid_to: present but not readable as timestamp"]
ENDS = {
    "blank": ("", None),
    "blanks": ("  ", None),
    "a listed text": ("-", None),
    "a day": ("2009-03-31", datetime(2009, 3, 30, 16, tzinfo=UTC)),
    "a time": ("2009-03-31 23:59:59.5", datetime(2009, 3, 31, 15, 59, 59, 500_000, UTC)),
    "a time with its offset": ("2009-03-31T08:00:00Z", datetime(2009, 3, 31, 8, tzinfo=UTC)),
    "the day before the first open end": ("2099-12-30", datetime(2099, 12, 29, 16, tzinfo=UTC)),
    "the first open end": ("2099-12-31", None),
    "with a time of day": ("2099-12-31 23:59:59", None),
    "a day later": ("2100-01-01", None),
    "the last day": ("9999-12-31", None),
    "the last second": ("9999-12-31 23:59:59", None),
    "after the last day": ("10000-01-01", None),
    "as Parquet is read": ("+10000-01-01 00:00:00", None),
    "another notation": ("31/03/2009", UNREAD_END),
    "a day that no calendar has": ("2009-02-30", UNREAD_END),
    "a month that no calendar has": ("2009-13-01", UNREAD_END),
    "zeros": ("0000-00-00", UNREAD_END),
    "a zero": ("0", UNREAD_END),
    "a year": ("2009", UNREAD_END),
    "a month": ("2009-03", UNREAD_END),
    "a clock alone, which Spark would date today": ("10:15:00", UNREAD_END),
    "a clock behind T": ("T10:15:00", UNREAD_END),
    "words behind the day": ("2009-03-31 or so", UNREAD_END),
    "before the first year": ("0000-12-31", UNREAD_END),
    "full-width digits": ("２００９-03-31", UNREAD_END),
    "parts of a microsecond": (
        "2009-03-31 00:00:00.0000001",
        ["valid_to: does not fit timestamp exactly"],
    ),
}


def people(*columns, **changes):
    """A source of subscribers; each line has a number of its own and a field of each column."""
    given = {
        "subscriber_no": "no",
        "customer_no": "'C1'",
        "msisdn": "no",
        "brand": "'gotone'",
        "status": "'active'",
        "join_date": "date'2009-01-01'",
        "do_not_disturb": "false",
        "consent_marketing": "true",
        "valid_from": "timestamp'2009-01-01 00:00:00'",
        "changed_at": "timestamp'2009-01-01 00:00:00'",
        **changes.pop("mapping", {}),
    }
    return source(
        "ods.subscriber", columns=("no", *columns), mapping=given, codes={}, exclude={}, **changes
    )


def told(seen, row):
    """What became of a row: its reasons, or the accepted row."""
    if ("a", row) in seen.rejected:
        return seen.rejected["a", row].reasons
    return seen.accepted["a", row]


def test_an_end_is_read_open_or_refused(judged):
    of = people("end", mapping={"valid_to": "`end`"}, absent={"valid_to": ("-",)})
    seen = judged([(f"S{n}|{text}", "a", n, DAY) for n, (text, _) in enumerate(ENDS.values())], of)
    for row, (words, (_, expected)) in enumerate(ENDS.items()):
        if isinstance(expected, list):
            assert told(seen, row) == expected, words
        else:
            found = told(seen, row).valid_to
            assert (found and found.astimezone(UTC)) == expected, words


LAST_DAYS = {
    "20090331": date(2009, 4, 1),
    "20991230": None,  # the day after is the first open end
    "20991231": None,
    "99991231": None,
    "": None,
    "20090230": ["valid_to: present but not readable as date"],
    "31/03/2009": ["valid_to: present but not readable as date"],
    "0": ["valid_to: present but not readable as date"],
}


def test_the_day_after_the_last_one_is_open_where_the_last_one_is(judged):
    of = source(
        "ods.package_subscription",
        columns=("no", "end"),
        codes={},
        exclude={},
        mapping={
            "subscriber_no": "no",
            "package_id": "'gotone_58'",
            "valid_from": "date'2009-01-01'",
            "valid_to": "date_add(cast(try_to_timestamp(`end`, 'yyyyMMdd') as date), 1)",
            "changed_at": "timestamp'2009-01-01 00:00:00'",
        },
    )
    seen = judged([(f"S{n}|{text}", "a", n, DAY) for n, text in enumerate(LAST_DAYS)], of)
    for row, (text, expected) in enumerate(LAST_DAYS.items()):
        found = told(seen, row)
        assert (found if isinstance(found, list) else found.valid_to) == expected, text


UNREAD_DAY = "join_date: present but not readable as date"
DAYS = {
    "2009-03-31": date(2009, 3, 31),
    "2009-3-1": date(2009, 3, 1),
    "2009-03-31 00:00:00": date(2009, 3, 31),
    "2009-03-31T00:00:00.000Z": date(2009, 3, 31),
    "2009-03-31 10:15:00": ["join_date: does not fit date exactly"],
    "2009-03-31 a word": [UNREAD_DAY],
    "2009-03": [UNREAD_DAY],
    "9999-12-31": date(9999, 12, 31),  # no end of anything
    "10000-01-01": [UNREAD_DAY],
    "0000-12-31": [UNREAD_DAY],
    "": ["join_date: expected a value"],
}


def test_a_date_has_no_time_and_a_year_that_every_reader_knows(judged):
    of = people("day", mapping={"join_date": "day"})
    seen = judged([(f"S{n}|{text}", "a", n, DAY) for n, text in enumerate(DAYS)], of)
    for row, (text, expected) in enumerate(DAYS.items()):
        found = told(seen, row)
        assert (found if isinstance(found, list) else found.join_date) == expected, text


MONTHS = {
    "2009-04": date(2009, 4, 1),
    "2009-04-01": date(2009, 4, 1),
    "2009-13": ["month: present but not readable as date"],
    "2009-04-02": ["month: expected the first day of a month"],
}


def test_a_month_may_be_written_as_one(judged):
    of = source(
        "ods.sensitive_number",
        columns=("no", "month"),
        mapping={"month": "`month`", "msisdn": "no", "class": "'media'"},
        codes={},
        exclude={},
    )
    seen = judged([(f"N{n}|{text}", "a", n, DAY) for n, text in enumerate(MONTHS)], of)
    for row, (text, expected) in enumerate(MONTHS.items()):
        found = told(seen, row)
        assert (found if isinstance(found, list) else found.month) == expected, text


def call_lines(rows):
    return [("|".join((f"V{n}", f"138{n}", *cells)), "a", n, DAY) for n, cells in enumerate(rows)]


def feedback(*columns, **changes):
    """Feedback of a campaign: it has optional flags, texts, numbers."""
    mapping = {
        "feedback_no": "no",
        "campaign_id": "'spring'",
        "subscriber_no": "number",
        "channel": "'web'",
        "occurred_at": "timestamp'2009-05-03 10:00:00'",
        "contacted": "true",
        "handled": "true",
        **changes.pop("mapping"),
    }
    return source(
        "ods.campaign_feedback",
        columns=("no", "number", *columns),
        mapping=mapping,
        exclude={},
        **{"codes": {}, **changes},
    )


def test_what_the_source_keeps_without_the_value_is_counted(judged):
    of = feedback(
        "flag",
        "wave",
        mapping={"viewed": "flag", "wave": "try_cast(wave as int)"},
        unreadable={"viewed": "warn", "wave": "warn"},
    )
    rows = [("true", "1"), ("perhaps", "1"), ("perhaps", "one"), ("", ""), ("1", "99999999999")]
    seen = judged(call_lines(rows), of)
    assert {row: (r.viewed, r.wave) for (_, row), r in seen.accepted.items()} == {
        0: (True, 1),
        1: (None, 1),
        2: (None, None),
        3: (None, None),
        4: (True, None),
    }
    counts = seen.counts[DAY]
    assert [counts[name] for name in ("accepted", "rejected", "warned", "unread")] == [5, 0, 3, 3]
    found = {reason: counts[f"check_{place}"] for place, reason in enumerate(seen.checks)}
    assert found["viewed: present but not readable as boolean, kept without it"] == 2
    assert found["wave: present but not readable as int, kept without it"] == 2


UNREAD_FLAG = ["viewed: present but not readable as boolean"]
FLAGS = {
    "a code": ("是", True),
    "a code for no value": ("不详", None),
    "no code": ("Y", UNREAD_FLAG),
    "a number": ("1", UNREAD_FLAG),
    "blank": ("", None),
}


def test_a_code_may_mean_no_value(judged):
    codes = {"viewed": {"是": True, "否": False, "不详": None}}
    for mapping in ("flag", "lower(flag)"):
        of = feedback("flag", mapping={"viewed": mapping}, codes=codes)
        seen = judged(call_lines([(text,) for text, _ in FLAGS.values()]), of)
        for row, (words, (_, expected)) in enumerate(FLAGS.items()):
            found = told(seen, row)
            assert (found if isinstance(found, list) else found.viewed) == expected, words


def test_a_number_other_than_0_and_1_is_no_flag(judged):
    of = feedback("flag", mapping={"viewed": "try_cast(flag as int)"})
    seen = judged(call_lines([("0",), ("1",), ("7",), ("x",)]), of)
    assert [told(seen, row).viewed for row in (0, 1)] == [False, True]
    assert [told(seen, row) for row in (2, 3)] == [UNREAD_FLAG, UNREAD_FLAG]


def test_an_expression_is_empty_on_purpose_only_where_the_source_says_so(judged):
    """Each column is NULL though a field it reads is there; a blank field may mean no value."""
    mapping = {
        "order_no": "CASE WHEN kind = 'order' THEN no END",
        "refusal": "CASE WHEN kind = 'refusal' THEN 'price' END",
        "wave": "try_cast(last as int) - try_cast(first as int)",
    }
    rows = [("order", "1", "3"), ("refusal", "", "3"), ("", "1", ""), ("order", "x", "3")]
    of = feedback("kind", "first", "last", mapping=mapping)
    seen = judged(call_lines(rows), of)
    assert told(seen, 0) == ["refusal: present but not readable as string"]
    assert told(seen, 1) == [
        "wave: present but not readable as int",
        "order_no: present but not readable as string",
    ]
    of = feedback(
        "kind",
        "first",
        "last",
        mapping=mapping,
        absent={"wave": ("",)},
        unreadable={"order_no": "absent", "refusal": "absent"},
    )
    seen = judged(call_lines(rows), of)
    assert {row: (r.order_no, r.refusal, r.wave) for (_, row), r in seen.accepted.items()} == {
        0: ("V0", None, 2),
        1: (None, "price", None),
        2: (None, None, None),
    }
    assert told(seen, 3) == ["wave: present but not readable as int"]


def test_a_column_named_like_a_type_or_unit_is_present_too(judged):
    of = feedback("minutes", mapping={"wave": "try_cast(minutes as int) * 60"})
    seen = judged(call_lines([("2",), ("two",), ("",)]), of)
    assert (told(seen, 0).wave, told(seen, 2).wave) == (120, None)
    assert told(seen, 1) == ["wave: present but not readable as int"]


def test_fields_of_json_are_absent_only_where_they_are_not_written(judged):
    of = people("end", mapping={"valid_to": "`end`"}, format=SourceFormat(kind="json_lines"))
    lines = [
        '{"no": "S1"}',
        '{"no": "S2", "end": null}',
        '{"no": "S3", "end": ""}',
        '{"no": "S4", "end": 20090331}',
        '{"no": "S5", "end": {"year": 2009}}',
        '{"no": "S6", "end": false}',
    ]
    seen = judged([(text, "a", n, DAY) for n, text in enumerate(lines)], of)
    assert [told(seen, row).valid_to for row in (0, 1, 2)] == [None, None, None]
    assert [told(seen, row) for row in (3, 4, 5)] == [UNREAD_END] * 3


def test_a_value_that_no_cast_makes_the_columns_is_a_fault_of_the_mapping(judged):
    with pytest.raises(ConfigError) as raised:
        judged([("S1|1", "a", 1, DAY)], people("end", mapping={"join_date": "length(`end`)"}))
    assert str(raised.value) == (
        "sources.yml: call.mapping.join_date: length(`end`): a value of type int cannot become "
        "the column's: write another expression"
    )
