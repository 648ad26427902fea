"""Between two nights of a season: pushed files are read, deliveries get more lines."""

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import date

import pytest

from jobs.outbox import workbook
from jobs.synthetic.season import additions, pushed_files
from models.push import sample
from models.synthetic.season.answers import Push
from schemas import config, contract
from schemas.errors import ConfigError
from tests.given.paths import CONF

DAY = date(2009, 5, 3)
STAFF = "13800009999"
CONFIGURED = config.load([CONF])
CONTRACTS = contract.load()
PUSHED = [one for one in CONFIGURED.channels.values() if one.push is not None]


def written(folder, channel, number):
    """The channel's file with a row of one customer, and one of the operator's own staff."""
    of = CONTRACTS[f"push.{channel.id}"]
    row = sample.example(of, channel.push, channel.id, None, DAY)
    rows = [{**row, "msisdn": one} for one in (number, STAFF)]
    name = channel.push.file_on(DAY)
    place = folder / channel.id / str(DAY)
    place.mkdir(parents=True)
    content = b"".join(workbook.content(rows, channel.push, of.table))
    (place / name).write_bytes(content)
    (place / f"{name}.manifest.json").write_text(json.dumps({"file": name}), encoding="utf-8")
    return Push(row["campaign_id"], row["wave"], channel.id, number, row["package_id"], DAY)


def test_the_files_of_every_channel_are_read_and_the_staffs_rows_left_out(tmp_path):
    channels = [replace(one, push=replace(one.push, test_targets=(STAFF,))) for one in PUSHED]
    wanted = [written(tmp_path, one, f"1380000000{place}") for place, one in enumerate(channels, 1)]
    assert len(wanted) == 9
    assert pushed_files.pushes(tmp_path, channels, DAY) == wanted
    assert pushed_files.pushes(tmp_path, channels, date(2009, 5, 4)) == []


def test_a_file_without_a_manifest_is_no_file(tmp_path):
    written(tmp_path, PUSHED[0], "13800000001")
    for manifest in tmp_path.rglob("*.manifest.json"):
        manifest.unlink()
    assert pushed_files.pushes(tmp_path, PUSHED, DAY) == []


def delivery(landing, source, content):
    """Two files of a day, as the synthetic province writes them, with their control file."""
    folder = landing / source.files.named(source.files.folder, source.id, DAY)
    folder.mkdir(parents=True)
    told = []
    for part in ("01", "02"):
        name = source.files.named(source.files.pattern, source.id, DAY).replace("*", part)
        body = gzip.compress(content) if source.format.compression == "gzip" else content
        (folder / name).write_bytes(body)
        told.append({"file": name, "rows": 1, "bytes": len(body), "sha256": "?"})
    control = folder / source.files.named(source.files.control, source.id, DAY)
    control.write_text("".join(f"{json.dumps(one)}\n" for one in told), encoding="utf-8")
    return folder, control


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_lines_are_added_to_the_last_file_and_its_control_file_follows(tmp_path, compression):
    source = CONFIGURED.sources["voice"]
    source = replace(source, format=replace(source.format, compression=compression, header=False))
    assert "*" in source.files.pattern
    folder, control = delivery(tmp_path, source, b"first\n")
    additions.add(tmp_path, source, DAY, ["second", "third"])
    first, second = sorted(path for path in folder.iterdir() if path != control)
    body = second.read_bytes()
    opened = gzip.decompress(body) if compression == "gzip" else body
    assert opened == b"first\nsecond\nthird\n"
    told = {one["file"]: one for one in map(json.loads, control.read_text().splitlines())}
    assert told[first.name]["sha256"] == "?"
    assert told[second.name] == {
        "file": second.name,
        "rows": 3,
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def test_a_file_is_replaced_with_its_header(tmp_path):
    source = CONFIGURED.sources["bill"]
    source = replace(source, format=replace(source.format, header=True))
    _, control = delivery(tmp_path, source, b"old\n")
    line = additions.line(source, [str(n) for n, _ in enumerate(source.columns)])
    additions.replace(tmp_path, source, DAY, [line])
    path = additions.delivered(tmp_path, source, DAY)
    assert path.read_text(encoding="utf-8").splitlines()[1:] == [line]
    assert json.loads(control.read_text().splitlines()[-1])["rows"] == 1


def test_cells_that_are_not_those_of_the_source_are_refused(tmp_path):
    source = CONFIGURED.sources["receipt"]
    with pytest.raises(ConfigError, match="sources: receipt: columns: the season delivers 1 of"):
        additions.line(source, ["a"])
    with pytest.raises(ConfigError, match="delivers nothing on 2009-05-03"):
        additions.add(tmp_path, source, DAY, ["a"])
