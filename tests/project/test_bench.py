"""Benchmarks run by hand and seldom: a few rows show that they still run and say what they time."""

import re
import sys

import pytest

from tests.bench import assignment, cube, effects, evaluator, rating, sizes


def said(bench, monkeypatch, capsys, *args: str) -> str:
    monkeypatch.setattr(sys, "argv", ["bench", *args])
    bench.main()
    return capsys.readouterr().out


def test_the_evaluator_and_plain_python_rate_records_of_the_night(one_night, monkeypatch, capsys):
    told = said(rating, monkeypatch, capsys, str(one_night.warehouse))
    ours, theirs = re.findall(r"([\d,]+) records × packages", told)
    assert int(ours.replace(",", "")) > int(theirs.replace(",", "")) > 0
    assert re.search(r"ns each: \d+ times as long", told)


@pytest.mark.soak
def test_the_evaluator_is_timed_beside_a_join_over_each_size(spark, tmp_path, monkeypatch, capsys):
    told = said(evaluator, monkeypatch, capsys, "400", str(tmp_path))
    assert re.findall(r"^ +(\d+) customers:", told, re.M) == ["100", "200", "400"]
    assert "DuckDB's join for them" in told
    assert "written as Delta" in told


@pytest.mark.soak
def test_the_cube_holds_the_sums_of_duckdb(spark, tmp_path, monkeypatch, capsys):
    """The benchmark ends where they differ."""
    told = said(cube, monkeypatch, capsys, "20000", str(tmp_path / "build"))
    assert told.count("into nothing") == 3
    assert "replayed in" in told


@pytest.mark.soak
def test_long_events_and_many_of_one_subscriber_add_up(spark, tmp_path, monkeypatch, capsys):
    """The benchmark ends where they do not."""
    told = said(sizes, monkeypatch, capsys, "2000", str(tmp_path))
    assert len(re.findall(r"\d times; most memory so far \d", told)) == 4


@pytest.mark.soak
def test_the_sums_of_campaigns_are_those_of_duckdb(spark, tmp_path, monkeypatch, capsys):
    """The benchmark ends where they differ."""
    told = said(effects, monkeypatch, capsys, "3000", str(tmp_path / "build"))
    assert "the same sums by DuckDB" in told


def test_the_assignment_is_timed_beside_its_rivals(spark, tmp_path, monkeypatch, capsys):
    told = said(assignment, monkeypatch, capsys, "400", str(tmp_path))
    assert re.findall(r"(\d+) resources$", told, re.M) == ["8", "208", "208"]
    assert told.count("greedy") == told.count("below the bound") / 3 == told.count("gap") == 3
