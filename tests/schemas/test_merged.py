"""A document overlaid with another: what is merged, replaced and taken away, and its places."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import document
from schemas.document.merged import overlaid, without
from schemas.errors import ConfigError

BASE, TOP = Path("conf/x.yml"), Path("conf/local/x.yml")
# Any map; null is a value of its own in `codes` only.
SHAPE = {
    "$defs": {"codes": {"additionalProperties": {"type": ["string", "null"]}}},
    "properties": {
        "codes": {"$ref": "#/$defs/codes"},
        "either": {
            "anyOf": [{"type": "string"}, {"properties": {"nothing": {"type": "null"}}}],
        },
    },
    "patternProperties": {"^free_": {"type": ["integer", "null"]}},
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {"type": ["integer", "object"]},
    },
}


def parse(text, path=BASE):
    return document.parse(text, path)


def both(base, top):
    return overlaid(parse(base), parse(top, TOP), SHAPE)


def test_maps_merge_lists_and_values_replace_and_places_are_kept():
    base = parse("a: {x: 1, y: [1, 2]}\nb: {z: 1}\n")
    found = overlaid(base, parse("\n\na: {y: [3]}\nb: ~\nc: 5\n", TOP), SHAPE)
    assert found.data == {"a": {"x": 1, "y": [3]}, "c": 5}
    assert str(found.place(("a", "x"))) == "conf/x.yml:1"
    assert str(found.place(("a", "y", 0))) == "conf/local/x.yml:3"
    assert str(found.place(("c",))) == "conf/local/x.yml:5"
    assert str(found.removed["b",]) == "conf/local/x.yml:4"
    assert base.data == {"a": {"x": 1, "y": [1, 2]}, "b": {"z": 1}}


@pytest.mark.parametrize("value", ["1", "text", "2009-05-01", "true", "[1, 2]", "{y: 1}"])
def test_null_takes_away_any_value(value):
    assert both(f"a: {{x: {value}, z: 2}}", "a: {x: null}").data == {"a": {"z": 2}}


@pytest.mark.parametrize(
    ("base", "top", "data"),
    [
        ("codes: {'0': hall}", "codes: {'0': null}", {"codes": {"0": None}}),
        ("codes: {'0': hall}", "codes: {'1': null}", {"codes": {"0": "hall", "1": None}}),
        ("free_a: 1", "free_a: null", {"free_a": None}),
        ("either: {nothing: 1}", "either: {nothing: null}", {"either": {"nothing": None}}),
        ("codes: {'0': hall}", "codes: null", {}),  # a map as a whole is always taken away
    ],
)
def test_null_is_a_value_where_the_shape_has_it(base, top, data):
    assert both(base, top).data == data


def test_a_null_that_finds_nothing_is_refused_with_its_line():
    with pytest.raises(ConfigError) as caught:
        both("a: {width: 1}\n", "a:\n  widht: null\nb: null\n")
    assert str(caught.value).splitlines() == [
        "conf/local/x.yml:2: a.widht: null takes a value away, and the folders before have none "
        "here, did you mean 'width'?",
        "conf/local/x.yml:3: b: null takes a value away, and the folders before have none here; "
        "known: a",
    ]


def test_what_was_taken_away_cannot_be_taken_again_but_may_come_back():
    once = both("a: {x: 1}\n", "a: {x: null}\n")
    with pytest.raises(ConfigError) as caught:
        overlaid(once, parse("\na: {x: ~}\n", Path("third.yml")), SHAPE)
    assert str(caught.value) == (
        "third.yml:2: a.x: conf/local/x.yml:1 took it away already: leave it out"
    )
    again = overlaid(once, parse("a: {x: 3}\n", Path("third.yml")), SHAPE)
    assert (again.data, again.removed) == ({"a": {"x": 3}}, {})


def test_keys_taken_from_the_top_have_the_place_that_took_them():
    found = without(parse("a: {x: 1}\nb: 2\n"), ["a"], document.Place(TOP, 7))
    assert found.data == {"b": 2}
    assert str(found.place(("a",))) == "conf/local/x.yml:7"
    assert str(found.place(("b",))) == "conf/x.yml:2"


MAPS = st.recursive(
    st.integers(0, 9), lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3)
).filter(lambda one: isinstance(one, dict))


def nulls(value):
    """A map with null at every value of this one."""
    return {
        key: nulls(one) if one and isinstance(one, dict) else None for key, one in value.items()
    }


def emptied(value):
    """What remains of a map when each of its values is taken away."""
    return {key: emptied(one) for key, one in value.items() if one and isinstance(one, dict)}


@given(MAPS, MAPS)
def test_an_overlay_wins_and_its_nulls_take_everything_away(base, top):
    whole = {"additionalProperties": {"$ref": "#/$defs/any"}}
    shape = {
        "$defs": {"any": {"type": ["integer", "object"], **whole}},
        **whole,
    }
    low, high = document.Document(BASE, base, {}), document.Document(TOP, top, {})
    found = overlaid(low, high, shape)
    assert overlaid(found, high, shape).data == found.data
    assert overlaid(document.Document(BASE, {}, {}), low, shape).data == base
    gone = overlaid(found, document.Document(TOP, nulls(found.data), {}), shape)
    assert gone.data == emptied(found.data)
