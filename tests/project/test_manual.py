"""README, CONTRIBUTING and the manual: links, paths, commands and tables in them are there."""

import importlib
import itertools
import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pymdownx.slugs import slugify

from conf.setup.coverage_by_room import by_room, table
from jobs.plan import night as plan
from jobs.plan.selection import select
from models.tariff import catalogue
from schemas import config, contract, document
from tests.given.manual import PAGES, write_local_files
from tests.given.paths import CONF, ROOT

README = ROOT / "README.md"
EVERY_PAGE = (*PAGES, ROOT / "CHANGELOG.md")
LONGEST_README = 200
LARGEST_PICTURE = 150_000  # bytes
TERMS = 21
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
PLACE = re.compile(r"(?:conf|dags|docs|jobs|models|notebooks|schemas|tests)/[\w./-]*")
TABLE = re.compile(r"(?:ods|dw|mart|push|ops)\.\w+")
COMMAND = re.compile(r"(?:python -m jobs\.|spark-submit jobs/)(\w+)(?:\.py)?([^`\n]*)")
SLUG = slugify(case="lower")
BUILD = ("build", "--quiet", "--strict", "--config-file", "conf/docs/mkdocs.yml", "--site-dir")
NETWORK = re.compile(r"^(?:https?:)?//")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def outside_blocks(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    return {SLUG(heading, "-") for heading in HEADING.findall(outside_blocks(page))}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_the_readme_is_for_a_first_visit():
    assert len(text_of(README).splitlines()) <= LONGEST_README


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_every_link_has_its_target(page):
    for link in LINK.findall(outside_blocks(page)):
        name, _, anchor = link.partition("#")
        assert not NETWORK.match(link), f"{link}: the manual is read without a network"
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_is_there(page):
    for code in CODE.findall(outside_blocks(page)):
        # A pattern or a file of the reader's own is no path of the project.
        if PLACE.fullmatch(code) and not code.startswith("conf/local"):
            assert (ROOT / code).exists(), code


def test_the_tree_of_the_readme_is_there():
    tree = text_of(README).split("## Where things are")[1].split("```")[1]
    folder = ""
    for line in tree.strip().splitlines():
        names = re.split(r"  +", line.strip())[0].split()
        if line[0] != " ":
            (folder,), names = names, [""]
        for name in names:
            if name != "local/":
                assert (ROOT / folder / name).exists(), f"{folder}{name}"
    rooms = {path.parent.name for path in ROOT.glob("models/*/__init__.py")}
    assert {name for name in rooms if f"  {name}/" not in tree} == set()


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CONTRIBUTING.md"])
def test_every_table_has_its_contract(page, contracts):
    for code in CODE.findall(outside_blocks(page)):
        if TABLE.fullmatch(code):
            assert code in contracts


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_every_target_of_make_is_there(page):
    known = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ *)make ([a-z]+)", text_of(page), re.MULTILINE)) <= known


def test_make_lists_what_users_call():
    listed = re.findall(r"^([a-z]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE)
    assert listed[0] == "help"
    called = "setup run test check cover soak bench quote trial airflow docs clean"
    assert set(called.split()) <= set(listed)


def test_a_change_is_checked_before_it_is_tested():
    landing = text_of(ROOT / ".ci/run")
    assert landing.index("make check") < landing.index("make test")


def test_hooks_before_a_commit_need_no_network():
    hooks = document.read(ROOT / ".pre-commit-config.yaml").data["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    for hook in hooks[0]["hooks"]:
        assert hook["language"] == "system"
        assert ".venv/bin/" in hook["entry"]


def commands() -> list[tuple[str, str]]:
    """(command of jobs, its arguments) of all pages, each once."""
    found = [pair for page in PAGES for pair in COMMAND.findall(text_of(page))]
    return sorted({(name, rest.split(" #")[0].strip()) for name, rest in found})


@pytest.fixture(scope="module")
def steps():
    return plan.night(config.load([CONF]))


@pytest.mark.parametrize(("name", "arguments"), commands())
def test_every_command_has_its_options(name, arguments, steps, monkeypatch, capsys):
    words = shlex.split(arguments)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit):
        importlib.import_module(f"jobs.{name}").main()
    help_text = capsys.readouterr().out
    for word in words:
        if word.startswith("--"):
            assert re.search(rf"{word}\b", help_text), word
    for option, value in itertools.pairwise(words):
        if name == "night" and option in ("--only", "--from"):
            assert select(steps, **{"only" if option == "--only" else "start": value})


def test_the_yaml_examples_are_accepted_together(tmp_path, contracts):
    names = write_local_files(tmp_path)
    assert {"sources.yml", "channels.yml", "policy.yml", "tariffs/gotone_48.yml"} <= set(names)
    assert any(name.startswith("campaigns/") for name in names)
    loaded = config.load([CONF, tmp_path], contracts)
    assert "gotone_48" in catalogue.load(loaded.tariffs.values()).packages
    assert "hotline_east_log" in loaded.sources


def test_the_example_of_an_operator_abroad_keeps_none_of_the_shipped_packages(tmp_path, contracts):
    write_local_files(tmp_path, of="abroad")
    loaded = config.load([CONF, tmp_path], contracts)
    assert list(catalogue.load(loaded.tariffs.values()).packages) == ["talk_20"]
    assert loaded.campaigns == {}
    assert set(loaded.sources) == {"voice", "bill", "bill_item", "accounts"}
    assert plan.night(loaded)


def test_the_glossary_has_the_words_of_our_own():
    assert len(anchors(ROOT / "docs/glossary.md")) - 1 == TERMS


def test_pictures_are_small():
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < LARGEST_PICTURE, picture.name


class Loaded(HTMLParser):
    """What a browser loads for a page: scripts, styles, pictures and frames."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.places.append(found["src"])
        if tag == "link":
            self.places.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The manual as `make docs` builds it: a broken link or a page outside the menu stops it."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", *BUILD, str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_the_manual_is_read_without_a_network(site):
    pages = sorted(site.glob("*.html"))
    assert {page.stem for page in pages} >= {page.stem for page in (ROOT / "docs").glob("*.md")}
    for page in pages:
        loaded = Loaded()
        loaded.feed(text_of(page))
        assert loaded.places
        for place in loaded.places:
            assert not NETWORK.match(place), f"{page.name} loads {place}"
            if page.name != "404.html":  # its places are those of a server
                assert (site / place.split("?")[0]).exists(), f"{page.name}: {place}"


def test_search_works_from_a_folder(site):
    """The index is there as a script, and what takes the place of a worker before it is asked."""
    assert text_of(site / "search/search_index.js").startswith("var __index = ")
    assert (site / "assets/iframe-worker.js").exists()
    assert "guiding" in text_of(site / "search/search_index.js")


def test_the_dictionary_has_every_table(site):
    page = text_of(site / "tables.html")
    for name in contract.load():
        assert f"{name} " in page


def test_coverage_is_added_up_by_room():
    report = {
        name: {"summary": {"num_statements": lines, "covered_lines": ran}}
        for name, lines, ran in (
            ("models/usage/cube.py", 10, 5),
            ("models/usage/events.py", 30, 25),
            ("models/usage/__init__.py", 0, 0),
            ("models/__init__.py", 0, 0),
            ("jobs/night.py", 60, 60),
        )
    }
    rooms = by_room(report)
    assert rooms == {"jobs": (60, 60), "models/usage": (40, 30)}
    assert table(rooms).splitlines()[-1].split() == ["all", "rooms", "100", "90", "90%"]
