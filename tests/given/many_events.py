"""Very many equal events, spread evenly over the seconds of April 2009, as guided records."""

from datetime import UTC, date, datetime, timedelta

from models.usage import events as usage_events
from tests.given.event_records import events_of

APRIL, DAYS = date(2009, 4, 1), 30
SECONDS = DAYS * 86400
MIDNIGHT = int(datetime(2009, 4, 1, tzinfo=UTC).timestamp()) - 8 * 3600  # in China


def guided(spark, tariffs, subscribers=1, calls=(0, 0), sessions=(0, 0)):
    """`calls` of so many seconds each and `sessions` of so many bytes each, as (count, quantity).

    The subscribers 0, 1, … have them in turn.
    """
    cuts = {service: tariffs.cuts(service) for service in ("voice", "data", "wlan")}
    records = {
        "ods.voice_call": _events(spark, subscribers, *calls).selectExpr(
            "*",
            "CAST(NULL AS STRING) AS call_no",
            "'mo' AS direction",
            "'home' AS roaming",
            "'local' AS toll",
            "'direct' AS dial",
            "false AS in_group",
            "'answered' AS outcome",
            "quantity AS duration_s",
            *(f"CAST(0 AS DECIMAL(15, 6)) AS {fee}_fee" for fee in ("airtime", "toll", "info")),
        ),
        "ods.data_session": _events(spark, subscribers, *sessions).selectExpr(
            "*",
            "CAST(row_no AS STRING) AS session_no",
            "CAST(NULL AS STRING) AS gateway",
            "'home' AS roaming",
            "0L AS duration_s",
            "0L AS bytes_up",
            "quantity AS bytes_down",
            "CAST(0 AS DECIMAL(15, 6)) AS fee",
        ),
    }
    identity = spark.range(subscribers).selectExpr(
        "id AS subscriber_id",
        "CAST(id AS STRING) AS msisdn",
        "TIMESTAMP'2005-01-01' AS valid_from",
        "CAST(NULL AS TIMESTAMP) AS valid_to",
    )
    return usage_events.guide(events_of(records), identity, cuts, ())


def begins(count):
    """The seconds of the month at which so many events begin, in order."""
    return [number * SECONDS // count for number in range(count)]


def _events(spark, subscribers, count, quantity):
    return (
        spark.range(count)
        .selectExpr("*", f"id * {SECONDS} div {max(count, 1)} AS second")
        .selectExpr(
            "id AS record_key",
            "'many' AS source",
            "'many.txt' AS file_name",
            "id + 1 AS row_no",
            "CAST(NULL AS BIGINT) AS part_no",
            f"DATE'{APRIL + timedelta(days=DAYS)}' AS batch_date",
            f"CAST(id % {subscribers} AS STRING) AS msisdn",
            f"timestamp_seconds({MIDNIGHT} + second) AS occurred_at",
            f"date_add(DATE'{APRIL}', CAST(second div 86400 AS INT)) AS local_date",
            "CAST(second % 86400 AS INT) AS local_second",
            f"{quantity}L AS quantity",
        )
    )
