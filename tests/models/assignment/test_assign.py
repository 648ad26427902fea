"""Few customers, by hand: who gets what, what the others lost to, and the night's figures."""

from decimal import Decimal

import pytest

from models.assignment.assign import assign
from models.assignment.choices import choices, uses_of
from models.assignment.resource import Resource
from models.assignment.rivals import RIVALS
from models.assignment.summary import Churn
from schemas.errors import ConfigError, QualityError
from tests.given.options import assigned, option, options_frame, places


def fates(rows: dict) -> dict:
    return {key: row.fate for key, row in rows.items()}


def test_one_slot_and_three_candidates_the_best_goes_and_the_others_name_it(spark):
    rows = [
        option(1, "a", "3", "hall"),
        option(1, "b", "5", "hall"),
        option(1, "c", "4", "sms"),
    ]
    made, fate = assigned(spark, rows, places(hall=9, sms=9))
    assert fates(fate) == {(1, "a"): "displaced", (1, "b"): "assigned", (1, "c"): "displaced"}
    assert [(fate[1, name].lost_to, fate[1, name].winner) for name in "ac"] == [("slot", "b")] * 2
    assert fate[1, "b"].runner_up == "c"
    assert made.summary.value == made.summary.bound == Decimal(5)


def test_two_slots_and_three_candidates_the_last_slot_has_the_winner(spark):
    rows = [
        option(1, name, value, channel, slots=2)
        for name, value, channel in (("a", "3", "hall"), ("b", "5", "hall"), ("c", "4", "sms"))
    ]
    _, fate = assigned(spark, rows, places(hall=9, sms=9))
    assert {name for (_, name), row in fate.items() if row.fate == "assigned"} == {"b", "c"}
    assert (fate[1, "a"].lost_to, fate[1, "a"].winner) == ("slot", "c")


def test_the_ways_of_a_customer_have_slots_of_their_own(spark):
    rows = [
        option(1, "call", "3", "hotline"),
        option(1, "prompt", "2", "web", way="pull"),
        option(2, "prompt", "2", "web", way="pull"),
        option(2, "call", "1", "hotline"),
    ]
    _, fate = assigned(spark, rows, places(hotline=1, web=9))
    assert fates(fate) == {
        (1, "call"): "assigned",
        (1, "prompt"): "assigned",
        (2, "prompt"): "assigned",
        (2, "call"): "displaced",
    }
    assert (fate[2, "call"].lost_to, fate[2, "call"].full) == ("capacity", "hotline")


def test_capacity_0_means_never(spark):
    rows = [option(1, "a", "9", "hall"), option(1, "b", "1", "sms"), option(2, "a", "9", "hall")]
    made, fate = assigned(spark, rows, places(hall=0, sms=5))
    assert fates(fate) == {(1, "a"): "displaced", (1, "b"): "assigned", (2, "a"): "displaced"}
    assert (fate[1, "a"].lost_to, fate[1, "a"].full) == ("capacity", "hall")
    assert made.summary.bound == made.summary.primal == Decimal(1)


def test_a_budget_below_one_contact_assigns_nothing_of_it(spark):
    rows = [option(1, "a", "9", "hall", ("budget", 5)), option(1, "b", "1", "hall")]
    budget = [*places(hall=9), Resource("budget", 4, "yuan")]
    made, fate = assigned(spark, rows, budget)
    assert fates(fate) == {(1, "a"): "displaced", (1, "b"): "assigned"}
    assert (fate[1, "a"].lost_to, fate[1, "a"].full) == ("capacity", "budget")
    assert made.summary.gap == 0


def test_no_slot_gets_nothing_and_names_no_winner(spark):
    _, fate = assigned(spark, [option(1, "a", "9", "hall", slots=0)], places(hall=9))
    assert (fate[1, "a"].fate, fate[1, "a"].lost_to, fate[1, "a"].winner) == (
        "displaced",
        "slot",
        None,
    )


@pytest.mark.parametrize("value", ["0", "-1", None])
def test_what_is_worth_nothing_is_never_assigned(spark, value):
    _, fate = assigned(spark, [option(1, "a", value, "hall", sticky=True)], places(hall=9), "5")
    assert (fate[1, "a"].fate, fate[1, "a"].lost_to) == ("displaced", "value")


