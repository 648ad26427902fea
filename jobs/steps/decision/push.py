"""One table and one file per channel, with a manifest 推送.

Grain of the results: a pushed target in `push.<channel>` and a line of the channel's file. The file
is written from the committed table, under a temporary name until it is whole, and its manifest
last. When this step fails, a channel finds no manifest and keeps yesterday's list.
"""

from jobs.outbox.channel_file import send
from jobs.warehouse.warehouse import Warehouse
from models.push import targets as push
from models.tariff import catalogue
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day = window.last
    matched = wh.last_snapshot("mart.package_match", day)
    months = {
        "mart.package_match": wh.empty("mart.package_match"),
        "mart.package_quote": wh.empty("mart.package_quote"),
    }
    if matched is not None:
        months = {table: wh.read(table, on=matched) for table in months}
    names = {
        name: package.name
        for name, package in catalogue.load(conf.tariffs.values()).packages.items()
    }
    campaigns = [campaign for campaign in conf.campaigns.values() if campaign.valid_on(day)]
    for channel in conf.channels.values():
        if channel.push is None:
            continue
        table = f"push.{channel.id}"
        wh.replace(
            table,
            push.targets(
                push.Snapshots(
                    decisions=wh.read("mart.decision", on=day),
                    match=months["mart.package_match"],
                    quotes=months["mart.package_quote"],
                    identity=wh.read("dw.subscriber_identity", on=day),
                    contacts=wh.read("dw.contact_event", upto=day),
                ),
                campaigns=campaigns,
                package_names=names,
                channel=channel.id,
                columns=wh.contracts[table].column_names,
                data_date=day,
            ),
        )
        send(
            wh.outbox,
            channel,
            wh.contracts[table],
            day,
            wh.read(table, on=day),
            wh.ledger.entry(table, day).rows_out,
        )
