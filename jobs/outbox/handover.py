"""The files of the interfaces R1 and R2 in the push folder, each with a manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from jobs.outbox.folder import Outbox, manifest_of
from models.push import channel_file
from schemas.currency import Currency
from schemas.document import interface

CRM = "crm"  # the folder of R1
MODE = 0o600


def name_of(name: str, receiver: str, day: date) -> str:
    """The name of the file of an interface (r1, r2) for its receiver."""
    return f"{name}_{receiver}_{day:%Y%m%d}.json"


def send(
    outbox: Outbox,
    name: str,
    receiver: str,
    day: date,
    content: Mapping[str, Any],
    *,
    rows: int,
    currency: Currency,
) -> str:
    """Write the file of an interface, then its manifest; returns the name of the file.

    QualityError for a document that breaks its JSON Schema; then the file from before is left.
    """
    interface.require_valid(name, content)
    file = name_of(name, receiver, day)
    outbox.withdraw(receiver, day, manifest_of(file))
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    sent = outbox.write(receiver, day, file, [text.encode()], MODE)
    manifest = channel_file.manifest(
        file=file,
        channel=receiver,
        data_date=day,
        contract_version=interface.version(name),
        rows=rows,
        test_rows=0,
        size=sent.bytes,
        sha256=sent.sha256,
        currency=currency,
    )
    outbox.write_manifest(receiver, day, file, manifest, MODE)
    return file


def withdraw(outbox: Outbox, channel: str, day: date) -> list[str]:
    """Delete what was handed over of a day to the CRM and to a contact point; the files' names."""
    gone = []
    for name, receiver in (("r1", CRM), ("r2", channel)):
        file = name_of(name, receiver, day)
        if (outbox.folder / receiver / str(day) / file).exists():
            gone.append(file)
        outbox.withdraw(receiver, day, manifest_of(file))
        outbox.withdraw(receiver, day, file)
    return gone
