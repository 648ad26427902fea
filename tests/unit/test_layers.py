"""The layers: schemas ← models ← jobs with dags beside them, and what each may not touch."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = {"schemas": {"schemas"}, "models": {"schemas", "models"},
          "jobs": {"schemas", "models", "jobs"},
          "dags": {"schemas", "jobs.plan", "jobs.landing", "dags"}}
OURS = {*LAYERS, "tests", "notebooks"}
BORDER = {"jobs/runtime.py", "jobs/warehouse.py", "jobs/tables.py", "jobs/delta_log.py"}
MODULES = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
           for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))}
FILES = sorted(str(path.relative_to(ROOT)) for layer in (*LAYERS, "tests")
               for path in (ROOT / layer).rglob("*.py"))


def of_layer(*layers):
    return [name for name in MODULES if name.split("/")[0] in layers]


def imports(name):
    """Dotted names that a module imports, at any place in it."""
    found = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def names(name):
    """Names and attributes that a module speaks of."""
    found = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
            if isinstance(node.value, ast.Name):
                found.add(f"{node.value.id}.{node.attr}")
    return found


def test_the_layers_are_there():
    assert {name.split("/")[0] for name in MODULES} == set(LAYERS)
    assert BORDER <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    allowed = LAYERS[name.split("/")[0]]
    for imported in imports(name):
        if imported.split(".")[0] in OURS:
            assert any(imported == one or imported.startswith(one + ".") for one in allowed), \
                f"{name} imports {imported}"


@pytest.mark.parametrize("name", of_layer("models"))
def test_models_know_no_session_path_clock_or_chance(name):
    modules = {imported.split(".")[0] for imported in imports(name)}
    assert not modules & {"os", "pathlib", "time", "random", "io", "shutil", "subprocess",
                          "logging", "sys", "tempfile", "uuid", "secrets"}
    used = names(name)
    assert not used & {"SparkSession", "SparkContext", "sparkSession", "print", "input",
                       "date.today", "datetime.now", "datetime.utcnow", "datetime.today",
                       "current_date", "current_timestamp", "F.now", "rand", "randn", "uuid",
                       "show", "toPandas", "saveAsTable"}
    assert "open" not in {node.func.id for node in ast.walk(MODULES[name])
                          if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


@pytest.mark.parametrize("name", of_layer("models"))
def test_chance_in_models_has_a_seed(name):
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) \
                and node.func.attr in ("default_rng", "Generator", "Philox", "PCG64",
                                       "SeedSequence"):
            assert node.args or node.keywords, f"{name}:{node.lineno}: no seed"


@pytest.mark.parametrize("name", [name for name in MODULES if name not in BORDER])
def test_sessions_and_delta_stay_at_the_border(name):
    assert not names(name) & {"SparkSession", "getOrCreate", "newSession", "DeltaTable",
                              "saveAsTable", "replaceWhere"}
    assert not {imported.split(".")[0] for imported in imports(name)} & {"delta", "deltalake"}
    texts = {node.value for node in ast.walk(MODULES[name])
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert "delta" not in texts, f"{name} names the format"


def test_what_is_read_before_spark_starts_needs_neither_spark_nor_great_expectations():
    modules = ["jobs.plan", "jobs.night", "jobs.landing", "jobs.ledger", "jobs.outbox",
               "models.catalogue", "models.reference_rater", "schemas.config", "schemas.contract",
               "schemas.window", "schemas.expectations", "schemas.dictionary"]
    check = "; ".join([f"import {', '.join(modules)}", "import sys", "print(sorted({'pyspark', "
                       "'py4j', 'great_expectations', 'pandas', 'delta'} & set(sys.modules)))"])
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_a_drawer(name):
    assert not {"utils", "util", "helpers", "helper", "common", "manager", "misc"} & set(
        Path(name).stem.split("_"))


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_are_short(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 320
    for node in ast.walk(MODULES[name]):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno + 1 <= 60, f"{name}: {node.name}"


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__init__.py")])
def test_every_module_says_what_it_is_for(name):
    assert ast.get_docstring(MODULES[name])


def test_a_step_is_found_under_one_name():
    """The module of every step of the plan has a `run` and is itself a command."""
    from jobs.plan import night as plan
    from schemas import config

    for step in plan.night(config.load([ROOT / "conf"])):
        tree = MODULES[step.module.replace(".", "/") + ".py"]
        assert step.name.split(".")[0] == step.module.removeprefix("jobs.")
        assert "run" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert f"step_main('{step.name.split('.')[0]}')" in ast.unparse(tree)
