"""Records whose quoted fields hold line breaks: counted, and read as csv reads them."""

import csv
import gzip
import io
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from jobs.intake.delivered_file import CHUNK, inspect
from jobs.intake.delivered_rows import read_rows
from jobs.warehouse.tables import Tables
from models.intake import delivered_line
from models.intake.quoted_record import RECORD_BYTES
from schemas.config.source import SourceFormat
from schemas.errors import QualityError
from tests.given.delivered_lines import source

DAY = date(2009, 5, 3)
NAMES = ("a", "b", "c")
PIECES = ["x", "y z", '"', ";", "\n", "\r\n", "\n\n", " ", "é", "北京", "|", "亅"]


def of(**changes):
    form = {"delimiter": ";", "quote": '"', "multiline": True, **changes}
    return source(columns=NAMES, mapping={}, codes={}, exclude={}, format=SourceFormat(**form))


def cells():
    return st.lists(st.sampled_from(PIECES), max_size=5).map("".join)


@st.composite
def written(draw):
    """A file as csv writes it, its delimiter and its records; blank lines stand between some."""
    cut = draw(st.sampled_from([";", "|", "\t", ","]))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    records = draw(st.lists(st.tuples(cells(), cells(), cells()), max_size=5))
    text = io.StringIO(newline="")
    for record in records:
        csv.writer(text, delimiter=cut, lineterminator=ends, quoting=quoting).writerow(record)
        text.write(draw(st.sampled_from(["", "", ends])))
    return text.getvalue(), cut


@st.composite
def spoiled(draw):
    """Bytes with quotes, delimiters and line ends anywhere, and bytes of no encoding."""
    parts = st.sampled_from([b"x", b'"', b'""', b";", b"\n", b"\r\n", b" ", b"\x81", b"\x30", b"|"])
    return b"".join(draw(st.lists(parts, max_size=30))), draw(st.sampled_from([";", "|"]))


def gathered(count, strategy):
    found = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(one=strategy)
    def gather(one):
        found.append(one)

    gather()
    return found


