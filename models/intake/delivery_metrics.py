"""The metrics by which a delivery is judged, from the figures that one pass over its rows counted.

Plain Python. Shares are of all rows of the run's days together, for a range as for a night; what
belongs to one day (volume, age of the newest event) is that of the worst day.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from models.intake.verdict import Check
from schemas.render.expectations import AGAINST_CONTROL, ROW_WARNING

COUNTS = ("accepted", "rejected", "duplicate", "late", "warned")


def by_slice(delivered: Mapping[date, int], counts: Mapping[date, Mapping]) -> dict[str, dict]:
    """The ledger's `rows_*` figures of each day. `counts`: of Tagged.counts()."""
    return {
        str(day): {
            "rows_delivered": rows,
            **{f"rows_{part}": counts.get(day, {}).get(part, 0) for part in COUNTS},
        }
        for day, rows in delivered.items()
    }


def metrics(
    delivered: Mapping[date, int],
    counts: Mapping[date, Mapping],
    checks: Sequence[Check],
    drifts: Mapping[str, Mapping[date, float]],
) -> dict:
    """What schemas.expectations.delivery_suite judges.

    - `delivered`, `accepted`, `rejected`, `duplicate`: rows;
    - `rows_against_control`: rows by which the lines counted in the files, as their control file
      promises them, differ from what was read and settled;
    - `reject_share`: rejected of the delivered;
    - `missing_reference_share`: of the delivered, those that refer to what is nowhere (records
      with references);
    - `unlisted_code_share`: of the delivered, those kept with a code of no list (sources that keep
      such);
    - `late_share`: late of the accepted, and `newest_event_age`: days from the newest event that
      is not rejected to the delivery (event records, where there are such rows);
    - `rows_band`, `volume_drift`: rows against those that are usual, as `drifts` has them by day;
    - `warning: <reason>`: accepted rows with that warning.
    """
    total, astray = Counter(delivered=sum(delivered.values())), 0
    for day, rows in delivered.items():
        seen = counts.get(day, {})
        total.update({part: seen.get(part, 0) for part in (*COUNTS, "unreferenced", "unlisted")})
        astray += abs(rows - sum(seen.get(part, 0) for part in COUNTS[:3]))
    made = {part: total[part] for part in ("delivered", *COUNTS[:3])}
    made |= {AGAINST_CONTROL: astray, "reject_share": _share(total["rejected"], made["delivered"])}
    if any(check.refers for check in checks):
        made["missing_reference_share"] = _share(total["unreferenced"], made["delivered"])
    if any(check.unlisted for check in checks):
        made["unlisted_code_share"] = _share(total["unlisted"], made["delivered"])
    ages = [(day - seen["newest"]).days for day, seen in counts.items() if seen["newest"]]
    if ages:
        made |= {
            "late_share": _share(total["late"], total["accepted"]),
            "newest_event_age": max(ages),
        }
    made |= {name: _farthest(by_day.values()) for name, by_day in drifts.items() if by_day}
    return made | {
        f"{ROW_WARNING}{check.reason}": _rows(counts, place)
        for place, check in enumerate(checks)
        if check.severity == "warning"
    }


def reasons(counts: Mapping[date, Mapping], checks: Sequence[Check]) -> dict[str, int]:
    """Rows by the reason for which they are rejected or kept with a code of no list, the commonest
    first."""
    rows = Counter(
        {
            check.reason: _rows(counts, place)
            for place, check in enumerate(checks)
            if check.severity == "critical" or check.unlisted
        }
    )
    return {reason: count for reason, count in rows.most_common() if count}


def _share(part: int, whole: int) -> float:
    return part / max(whole, 1)


def _farthest(ratios) -> float:
    """The ratio that is farthest from 1, be it smaller or larger."""
    return max(ratios, key=lambda ratio: max(ratio, 1 / ratio if ratio else float("inf")))


def _rows(counts: Mapping[date, Mapping], place: int) -> int:
    return sum(seen[f"check_{place}"] for seen in counts.values())
