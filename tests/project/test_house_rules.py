"""What the import contracts of setup.cfg cannot say: lengths, folder sizes, names, docstrings."""

import ast
import sys
from pathlib import Path

import pytest

from jobs.plan.night import night
from schemas import config
from tests.given.paths import CONF, ROOT

FILE_LINES = 380
FUNCTION_LINES = 75
TEST_FILE_LINES = 600
MODULES_A_ROOM = 12
DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
# The modules that may build a session, or name the format of the tables.
BORDER = ("jobs/runtime/session.py", "jobs/warehouse/")
SESSION_AND_FORMAT = {"SparkSession", "getOrCreate", "newSession", "DeltaTable", "saveAsTable"}
SEEDED = {"default_rng", "Generator", "Philox", "PCG64", "SeedSequence"}

LAYERS = ("schemas", "models", "jobs", "dags")
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for layer in LAYERS
    for path in sorted((ROOT / layer).rglob("*.py"))
}
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for layer in (*LAYERS, "tests")
    for path in (ROOT / layer).rglob("*.py")
)
TESTS = {
    name: ast.parse((ROOT / name).read_text(encoding="utf-8"))
    for name in FILES
    if name.startswith("tests/")
}
# Steps are as many as the night needs; a command is a file at the top of jobs.
UNCOUNTED = ("jobs", "jobs/steps")


def is_room(name: str) -> bool:
    return name.endswith("__init__.py")


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_are_short(name):
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno + 1 <= FUNCTION_LINES, f"{name}: {node.name}"


@pytest.mark.parametrize("name", TESTS)
def test_files_of_tests_are_of_one_subject(name):
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= TEST_FILE_LINES


@pytest.mark.parametrize("name", TESTS)
def test_no_test_reads_the_developers_own_configuration(name):
    """`config.load()` without folders overlays conf/local, which every developer may have."""
    for node in ast.walk(TESTS[name]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "config.load":
            assert node.args, f"{name}:{node.lineno}: name the folders"


@pytest.mark.parametrize("room", sorted({Path(name).parent.as_posix() for name in MODULES}))
def test_a_room_is_split_by_its_thirteenth_module(room):
    if room in UNCOUNTED or room.startswith("jobs/steps/"):
        return
    modules = [name for name in MODULES if Path(name).parent.as_posix() == room]
    assert len([name for name in modules if not is_room(name)]) <= MODULES_A_ROOM


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_a_drawer(name):
    assert not DRAWERS & set(Path(name).stem.split("_"))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_and_room_says_what_it_is_for(name):
    assert ast.get_docstring(MODULES[name])


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(("models", "jobs"))])
def test_a_room_of_models_and_jobs_imports_nothing(name):
    """The DAG reads jobs.plan and may not load Spark on the way."""
    if is_room(name):
        assert len(MODULES[name].body) == 1


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(BORDER)])
def test_sessions_and_the_format_of_tables_stay_at_the_border(name):
    used, texts = set(), set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.Constant):
            texts.add(node.value)
    assert not used & SESSION_AND_FORMAT
    assert "delta" not in texts, f"{name} names the format"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("models")])
def test_chance_in_models_has_a_seed(name):
    for node in ast.walk(MODULES[name]):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in SEEDED
        ):
            assert node.args or node.keywords, f"{name}:{node.lineno}: no seed"


def test_a_step_is_found_under_one_name():
    """The step `rerate` of group `rating` is jobs/steps/rating/rerate.py and has a `run`."""
    for step in night(config.load([CONF])):
        assert step.module == f"jobs.steps.{step.group}.{step.name.split('.')[0]}"
        tree = MODULES[step.module.replace(".", "/") + ".py"]
        assert "run" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_only_commands_stand_at_the_top_of_jobs():
    for name, tree in MODULES.items():
        if Path(name).parent.as_posix() == "jobs" and not is_room(name):
            assert "main" in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}, name


def test_nothing_at_the_top_of_jobs_hides_the_standard_library():
    """`spark-submit jobs/night.py` puts the folder itself on the path."""
    names = {path.stem for path in (ROOT / "jobs").iterdir()}
    assert not names & set(sys.stdlib_module_names)
