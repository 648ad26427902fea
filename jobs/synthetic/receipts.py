"""The receipts of the province's channels for the files that a night pushed."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from jobs.synthetic.province import MARKER
from schemas.config import Source
from schemas.errors import ConfigError, InputError

FAILED_OF = 50  # of so many rows a channel cannot load one


def answer(
    push: Path, landing: Path, sources: Mapping[str, Source], pushed: date, seed: int
) -> int:
    """Write the delivery of the source `receipt` of the day after `pushed`; how many receipts.

    A channel answers each manifest in the folder `push`: it loads all rows but a few, which depend
    on `seed` and the file. A repetition writes the same bytes. InputError where the landing is no
    synthetic one, ConfigError without the source.
    """
    if "receipt" not in sources:
        raise ConfigError("sources: no receipt: the synthetic province delivers it")
    readme = landing / "README.txt"
    if not (readme.is_file() and readme.read_text(encoding="utf-8").startswith(MARKER)):
        raise InputError(
            f"{landing} is no synthetic landing: receipts of the province belong there"
        )
    manifests = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(push.glob(f"*/{pushed}/*.manifest.json"))
    ]
    lines = [_line(told, pushed, seed) for told in manifests]
    _deliver(sources["receipt"], landing, pushed + timedelta(days=1), lines)
    return len(lines)


def _line(told: Mapping[str, object], pushed: date, seed: int) -> str:
    drawn = hashlib.sha256(f"{seed}|{told['file']}".encode()).digest()
    rows = int(str(told["rows"]))
    failed = min(rows, (rows + drawn[0] % FAILED_OF) // FAILED_OF)
    moment = f"{pushed + timedelta(days=1):%Y%m%d}08{drawn[1] % 60:02d}{drawn[2] % 60:02d}"
    return f"{told['file']}|{told['channel']}|{rows - failed}|{failed}|{moment}"


def _deliver(source: Source, landing: Path, day: date, lines: list[str]) -> None:
    body = "".join(f"{line}\n" for line in lines).encode()
    folder = landing / source.files.named(source.files.folder, source.id, day)
    name = source.files.named(source.files.pattern, source.id, day)
    control = {
        "file": name,
        "rows": len(lines),
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(body)
    if source.files.control is not None:
        path = folder / source.files.named(source.files.control, source.id, day)
        path.write_text(json.dumps(control) + "\n", encoding="utf-8")
