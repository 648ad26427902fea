"""What the configuration says of a delivered file: frozen dataclasses named after the YAML keys.

Shares are Decimal, lists are tuples. Keys that a file leaves out have the defaults written here.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

OTHERWISE = "otherwise"  # among the codes of a column: what a code that is not listed becomes


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
    """A delivery holds `low` to `high` times the rows that are usual, or stops or warns.

    Usual is the median of the deliveries of the same weekday (of a source that is not daily: of
    all) in the `days` before.
    """

    low: Decimal
    high: Decimal
    days: int


@dataclass(frozen=True)
class SourceFiles:
    """Where a delivery lies below the landing folder, and by what it is known to be complete.

    Placeholders: {source} {data_date} {yyyymmdd} {yyyymm}. `control` names the rows, bytes and
    checksum of each file. Where there is none, files may have to be `stable_s` seconds old (0: at
    any age), and their rows within a band.
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
    """How a file is written.

    `kind`: delimited, fixed_width (`widths` in bytes of the encoding), json_lines (one object a
    line) or parquet (columns by name).
    """

    kind: str = "delimited"
    delimiter: str | None = None
    quote: str | None = None
    header: bool = False
    encoding: str = "utf-8"
    compression: str = "none"
    widths: tuple[int, ...] = ()


@dataclass(frozen=True)
class ShareLimits:
    """Shares of a delivery's rows that may be at fault before it warns, and before it stops."""

    warn_share: Decimal = Decimal("0.01")
    stop_share: Decimal = Decimal("0.05")


@dataclass(frozen=True)
class Source:
    """One kind of delivered file and how it becomes records of `record`, a table of layer ods.

    `codes`: contract column → value of the file → ours; a value that is not listed is rejected, or
    kept as what `otherwise` says and counted as a warning. `mapping`: contract column → scalar SQL
    over the file's columns (all text, NULL when empty). `exclude`: reason → SQL predicate of rows
    to reject, `warn`: of rows to keep and count. `due_by`: local time on the day after by which a
    delivery is expected. `redelivery_days`: how many days back a night looks for deliveries that
    came anew.

    A delivery stops or warns by the share of rejected rows (`rejects`) and of rows that refer to
    what is nowhere (`references`; without it as `rejects`). It only warns when its rows leave
    `volume_band`, when more than `late_share` of the accepted rows are late, and when its newest
    event is older than `late_after_days`.
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
    time: str = "local"
    codes: Mapping[str, Mapping[str, str | bool | None]] = field(default_factory=dict)
    exclude: Mapping[str, str] = field(default_factory=dict)
    warn: Mapping[str, str] = field(default_factory=dict)
    late_after_days: int = 0
    max_age_days: int = 62
    lookback_days: int = 7
    rejects: ShareLimits = ShareLimits()
    references: ShareLimits | None = None
    volume_band: RowsBand = RowsBand(Decimal("0.5"), Decimal("2"), 28)
    late_share: Decimal = Decimal("0.10")
    identity: str = "customer_files"
    optional: bool = False
    due_by: str = "00:00"
    redelivery_days: int = 31
