"""The configuration of a run, read and checked."""

from schemas.config.campaign import Campaign, Success
from schemas.config.channel import Channel, Push
from schemas.config.config import Config, fingerprint, load
from schemas.config.contact_policy import Contacts, HoldOut
from schemas.config.metric import Metric
from schemas.config.policy import BillItem, Policy
from schemas.config.service import Service
from schemas.config.settings import Runtime
from schemas.config.source import Cadence, Source

__all__ = [
    "BillItem",
    "Cadence",
    "Campaign",
    "Channel",
    "Config",
    "Contacts",
    "HoldOut",
    "Metric",
    "Policy",
    "Push",
    "Runtime",
    "Service",
    "Source",
    "Success",
    "fingerprint",
    "load",
]
