"""Who agreed to which class of contact, with the proof 同意记录 (S2-05).

Grain of the result: customer × class × validity in `dw.consent`, as one snapshot of the last day.
Rows of erased customers are carried over from the snapshot before. When this step fails, nothing is
decided, because nobody knows who agreed.
"""

from datetime import timedelta

from jobs.runtime.context import Context
from models.contact_policy.compiled import compiled
from models.contact_policy.consent import consent


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    policy = conf.policy.contacts
    before = warehouse.last_snapshot("dw.consent", context.window.first - timedelta(days=1))
    warehouse.replace(
        "dw.consent",
        consent(
            None if before is None else warehouse.read("dw.consent", on=before),
            warehouse.read("ods.subscriber", upto=day),
            class_=compiled(policy, conf.channels).class_of_kind["marketing"],
            kept_days=policy.proof_kept_days,
            key=conf.runtime.identity_key,
            data_date=day,
        ),
    )
