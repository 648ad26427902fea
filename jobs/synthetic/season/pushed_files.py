"""The rows of a night's pushed files, read as the channels read them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

import openpyxl

from models.synthetic.season.answers import Push
from schemas.config import Channel
from schemas.config import channel as channels

NEEDED = ("msisdn", "campaign_id", "wave", "package_id")


def pushes(folder: Path, conf: Iterable[Channel], day: date) -> list[Push]:
    """Every row of every channel's file of a night. A channel without a manifest has none.

    `folder`: the push folder. The staff's own test rows have no campaign and are left out.
    """
    found = []
    for channel in conf:
        if channel.push is None:
            continue
        for manifest in sorted((folder / channel.id / str(day)).glob("*.manifest.json")):
            told = json.loads(manifest.read_text(encoding="utf-8"))
            tests = set(channel.push.test_targets)
            for row in _rows(channel.push, (manifest.parent / told["file"]).read_bytes()):
                msisdn, campaign, wave, offer = (str(row[name]).strip() for name in NEEDED)
                msisdn = msisdn.lstrip("'+")
                if msisdn not in tests:
                    found.append(Push(campaign, int(wave), channel.id, msisdn, offer, day))
    return found


def _rows(push: channels.Push, content: bytes) -> Iterator[Mapping[str, object]]:
    if push.format == channels.JSON_LINES:
        yield from (json.loads(line) for line in content.decode().splitlines())
    elif push.format == channels.XLSX:
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).active
        head, *rows = list(sheet.iter_rows(values_only=True))
        yield from (dict(zip(map(str, head), row, strict=True)) for row in rows)
    elif push.format == channels.FIXED:
        for line in content.splitlines():
            place, row = 0, {}
            for name in push.columns:
                row[name] = line[place : place + push.widths[name]].decode(push.encoding)
                place += push.widths[name]
            yield row
    else:
        text = io.StringIO(content.decode(push.encoding), newline="")
        names = None if push.header else push.columns
        yield from csv.DictReader(text, fieldnames=names, delimiter=push.delimiter)
