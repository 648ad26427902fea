"""Phone numbers and keys in one form: every writing of one is the same, two are never one."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from models.frames import invisible
from models.intake import number_column, number_form
from schemas.config.settings import Numbers
from tests.given.frames import local_frame
from tests.given.number_writings import WRITINGS, any_writing

CHINA = Numbers()
AMERICA = Numbers("1", "[2-9][0-9]{9}", "1")
ONE = "13800000001"

# What is no number of the country keeps its digits, or stays as it was written.
OTHERS = {
    "10086": "10086",
    "12593": "12593",
    "1795113900000002": "1795113900000002",  # with the prefix of an IP call
    "17951-139-0000-0002": "1795113900000002",
    "1259313900000002": "1259313900000002",
    "66001": "66001",
    "00000000000": "00000000000",
    "000-0000-0000": "00000000000",
    "+852 6123 4567": "0085261234567",
    "00852-61234567": "0085261234567",
    "0013800000001": "0013800000001",  # a number of country 1
    "+1 (380) 000-0001": "0013800000001",
    "010-65521234": "01065521234",
    "+86 10 65521234": "00861065521234",
    "8610655": "8610655",
    "400.800.8888": "4008008888",
    "06.12.34.56.78": "0612345678",
    "*#06#": "*#06#",
    "unknown": "unknown",
    " 客服（北京）\u3000": "客服（北京）",
    "-": "-",
    "-1": "-1",
    "－１": "－１",
    "0.5": "0.5",
    "8888.0000": "8888.0000",  # eight digits in two groups, or 8888 with four decimals
    "13800000001.5": "13800000001.5",
    "13800000001,13800000002": "13800000001,13800000002",
    "110,119,120": "110,119,120",
    "192.168.100.100": "192.168.100.100",
    "12E5": "12E5",
    "a.b@example.cn": "a.b@example.cn",
    "'": "'",
}
LOST = ("1.38E+10", "1E+10", "1.3800000001E+11", "1.38000000015E+10", "1,38e+10", "１.38Ｅ＋10")
KEYS = {
    "S0000001": "S0000001",
    " S0000001\u3000": "S0000001",
    "Ｓ００００００１": "S0000001",
    "C\u200b1": "C1",
    "客户\u00a01": "客户 1",
    "100000000004.0": "100000000004",
    "1.00000000004E+11": "100000000004",
    '="0012"': "0012",
    "'0012": "0012",
    "0012": "0012",
    "A-1": "A-1",
    "A 1": "A 1",
    "1.00": "1.00",
    "12E5": "12E5",
    "+86": "+86",
    "8613800000001": "8613800000001",
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_every_writing_of_a_number_has_one_form(writing):
    assert number_form.number_of(WRITINGS[writing](ONE), CHINA) == ONE


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_number_of_the_country_is_not_made_one(text):
    assert number_form.number_of(text, CHINA) == OTHERS[text]


@pytest.mark.parametrize("text", KEYS)
def test_a_key_keeps_what_can_tell_it_from_another(text):
    assert number_form.key_of(text) == KEYS[text]


def national() -> st.SearchStrategy[str]:
    return st.from_regex("1[3-9][0-9]{9}", fullmatch=True).map(
        lambda found: re.sub("[^0-9]", "7", found)
    )


@settings(deadline=None, max_examples=400)
@given(national(), national(), st.integers(0, 2**32), st.integers(0, 2**32))
def test_writings_are_equal_if_and_only_if_their_numbers_are(one, other, seed, another):
    first = number_form.number_of(any_writing(one, random.Random(seed)), CHINA)
    second = number_form.number_of(any_writing(other, random.Random(another)), CHINA)
    assert first == one
    assert (first == second) == (one == other)


@settings(deadline=None, max_examples=400)
@given(st.text("0123456789", min_size=1, max_size=20))
def test_digits_stay_unless_the_prefix_of_the_country_goes(digits):
    """The rule written out: of all digits only 86, 0086 and 0 before a national number go."""
    formed = number_form.number_of(digits, CHINA)
    prefix = digits.removesuffix(formed)
    assert digits.endswith(formed)
    assert prefix in ("", "0", "86", "860", "0086", "00860")
    if prefix:
        assert re.fullmatch("1[3-9][0-9]{9}", formed)
    assert number_form.number_of(formed, CHINA) == formed


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(codec="utf-8") | st.sampled_from("0123456789-+.E( 　\t"), max_size=25))
def test_a_form_is_its_own_form(text):
    formed = number_form.number_of(text, CHINA)
    assert number_form.number_of(formed, CHINA) == formed


def test_a_country_whose_own_numbers_begin_with_its_code():
    """Country 49 with numbers of ten to twelve digits: 491234567890 is one of them."""
    country = Numbers("49", "[1-9][0-9]{9,11}", "0")
    assert number_form.number_of("491234567890", country) == "491234567890"
    assert number_form.number_of("+49 1234567890", country) == "1234567890"
    assert number_form.number_of("01234567890", country) == "1234567890"
    for text in ("+1 (212) 555-0123", "1-212-555-0123", "(212) 555-0123", "0012125550123"):
        assert number_form.number_of(text, AMERICA) == "2125550123"


def test_spark_gives_the_same_forms(spark):
    """The expression of the ingest and the form of a text at hand agree, text by text."""
    chance = random.Random(24)
    texts = [
        *(writing(ONE) for writing in WRITINGS.values()),
        *OTHERS,
        *LOST,
        *KEYS,
        *(any_writing(f"1{chance.randrange(3 * 10**9, 10**10)}", chance) for _ in range(300)),
        *("".join(chance.choices("0123456789+-.,() E\u3000'\"=", k=9)) for _ in range(300)),
        *("12125550123", "2125550123", "1", "0", "-5", "+5", "9223372036854775808", "86", " 5"),
        *invisible.CHARACTERS,
        None,
    ]
    frame = local_frame(spark, [(text,) for text in texts], "text string")
    rows = frame.select(
        "text",
        number_column.number(F.col("text"), CHINA).alias("number"),
        number_column.number(F.col("text"), AMERICA).alias("american"),
        number_column.key(F.col("text")).alias("key"),
    ).withColumns(
        {f"lost_{kind}": number_column.is_lost(F.col(kind)) for kind in ("number", "key")}
    )
    for row in rows.collect():
        text = row.text or ""
        assert (row.number or "") == number_form.number_of(text, CHINA), repr(text)
        assert (row.american or "") == number_form.number_of(text, AMERICA), repr(text)
        assert (row.key or "") == number_form.key_of(text), repr(text)
        if row.text in LOST:
            assert (row.lost_number, row.lost_key) == (True, True)
        if row.text in OTHERS or row.number == ONE:
            assert not row.lost_number
