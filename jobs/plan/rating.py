"""Steps that rate usage: cells, months, free units, back-test, quotes."""

from jobs.plan.step import MONTH_CLOSE, Step

USAGE_RECORDS = ("ods.voice_call", "ods.message", "ods.data_session", "ods.wlan_session")
COMPARED = (  # what a comparison of packages reads (jobs/steps/rating/comparison.py)
    "dw.usage_month",
    "dw.free_unit_split",
    "dw.rating_cell",
    "dw.rating_measure",
    "dw.subscriber",
    "dw.subscription",
    "ods.bill",
    "ods.bill_item",
)


def steps() -> tuple[Step, ...]:
    """From the records of a day to the quotes of closed months."""
    return (
        Step(
            "usage_day",
            "rating",
            "guide the records into rating cells and add them up by day",
            (*USAGE_RECORDS, "dw.subscriber_identity", "dw.rating_cell", "dw.rating_measure"),
            ("dw.rating_cell", "dw.rating_measure", "dw.usage_day"),
            looks_back=USAGE_RECORDS,
        ),
        Step(
            "usage_month",
            "rating",
            "add the days up to closed months",
            ("dw.usage_day", "dw.rating_measure", "dw.usage_month"),
            ("dw.usage_month",),
            MONTH_CLOSE,
        ),
        Step(
            "free_units",
            "rating",
            "split free units event by event where only the order of events tells",
            (
                "dw.usage_day",
                "dw.usage_month",
                "dw.rating_cell",
                "dw.rating_measure",
                "dw.subscriber",
                "dw.subscriber_identity",
                *USAGE_RECORDS,
                "dw.free_unit_split",
            ),
            ("dw.free_unit_split",),
            MONTH_CLOSE,
        ),
        Step(
            "backtest",
            "rating",
            "re-rate each customer's own packages and compare with the bill",
            (*COMPARED, "dw.usage_day", "dw.subscriber_identity", *USAGE_RECORDS),
            ("mart.backtest",),
            MONTH_CLOSE,
        ),
        Step(
            "rerate",
            "rating",
            "what each customer would have paid under every open package",
            (*COMPARED, "mart.backtest"),
            ("mart.package_quote", "mart.package_match"),
            MONTH_CLOSE,
        ),
        Step(
            "bill_forecast",
            "rating",
            "forecast bills of the closed month against the real ones",
            ("mart.package_match", "dw.subscriber", "dw.subscription", "ods.bill"),
            ("mart.bill_forecast",),
            MONTH_CLOSE,
        ),
        Step(
            "best_tariff",
            "rating",
            "the best tariff of each subscriber, or why it cannot be said",
            ("dw.subscriber", "dw.subscription", "mart.package_match"),
            ("mart.best_tariff",),
        ),
    )
