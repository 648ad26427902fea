"""Lines whose numbers, keys and codes are written otherwise: they match as if written plainly."""

import json
from dataclasses import replace

import pytest

from schemas.config.settings import Numbers
from schemas.config.source import SourceFormat
from tests.given.delivered_lines import COLUMNS, DAY, line, source
from tests.given.number_writings import WRITINGS

ONE = "13800000001"
UNSEEN = "\u3000\u200b\t\u00a0"


def in_json(text: str) -> str:
    cells = dict(zip(COLUMNS, text.split("|"), strict=True))
    return json.dumps(cells)  # characters beyond ASCII as escapes


def judge(judged, texts, **changes):
    return judged([(text, "a.txt", no, DAY) for no, text in enumerate(texts, 1)], source(**changes))


def test_calls_of_one_number_in_all_writings_are_calls_of_one_number(judged):
    texts = [
        line(no=f"V{no}", number=writing(ONE), other=f"139{no:08}")
        for no, writing in enumerate(WRITINGS.values())
    ]
    seen = judge(judged, texts)
    assert {row.msisdn for row in seen.accepted.values()} == {ONE}
    assert len(seen.accepted) == len(WRITINGS)


def test_a_call_delivered_again_in_another_writing_is_a_duplicate(judged):
    texts = [line(), line(number="+86 138-0000-0001", other=" 86 139-0000-0002")]
    assert judge(judged, texts).duplicate == {("a.txt", 2)}


@pytest.mark.parametrize("number", ["1.38E+10", "１.38Ｅ＋10", "1,38e+10"])
def test_a_number_that_lost_digits_is_rejected_with_that_reason(judged, number):
    seen = judge(judged, [line(number=number), line(other=number)])
    reason = "digits were lost in an exponent; export the column as text"
    assert seen.rejected["a.txt", 1].reasons == [f"msisdn: {reason}"]
    assert seen.rejected["a.txt", 2].reasons == [f"other_party: {reason}"]


def test_a_number_of_nothing_that_is_seen_is_missing(judged):
    seen = judge(judged, [line(number="\u200b\u3000")])
    assert seen.rejected["a.txt", 1].reasons == ["msisdn: expected a value"]


FORMS = {
    "delimited": (SourceFormat(delimiter="|"), str),
    "tabs": (SourceFormat(delimiter="\t"), lambda text: text.replace("\t", "").replace("|", "\t")),
    "quoted": (
        SourceFormat(delimiter=",", quote='"'),
        lambda text: ",".join(f'"{cell}"' for cell in text.split("|")),
    ),
    "json": (SourceFormat(kind="json_lines"), in_json),
}


@pytest.mark.parametrize("form", FORMS)
def test_codes_and_names_match_whatever_nobody_sees_around_them(judged, form):
    kind, written = FORMS[form]
    cells = {"no": "V1", "way": "MO", "seconds": "61", "group": "0", "city": "北 京"}
    text = line(**{name: f"{UNSEEN}{cell}{UNSEEN}" for name, cell in cells.items()})
    row = judge(judged, [written(text)], format=kind).accepted["a.txt", 1]
    assert (row.call_no, row.direction, row.duration_s) == ("V1", "mo", 61)
    assert (row.in_group, row.home_city) == (False, "北 京")


def test_fields_of_fixed_width_are_trimmed_likewise(judged):
    widths = (6, 20, 11, 5, 14, 5, 1, 6, 12)
    cells = line(city="北京\u3000", way="\u3000MO", number="１３８-0000").split("|")
    text = "".join(
        cell + " " * (width - len(cell.encode())) for cell, width in zip(cells, widths, strict=True)
    )
    form = SourceFormat(kind="fixed_width", widths=widths)
    row = judge(judged, [text], format=form).accepted["a.txt", 1]
    assert (row.direction, row.home_city, row.msisdn) == ("mo", "北京", "1380000")


def test_the_line_of_a_reject_stays_as_it_was_delivered(judged):
    text = line(way="\u3000XX\u00a0", number="+86 138-0000-0001\u200b")
    assert judge(judged, [text]).rejected["a.txt", 1].raw_line == text


def test_keys_of_customers_and_subscribers_have_one_form(judged):
    columns = {
        "subscriber_no": "no",
        "customer_no": "other",
        "msisdn": "number",
        "brand": "'gotone'",
        "status": "'active'",
        "join_date": "DATE'2009-01-01'",
        "do_not_disturb": "false",
        "consent_marketing": "true",
        "valid_from": "try_to_timestamp(start, 'yyyyMMddHHmmss')",
        "changed_at": "try_to_timestamp(start, 'yyyyMMddHHmmss')",
    }
    of = source("ods.subscriber", mapping=columns, codes={}, exclude={})
    texts = [
        line(
            no="Ｓ０１\u3000",
            other="100000000004.0",
            number="8613800000001",
            start="20090501000000",
        ),
        line(no="S01", other="1.00000000004E+11", start="20090502000000"),
        line(no="S 01", other="1E+11"),
    ]
    seen = judged([(text, "a.txt", no, DAY) for no, text in enumerate(texts, 1)], of)
    for row in seen.accepted.values():
        assert (row.subscriber_no, row.customer_no, row.msisdn) == ("S01", "100000000004", ONE)
    assert len(seen.accepted) == 2
    assert [reason.split(":")[0] for reason in seen.rejected["a.txt", 3].reasons] == ["customer_no"]


def test_every_column_by_which_people_are_found_has_one_form(contracts):
    """Only columns that say so in their contract are brought into one form."""
    kinds = {"msisdn": "number", "subscriber_no": "account", "customer_no": "account"}
    found = {
        (one.table, column.name): column.personal
        for one in contracts.values()
        if one.layer == "ods"
        for column in one.columns
        if column.name in kinds or (column.references or "").endswith(tuple(kinds))
    }
    assert len(found) > 20
    assert found == {place: kinds[place[1]] for place in found}


def test_the_country_is_that_of_the_configuration(judged):
    of = replace(source(), numbers=Numbers("1", "[2-9][0-9]{9}", "1"))
    texts = [
        line(number="+1 (212) 555-0123"),
        line(number="8613800000001", other="+86 138 00000001"),
    ]
    seen = judged([(text, "a.txt", no, DAY) for no, text in enumerate(texts, 1)], of)
    assert seen.accepted["a.txt", 1].msisdn == "2125550123"
    assert seen.accepted["a.txt", 2].msisdn == "8613800000001"
    assert seen.accepted["a.txt", 2].other_party == "008613800000001"
