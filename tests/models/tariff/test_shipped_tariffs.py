"""The tariff packages of the configuration: complete, and read the same way by two programs."""

import re
from collections import Counter
from datetime import date
from fractions import Fraction
from itertools import product

import pytest

from models.reference.rater import Rater
from models.tariff import catalogue
from models.tariff import package as tariff
from models.tariff.package import FACT_VALUES, SERVICE_FACTS
from schemas import document
from tests.given.paths import ROOT
from tests.given.tariff_examples import call, message, online, session


@pytest.fixture(scope="module")
def sold():
    """The catalogue of the configuration, and its documents."""
    documents = [document.read(path) for path in sorted((ROOT / "conf/tariffs").glob("*.yml"))]
    return catalogue.load(documents), documents


def test_the_gprs_prices_of_2009_are_open_from_their_first_day(sold):
    standard = ["gprs_standard"]
    of_2009 = ["gprs_100", "gprs_20", "gprs_200", "gprs_5", "gprs_50"]
    for day, ids in [(date(2008, 12, 31), standard), (date(2009, 1, 1), of_2009 + standard)]:
        assert [package.id for package in sold[0].open_on(day, "gprs")] == ids


@pytest.mark.parametrize(
    ("fee", "minutes", "peak", "off_peak"),
    [
        (80, 200, "0.40", "0.24"),
        (108, 360, "0.30", "0.18"),
        (168, 700, "0.25", "0.15"),
        (220, 1100, "0.20", "0.12"),
    ],
)
def test_the_gotone_packages_are_those_of_the_list_of_2006(sold, fee, minutes, peak, off_peak):
    package = sold[0].packages[f"gotone_{fee}"]
    assert (package.monthly_fee, package.pools[0].size) == (fee, minutes * 60)
    for hour, expected in [(7, off_peak), (8, peak), (19, peak), (20, off_peak)]:
        local = {
            "service": "voice",
            "direction": "mo",
            "roaming": "home",
            "toll": "local",
            "dial": "direct",
            "in_group": False,
            "day_type": "weekend",
        }
        rule = tariff.first_rule(package, "airtime", local | {"slot_from": hour * 3600})
        assert (rule.rate, rule.per) == (Fraction(expected), 60)


@pytest.mark.parametrize(
    ("fee", "megabytes"),
    [
        (5, 30),
        (20, 150),
        (50, 500),
        (100, 2 * 1024),
        (200, 5 * 1024),
    ],
)
def test_the_gprs_packages_are_those_of_the_price_list_of_2009(sold, fee, megabytes):
    package = sold[0].packages[f"gprs_{fee}"]
    assert (package.monthly_fee, package.pools[0].size) == (fee, megabytes * 1024**2)
    assert package.caps == {"data": 500}
    over = tariff.first_rule(package, "volume", {"service": "data", "roaming": "home"})
    assert (over.rate, over.increment) == (Fraction("0.01"), (1024, 1024))


def test_the_packages_of_the_configuration_say_where_their_prices_are_from(sold):
    packages = sold[0].packages.values()
    shape = document.read(ROOT / "schemas" / "shapes" / "tariff.yml").data
    for found in sold[1]:
        document.check(found, shape)
    assert len(packages) >= 40
    kinds = Counter(package.kind for package in packages)
    assert set(kinds) == {"voice", "gprs", "sms", "mms", "wlan", "bundle"}
    assert min(kinds.values()) >= 4
    sourced = [package for package in packages if package.source != "assumed"]
    assert len(sourced) >= 10
    for package in sourced:
        assert re.search("price list of|conditions: ", package.source), package.id
    brands = {brand for p in packages if p.kind == "voice" for brand in p.brands}
    assert brands == {"gotone", "mzone", "easyown"}


def test_catalogue_and_reference_rater_read_each_package_the_same_way(sold):
    """Rule and pools of each combination of facts, found by two programs that share nothing."""
    packages, documents = sold
    events = {
        "voice": call(60),
        "sms": message(),
        "mms": message(service="mms"),
        "data": session(1),
        "wlan": online(60),
    }
    for found in documents:
        package, rater = packages.packages[found.data["id"]], Rater(found.data)
        for service in package.services:
            names = [fact for fact in SERVICE_FACTS[service] if fact != "day_type"]
            for second, *values in product(
                packages.cuts(service), *(FACT_VALUES[fact] for fact in names)
            ):
                facts = dict(zip(names, values, strict=True))
                cell = {"service": service, "day_type": "workday", "slot_from": second, **facts}
                _read_alike(package, rater, cell, events[service]._replace(**facts), second)


def _read_alike(package, rater, cell, event, second):
    charges = {charge.component: charge for charge in rater.charges(event, second)}
    assert tuple(sorted(charges)) == tuple(sorted(tariff.due_components(cell)))
    for component, charge in charges.items():
        rule = tariff.first_rule(package, component, cell)
        assert (rule and rule.no) == charge.no
        drawn = tariff.drawn_pools(package, rule, cell) if rule else ()
        assert [p.id for p in drawn] == [rater.pools[no]["id"] for no in charge.pools]
