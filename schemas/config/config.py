"""Load the configuration: every problem is named with file and line before Spark starts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas.config import checks as reference
from schemas.config import overlay, settings
from schemas.config.overlay import Documents
from schemas.config.settings import (
    BillItem,
    Campaign,
    Channel,
    Config,
    Policy,
    Push,
    Runtime,
    Service,
)
from schemas.config.source import Cadence, Source
from schemas.contract import Contract
from schemas.document import Document
from schemas.errors import ConfigError

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
    "load",
]

_DEFAULT = Path(__file__).resolve().parents[2] / "conf"


def load(
    folders: Sequence[Path | str] = (), contracts: Mapping[str, Contract] | None = None
) -> Config:
    """The effective configuration of `folders`, each laid over the one before.

    Without folders: `conf` of the project, then `conf/local` where it exists. Maps merge by key
    (null over a map takes it away), lists and single values replace. With `contracts`, names of
    tables and columns are checked against them. Raises ConfigError with one line per problem.
    """
    chosen = [Path(folder) for folder in folders]
    if not chosen:
        local = _DEFAULT / "local"
        chosen = [_DEFAULT, local] if local.is_dir() else [_DEFAULT]
    documents = overlay.read(chosen)
    problems = reference.problems(documents, contracts)
    if problems:
        raise ConfigError("\n".join(problems))
    return _config(documents)


def _config(documents: Documents) -> Config:
    zone = documents.runtime.data["timezone"]
    channels = sorted(
        (
            settings.built(Channel, {"id": name, **entry})
            for name, entry in documents.channels.data.items()
        ),
        key=lambda channel: channel.order,
    )
    campaigns = sorted(
        (settings.campaign(found.data) for found in documents.campaigns.values()),
        key=lambda campaign: (campaign.priority, campaign.id),
    )
    parts = {
        "runtime": settings.built(Runtime, documents.runtime.data),
        "sources": {
            name: settings.source(name, entry, zone)
            for name, entry in documents.sources.data.items()
        },
        "channels": {channel.id: channel for channel in channels},
        "services": {
            name: settings.built(Service, {"id": name, **entry})
            for name, entry in documents.services.data.items()
        },
        "policy": settings.built(Policy, documents.policy.data),
        "campaigns": {campaign.id: campaign for campaign in campaigns},
        "tariffs": dict(documents.tariffs),
    }
    return Config(**parts, fingerprint=fingerprint(parts))


def fingerprint(value: Any) -> str:
    """sha256 of the canonical form of a value: sorted keys, exact decimals, no file names."""
    text = json.dumps(_canonical(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Document):
        return _canonical(value.data)
    if is_dataclass(value):
        return {one.name: _canonical(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _canonical(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(one) for one in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else value
