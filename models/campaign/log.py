"""The log of campaigns' states, as plain values: each entry seals itself and the one before.

A seal is a keyed hash (the key of the identities), so that an entry that was changed, removed or
put in between is found. Whoever holds the key and may write the table could forge it; entries cut
off at the end leave no trace in the rows.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.errors import QualityError

TABLE = "ops.campaign_log"
SUBMITTED, APPROVED, RUNNING, ENDED = "submitted", "approved", "running", "ended"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """One change of a campaign's state; the fields are the columns of ops.campaign_log.

    `version` of the campaign's file, whose content `fingerprint` names. `role`: of an approval.
    `since`: the first data date on which it runs, or has ended.
    """

    entry_no: int
    campaign_id: str
    version: int
    fingerprint: str
    state: str
    role: str | None
    by: str
    at: datetime
    since: date | None
    previous_seal: str
    seal: str = ""

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Entry":
        """The entry of a row of the table; `at` is an instant, or microseconds since 1970."""
        at = row["at"]
        if isinstance(at, int):
            at = _EPOCH + timedelta(microseconds=at)
        return cls(**{**row, "at": at.astimezone(UTC)})


def sealed(entry: Entry, key: str) -> Entry:
    """The entry with its seal."""
    said = {name: value for name, value in asdict(entry).items() if name != "seal"}
    said["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(said, sort_keys=True, default=str, ensure_ascii=False)
    mac = hmac.new(key.encode(), f"campaign log|{text}".encode(), hashlib.sha256)
    return replace(entry, seal=mac.hexdigest())


def unbroken(entries: Iterable[Entry], key: str) -> Sequence[Entry]:
    """The entries in their order; QualityError for the first that is not as it was written."""
    ordered = sorted(entries, key=lambda entry: entry.entry_no)
    before: Entry | None = None
    for place, entry in enumerate(ordered, start=1):
        if entry.entry_no != place:
            raise tampered(place, "it is missing or stands twice")
        if entry.previous_seal != (before.seal if before else ""):
            raise tampered(place, "it does not follow the entry before it")
        if not hmac.compare_digest(sealed(entry, key).seal, entry.seal):
            raise tampered(place, "it was changed after it was written, or identity_key was")
        if before is not None and entry.at < before.at:
            raise tampered(place, "it is older than the entry before it")
        before = entry
    return ordered


def tampered(entry_no: int, what: str) -> QualityError:
    """The error of a log that cannot be trusted."""
    return QualityError(
        f"{TABLE}: entry {entry_no}: {what}; no campaign runs on a log that was tampered with: "
        "find out who wrote the table, and restore the version before it"
    )
