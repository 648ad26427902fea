"""What a read-out says, in one sentence of Chinese and one of English.

Where the data support no verdict, the sentence is the reason.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.evaluation.guardrail import Guard, guard
from models.evaluation.intervals import Effect
from models.evaluation.sample_ratio import Stage, first_broken, is_swapped

ASSIGNMENT = "assignment"


class Unit(StrEnum):
    """In what a difference is told: points of a rate, yuan, a plain number, percent of a cost."""

    POINTS = "points"
    YUAN = "money"
    NUMBER = "number"
    RETURN = "return"


class Outcome(StrEnum):
    """What is claimed; a guardrail has the outcomes of `Guard`."""

    GAIN = "gain"
    HARM = "harm"
    OPEN = "open"


class Reason(StrEnum):
    """Why there is no verdict."""

    NOBODY_TREATED = "NOBODY_TREATED"
    NOBODY_IN_CONTROL = "NOBODY_IN_CONTROL"
    SWAPPED = "SWAPPED"
    NOT_MATURED = "NOT_MATURED"
    BEFORE_FIRST_LOOK = "BEFORE_FIRST_LOOK"
    SAMPLE_RATIO = "SAMPLE_RATIO"
    NO_DENOMINATOR = "NO_DENOMINATOR"
    NO_VARIANCE = "NO_VARIANCE"
    NO_RETURN = "NO_RETURN"


# Reason → the sentence in Chinese and in English.
NONE_BECAUSE = {
    Reason.NOBODY_TREATED: ("目标组无人", "nobody was assigned to the campaign"),
    Reason.NOBODY_IN_CONTROL: ("对照组无人", "nobody was assigned to the control group"),
    Reason.SWAPPED: (
        "目标组与对照组疑似对调（{stage}）",
        "treated and control seem to be swapped at {stage}",
    ),
    Reason.NOT_MATURED: (
        "尚有 {open:,} 人的观察窗口未结束",
        "the windows of {open:,} customers have not closed",
    ),
    Reason.BEFORE_FIRST_LOOK: (
        "仅 {closed:,} 人的观察窗口已结束，每日读数至少需要 {needed:,} 人",
        "the windows of {closed:,} customers have closed, daily looks need {needed:,}",
    ),
    Reason.SAMPLE_RATIO: (
        "{stage}环节目标组 {treated:,} 人、对照组 {control:,} 人，与计划比例 {share:.1%} 不符",
        "at {stage} {treated:,} treated and {control:,} control do not fit the planned share of "
        "{share:.1%}",
    ),
    Reason.NO_DENOMINATOR: (
        "有一组的分母为零",
        "the denominator of an arm is nothing",
    ),
    Reason.NO_VARIANCE: ("所有客户取值相同", "the values of the customers do not vary"),
    Reason.NO_RETURN: (
        "成本与零无法区分，或收入无差异",
        "the cost cannot be told from nothing, or the revenue does not vary",
    ),
}
UNITS = {
    Unit.POINTS: (100, " 个百分点", " percentage points"),
    Unit.YUAN: (1, " 元", " yuan"),
    Unit.NUMBER: (1, "", ""),
    Unit.RETURN: (100, "%", " %"),
}
CLAIMS = {
    Outcome.GAIN: ("活动有效", "the campaign works"),
    Outcome.HARM: ("活动有害", "the campaign harms"),
    Outcome.OPEN: ("不能判断活动是否有效", "no effect of the campaign is shown"),
    Guard.KEPT: ("未超出容限 {margin}", "within the margin of {margin}"),
    Guard.BROKEN: ("超出容限 {margin}", "beyond the margin of {margin}"),
    Guard.OPEN: ("不能排除超出容限 {margin}", "a harm beyond the margin of {margin} is possible"),
}


@dataclass(frozen=True)
class Subject:
    """What was measured: its two names, its unit, which direction is good.

    `margin` makes it a guardrail; it is in the metric's own unit (a share, yuan).
    """

    chinese: str
    english: str
    unit: Unit
    lower_is_better: bool = False
    margin: float | None = None


@dataclass(frozen=True)
class Cohort:
    """Who was read out.

    `stages` lead from the push to the read-out. `contacted` are the treated and the control whom
    this campaign contacted. `open_windows` counts customers whose window has not closed;
    `first_look` says how many have to close before the first of daily looks, 0 from then on.
    `grouped_by` says what parted the two groups. `no_denominator`: a ratio divides by nothing.
    """

    stages: Sequence[Stage]
    share_treated: float
    contacted: tuple[int, int] = (0, 0)
    open_windows: int = 0
    first_look: int = 0
    grouped_by: str = ASSIGNMENT
    no_denominator: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it is too early for any figure."""
        return bool(self.open_windows or self.first_look)


