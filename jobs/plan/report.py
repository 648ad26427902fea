"""What is done after all others: the report, and delivering the channels' files.

Submitted with the decisions, which they show and send.
"""

from jobs.plan.step import OPS, Step, push_tables
from schemas.config import Config

DELIVERY = "ops.delivery"


def steps(conf: Config) -> tuple[Step, ...]:
    """The report, the pages of campaigns, then the delivery: a sink that fails stops no step."""
    return (
        Step(
            "report",
            "report",
            "the report of the run",
            (
                "mart.decision",
                "mart.decision_funnel",
                "mart.capacity_price",
                "mart.backtest",
                "mart.best_tariff",
                "dw.contact_view",
                "dw.subscriber",
                *OPS,
            ),
            (),
            submitted_with="decision",
        ),
        Step(
            "effects",
            "report",
            "the pages of what campaigns changed",
            ("mart.campaign_result",),
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
