"""What a trial shows, read from its tables with another engine than the one that wrote them."""

from pathlib import Path

from tests.readers.warehouse_reader import query


def deliveries(warehouse: Path) -> list[tuple]:
    """(source, delivered, accepted, rejected, duplicate) of the last commits."""
    return query(
        warehouse,
        """
        SELECT source, rows_delivered, rows_accepted, rows_rejected, rows_duplicate FROM ledger
        WHERE state = 'committed' AND source IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY source, slice ORDER BY committed_at DESC) = 1
        ORDER BY source""",
        ledger="ops.run_ledger",
    )


def missed(warehouse: Path) -> dict[str, int]:
    """Missed calls kept, by source."""
    return dict(
        query(
            warehouse,
            "SELECT source, count(*) FROM calls WHERE outcome = 'missed' GROUP BY source",
            calls="ods.voice_call",
        )
    )


def rejections(warehouse: Path) -> list[tuple]:
    """(source, reason, rows) of the rejected lines."""
    return query(
        warehouse,
        "SELECT source, reason, count(*) FROM "
        "(SELECT source, unnest(reasons) AS reason FROM rejected) "
        "GROUP BY ALL ORDER BY ALL",
        rejected="ops.rejected_record",
    )


def channels(warehouse: Path) -> dict[str, int]:
    """Contacts in the newest view, by channel."""
    return dict(
        query(
            warehouse,
            """
        SELECT channel, sum(contacts)::BIGINT FROM view
        WHERE data_date = (SELECT max(data_date) FROM view) GROUP BY channel""",
            view="dw.contact_view",
        )
    )


def customers(warehouse: Path) -> tuple[int, int]:
    """Customers in the newest view, and those of them seen on more than one channel."""
    return query(
        warehouse,
        """
        SELECT count(*), count(*) FILTER (channels > 1) FROM (
            SELECT customer_id, count(*) AS channels FROM view
            WHERE data_date = (SELECT max(data_date) FROM view) GROUP BY customer_id)""",
        view="dw.contact_view",
    )[0]


def months(warehouse: Path) -> list[tuple]:
    """(month, subscribers with usage, quotes, of them comparable)."""
    return query(
        warehouse,
        """
        SELECT month, count(DISTINCT subscriber_id), count(*), count(*) FILTER (comparable)
        FROM quotes GROUP BY month ORDER BY month""",
        quotes="mart.package_quote",
    )


def table(warehouse: Path) -> str:
    """The short table that the trial prints."""
    lines = [
        f"{'source':<22}{'delivered':>10}{'accepted':>10}{'rejected':>10}{'duplicate':>10}"
        f"{'missed':>10}"
    ]
    calls_missed = missed(warehouse)
    for source, *counts in deliveries(warehouse):
        lines.append(
            f"{source:<22}"
            + "".join(f"{count:>10,}" for count in counts)
            + f"{calls_missed.get(source, 0):>10,}"
        )
    lines.append("")
    for source, reason, rows in rejections(warehouse):
        lines.append(f"rejected {rows:>5,}  {source}: {reason}")
    lines.append("")
    seen = ", ".join(
        f"{channel} {count:,}"
        for channel, count in sorted(channels(warehouse).items(), key=lambda pair: -pair[1])
    )
    people, several = customers(warehouse)
    lines.append(f"contacts in the view: {seen}")
    lines.append(f"customers in the view: {people:,}, on more than one channel: {several:,}")
    lines.append("")
    for month, subscribers, quotes, comparable in months(warehouse):
        lines.append(
            f"{month:%Y-%m}: {subscribers:>5,} callers under {quotes:>7,} quotes, "
            f"{comparable:,} comparable"
        )
    return "\n".join(lines)
