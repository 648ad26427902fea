"""What surrounds a run: what a person sees, the profile of Spark, messages and exit codes."""

import io
import os
from argparse import Namespace
from pathlib import Path

import pytest

from jobs import night
from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.runtime.progress import Progress, padded
from jobs.runtime.session import profile
from schemas.errors import ConfigError, InputError, QualityError


class Terminal(io.StringIO):
    def isatty(self):
        return True


def progressed(stream):
    progress = Progress(12, stream)
    progress.begin("ingest.voice", "ingest 语音清单 (boss)")
    progress.end("ingest.voice", "1,234 rows")
    return stream.getvalue()


def test_elsewhere_progress_is_one_plain_line_a_step():
    text = progressed(io.StringIO())
    assert text.startswith("[ 1/12] ingest.voice             ingest 语音清单 (boss)")
    assert text.count("\n") == 1
    assert "\r" not in text
    assert "\x1b" not in text
    assert "1,234 rows" in text
    assert text.rstrip().endswith(" s")


def test_on_a_terminal_a_live_line_becomes_the_plain_one():
    nothing, live, plain = progressed(Terminal()).split("\r\x1b[K")
    assert (nothing, live) == ("", "[ 1/12] ingest.voice ingest 语音清单 (boss) …")
    assert plain.count("\n") == 1
    assert "1,234 rows" in plain


def test_steps_that_go_on_at_once_share_the_live_line():
    stream = Terminal()
    progress = Progress(12, stream)
    progress.begin("a", "one")
    progress.begin("b", "two")
    progress.end("a", "7 rows")
    assert stream.getvalue().split("\r\x1b[K")[2] == "[ 2/12] a one, b two …"
    assert stream.getvalue().endswith("[ 2/12] b two …")
    assert "[ 1/12] a " in stream.getvalue()


def test_columns_stand_under_one_another_whatever_the_script():
    assert padded("语音", 6) == "语音  "
    assert padded("voice", 6) == "voice "
    assert padded("longer than asked", 6) == "longer than asked"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("conf/x.yml:1: wrong"), 2, "chudian: conf/x.yml:1: wrong\n"),
        (QualityError("bad"), 3, "chudian: bad\n"),
        (InputError("absent"), 4, "chudian: absent\n"),
        (
            ValueError("first line\nthe rest"),
            1,
            "chudian: stopped by an unexpected ValueError: first line\n",
        ),
        (ValueError(), 1, "chudian: stopped by an unexpected ValueError\n"),
        (
            KeyboardInterrupt(),
            130,
            "chudian: stopped by Ctrl-C; what was committed stays valid; run the same command "
            "again, it goes on with the rest\n",
        ),
    ],
)
def test_what_stops_a_run_is_one_message_and_a_code(capsys, error, code, said):
    def stop():
        raise error

    assert guarded(stop) == code
    assert capsys.readouterr().err == said


LOST = (
    "chudian: a Python worker of Spark was lost, mostly because memory ran out: what was committed "
    "remains valid; run again with more memory or with fewer cores (spark.master in conf/spark)\n"
)


def ended_by_the_system(batches):
    os._exit(137)
    yield from batches


def out_of_memory(batches):
    raise MemoryError("13800000001")
    yield from batches


def broken(batches):
    raise ZeroDivisionError("13800000001")
    yield from batches


@pytest.mark.parametrize("failing", [ended_by_the_system, out_of_memory, broken])
def test_a_python_worker_that_fails_is_one_clear_line(spark, tmp_path, capfd, failing):
    def run():
        frame = spark.range(3).mapInArrow(failing, "id long")
        frame.write.format("delta").save(str(tmp_path / "table"))

    assert guarded(run) == 1
    (said,) = [
        line for line in capfd.readouterr().err.splitlines(keepends=True) if "chudian: " in line
    ]
    assert said == (
        LOST
        if failing is not broken
        else "chudian: a Python worker of Spark stopped with ZeroDivisionError: what was committed "
        "remains valid; this is a fault of the program\n"
    )


def test_a_run_that_comes_to_its_end(capsys):
    assert guarded(lambda: None) == 0
    assert capsys.readouterr().err == ""


def test_a_profile_is_taken_from_the_last_folder_that_has_it(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, cores in ((first, 2), (second, 4)):
        folder.mkdir()
        (folder / "local.conf").write_text(
            f"# a comment\n\nspark.master   local[{cores}]\nspark.empty\n", encoding="utf-8"
        )
    assert profile("local.conf", (first,)) == {
        "spark.master": "local[2]",
        "spark.empty": "",
    }
    assert profile("local.conf", (first, second))["spark.master"] == "local[4]"
    (second / "local.conf").unlink()
    assert profile("local.conf", (first, second))["spark.master"] == "local[2]"
    assert profile("spark/local.conf", (second,))["spark.master"] == "local[2]"  # shipped
    with pytest.raises(ConfigError, match="runtime.yml: spark: no file nosuch.conf in "):
        profile("nosuch.conf", (first,))


def test_without_a_word_the_projects_own_folders_are_read():
    root = Path(arguments.__file__).resolve().parents[2] / "conf"
    assert arguments.conf_folders(None)[0] == root
    assert arguments.conf_folders([Path("a"), Path("b")]) == (Path("a"), Path("b"))


@pytest.mark.parametrize(
    ("asked", "window"),
    [
        ({"data_date": "2009-05-03"}, "2009-05-03"),
        ({"data_date": "2009-05-03", "history": 0}, "2009-05-01..2009-05-03"),
        ({"data_date": "2009-05-03", "history": 4}, "2009-01-01..2009-05-03"),
        ({"from_date": "2009-04-01", "to_date": "2009-04-30"}, "2009-04-01..2009-04-30"),
    ],
)
def test_the_days_of_a_run(asked, window):
    nothing = dict.fromkeys(("data_date", "history", "from_date", "to_date"))
    assert str(arguments.window(Namespace(**{**nothing, **asked}))) == window


def test_help_teaches_with_examples(capsys):
    with pytest.raises(SystemExit) as done:
        night.main(["--help"])
    text = capsys.readouterr().out
    assert done.value.code == 0
    assert "python -m jobs.night --data-date 2009-05-03 " in text
    assert "spark-submit jobs/night.py --data-date 2009-05-03 --only rerate " in text
    assert "exit codes: 0 done" in text
    for option in (
        "--from-date",
        "--history",
        "--conf",
        "--landing",
        "--warehouse",
        "--push",
        "--only",
        "--from",
        "--list",
    ):
        assert option in text


def test_the_plan_reads_like_a_table_of_contents(capsys):
    assert night.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ingest"
    assert "  push                         one table and one file per channel (daily)" in lines
    assert [line for line in lines if not line.startswith(" ")] == [
        "ingest",
        "views",
        "rating",
        "decision",
    ]
