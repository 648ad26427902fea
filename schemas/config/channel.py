"""channels.yml as frozen dataclasses: a channel and the file that is pushed to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.config.settings import built

# What the step `push` fills of a table push.<channel> by itself.
MESSAGE_COLUMNS = ("sender", "parts", "send_from", "send_to")  # of a channel with `message`
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
    "questionnaire",
    "knowledge_sms",
    "valid_until",
    "served",
    "best_frequency",
    "best_wave",
    "before_lines",
    "after_lines",
    "picture",
    *MESSAGE_COLUMNS,
)
# Of what else a column may name a fact, as <name>.<column>: the table that holds it.
FACT_TABLES = {
    "decision": "mart.decision",
    "match": "mart.package_match",
    "quote": "mart.package_quote",
    "subscriber": "dw.subscriber",
    "preference": "mart.channel_preference",
    "customer": "ods.customer",
    "member": "ods.group_member",
}
# Of these a channel may ask that the fact is known (`requires`), as of the subscriber on the day.
REQUIRED_FACTS = ("subscriber", "customer", "member")
CSV, FIXED, JSON_LINES, XLSX = "csv", "fixed", "jsonl", "xlsx"


@dataclass(frozen=True)
class Message:
    """What a text message may be: from `sender`, at most `max_parts` parts of `part` characters.

    A character outside the Basic Multilingual Plane counts as two, as gateways count (UCS-2).
    """

    sender: str
    part: int
    max_parts: int

    def parts(self, text: str) -> int:
        """How many parts a text takes."""
        return max(1, -(-len(text.encode("utf-16-be")) // 2 // self.part))


# What becomes of a file that is ready too late.
NEXT_DAY, DROP = "next_day", "drop"


@dataclass(frozen=True)
class Late:
    """A file is late that is not delivered by `after`, a clock time on the day after its night.

    `then`: `deliver` it all the same, hold it until the `next_day` and deliver it with the file of
    the next night, or `drop` it.
    """

    after: str
    then: str


@dataclass(frozen=True)
class Sink:
    """Where a channel's files are delivered: `folder` of this machine, or of an SFTP `host`.

    `key_file` and `known_hosts` are files of this machine; without them those of the account count.
    `late`: what becomes of a file that is ready too late; None: it is delivered.
    """

    folder: str
    host: str | None = None
    user: str | None = None
    port: int = 22
    key_file: str | None = None
    known_hosts: str | None = None
    late: Late | None = None

    @property
    def shown(self) -> str:
        """The sink in messages and in the ledger."""
        return f"sftp {self.user}@{self.host}:{self.folder}" if self.host else self.folder


@dataclass(frozen=True)
class Push:
    """The file of a channel. Placeholders of its name: {data_date} {yyyymmdd} {yyyymm}.

    `columns` are columns of the contract push.<channel>. `facts`: those of them that are filled
    with a fact of another table, as <name of FACT_TABLES>.<column>. `widths`: bytes of each column
    of a `fixed` file. `replace_with` stands for a character that the encoding lacks; empty: such a
    row is refused. `test_targets`: numbers of the operator's own staff that get each file, too.
    `deliver_to`: None if the channel fetches its files from the push folder. `mode` is the file's
    mode in octal.
    """

    file: str
    columns: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    format: str = CSV
    widths: Mapping[str, int] = field(default_factory=dict)
    message: Message | None = None
    replace_with: str = ""
    test_targets: tuple[str, ...] = ()
    deliver_to: Sink | None = None
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
    `requires`: a fact such as member.employee; a customer of whom it is not known gets no contact
    over the channel. Empty: none.
    """

    id: str
    name_cn: str
    order: int
    unit_cost: Decimal
    capacity: int | None = None
    push: Push | None = None
    logged_as: LoggedAs | None = None
    requires: str = ""

    @property
    def known_as(self) -> str:
        """The name of the channel in logs and preferences."""
        return self.logged_as.channel if self.logged_as else self.id


def channel_of(name: str, entry: Mapping[str, Any]) -> Channel:
    """The channel that an entry of channels.yml describes."""
    found = {"id": name, **entry}
    if "push" in entry:
        named = [named_column(one) for one in entry["push"]["columns"]]
        found["push"] = {
            **entry["push"],
            "columns": [column for column, _ in named],
            "facts": {column: fact for column, fact in named if fact},
        }
    return built(Channel, found)


def named_column(written: str | Mapping[str, str]) -> tuple[str, str]:
    """A column as the file lists it: its name, and the fact that fills it; empty: none."""
    if isinstance(written, str):
        return written, ""
    ((name, fact),) = written.items()
    return name, fact