def test_a_full_channels_customers_go_to_the_next_best_with_room(spark):
    """分流: the hall has two places; the hotline takes those who lose least by it, then sms."""
    rows = []
    for customer, (hall, hotline, sms) in enumerate(
        [("9", "2", "1"), ("9", "3", "1"), ("9", "8", "1"), ("9", "4", "3.5"), ("1", "9", "1")]
    ):
        rows += [
            option(customer, "hall", hall, "hall", preference=1),
            option(customer, "hotline", hotline, "hotline", preference=2),
            option(customer, "sms", sms, "sms", preference=3),
        ]
    made, fate = assigned(spark, rows, places(hall=2, hotline=2, sms=5))
    got = {customer: name for (customer, name), row in fate.items() if row.fate == "assigned"}
    assert got == {0: "hall", 1: "hall", 2: "hotline", 3: "sms", 4: "hotline"}
    assert (fate[3, "hall"].lost_to, fate[3, "hall"].full) == ("capacity", "hall")
    assert (fate[3, "hotline"].lost_to, fate[3, "hotline"].full) == ("capacity", "hotline")
    assert (fate[2, "sms"].lost_to, fate[2, "sms"].winner) == ("slot", "hotline")
    assert made.summary.value == Decimal("38.5") == made.summary.bound
    assert made.summary.rivals["naive"] == Decimal(18)  # of four who want the hall, two get it


def test_prices_stand_per_resource_and_the_reduced_value_is_what_they_leave(spark):
    rows = [
        option(customer, "a", f"{10 - customer}", "hall", "branch", ("budget", 2))
        for customer in range(4)
    ]
    resources = [*places(hall=2, branch=9), Resource("budget", 99, "yuan")]
    made, fate = assigned(spark, rows, resources)
    row = fate[0, "a"]
    prices = {use.resource: (use.price, use.units) for use in row.prices}
    assert {name: units for name, (_, units) in prices.items()} == {
        "branch": 1,
        "budget": 2,
        "hall": 1,
    }
    assert row.reduced_value == row.value - sum(price * units for price, units in prices.values())
    assert Decimal(8) <= prices["hall"][0] <= Decimal(9)
    (unit,) = made.summary.unit_values
    assert (unit.resource, unit.more, unit.less) == ("hall", Decimal(8), Decimal(9))


def test_a_constraint_that_is_only_reported_changes_nothing(spark):
    rows = [
        option(customer, name, f"{(customer * 7 + place) % 11 + 1}.5", name, ("watched", customer))
        for customer in range(12)
        for place, name in enumerate(("hall", "sms"))
    ]
    plain = [(*row[:4], row[4][:1], *row[5:]) for row in rows]
    room = places(hall=3, sms=4)
    with_it, _ = assigned(spark, rows, [*room, Resource("watched", 2, "yuan", limits=False)])
    without, _ = assigned(spark, plain, room)
    assert with_it.rows.collect() == without.rows.collect()
    watched = {use.resource.name: use for use in with_it.summary.uses}["watched"]
    taken = [row for row in with_it.rows.collect() if row.fate == "assigned"]
    assert watched.used == sum(row.customer_id for row in taken) > watched.resource.capacity
    assert watched.price == 0


def test_the_stay_bonus_keeps_customers_where_they_were_and_churn_is_counted(spark):
    def rows(sticky):
        return [
            option(1, "hall", "5.00", "hall", sticky=sticky),
            option(1, "sms", "5.02", "sms"),
            option(2, "hall", "5.00", "hall"),
            option(2, "sms", "5.00", "sms", sticky=sticky),
            option(3, "hall", "1.00", "hall", sticky=sticky),
            option(4, "web", "1.00", "web"),
        ]

    room = places(hall=1, sms=1, web=1)
    moved, fate = assigned(spark, rows(sticky=True), room)
    assert fate[1, "sms"].fate == fate[2, "hall"].fate == "assigned"
    assert moved.summary.churn == Churn(kept=0, moved=2, gone=1, new=1)
    kept, fate = assigned(spark, rows(sticky=True), room, "0.05")
    assert fate[1, "hall"].fate == fate[2, "sms"].fate == "assigned"
    assert kept.summary.churn == Churn(kept=2, moved=0, gone=1, new=1)
    assert (kept.summary.value, kept.summary.primal) == (Decimal("11.00"), Decimal("11.10"))


def test_no_options_make_no_rows(spark):
    made, fate = assigned(spark, [], places(hall=1))
    assert fate == {}
    assert made.summary.assigned == made.summary.bound == 0


