"""The report of the night: submitted with the decisions, which it shows."""

from jobs.plan.step import OPS, Step


def steps() -> tuple[Step, ...]:
    """One step, after all others."""
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
                "dw.contact_view",
                "dw.subscriber",
                *OPS,
            ),
            (),
            submitted_with="decision",
        ),
    )
