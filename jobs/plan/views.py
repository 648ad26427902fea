"""Steps that join deliveries into views: owners of numbers, customers, contacts."""

from jobs.plan.step import Step, push_tables
from models.contact.log import LOGS, OF_SEVERAL_ROWS
from models.contact_policy.compiled import compiled
from schemas.config import Config

PEOPLE = ("ods.customer", "ods.subscriber", "ods.package_subscription")

ASSIGNMENT = ("mart.decision", "mart.hold_out")


def steps(conf: Config) -> tuple[Step, ...]:
    """Contacts are read only from the logs that some source feeds."""
    records = {table for source in conf.sources.values() for table in source.tables}
    contact_logs = tuple(table for table in LOGS if table in records) or ("ods.contact",)
    events = tuple(
        dict.fromkeys(
            table
            for source in conf.sources.values()
            if source.identity == "from_events"
            for table in source.tables
        )
    )
    pushes = push_tables(conf)
    return (
        Step(
            "identity",
            "views",
            "who owns which number when, and which customer that is",
            tuple(dict.fromkeys(PEOPLE + events)),
            ("dw.subscriber_identity", "dw.subscriber", "dw.subscription"),
        ),
        Step(
            "consent",
            "views",
            "who agreed to which class of contact, with the proof",
            ("ods.subscriber", "dw.consent"),
            ("dw.consent",),
        ),
        Step(
            "contact_event",
            "views",
            "every contact of every channel in one format",
            (*contact_logs, "dw.subscriber_identity"),
            ("dw.contact_event",),
            looks_back=OF_SEVERAL_ROWS,
            looks_ahead=OF_SEVERAL_ROWS,
        ),
        Step(
            "contact_view",
            "views",
            "one view of a customer's contacts by channel",
            ("dw.contact_event", "dw.contact_view"),
            ("dw.contact_view",),
        ),
        Step(
            "contact_history",
            "views",
            "which contacts happened and which slots are reserved, per person",
            (
                "dw.contact_event",
                "ods.outbound_call",
                "ods.campaign_feedback",
                "dw.subscriber_identity",
                *pushes,
            ),
            ("dw.contact_history", "dw.contact_outcome"),
            earlier=pushes,
            days_back=compiled(conf.policy.contacts, conf.channels).list_days,
        ),
        _responses(records),
    )


def _responses(records: set[str]) -> Step:
    """`records`: what sources feed; other systems' assignments are read only where some do."""
    others = {"ods.campaign_assignment"} & records
    return Step(
        "campaign_response",
        "views",
        "what came of each assignment to a campaign",
        (
            *ASSIGNMENT,
            *others,
            "ods.campaign_feedback",
            "ods.campaign_order",
            "dw.contact_history",
            "dw.contact_outcome",
            "dw.contact_event",
            "dw.subscription",
            "dw.subscriber_identity",
        ),
        ("dw.campaign_response", "dw.unmatched_response"),
        final=True,
        earlier=ASSIGNMENT,
    )
