"""Contacts that happened and slots that are reserved, per person 接触史 (S2-05).

Grain of the results: a state of a contact in `dw.contact_history`, an answer of a customer in
`dw.contact_outcome`, both in the slice of the night that learns of it. Reservations come from the
lists that earlier nights pushed. Feedback about subscribers whom nobody knew then is counted. When
this step fails, nobody may be contacted, because nothing is known of the last contacts.
"""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.contact_policy import history, reports
from models.contact_policy.compiled import compiled

UNKNOWN = "feedback_of_nobody"


def run(context: Context) -> None:
    warehouse, conf, window = context.warehouse, context.conf, context.window
    policy, key = compiled(conf.policy.contacts, conf.channels), conf.runtime.identity_key
    before = history.days_before(window, context.step.days_back)
    told = reports.Told(
        events=warehouse.read("dw.contact_event", window=before, allow_missing=True),
        calls=warehouse.read("ods.outbound_call", window=before, allow_missing=True),
        feedback=warehouse.read("ods.campaign_feedback", window=before, allow_missing=True),
        identity=warehouse.read("dw.subscriber_identity", on=window.last),
    )
    classes = {
        name: conf.policy.contacts.class_of_type(one.type) for name, one in conf.campaigns.items()
    }
    worked_as = {
        one.logged_as.channel: name
        for name, one in conf.channels.items()
        if one.logged_as and one.logged_as.direction == "out"
    }
    with cached(reports.reports(told, policy, worked_as, key)) as reported:
        within = F.col("batch_date").between(F.lit(window.first), F.lit(window.last))
        _count_unknown(context, reported.where(within))
        warehouse.replace("dw.contact_outcome", reports.outcomes(reported, within))
        warehouse.replace(
            "dw.contact_history",
            history.contact_history(
                reported,
                _pushed(context),
                policy,
                classes=classes,
                window=window,
                key=key,
            ),
        )


def _pushed(context: Context) -> DataFrame:
    """What the nights before pushed, as long as a channel may still work or report it."""
    nights = history.days_before(context.window, context.step.days_back + 1)
    rows = [
        context.warehouse.read(table, window=nights, allow_missing=True).select(
            "data_date",
            "campaign_id",
            "wave",
            "customer_id",
            "subscriber_id",
            F.col("package_id").alias("offer"),
            F.lit(table.removeprefix("push.")).alias("channel"),
        )
        for table in context.step.earlier
    ]
    return reduce(DataFrame.unionByName, rows)


def _count_unknown(context: Context, reported: DataFrame) -> None:
    """Feedback about subscribers who had no customer then, by day, in ops.quality_result."""
    rows = (
        reported.where(~F.col("from_log"))
        .groupBy("batch_date")
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if(F.col("customer_id").isNull()).alias("unknown"),
        )
        .collect()
    )
    for row in sorted(rows):
        context.expect_none(
            "dw.contact_history",
            UNKNOWN,
            row["unknown"],
            of=row["batch_date"],
            observed=f"{row['unknown']} of {row['rows']} answers",
        )
