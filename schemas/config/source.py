"""sources.yml as frozen dataclasses: each source and how its files become records.

Shares are Decimal, lists are tuples. A key that a file leaves out has the default of its field.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.config.settings import Numbers, built


@dataclass(frozen=True)
class PartRule:
    """How the records of a usage table may be parts of one event.

    `number`: the column that the parts of an event share. `modes`: the values that `parts` may
    have. `default`: its value for a source that says nothing.
    """

    number: str = ""
    modes: tuple[str, ...] = ("none",)
    default: str = "none"


ANY_PARTS = ("none", "add", "cumulative", "last")
PARTS = {
    "ods.voice_call": PartRule("call_no", ANY_PARTS),
    "ods.message": PartRule("message_no", ("none", "last")),
    "ods.data_session": PartRule("session_no", ANY_PARTS, "add"),
    "ods.wlan_session": PartRule("session_no", ANY_PARTS),
}
OTHERWISE = "otherwise"  # the key in `codes` that gives the value of a code that is not listed
REJECT, WARN, ABSENT = "reject", "warn", "absent"  # what becomes of a value that is not readable


@dataclass(frozen=True)
class Cadence:
    """The days on which a delivery is expected: daily, monthly on a day, or listed days."""

    monthly: int | None = None
    on: tuple[date, ...] = ()

    @property
    def every_day(self) -> bool:
        return self.monthly is None and not self.on

    def due(self, day: date) -> bool:
        """Whether a delivery is expected on `day` (day 31: the last day of a shorter month)."""
        if self.on:
            return day in self.on
        if self.monthly is not None:
            return day.day == min(self.monthly, calendar.monthrange(day.year, day.month)[1])
        return True

    def __str__(self) -> str:
        if self.on:
            return "on " + ", ".join(map(str, self.on))
        return "daily" if self.every_day else f"monthly on day {self.monthly}"


@dataclass(frozen=True)
class RowsBand:
    """Limits of a delivery's rows: `low` to `high` times the usual number, or it stops or warns.

    The usual number is the median of the deliveries in the `days` before, on the same weekday if
    the source is daily.
    """

    low: Decimal
    high: Decimal
    days: int


@dataclass(frozen=True)
class SourceFiles:
    """Where a delivery lies below the landing folder, and how the run knows that it is complete.

    Placeholders: {source} {data_date} {yyyymmdd} {yyyymm}. The `control` file lists the rows,
    bytes and checksum of each file. Without one, the files must be `stable_s` seconds old (0: any
    age), and their rows must lie within `rows_band`, if set.
    """

    folder: str
    pattern: str
    control: str | None = None
    stable_s: int = 0
    rows_band: RowsBand | None = None

    @staticmethod
    def named(text: str, source_id: str, day: date) -> str:
        """A folder, pattern or control file with its placeholders filled in for a day."""
        return text.format(
            source=source_id, data_date=day, yyyymmdd=f"{day:%Y%m%d}", yyyymm=f"{day:%Y%m}"
        )


@dataclass(frozen=True)
class SourceFormat:
    """The format of a file.

    `kind`: delimited, fixed_width (`widths` in bytes of the encoding), json_lines (one object per
    line) or parquet (columns by name). `multiline`: a quoted field may hold line breaks.
    """

    kind: str = "delimited"
    delimiter: str | None = None
    quote: str | None = None
    header: bool = False
    encoding: str = "utf-8"
    compression: str = "none"
    widths: tuple[int, ...] = ()
    multiline: bool = False


@dataclass(frozen=True)
class ShareLimits:
    """Above `warn_share` of faulty rows a delivery warns; above `stop_share` it stops the run."""

    warn_share: Decimal = Decimal("0.01")
    stop_share: Decimal = Decimal("0.05")


@dataclass(frozen=True)
class Source:
    """One kind of delivered file and how it becomes records of `record`, a table of layer ods.

    Its rows may become records of several tables: then this is how they are read into the first of
    them, and `also` holds the same source as it is read into each of the others.

    - `when`: SQL predicate of the rows that become records of `record`; None: all of them.
    - `mapping`: contract column → scalar SQL over the file's columns (all text, NULL when empty).
    - `codes`: contract column → value in the file → our value. A value that is not listed is
      rejected; with `otherwise` it becomes that value and is counted as a warning.
    - `absent`: contract column → texts of the file that mean "no value" ("": a blank field).
    - `unreadable`: contract column → what becomes of a row whose field is present but not readable:
      reject (the default), warn (kept without the value, and counted), absent (NULL is what the
      expression means).
    - `rounding`: contract column → rule by which a number is rounded that does not fit exactly.
    - `exclude`: reason → SQL predicate of rows to reject. `warn`: of rows to keep and count.
    - `due_by`: local time on the day after the data date by which a delivery is expected.
    - `redelivery_days`: how many days back a night looks for corrected and late deliveries.
    - `parts`: how records of one session belong together. `add`: each holds a part of the quantity
      and of the fees. `cumulative`: each holds what was used so far. `last`: a later one corrects
      the earlier ones. `none`: each record is an event of its own.
    - `duplicates`: limits of the share of rows that repeat an accepted record.
    - `rejects`, `references`: limits of the shares of rejected rows and of rows whose reference
      points to no known record. Without `references` the limits of `rejects` apply to both.
    - `owners`: limits of the share of events whose number nobody held at that instant, by day.

    Three limits only warn: `volume_band` of the rows, `late_share` of the accepted rows, and
    `late_after_days`, the age in days of the newest event.
    """

    id: str
    record: str
    name_cn: str
    system: str
    cadence: Cadence
    files: SourceFiles
    format: SourceFormat
    timezone: str
    columns: tuple[str, ...]
    mapping: Mapping[str, str]
    when: str | None = None
    time: str = "local"
    codes: Mapping[str, Mapping[str, str | bool | None]] = field(default_factory=dict)
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    rounding: Mapping[str, str] = field(default_factory=dict)
    exclude: Mapping[str, str] = field(default_factory=dict)
    warn: Mapping[str, str] = field(default_factory=dict)
    late_after_days: int = 0
    max_age_days: int = 62
    lookback_days: int = 7
    parts: str = "none"
    rejects: ShareLimits = ShareLimits()
    references: ShareLimits | None = None
    duplicates: ShareLimits | None = None
    volume_band: RowsBand = RowsBand(Decimal("0.5"), Decimal("2"), 28)
    late_share: Decimal = Decimal("0.10")
    identity: str = "customer_files"
    optional: bool = False
    due_by: str = "00:00"
    redelivery_days: int = 31
    owners: ShareLimits | None = None
    numbers: Numbers = field(default_factory=Numbers)
    also: tuple[Source, ...] = ()

    @property
    def records(self) -> tuple[Source, ...]:
        """The source as it is read into each of its tables, in the order of the configuration."""
        return (replace(self, also=()), *self.also)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the source feeds."""
        return tuple(one.record for one in self.records)

    def into(self, table: str) -> Source:
        """The source as it is read into one of its tables."""
        return next(one for one in self.records if one.record == table)

    @property
    def joins_parts(self) -> bool:
        """Whether several records may be one event."""
        return self.parts != "none"

    @property
    def apart_days(self) -> int:
        """How many days the deliveries of one event may be apart; 0: each record is an event."""
        whole = self.record in PARTS and not self.joins_parts
        return 0 if whole else self.lookback_days


def source_of(id: str, entry: Mapping[str, Any], zone: str, numbers: Numbers) -> Source:
    """The source that an entry of sources.yml describes; `zone` is its default time zone.

    `numbers` of runtime.yml decide its rows: numbers are compared across all sources.
    """
    cadence = {} if entry["cadence"] == "daily" else entry["cadence"]
    common = {key: value for key, value in entry.items() if key != "records"}
    first, *others = [
        replace(
            built(
                Source,
                {
                    "id": id,
                    "timezone": zone,
                    "parts": PARTS.get(one["record"], PartRule()).default,
                    **common,
                    **one,
                    "exclude": one.get("exclude") or {},
                    "warn": one.get("warn") or {},
                    "cadence": cadence,
                },
            ),
            numbers=numbers,
        )
        for one in entry.get("records", [entry])
    ]
    return replace(first, also=tuple(others))
