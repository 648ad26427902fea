"""Deliver the staged file of a channel and day to its sink, once; recall it; send it again."""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from jobs.outbox.folder import Outbox, json_text, manifest_of
from jobs.outbox.sinks import Place, SinkFailed, place
from schemas.config import Channel
from schemas.config.channel import DROP, NEXT_DAY, Late, Sink
from schemas.config.contact_policy import second_of_day
from schemas.errors import ChudianError

DELIVERED, FAILED, RECALLED = "delivered", "failed", "recalled"
HELD, DROPPED = "held", "dropped"


@dataclass(frozen=True)
class Delivery:
    """A row of ops.delivery, without run and time."""

    channel: str
    data_date: date
    sequence: int
    file_name: str
    sink: str
    state: str
    rows: int
    sha256: str
    because: str | None = None


@dataclass(frozen=True)
class _Staged:
    """The file of a channel and day in the push folder, with its manifest."""

    path: Path
    manifest: Mapping[str, Any]


def latest(rows: Iterable[Mapping[str, Any]], channel: str, day: date) -> Delivery | None:
    """What the ledger says last of the file of a channel and day; None: nothing."""
    found = [row for row in rows if (row["channel"], row["data_date"]) == (channel, day)]
    if not found:
        return None
    last = max(found, key=lambda row: row["told_at"])
    return Delivery(**{name: last[name] for name in Delivery.__dataclass_fields__})


def was_held(rows: Iterable[Mapping[str, Any]], channel: str, day: date) -> bool:
    """Whether the file of a channel and day was held once, whatever became of it."""
    return any(
        (row["channel"], row["data_date"], row["state"]) == (channel, day, HELD) for row in rows
    )


def deliver(
    outbox: Outbox,
    channel: Channel,
    day: date,
    last: Delivery | None,
    at: datetime,
    held: bool = False,
) -> Delivery | None:
    """Deliver the staged file unless that is done; the row for the ledger, or None.

    `last`: what the ledger says of the file. A recalled file stays recalled until it is sent again,
    and so does a dropped one. A file that was delivered with other content is not replaced in
    silence: that is a failure. A delivery that was killed before the ledger knew is found by the
    manifest at the sink.
    `at`: the instant of the delivery in the operator's zone. A file that is late by then is
    delivered, held or dropped, as its sink says. One that was `held` waits for the next day; where
    that is missed as well, it is dropped.
    """
    sink, staged = _sink(channel), _staged(outbox, channel, day)
    if staged is None or (last is not None and last.state in (RECALLED, DROPPED)):
        return None
    sequence = 1 if last is None else last.sequence
    found = _row(channel, day, sink, sequence, staged)
    if last is not None and last.state == DELIVERED:
        if last.sha256 == found.sha256:
            return None
        return replace(
            found,
            state=FAILED,
            because="delivered with other content before: recall it or resend it",
        )
    if sink.late is not None and _is_late(sink.late, day, at, held):
        return _too_late(sink, sink.late, replace(found, state=DROPPED), staged, held)
    if held and at.date() <= day + timedelta(days=1):
        return None
    return _sent(sink, found, staged)


def _is_late(late: Late, day: date, at: datetime, held: bool) -> bool:
    """Whether the time of the file is over: the day after its night, a held one's a day later."""
    if late.then not in (NEXT_DAY, DROP):
        return False
    worked = day + timedelta(days=2 if held else 1)
    limit = datetime.combine(worked, time(), at.tzinfo) + timedelta(
        seconds=second_of_day(late.after)
    )
    return at > limit


def _too_late(sink: Sink, late: Late, row: Delivery, staged: _Staged, held: bool) -> Delivery:
    """The row of a file that is held or dropped, unless its sink has got it already."""
    try:
        if _is_there(place(sink), row, staged):
            return replace(row, state=DELIVERED)
    except SinkFailed as error:
        return replace(row, state=FAILED, because=str(error)[:500])
    if late.then == NEXT_DAY and not held:
        because = f"ready after {late.after}: it waits for the next day"
        return replace(row, state=HELD, because=because)
    again = " once more" if held else ""
    return replace(row, because=f"ready after {late.after}{again}: send it by hand if it is wanted")


