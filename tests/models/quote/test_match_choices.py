"""The choices of an operator about a match: elasticity of usage, and the order of packages."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest

from models.quote import package_match as match
from models.quote import package_quote
from schemas.errors import ConfigError
from tests.given import match_rows as rows
from tests.given.match_rows import FEB, MARCH

LONG_AGO = date(2008, 1, 1)
PACKAGES = rows.catalogue_of(
    present=("voice", "50", "gotone"),
    big=("voice", "58", "gotone"),
    small=("voice", "20", "gotone"),
    tiny=("voice", "20", "gotone"),
    texts=("sms", "5", "gotone"),
)
ORDER = "order of events"
EXPECTED = ("usage_change", "expected_saving", "expected_income_change")


def matched_all(spark, cases, **choices):
    """Case → package → its match row. A case is a gotone customer who holds the package `present`.

    A case is (costs, bills) by month. Costs hold package → (fee, usage) in yuan, or None if the
    month cannot be priced. A bill is None if there is none.
    """
    numbers, months = dict(enumerate(cases.values(), start=1)), (FEB, MARCH)
    priced = []
    for number, (costs, _) in numbers.items():
        for name, per_month in costs.items():
            for month, cost in zip(months, per_month, strict=False):
                rated = (
                    [ORDER]
                    if cost is None
                    else [str(Decimal(cost[0]) + Decimal(cost[1])), {"monthly_fee": cost[0]}]
                )
                priced.append((number, month, name, PACKAGES[name].kind, *rated))
    people = rows.subscribers(spark, *numbers)
    used = [
        (number, month)
        for number, (_, paid) in numbers.items()
        for month, _ in zip(months, paid, strict=False)
    ]
    held = rows.holdings(
        spark,
        rows.months(spark, *((*one, None) for one in used)),
        [(number, "voice", "present", LONG_AGO, None) for number in numbers],
    )
    policy = rows.policy(**choices).rating
    quoted = package_quote.quotes(
        rows.evaluated(spark, *priced),
        rows.passing(spark, people, PACKAGES),
        held,
        PACKAGES,
        policy,
    )
    actual = rows.actual(
        spark,
        people,
        *(
            (f"S{number}", month, total)
            for number, (_, paid) in numbers.items()
            for month, total in zip(months, paid, strict=False)
            if total
        ),
    )
    backtest = rows.causes(spark, *((*one, "equal") for one in used))
    owned = held.select("subscriber_id", "kind", "package_id").distinct()
    found = {words: {} for words in cases}
    sums = match.summed(quoted, actual, rows.used(spark, *used), owned, people, PACKAGES).cache()
    for row in match.package_match(sums, backtest, policy).collect():
        found[list(cases)[row.subscriber_id - 1]][row.package_id] = row
    return found


def matched(spark, costs, *, paid, **choices):
    """Package → its match row, for one such customer."""
    return matched_all(spark, {"the one": (costs, paid)}, **choices)["the one"]


def texts(row, *names):
    return [None if row[name] is None else str(row[name].normalize()) for name in names]


# ---- elasticity of usage (S2-09) -----------------------------------------------------------------

TWO_MONTHS = {
    "present": (("50", "40"), ("50", "60")),
    "big": (("58", "30"), ("58", "20")),
    "small": (("20", "80"), ("20", "110")),
}
PAID = ("90", "110")


def test_without_elasticity_usage_stays_and_what_is_expected_is_the_saving(spark):
    for row in matched(spark, TWO_MONTHS, paid=PAID).values():
        assert row.usage_change == 0
        assert (row.expected_saving, row.expected_income_change) == (row.saving, row.income_change)


def test_usage_answers_to_its_price_and_the_exact_saving_stands_beside_it(spark):
    found = matched(spark, TWO_MONTHS, paid=PAID, usage_elasticity=Decimal("-0.5"))
    # Usage of 100 at present costs 50 under `big`: half the price, a quarter more usage, so
    # 50 × 0.25 = 12.50 of the 34.00 saved in two months go into more calls.
    assert found["big"].saving == 17
    assert texts(found["big"], *EXPECTED) == ["0.25", "10.75", "-10.75"]
    # Under `small` the usage costs 190: 90 % dearer, 45 % less, 190 × 0.45 = 85.50 are not spent;
    # 200 − 230 is a loss of 30, and becomes 55.50 saved.
    assert found["small"].saving == -15
    assert texts(found["small"], *EXPECTED) == ["-0.45", "27.75", "-27.75"]
    # The present package changes nothing.
    assert texts(found["present"], *EXPECTED) == ["0", "0", "0"]
    before = matched(spark, TWO_MONTHS, paid=PAID)
    same = [name for name in match.MATCH if name not in EXPECTED]
    assert {name: [row[one] for one in same] for name, row in found.items()} == {
        name: [row[one] for one in same] for name, row in before.items()
    }


@pytest.mark.parametrize(
    ("elasticity", "cases"),
    [
        ("-1", {("30", "20"): "0.333333", ("30", "40"): "-0.333333", ("60", "20"): "0.666667"}),
        # Half a millionth goes away from zero, less than half is nothing.
        (
            "-0.000001",
            {("1", "1.5"): "-0.000001", ("1", "1.499999"): "0", ("1", "0.5"): "0.000001"},
        ),
        # Usage does not fall below nothing; free usage is the most there can be; and where usage is
        # free at present there is no price to compare with.
        (
            "-5",
            {
                ("10", "12"): "-1",
                ("10", "12.1"): "-1",
                ("10", "11.999998"): "-0.999999",
                ("10", "0"): "5",
                ("0", "10"): "0",
                ("0.0002", "0.000199"): "0.025",
            },
        ),
    ],
)
def test_the_change_of_usage_at_its_bounds(spark, elasticity, cases):
    found = matched_all(
        spark,
        {
            case: ({"present": (("0", case[0]),), "big": (("0", case[1]),)}, ("100",))
            for case in cases
        },
        usage_elasticity=Decimal(elasticity),
    )
    assert {case: row["big"].usage_change for case, row in found.items()} == {
        case: Decimal(change) for case, change in cases.items()
    }
    for (_, offered), row in found.items():
        exact = 100 - Decimal(offered) * (1 + row["big"].usage_change)
        assert row["big"].expected_saving == exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def test_expected_savings_of_other_months(spark):
    found = matched_all(
        spark,
        {
            # (2 − 0.000001 − 0.0000005) / 2 = 0.99999925 yuan, rounded once from the sum.
            "a sum": (
                {
                    "present": (("0", "0.000002"), ("0", "0")),
                    "big": (("0", "0.000001"), ("0", "0")),
                },
                ("1", "1"),
            ),
            # February: 40 → 20, half the price. March is priced under `big` only, and its usage of
            # 30 grows by the same share: (20 + 30) × 0.5 = 25 of the 200 − 166 saved.
            "a month of one side": (
                {"present": (("50", "40"), None), "big": (("58", "20"), ("58", "30"))},
                ("90", "110"),
            ),
            "never the present": ({"big": (("58", "20"), ("58", "30"))}, ("90", "110")),
            "no bill": ({"present": (("50", "40"),), "big": (("58", "20"),)}, (None,)),
        },
        usage_elasticity=Decimal("-1"),
    )
    shown = {words: texts(row["big"], "saving", *EXPECTED) for words, row in found.items()}
    assert shown == {
        "a sum": ["1", "0.5", "0.999999", "-0.999999"],
        "a month of one side": ["17", "0.5", "4.5", "-4.5"],
        "never the present": ["17", "0", "17", "-17"],
        "no bill": [None, "0.5", None, None],
    }


# ---- the province's own order (S2-09) ------------------------------------------------------------

THREE = {
    "present": (("50", "50"),),
    "big": (("40", "20"),),
    "small": (("20", "50"),),
    "tiny": (("20", "50"),),
}


def order(found):
    ranked = sorted((row.rank, name) for name, row in found.items() if row.rank)
    assert [rank for rank, _ in ranked] == list(range(1, len(ranked) + 1))
    return [name for _, name in ranked]


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        ("saving", ["big", "small", "tiny"]),  # 40, 30, 30; equal fees: by id
        ("income_change", ["small", "tiny", "big"]),  # the dearer for the customer first
        ("CASE WHEN package_id = 'tiny' THEN 1 ELSE 0 END", ["tiny", "small", "big"]),  # ties: fee
        ("1", ["small", "tiny", "big"]),
        ("nullif(saving, 40)", ["small", "tiny", "big"]),  # nothing to rank by goes last
        (
            "if(array_contains(reasons, 'NO_SAVING'), 0, SAVING)"
            " - 2 * months_won * abs(saving - 30)",
            ["small", "tiny", "big"],
        ),
        ("expected_saving", ["small", "tiny", "big"]),  # 40 less 3 × 20 more usage; 30
    ],
)
def test_packages_are_ranked_as_the_province_says(spark, priority, expected):
    found = matched(spark, THREE, paid=("100",), priority=priority, usage_elasticity=Decimal("-5"))
    assert order(found) == expected
    assert found["present"].rank is None


def test_savings_that_only_the_sum_tells_apart_are_not_equal(spark):
    # Of 0.000001 in two months the mean rounds to 0.000001 as well as that of 0.000002.
    found = matched(
        spark,
        {"small": (("20", "0.000001"), ("20", "0")), "big": (("20", "0"), ("20", "0"))},
        paid=("90", "90"),
    )
    assert found["big"].saving == 70
    assert order(found) == ["big", "small"]


def test_a_package_compared_over_more_months_goes_first_whatever_the_priority(spark):
    found = matched(
        spark,
        {"present": (("50", "50"),) * 2, "big": (("58", "2"), None), "small": (("20", "50"),) * 2},
        paid=("100", "100"),
    )
    assert (found["big"].saving, found["small"].saving) == (40, 30)
    assert order(found) == ["small", "big"]


def test_without_bills_the_cheaper_goes_first(spark):
    found = matched(spark, THREE, paid=(None,), priority="mean_cost")
    assert order(found) == ["big", "small", "tiny"]


@pytest.mark.parametrize(
    ("priority", "message"),
    [
        ("saving +", "rating.priority: saving +: "),
        ("kind", "expected a number, the highest first; got a string"),
        ("recommended", "got a boolean"),
    ],
)
def test_what_is_no_order_is_refused_in_one_line(spark, priority, message):
    with pytest.raises(ConfigError, match="^policy.yml: rating.priority") as refused:
        matched(spark, THREE, paid=("100",), priority=priority)
    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


# ---- thresholds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "reasons"),
    [
        ({"min_saving": Decimal("30")}, []),
        ({"min_saving": Decimal("30.000001")}, ["NO_SAVING"]),
        ({"min_months_won": 1}, []),
        ({"min_months_won": 2}, ["MONTHS_WON"]),
        ({"bill_shock": Decimal("0")}, []),
        ({"bill_shock": Decimal("-0.000001")}, ["BILL_SHOCK"]),
    ],
)
def test_the_thresholds_of_a_recommendation_are_the_operators(spark, choices, reasons):
    # 40 in place of 120 and 120 in place of 100: 30 saved a month, one month of two won, and the
    # dearest month at the dearest bill.
    found = matched(
        spark,
        {"big": (("0", "40"), ("0", "120"))},
        paid=("120", "100"),
        **{"min_months_won": 1, "bill_shock": Decimal("1"), "min_saving": Decimal("0")} | choices,
    )
    assert (found["big"].saving, found["big"].months_won) == (30, 1)
    assert found["big"].reasons == reasons
