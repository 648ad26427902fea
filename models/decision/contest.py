"""Which of a customer's candidates compete for a place, before capacity is known.

A customer hears one story: of the campaigns of a family, and of campaigns that exclude each other,
one offer. A campaign with a lower priority number goes before others; of equal numbers the greater
value. For a few customers the channel is drawn by lot (exploration).
"""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.contact_policy import hold_out
from models.contact_policy.compiled import Compiled
from models.frames.lookup import looked_up
from schemas.config import Campaign
from schemas.config.decision_policy import Exploration

OPEN, UNIVERSAL = "open", "universal"
JOINT = "any"  # the way of customers whose ways share the last slot of a cap
KEY = ("campaign_id", "wave", "offer", "channel")


def option_id(channel: str = "channel") -> Column:
    """Campaign, wave, offer and channel of a row, joined by |."""
    return F.concat_ws("|", "campaign_id", "wave", "offer", channel)


def contested(
    judged: DataFrame,
    *,
    campaigns: Sequence[Campaign],
    policy: Compiled,
    exploration: Exploration,
    day: date,
) -> DataFrame:
    """`judged` with what the competition needs.

    - `option_id`: unique for a customer
    - `side`: open (no reason), universal or held:CAMPAIGN (hold-outs compete with nobody else);
      NULL: another reason
    - `beaten`: another candidate of the customer goes before it whatever the capacity
    - `explored`: drawn by lot; `unlucky`: another was drawn; `choices`: among how many channels
    - `contact_way`, `slots`: as the assignment takes them, see JOINT
    """
    universal, held = (F.array_contains("reasons", code) for code in hold_out.REASONS)
    side = (
        F.when(F.size("reasons") == 0, F.lit(OPEN))
        .when(universal, F.lit(UNIVERSAL))
        .when(held, F.concat(F.lit("held:"), "campaign_id"))
    )
    rows = judged.withColumns({"option_id": option_id(), "side": side})
    rows = _by_priority(_one_story(rows, stories(campaigns, policy)))
    return _by_lot(_shared_slots(rows, policy), exploration, day)


def stories(campaigns: Sequence[Campaign], policy: Compiled) -> dict[str, str]:
    """Campaign → the first name of all that it shares a family or an exclusion with."""
    story = {campaign.id: campaign.id for campaign in campaigns}
    groups = [*(family.campaigns for family in policy.families), *policy.exclusive]
    for group in groups:
        joined = {story[name] for name in group if name in story}
        for name, of in story.items():
            if of in joined:
                story[name] = min(joined)
    return story


def _one_story(rows: DataFrame, stories: Mapping[str, str]) -> DataFrame:
    """Adds `beaten`: the customer gets another offer of the same story."""
    offer = F.struct("campaign_id", "wave", "offer")
    best_first = Window.partitionBy("customer_id", "side", "_story").orderBy(
        "priority",
        F.col("value").desc_nulls_last(),
        F.col("match_rank").asc_nulls_last(),
        "offer",
        "campaign_id",
        "wave",
    )
    return (
        rows.withColumn("_story", looked_up(F.col("campaign_id"), stories, "string"))
        .withColumn("beaten", _contends() & (offer != F.first(offer).over(best_first)))
        .drop("_story")
    )


def _by_priority(rows: DataFrame) -> DataFrame:
    """Campaigns with a higher number are beaten where one with a lower number contends."""
    of_way = Window.partitionBy("customer_id", "side", "way")
    lowest = F.min(F.when(_contends() & ~F.col("beaten"), F.col("priority"))).over(of_way)
    return rows.withColumn("beaten", F.col("beaten") | (_contends() & (F.col("priority") > lowest)))


def _by_lot(rows: DataFrame, exploration: Exploration, day: date) -> DataFrame:
    """For drawn customers one channel of each contact way is drawn; it beats the others."""
    salt = f"{exploration.salt}-{day}"
    free = (F.col("side") == OPEN) & ~F.col("beaten")
    of_way = Window.partitionBy("customer_id", "side", "contact_way")
    lot = F.when(free, F.xxhash64(F.lit(salt), "customer_id", "option_id"))
    drawn = hold_out.drawn(F.lit(salt), F.lit(hold_out.bound(exploration.share)))
    return (
        rows.withColumn("_free", F.coalesce(free, F.lit(False)))
        .withColumn("_lot", lot)
        .withColumn("choices", F.count_if("_free").over(of_way))
        .withColumn("_least", F.min("_lot").over(of_way))
        .withColumn("_drawn", F.col("_free") & (F.col("choices") > 1) & drawn)
        .withColumn("explored", F.col("_drawn") & (F.col("_lot") == F.col("_least")))
        .withColumn("unlucky", F.col("_drawn") & ~F.col("explored"))
        .withColumn("beaten", F.col("beaten") | F.col("unlucky"))
        .drop("_free", "_lot", "_least", "_drawn")
    )


def _shared_slots(rows: DataFrame, policy: Compiled) -> DataFrame:
    """Ways that together could take more than a cap leaves become one way with what it leaves.

    With one contact a night of each way, that is a cap whose last slot both could take.
    """
    night = sum(policy.a_night.values())
    takes = looked_up(F.col("way"), policy.a_night, "int")
    tight = (
        rows.where((F.col("side") == OPEN) & ~F.col("beaten"))
        .select("customer_id", "way", takes.alias("_takes"), F.explode("room").alias("_cap"))
        .where(F.col("_cap.left") < night)
        .groupBy("customer_id", F.col("_cap.cap").alias("cap"))
        .agg(
            F.min("_cap.left").alias("left"),
            F.collect_set(F.struct("way", "_takes")).alias("ways"),
        )
        .where(F.size("ways") > 1)
        .where(F.aggregate("ways", F.lit(0), lambda sum, one: sum + one["_takes"]) > F.col("left"))
        .groupBy("customer_id")
        .agg(F.min("left").alias("_joint"))
    )
    joint = F.col("_joint").isNotNull()
    return (
        rows.join(tight, "customer_id", "left")
        .withColumn("contact_way", F.when(joint, F.lit(JOINT)).otherwise(F.col("way")))
        .withColumn("slots", F.least("slots", "_joint"))
        .drop("_joint")
    )


def _contends() -> Column:
    return F.col("side").isNotNull()


def options(contested: DataFrame) -> DataFrame:
    """The rows that compete for places, as models.assignment.choices takes them.

    `contested` also has `uses` (scarce.Scarce) and `sticky`. Unlucky rows are among them: no lot
    decides what a rule would choose.
    """
    kept = ~F.col("beaten") | F.col("unlucky")
    return contested.where((F.col("side") == OPEN) & kept).select(
        "customer_id",
        F.col("contact_way").alias("way"),
        "option_id",
        "value",
        "uses",
        "slots",
        F.coalesce("preference_rank", F.lit(999)).alias("preference"),
        "sticky",
        "unlucky",
    )
