"""The channels of the province answer the files of a night."""

import hashlib
import json
from datetime import date

import pytest

from jobs.synthetic import receipts
from jobs.synthetic.province import MARKER
from schemas import config
from schemas.errors import InputError
from tests.given.paths import CONF

DAY = date(2009, 5, 3)


@pytest.fixture
def landing(tmp_path):
    folder = tmp_path / "landing"
    folder.mkdir()
    (folder / "README.txt").write_text(f"{MARKER}\n", encoding="utf-8")
    return folder


def push(folder, **rows):
    for channel, count in rows.items():
        told = {"file": f"{channel}_20090503.csv", "channel": channel, "rows": count}
        path = folder / channel / str(DAY) / f"{told['file']}.manifest.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(told), encoding="utf-8")


def test_each_file_has_a_receipt_that_adds_up(tmp_path, landing):
    sources = config.load([CONF]).sources
    push(tmp_path / "push", sms=1000, hall=3, web=0)
    assert receipts.answer(tmp_path / "push", landing, sources, DAY, 7) == 3
    folder = landing / "receipt" / "2009-05-04"
    body = (folder / "receipt_20090504.txt").read_bytes()
    lines = [line.split("|") for line in body.decode().splitlines()]
    assert [len(line) for line in lines] == [len(sources["receipt"].columns)] * 3
    assert {line[1]: int(line[2]) + int(line[3]) for line in lines} == {
        "hall": 3,
        "sms": 1000,
        "web": 0,
    }
    assert all(line[4].startswith("2009050408") for line in lines)
    control = json.loads((folder / "receipt_20090504.ctl").read_text(encoding="utf-8"))
    assert (control["rows"], control["bytes"]) == (3, len(body))
    assert control["sha256"] == hashlib.sha256(body).hexdigest()
    receipts.answer(tmp_path / "push", landing, sources, DAY, 7)
    assert (folder / "receipt_20090504.txt").read_bytes() == body


def test_real_deliveries_get_no_made_up_receipts(tmp_path):
    with pytest.raises(InputError, match="is no synthetic landing"):
        receipts.answer(tmp_path, tmp_path, config.load([CONF]).sources, DAY, 7)
