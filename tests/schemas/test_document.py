"""YAML with places: what is read strictly, what is refused and where the message points."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas import document
from schemas.document.violation import DECIMAL_PATTERN
from schemas.errors import ConfigError

PRICE = {"type": "string", "pattern": DECIMAL_PATTERN, "description": "a price"}
SHAPE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["record"],
    "properties": {
        "record": {"type": "string"},
        "files": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"pattern": {"type": "string"}, "control": {"type": "string"}},
        },
        "cadence": {"enum": ["daily", "weekly"]},
        "since": {"type": "string", "format": "date"},
        "price": PRICE,
        "prices": {"type": "array", "minItems": 1, "items": PRICE},
        "size": {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": "^[0-9]+s$"},
            ],
            "description": "a number or a time like 60s",
        },
    },
}


def parse(text: str) -> document.Document:
    return document.parse(text, Path("conf/x.yml"))


def refusal(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        document.check(parse(text), SHAPE)
    return str(caught.value).splitlines()


def test_values_keep_their_kind_and_money_never_becomes_a_binary_float():
    found = parse("a: 0.10\nb: 2009-01-31\nc: 7\nd: true\ne: ~\nf: [1e3, -2.5]\n").data
    assert found == {
        "a": Decimal("0.10"),
        "b": date(2009, 1, 31),
        "c": 7,
        "d": True,
        "e": None,
        "f": [Decimal("1e3"), Decimal("-2.5")],
    }
    assert str(found["a"]) == "0.10"
    assert isinstance(found["a"], Decimal)


def test_words_and_codes_that_other_readers_turn_into_something_else_stay_text():
    found = parse("on: [yes, no, 08:30, 0600, 1_000]\n010: a\n1: b\n").data
    assert found == {"on": ["yes", "no", "08:30", "0600", "1_000"], "010": "a", "1": "b"}


def test_every_value_has_the_line_of_its_key_or_item():
    found = parse("a: 1\nb:\n  c: 2\n  d:\n    - x\n    - {e: 3}\n")
    assert found.line(("b", "c")) == 3
    assert found.line(("b", "d", 1)) == 6
    assert found.line(("b", "d", 1, "e")) == 6


def test_the_place_of_a_missing_path_is_that_of_the_map_above():
    assert parse("a: 1\nb:\n  c: 2\n").line(("b", "unknown", "below")) == 2


def test_an_empty_file_is_an_empty_map(tmp_path):
    (tmp_path / "x.yml").write_text("# nothing yet\n", encoding="utf-8")
    assert document.read(tmp_path / "x.yml").data == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb: 2\na: 3\n",
            "conf/x.yml:3: a: duplicate key, first on line 1: keep one of the two",
        ),
        ("a:\n  since: 2009-02-30\n", "conf/x.yml:2: a.since: no such date: 2009-02-30"),
        ("a: &x [*x]\n", "conf/x.yml:1: a[0]: an alias inside its own anchor"),
        ("a: !!python/name:os.system x\n", "conf/x.yml:1: a: the tag "),
        ("a: [1\nb: 2\n", "conf/x.yml:2: not valid YAML: "),
        ("? [1]\n: 2\n", "conf/x.yml:1: a key must be plain text"),
        ("a: 1\n---\nb: 2\n", "conf/x.yml:2: not valid YAML: "),
    ],
)
def test_broken_yaml_is_refused_at_its_line(text, message):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_utf_8_is_refused_at_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yml").write_bytes("a: 1\nb: 语音\n".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"^x\.yml:2: not UTF-8 text: save the file as UTF-8$"):
        document.read(tmp_path / "x.yml")


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^no\.yml: cannot be read: No such file"):
        document.read("no.yml")


def test_a_file_outside_the_current_folder_is_named_in_full(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    assert document.shown(tmp_path / "inside" / "x.yml") == "x.yml"
    assert document.shown(tmp_path / "y.yml") == str(tmp_path / "y.yml")


def test_an_unknown_key_comes_with_the_near_miss():
    assert refusal("record: a\nfils: {}\n") == [
        "conf/x.yml:2: fils: unknown key, did you mean 'files'?"
    ]


def test_an_unknown_key_that_resembles_nothing_comes_with_the_known_ones():
    assert refusal("record: a\nfiles:\n  zzz: 1\n") == [
        "conf/x.yml:3: files.zzz: unknown key; known: pattern, control"
    ]


def test_a_price_that_is_a_number_is_refused_with_the_form_to_write():
    assert refusal('record: a\nprice: 0.40\nprices: ["1", 2]\n') == [
        'conf/x.yml:2: price: prices are written as strings: "0.40"',
        'conf/x.yml:3: prices[1]: prices are written as strings: "2"',
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "cadence: dayly",
            "cadence: expected one of daily, weekly; got 'dayly', did you mean 'daily'?",
        ),
        ("since: tomorrow", "since: expected a date like 2009-05-03; got 'tomorrow'"),
        ("price: 4 yuan", "price: expected a price; got '4 yuan'"),
        ("prices: []", "prices: expected at least 1 of them; got []"),
        ("files: [a]", "files: expected a map; got ['a']"),
        ("size: 0", "size: expected a number ≥ 1; got 0"),
        ("size: 60m", "size: expected text that matches ^[0-9]+s$; got '60m'"),
        ("size: true", "size: expected a number or a time like 60s; got true"),
    ],
)
def test_a_wrong_value_says_what_was_expected(line, message):
    assert refusal(f"record: a\n{line}\n") == [f"conf/x.yml:2: {message}"]


def test_every_problem_is_named_in_the_order_of_the_lines():
    assert refusal("cadence: 1\nprice: 1\nextra: 1\n") == [
        "conf/x.yml:1: the key 'record' is missing",
        "conf/x.yml:1: cadence: expected one of daily, weekly; got 1",
        'conf/x.yml:2: price: prices are written as strings: "1"',
        "conf/x.yml:3: extra: unknown key; known: record, files, since, prices, size",
    ]


def test_a_part_of_a_document_is_checked_with_its_own_path():
    found = parse("voice:\n  files: {pattern: 3}\n")
    with pytest.raises(ConfigError) as caught:
        document.check(found, SHAPE, at=("voice",))
    assert str(caught.value).splitlines() == [
        "conf/x.yml:1: voice: the key 'record' is missing",
        "conf/x.yml:2: voice.files.pattern: expected text; got 3",
    ]


def test_a_document_of_the_right_shape_passes():
    document.check(parse('record: a\nprice: "0.40"\nsince: 2009-01-01\nsize: 60s\n'), SHAPE)
