"""A package tried on all customers before it is launched."""

import re

import pytest

from jobs import what_if
from tests.given.paths import TARIFFS
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import query


@pytest.fixture
def tried(one_night, tmp_path, capsys):
    """Exit code, what was said, what was said of errors, and the page, of a package's YAML."""

    def run(text, *options):
        tariff = tmp_path / "tried.yml"
        tariff.write_text(text, encoding="utf-8")
        code = what_if.main(
            [
                "--tariff",
                str(tariff),
                "--data-date",
                LAST,
                "--out",
                str(tmp_path),
                *one_night.options(),
                *options,
            ]
        )
        said = capsys.readouterr()
        pages = list(tmp_path.glob("*.html"))
        return code, said.out, said.err, pages[0].read_text() if pages else None

    return run


def figures(said, title):
    """The rows below a title: first cell → the whole numbers and amounts after it."""
    block = said.split(f"\n{title}\n")[1].split("\n\n")[0].splitlines()[1:]
    found = {}
    for line in block:
        name = re.split(r"\s{2,}", line.strip())[0]
        found[name] = [
            float(one.replace(",", ""))
            for one in re.findall(r"(?<=\s)-?[0-9][0-9,]*(?:\.[0-9]+)?(?=\s|$)", line)
        ]
    return found


def test_a_package_on_sale_is_taken_by_those_to_whom_it_is_recommended(one_night, tried):
    code, said, _, page = tried((TARIFFS / "gprs_5.yml").read_text(encoding="utf-8"))
    assert code == 0
    takers, saved, compared, customers = query(
        one_night.warehouse,
        """
        SELECT count(*) FILTER (recommended), sum(saving) FILTER (recommended), count(saving),
               count(*)
        FROM m WHERE package_id = 'gprs_5'""",
        m="mart.package_match",
    )[0]
    assert takers > 5
    line = said.split("\nAll customers\n")[1].splitlines()[1].replace(",", "").split()
    assert [int(one) for one in line[:3]] == [customers, compared, takers]
    assert abs(float(line[3]) - float(saved)) < 0.01
    assert float(line[3]) == -float(line[4])
    steps = figures(said, "By saving, yuan a month")
    assert sum(row[-2] for row in steps.values()) == compared
    assert sum(row[-1] for row in steps.values()) == takers
    assert sum(row[0] for row in figures(said, "They leave").values()) == takers
    for title in ("By saving, yuan a month", "It takes the place of", "Why the others would not"):
        assert f"<h2>{title}</h2>" in page


def test_a_cheaper_package_has_more_takers_and_costs_the_operator_more(tried):
    text = (TARIFFS / "gprs_20.yml").read_text(encoding="utf-8")
    dear = tried(text.replace("id: gprs_20", "id: gprs_new"))[1]
    cheap = tried(
        text.replace("id: gprs_20", "id: gprs_new").replace('monthly_fee: "20"', 'monthly_fee: "2"')
    )[1]

    def all_customers(said):
        *_, takers, _saved, income = (
            said.split("\nAll customers\n")[1].splitlines()[1].replace(",", "").split()
        )
        return int(takers), float(income)

    assert all_customers(cheap)[0] > all_customers(dear)[0]
    assert all_customers(cheap)[1] < all_customers(dear)[1] <= 0


def test_a_bundle_is_tried_beside_what_each_customer_keeps(one_night, tried):
    text = (TARIFFS / "gotone_all_68.yml").read_text(encoding="utf-8")
    text = text.replace("id: gotone_all_68", "id: gotone_new")
    code, said, _, _ = tried(text.replace('monthly_fee: "68"', 'monthly_fee: "1"'))
    assert code == 0
    customers, compared, takers = (
        int(one.replace(",", ""))
        for one in said.split("\nAll customers\n")[1].splitlines()[1].split()[:3]
    )
    assert 0 < takers <= compared <= customers
    left = figures(said, "They leave")
    # Who takes it leaves the packages of voice, messages and data together.
    assert sum(row[0] for row in left.values()) <= takers
    assert all("+" in name for name in left)


@pytest.mark.parametrize(
    ("change", "options", "code", "message"),
    [
        (("kind: gprs", "kind: gpr"), (), 2, "kind"),
        (("increment: [1KB, 1KB]", "increment: [3KB, 3KB]"), (), 2, "the increment must be"),
        (
            ("draw", "draw"),
            ("--data-date", "2009-02-01"),
            4,
            "nothing was re-rated up to 2009-02-01",
        ),
    ],
)
def test_what_cannot_be_tried_is_said_in_a_line(tried, change, options, code, message):
    text = (TARIFFS / "gprs_5.yml").read_text(encoding="utf-8").replace(*change)
    ended, said, errors, page = tried(text, *options)
    assert (ended, said, page) == (code, "", None)
    assert message in errors
    assert "Traceback" not in errors
