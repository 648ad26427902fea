"""One table and one file per channel, with a manifest 推送.

Grain of the results: a pushed target in `push.<channel>` and a line of the channel's file; a file
in `mart.push_file`. It is written from the committed table, under a temporary name until it is
complete. Its manifest comes last. Offers of a campaign that ops.campaign_log does not let run are
left out. When this step fails, a channel finds no manifest and keeps yesterday's file.
"""

from types import SimpleNamespace

from pyspark.sql import functions as F

from jobs.outbox.channel_file import send
from jobs.runtime.context import Context
from jobs.steps.decision.channel_facts import channel_facts
from jobs.steps.decision.running import running_campaigns
from models.push import targets as push
from schemas.errors import ConfigError

FILES = "mart.push_file"


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    campaigns = running_campaigns(context)
    tables = _snapshots(context, [campaign.id for campaign in campaigns])
    names = {name: business.name_cn for name, business in conf.services.items()}
    names |= {name: package.name for name, package in context.catalogue.packages.items()}
    refused, files = [], []
    for channel in conf.channels.values():
        if channel.push is None:
            continue
        table = f"push.{channel.id}"
        contract = warehouse.contracts[table]
        rows = warehouse.replace(
            table,
            push.targets(
                tables,
                campaigns=campaigns,
                package_names=names,
                channel=channel,
                contact=conf.policy.contacts.channels.get(channel.id),
                columns=contract.column_names,
                data_date=day,
                currency=conf.runtime.currency,
            ),
        )
        written = warehouse.read(table, on=day)
        try:
            sent = send(context.outbox, channel, contract, day, written, rows, campaigns)
            files.append(
                {
                    "data_date": day,
                    "channel": channel.id,
                    "file_name": sent["file"],
                    "rows": sent["rows"],
                    "test_rows": sent.get("test_rows", 0),
                    "sha256": sent["sha256"],
                }
            )
        except ConfigError as error:  # the other channels get their files all the same
            refused.append(str(error))
    warehouse.replace(FILES, warehouse.rows(FILES, [SimpleNamespace(**one) for one in files]))
    if refused:
        raise ConfigError("\n".join(refused))


def _snapshots(context: Context, running: list[str]) -> push.Snapshots:
    """The tables that rows are built from; those of facts only if the step reads them.

    `running`: the campaigns whose offers may leave.
    """
    warehouse, day = context.warehouse, context.day
    matched = warehouse.last_snapshot("mart.package_match", day)
    months = {
        "mart.package_match": warehouse.empty("mart.package_match"),
        "mart.package_quote": warehouse.empty("mart.package_quote"),
    }
    if matched is not None:
        months = {table: warehouse.read(table, on=matched) for table in months}
    return push.Snapshots(
        decisions=warehouse.read("mart.decision", on=day).where(F.col("campaign_id").isin(running)),
        match=months["mart.package_match"],
        quotes=months["mart.package_quote"],
        identity=warehouse.read("dw.subscriber_identity", on=day),
        contacts=warehouse.read("dw.contact_event", upto=day),
        others=channel_facts(context),
    )
