"""Who is offered what over which channel, and why not the others (S2-05).

Grain of the result: customer × activity × offer × channel × wave in `mart.decision`, each with its
fate and every rule it breaks. Judged on the newest match of the months, the preferences of the day
and today's state of the subscribers. When this step fails, nothing is pushed.
"""

from jobs.warehouse.warehouse import Warehouse
from models.decision import assignment, candidates, policy
from models.tariff import catalogue
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day = window.last
    campaigns = [campaign for campaign in conf.campaigns.values() if campaign.valid_on(day)]
    matched = wh.last_snapshot("mart.package_match", day)
    match = (
        wh.empty("mart.package_match")
        if matched is None
        else wh.read("mart.package_match", on=matched)
    )
    tariffs = catalogue.load(conf.tariffs.values())
    met = candidates.candidates(
        candidates.Snapshots(
            match=match,
            subscribers=wh.read("dw.subscriber", on=day),
            subscriptions=wh.read("dw.subscription", on=day),
            identity=wh.read("dw.subscriber_identity", on=day),
            preference=wh.read("mart.channel_preference", on=day),
        ),
        campaigns=campaigns,
        channels=conf.channels,
        data_date=day,
        open_offers={package.id: package.brands for package in tariffs.open_on(day)},
    )
    wh.replace(
        "mart.decision",
        assignment.decision(
            policy.judged(met, campaigns),
            campaigns=campaigns,
            channels=conf.channels,
            data_date=day,
        ),
    )
