"""Deliveries as files: what is absent, not whole or not as promised is refused before Spark."""

import gzip
import hashlib
import json
import os
import re
import time
from dataclasses import replace
from datetime import date

import pyarrow
import pytest
from pyarrow import parquet

from jobs.intake import landing as landing_place
from jobs.intake.archive import Archive
from jobs.intake.landing import Landing
from schemas.config import Source
from schemas.config.source import Cadence, SourceFiles, SourceFormat
from schemas.errors import ConfigError, InputError, QualityError

DAY = date(2009, 5, 3)
CONTROL = "call_{yyyymmdd}.ctl"
BOM = b"\xef\xbb\xbf"


def source(control=None, pattern="call_{yyyymmdd}*.txt", **changes):
    form = {
        key: changes.pop(key)
        for key in ("delimiter", "quote", "header", "encoding", "compression")
        if key in changes
    }
    return Source(
        **{
            "id": "call",
            "record": "ods.voice_call",
            "name_cn": "通话",
            "system": "boss",
            "cadence": Cadence(),
            "timezone": "Asia/Shanghai",
            "columns": ("number", "城市", "fee"),
            "mapping": {},
            "files": SourceFiles("{source}/{data_date}", pattern, control),
            "format": SourceFormat(**{"delimiter": "|", **form}),
            **changes,
        }
    )


@pytest.fixture
def landing(tmp_path):
    """A landing to put files of the day into, and to ask for them."""

    class Day:
        folder = tmp_path / "call" / str(DAY)

        def put(self, **files):
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (self.folder / name.replace("__", ".")).write_bytes(content)
            return self

        def promise(self, *entries):
            text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in entries)
            return self.put(**{"call_20090503__ctl": text.encode()})

        def files(self, of, *days):
            made = Landing(tmp_path, Archive(tmp_path / "_archive"))
            return made.files("call", of, list(days) or [DAY])

        def refused(self, of, error, code):
            with pytest.raises(error) as raised:
                self.files(of)
            assert raised.value.exit_code == code
            assert "\n" not in str(raised.value)
            return str(raised.value)

    return Day()


def entry(name, content, rows):
    return {
        "file": name,
        "rows": rows,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_an_absent_delivery_is_named_with_what_was_expected(landing):
    said = (
        f"call 2009-05-03: no delivery: expected {landing.folder}/call_20090503*.txt since "
        "2009-05-04 05:30; wait for it, or mark the source optional"
    )
    of = source(due_by="05:30")
    assert landing.refused(of, InputError, 4) == said
    landing.put(call_20090502__txt=b"a\n")  # the day before, in the folder of the day
    assert landing.refused(of, InputError, 4) == said


def test_a_file_without_control_file_has_to_be_left_alone_for_a_while(landing):
    files = SourceFiles("{source}/{data_date}", "call_{yyyymmdd}.txt", stable_s=60)
    landing.put(call_20090503__txt=b"a\n")
    path = landing.folder / "call_20090503.txt"
    now = time.time()
    os.utime(path, (now - 70, now - 70))
    assert len(landing.files(source(files=files))) == 1
    os.utime(path, (now - 20, now - 20))
    said = landing.refused(source(files=files), InputError, 4)
    assert re.fullmatch(
        "call 2009-05-03: call_20090503.txt was still written to 2[0-9] s ago: "
        "expected no change for 60 s; wait for it",
        said,
    )
    assert len(landing.files(source(files=replace(files, stable_s=0)))) == 1


def test_an_absent_delivery_of_an_optional_source_is_none(landing):
    assert landing.files(source(optional=True)) == []


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"", 0),
        (b"\n", 0),
        (b"a\n", 1),
        (b"a", 1),
        (b"a\r\nb\r\n", 2),
        (b"a\n\n \t\r\nb\n\n", 2),
        (b"\x0b\x0c\na\n", 1),
        (BOM, 0),
        (BOM + b"\na\n", 1),
        (BOM + b"a\nb", 2),
        (b"\0\n", 1),
        (b"a\rb\n", 1),
    ],
    ids=[
        "empty file",
        "one line end",
        "one line",
        "no last line end",
        "CRLF",
        "blank lines",
        "other white space",
        "a byte order mark alone",
        "a blank line after the mark",
        "lines after the mark",
        "a NUL is no blank",
        "a carriage return ends no line",
    ],
)
def test_rows_are_the_non_blank_lines(landing, content, rows):
    (file,) = landing.put(call_20090503__txt=content).files(source())
    assert (file.rows, file.bytes, file.day) == (rows, len(content), DAY)
    assert file.sha256 == hashlib.sha256(content).hexdigest()


