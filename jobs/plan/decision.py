"""Steps that decide and push."""

from jobs.plan.step import CAMPAIGN_LOG, Step, fact_tables, push_tables, required_tables
from schemas.config import Config


def target_tables(conf: Config) -> tuple[str, ...]:
    """The tables that the target definitions of campaigns read."""
    named = [conf.targets[one.target] for one in conf.campaigns.values() if one.target]
    return tuple(dict.fromkeys(["dw.subscriber", *(t for one in named for t in one.tables)]))


def steps(conf: Config) -> tuple[Step, ...]:
    """From the preference of each customer to what was withheld, and from whom."""
    return (
        Step(
            "preference",
            "decision",
            "which channel each customer prefers",
            ("dw.contact_view", "dw.subscriber"),
            ("mart.channel_preference",),
        ),
        Step(
            "acceptance",
            "decision",
            "how often offers are accepted, by channel and segment",
            ("dw.contact_history", "dw.contact_outcome", "dw.subscriber", "mart.acceptance"),
            ("mart.acceptance",),
        ),
        Step(
            "target",
            "decision",
            "whom each campaign with a target definition is for",
            tuple(
                dict.fromkeys(
                    (
                        *target_tables(conf),
                        "dw.contact_history",
                        "dw.contact_outcome",
                        CAMPAIGN_LOG,
                    )
                )
            ),
            ("mart.target",),
            final=True,
        ),
        Step(
            "decide",
            "decision",
            "who is offered what over which channel, and why not the others",
            _decided_on(conf),
            (
                "mart.decision",
                "mart.rule_choice",
                "mart.decision_funnel",
                "mart.capacity_price",
            ),
            final=True,
        ),
        *_push(conf),
        Step(
            "hold_out",
            "decision",
            "who is held out of what, and contacts that should not have happened",
            ("mart.decision", "mart.package_match", "mart.hold_out", "dw.contact_history"),
            ("mart.hold_out",),
            final=True,
        ),
    )


def _decided_on(conf: Config) -> tuple[str, ...]:
    found = (
        "mart.package_match",
        "mart.channel_preference",
        "mart.acceptance",
        "mart.decision",
        "dw.subscriber",
        "dw.subscription",
        "dw.subscriber_identity",
        "dw.contact_history",
        "dw.contact_outcome",
        "dw.consent",
        "ods.do_not_contact",
        "ods.sensitive_number",
        "mart.target",
        CAMPAIGN_LOG,
        *required_tables(conf),
    )
    return tuple(dict.fromkeys(found))


def _push(conf: Config) -> tuple[Step, ...]:
    """A channel has a push table where the configuration gives it files."""
    pushes = push_tables(conf)
    reads = (
        "mart.decision",
        "mart.package_match",
        "mart.package_quote",
        "dw.subscriber_identity",
        "dw.contact_event",
        CAMPAIGN_LOG,
        *fact_tables(conf),
        *pushes,
    )
    return (
        Step(
            "receipt_check",
            "decision",
            "what the channels loaded of what was pushed",
            ("mart.push_file", "ops.delivery", "ods.receipt", "mart.receipt_check"),
            ("mart.receipt_check",),
            earlier=("mart.push_file", "ops.delivery"),
        ),
        Step(
            "push",
            "decision",
            "one table and one file per channel",
            tuple(dict.fromkeys(reads)),
            (*pushes, "mart.push_file"),
            final=True,
        ),
    )
