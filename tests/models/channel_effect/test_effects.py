"""Channel effects from sums of both arms: by hand, and against a planted effect."""

import random
from datetime import date

import pytest

from models.channel_effect.counted import MOMENTS
from models.channel_effect.effects import effects
from models.evaluation.sums import Sums

DAY = date(2009, 6, 10)


def of(effect, metric, part, treated, control):
    """Both arms as rows of counted.sums; an arm is (values, values beside) of its customers."""
    rows = []
    for arm, (values, beside) in (("treated", treated), ("control", control)):
        sums = Sums(
            len(values),
            sum(values),
            sum(one * one for one in values),
            sum(beside),
            sum(one * one for one in beside),
            sum(one * two for one, two in zip(values, beside, strict=True)),
        )
        named = {"effect": effect, "group": "a|1", "metric": metric, "part": part, "arm": arm}
        rows.append(named | {name: getattr(sums, name) for name in MOMENTS})
    return rows


def read(
    *rows,
    groups=(),
):
    return effects([one for some in rows for one in some], groups, DAY)


def no(values):
    return [0] * len(values)


def test_extra_calls_are_the_difference_per_customer_and_in_all():
    treated, control = [1, 0] * 40, [1, 0, 0, 0] * 10
    (row,) = read(of("sms_blast", "calls", "09", (treated, no(treated)), (control, no(control))))
    assert (row.treated, row.controls) == (80, 40)
    assert [str(one) for one in (row.treated_value, row.control_value)] == ["0.500000", "0.250000"]
    assert (float(row.value), float(row.total)) == (0.25, 20)
    assert 0 < row.low < row.value < row.high
    assert row.because is None


def test_a_share_is_over_transactions_and_not_over_customers():
    """Electronic: 60 of 80 against 20 of 80; every customer has one or three transactions."""
    treated = ([1, 2] * 20, [1, 3] * 20)
    control = ([1, 0] * 20, [1, 3] * 20)
    (row,) = read(of("offload", "electronic_share", "after", treated, control))
    assert (float(row.treated_value), float(row.control_value), float(row.value)) == (
        0.75,
        0.25,
        0.5,
    )
    assert row.total is None


def test_who_called_more_before_is_no_effect():
    """Treated customers called once more before and after: nothing changed."""
    draws = random.Random(3)
    before = [draws.randrange(3) for _ in range(200)]
    after = [one + draws.randrange(2) for one in before]
    more = [one + 1 for one in before]
    (row,) = read(
        of("guidance", "calls", "all", ([one + 1 for one in after], more), (after, before))
    )
    assert row.treated_value - row.control_value == 1
    assert abs(row.value) < 0.15


@pytest.mark.parametrize(
    ("treated", "control", "because"),
    [
        (([1, 0] * 14 + [0], [0] * 29), ([1, 0] * 20, [0] * 40), "too_few"),
        (([1, 0] * 20, [0] * 40), ([1, 0] * 14 + [0], [0] * 29), "too_few"),
        (([0] * 40, [0] * 40), ([0] * 40, [0] * 40), "no_variance"),
    ],
)
def test_small_counts_say_nothing(treated, control, because):
    (row,) = read(of("sms_blast", "calls", "all", treated, control))
    assert row.because == because
    values = (row.treated_value, row.control_value, row.value, row.low, row.high, row.total)
    assert values == (None,) * 6


def test_a_share_of_few_transactions_says_nothing():
    many, few = ([1, 0] * 20, [1, 1] * 20), ([0] * 40, [1] * 29 + [0] * 11)
    (row,) = read(of("offload", "counter_share", "after", many, few))
    assert row.because == "too_few"


def test_no_complaint_in_either_arm_has_an_interval_around_nothing():
    (row,) = read(
        of("sms_blast", "complaint_rate", "all", ([0] * 900, [0] * 900), ([0] * 100,) * 2)
    )
    assert row.value == 0
    assert row.low < 0 < row.high


def test_one_arm_alone_is_no_comparison():
    alone = of("sms_blast", "calls", "all", ([1] * 50, [0] * 50), ([], []))[:1]
    (row,) = read(alone)
    assert (row.treated, row.controls, row.because) == (50, 0, "too_few")


def test_a_group_without_a_closed_window_says_so():
    rows = read(groups=[("sms_blast", "a|1"), ("offload", "b|1"), ("tariff", "c|1")])
    assert [(row.effect, row.group, row.because) for row in rows] == [
        ("guidance", "b|1", "not_closed"),
        ("offload", "b|1", "not_closed"),
        ("sms_blast", "a|1", "not_closed"),
        ("tariff", "c|1", "not_closed"),
    ]


def test_a_planted_effect_is_covered_and_none_is_not_found():
    """600 blasts of .3 extra calls each, and 600 of none: 95 of 100 intervals hold the truth."""
    draws = random.Random(11)
    for planted, bounds in ((0.3, (0.93, 0.97)), (0.0, (0.93, 0.97))):
        hits = 0
        for _ in range(600):
            control = [draws.random() < 0.4 for _ in range(60)]
            treated = [(draws.random() < 0.4) + (draws.random() < planted) for _ in range(240)]
            sums = of("sms_blast", "calls", "09", (treated, no(treated)), (control, no(control)))
            (row,) = read(sums)
            hits += row.low <= planted <= row.high
        assert bounds[0] <= hits / 600 <= bounds[1]
