"""What tells the contact policy about customers, for decisions and dry runs; no step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from jobs.runtime.context import Context
from models.contact_policy import known
from models.contact_policy.compiled import Compiled
from schemas.config import Campaign
from schemas.window import Window


def contact_tables(
    context: Context, policy: Compiled, campaigns: Sequence[Campaign]
) -> known.Tables:
    """What is known at the end of the day; of contacts, as far back as one can decide something."""
    warehouse, day = context.warehouse, context.day
    memory = Window(day - timedelta(days=policy.memory(campaigns, day)), day)
    return known.Tables(
        history=warehouse.read("dw.contact_history", window=memory, allow_missing=True),
        outcomes=warehouse.read("dw.contact_outcome", window=memory, allow_missing=True),
        consent=warehouse.read("dw.consent", on=day),
        identity=warehouse.read("dw.subscriber_identity", on=day),
        do_not_contact=warehouse.read("ods.do_not_contact", upto=day),
        sensitive_numbers=warehouse.read("ods.sensitive_number", upto=day),
    )
