"""What was pushed against what the channels loaded 回执核对.

Grain of the result: a file in `mart.receipt_check`. Its alarms are counted in `ops.quality_result`,
one check for each kind: any is a warning. When this step fails, nobody knows whether the channels
have the files; what is decided is not concerned.
"""

from datetime import timedelta

from jobs.runtime.context import Context
from models.push import receipt_check
from schemas.window import Window

TABLE = "mart.receipt_check"


def run(context: Context) -> None:
    warehouse, day = context.warehouse, context.day
    week = Window(day - timedelta(days=receipt_check.DAYS - 1), day)
    before = Window(day - timedelta(days=receipt_check.KNOWN_DAYS), day - timedelta(days=1))
    warehouse.replace(
        TABLE,
        receipt_check.receipt_check(
            warehouse.read("mart.push_file", window=before, allow_missing=True),
            warehouse.read("ops.delivery"),
            warehouse.read("ods.receipt", window=week, allow_missing=True),
            day,
        ),
    )
    found = warehouse.read(TABLE, on=day).groupBy("alarm").count().collect()
    counts = {row["alarm"]: row["count"] for row in found}
    for alarm in warehouse.contracts[TABLE].column("alarm").allowed or ():
        context.expect_none(TABLE, alarm, counts.get(alarm, 0))
