"""The page of channels: files, load against capacity, receipts, deliveries that need a look.

Plain Python over rows of tables and the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.drawing import page
from models.drawing.page import BAD, DOUBLE, GOOD
from schemas.config import Channel

DAYS_DRAWN = 30
DELIVERED, FAILED = "delivered", "failed"
WAITING = "waiting"  # the file has a sink, and no attempt is known
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Channels:
    """What is known of the pushed channels on a night.

    `load`: rows of mart.capacity_price of channels and of minutes. `files`: mart.push_file of the
    last DAYS_DRAWN nights. `receipts`: mart.receipt_check of the night. `deliveries`: ops.delivery
    of the same nights.
    """

    channels: Sequence[Channel]
    day: date
    load: Rows
    files: Rows
    receipts: Rows
    deliveries: Rows


def parts(found: Channels) -> list[str]:
    """The parts of the page in their order."""
    unwell = _deliveries(found)
    return [
        _tiles(found, unwell),
        _files(found),
        _receipts(found),
        page.table(
            "Staged and failed deliveries",
            ["", "channel", "file of", "file", "rows", "why"],
            unwell,
            _all_well(found),
        ),
    ]


def _all_well(found: Channels) -> str:
    if not any(one.push and one.push.deliver_to for one in found.channels):
        return "no channel has a sink: all fetch their files from the push folder"
    return "every file of earlier nights is delivered; those of the night go out after this page"


def _tiles(found: Channels, unwell: Sequence[Sequence]) -> str:
    alarms = sum(row["alarm"] is not None for row in found.receipts)
    full = sum(row["capacity"] > 0 and row["used"] >= row["capacity"] for row in found.load)
    return page.tiles(
        [
            ("contacts in the files of the night", f"{_rows(found):,}", False),
            ("channels or desks are full", f"{full:,}", bool(full)),
            ("receipts with an alarm", f"{alarms:,}", bool(alarms)),
            ("deliveries staged or failed", f"{len(unwell):,}", bool(unwell)),
        ]
    )


def _rows(found: Channels) -> int:
    return sum(row["rows"] - row["test_rows"] for row in found.files if _tonight(row, found))


def _tonight(row: Mapping[str, Any], found: Channels) -> bool:
    return bool(row["data_date"] == found.day)


def _files(found: Channels) -> str:
    load = {row["resource"]: row for row in found.load}
    table = []
    for channel in found.channels:
        if channel.push is None:
            continue
        own = [row for row in found.files if row["channel"] == channel.id]
        by_day = {row["data_date"]: row["rows"] for row in own}
        tonight = next((row for row in own if _tonight(row, found)), None)
        taken, desk = load.get(f"channel:{channel.id}"), load.get(f"minutes:{channel.id}")
        used = taken["used"] if taken else 0
        table.append(
            [
                channel.id,
                channel.name_cn,
                tonight["file_name"] if tonight else "no file",
                tonight["rows"] if tonight else None,
                tonight["test_rows"] if tonight else None,
                channel.capacity,
                page.bar(
                    used,
                    max(channel.capacity or 0, used),
                    channel.capacity,
                    strong=used >= (channel.capacity or 0) > 0,
                    marked="capacity",
                ),
                f"{used / channel.capacity:.0%}" if channel.capacity else "",
                f"{desk['used']:,} of {desk['capacity']:,} min" if desk else "",
                page.by_day(by_day, found.day, DAYS_DRAWN),
                channel.push.deliver_to.shown if channel.push.deliver_to else "fetched by it",
            ]
        )
    heads = ["channel", "", "file of the night", "rows", "of test targets"]
    heads += ["contacts a day", "load", "", "agents", f"rows in {DAYS_DRAWN} nights", "goes to"]
    return page.table("Files and load", heads, table, "no channel gets files")


def _receipts(found: Channels) -> str:
    table = [
        [
            page.state("warning") if row["alarm"] else "",
            row["channel"],
            row["file_name"],
            row["pushed"],
            row["loaded"],
            row["failed"],
            row["missing"],
            page.shares(
                (name, max(row[name], 0), colour)
                for name, colour in (("loaded", GOOD), ("failed", BAD), ("missing", DOUBLE))
            ),
            (row["alarm"] or "").replace("_", " "),
        ]
        for row in sorted(found.receipts, key=lambda row: (row["channel"], row["file_name"]))
    ]
    heads = ["", "channel", "file", "pushed", "loaded", "failed", "missing", "", "alarm"]
    return page.table(
        "Receipts of the last days", heads, table, "no file of the days before is known"
    )


def _deliveries(found: Channels) -> list[list]:
    """Files with a sink whose last attempt failed, or of earlier nights that never had one."""
    last: dict[tuple[str, date], Mapping[str, Any]] = {}
    for row in sorted(found.deliveries, key=lambda row: row["told_at"]):
        last[row["channel"], row["data_date"]] = row
    table = []
    for channel in found.channels:
        if channel.push is None or channel.push.deliver_to is None:
            continue
        for file in sorted(found.files, key=lambda row: row["data_date"]):
            if file["channel"] != channel.id:
                continue
            told = last.get((channel.id, file["data_date"]))
            state = told["state"] if told else WAITING
            if state == FAILED or (state == WAITING and not _tonight(file, found)):
                table.append(
                    [
                        page.state(state),
                        channel.id,
                        str(file["data_date"]),
                        file["file_name"],
                        file["rows"],
                        (told["because"] if told else None) or "no attempt is known",
                    ]
                )
    return table
