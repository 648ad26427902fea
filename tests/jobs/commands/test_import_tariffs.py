"""A price list becomes packages; each line that cannot is reported, the others are not held up."""

from fractions import Fraction

import pytest

from jobs import import_tariffs
from models.tariff import catalogue
from schemas import config
from tests.given.manual import blocks
from tests.given.paths import ROOT

HEAD = "id,like,name,brands,valid.from,monthly_fee,pools[0].amount,rules[7].rate,source\n"
GOOD = "gotone_88,gotone_80,全球通88套餐,,2009-04-01,88,240,0.38,assumed\n"


@pytest.fixture
def imported(tmp_path, capsys, monkeypatch):
    """Import a price list: exit code, what was said, and the folder."""
    monkeypatch.chdir(ROOT)

    def run(text, *options, encoding="utf-8"):
        prices = tmp_path / "prices.csv"
        prices.write_bytes(text.encode(encoding))
        out = tmp_path / "local" / "tariffs"
        code = import_tariffs.main([str(prices), "--conf", "conf", "--out", str(out), *options])
        said = capsys.readouterr()
        return code, said.out + said.err, out

    return run


def test_a_line_becomes_a_package_like_another_one(imported):
    code, said, out = imported(HEAD + GOOD)
    assert code == 0
    assert "line 2: gotone_88" in said
    assert "1 of 1 lines became packages" in said
    conf = config.load([ROOT / "conf", out.parent])
    packages = catalogue.load(conf.tariffs.values()).packages
    made, model = packages["gotone_88"], packages["gotone_80"]
    assert (made.name, made.monthly_fee, made.pools[0].amount) == ("全球通88套餐", 88, 240)
    assert (made.rules[7].rate, made.rules[8]) == (Fraction("0.38"), model.rules[8])
    assert (made.brands, made.valid_from.isoformat(), made.valid_to) == (
        model.brands,
        "2009-04-01",
        model.valid_to,
    )
    assert (out / "gotone_88.yml").read_text().startswith("# Made from line 2 of prices.csv")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "gotone_88,gotone_81,,,,88,,,assumed",
            "like: unknown package 'gotone_81'; known: easyown_15",
        ),
        (
            "gotone_80,gotone_80,,,,88,,,assumed",
            "id: 'gotone_80' is already used by the configuration",
        ),
        ("Gotone 88,gotone_80,,,,88,,,assumed", "id: expected lower-case letters, digits"),
        ("gotone_88,gotone_80,,,,88,,,", "source: is empty"),
        (
            "gotone_88,gotone_80,,,,88,viele,,assumed",
            "pools[0].amount: expected a whole number; got 'viele'",
        ),
        (
            "gotone_88,gotone_80,,,4/2009,88,,,assumed",
            "valid.from: expected a day as 2009-05-03; got '4/2009'",
        ),
        ("gotone_88,gotone_80,,,2013-01-01,88,,,assumed", "valid: valid on no day"),
        (
            "gotone_88,gotone_80,,,,$88,,,assumed",
            "line 2: refused: PRICES:2: monthly_fee: expected yuan like 0.40; got '$88'",
        ),
        (
            "gotone_88,gotone_80,,,4/5/2009,88,,,assumed",
            "valid.from: '4/5/2009' has two meanings: write 2009-04-05 or 2009-05-04",
        ),
        (
            'gotone_88,gotone_80,,,,"1,088",,,assumed',
            "monthly_fee: '1,088' has two meanings: write 1088 or 1.0880",
        ),
        (
            "gotone_88,gotone_80,,,,-88,,,assumed",
            "monthly_fee: expected 0 or more; got '-88'",
        ),
        (
            "gotone_88,gotone_80,,,,58,5,,0,38,assumed",
            "11 cells, expected 9 as in the header: put a cell that holds the separator in quotes",
        ),
        (
            "gotone_88,sms_standard,,,,88,240,,assumed",
            "pools[0].amount: the package named by like has no such place",
        ),
        ("gotone_88,gotone_80,,,,88,assumed", "7 cells, expected 9 as in the header"),
    ],
)
def test_a_line_that_makes_no_package_is_reported_and_the_next_one_taken(imported, line, problem):
    code, said, out = imported(HEAD + line + "\n" + GOOD.replace("gotone_88", "gotone_98"))
    assert code == 3
    assert "line 2: refused: " in said
    assert problem.replace("PRICES", str(out.parent.parent / "prices.csv")) in said
    assert "line 3: gotone_98" in said
    assert "1 of 2 lines became packages" in said
    assert [path.name for path in out.iterdir()] == ["gotone_98.yml"]


