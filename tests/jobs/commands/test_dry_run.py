"""`--dry-run`: what a night would read, replace and wait for, without Spark and without a trace."""

import re
import shutil

from jobs import night
from tests.given.one_night import Night
from tests.given.small_province import FIRST, LAST

NEXT = "2009-05-04"


def lines_of(out: str) -> dict[str, list[str]]:
    """What is said of each step."""
    steps: dict[str, list[str]] = {}
    for line in out.splitlines()[1:]:
        name, said = line[:28].strip(), line[29:]
        if name:
            step = name
        steps.setdefault(step, []).append(said)
    return steps


def preview(made: Night, capsys, *asked, code=0) -> tuple[dict[str, list[str]], str]:
    assert night.main(["--dry-run", *asked, *made.options()]) == code
    said = capsys.readouterr()
    return lines_of(said.out), said.err


def test_before_the_first_night_everything_is_new(one_night, tmp_path, capsys):
    first = Night(one_night.landing, one_night.truth, tmp_path / "warehouse", tmp_path / "push")
    steps, _ = preview(first, capsys, "--from-date", FIRST, "--to-date", LAST)
    assert re.fullmatch(r"ingests 66 files, [0-9,]+ rows, [0-9]+ KB", steps["ingest.voice"][0])
    assert steps["ingest.voice"][1] == f"writes ods.voice_call {FIRST} … {LAST} (33 slices)"
    assert steps["ingest.bill"][1] == "writes ods.bill 2009-04-03, 2009-05-03"
    assert steps["usage_day"][1:] == [
        "adds to dw.rating_cell",
        "adds to dw.rating_measure",
        f"writes dw.usage_day {FIRST} … {LAST} (33 slices)",
    ]
    assert steps["usage_month"] == [
        "reads dw.usage_day, dw.rating_measure, dw.usage_month",
        "writes dw.usage_month 2009-04-01",
    ]
    assert not (tmp_path / "warehouse").exists()


def test_what_stands_is_named_with_its_run(one_night, capsys):
    steps, _ = preview(one_night, capsys, "--data-date", LAST, "--only", "ingest.voice,identity")
    assert re.fullmatch(
        "ingests 2 files, .*: unchanged since they were ingested", steps["ingest.voice"][0]
    )
    assert len(steps["ingest.voice"]) == 1
    for said, table in zip(
        steps["identity"][1:], ("subscriber_identity", "subscriber"), strict=False
    ):
        assert re.fullmatch(rf"replaces dw.{table} {LAST} \(committed by run .+\)", said)


def test_what_came_anew_and_late_is_named(one_night, tmp_path, capsys):
    landing = tmp_path / "landing"
    shutil.copytree(one_night.landing, landing)
    with open(landing / "web_log" / "2009-05-01" / "web_20090501.csv", "a") as file:
        file.write("\n")
    shutil.copytree(landing / "web_log" / LAST, landing / "web_log" / NEXT)
    (landing / "web_log" / NEXT / "web_20090503.csv").rename(
        landing / "web_log" / NEXT / "web_20090504.csv"
    )
    made = Night(landing, one_night.truth, one_night.warehouse, one_night.push)
    steps, _ = preview(made, capsys, "--data-date", NEXT, "--only", "ingest.web_log")
    assert steps["ingest.web_log"][0] == "once more for 2009-05-01"
    assert steps["ingest.web_log"][1].startswith("ingests 1 files, ")
    assert steps["ingest.web_log"][2].startswith(f"writes ods.web_view {NEXT}")


def test_a_step_that_is_not_due_says_so(one_night, capsys):
    steps, _ = preview(
        one_night, capsys, "--data-date", "2009-05-02", "--only", "ingest.bill,rerate"
    )
    assert steps == {
        "ingest.bill": ["not due (monthly on day 3)"],
        "rerate": ["not due (month close)"],
    }


def test_what_is_not_there_is_waited_for(one_night, tmp_path, capsys):
    """The other deliveries are still looked at, and the exit code is that of the night itself."""
    landing = tmp_path / "landing"
    shutil.copytree(one_night.landing, landing)
    shutil.rmtree(landing / "voice" / LAST)
    (landing / "bill" / LAST / "bill_20090503.ctl").unlink()
    lacking = Night(landing, one_night.truth, tmp_path / "warehouse", one_night.push)
    steps, error = preview(lacking, capsys, "--data-date", LAST, "--only", "ingest", code=4)
    assert steps["ingest.voice"][0].startswith(f"cannot: voice {LAST}: no delivery: expected ")
    assert steps["ingest.bill"][0].startswith(f"cannot: bill {LAST}: no control file ")
    assert steps["ingest.data"][0].startswith("ingests 1 files, ")
    assert error.startswith(
        f"chudian: 2 deliveries would stop the run, first voice {LAST}: no delivery: expected "
    )
    assert error.count("\n") == 1
