"""Identity, contacts, preference, decision and push fit the contracts on both sides: they run on
frames of the input contracts and give the columns and types of the output contract."""

from datetime import date
from decimal import Decimal

import pytest

from models.contact.event import contact_event
from models.contact.log import LOGS
from models.contact.view import contact_view
from models.customer import identity
from models.decision import assignment, candidates, policy
from models.preference import frequent as preference
from models.push import targets as push
from schemas import contract
from schemas.config import Campaign, Channel
from schemas.render.spark import struct_type
from schemas.window import Window
from tests.given.frames import local_frame

DAY = date(2009, 5, 3)
CONTRACTS = contract.load()
CHANNELS = {
    name: Channel(id=name, name_cn=name, order=order, unit_cost=Decimal("1"), capacity=1)
    for order, name in enumerate(("hall", "hotline", "sms", "web"), start=1)
}
CAMPAIGNS = [
    Campaign(
        id="tariff",
        name_cn="资费",
        type="tariff",
        valid_from=DAY,
        valid_to=date(2009, 6, 1),
        channels=tuple(CHANNELS),
        wave=1,
        priority=1,
        control_share=Decimal("0.1"),
        salt="s",
        horizon_months=3,
        valid_days=30,
        script="{package_name}",
    )
]


class Tables:
    """Empty frames of the contracts, by table name."""

    def __init__(self, spark):
        self.spark = spark

    def __getitem__(self, table):
        return local_frame(self.spark, [], struct_type(CONTRACTS[table]))


def identities(t):
    parties = local_frame(t.spark, [], "source string, party string")
    return identity.subscriber_identity(
        t["ods.subscriber"], parties, key="k", data_date=DAY, placeholders=["0"]
    )


def subscribers(t):
    parties = local_frame(t.spark, [], "source string, party string")
    return identity.subscriber(
        t["ods.subscriber"], t["ods.customer"], parties, key="k", data_date=DAY
    )


def subscriptions(t):
    return identity.subscription(
        t["ods.package_subscription"], kinds={"gotone_58": "voice"}, key="k", data_date=DAY
    )


def contact_events(t):
    logs = {table: t[table] for table in LOGS}
    return contact_event(
        logs,
        t["dw.subscriber_identity"],
        window=Window(DAY, DAY),
        lookback_days={},
        placeholders=[],
        key="k",
    )


def contact_views(t):
    return contact_view(t["dw.contact_view"], t["dw.contact_event"], data_date=DAY)


def preferences(t):
    return preference.channel_preference(
        t["dw.contact_view"],
        t["dw.subscriber"],
        channels=CHANNELS,
        frequent_above=10,
        kinds=["enquiry"],
        data_date=DAY,
    )


def decisions(t):
    found = candidates.candidates(
        candidates.Snapshots(
            match=t["mart.package_match"],
            subscribers=t["dw.subscriber"],
            subscriptions=t["dw.subscription"],
            identity=t["dw.subscriber_identity"],
            preference=t["mart.channel_preference"],
        ),
        campaigns=CAMPAIGNS,
        channels=CHANNELS,
        open_offers={"gotone_58": ["gotone"]},
        data_date=DAY,
    )
    return assignment.decision(
        policy.judged(found, CAMPAIGNS), campaigns=CAMPAIGNS, channels=CHANNELS, data_date=DAY
    )


def pushed_over(channel):
    def targets(t):
        return push.targets(
            push.Snapshots(
                decisions=t["mart.decision"],
                match=t["mart.package_match"],
                quotes=t["mart.package_quote"],
                identity=t["dw.subscriber_identity"],
                contacts=t["dw.contact_event"],
            ),
            campaigns=CAMPAIGNS,
            package_names={"gotone_58": "全球通58套餐"},
            channel=channel,
            columns=CONTRACTS[f"push.{channel}"].column_names,
            data_date=DAY,
        )

    return targets


@pytest.mark.parametrize(
    ("table", "build"),
    [
        ("dw.subscriber_identity", identities),
        ("dw.subscriber", subscribers),
        ("dw.subscription", subscriptions),
        ("dw.contact_event", contact_events),
        ("dw.contact_view", contact_views),
        ("mart.channel_preference", preferences),
        ("mart.decision", decisions),
        *((f"push.{channel}", pushed_over(channel)) for channel in CHANNELS),
    ],
)
def test_the_result_has_the_columns_and_types_of_its_contract(spark, table, build):
    wanted = struct_type(CONTRACTS[table])
    assert [
        (field.name, field.dataType.simpleString()) for field in build(Tables(spark)).schema
    ] == [(field.name, field.dataType.simpleString()) for field in wanted]


def test_the_stages_are_those_of_the_contract():
    assert CONTRACTS["mart.decision"].column("first_reason").allowed == policy.STAGES
