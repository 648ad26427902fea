"""Rows of mart.campaign_result, from the sums of both arms. Plain Python over few rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from statsmodels.stats.proportion import proportion_confint

from models.campaign import read_out
from models.evaluation import campaigns, intervals, looks, segments
from models.evaluation.intervals import Effect
from models.evaluation.sample_ratio import Stage
from models.evaluation.sums import Sums
from models.evaluation.verdict import Cohort, Reason, Subject, Unit, Verdict, verdict
from schemas.config import Campaign
from schemas.config.metric import Metric

ALL = "all"
ROI = "roi"
FIRST_LOOK = 100  # customers in both arms together at the first of daily looks
TOO_EARLY = (Reason.NOT_MATURED, Reason.BEFORE_FIRST_LOOK)  # such a row shows no figures
NOTHING = Sums(0, 0, 0)
DIGITS = Decimal("0.000000001")
NONE = Effect(math.nan, math.nan, math.nan, math.nan, math.nan)
# Rate of the treated that is followed every night: column counted ÷ column counted.
TRACKED = {
    "contact_rate": ("contacted", "assigned"),
    "view_rate": ("viewed", "contacted"),
    "refusal_rate": ("refused", "contacted"),
    "success_rate": ("contacted_ordered", "contacted"),
}
STAGES = ("push", "receipt", "read-out")
Row = Mapping[str, Any]
Place = tuple[str, int, str]


@dataclass(frozen=True)
class Counts:
    """Customers of one arm: assigned, those whom channels loaded, still known, and so on."""

    assigned: int = 0
    received: int = 0
    known: int = 0
    overlapping: int = 0
    contacted: int = 0
    viewed: int = 0
    refused: int = 0
    ordered: int = 0
    contacted_ordered: int = 0

    def plus(self, row: Row, received: int) -> Counts:
        """Together with a row of arms.counts, of whom so many were loaded."""
        told = {name: value + row.get(name, 0) for name, value in vars(self).items()}
        return Counts(**{**told, "received": self.received + received})


@dataclass(frozen=True)
class Wave:
    """One wave of one campaign: its two arms, and how many known customers each night assigned."""

    campaign: Campaign
    wave: int
    treated: Counts = Counts()
    control: Counts = Counts()
    nights: Mapping[date, int] = field(default_factory=dict)

    def open_on(self, day: date, days: int) -> int:
        """The customers of whom more may be told: their windows of so many days are open."""
        last = day - timedelta(days=days + read_out.SETTLE_DAYS)
        return sum(customers for night, customers in self.nights.items() if night > last)

    @property
    def stages(self) -> list[Stage]:
        pairs = zip(STAGES, ("assigned", "received", "known"), strict=True)
        return [
            Stage(name, getattr(self.treated, of), getattr(self.control, of)) for name, of in pairs
        ]


@dataclass(frozen=True)
class Sample:
    """The sums of one metric of one wave: of both arms, by brand, of those whose window closed.

    `open_windows`: customers whose window has not. `by_look`: customers by the day on which their
    window closed.
    """

    arms: dict[str, dict[str, Sums]] = field(default_factory=dict)
    costs: dict[str, Sums] = field(default_factory=dict)
    by_look: dict[date, int] = field(default_factory=dict)
    open_windows: int = 0

    def of(self, segment: str) -> tuple[Sums, Sums]:
        """Treated and control of a brand, or of all."""
        found = self.arms.get(segment, {})
        return found.get("treated", NOTHING), found.get("control", NOTHING)


@dataclass(frozen=True)
class Found:
    """One read-out before its verdict."""

    wave: Wave
    metric: Metric
    segment: str
    subject: Subject
    cohort: Cohort
    arms: tuple[Sums, Sums]
    effect: Effect
    open_windows: int


def samples(rows: Iterable[Row]) -> dict[Place, Sample]:
    """The rows of arms.sums by campaign, wave and metric."""
    found: dict[Place, Sample] = {}
    for row in rows:
        place = row["campaign_id"], row["wave"], row["metric"]
        one = found.setdefault(place, Sample())
        if not row["closed"]:
            found[place] = replace(one, open_windows=one.open_windows + row["n"])
            continue
        added = Sums(*(row[name] for name in ("n", "y", "yy", "x", "xx", "xy")))
        for segment in dict.fromkeys((ALL, row["brand"] or "")):
            arms = one.arms.setdefault(segment, {})
            arms[row["arm"]] = _plus(arms.get(row["arm"], NOTHING), added)
        cost = Sums(*(row[name] for name in ("n", "y", "yy", "c", "cc", "cy")))
        one.costs[row["arm"]] = _plus(one.costs.get(row["arm"], NOTHING), cost)
        if row["look"] is not None:
            one.by_look[row["look"]] = one.by_look.get(row["look"], 0) + row["n"]
    return found


def results(
    waves: Sequence[Wave],
    found: Mapping[Place, Sample],
    metrics: Mapping[str, Metric],
    earlier: Sequence[Row],
    day: date,
) -> list[dict[str, Any]]:
    """The rows of mart.campaign_result of a day.

    `found`: of `samples`. `earlier`: rows of the nights before. A metric with one dated read-out
    has no row after it. Goals that were read out before are counted among the tried ones.
    """
    past = {
        (row["campaign_id"], row["wave"], row["metric"]): row["p"]
        for row in sorted(earlier, key=lambda row: row["data_date"])
        if row["segment"] == ALL
        and row["role"] == "goal"
        and row["no_verdict_because"] not in TOO_EARLY
    }
    read = [
        one
        for wave in waves
        for one in _of_wave(wave, found, metrics, day)
        if wave.campaign.success is None
        or wave.campaign.success.read_out == read_out.DAILY
        or not _was_read(one, earlier)
    ]
    tried = {
        (one.wave.campaign.id, one.wave.wave, one.metric.id): one.effect.p
        for one in read
        if one.metric.role == "goal" and one.segment == ALL and _speaks(one)
    }
    claimed = campaigns.claimed({"|".join(map(str, k)): p for k, p in {**past, **tried}.items()})
    rows = [_row(one, claimed, day) for one in read]
    followed = [wave for wave in waves if not read_out.is_program(wave.campaign)]
    return rows + [row for wave in followed for row in _tracked(wave, day)]


def _was_read(one: Found, earlier: Sequence[Row]) -> bool:
    place = one.wave.campaign.id, one.wave.wave, one.metric.id
    return any(
        (row["campaign_id"], row["wave"], row["metric"]) == place
        and row["no_verdict_because"] not in TOO_EARLY
        for row in earlier
    )


def _of_wave(
    wave: Wave, found: Mapping[Place, Sample], metrics: Mapping[str, Metric], day: date
) -> Iterable[Found]:
    campaign = wave.campaign
    daily = campaign.success is not None and campaign.success.read_out == read_out.DAILY
    has_money = False
    for name, days in read_out.windows(campaign, metrics).items():
        metric = metrics[name]
        sample = found.get((campaign.id, wave.wave, name), Sample())
        due = daily or day >= read_out.due_on(campaign, days)
        still_open = wave.open_on(day, days)
        waiting = 0 if due else still_open or wave.treated.known + wave.control.known
        whole = _found(wave, metric, sample, ALL, waiting, daily)
        yield (whole := replace(whole, open_windows=still_open))
        if metric.numerator.take == "sum" and metric.denominator is None and not has_money:
            has_money = True
            yield _roi(whole, sample)
        if campaign.success is not None and name == campaign.success.metric:
            yield from _segments(wave, metric, sample, waiting)


def _found(
    wave: Wave, metric: Metric, sample: Sample, segment: str, still_open: int, daily: bool
) -> Found:
    arms = sample.of(segment)
    effect = NONE if still_open else _effect(metric, *arms)
    needed = 0
    if daily and not still_open:
        first = _first_look(sample)
        customers = sum(sample.by_look.values())
        needed = 0 if first else FIRST_LOOK
        effect = looks.at_look(effect, customers, first) if first else NONE
    stages = wave.stages if segment == ALL else [Stage(STAGES[-1], arms[0].n, arms[1].n)]
    cohort = Cohort(
        stages,
        float(1 - wave.campaign.control_share),
        contacted=(wave.treated.contacted, wave.control.contacted) if segment == ALL else (0, 0),
        open_windows=still_open,
        first_look=needed,
        no_denominator=metric.denominator is not None and not (arms[0].x and arms[1].x),
    )
    return Found(wave, metric, segment, _subject(metric), cohort, arms, effect, sample.open_windows)


def _roi(whole: Found, sample: Sample) -> Found:
    """The return on the cost of the contacts, from the same customers as the money."""
    metric = replace(
        whole.metric, id=ROI, name_cn="投入回报率", name_en="The return on the cost of contacts"
    )
    arms = sample.costs.get("treated", NOTHING), sample.costs.get("control", NOTHING)
    effect = NONE if whole.cohort.is_waiting else intervals.roi(*arms)
    subject = Subject(metric.name_cn, metric.name_en, Unit.RETURN)
    cohort = replace(whole.cohort, no_denominator=False)
    return replace(whole, metric=metric, subject=subject, cohort=cohort, effect=effect, arms=arms)


def _segments(wave: Wave, metric: Metric, sample: Sample, still_open: int) -> Iterable[Found]:
    """The declared segments, drawn towards the effect of all; only of dated read-outs."""
    success = wave.campaign.success
    if success is None or still_open or success.read_out == read_out.DAILY:
        return
    each = [_found(wave, metric, sample, name, 0, daily=False) for name in success.segments]
    drawn = segments.shrunken({one.segment: one.effect for one in each})
    yield from (replace(one, effect=drawn[one.segment]) for one in each)


def _effect(metric: Metric, treated: Sums, control: Sums) -> Effect:
    if not treated.n or not control.n:
        return NONE
    if metric.denominator is not None:
        return intervals.difference_of_ratios(treated, control)
    if metric.before_days:
        return intervals.cuped(treated, control)
    if metric.numerator.take == "any":
        return intervals.difference_of_rates(treated, control)
    return intervals.difference_of_means(treated, control)


def _first_look(sample: Sample) -> int:
    """The customers at the first day on which enough windows had closed; 0: it is not reached."""
    customers = 0
    for look in sorted(sample.by_look):
        customers += sample.by_look[look]
        if customers >= FIRST_LOOK:
            return customers
    return 0


def _subject(metric: Metric) -> Subject:
    unit = {"any": Unit.POINTS, "sum": Unit.YUAN}.get(metric.numerator.take, Unit.NUMBER)
    return Subject(
        metric.name_cn,
        metric.name_en,
        Unit.NUMBER if metric.denominator is not None else unit,
        lower_is_better=metric.direction == "down",
        margin=None if metric.margin is None else float(metric.margin),
    )


def _speaks(one: Found) -> bool:
    return verdict(one.subject, one.cohort, one.effect).because is None


def _row(one: Found, claimed: Mapping[str, bool], day: date) -> dict[str, Any]:
    campaign, metric = one.wave.campaign, one.metric
    place = f"{campaign.id}|{one.wave.wave}|{metric.id}"
    is_claimed = claimed.get(place) if one.segment == ALL else None
    said = verdict(one.subject, one.cohort, one.effect, claimed=is_claimed)
    hidden = said.because in TOO_EARLY
    no_values = hidden or one.subject.unit is Unit.RETURN
    silent = said.because is not None
    treated, control = one.arms
    if hidden or not (treated.n or control.n):
        targets, controls = one.wave.treated.assigned, one.wave.control.assigned
    else:
        targets, controls = treated.n, control.n
    shown = {
        "treated_value": None if no_values else _decimal(_value(metric, treated)),
        "control_value": None if no_values else _decimal(_value(metric, control)),
        "uplift": None if silent else _decimal(one.effect.estimate),
        "low": None if silent else _decimal(one.effect.low),
        "high": None if silent else _decimal(one.effect.high),
        "p": None if silent or math.isnan(one.effect.p) else float(one.effect.p),
    }
    return {
        **_key(one.wave, metric.id, one.segment, day),
        "role": metric.role,
        "targets": targets,
        "controls": controls,
        "open_windows": one.open_windows,
        **shown,
        "unit": one.subject.unit.value,
        **_said(said),
    }


def _key(wave: Wave, metric: str, segment: str, day: date) -> dict[str, Any]:
    return {
        "data_date": day,
        "campaign_id": wave.campaign.id,
        "wave": wave.wave,
        "metric": metric,
        "segment": segment,
        "overlapping": wave.treated.overlapping,
    }


def _said(said: Verdict) -> dict[str, Any]:
    return {
        "outcome": None if said.outcome is None else said.outcome.value,
        "verdict": said.english,
        "verdict_cn": said.chinese,
        "no_verdict_because": None if said.because is None else said.because.value,
    }


def _tracked(wave: Wave, day: date) -> Iterable[dict[str, Any]]:
    """Rates of the treated with their Wilson intervals; none where nobody could be counted."""
    treated = wave.treated
    for name, (above, below) in TRACKED.items():
        count, whole = getattr(treated, above), getattr(treated, below)
        low, high = proportion_confint(count, whole, method="wilson") if whole else (None, None)
        yield {
            **_key(wave, name, ALL, day),
            "role": "tracked",
            "targets": whole,
            "controls": 0,
            "open_windows": 0,
            "treated_value": _decimal(count / whole) if whole else None,
            "control_value": None,
            "uplift": None,
            "low": _decimal(low),
            "high": _decimal(high),
            "p": None,
            "unit": Unit.POINTS.value,
            "outcome": None,
            "verdict": None,
            "verdict_cn": None,
            "no_verdict_because": None,
        }


def _value(metric: Metric, arm: Sums) -> float | None:
    if not arm.n or (metric.denominator is not None and not arm.x):
        return None
    return arm.mean / arm.mean_x if metric.denominator is not None else arm.mean


def _decimal(value: float | None) -> Decimal | None:
    if value is None or not math.isfinite(value):
        return None
    return Decimal(repr(float(value))).quantize(DIGITS)


def _plus(one: Sums, other: Sums) -> Sums:
    return Sums(*(getattr(one, name) + getattr(other, name) for name in vars(one)))