def test_lines_are_counted_wherever_the_reading_of_a_long_file_pauses(landing):
    """Seven bytes again and again: a pause of each mebibyte falls on each of them in turn."""
    (file,) = landing.put(call_20090503__txt=b"ab\n \r\n\n" * 1_200_000).files(source())
    assert file.rows == 1_200_000


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("number|城市|fee\n", 0),
        ("number|城市|fee", 0),
        ("\ufeffnumber| 城市 |fee\r\na|b|c\n\n", 1),
    ],
    ids=["the header alone", "without a line end", "after a mark, with blanks and CRLF"],
)
def test_the_header_is_no_row(landing, content, rows):
    (file,) = landing.put(call_20090503__txt=content.encode()).files(source(header=True))
    assert file.rows == rows


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("number|fee", "missing column 城市"),
        ("number|城市|fee|tax", "unknown column tax"),
        ("number|city|fee", "missing column 城市; unknown column city"),
        ("fee|城市|number", "columns in another order"),
        ("number|城市|fee|fee", "a repeated column"),
        ("", "no header"),
        ("13800000001|武汉|0.4", "no header"),
        ("number|" + "x" * 50_000, "missing column 城市, fee; unknown column " + "x" * 30),
    ],
    ids=[
        "a column less",
        "a column more",
        "another name",
        "another order",
        "a repeated column",
        "an empty file",
        "a row in its place",
        "a huge name",
    ],
)
def test_a_header_that_is_not_the_configured_one(landing, header, said):
    landing.put(call_20090503__txt=header.encode() + b"\na|b|c\n")
    assert landing.refused(source(header=True), QualityError, 3) == (
        f"call 2009-05-03: call_20090503.txt:1: {said}; expected number|城市|fee"
    )


def test_a_header_in_another_encoding(landing):
    landing.put(call_20090503__txt="number|城市|fee\n".encode("gb18030"))
    assert landing.refused(source(header=True), QualityError, 3) == (
        "call 2009-05-03: call_20090503.txt: the header is not utf-8: check the encoding of the "
        "export"
    )
    (file,) = landing.files(source(header=True, encoding="gb18030"))
    assert file.rows == 0


def test_a_quoted_header_may_hold_the_delimiter(landing):
    landing.put(call_20090503__txt='"number","城市, 区",fee\na,b,c\n'.encode())
    (file,) = landing.files(
        source(header=True, quote='"', delimiter=",", columns=("number", "城市, 区", "fee"))
    )
    assert file.rows == 1


GZ = {"pattern": "call_{yyyymmdd}*.txt.gz", "compression": "gzip"}


def test_lines_of_every_gzip_member_count(landing):
    packed = gzip.compress(b"a\nb") + gzip.compress(b"c\nd\n") + gzip.compress(b"")
    (file,) = landing.put(call_20090503__txt__gz=packed).files(source(**GZ))
    assert (file.rows, file.bytes) == (3, len(packed))  # a, bc, d


def test_a_gzip_member_may_end_where_a_read_ends(landing, monkeypatch):
    member = gzip.compress(b"a\n")
    monkeypatch.setattr("jobs.intake.delivered_file.CHUNK", len(member))
    (file,) = landing.put(call_20090503__txt__gz=member * 3).files(source(**GZ))
    assert file.rows == 3


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda packed: packed[:-1],
            "the gzip file is cut off ({} bytes arrived): ask for it again",
        ),
        (
            lambda packed: packed[:20],
            "the gzip file is cut off ({} bytes arrived): ask for it again",
        ),
        (
            lambda packed: b"",
            "the gzip file is cut off ({} bytes arrived): ask for it again",
        ),
        (
            lambda packed: packed + packed[:12],
            "the gzip file is cut off ({} bytes arrived): ask for it again",
        ),
        (lambda packed: b"a|b|c\n", "not a whole gzip file: ask for it again"),
        (lambda packed: packed[:-6] + b"\0" * 6, "not a whole gzip file: ask for it again"),
        (lambda packed: packed + b"rubbish", "not a whole gzip file: ask for it again"),
    ],
    ids=[
        "the last byte is missing",
        "cut early",
        "nothing arrived",
        "a second member is cut",
        "not packed at all",
        "another checksum",
        "something after the end",
    ],
)
def test_a_gzip_file_that_is_not_whole(landing, damage, said):
    content = damage(gzip.compress(b"a|b|c\n" * 100))
    landing.put(call_20090503__txt__gz=content)
    assert landing.refused(source(**GZ), InputError, 4) == (
        f"call 2009-05-03: call_20090503.txt.gz: {said.format(len(content))}"
    )


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("call_20090503__txt__gz", {"pattern": "call_*"}),
        ("call_20090503__txt", {"pattern": "call_*", "compression": "gzip"}),
    ],
    ids=["packed, said to be plain", "a packed file without .gz"],
)
def test_the_end_of_a_name_says_how_spark_unpacks_it(landing, name, how):
    landing.put(**{name: gzip.compress(b"a\n")})
    assert landing.refused(source(**how), ConfigError, 2) == (
        f"sources.yml: call: compression is {how.get('compression', 'none')}, but "
        f"Spark unpacks {name.replace('__', '.')} by the end of its name: use gzip exactly "
        "for names that end in .gz"
    )


