"""The inputs of one night's decision, a few rows written by hand, decided at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame

from models.assignment.assign import Assignment
from models.assignment.choices import choices
from models.contact_policy import known
from models.decision import candidates, contest, figures, night
from schemas.config import Channel, Contacts
from schemas.config.decision_policy import Resources, ValuePolicy
from schemas.config.settings import built
from tests.given.campaigns import campaign
from tests.given.rows import fits, frame, named

BEIJING = timezone(timedelta(hours=8))
DAY = date(2009, 5, 3)
OFFERS = {"gotone_58": ["gotone"], "gprs_20": [], "mzone_18": ["mzone"]}
SCORES = {"hotline": "0.5", "hall": "0.3", "sms": "0.2"}
CONTACTS: dict[str, Any] = {
    "proof_kept_days": 150,
    "hold_out": {"share": "0", "salt": "all", "classes": ["marketing"]},
    "classes": {
        "marketing": {
            "kinds": ["marketing"],
            "campaign_types": ["tariff"],
            "limited": True,
            "counts": True,
            "consent": "refused",
        },
        "care": {
            "kinds": ["care"],
            "campaign_types": ["care"],
            "limited": False,
            "counts": True,
            "consent": "allowed",
        },
    },
    "ways": {
        "intrusive": {"limited": True, "counts": True, "a_night": 1},
        "pull": {"limited": True, "counts": True, "a_night": 1},
    },
    # One way, so that a customer gets one contact; tests of two ways change it.
    "channels": {
        name: {"way": "intrusive", "contact_at": "10:00", "listed_for": "8h", "report_within": "1d"}
        for name in ("hall", "hotline", "sms")
    },
    "caps": {},
    "rests": {},
    "families": {},
    "exclusive": {},
    "sequences": {},
    "sensitivity": {},
}
VALUE: dict[str, Any] = {
    "acceptance_weight": 100,
    "stay_bonus": "0.05",
    "channel_rule": {
        "high_value_from": "1000",
        "high_value": {"preference": "0", "cost": "1"},
        "ordinary": {"preference": "0", "cost": "1"},
    },
    "exploration": {"share": "0", "salt": "explore"},
}


def channels(**capacity: int | None) -> dict[str, Channel]:
    """Unit costs: hall 5.31, hotline 2.00, sms 0.10 yuan; 1000 contacts a day unless given."""
    costs = {"hall": "5.31", "hotline": "2.00", "sms": "0.10"}
    return {
        name: Channel(
            id=name,
            name_cn=name,
            order=order,
            unit_cost=Decimal(cost),
            capacity=capacity.get(name, 1000),
        )
        for order, (name, cost) in enumerate(costs.items(), start=1)
    }


def ways(**way: str) -> dict[str, Any]:
    """The channels of the policy with other ways, as a change of CONTACTS."""
    entries = {name: {**entry, "way": way.get(name, "intrusive")} for name, entry in _channels()}
    return {"channels": entries}


def _channels():
    return CONTACTS["channels"].items()


@dataclass(frozen=True)
class Decision:
    """What was decided: the rows of mart.decision, the assignment, the figures."""

    rows: list
    assignment: Assignment
    funnel: list
    unexplained: list


class DecisionInputs:
    """The inputs of one night; every subscriber begins without anything against him."""

    def __init__(self) -> None:
        self.subscribers, self.matches, self.subscriptions = [], [], []
        self.identity, self.preferences, self.consents = [], [], []
        self.history, self.outcomes, self.learnt, self.before = [], [], [], []
        self.targets, self.serving = [], None

    def subscriber(
        self,
        number,
        *,
        customer=None,
        brand="gotone",
        branch=None,
        status="active",
        consent=True,
        number_until=None,
        has_number=True,
        scores=SCORES,
    ):
        customer = customer or number
        self.subscribers += named(
            "subscriber_id customer_id brand branch status",
            (number, customer, brand, branch, status),
        )
        start = datetime(2009, 1, 1, tzinfo=BEIJING)
        if has_number:
            self.identity += named(
                "subscriber_id msisdn customer_id valid_from valid_to",
                (number, f"138{number}", customer, start, number_until),
            )
        if customer == number:
            ranked = sorted(scores, key=lambda name: -Decimal(scores[name]))
            self.preferences += named(
                "customer_id channel rank score",
                *(
                    (customer, name, place, Decimal(scores[name]))
                    for place, name in enumerate(ranked, start=1)
                ),
            )
            if consent is not None:
                self.consents += named(
                    "customer_id class granted valid_from valid_to",
                    (customer, "marketing", consent, start, None),
                )
        return self

    def match(
        self,
        number,
        offer="gotone_58",
        saving="20",
        *,
        income="-20",
        bill="100",
        rank=1,
        recommended=True,
        reasons=(),
        kind="voice",
        new=None,
    ):
        self.matches.append(
            {
                "subscriber_id": number,
                "package_id": offer,
                "kind": kind,
                "packages": offer.split("+"),
                "new_packages": offer.split("+") if new is None else list(new),
                "saving": Decimal(saving),
                "income_change": Decimal(income),
                "mean_present_cost": Decimal(bill),
                "rank": rank,
                "recommended": recommended,
                "reasons": list(reasons),
            }
        )
        return self

    def owns(self, number, offer, start=date(2009, 1, 1), end=None):
        self.subscriptions += named(
            "subscriber_id package_id valid_from valid_to", (number, offer, start, end)
        )
        return self

    def contacted(self, customer, channel, when, *, way="intrusive", campaign_id="other", **more):
        """A contact of marketing that was made at a local time like "05-02 10:00"."""
        self.history.append(
            {
                "batch_date": when.date(),
                "contact_id": len(self.history) + 1,
                "customer_id": customer,
                "class": "marketing",
                "way": way,
                "channel": channel,
                "campaign_id": campaign_id,
                "offer": None,
                "happened_at": when,
                "until": None,
                "state": "made",
                **more,
            }
        )
        return self

    def is_served(self, number, *channels):
        """The channels that have what they require of the subscriber; of others they have not."""
        self.serving = [*(self.serving or ()), (number, list(channels))]
        return self

    def is_target(self, number, campaign_id, wave=1, customer=None):
        self.targets += named(
            "campaign_id wave customer_id subscriber_ids",
            (campaign_id, wave, customer or number, [number]),
        )
        return self

    def accepts(
        self, offer, channel, rate, *, campaign_id="tariff", segment="gotone", pooled="0.2"
    ):
        """A learnt rate, and that of all offers and segments."""
        self.learnt += named(
            "campaign_id offer channel segment pooled_rate shrunk_rate",
            (campaign_id, offer, channel, segment, Decimal(pooled), Decimal(rate)),
        )
        return self

    def was_pushed(self, customer, channel, offer="gotone_58", campaign_id="tariff"):
        """On the night before."""
        self.before += named(
            "customer_id campaign_id offer channel wave fate",
            (customer, campaign_id, offer, channel, 1, "pushed"),
        )
        return self

    def tables(self, spark, partitions=None) -> night.Tables:
        def of(table, changes) -> DataFrame:
            made = frame(spark, table, *changes)
            return made.repartition(partitions) if partitions else made

        identity = of("dw.subscriber_identity", self.identity)
        return night.Tables(
            snapshots=candidates.Snapshots(
                match=of("mart.package_match", self.matches),
                subscribers=of("dw.subscriber", self.subscribers),
                subscriptions=of("dw.subscription", self.subscriptions),
                identity=identity,
                preference=of("mart.channel_preference", self.preferences),
                targets=of("mart.target", self.targets),
                serving=self.serving
                and spark.createDataFrame(
                    self.serving, "subscriber_id bigint, serving array<string>"
                ),
            ),
            contacts=known.Tables(
                history=of("dw.contact_history", self.history),
                outcomes=of("dw.contact_outcome", self.outcomes),
                consent=of("dw.consent", self.consents),
                identity=identity,
                do_not_contact=of("ods.do_not_contact", ()),
                sensitive_numbers=of("ods.sensitive_number", ()),
            ),
            acceptance=of("mart.acceptance", self.learnt),
            yesterday=of("mart.decision", self.before),
        )

    def decision(
        self,
        spark,
        *,
        campaigns=None,
        room=None,
        contacts: Mapping[str, Any] | None = None,
        value: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
        partitions=None,
    ) -> Decision:
        terms = night.Terms(
            day=DAY,
            campaigns=(campaign(),) if campaigns is None else campaigns,
            channels=room or channels(),
            open_offers=OFFERS,
            contacts=built(Contacts, {**CONTACTS, **(contacts or {})}),
            value=built(ValuePolicy, {**VALUE, **(value or {})}),
            resources=built(
                Resources, {"branches": {}, "minutes": {}, "budgets": {}, **(resources or {})}
            ),
            zone="Asia/Shanghai",
            branches=tuple(sorted({one["branch"] for one in self.subscribers if one["branch"]})),
        )
        tables = self.tables(spark, partitions)
        offered = night.offered(tables, terms).localCheckpoint()
        rows = night.contested(offered, tables, terms).localCheckpoint()
        chosen = choices(contest.options(rows)).localCheckpoint()
        made, assignment = night.decided(rows, chosen, terms)
        made = fits(made, "mart.decision").localCheckpoint()
        return Decision(
            made.collect(),
            assignment,
            figures.funnel(made, DAY).collect(),
            figures.unexplained(figures.targets(offered), made).collect(),
        )

    def decide(self, spark, **changes):
        return self.decision(spark, **changes).rows
