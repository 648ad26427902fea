"""What an archive for --py-files holds: every module, and the YAML that is read beside them."""

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


@pytest.mark.parametrize("ending", ["py", "yml"])
def test_the_archive_holds_every_module_and_every_yaml_file(built, ending):
    assert names(ROOT, ending)
    assert names(built, ending) == names(ROOT, ending)


def test_the_contracts_are_read_from_it(built):
    """With the project itself out of reach."""
    program = (
        "from schemas import contract; from schemas.config.overlay import shape; "
        "print(contract.__file__, len(contract.load()), shape('tariff')['type'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=built, check=True, capture_output=True, text=True
    )
    contracts = [path for path in names(ROOT, "yml") if "/tables/" in path and "/_" not in path]
    assert found.stdout.split() == [
        str(built / "schemas/contract/__init__.py"),
        str(len(contracts)),
        "object",
    ]