PARQUET = SourceFormat(kind="parquet")


def columns(*names, rows=2):
    """A file of columns, as bytes."""
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({name: ["a"] * rows for name in names}), sink)
    return sink.getvalue().to_pybytes()


def test_rows_of_a_file_of_columns_in_any_order(landing):
    content = columns("fee", "城市", "number", rows=3)
    (file,) = landing.put(call_20090503__txt=content).files(source(format=PARQUET))
    assert (file.rows, file.bytes) == (3, len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("number", "fee"), "missing column 城市"),
        (("number", "城市", "fee", "tax"), "unknown column tax"),
    ],
    ids=["a column less", "a column more"],
)
def test_a_file_of_other_columns(landing, names, said):
    landing.put(call_20090503__txt=columns(*names))
    assert landing.refused(source(format=PARQUET), QualityError, 3) == (
        f"call 2009-05-03: call_20090503.txt: {said}; expected the columns number, 城市, fee"
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:40],
        lambda content: b"",
        lambda content: b"a|b|c\n",
        lambda content: content[:4] + b"\xff" * 60 + content[64:],
    ],
    ids=["the last byte is missing", "cut early", "nothing arrived", "text", "a damaged page"],
)
def test_a_file_of_columns_that_is_not_whole(landing, damage):
    landing.put(call_20090503__txt=damage(columns("number", "城市", "fee")))
    assert landing.refused(source(format=PARQUET), InputError, 4) == (
        "call 2009-05-03: call_20090503.txt: not a whole Parquet file: ask for it again"
    )


ONE, TWO = b"a|b|c\nd|e|f\n", b"g|h|i\n"
TWO_FILES = {"call_20090503_1__txt": ONE, "call_20090503_2__txt": TWO}
PROMISED = (entry("call_20090503_1.txt", ONE, 2), entry("call_20090503_2.txt", TWO, 1))
WHO = "call 2009-05-03: "
ASK = ": ask for the delivery again"
NO_CONTROL_FILE = (
    WHO + "call_20090503.ctl: not a control file: expected a line "
    '{"file": …, "rows": n, "bytes": n, "sha256": …} for each file'
)


def test_files_that_agree_with_their_control_file(landing):
    found = landing.put(**TWO_FILES).promise(*PROMISED).files(source(CONTROL))
    assert [(file.path.name, file.rows) for file in found] == [
        ("call_20090503_1.txt", 2),
        ("call_20090503_2.txt", 1),
    ]


def test_what_is_missing_is_said_without_reading_the_files(landing, tmp_path):
    """By existence, control file and sizes; the content is judged when the night begins."""

    def missing(of, *days):
        return landing_place.missing("call", of, list(days) or [DAY], tmp_path)

    next_day = date(2009, 5, 4)
    assert [line.split(":")[0] for line in missing(source(CONTROL), DAY, next_day)] == [
        "call 2009-05-03",
        "call 2009-05-04",
    ]
    assert missing(source(CONTROL, optional=True)) == []
    landing.put(**TWO_FILES)
    assert missing(source(CONTROL)) == [
        f"{WHO}no control file {landing.folder}/call_20090503.ctl: the delivery is not complete yet"
    ]
    landing.promise(PROMISED[0], {**PROMISED[1], "bytes": 7})
    assert missing(source(CONTROL)) == [
        f"{WHO}call_20090503_2.txt: call_20090503.ctl promises bytes 7, the file has 6{ASK}"
    ]
    landing.promise(PROMISED[0], {**PROMISED[1], "rows": 99})
    assert missing(source(CONTROL)) == []
    assert "rows 99" in landing.refused(source(CONTROL), InputError, 4)


def test_other_ways_to_write_the_same_control_file(landing):
    upper = {**PROMISED[0], "sha256": PROMISED[0]["sha256"].upper()}
    landing.put(**TWO_FILES).promise("\ufeff" + json.dumps(upper), "", json.dumps(PROMISED[1]), "")
    assert len(landing.files(source(CONTROL))) == 2
    landing.promise(*({"file": one["file"], "rows": one["rows"]} for one in PROMISED))
    assert len(landing.files(source(CONTROL))) == 2


