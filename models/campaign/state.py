"""Which states may follow each other, in which state a campaign is, and which ones run on a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models.campaign.log import (
    APPROVED,
    ENDED,
    RUNNING,
    SUBMITTED,
    Entry,
    sealed,
    tampered,
    unbroken,
)
from schemas.config import Campaign, Config, fingerprint
from schemas.errors import ConfigError

PLANNED = "planned"
REQUIRED = "required"
ROLES = ("business", "market", "service")


@dataclass(frozen=True)
class Version:
    """The newest version of a campaign in the log. `approvals`: who approved, by role."""

    version: int
    fingerprint: str
    state: str
    approvals: Mapping[str, str]
    starts: tuple[date, ...] = ()
    ends: tuple[date, ...] = ()

    def runs_on(self, day: date) -> bool:
        """Whether it was started for the day and not ended before or on it."""
        return any(one <= day for one in self.starts) and not any(one <= day for one in self.ends)

    @property
    def missing(self) -> tuple[str, ...]:
        """The roles that have not approved."""
        return tuple(role for role in ROLES if role not in self.approvals)


@dataclass(frozen=True)
class Change:
    """What somebody asks for: a new state of a campaign. `role`, `since`: as of Entry."""

    campaign_id: str
    state: str
    by: str
    at: datetime
    role: str | None = None
    since: date | None = None


def content(campaign: Campaign, conf: Config) -> str:
    """The fingerprint of what is approved: the campaign and its target definition."""
    target = conf.targets[campaign.target] if campaign.target else None
    return fingerprint({"campaign": campaign, "target": target})


def versions(entries: Iterable[Entry], key: str) -> dict[str, Version]:
    """The newest version of each campaign; QualityError for a log that was tampered with.

    Each entry must be one that the command would have written: no approval may be missing.
    """
    found: dict[str, Version] = {}
    for entry in unbroken(entries, key):
        current = found.get(entry.campaign_id)
        said = refusal(current, entry.state, entry.role, entry.fingerprint)
        if said is None:
            number = (current.version if current else 0) + (entry.state == SUBMITTED)
            said = None if entry.version == number else f"expected version {number}"
        if said is not None:
            raise tampered(entry.entry_no, said)
        found[entry.campaign_id] = _after(current, entry)
    return found


def refusal(current: Version | None, state: str, role: str | None, fingerprint: str) -> str | None:
    """Why a campaign may not come into a state now; None if it may."""
    same = current is not None and current.fingerprint == fingerprint
    at = current.state if current is not None and same else PLANNED
    if state == SUBMITTED:
        return f"this version is {at} already" if at not in (PLANNED, ENDED) else None
    if current is None or not same:
        return "its file is new or has changed: submit it first"
    if at == ENDED:
        return "it has ended: submit it again first"
    if state == APPROVED:
        if role not in ROLES:
            return f"only {', '.join(ROLES)} approve"
        if at == RUNNING:
            return "it runs already"
        held = current.approvals.get(role)
        return f"{role} has approved it already, by {held}" if held else None
    if state == RUNNING:
        if at == RUNNING:
            return "it runs already"
        lacking = ", ".join(current.missing)
        return f"the approval of {lacking} is missing" if lacking else None
    return None


def _after(current: Version | None, entry: Entry) -> Version:
    """The version after an entry that may follow."""
    if entry.state == SUBMITTED or current is None:
        return Version(entry.version, entry.fingerprint, SUBMITTED, {})
    approvals = dict(current.approvals)
    if entry.role is not None:
        approvals[entry.role] = entry.by
    whole = set(ROLES) <= set(approvals)
    state = SUBMITTED if entry.state == APPROVED and not whole else entry.state
    since = (entry.since,) if entry.since is not None else ()
    return Version(
        current.version,
        current.fingerprint,
        state,
        approvals,
        current.starts + (since if entry.state == RUNNING else ()),
        current.ends + (since if entry.state == ENDED else ()),
    )


def next_entry(entries: Sequence[Entry], change: Change, conf: Config) -> Entry:
    """The sealed entry of a change; ConfigError says why it may not be made."""
    key = conf.runtime.identity_key
    current = versions(entries, key).get(change.campaign_id)
    own = content(conf.campaigns[change.campaign_id], conf)
    said = refusal(current, change.state, change.role, own)
    if said is not None:
        raise ConfigError(f"campaign {change.campaign_id}: {said}")
    last = max(entries, key=lambda entry: entry.entry_no, default=None)
    number = (current.version if current else 0) + (change.state == SUBMITTED)
    entry = Entry(
        entry_no=(last.entry_no if last else 0) + 1,
        campaign_id=change.campaign_id,
        version=number,
        fingerprint=own,
        state=change.state,
        role=change.role,
        by=change.by,
        at=max(change.at, last.at) if last else change.at,  # a clock may be set back
        since=change.since,
        previous_seal=last.seal if last else "",
    )
    return sealed(entry, key)


def running(conf: Config, entries: Iterable[Entry], day: date) -> list[Campaign]:
    """The campaigns that may reach customers on a day, in the order of the configuration.

    A campaign runs if its file is valid on the day and the log says so of just this file. With
    `campaigns.approval: not_required` a campaign without an entry in the log runs too, and so does
    one whose newest version has not ended. QualityError for a log that was tampered with.
    """
    known = versions(entries, conf.runtime.identity_key)
    return [
        campaign
        for campaign in conf.campaigns.values()
        if campaign.valid_on(day) and _runs(campaign, known.get(campaign.id), conf, day)
    ]


def _runs(campaign: Campaign, current: Version | None, conf: Config, day: date) -> bool:
    if conf.policy.campaigns.approval != REQUIRED:
        return current is None or not any(one <= day for one in current.ends)
    return (
        current is not None
        and current.fingerprint == content(campaign, conf)
        and current.runs_on(day)
    )


def state_of(campaign: Campaign, current: Version | None, conf: Config) -> str:
    """The state of a campaign as it is configured now."""
    if current is None or current.fingerprint != content(campaign, conf):
        return PLANNED
    return current.state