def resend(outbox: Outbox, channel: Channel, day: date, last: Delivery | None) -> Delivery:
    """Deliver the staged file once more, under the next sequence number."""
    staged = _staged(outbox, channel, day)
    if staged is None or last is None:
        raise ChudianError(
            f"{channel.id} of {day}: nothing to send again: "
            + ("no whole file is in the push folder" if staged is None else "it was never sent")
        )
    sink = _sink(channel)
    never_came = last.state in (FAILED, HELD, DROPPED)
    sequence = last.sequence if never_came else last.sequence + 1
    return _sent(sink, _row(channel, day, sink, sequence, staged), staged)


def recall(channel: Channel, day: date, last: Delivery | None) -> Delivery:
    """Take a delivered file back: its manifest first, then the file, and say so at the sink.

    `<file>.recall.json` stays there, for a channel that has loaded the file already.
    """
    if last is None or last.state != DELIVERED:
        raise ChudianError(f"{channel.id} of {day}: no delivered file to recall")
    there = place(_sink(channel))
    there.remove(manifest_of(last.file_name))
    there.remove(last.file_name)
    note = {
        "file": last.file_name,
        "channel": channel.id,
        "data_date": day.isoformat(),
        "sequence": last.sequence,
        "sha256": last.sha256,
        "recalled": True,
    }
    _put_text(there, f"{last.file_name}.recall.json", json_text(note))
    return replace(last, state=RECALLED)


def _sink(channel: Channel) -> Sink:
    if channel.push is None or channel.push.deliver_to is None:
        raise ChudianError(f"channels.yml: {channel.id} has no push.deliver_to")
    return channel.push.deliver_to


def _staged(outbox: Outbox, channel: Channel, day: date) -> _Staged | None:
    assert channel.push is not None
    path = outbox.folder / channel.id / str(day) / channel.push.file_on(day)
    manifest = path.with_name(manifest_of(path.name))
    if not (path.exists() and manifest.exists()):
        return None
    return _Staged(path, json.loads(manifest.read_text(encoding="utf-8")))


def _row(channel: Channel, day: date, sink: Sink, sequence: int, staged: _Staged) -> Delivery:
    path, told = staged.path, staged.manifest
    name = path.name if sequence == 1 else f"{path.stem}_{sequence:02d}{path.suffix}"
    return Delivery(
        channel.id, day, sequence, name, sink.shown, DELIVERED, told["rows"], told["sha256"]
    )


def _sent(sink: Sink, row: Delivery, staged: _Staged) -> Delivery:
    """Put file and manifest, unless the sink has this manifest already; a failure is told."""
    there, name = place(sink), manifest_of(row.file_name)
    try:
        if not _is_there(there, row, staged):
            there.remove(name)
            there.put(staged.path, row.file_name)
            _put_text(there, name, _manifest(row, staged))
    except SinkFailed as error:
        return replace(row, state=FAILED, because=str(error)[:500])
    return row


def _is_there(there: Place, row: Delivery, staged: _Staged) -> bool:
    """Whether the sink has the manifest of this very file."""
    return there.get(manifest_of(row.file_name)) == _manifest(row, staged).encode()


def _manifest(row: Delivery, staged: _Staged) -> str:
    """The staged manifest, with name and sequence of a file that is sent again."""
    manifest = dict(staged.manifest)
    if row.sequence > 1:
        manifest |= {"file": row.file_name, "sequence": row.sequence}
    return json_text(manifest)


def _put_text(there: Any, name: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        path.write_text(text, encoding="utf-8")
        os.chmod(path, 0o600)
        there.put(path, name)
