"""Who is offered what over which channel, and why not the others (S2-05).

Grain of the result: customer × campaign × offer × channel × wave in `mart.decision`, each with its
fate and every rule it breaks. Decided on the newest match of packages, the preferences of the day
and the state of the subscribers on the day. When this step fails, nothing is pushed.
"""

from jobs.runtime.context import Context
from models.decision import assignment, candidates, policy


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    campaigns = [campaign for campaign in conf.campaigns.values() if campaign.valid_on(day)]
    matched = warehouse.last_snapshot("mart.package_match", day)
    match = (
        warehouse.empty("mart.package_match")
        if matched is None
        else warehouse.read("mart.package_match", on=matched)
    )
    met = candidates.candidates(
        candidates.Snapshots(
            match=match,
            subscribers=warehouse.read("dw.subscriber", on=day),
            subscriptions=warehouse.read("dw.subscription", on=day),
            identity=warehouse.read("dw.subscriber_identity", on=day),
            preference=warehouse.read("mart.channel_preference", on=day),
        ),
        campaigns=campaigns,
        channels=conf.channels,
        data_date=day,
        open_offers={package.id: package.brands for package in context.catalogue.open_on(day)},
    )
    warehouse.replace(
        "mart.decision",
        assignment.decision(
            policy.judged(met, campaigns),
            campaigns=campaigns,
            channels=conf.channels,
            data_date=day,
        ),
    )
