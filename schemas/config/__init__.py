"""The configuration of a run, read and checked."""

from schemas.config.config import (
    BillItem,
    Cadence,
    Campaign,
    Channel,
    Config,
    Policy,
    Push,
    Runtime,
    Service,
    Source,
    fingerprint,
    load,
)

__all__ = [
    "BillItem",
    "Cadence",
    "Campaign",
    "Channel",
    "Config",
    "Policy",
    "Push",
    "Runtime",
    "Service",
    "Source",
    "fingerprint",
    "load",
]
