"""The page about another operator, followed word for word: files, folder, night and bill."""

from pathlib import Path

import pytest

from jobs import night, quote
from tests.given.manual import blocks, write_local_files
from tests.given.paths import CONF, ROOT
from tests.readers.warehouse_reader import query

PAGE = ROOT / "docs" / "another-operator.md"
STEPS = "ingest,identity,usage_day,usage_month,free_units,backtest,rerate"


def texts(language: str) -> list[str]:
    return [text for found, text in blocks(PAGE) if found == language]


@pytest.fixture(scope="module")
def elsewhere(spark, tmp_path_factory) -> Path:
    """The folder of the page after its night."""
    folder = tmp_path_factory.mktemp("elsewhere")
    write_local_files(folder / "conf", of="elsewhere")
    names = ("accounts", "usage")
    for name, text in zip(names, texts("csv"), strict=True):
        path = folder / "landing" / name / f"{name}_20090331.csv"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    places = [*options(folder), "--landing", str(folder / "landing"), "--push", str(folder / "p")]
    assert STEPS in PAGE.read_text(encoding="utf-8")
    assert night.main(["--only", STEPS, "--data-date", "2009-03-31", *places]) == 0
    return folder


def options(folder: Path) -> list[str]:
    own = ["--conf", str(CONF), "--conf", str(folder / "conf")]
    return [*own, "--warehouse", str(folder / "warehouse")]


def test_the_bill_is_the_one_of_the_page(elsewhere, capsys):
    capsys.readouterr()
    asked = ["--subscriber", "L1", "--package", "small", "--month", "2009-03"]
    assert quote.main([*asked, "--data-date", "2009-03-31", *options(elsewhere)]) == 0
    (printed,) = texts("text")
    assert capsys.readouterr().out == printed


def test_the_better_bundle_is_the_one_of_the_page(elsewhere):
    rows = query(
        elsewhere / "warehouse",
        """
        SELECT s.subscriber_no, m.package_id, CAST(m.mean_present_cost AS VARCHAR),
               CAST(m.mean_cost AS VARCHAR), m.basis, m.recommended
        FROM m JOIN s USING (subscriber_id) WHERE m.rank IS NOT NULL ORDER BY 1
        """,
        m="mart.package_match",
        s="dw.subscriber",
    )
    assert rows == [
        ("L1", "large", "535.500000", "450.000000", "rerated", True),
        ("L2", "large", "200.000000", "450.000000", "rerated", False),
    ]