@pytest.mark.parametrize(
    ("row", "resources", "message"),
    [
        (option(1, "a", "1", "hall"), {"sms": 1}, "uses the resource hall, which has no capacity"),
        (option(1, "a", "1", ("hall", -1)), {"hall": 1}, "takes -1 contacts of hall; expected"),
    ],
)
def test_an_option_of_unknown_resources_or_negative_units_is_refused(
    spark, row, resources, message
):
    with pytest.raises(ConfigError, match=message):
        assigned(spark, [row], places(**resources))


def test_values_and_units_that_would_leave_64_bits_are_refused(spark):
    row = option(1, "a", "900000000000", ("budget", 10**6))
    with pytest.raises(QualityError, match="an option is worth 900000000000 yuan, and one takes"):
        assigned(spark, [row], [Resource("budget", 10**7, "yuan")])


def test_an_option_that_a_customer_has_twice_is_refused(spark):
    twice = [option(1, "a", "1", "hall"), option(1, "a", "2", "hall")]
    with pytest.raises(QualityError, match="1 customers have an option twice"):
        assigned(spark, twice, places(hall=1))


@pytest.mark.parametrize("capacity", [-1, True, 1.5, None])
def test_a_capacity_that_is_no_whole_number_from_0_is_refused(capacity):
    with pytest.raises(ConfigError, match=f"resource hall: capacity {capacity} contacts; expected"):
        Resource("hall", capacity, "contacts")


def test_a_resource_with_two_capacities_is_refused(spark):
    with pytest.raises(ConfigError, match="resource hall has two capacities"):
        assigned(spark, [], [*places(hall=1), *places(hall=2)])


def test_a_simpler_rule_may_give_the_places(spark):
    """Both want the only place of the hall: the rule decides who gets it, not what it is worth."""
    rows = [
        option(1, "a", "3", "hall", preference=1),
        option(1, "b", "2", "sms", preference=2),
        option(2, "c", "9", "hall", preference=1),
    ]
    values = {}
    for rule in ("optimal", *RIVALS):
        frame = options_frame(spark, *rows)
        made = assign(choices(frame), uses_of(frame), places(hall=1, sms=1), rule=rule)
        taken = {row.option_id: row.value for row in made.rows.collect() if row.fate == "assigned"}
        values[rule] = sum(taken.values())
        assert made.summary.value == values[rule]
        assert made.summary.bound == Decimal(11)
        if rule != "optimal":
            assert made.summary.rivals[rule] == values[rule]
    assert values["optimal"] == Decimal(11)
    assert values["naive"] in (Decimal(3), Decimal(9))  # nobody gets the second channel


def test_what_a_rule_would_choose_does_not_know_the_lot(spark):
    """A lot sends customer 1 to SMS, and 2 gets the only place of the hall.

    Without the lot greedy gives it to 1, whose option is worth more. The optimal rule keeps what it
    gave to 2, who was not drawn, and chooses for 1 at the prices of the night.
    """
    rows = [
        option(1, "a", "3", "hall", unlucky=True),
        option(1, "b", "2", "sms"),
        option(2, "c", "2", "hall"),
    ]
    made, found = assigned(spark, rows, places(hall=1, sms=1))
    assert {key: row.fate for key, row in found.items()} == {
        (1, "a"): "displaced",
        (1, "b"): "assigned",
        (2, "c"): "assigned",
    }
    assert found[1, "a"].winner is None
    assert found[1, "b"].runner_up is None
    rules = {key: set(row.rules) for key, row in found.items()}
    assert rules[1, "a"] >= {"greedy", "optimal"}
    assert "margin_order" in rules[1, "b"]  # 2 would lose more without the hall
    assert not rules[1, "b"] & {"greedy", "optimal"}
    assert rules[2, "c"] >= {"margin_order", "optimal"}
    assert "greedy" not in rules[2, "c"]
    assert made.summary.value == Decimal(4)


def test_without_a_lot_the_rules_are_those_that_are_valued(spark):
    rows = [
        option(1, "a", "3", "hall", preference=1),
        option(1, "b", "2", "sms", preference=2),
        option(2, "c", "9", "hall", preference=1),
    ]
    made, found = assigned(spark, rows, places(hall=1, sms=1))
    for rule, value in {"optimal": made.summary.value, **made.summary.rivals}.items():
        assert sum(row.value for row in found.values() if rule in row.rules) == value
