"""Small random nights: limits hold, and the bound is above every plan."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.assignment.assign import planned
from models.assignment.prices import bound, exact_sum
from models.assignment.resource import Resource
from models.assignment.rivals import RIVALS
from tests.given.assignment_instances import MICRO, Night

NAMES = ("a", "b", "c")
VALUES = st.one_of(
    st.integers(-4, 12).map(lambda half: half * MICRO // 2),
    st.integers(-MICRO, 10 * MICRO),
    st.just(10**15),
)
USES = st.lists(st.sampled_from(NAMES), max_size=3, unique=True).flatmap(
    lambda names: st.tuples(*(st.tuples(st.just(name), st.integers(1, 4)) for name in names))
)
OFFERS = st.lists(st.tuples(VALUES, USES), max_size=5)


@st.composite
def nights(draw):
    offers = draw(st.lists(OFFERS, max_size=8))
    slots = draw(st.lists(st.integers(0, 3), min_size=len(offers), max_size=len(offers)))
    room = draw(st.lists(st.integers(0, 9), min_size=len(NAMES), max_size=len(NAMES)))
    sticky = {
        (customer, place)
        for customer, mine in enumerate(offers)
        for place in range(len(mine))
        if draw(st.booleans())
    }
    resources = [Resource(name, left, "units") for name, left in zip(NAMES, room, strict=True)]
    return Night(offers, slots, resources, sticky)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(nights(), st.sampled_from([0, MICRO // 20]))
def test_a_small_random_night(tried, bonus):
    options = tried.options(bonus)
    plan = planned(options)
    taken = {
        (int(options.chooser[row]), int(options.position[row]))
        for row in plan.admission.taken.nonzero()[0]
    }
    room = {resource.name: resource.capacity for resource in tried.resources}
    slots = list(tried.slots)
    for customer, place in taken:
        value, uses = tried.offers[customer][place]
        assert value > 0
        slots[customer] -= 1
        for name, units in uses:
            room[name] -= units
    assert min(slots, default=0) >= 0
    assert min(room.values()) >= 0
    assert exact_sum(options.worth[plan.admission.taken]) <= plan.bound
    for customer, offers in enumerate(tried.offers):
        for place, (value, uses) in enumerate(offers):
            fits = all(units <= room[name] for name, units in uses)
            idle = value > 0 and slots[customer] and fits and (customer, place) not in taken
            assert not idle, "an open slot, an option of worth, and room for it"
    if bonus == 0 and options.choosers:
        best = tried.best_whole() if any(tried.offers) else 0
        assert best <= plan.bound / MICRO * (1 + 1e-9) + 1e-6
    reduced = options.worth - options.kinds.prices(plan.per_unit)[options.kind]
    for rival in RIVALS.values():
        admission = rival(options, reduced)
        assert (admission.room >= 0).all()
        assert (admission.slots >= 0).all()
        assert exact_sum(options.worth[admission.taken]) <= plan.bound
    assert bound(options, plan.per_unit) == plan.bound
