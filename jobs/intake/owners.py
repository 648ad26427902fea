"""Whether the numbers of a delivery have owners: a share of events that belong to nobody.

A number that is written otherwise than in the customer files, or customer files that are not
complete, lose usage and contacts without an error. So what was left out is counted and judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby

from pyspark.sql import DataFrame

from jobs.warehouse.ledger import CheckResult
from jobs.warehouse.warehouse import Warehouse
from models.customer import owners
from models.customer.owners import Unheld
from schemas.config import Source
from schemas.errors import QualityError
from schemas.render import expectations


def require(
    warehouse: Warehouse, table: str, events: DataFrame, identity: DataFrame, what: str
) -> None:
    """Count the events of numbers without owners, by source and day, and judge their share.

    `events`, `identity`: as of `owners.deliveries`. `table` is derived from the events, `what` is
    their name in messages. A source whose identity comes from its events has owners by definition.
    QualityError for a share above the source's `owners.stop_share`, unless an operator accepts it.
    """
    refused, sources = [], warehouse.conf.sources
    found = [
        one
        for one in owners.deliveries(events, identity)
        if one.source not in sources or sources[one.source].identity != "from_events"
    ]
    for one in found:
        warehouse.ledger.record_check(_counted(warehouse.ledger.run_id, table, one, what))
    for name, days in groupby(found, lambda one: one.source):
        if name not in sources:  # its rows are older than the configuration: it has no limits
            continue
        try:
            _judge(warehouse, table, sources[name], days, what)
        except QualityError as error:
            refused.append(str(error))
    if refused:
        raise QualityError("; ".join(refused))


def _counted(run_id: str, table: str, one: Unheld, what: str) -> CheckResult:
    """The counts of a day as a row of `ops.quality_result`."""
    return CheckResult(
        run_id,
        one.source,
        table,
        str(one.day),
        expectations.UNHELD_EVENTS,
        expectations.WARNING,
        success=True,
        observed=f"{one.unheld} of {one.events} {what}: {one.never_known} of numbers never known, "
        f"{one.at_other_times} of numbers held at other times only",
        expected=f"counted; {expectations.UNHELD_SHARE} is judged",
        judged_at=datetime.now(UTC),
    )


def _judge(
    warehouse: Warehouse, table: str, source: Source, days: Iterable[Unheld], what: str
) -> None:
    """Check the day with the largest share; QualityError says why and what to do."""
    judged = [one for one in days if expectations.owners_are_judged(source, one.events)]
    if not judged:
        return
    worst = max(judged, key=lambda one: one.share)
    try:
        warehouse.gate.check(
            warehouse.contracts[table],
            {expectations.UNHELD_SHARE: worst.share},
            expectations.owners_suite(source),
            source.id,
            str(worst.day),
            expectations.PASSABLE if warehouse.ledger.accepting else (),
        )
    except QualityError:
        known = worst.at_other_times > worst.never_known
        cause = (
            "most often somebody held the number at another time only: owners who had left or had "
            "not joined yet"
            if known
            else "most often the number is in no customer file"
        )
        raise QualityError(
            f"{source.id} {worst.day}: {worst.unheld:,} of {worst.events:,} {what} "
            f"({worst.share:.1%}) are of numbers that nobody held at that time, expected at most "
            f"{expectations.owners_limits(source).stop_share:.1%}; {cause}: complete the customer "
            "files, widen owners.stop_share of the source, or let it pass once with "
            "--accept-rejects"
        ) from None