def plain(text: str, cut: str) -> dict[int, list[str]]:
    """The records as Python's csv module reads them, by the number of their first line.

    A line of white space is none, even where the white space is the delimiter.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    reader, found, before = csv.reader(lines, delimiter=cut), {}, 0
    for record in reader:
        if "".join(lines[before : reader.line_num]).strip():
            found[before + 1] = record
        before = reader.line_num
    return found


def field(text: str) -> str | None:
    """A field as it arrives: line breaks are \\n, and none of them is at an end of it."""
    return text.replace("\r\n", "\n").strip(" \n") or None


class Files:
    def __init__(self, spark, folder, contracts):
        self.tables, self.folder = Tables(spark, str(folder / "warehouse"), contracts), folder

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    def read(self, of, paths):
        """Rows counted before Spark by file, and by file and row number: lines, fields, open."""
        files = [inspect("call", of, DAY, path) for path in paths]
        rows = read_rows(self.tables, files, of).select("*")
        fields = delivered_line.fields(rows, of)
        return {file.path.name: file.rows for file in files}, {
            (row._file, row._row): row for row in fields.collect()
        }


@pytest.fixture
def files(spark, tmp_path, contracts):
    return Files(spark, tmp_path, contracts)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("header", [False, True], ids=["no header", "header"])
def test_records_are_those_of_the_csv_module(files, encoding, header):
    by_cut = {}
    for n, (text, cut) in enumerate(gathered(60, written())):
        by_cut.setdefault(cut, {})[f"{n}.csv{'.gz' * (n % 2)}"] = text
    for cut, texts in by_cut.items():
        for packed in ("none", "gzip"):
            made = of(delimiter=cut, encoding=encoding, header=header, compression=packed)
            mine = {k: v for k, v in texts.items() if k.endswith(".gz") == (packed == "gzip")}
            head = f"{cut.join(NAMES)}\n" if header else ""
            paths = [files.put(k, (head + v).encode(encoding)) for k, v in mine.items()]
            counted, read = files.read(made, paths)
            for name, text in mine.items():
                expected = plain(text, cut)
                assert counted[name] == len(expected), text
                here = {row: found for (file, row), found in read.items() if file == name}
                assert sorted(here) == sorted(expected), text
                for row, values in expected.items():
                    found = here[row]
                    assert (found._broken, found._open) == (False, False), text
                    assert [found[name] for name in NAMES] == [field(v) for v in values], text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_whatever_arrives_is_counted_and_read_alike(files, encoding):
    by_cut = {}
    for n, (text, cut) in enumerate(gathered(300, spoiled())):
        by_cut.setdefault(cut, {})[f"{n}.csv"] = text
    for cut, texts in by_cut.items():
        made = of(delimiter=cut, encoding=encoding)
        counted, read = files.read(made, [files.put(k, v) for k, v in texts.items()])
        for name, content in texts.items():
            here = {row: found for (file, row), found in read.items() if file == name}
            assert counted[name] == len(here), content
            assert {row._open for row in here.values()} <= {True, False}


def test_lines_of_a_quote_that_nothing_closes_stand_alone(files):
    content = b'1;x;y\n2;"x;y\n\n3;x;y\n4;x;""y\n'
    counted, read = files.read(of(), [files.put("a", content)])
    assert counted == {"a": 4}
    assert {row: (found._open, found._line) for (_, row), found in read.items()} == {
        1: (False, "1;x;y"),
        2: (True, '2;"x;y'),
        4: (True, "3;x;y"),
        5: (True, '4;x;""y'),
    }


def test_a_record_has_an_end_within_a_megabyte(files):
    """Of one that has not, each line stands alone; what follows it is read as always."""
    most = b'1;"' + b"x" * 100 + b"\n" + b"y" * (RECORD_BYTES - 100 - len(b'1;"";z\n\n')) + b'";z\n'
    assert len(most) == RECORD_BYTES
    more = most.replace(b"\ny", b"\nyy")
    counted, read = files.read(
        of(), [files.put("a", most + b"2;x;y\n"), files.put("b", more + b"2;x;y\n")]
    )
    assert counted == {"a": 2, "b": 3}
    assert {place: (row._open, row._broken, row.c) for place, row in read.items()} == {
        ("a", 1): (False, False, "z"),
        ("a", 3): (False, False, "y"),
        ("b", 1): (True, False, None),
        ("b", 2): (True, False, None),
        ("b", 3): (False, False, "y"),
    }


FIELDS = {
    b'1;"\n";x': ("1", None, "x"),
    b'1;"\r\n \r\n";x': ("1", None, "x"),
    b'1;"a""\nb";x': ("1", 'a"\nb', "x"),
    b'1;"""\n""";x': ("1", '"\n"', "x"),
    b'"a;\nb";"c;""";"d"': ("a;\nb", 'c;"', "d"),
    b'1;" a  b\n  c ";x\r': ("1", "a  b\n  c", "x"),
    b'1;"a" ;x': ("1", "a", "x"),
    b'1;a"b"c;x': ("1", 'a"b"c', "x"),
    b'\xef\xbb\xbf"1\n2";y;x': ("1\n2", "y", "x"),
    b'1;"a\nb"c;x': None,
    b'1;"a\n";x;y': None,
}


def test_fields_of_records(files):
    paths = [files.put(str(n), content + b"\n") for n, content in enumerate(FIELDS)]
    counted, read = files.read(of(), paths)
    assert set(counted.values()) == {1}
    for n, (content, values) in enumerate(FIELDS.items()):
        row = read[str(n), 1]
        assert (row._broken, row._open) == (values is None, False), content
        if values is not None:
            assert (row.a, row.b, row.c) == values, content


def test_rows_are_those_of_lines_where_no_field_holds_a_line_break(files):
    content = b'1;x;y\n\n2;"x";"y"\r\n \n3;a"b;"c""d"\n4;x\n'
    path = files.put("a", content)
    (ours, records), (theirs, lines) = (
        files.read(of(), [path]),
        files.read(of(multiline=False), [path]),
    )
    assert ours == theirs == {"a": 4}
    assert records == lines


def test_a_header_in_which_a_quote_stays_open_is_refused(files):
    path = files.put("a.csv", b'a;b;"c\n1;2;3\n')
    with pytest.raises(QualityError) as raised:
        inspect("call", of(header=True), DAY, path)
    assert str(raised.value) == (
        "call 2009-05-03: a.csv:1: a quote of the header stays open; expected a;b;c in one line"
    )


def test_records_are_counted_across_the_pieces_in_which_a_file_is_read(files):
    record = b'1;"x\ny";z\n'
    path = files.put("a", b"1;2;" + b"x" * 100 + b"\n" + record * (3 * CHUNK // len(record)))
    assert inspect("call", of(), DAY, path).rows == 1 + 3 * CHUNK // len(record)


def test_a_long_field_of_quotes_is_one_field(files):
    """A pattern that goes back step by step would need a frame of the stack for each of them."""
    counted, read = files.read(of(), [files.put("a", b'1;"\n' + b'""' * 400_000 + b'";z\n')])
    assert counted == {"a": 1}
    (row,) = read.values()
    assert (row.a, len(row.b), row.c) == ("1", 400_000, "z")
