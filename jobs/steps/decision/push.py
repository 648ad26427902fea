"""One table and one file per channel, with a manifest 推送.

Grain of the results: a pushed target in `push.<channel>` and a line of the channel's file. The file
is written from the committed table, under a temporary name until it is complete. Its manifest comes
last. Offers of a campaign that ops.campaign_log does not let run are left out. When this step
fails, a channel finds no manifest and keeps yesterday's file.
"""

from pyspark.sql import functions as F

from jobs.outbox.channel_file import send
from jobs.runtime.context import Context
from jobs.steps.decision.running import running_campaigns
from models.push import targets as push


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    matched = warehouse.last_snapshot("mart.package_match", day)
    months = {
        "mart.package_match": warehouse.empty("mart.package_match"),
        "mart.package_quote": warehouse.empty("mart.package_quote"),
    }
    if matched is not None:
        months = {table: warehouse.read(table, on=matched) for table in months}
    names = {name: package.name for name, package in context.catalogue.packages.items()}
    campaigns = running_campaigns(context)
    running = F.col("campaign_id").isin(*(campaign.id for campaign in campaigns))
    for channel in conf.channels.values():
        if channel.push is None:
            continue
        table = f"push.{channel.id}"
        rows = warehouse.replace(
            table,
            push.targets(
                push.Snapshots(
                    decisions=warehouse.read("mart.decision", on=day).where(running),
                    match=months["mart.package_match"],
                    quotes=months["mart.package_quote"],
                    identity=warehouse.read("dw.subscriber_identity", on=day),
                    contacts=warehouse.read("dw.contact_event", upto=day),
                ),
                campaigns=campaigns,
                package_names=names,
                channel=channel.id,
                columns=warehouse.contracts[table].column_names,
                data_date=day,
                currency=conf.runtime.currency,
            ),
        )
        send(
            context.outbox,
            channel,
            warehouse.contracts[table],
            day,
            warehouse.read(table, on=day),
            rows,
        )
