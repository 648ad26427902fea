"""The file of one channel and day, and its manifest."""

from collections.abc import Iterable
from datetime import date
from itertools import chain

from pyspark.sql import DataFrame

from jobs.outbox import workbook
from jobs.outbox.folder import Outbox, manifest_of
from models.push import channel_file, sample
from schemas.config import Campaign, Channel
from schemas.contract import Contract
from schemas.errors import ConfigError


def send(
    outbox: Outbox,
    channel: Channel,
    contract: Contract,
    day: date,
    rows: DataFrame,
    count: int,
    campaigns: Iterable[Campaign],
) -> dict[str, object]:
    """Write the channel's file of the day with these `rows`, then its manifest, which it returns.

    `count`: the number of rows. Rows of test targets come last, for each of the `campaigns` that
    uses the channel on the day. An earlier manifest is removed first, so a channel never reads a
    file that is being replaced. ConfigError for a channel without files, and for a row that the
    file cannot hold: then there is no manifest.
    """
    form = channel.push
    if form is None:
        raise ConfigError(f"channels.yml: {channel.id} has no push: it gets no files")
    name, mode = form.file_on(day), int(form.mode, 8)
    outbox.withdraw(channel.id, day, manifest_of(name))
    tests = [*sample.staff_rows(contract, form, channel.id, campaigns, day)]
    in_order = rows.orderBy(*channel_file.FILE_ORDER).toLocalIterator()
    sent = outbox.write(
        channel.id,
        day,
        name,
        workbook.content(chain(in_order, tests), form, contract.table),
        mode,
    )
    manifest = channel_file.manifest(
        file=name,
        channel=channel.id,
        data_date=day,
        rows=count + len(tests),
        test_rows=len(tests),
        contract_version=contract.version,
        size=sent.bytes,
        sha256=sent.sha256,
        currency=contract.currency,
    )
    outbox.write_manifest(channel.id, day, name, manifest, mode)
    return manifest
