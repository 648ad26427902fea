"""Steps that judge campaigns. Submitted with the decisions, whose receipts they read."""

from jobs.plan.step import Step
from schemas.config import Config

TABLE = "mart.campaign_result"
CHOICES = "mart.rule_choice"


def steps(conf: Config) -> tuple[Step, ...]:
    """The read-out of running campaigns."""
    measured = [part.table for metric in conf.metrics.values() for part in metric.parts]
    reads = ("dw.campaign_response", "dw.subscriber", "mart.push_file", "mart.receipt_check", TABLE)
    return (
        Step(
            "evaluate",
            "evaluation",
            "what each campaign changed against its control group",
            tuple(dict.fromkeys((*reads, *measured))),
            (TABLE,),
            final=True,
            submitted_with="decision",
        ),
        Step(
            "channel_effect",
            "evaluation",
            "what campaigns did to other channels, and the second round",
            ("dw.campaign_response", "dw.contact_event"),
            ("mart.channel_effect", "mart.second_round"),
            final=True,
            submitted_with="decision",
        ),
        Step(
            "policy_value",
            "evaluation",
            "what another rule would have earned",
            (CHOICES, "dw.campaign_response"),
            ("mart.policy_value",),
            final=True,
            submitted_with="decision",
        ),
        Step(
            "acceptance_drift",
            "evaluation",
            "whether offers are accepted as often as predicted",
            (CHOICES, "dw.contact_history", "dw.contact_outcome", "mart.acceptance"),
            ("mart.acceptance_drift",),
            final=True,
            submitted_with="decision",
        ),
        Step(
            "clerk_credit",
            "evaluation",
            "which orders are credited to the clerks who made the contacts",
            (
                "ods.campaign_feedback",
                "ods.campaign_order",
                "dw.subscriber_identity",
                "dw.campaign_response",
            ),
            ("mart.clerk_credit",),
            submitted_with="decision",
        ),
    )
