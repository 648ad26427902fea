"""What an archive for --py-files holds: every module, and the YAML that is read beside them."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.given.paths import ROOT

PACKAGES = ("schemas", "models", "jobs")
BUILD = "from setuptools import setup; setup(script_name='setup.py')"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder that setuptools packs into a wheel, built from setup.cfg without a network."""
    folder = tmp_path_factory.mktemp("archive")
    subprocess.run(
        [sys.executable, "-c", BUILD, "--quiet", "build_py", "--build-lib", str(folder)],
        cwd=ROOT,
        check=True,
    )
    return folder


def names(folder, ending):
    return {
        path.relative_to(folder).as_posix()
        for package in PACKAGES
        for path in (folder / package).rglob(f"*.{ending}")
    }


@pytest.mark.parametrize("ending", ["py", "yml", "json"])
def test_the_archive_holds_every_module_and_every_file_of_schemas(built, ending):
    assert names(ROOT, ending)
    assert names(built, ending) == names(ROOT, ending)


def test_contracts_and_shapes_are_read_from_the_archive(built, tmp_path):
    """As spark-submit offers it: a zip file on the path, with the project out of reach."""
    archive = shutil.make_archive(str(tmp_path / "chudian"), "zip", built)
    program = (
        "from schemas import contract; from schemas.config.overlay import shape; "
        "print(contract.__file__, len(contract.load()), shape('tariff')['type'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": archive},
        check=True,
        capture_output=True,
        text=True,
    )
    contracts = [path for path in names(ROOT, "yml") if "/tables/" in path and "/_" not in path]
    assert found.stdout.split() == [
        f"{archive}/schemas/contract/__init__.py",
        str(len(contracts)),
        "object",
    ]
