"""Whole alternatives in the match, a bundle that is held, idle months, customers without bills."""

from datetime import date
from decimal import Decimal

import pytest

from models.quote import backtest, holding, package_quote
from models.quote import package_match as match
from models.quote.whole_match import whole_match
from models.quote.without_bill import stand_ins, with_stand_ins, without_bill
from tests.given import match_rows as rows
from tests.given.held_together import packages_of
from tests.given.match_rows import APRIL, MARCH, POLICY

LONG_AGO = date(2008, 1, 1)
MONTHS = (MARCH, APRIL)
PACKAGES = packages_of(
    chat=("voice sms", {"fee": 40}),
    small=("voice", {"fee": 20}),
    talk=("voice", {"fee": 30}),
    texts=("sms", {"fee": 5}),
)
SEPARATE = [("voice", "talk", LONG_AGO, None), ("sms", "texts", LONG_AGO, None)]
BUNDLED = [("bundle", "chat", LONG_AGO, None)]
# 100 yuan: the voice package and calls 80, messages 20.
ITEMS = (
    ("package_rent", ("30", "talk")),
    ("local_voice", "50"),
    ("package_rent", ("5", "texts")),
    ("sms", "15"),
)
OWN = {"talk": ("80", "80"), "texts": ("20", "20")}
# Case → (held, items of each month, bill of each month or None, package → cost by month)
CASES = {
    "a bundle wins": (SEPARATE, ITEMS, "100", OWN | {"chat": ("60", "60"), "small": ("75", "75")}),
    "separate wins": (SEPARATE, ITEMS, "100", OWN | {"chat": ("85", "85"), "small": ("60", "60")}),
    "a bundle is held": (
        BUNDLED,
        (("package_rent", ("40", "chat")), ("local_voice", "8"), ("sms", "12"), ("vas", "40")),
        "100",
        {"chat": ("60", "60"), "small": ("30", "30"), "texts": ("5", "5")},
    ),
    "no bills": (SEPARATE, (), None, OWN | {"chat": ("60", "60"), "small": ("50", "50")}),
    "no bills, one month changed": (
        [("voice", "talk", date(2009, 3, 10), None), SEPARATE[1]],
        (),
        None,
        OWN | {"chat": ("60", "60"), "small": ("50", "50")},
    ),
    "idle in April": (SEPARATE, ITEMS, "100", OWN | {"chat": ("98", "50"), "small": ("78", "30")}),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(spark):
    """(rows of the match by case, kind and id; rows of the back-test by case)."""
    numbers = dict(enumerate(CASES.values(), start=1))
    people = rows.people(spark, *((number, "gotone", LONG_AGO) for number in numbers))
    months = rows.months(spark, *((number, month, None) for number in numbers for month in MONTHS))
    evaluated = rows.evaluated(
        spark,
        *(
            (number, month, name, PACKAGES[name].kind, cost)
            for number, (*_, costs) in numbers.items()
            for name, amounts in costs.items()
            for month, cost in zip(MONTHS, amounts, strict=True)
        ),
    )
    subscriptions = rows.subscriptions_of(
        spark, *((number, *one) for number, (held, *_) in numbers.items() for one in held)
    )
    held = holding.holdings(months, subscriptions, {}, PACKAGES)
    owned = holding.held_on(people, subscriptions, {}, date(2009, 5, 3), PACKAGES)
    passing = rows.passing(
        spark,
        people,
        PACKAGES,
        *(
            (f"S{number}", month, *item)
            for number, (_, items, *_) in numbers.items()
            for month in MONTHS
            for item in items
        ),
    )
    actual = rows.actual(
        spark,
        people,
        *(
            (f"S{number}", month, total)
            for number, (_, _, total, _) in numbers.items()
            for month in MONTHS
            if total
        ),
    )
    tested = backtest.backtest(
        months,
        evaluated,
        held,
        passing,
        actual,
        POLICY.rating.tolerance,
        ("voice", "sms"),
        None,
        "rerated",
    ).cache()
    lacking = without_bill(months, actual)
    standing = stand_ins(evaluated, held.join(lacking, "subscriber_id", "left_semi"))
    actual, passing = with_stand_ins(actual, passing, months, standing)
    quoted = package_quote.quotes(evaluated, passing, held, PACKAGES, POLICY.rating).cache()
    idle = (list(CASES).index("idle in April") + 1, APRIL)
    used = rows.used(spark, *({(n, month) for n in numbers for month in MONTHS} - {idle}))
    whole = whole_match(quoted, actual, used, owned, people, PACKAGES, set(PACKAGES) - {"talk"}, 10)
    sums = match.summed(quoted, actual, used, owned, people, PACKAGES, whole).cache()
    matched = match.package_match(sums, tested, POLICY.rating)
    by_case = {words: {} for words in CASES}
    for row in matched.collect():
        by_case[list(CASES)[row.subscriber_id - 1]][row.kind, row.package_id] = row
    causes = {words: [] for words in CASES}
    for row in sorted(tested.collect()):
        causes[list(CASES)[row.subscriber_id - 1]].append(row)
    return by_case, causes


def test_a_bundle_that_beats_the_best_separate_packages_is_recommended(found):
    one = found[0]["a bundle wins"]
    assert {key: (row.saving, row.reasons) for key, row in one.items() if key[0] == "whole"} == {
        ("whole", "chat"): (40, []),
        ("whole", "small+texts"): (5, ["SEPARATE"]),
        ("whole", "talk+texts"): (0, ["OWNED", "NO_SAVING", "MONTHS_WON"]),
    }
    row = one["whole", "chat"]
    assert (row.packages, row.new_packages, row.rank, row.basis) == (["chat"], ["chat"], 1, "bill")
    assert (row.mean_present_cost, row.mean_cost, row.months_won, row.regret) == (100, 60, 2, 0)
    assert one["whole", "small+texts"].new_packages == ["small"]
    assert one["whole", "talk+texts"].rank is None
    # What one package saves is the same in its own row.
    assert one["voice", "small"].saving == 5
    assert one["voice", "small"].reasons == []
    assert not any(kind == "bundle" for kind, _ in one)


def test_a_bundle_is_not_recommended_beside_separate_packages_that_save_more(found):
    one = found[0]["separate wins"]
    assert (one["whole", "chat"].saving, one["whole", "chat"].reasons) == (15, ["NOT_BEST"])
    assert one["whole", "small+texts"].reasons == ["SEPARATE"]
    assert one["voice", "small"].recommended


def test_a_bundle_that_is_held_is_priced_once_and_replaced_as_a_whole(found):
    by_case, causes = found
    assert [(row.rated, row.cause) for row in causes["a bundle is held"]] == [(100, "equal")] * 2
    one = by_case["a bundle is held"]
    # 60 of the bill are the bundle's; 40 pass through.
    assert {key: row.mean_cost for key, row in one.items()} == {
        ("whole", "small+texts"): 75,
        ("whole", "chat"): 100,
    }


def test_without_bills_the_present_packages_stand_for_the_bill(found):
    by_case, causes = found
    assert [(row.rated, row.difference, row.cause) for row in causes["no bills"]] == [
        (100, None, "rerated")
    ] * 2
    one = by_case["no bills"]
    assert {(row.basis, row.mean_present_cost) for row in one.values()} == {("rerated", 100)}
    # The messages cost 20 on both sides.
    assert (one["voice", "small"].mean_cost, one["voice", "small"].reasons) == (70, [])
    assert (one["whole", "chat"].mean_cost, one["whole", "chat"].reasons) == (60, [])
    assert one["whole", "talk+texts"].saving == 0


def test_a_month_in_which_a_package_changed_does_not_stand_for_a_bill(found):
    by_case, causes = found
    assert [row.cause for row in causes["no bills, one month changed"]] == ["no_bill", "rerated"]
    one = by_case["no bills, one month changed"]
    assert (one["voice", "small"].months, one["voice", "small"].basis) == (1, "rerated")
    assert "NOT_COMPARABLE" in one["voice", "small"].reasons
    assert "NOT_COMPARABLE" in one["whole", "chat"].reasons
    assert "NO_BILL" not in one["whole", "chat"].reasons


def test_a_saving_made_by_an_idle_month_alone_is_no_reason_to_change(found):
    one = found[0]["idle in April"]
    # small saves 2 in March and 50 in April, chat 2 and 50: 26 a month, 2 in the month of use.
    for key in (("voice", "small"), ("whole", "chat")):
        assert (one[key].saving, one[key].idle_months) == (Decimal(26), 1)
        assert "IDLE_MONTHS" in one[key].reasons
    assert found[0]["a bundle wins"]["whole", "chat"].idle_months == 0
