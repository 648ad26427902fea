"""The import contracts of setup.cfg hold, and each of them is seen to break.

A contract that names a module wrongly, or allows too much, holds for ever: so one import that it
forbids is added to a copy of the project, and exactly the expected contracts must be broken.
"""

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.given.paths import ROOT

LAYERS = ("schemas", "models", "jobs", "dags")
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"

# Words → module, forbidden import, contracts that break.
BREACHES = {
    "a model imports os": ("models.preference.frequent", "os", {"pure"}),
    "usage imports rating": ("models.usage.cube", "models.rating.evaluator", {"models"}),
    "preference imports decision": (
        "models.preference.frequent",
        "models.decision.policy",
        {"models"},
    ),
    "the reference rater imports the tariff language": (
        "models.reference.rater",
        "models.tariff.amounts",
        {"reference", "province"},  # the province prices its bills with the reference rater
    ),
    "the province imports usage": (
        "models.synthetic.province",
        "models.usage.record_parts",
        {"province"},
    ),
    "push imports the province": (
        "models.push.targets",
        "models.synthetic.province",
        {"province-unseen"},
    ),
    "the ledger imports the archive": ("jobs.warehouse.ledger", "jobs.intake.archive", {"jobs"}),
    "progress imports a step": ("jobs.runtime.progress", "jobs.steps.views.identity", {"jobs"}),
    "erase imports undo": ("jobs.erase", "jobs.undo", {"jobs"}),
    "the archive imports deltalake": ("jobs.intake.archive", "deltalake", {"border"}),
    "the catalogue imports Spark by a frame": (
        "models.tariff.catalogue",
        "models.frames.lookup",
        {"light"},
    ),
    "a DAG imports the session": ("dags.nightly", "jobs.runtime.session", {"dags"}),
    "a contract imports the configuration": (
        "schemas.contract.contract",
        "schemas.config.settings",
        {"schemas"},
    ),
    "a renderer imports a model": (
        "schemas.render.dictionary",
        "models.tariff.amounts",
        {"floors"},
    ),
    "quotes import the pools of the rating engine": (
        "models.quote.package_match",
        "models.rating.pools",
        {"rating-inside"},
    ),
    "a step imports the gate of the warehouse": (
        "jobs.steps.views.identity",
        "jobs.warehouse.gate",
        {"warehouse-inside"},
    ),
}


def contracts() -> dict[str, str]:
    """Name → id of every contract in setup.cfg."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    start = "importlinter:contract:"
    return {
        setup[section]["name"]: section.removeprefix(start)
        for section in setup.sections()
        if section.startswith(start)
    }


def verdicts(folder: Path) -> dict[str, set[str]]:
    """The ids of the kept and of the broken contracts of a copy of the project."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    ids = contracts()
    found: dict[str, set[str]] = {"KEPT": set(), "BROKEN": set()}
    for name, verdict in re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE):
        found[verdict].add(ids[name])
    assert found["KEPT"] | found["BROKEN"] == set(ids.values()), done.stdout + done.stderr
    assert done.returncode == (1 if found["BROKEN"] else 0)
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the modules and of setup.cfg."""
    folder = tmp_path_factory.mktemp("project")
    for layer in LAYERS:
        shutil.copytree(
            ROOT / layer, folder / layer, ignore=shutil.ignore_patterns("__pycache__", "*.yml")
        )
    shutil.copy(ROOT / "setup.cfg", folder)
    return folder


def test_the_contracts_hold(project):
    assert verdicts(project)["BROKEN"] == set()


@pytest.mark.parametrize("words", BREACHES)
def test_a_breach_is_found_and_nothing_else(project, words):
    module, imported, broken = BREACHES[words]
    path = project.joinpath(*module.split(".")).with_suffix(".py")
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\nimport {imported}\n", encoding="utf-8")
    try:
        assert verdicts(project)["BROKEN"] == broken
    finally:
        path.write_text(text, encoding="utf-8")


def test_every_contract_has_a_breach():
    assert set().union(*(broken for _, _, broken in BREACHES.values())) == set(contracts().values())
