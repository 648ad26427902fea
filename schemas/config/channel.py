"""channels.yml as frozen dataclasses: a channel and the file that is pushed to it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# What the step `push` can fill of a table push.<channel>.
PUSHED = (
    "data_date",
    "campaign_id",
    "wave",
    "customer_id",
    "subscriber_id",
    "msisdn",
    "package_id",
    "package_name",
    "cost_before",
    "cost_after",
    "saving",
    "months_won",
    "reason",
    "script",
    "valid_until",
    "served",
    "best_frequency",
    "before_lines",
    "after_lines",
    "picture",
)


@dataclass(frozen=True)
class Push:
    """The file of a channel. Placeholders of its name: {data_date} {yyyymmdd} {yyyymm}.

    `columns` are columns of the contract push.<channel>. `mode` is the file's mode in octal.
    """

    file: str
    columns: tuple[str, ...]
    delimiter: str = ","
    encoding: str = "utf-8"
    header: bool = True
    line_end: str = "lf"
    neutralise_formulas: bool = True
    mode: str = "0600"

    def file_on(self, day: date) -> str:
        """The name of the file of a day."""
        return self.file.format(data_date=day, yyyymmdd=f"{day:%Y%m%d}", yyyymm=f"{day:%Y%m}")


@dataclass(frozen=True)
class LoggedAs:
    """The channel, and the direction (in or out), under which logs name contacts of another one."""

    channel: str
    direction: str


@dataclass(frozen=True)
class Channel:
    """A channel between customer and operator. `unit_cost` is in yuan per contact.

    `capacity` is in contacts per day; 0: the channel gets none. It is None only without `push`.
    `logged_as`: how logs know its contacts, where the operator works one channel in several ways.
    """

    id: str
    name_cn: str
    order: int
    unit_cost: Decimal
    capacity: int | None = None
    push: Push | None = None
    logged_as: LoggedAs | None = None

    @property
    def known_as(self) -> str:
        """The name of the channel in logs and preferences."""
        return self.logged_as.channel if self.logged_as else self.id
