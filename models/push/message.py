"""Text messages: how many parts a text takes, from which number and when it is sent."""

from datetime import date, datetime, time, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.config.channel import Message
from schemas.config.contact_policy import ContactChannel, second_of_day, seconds


def described(
    rows: DataFrame, message: Message, contact: ContactChannel | None, data_date: date
) -> DataFrame:
    """`rows` with the columns MESSAGE_COLUMNS; `parts` is that of Message.parts."""
    start, end = send_window(contact, data_date)
    length = F.octet_length(F.encode("script", "UTF-16BE")) / 2
    return (
        rows.withColumn("sender", F.lit(message.sender))
        .withColumn("parts", F.greatest(F.lit(1), F.ceil(length / message.part)).cast("int"))
        .withColumn("send_from", F.lit(start))
        .withColumn("send_to", F.lit(end))
    )


def send_window(contact: ContactChannel | None, data_date: date) -> tuple[str, str]:
    """From when to when the messages of a night are sent: on the next day, in the contact hours.

    Local times such as 2009-05-04 10:00:00; the second is the end, not included. A channel without
    an entry in the contact policy may send all day.
    """
    midnight = datetime.combine(data_date + timedelta(days=1), time())
    start, end = midnight, midnight + timedelta(days=1)
    if contact is not None:
        start += timedelta(seconds=second_of_day(contact.contact_at or contact.open_from))
        end = midnight + timedelta(seconds=second_of_day(contact.open_to))
        if contact.listed_for is not None:
            end = min(end, start + timedelta(seconds=seconds(contact.listed_for)))
    return str(start), str(end)
