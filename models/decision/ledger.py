"""mart.decision: every candidate with its value, its fate and why 决策台帐."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from models.assignment.fates import ASSIGNED, CAPACITY, PRICES, SLOT
from models.contact_policy import hold_out
from models.contact_policy.compiled import Compiled
from models.decision.contest import OPEN
from models.decision.value import worth
from models.frames.lookup import looked_up
from models.frames.money import AMOUNT_TYPE
from schemas.config import Campaign

SHARE_TYPE = "decimal(9,6)"


def decided(
    contested: DataFrame,
    fates: DataFrame,
    *,
    prices: Mapping[str, Decimal],
    policy: Compiled,
    stay_bonus: Decimal,
    explored: Decimal,
    rule: str,
    data_date: date,
) -> DataFrame:
    """mart.decision. Fates:

    - pushed: it got a place
    - held_out: control group. Its row without another reason is the withheld offer, over the
      channel that is worth most at the prices of the night
    - dropped: by a rule, or because the customer got another offer or channel (`winner`)
    - spilled: the channel, or another resource that it uses, was full

    `contested`: rows of contest.contested with `uses` and `sticky`. `fates`: of the assignment.
    `prices`: of one unit of each scarce resource. `explored`: the share of the customers whose
    channel is drawn. `rule`: the rule that gave the places.
    """
    placed = fates.select(
        "customer_id",
        "option_id",
        (F.col("fate") == ASSIGNED).alias("taken"),
        "lost_to",
        F.col("winner").alias("_slot_winner"),
        F.element_at(F.split("runner_up", r"\|"), -1).alias("runner_up"),
        F.when(F.size("rules") > 0, F.col("rules")).alias("rules"),
    )
    rows = (
        contested.join(placed, ["customer_id", "option_id"], "left")
        .withColumn("taken", F.coalesce("taken", F.lit(False)))
        .withColumn("stay_bonus", F.when(F.col("sticky"), stay_bonus).otherwise(Decimal(0)))
        .withColumn("prices", F.when(F.col("side").isNotNull(), _prices(prices)))
        .withColumn("price", _sum_of("prices"))
        .withColumn("reduced_value", F.col("value") + F.col("stay_bonus") - F.col("price"))
    )
    rows = _with_winner(rows, policy)
    rows = rows.withColumn("propensity", _propensity(explored, rule))
    weighed = F.col("taken") | F.col("rules").isNotNull()
    return rows.select(
        F.lit(data_date).alias("data_date"),
        "customer_id",
        "subscriber_id",
        "campaign_id",
        "offer",
        "channel",
        "wave",
        "value",
        "acceptance",
        "saving_value",
        "margin",
        "preference_value",
        "cost",
        F.col("stay_bonus").cast(AMOUNT_TYPE).alias("stay_bonus"),
        "explored",
        F.when(weighed, F.col("propensity")).alias("propensity"),
        _fate().alias("fate"),
        F.get("reasons", F.lit(0)).alias("first_reason"),
        "reasons",
        "winner",
        "prices",
        "price",
        F.col("reduced_value").cast(AMOUNT_TYPE).alias("reduced_value"),
        F.when(F.col("taken"), F.col("runner_up")).alias("runner_up"),
        "rules",
    )


def rule_choices(decisions: DataFrame, campaigns: Sequence[Campaign]) -> DataFrame:
    """mart.rule_choice: of a night's mart.decision what was pushed, or a rule would have pushed."""
    pushed = F.col("fate") == "pushed"
    return decisions.where(pushed | F.col("rules").isNotNull()).select(
        "data_date",
        "customer_id",
        "campaign_id",
        "wave",
        "offer",
        "channel",
        F.coalesce("rules", F.array().cast("array<string>")).alias("rules"),
        pushed.alias("pushed"),
        "propensity",
        "acceptance",
        worth(campaigns).alias("worth"),
        "cost",
    )


def _prices(prices: Mapping[str, Decimal]) -> Column:
    """What the row uses, with the price of a unit; resources that only report have none."""
    if not prices:
        return F.array().cast(PRICES)
    pairs = [F.lit(one) for name in sorted(prices) for one in (name, prices[name])]
    by_name = F.create_map(*pairs)
    known = F.filter("uses", lambda use: F.map_contains_key(by_name, use.resource))
    return F.transform(
        known,
        lambda use: F.struct(
            use.resource.alias("resource"),
            by_name[use.resource].cast(AMOUNT_TYPE).alias("price"),
            use.units.alias("units"),
        ),
    ).cast(PRICES)


