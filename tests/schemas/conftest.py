"""Fixtures of the tests of contracts and configuration."""

import pytest

from tests.given.small_configuration import CONF, write


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small sound configuration in `conf` below the current folder."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "conf", CONF)