def test_an_id_twice_in_the_list_is_taken_once(imported):
    code, said, _ = imported(HEAD + GOOD + GOOD)
    assert code == 3
    assert "id: 'gotone_88' is already used by line 2" in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty; expected a head"),
        ("id,like\n", "no column source"),
        ("id,like,source,monthly fee\n", "'monthly fee' is not a place in a tariff"),
        ("id,like,source,id\n", "duplicate column 'id'"),
        ('id,like,source\n"gotone_88,gotone_80,assumed\n', "not valid CSV: unexpected end of data"),
    ],
)
def test_a_list_from_which_nothing_can_be_made_is_refused(imported, text, problem):
    code, said, out = imported(text)
    assert code == 2
    assert problem in said
    assert not out.exists()


def test_gb18030_is_read_when_it_is_named_and_else_refused(imported):
    code, said, _ = imported(HEAD + GOOD, encoding="gb18030")
    assert code == 2
    assert "not utf-8-sig: give --encoding" in said
    code, _, out = imported(HEAD + GOOD, "--encoding", "gb18030", encoding="gb18030")
    assert code == 0
    assert "全球通88套餐" in (out / "gotone_88.yml").read_text(encoding="utf-8")


CELLS = [
    "gotone_88",
    "gotone_80",
    "全球通88套餐",
    "gotone;mzone",
    "DAY",
    "FEE",
    "MINUTES",
    "RATE",
    "assumed",
]


def listed(separator, **cells):
    """The price list with a separator, its cells in quotes."""
    line = [f'"{cells.get(cell, cell)}"' for cell in CELLS]
    return HEAD.replace(",", separator) + separator.join(line) + "\r\n"


@pytest.mark.parametrize(
    ("separator", "encoding", "cells"),
    [
        (",", "utf-8", {"DAY": "2009-04-01", "FEE": "1088.50", "MINUTES": "1240", "RATE": "0.38"}),
        (
            ",",
            "utf-8",
            {"DAY": "2009/4/1", "FEE": "¥1,088.50", "MINUTES": "1,240", "RATE": "0.380"},
        ),
        (";", "utf-8", {"DAY": "2009.4.1", "FEE": "1.088,50", "MINUTES": "1240,0", "RATE": "0,38"}),
        (
            "\t",
            "utf-16",
            {"DAY": "2009年4月1日", "FEE": "1 088,5 元", "MINUTES": "1240.0", "RATE": "￥0.38"},
        ),
        (
            ",",
            "utf-8-sig",
            {
                "DAY": "２００９／４／１",
                "FEE": "１０８８．５",
                "MINUTES": "１２４０",
                "RATE": "．３８",
            },
        ),
    ],
)
def test_a_list_is_read_as_a_spreadsheet_writes_it(imported, separator, encoding, cells):
    code, said, out = imported(listed(separator, **cells), encoding=encoding)
    assert code == 0, said
    conf = config.load([ROOT / "conf", out.parent])
    made = catalogue.load(conf.tariffs.values()).packages["gotone_88"]
    assert (made.monthly_fee, made.pools[0].amount) == (Fraction("1088.5"), 1240)
    assert (made.rules[7].rate, made.valid_from.isoformat()) == (Fraction("0.38"), "2009-04-01")
    assert made.brands == ("gotone", "mzone")


@pytest.mark.parametrize(
    ("text", "encoding", "problem"),
    [
        (HEAD + GOOD, "utf-16-le", "holds zero bytes, as UTF-16 without a byte order mark does"),
        (
            "id,like;source\n",
            "utf-8",
            ":1: the head is separated by comma and semicolon: write one of them",
        ),
    ],
)
def test_a_file_that_may_be_read_in_two_ways_is_refused(imported, text, encoding, problem):
    code, said, _ = imported(text, encoding=encoding)
    assert (code, problem in said) == (2, True)


def test_a_package_is_written_over_only_when_asked(imported, tmp_path):
    imported(HEAD + GOOD)
    local = str(tmp_path / "local")
    code, said, _ = imported(HEAD + GOOD, "--conf", local)
    assert code == 3
    assert "is already used by the configuration" in said
    code, _, out = imported(HEAD + GOOD.replace(",88,", ",89,"), "--conf", local, "--replace")
    assert code == 0
    assert "monthly_fee: '89'" in (out / "gotone_88.yml").read_text()


def test_the_price_list_of_the_manual_becomes_a_package(imported):
    page = ROOT / "docs" / "add-a-package.md"
    (text,) = (text for language, text in blocks(page) if language == "csv")
    code, said, _ = imported(text)
    assert (code, "1 of 1 lines became packages" in said) == (0, True)