@dataclass(frozen=True)
class Verdict:
    """Two sentences; either an outcome, or the reason why there is none."""

    chinese: str
    english: str
    outcome: Outcome | Guard | None = None
    because: Reason | None = None


def verdict(
    subject: Subject, cohort: Cohort, effect: Effect, *, claimed: bool | None = None
) -> Verdict:
    """The verdict on one metric of one read-out, at 95 %.

    `claimed` is what Benjamini-Hochberg over all campaigns left of it (`campaigns.claimed`).
    Without it the interval alone decides. Groups parted by anything but assignment are refused.
    """
    if cohort.grouped_by != ASSIGNMENT:
        raise ValueError(
            f"groups are parted by {cohort.grouped_by!r}; expected 'assignment': who was reached "
            "differs from who was not, without any campaign"
        )
    found = _no_verdict(subject, cohort, effect)
    if found is not None:
        return found
    outcome = _outcome(subject, effect, claimed)
    end = cohort.stages[-1]
    factor, *units = UNITS[subject.unit]
    values = [factor * value for value in (effect.estimate, effect.low, effect.high)]
    digits = _digits(values[2] - values[1])
    estimate, low, high = (f"{value:,.{digits}f}" for value in values)
    size = f"{abs(values[0]):,.{digits}f}"
    moved = ("提高", "rose by") if values[0] >= 0 else ("降低", "fell by")
    if subject.unit is Unit.RETURN:
        moved, size = ("为", "is"), estimate
    # The digits of the margin are its own: it was set by hand.
    margin = "" if subject.margin is None else f"{factor * subject.margin:.6g}"
    claims = [
        claim.format(margin=f"{margin}{unit}")
        for claim, unit in zip(CLAIMS[outcome], units, strict=True)
    ]
    return Verdict(
        f"{subject.chinese}{moved[0]} {size}{units[0]}（95% 区间 {low} 至 {high}；"
        f"目标组 {end.treated:,} 人，对照组 {end.control:,} 人）：{claims[0]}。",
        f"{subject.english} {moved[1]} {size}{units[1]} (95 % interval {low} to {high}; "
        f"{end.treated:,} treated, {end.control:,} control): {claims[1]}.",
        outcome,
    )


def _no_verdict(subject: Subject, cohort: Cohort, effect: Effect) -> Verdict | None:
    """The first reason that forbids a verdict; a cause comes before what follows from it."""
    first, end = cohort.stages[0], cohort.stages[-1]
    broken = first_broken(cohort.stages, cohort.share_treated)
    # A guardrail that nobody touched in either arm has no p, but an interval to hold to its margin.
    needed = (effect.low, effect.high, 0.0 if subject.margin else effect.p)
    silent = any(math.isnan(value) for value in needed)
    stage = broken or end
    if not first.treated or not end.treated:
        reason = Reason.NOBODY_TREATED
    elif not first.control or not end.control:
        reason = Reason.NOBODY_IN_CONTROL
    elif is_swapped(first, cohort.share_treated) or _control_was_contacted(cohort):
        reason, stage = Reason.SWAPPED, first
    elif broken:
        reason = Reason.SAMPLE_RATIO
    elif cohort.open_windows:
        reason = Reason.NOT_MATURED
    elif cohort.first_look:
        reason = Reason.BEFORE_FIRST_LOOK
    elif cohort.no_denominator:
        reason = Reason.NO_DENOMINATOR
    elif silent:
        reason = Reason.NO_RETURN if subject.unit is Unit.RETURN else Reason.NO_VARIANCE
    else:
        return None
    chinese, english = (
        sentence.format(
            stage=stage.name,
            treated=stage.treated,
            control=stage.control,
            share=cohort.share_treated,
            open=cohort.open_windows,
            closed=end.treated + end.control,
            needed=cohort.first_look,
        )
        for sentence in NONE_BECAUSE[reason]
    )
    return Verdict(
        f"{subject.chinese}无结论：{chinese}。",
        f"No verdict on {subject.english[0].lower()}{subject.english[1:]}: {english}.",
        because=reason,
    )


def _control_was_contacted(cohort: Cohort) -> bool:
    """Whether the campaign contacted a larger part of the control than of the treated."""
    first = cohort.stages[0]
    treated, control = cohort.contacted
    return control * first.treated > treated * first.control


def _outcome(subject: Subject, effect: Effect, claimed: bool | None) -> Outcome | Guard:
    if subject.margin is not None:
        return guard(effect, subject.margin, lower_is_better=subject.lower_is_better)
    if claimed is False or effect.low <= 0 <= effect.high:
        return Outcome.OPEN
    return Outcome.HARM if (effect.estimate > 0) is subject.lower_is_better else Outcome.GAIN


def _digits(width: float) -> int:
    """Two decimals, and more where the interval is so narrow that its ends would look alike."""
    return 2 if width <= 0 else min(max(2, 2 - math.floor(math.log10(width))), 8)
