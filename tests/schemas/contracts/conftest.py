"""The small folder of contracts that every renderer is shown on."""

from pathlib import Path

import pytest

from schemas import contract

SMALL = Path(__file__).parent / "small"


@pytest.fixture
def files():
    """The small folder as text by file name, to be changed by a test."""
    return {
        str(path.relative_to(SMALL)): path.read_text(encoding="utf-8")
        for path in SMALL.glob("**/*.yml")
    }


@pytest.fixture
def load(tmp_path):
    """Load the contracts in files given as text by file name."""

    def load_files(files):
        for name, text in files.items():
            path = tmp_path / "tables" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return contract.load(tmp_path / "tables")

    return load_files


@pytest.fixture(scope="session")
def contracts():
    return contract.load(SMALL)


@pytest.fixture(scope="session")
def call(contracts):
    return contracts["ods.call"]
