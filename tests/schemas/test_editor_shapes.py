"""The shapes of configuration files as an editor takes them: plain JSON Schema, not our reader.

An editor reads YAML 1.2, in which a date is text and 0.40 a number. A file that the program loads
must not be marked by it, and a misspelt key must be.
"""

import copy
from datetime import date
from decimal import Decimal

import jsonschema
import pytest

from models.tariff.package import COMPONENT_SERVICES, FACT_VALUES, KIND_SERVICE
from schemas import document
from tests.given.paths import ROOT

SHAPES = sorted((ROOT / "schemas" / "shapes").glob("*.yml"))
TARIFFS = sorted((ROOT / "conf" / "tariffs").glob("*.yml"))
DOCUMENTS = [
    *((path, "tariff") for path in TARIFFS),
    *((path, "campaign") for path in sorted((ROOT / "conf" / "campaigns").glob("*.yml"))),
    *(
        (ROOT / "conf" / f"{path.stem}.yml", path.stem)
        for path in SHAPES
        if (ROOT / "conf" / f"{path.stem}.yml").is_file()
    ),
]


def plain(value):
    """What JSON has for a value that our reader gives."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def editor(name):
    """A validator that knows nothing of this project but the shape."""
    shape = plain(document.read(ROOT / "schemas" / "shapes" / f"{name}.yml").data)
    jsonschema.Draft202012Validator.check_schema(shape)
    return jsonschema.Draft202012Validator(
        shape, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


@pytest.fixture(scope="module")
def tariff_editor():
    return editor("tariff")


@pytest.fixture(scope="module")
def tariffs():
    return {path.stem: plain(document.read(path).data) for path in TARIFFS}


@pytest.mark.parametrize("name", [path.stem for path in SHAPES])
def test_a_shape_is_plain_json_schema(name):
    editor(name)


def test_no_shipped_file_is_marked():
    marked = {
        path.name: error.message
        for path, name in DOCUMENTS
        for error in editor(name).iter_errors(plain(document.read(path).data))
    }
    assert marked == {}
    assert len(DOCUMENTS) >= 40 + 6


@pytest.mark.parametrize(
    ("keep", "valid"),
    [
        ("none", True),
        (["gotone_*"], True),
        ([], False),
        ("all", False),
        ([1], False),
        (None, False),
    ],
)
@pytest.mark.parametrize("part", ["tariffs", "campaigns", "sources", "channels", "services"])
def test_what_a_folder_keeps_is_none_or_patterns(part, keep, valid):
    assert editor("overlay").is_valid({part: {"keep": keep}}) is valid


def places(value, path=()):
    """The path of every map in a document."""
    if isinstance(value, dict):
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in children:
        if isinstance(one, (dict, list)):
            yield from places(one, (*path, key))


def test_a_misspelt_key_is_marked_wherever_it_stands(tariff_editor, tariffs):
    """In every map of every shipped tariff; the names of bands are free."""
    tried = 0
    for tariff in tariffs.values():
        for path in places(tariff):
            if path == ("bands",):
                continue
            wrong = copy.deepcopy(tariff)
            at = wrong
            for part in path:
                at = at[part]
            at["mispelt"] = "1"
            assert not tariff_editor.is_valid(wrong), path
            tried += 1
    assert tried > 1000


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("monthly_fee",), 58),
        (("rules", 0, "rate"), 0.4),
        (("rules", 0, "rate"), "abc"),
        (("rules", 0, "per"), 60),
        (("rules", 0, "match", "roaming"), "abroad"),
        (("rules", 0, "component"), "minutes"),
        (("valid", "from"), "2009-13-01"),
        (("valid", "to"), "never"),
        (("pools", 0, "draw"), "blocks"),
        (("kind",), "video"),
        (("rounding", "mode"), "nearest"),
        (("brands",), []),
        (("id",), "Gotone 58"),
    ],
)
def test_a_value_that_the_language_does_not_know_is_marked(tariff_editor, tariffs, place, value):
    wrong = copy.deepcopy(tariffs["gotone_58"])
    at = wrong
    for part in place[:-1]:
        at = at[part]
    at[place[-1]] = value
    assert not tariff_editor.is_valid(wrong)


def test_the_shape_names_every_fact_component_and_kind_of_the_language():
    shape = document.read(ROOT / "schemas" / "shapes" / "tariff.yml").data
    named = shape["$defs"]
    facts = {fact: tuple(named[fact]["enum"]) for fact in FACT_VALUES if fact != "in_group"}
    assert facts | {"in_group": (False, True)} == FACT_VALUES
    assert set(named["facts"]["properties"]) == {*FACT_VALUES, "service", "band"}
    assert set(named["component"]["enum"]) == set(COMPONENT_SERVICES)
    assert set(shape["properties"]["kind"]["enum"]) == set(KIND_SERVICE)


def test_the_shipped_catalogue_uses_the_whole_language(tariffs):
    """Every key that a tariff may have, but packages that are only held, former tariffs, and what
    no package of the time needs: fees of used months only, and packages that go together."""
    shape = document.read(ROOT / "schemas" / "shapes" / "tariff.yml").data
    known = {
        key
        for path in places(shape)
        if path and path[-1] == "properties"
        for key in _at(shape, path)
    }
    used = {
        key for tariff in tariffs.values() for path in places(tariff) for key in _at(tariff, path)
    }
    unused = {"present_only", "former_of", "fee_when", "requires", "excludes"}
    assert known - used == unused


def _at(value, path):
    for part in path:
        value = value[part]
    return value
