"""Damaged files: refused at the gate in one line, or each of their lines in exactly one place."""

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
import yaml

from jobs import night
from jobs.intake.archive import Archive
from jobs.intake.landing import Landing
from schemas import config
from schemas.errors import ChudianError
from tests.given import mutated_files as files
from tests.given.paths import ROOT
from tests.readers.warehouse_reader import query

DAYS, FILES = [files.FIRST, files.FIRST + timedelta(days=1)], 25


@pytest.fixture(scope="module")
def call_sources(tmp_path_factory):
    """The folder of the four sources, and the configuration that is read from it."""
    folder = tmp_path_factory.mktemp("conf")
    shipped = config.load([ROOT / "conf"]).sources
    (folder / "sources.yml").write_text(
        yaml.safe_dump(files.sources(shipped), allow_unicode=True), encoding="utf-8"
    )
    return folder, config.load([ROOT / "conf", folder])


def deliver(landing: Path, name: str, day, contents: dict) -> dict[str, Path]:
    """The files of a source and day (number → bytes), with a control file that agrees."""
    folder = landing / name / str(day)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {number: folder / files.file_name(name, number) for number in contents}
    promises = []
    for number, path in paths.items():
        path.write_bytes(contents[number])
        promises.append(
            {
                "file": path.name,
                "bytes": len(contents[number]),
                "sha256": hashlib.sha256(contents[number]).hexdigest(),
            }
        )
    (folder / "calls.ctl").write_text("\n".join(map(json.dumps, promises)), encoding="utf-8")
    return paths


def refused(landing: Path, source, day) -> bool:
    """Whether the gate refuses the delivery; it must do so in one line with its exit code."""
    refusal = None
    try:
        Landing(landing, Archive(landing / "_archive"), read_only=True).files(
            source.id, source, [day]
        )
        return False
    except ChudianError as error:
        refusal = error
    if refusal is None:
        return False
    message = str(refusal)
    assert refusal.exit_code in (3, 4)
    assert "\n" not in message
    assert message.startswith(f"{source.id} {day}: ")
    assert len(message) < 600
    return True


def let_in(loaded, folder: Path, name: str, day, seed: int) -> dict[int, bytes]:
    """The damaged files of a source and day that the gate lets in, each asked for alone."""
    contents = {number: files.damaged(name, day, f"{seed}/{number}") for number in range(FILES)}
    good = {}
    for number, content in contents.items():
        alone = folder / "alone" / str(number)
        deliver(alone, name, day, {number: content})
        if not refused(alone, loaded.sources[name], day):
            good[number] = content
    return good


def fuzz(seed: int, call_sources, folder: Path) -> None:
    """Files of every source over two days: the gate one by one, then one pass over the rest."""
    (overlay, loaded), landing, warehouse = call_sources, folder / "landing", folder / "warehouse"
    sent, stopped = {}, 0
    for name in files.FORMS:
        for day in DAYS:
            good = let_in(loaded, folder, name, day, seed)
            stopped += FILES - len(good)
            for path in deliver(landing, name, day, good).values():
                rows = files.filled_lines(files.unpacked(path), name == "quoted")
                sent.setdefault((name, str(day)), []).extend((path.name, row) for row in rows)
    assert 0 < stopped < len(sent) * FILES / 2
    assert (
        night.main(
            [
                "--from-date",
                str(DAYS[0]),
                "--to-date",
                str(DAYS[-1]),
                "--only",
                "ingest",
                "--conf",
                str(ROOT / "conf"),
                "--conf",
                str(overlay),
                "--landing",
                str(landing),
                "--warehouse",
                str(warehouse),
                "--push",
                str(folder),
            ]
        )
        == 0
    )
    places = defaultdict(list)
    for kind, table, day in (
        ("accepted", "ods.voice_call", "batch_date"),
        ("rejected", "ops.rejected_record", "data_date"),
    ):
        for source, on, *place in query(
            warehouse, f"SELECT source, {day}::VARCHAR, file_name, row_no FROM t", t=table
        ):
            places[source, on, kind].append(tuple(place))
    ledger = {
        (source, day): counts
        for source, day, *counts in query(
            warehouse,
            "SELECT source, slice, rows_delivered, rows_accepted, rows_rejected, "
            "rows_duplicate FROM l WHERE state = 'committed'",
            l="ops.run_ledger",
        )
    }
    assert ledger.keys() == sent.keys()
    seen = Counter()
    for (name, day), (delivered, accepted, rejected, duplicate) in ledger.items():
        kept, thrown = places[name, day, "accepted"], places[name, day, "rejected"]
        assert delivered == len(sent[name, day]) == accepted + rejected + duplicate, (name, day)
        assert (accepted, rejected) == (len(kept), len(thrown)), (name, day)
        assert len({*kept, *thrown}) == accepted + rejected, (name, day)
        assert {*kept, *thrown} <= set(sent[name, day]), (name, day)
        assert min(accepted, rejected) > 0, (name, day)
        seen[name] += duplicate
    assert min(seen.values()) > 0, seen


def test_200_damaged_files(spark, call_sources, tmp_path):
    fuzz(2009, call_sources, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 11))
def test_2000_damaged_files(spark, call_sources, tmp_path, seed):
    fuzz(seed, call_sources, tmp_path)


def test_a_delivery_that_was_damaged_after_its_control_file_is_refused(call_sources, tmp_path):
    """Whatever happens to file or control file: files that are let in are those that were sent."""
    chance, (_, loaded), day = Random(2009), call_sources, DAYS[0]
    same = 0
    for _ in range(400):
        name = chance.choice(list(files.FORMS))
        sent = b"\n".join(files.whole(name, day, chance))
        if "compression" in files.FORMS[name]:
            sent = gzip.compress(sent, mtime=0)
        path = deliver(tmp_path, name, day, {1: sent})[1]
        spoiled = chance.choice([path, path.parent / "calls.ctl"])
        content = spoiled.read_bytes()
        place = chance.randrange(len(content))
        spoiled.write_bytes(
            chance.choice(
                [
                    content[:place],
                    content[place:],
                    content * 2,
                    b"",
                    content + b"\0",
                    content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :],
                    content[:place] + b"\n" + content[place:],
                    b"\xff\xfe" + content,
                    b"[" * 50_000,
                ]
            )
        )
        if not refused(tmp_path, loaded.sources[name], day):
            same += 1
            assert path.read_bytes() == sent
    assert 0 < same < 100
