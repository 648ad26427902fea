"""Load the configuration; every problem is reported with file and line before Spark starts."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas.config import overlay
from schemas.config.campaign import Campaign, campaign_of
from schemas.config.channel import Channel, channel_of
from schemas.config.checks import (
    campaign_checks,
    channel_checks,
    contact_checks,
    decision_checks,
    metric_checks,
    policy_checks,
    runtime_checks,
    source_checks,
    target_checks,
)
from schemas.config.checks.value_checks import Names, id_problem, interval_problem
from schemas.config.metric import Metric, metric_of
from schemas.config.overlay import Documents
from schemas.config.policy import Policy
from schemas.config.service import Service
from schemas.config.settings import Runtime, built, runtime_of
from schemas.config.source import Source, source_of
from schemas.config.targeting.target import Target, target_of
from schemas.contract import Contract
from schemas.document import Document
from schemas.errors import ConfigError

_DEFAULT = Path(__file__).resolve().parents[2] / "conf"


@dataclass(frozen=True)
class Config:
    """The effective configuration of a run.

    Channels are sorted by `order`, campaigns by priority, tariffs and targets by id. `tariffs` are
    documents of the right shape; models.tariff.catalogue reads their meaning. `fingerprint` is the
    sha256 of everything else; the order of files and keys does not change it.
    """

    runtime: Runtime
    sources: Mapping[str, Source]
    channels: Mapping[str, Channel]
    services: Mapping[str, Service]
    metrics: Mapping[str, Metric]
    policy: Policy
    campaigns: Mapping[str, Campaign]
    tariffs: Mapping[str, Document]
    targets: Mapping[str, Target]
    fingerprint: str

    def lookback_days(self, *records: str) -> dict[str, int]:
        """How many days each source of these tables looks back, by source."""
        return {
            name: source.lookback_days
            for name, source in self.sources.items()
            if set(source.tables) & set(records)
        }

    def part_modes(self, *records: str) -> dict[str, str]:
        """How the sources of these tables that deliver events in parts do so, by source."""
        return {
            name: one.parts
            for name, source in self.sources.items()
            for one in source.records
            if one.record in records and one.joins_parts
        }

    def clock_zone(self, *records: str) -> str:
        """The time zone of the sources of these tables; the operator's if they have several."""
        zones = {
            source.timezone for source in self.sources.values() if set(source.tables) & set(records)
        }
        return zones.pop() if len(zones) == 1 else self.runtime.timezone


def load(
    folders: Sequence[Path | str] = (),
    contracts: Mapping[str, Contract] | None = None,
    tried: Mapping[str, Path] | None = None,
) -> Config:
    """The effective configuration of `folders`; each one overlays the one before.

    `tried`: files that are laid over all folders, by the name of what they are like (policy).

    Without folders: `conf` of the project, then `conf/local` if it exists. Maps merge by key, lists
    and single values replace; schemas.config.overlay says what takes away. With `contracts`, names
    of tables and columns are checked against them. Raises ConfigError with one line per problem.
    """
    chosen = [Path(folder) for folder in folders]
    if not chosen:
        local = _DEFAULT / "local"
        chosen = [_DEFAULT, local] if local.is_dir() else [_DEFAULT]
    documents = overlay.read(chosen, tried or {})
    problems = list(_problems(documents, contracts))
    if problems:
        raise ConfigError("\n".join(problems))
    return _config(documents)


def _problems(documents: Documents, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """What the shapes of the files cannot express, one line per problem, file by file.

    Names that nothing defines, values that exclude each other, intervals that are empty or
    overlap.
    """
    taken = documents.taken
    sets = {
        "channels": Names(tuple(documents.channels.data), taken["channels"]),
        "packages": Names(tuple(documents.tariffs), taken["tariffs"]),
        "businesses": Names(tuple(documents.services.data), taken["services"]),
    }
    yield from runtime_checks.problems(documents.runtime, contracts)
    yield from source_checks.problems(documents.sources, contracts, sets)
    yield from channel_checks.problems(documents.channels, contracts, documents.runtime)
    yield from metric_checks.problems(documents.metrics, contracts)
    yield from policy_checks.problems(
        documents.policy, documents.tariffs, sets["packages"], contracts
    )
    targets = Names(tuple(documents.targets), taken["targets"])
    yield from campaign_checks.problems(
        documents.campaigns,
        documents.channels,
        sets["channels"],
        targets,
        sets["businesses"],
        documents.metrics,
        documents.policy.data.get("campaigns", {}).get("costs", {}),
    )
    contacts = documents.policy.data["contacts"]
    sets |= {
        "campaigns": Names(tuple(documents.campaigns), taken["campaigns"]),
        "classes": Names(tuple(contacts["classes"]), {}),
        "ways": Names(tuple(contacts["ways"]), {}),
    }
    yield from target_checks.problems(documents.targets, contracts, sets)
    yield from contact_checks.problems(
        documents.policy, documents.channels, documents.campaigns, taken
    )
    yield from decision_checks.problems(
        documents.policy, documents.channels, documents.campaigns, sets["channels"]
    )
    for name, tariff in documents.tariffs.items():
        yield from id_problem(tariff, name)
        yield from interval_problem(tariff)


def _config(documents: Documents) -> Config:
    zone = documents.runtime.data["timezone"]
    channels = sorted(
        (channel_of(name, entry) for name, entry in documents.channels.data.items()),
        key=lambda channel: channel.order,
    )
    campaigns = sorted(
        (campaign_of(found.data) for found in documents.campaigns.values()),
        key=lambda campaign: (campaign.priority, campaign.id),
    )
    runtime = runtime_of(documents.runtime.data)
    parts: dict[str, Any] = {
        "runtime": runtime,
        "sources": {
            name: source_of(name, entry, zone, runtime.numbers)
            for name, entry in documents.sources.data.items()
        },
        "channels": {channel.id: channel for channel in channels},
        "services": {
            name: built(Service, {"id": name, **entry})
            for name, entry in documents.services.data.items()
        },
        "metrics": {name: metric_of(name, entry) for name, entry in documents.metrics.data.items()},
        "policy": built(Policy, documents.policy.data),
        "campaigns": {campaign.id: campaign for campaign in campaigns},
        "tariffs": dict(documents.tariffs),
        "targets": {name: target_of(one.data) for name, one in documents.targets.items()},
    }
    return Config(**parts, fingerprint=fingerprint(parts))


def fingerprint(value: Any) -> str:
    """The sha256 of the canonical form of a value: sorted keys, exact decimals, no file names."""
    text = json.dumps(_canonical(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Document):
        return _canonical(value.data)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _canonical(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _canonical(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(one) for one in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else value
