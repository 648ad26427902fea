"""Customers 1, 2, 3 … with a subscriber each, whose id is the one that the jobs would make."""

import hashlib

from tests.given.rows import frame

KEY = "a-key"  # identity_key


def subscriber(customer):
    text = f"{KEY}|subscriber|S{customer}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)


def identity(spark, customers, since):
    """dw.subscriber_identity: each customer has had the same subscriber `since`."""
    return frame(
        spark,
        "dw.subscriber_identity",
        *(
            {
                "subscriber_id": subscriber(number),
                "customer_id": number,
                "valid_from": since,
                "valid_to": None,
            }
            for number in customers
        ),
    )
