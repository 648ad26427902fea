"""Who owns which number when, and the customer's attributes.

Grain of the results: a subscriber's number and validity (`dw.subscriber_identity`), a subscriber
(`dw.subscriber`), a subscriber's package and validity (`dw.subscription`), each as one snapshot of
the last day. When this step fails, no contact and no usage finds its customer.
"""

from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.context import Context
from models.customer import identity
from models.intake import number_form
from schemas.errors import ChudianError


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    key = conf.runtime.identity_key
    subscribers = warehouse.read("ods.subscriber", upto=day)
    parties = _event_parties(context)
    known: dict[str, Any] = {
        "key": key,
        "data_date": day,
        "placeholders": number_form.numbers_of(
            conf.policy.contact.placeholders, conf.runtime.numbers
        ),
    }
    clash = identity.collisions(
        identity.natural_keys(subscribers, parties, **known), "id", ["kind", "natural_key"]
    ).count()
    if clash:
        raise ChudianError(
            f"identity: {clash} customers or subscribers share an id with another: "
            "set another identity_key in runtime.yml and load the history again"
        )
    warehouse.replace(
        "dw.subscriber_identity", identity.subscriber_identity(subscribers, parties, **known)
    )
    warehouse.replace(
        "dw.subscriber",
        identity.subscriber(
            subscribers, warehouse.read("ods.customer", upto=day), parties, **known
        ),
    )
    kinds = {name: package.kind for name, package in context.catalogue.packages.items()}
    warehouse.replace(
        "dw.subscription",
        identity.subscription(
            warehouse.read("ods.package_subscription", upto=day),
            kinds=kinds,
            key=key,
            data_date=day,
        ),
    )


def _event_parties(context: Context) -> DataFrame | None:
    """The numbers seen in the events of sources without customer files."""
    found = [
        context.warehouse.read(table, upto=context.day)
        .where(F.col("source") == name)
        .select("source", F.col("msisdn").alias("party"))
        for name, source in context.conf.sources.items()
        if source.identity == "from_events"
        for table in source.tables
        if "msisdn" in context.warehouse.contracts[table].column_names
    ]
    return reduce(DataFrame.unionByName, found) if found else None
