"""A channel's file as its receiver reads it: csv, openpyxl, json, or cells cut out of bytes."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl

from schemas.config import Push


def read(path: Path, push: Push) -> list[dict[str, Any]]:
    """The rows of the file by column, read by the form that channels.yml says."""
    body = path.read_bytes()
    if push.format == "xlsx":
        header, *lines = openpyxl.load_workbook(io.BytesIO(body)).active.iter_rows(values_only=True)
        assert header == push.columns
        return [dict(zip(header, line, strict=True)) for line in lines]
    text = body.decode(push.encoding)
    if push.format == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    if push.format == "fixed":
        found = []
        for line in body.split(b"\r\n")[:-1]:
            row, at = {}, 0
            for name in push.columns:
                row[name] = line[at : at + push.widths[name]].decode(push.encoding).strip()
                at += push.widths[name]
            found.append(row)
        return found
    lines = [*csv.reader(io.StringIO(text, newline=""), delimiter=push.delimiter)]
    return [dict(zip(push.columns, line, strict=True)) for line in lines[push.header :]]
