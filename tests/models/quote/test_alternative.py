"""The best alternative of each main package: by hand, and equal to full enumeration."""

import itertools
import random

import numpy as np
import pytest

from models.quote.alternative import FACTS, Alternatives, ordered
from models.quote.bill_item import KINDS
from tests.given.held_together import packages_of

CASES = 400


def found(packages, costs, able=None, nothing=KINDS):
    """Main package or None → (ids, cost), for one customer; costs by id."""
    names = list(packages)
    alternatives = Alternatives(list(packages.values()))
    able = names if able is None else able
    best = alternatives.best(
        np.array([[costs[name]] for name in names]),
        np.array([[name in able] for name in names]),
        np.array([[kind in nothing] for kind in KINDS]),
    )
    answer = {}
    for column in best[:, :, 0]:
        if column[FACTS.index("lacking")]:
            continue
        ids = tuple(names[place] for place in column[len(FACTS) :] if place < len(names))
        main = next((name for name in ids if "voice" in packages[name].kinds), None)
        answer[main] = (ids, column[FACTS.index("cost")])
    return answer


def enumerated(packages, costs, able, nothing):
    """The same by going through all sets of packages."""
    best = {}
    for size in range(len(packages) + 1):
        for ids in itertools.combinations(sorted(packages), size):
            held = [packages[name] for name in ids]
            kinds = [kind for one in held for kind in one.kinds]
            possible = (
                len(kinds) == len(set(kinds))
                and set(ids) <= set(able)
                and set(KINDS) - set(kinds) <= set(nothing)
                and all(not one.requires or set(one.requires) & set(ids) for one in held)
                and not any(set(one.excludes) & set(ids) for one in held)
            )
            if not possible:
                continue
            main = next((one.id for one in held if "voice" in one.kinds), None)
            cost, fee = sum(costs[name] for name in ids), sum(one.monthly_fee for one in held)
            key = (cost, fee, len(ids), ids)
            best[main] = min(key, best.get(main, key))
    return {main: (key[3], key[0]) for main, key in best.items()}


def random_case(seed):
    draw = random.Random(seed)
    kinds = ["voice", *draw.sample([one for one in KINDS if one != "voice"], draw.randint(1, 3))]
    described = {
        f"p{number}": set(draw.sample(kinds, draw.choice([1, 1, 1, 2, 2, 3]) % (len(kinds) + 1)))
        or {kinds[0]}
        for number in range(draw.randint(4, 8))
    }
    ties = {}
    for name, own in described.items():
        beside = [other for other, theirs in described.items() if not own & theirs]
        ties[name] = {
            key: draw.sample(beside, min(len(beside), draw.randint(1, 2)))
            for key in ("requires", "excludes")
            if draw.random() < 0.25
        }
    packages = packages_of(
        **{
            name: (" ".join(sorted(own)), {"fee": draw.randint(0, 2), **ties[name]})
            for name, own in described.items()
        }
    )
    costs = {name: draw.randint(-3, 3) for name in packages}
    able = [name for name in packages if draw.random() < 0.85]
    nothing = [kind for kind in KINDS if kind not in kinds or draw.random() < 0.7]
    return packages, costs, able, nothing


@pytest.mark.parametrize("block", range(4))
def test_the_best_of_each_main_package_is_that_of_full_enumeration(block):
    bundles = tied = 0
    for seed in range(block * CASES // 4, (block + 1) * CASES // 4):
        packages, costs, able, nothing = random_case(seed)
        expected = enumerated(packages, costs, able, nothing)
        assert found(packages, costs, able, nothing) == expected, seed
        chosen = [packages[name] for ids, _ in expected.values() for name in ids]
        bundles += any(len(one.kinds) > 1 for one in chosen)
        tied += any(one.requires for one in chosen)
    assert bundles > 40
    assert tied > 10


def test_many_customers_are_answered_as_each_of_them_alone():
    packages, *_ = random_case(7)
    names, draw = list(packages), np.random.default_rng(7)
    costs = draw.integers(-3, 4, (len(names), 50))
    able, nothing = draw.random((len(names), 50)) < 0.8, draw.random((len(KINDS), 50)) < 0.8
    together = Alternatives(list(packages.values())).best(costs, able, nothing)
    for no in range(50):
        alone = Alternatives(list(packages.values())).best(
            costs[:, [no]], able[:, [no]], nothing[:, [no]]
        )
        assert (together[:, :, no] == alone[:, :, 0]).all()


CATALOGUE = packages_of(
    both=("voice sms", {"fee": 30}),
    talk=("voice", {"fee": 20}),
    texts=("sms", {"fee": 5}),
    more=("sms", {"requires": ["both"]}),
    data=("gprs", {"excludes": ["talk"]}),
    pair=("gprs mms", {}),
)
NO_COSTS = dict.fromkeys(CATALOGUE, 0)


def test_a_main_package_takes_the_cheapest_of_each_kind_that_it_leaves_out():
    costs = NO_COSTS | {"both": -10, "talk": -9, "texts": -2, "data": -5, "pair": -4}
    # With `talk` there is no `data`, so the pair is taken; `both` prices messages already.
    assert found(CATALOGUE, costs) == {
        "both": (("both", "data"), -15),
        "talk": (("pair", "talk", "texts"), -15),
        None: (("data", "texts"), -7),
    }


def test_what_is_required_is_held_too_or_the_package_is_not_taken():
    costs = NO_COSTS | {"more": -50}
    # `more` prices messages as `both` does: no two packages price one service.
    assert all("more" not in ids for ids, _ in found(CATALOGUE, costs).values())


def test_a_kind_that_must_be_priced_leaves_no_alternative_without_a_package_for_it():
    assert found(CATALOGUE, NO_COSTS, nothing=[]) == {}
    alternatives = found(CATALOGUE, NO_COSTS, nothing=["wlan", "mms", "gprs"])
    assert {main: ids for main, (ids, _) in alternatives.items()} == {
        "both": ("both",),
        "talk": ("talk", "texts"),
    }


def test_equal_costs_go_to_the_lower_fee_then_to_fewer_packages_then_to_the_ids():
    packages = packages_of(
        a=("voice", {"fee": 2}),
        b=("voice", {"fee": 1}),
        c=("voice", {"fee": 1}),
        free=("sms", {}),
    )
    costs = dict.fromkeys(packages, 0)
    assert found(packages, costs)["b"] == (("b",), 0)
    best = Alternatives(list(packages.values())).best(
        np.zeros((4, 1), dtype=np.int64), np.ones((4, 1), dtype=bool), np.ones((5, 1), dtype=bool)
    )
    # In the order of the rows a, b, c and none: nothing at all is cheapest in fees.
    assert ordered(best)[:, 0].tolist() == [3, 1, 2, 0]