def test_the_control_file_is_no_data_file_of_a_wide_pattern(landing):
    landing.put(**TWO_FILES).promise(*PROMISED)
    assert len(landing.files(source(CONTROL, pattern="call_{yyyymmdd}*"))) == 2


def test_a_missing_control_file(landing):
    landing.put(**TWO_FILES)
    assert landing.refused(source(CONTROL), InputError, 4) == (
        f"{WHO}no control file {landing.folder}/call_20090503.ctl: the delivery is not complete yet"
    )


def test_a_control_file_that_cannot_be_read(landing):
    landing.put(**TWO_FILES)
    (landing.folder / "call_20090503.ctl").mkdir()
    assert landing.refused(source(CONTROL), InputError, 4) == (
        WHO + "call_20090503.ctl: cannot be read (Is a directory)"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows": 3}, "promises rows 3, the file has 2"),
        ({"rows": 1}, "promises rows 1, the file has 2"),
        ({"bytes": 12345}, "promises bytes 12,345, the file has 12"),
        (
            {"sha256": "0" * 64},
            f"promises sha256 000000000000…, the file has {hashlib.sha256(ONE).hexdigest()[:12]}…",
        ),
    ],
)
def test_a_control_file_that_disagrees(landing, change, said):
    landing.put(**TWO_FILES).promise({**PROMISED[0], **change}, PROMISED[1])
    assert landing.refused(source(CONTROL), InputError, 4) == (
        f"{WHO}call_20090503_1.txt: call_20090503.ctl {said}{ASK}"
    )


def test_files_and_control_file_name_the_same_files(landing):
    landing.put(**TWO_FILES).promise(PROMISED[0])
    assert landing.refused(source(CONTROL), InputError, 4) == (
        WHO + "call_20090503_2.txt has arrived but is not in call_20090503.ctl"
    )
    landing.promise(*PROMISED, entry("call_20090503_3.txt", b"", 0))
    assert landing.refused(source(CONTROL), InputError, 4) == (
        WHO + "call_20090503_3.txt is in call_20090503.ctl but has not arrived"
    )
    landing.promise()
    assert landing.refused(source(CONTROL), InputError, 4) == (
        WHO + "call_20090503_1.txt has arrived but is not in call_20090503.ctl"
    )


@pytest.mark.parametrize(
    "text",
    [
        "rows=2",
        "{",
        "[]",
        '"call_20090503_1.txt"',
        "7",
        "{}",
        '{"file": 7}',
        '{"file": ["a"]}',
        json.dumps({**PROMISED[0], "rows": "2"}),
        json.dumps({**PROMISED[0], "rows": None}),
        json.dumps({**PROMISED[0], "bytes": 2.5}),
        json.dumps({**PROMISED[0], "rows": True}),
        json.dumps({**PROMISED[0], "sha256": 0}),
        "[" * 50_000,
        json.dumps(PROMISED[0]) + "\n" + json.dumps(PROMISED[0]),
    ],
)
def test_a_control_file_that_is_none(landing, text):
    landing.put(**TWO_FILES).promise(text)
    assert landing.refused(source(CONTROL), InputError, 4) == NO_CONTROL_FILE


def test_a_control_file_in_another_encoding(landing):
    landing.put(**TWO_FILES, call_20090503__ctl='{"file": "话单"}'.encode("gb18030"))
    assert landing.refused(source(CONTROL), InputError, 4) == NO_CONTROL_FILE


def test_a_folder_in_place_of_a_file(landing):
    (landing.folder / "call_20090503.txt").mkdir(parents=True)
    assert landing.refused(source(), InputError, 4) == (
        WHO + "call_20090503.txt: cannot be read (Is a directory)"
    )


def test_a_delivery_is_read_once_in_a_run_and_given_in_the_order_of_days(landing, tmp_path):
    for day in ("2009-05-03", "2009-05-04"):
        folder = tmp_path / "call" / day
        folder.mkdir(parents=True)
        for part in "21":
            (folder / f"call_{day.replace('-', '')}_{part}.txt").write_bytes(b"a\n")
    seen, of = Landing(tmp_path, Archive(tmp_path / "_archive")), source()
    days = [DAY, date(2009, 5, 4)]
    names = [file.path.name for file in seen.files("call", of, days)]
    assert names == [
        "call_20090503_1.txt",
        "call_20090503_2.txt",
        "call_20090504_1.txt",
        "call_20090504_2.txt",
    ]
    (tmp_path / "call" / "2009-05-03" / "call_20090503_1.txt").unlink()
    assert [file.path.name for file in seen.files("call", of, [DAY])] == names[:2]
