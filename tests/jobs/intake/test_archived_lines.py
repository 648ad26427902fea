"""A customer's lines of files that no source reads any more, however the number is written."""

from datetime import date
from types import SimpleNamespace

import pytest

from jobs.intake import archived_lines
from jobs.intake.archive import Archive

DAY = date(2009, 5, 3)


@pytest.mark.parametrize(
    "written",
    [
        "13800000001",
        "+86 138-0000-0001",
        "１３８００００００\u200b０１",
        "1.3800000001E+10",
        "138\u00a00000\u00a00001",
    ],
)
def test_a_line_is_his_in_every_writing_of_his_number(tmp_path, written):
    kept = tmp_path / "gone" / str(DAY) / "c0ffee"
    kept.mkdir(parents=True)
    lines = ["V1|13800000002|x", f"V2|{written}|x", "V3|13800|000001"]
    (kept / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    conf = SimpleNamespace(sources={})
    found = archived_lines.erase(None, Archive(tmp_path), None, {"13800000001"}, conf, {})
    assert found == {"gone": 1}
    assert (kept / "a.txt").read_text(encoding="utf-8").split("\n") == [lines[0], lines[2]]
