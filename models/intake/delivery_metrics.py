"""The metrics by which the gate admits a delivery, computed from counts of its rows.

Plain Python. Shares are of the rows of all days of the run together, for one night as for a range.
Volume and age of the newest event belong to one day; their metric is that of the worst day.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from models.intake.verdict import Check
from schemas.render.expectations import AGAINST_CONTROL, ROW_WARNING

Counts = Mapping[str, Any]  # of one day, as models.intake.outcome gives them
CountsByDay = Mapping[date, Counts]
COUNTS = (
    "accepted",
    "rejected",
    "duplicate",
    "late",
    "warned",
    "part",
    "correction",
    "conflict",
)
ROUNDING = "rounding_"  # before the name of a column
FAULTS = ("unreferenced", "unlisted", "unread")


def by_slice(delivered: Mapping[date, int], counts: CountsByDay) -> dict[str, dict[str, Any]]:
    """The ledger's `rows_*` and `rounding` of each day. `counts`: of `Outcome.counts`."""
    return {
        str(day): {
            "rows_delivered": rows,
            **{f"rows_{part}": counts.get(day, {}).get(part, 0) for part in COUNTS},
            "rounding": _rounding(counts.get(day, {})),
        }
        for day, rows in delivered.items()
    }


def _rounding(counts: Counts) -> str | None:
    """JSON of what rounding added to each column, as text; None if the source rounds nothing."""
    added = {
        name.removeprefix(ROUNDING): format(value.normalize(), "f")
        for name, value in counts.items()
        if name.startswith(ROUNDING)
    }
    return json.dumps(added, sort_keys=True) if added else None


def metrics(
    delivered: Mapping[date, int],
    counts: CountsByDay,
    checks: Sequence[Check],
    drifts: Mapping[str, Mapping[date, float]],
) -> dict[str, float]:
    """The metrics that `schemas.render.expectations.delivery_suite` checks.

    - `delivered`, `accepted`, `rejected`, `duplicate`: rows;
    - `rows_against_control`: the difference between the rows counted in the files (as many as
      their control file promises) and the rows accepted, rejected or duplicate, added up over days;
    - `reject_share`: rejected rows as a share of the delivered;
    - `duplicate_share`: rows that repeat an accepted record, as a share of the delivered;
    - `missing_reference_share`: delivered rows that name a record that does not exist, as a share
      (only for records with references);
    - `unlisted_code_share`: delivered rows kept with a code that is not listed, as a share (only
      for sources that keep such rows);
    - `unreadable_share`: delivered rows kept without a value that is present and not readable, as a
      share (only for sources that keep such rows);
    - `late_share`: late rows as a share of the accepted (only if the delivery has events);
    - `newest_event_age`: days from the newest event that is not rejected to the day of the delivery
      (likewise);
    - `rows_band`, `volume_drift`: rows as a multiple of the usual rows, by day in `drifts`;
    - `warning: <reason>`: accepted rows with that warning.
    """
    total, unsettled = Counter(delivered=sum(delivered.values())), 0
    for day, rows in delivered.items():
        seen = counts.get(day, {})
        total.update({part: seen.get(part, 0) for part in (*COUNTS, *FAULTS)})
        unsettled += abs(rows - sum(seen.get(part, 0) for part in COUNTS[:3]))
    found: dict[str, float] = {part: total[part] for part in ("delivered", *COUNTS[:3])}
    found |= {
        AGAINST_CONTROL: unsettled,
        "reject_share": _share(total["rejected"], found["delivered"]),
        "duplicate_share": _share(total["duplicate"], found["delivered"]),
    }
    if any(check.refers for check in checks):
        found["missing_reference_share"] = _share(total["unreferenced"], found["delivered"])
    if any(check.unlisted for check in checks):
        found["unlisted_code_share"] = _share(total["unlisted"], found["delivered"])
    if any(check.unread for check in checks):
        found["unreadable_share"] = _share(total["unread"], found["delivered"])
    ages = [(day - seen["newest"]).days for day, seen in counts.items() if seen["newest"]]
    if ages:
        found |= {
            "late_share": _share(total["late"], total["accepted"]),
            "newest_event_age": max(ages),
        }
    found |= {name: _farthest(by_day.values()) for name, by_day in drifts.items() if by_day}
    return found | {
        f"{ROW_WARNING}{check.reason}": _violations(counts, place)
        for place, check in enumerate(checks)
        if check.severity == "warning"
    }


def reasons(counts: CountsByDay, checks: Sequence[Check]) -> dict[str, int]:
    """Rows by reason, the most frequent first: rejections, and what is kept with a faulty value."""
    rows = Counter(
        {
            check.reason: _violations(counts, place)
            for place, check in enumerate(checks)
            if check.severity == "critical" or check.unlisted or check.unread
        }
    )
    return {reason: count for reason, count in rows.most_common() if count}


def _share(part: int, denominator: float) -> float:
    return part / max(denominator, 1)


def _farthest(ratios: Iterable[float]) -> float:
    """The ratio that is farthest from 1, whether smaller or larger."""
    return max(ratios, key=lambda ratio: max(ratio, 1 / ratio if ratio else float("inf")))


def _violations(counts: CountsByDay, place: int) -> int:
    """Rows of all days that violate the check at `place`."""
    return sum(seen[f"check_{place}"] for seen in counts.values())
