"""A campaign of tariffs for tests of decisions and of what is pushed."""

from datetime import date
from decimal import Decimal
from typing import Any

from schemas.config import Campaign


def campaign(id: str = "tariff", **changes: Any) -> Campaign:
    """A campaign of May 2009 over three channels that keeps nobody in its control group."""
    return Campaign(
        **{
            "id": id,
            "name_cn": id,
            "type": "tariff",
            "valid_from": date(2009, 5, 1),
            "valid_to": date(2009, 6, 1),
            "channels": ("hall", "hotline", "sms"),
            "wave": 1,
            "priority": 1,
            "control_share": Decimal(0),
            "salt": "2009q2",
            "horizon_months": 3,
            "valid_days": 30,
            "script": "",
            "acceptance": {
                "hall": Decimal("0.3"),
                "hotline": Decimal("0.5"),
                "sms": Decimal("0.2"),
            },
            **changes,
        }
    )
