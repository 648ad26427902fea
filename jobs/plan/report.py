"""What is done after all others: the money of campaigns, the report, delivering the files.

Submitted with the decisions, which they show and send.
"""

from jobs.plan.step import CAMPAIGN_LOG, OPS, Step, push_tables
from schemas.config import Config

DELIVERY = "ops.delivery"


def steps(conf: Config) -> tuple[Step, ...]:
    """Money of campaigns, pages, then the delivery: a sink that fails stops no other step."""
    return (
        Step(
            "campaign_money",
            "report",
            "what campaigns have cost against their budgets",
            (
                "ods.cost_entry",
                "ods.gift_deposit",
                "ods.receipt",
                "mart.decision",
                "mart.decision_funnel",
                "mart.push_file",
            ),
            ("mart.campaign_money",),
            final=True,
            submitted_with="decision",
        ),
        Step(
            "report",
            "report",
            "the report of the run",
            (
                "mart.decision",
                "mart.decision_funnel",
                "mart.capacity_price",
                "mart.backtest",
                "mart.target",
                "mart.campaign_money",
                "mart.push_file",
                "mart.receipt_check",
                "mart.best_tariff",
                "dw.campaign_response",
                "mart.bill_forecast",
                "dw.contact_view",
                "dw.subscriber",
                DELIVERY,
                CAMPAIGN_LOG,
                *OPS,
            ),
            (),
            earlier=(DELIVERY,),
            submitted_with="decision",
        ),
        Step(
            "effects",
            "report",
            "the pages of what campaigns changed",
            ("mart.campaign_result", "mart.policy_value", "mart.acceptance_drift"),
            (),
            submitted_with="decision",
        ),
        Step(
            "deliver",
            "report",
            "the channels' files to their sinks",
            (*push_tables(conf), DELIVERY),
            (DELIVERY,),
            final=True,
            submitted_with="decision",
        ),
    )