def _sum_of(prices: str) -> Column:
    return F.aggregate(
        prices,
        F.lit(Decimal(0)).cast(AMOUNT_TYPE),
        lambda sum, one: (sum + (one.price * one.units).cast(AMOUNT_TYPE)).cast(AMOUNT_TYPE),
    )


def _with_winner(rows: DataFrame, policy: Compiled) -> DataFrame:
    """`rows` with `winner` and the reasons of the competition."""
    of_customer = Window.partitionBy("customer_id")
    of_way = Window.partitionBy("customer_id", "contact_way")
    got = F.when(F.col("taken"), F.col("option_id"))
    rows = rows.withColumns(
        {
            "_in_way": F.min(got).over(of_way),
            "_at_all": F.min(got).over(of_customer),
            "_withheld": F.row_number().over(_most_worth()),
        }
    )
    is_open = F.col("side") == OPEN
    lost_slot = is_open & (F.col("beaten") | (F.col("lost_to") == SLOT)) & ~F.col("taken")
    winner = F.when(lost_slot, F.coalesce("_slot_winner", F.col("_in_way"), F.col("_at_all")))
    by_cap = F.col("_in_way").isNotNull()
    lost = (
        F.when(lost_slot & by_cap, _slot_reason(policy))
        .when(lost_slot, F.lit("LOST_PRIORITY"))
        .when(is_open & (F.col("lost_to") == CAPACITY), F.lit("LOST_CAPACITY"))
        .when(~is_open & (F.col("beaten") | (F.col("_withheld") > 1)), F.lit("LOST_PRIORITY"))
    )
    return rows.withColumn("winner", winner).withColumn(
        "reasons",
        F.when(
            F.col("side").isNotNull(), F.array_compact(F.array_append("reasons", lost))
        ).otherwise(F.col("reasons")),
    )


def _most_worth() -> WindowSpec:
    """Of what a customer is held out of, the candidate that would have been pushed comes first."""
    return Window.partitionBy("customer_id", "side").orderBy(
        "beaten",
        F.col("reduced_value").desc_nulls_last(),
        F.col("preference_rank").asc_nulls_last(),
        "place",
        "option_id",
    )


def _slot_reason(policy: Compiled) -> Column:
    """Whether a cap leaves no slot beside the winner's, or the night's own limit."""
    a_night = looked_up(F.col("way"), policy.a_night, "int")

    def tight(code: str) -> Column:
        names = [cap.name for cap in policy.caps if cap.code == code]
        return F.exists("room", lambda one: one.cap.isin(names) & (one.left <= a_night))

    return (
        F.when(tight("CAP_ALL"), F.lit("CAP_ALL"))
        .when(tight("CAP_CHANNEL"), F.lit("CAP_CHANNEL"))
        .otherwise(F.lit("LOST_PRIORITY"))
    )


def _propensity(share: Decimal, rule: str) -> Column:
    """The probability with which the row is pushed: by lot, or by the plan (S2-12).

    Without a lot the plan pushes what its `rule` chooses. A customer is drawn with the probability
    `share`, and then each of the channels alike; what is drawn finds a place if its value is above
    the prices of the night. So a row that the plan chooses has 1 − share + share ÷ choices, another
    share ÷ choices, and one below the prices 0.
    """
    several = F.col("choices") > 1
    by_lot = F.lit(share).cast("decimal(18,12)") / F.greatest(F.col("choices"), F.lit(1))
    finds_place = F.col("taken") | (F.col("reduced_value") > 0)
    chosen = F.coalesce(F.array_contains("rules", rule), F.lit(False))
    planned = chosen | (F.col("taken") & ~F.col("explored"))
    never = F.lit(Decimal(0)).cast("decimal(18,12)")
    drawn = F.when(several & finds_place, by_lot).otherwise(never)
    kept = F.when(several, F.lit(1 - share)).otherwise(F.lit(Decimal(1)))
    return (drawn + F.when(planned, kept.cast("decimal(18,12)")).otherwise(never)).cast(SHARE_TYPE)


def _fate() -> Column:
    reason = F.get("reasons", F.lit(0))
    return (
        F.when(reason.isNull(), "pushed")
        .when(reason.isin(list(hold_out.REASONS)), "held_out")
        .when(reason == "LOST_CAPACITY", "spilled")
        .otherwise("dropped")
    )
