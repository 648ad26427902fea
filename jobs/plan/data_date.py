"""The data_date of a scheduled run."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.errors import ConfigError
from schemas.window import parse_date


def resolve_data_date(parameter: str | None, logical_date: datetime | None, zone: str) -> date:
    """The run's parameter `data_date`; without it the local day before the run's logical date.

    The night of the 4th ingests the deliveries of the 3rd. `ds` of the scheduler would be wrong: it
    is a UTC date, so between midnight and 8 a.m. in China it is one day behind.
    ConfigError where the run has neither.
    """
    if parameter:
        return parse_date(parameter)
    if logical_date is None:
        raise ConfigError("no data_date: give the parameter data_date, for example 2009-05-03")
    if logical_date.tzinfo is None:
        logical_date = logical_date.replace(tzinfo=UTC)
    return logical_date.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
