"""Checks of policy.yml: packages, prices of usage, ranking, and the treatment of bill items."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from schemas.config.checks.value_checks import Names
from schemas.config.mapping.expression import columns_of, functions_of
from schemas.contract import Contract
from schemas.document import Document
from schemas.document.violation import near_miss

FROM_RECORDS = ("d12593", "info")  # for direct long distance rating.toll_rerated decides: S2-R4
PUSH_PLACEHOLDERS = ("data_date", "yyyymmdd", "yyyymm")
# Columns of a match that no ranking may use: customer, day, and the rank itself.
NOT_RANKED_BY = ("data_date", "subscriber_id", "rank")
# Functions of single rows with exact results that are the same on every run.
PRIORITY_FUNCTIONS = (
    "abs",
    "array_contains",
    "ceil",
    "coalesce",
    "floor",
    "greatest",
    "if",
    "ifnull",
    "least",
    "nullif",
    "nvl",
    "round",
    "size",
)


def problems(
    found: Document,
    tariffs: Mapping[str, Document],
    packages: Names,
    contracts: Mapping[str, Contract] | None,
) -> Iterator[str]:
    """One line per problem; without `contracts` no columns and bill items are checked.

    `packages`: the names of the tariffs.
    """
    for kind, package in found.data["rating"]["default_package"].items():
        path = ("rating", "default_package", kind)
        if package not in tariffs:
            yield found.problem(path, f"no tariff '{package}'{packages.hint(package)}")
        elif tariffs[package].data.get("kind") != kind:
            data = tariffs[package].data
            own = data["kind"] if "kind" in data else f"{', '.join(data['services'])} together"
            yield found.problem(path, f"the tariff '{package}' is of kind {own}, not {kind}")
    yield from _defaults_apart(found, tariffs)
    items = found.data["bill_items"]
    for item, entry in items.items():
        if entry["treatment"] == "rerated" and "kind" not in entry and item != "package_rent":
            yield found.problem(
                ("bill_items", item), "a re-rated item needs 'kind': voice, gprs, sms, mms or wlan"
            )
    elasticity = Decimal(found.data["rating"].get("usage_elasticity", "0"))
    if not -5 <= elasticity <= 0 or elasticity != round(elasticity, 6):
        yield found.problem(
            ("rating", "usage_elasticity"),
            f"expected 0 to -5 with at most six decimals (usage does not grow with its price); "
            f"got {elasticity}",
        )
    yield from _priority(found, contracts)
    yield from _counted_once(found)
    yield from _bill_items(found, contracts)


def _defaults_apart(found: Document, tariffs: Mapping[str, Document]) -> Iterator[str]:
    """Who holds nothing else holds all default packages, so none may exclude another."""
    defaults = found.data["rating"]["default_package"]
    for kind, package in defaults.items():
        excluded = tariffs[package].data.get("excludes") or () if package in tariffs else ()
        for other in defaults.values():
            if other in excluded and other != package:
                yield found.problem(
                    ("rating", "default_package", kind),
                    f"'{package}' excludes '{other}', which is a default package too: "
                    "name another one, or change excludes",
                )


def _priority(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """The ranking reads columns of a match only, and equal columns give an equal rank."""
    expression, path = found.data["rating"].get("priority", "saving"), ("rating", "priority")
    try:
        read, called = columns_of(expression), functions_of(expression)
    except ValueError as error:
        yield found.problem(path, f"{error}: {expression}")
        return
    for name in called:
        if name not in PRIORITY_FUNCTIONS:
            yield found.problem(
                path,
                f"'{name}' is not allowed in a priority; known: {', '.join(PRIORITY_FUNCTIONS)}",
            )
    if contracts is not None and "mart.package_match" in contracts:
        known = [
            name
            for name in contracts["mart.package_match"].column_names
            if name not in NOT_RANKED_BY
        ]
        for column in read:
            if column.lower() not in known:
                yield found.problem(
                    path,
                    f"mart.package_match has no column '{column}' to rank "
                    f"by{near_miss(column, known)}",
                )


def _counted_once(found: Document) -> Iterator[str]:
    """A fee that the comparison takes from the detail records is not taken from the bill again."""
    all_toll = found.data["rating"]["toll_rerated"] == "all"
    for item, entry in found.data["bill_items"].items():
        treatment, path = entry["treatment"], ("bill_items", item)
        if item == "toll_voice":
            if treatment != ("rerated" if all_toll else "records"):
                yield found.problem(
                    path,
                    "direct long-distance calls are re-rated only if rating.toll_rerated is all: "
                    "write treatment rerated with all, records with ip_only",
                )
        elif item in FROM_RECORDS:
            if treatment != "records":
                yield found.problem(
                    path,
                    "its fee is taken from the detail records: "
                    "write treatment records, or it is counted twice",
                )
        elif treatment == "records":
            yield found.problem(
                path,
                "the detail records do not hold its fee: write treatment rerated or passed",
            )


def _bill_items(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """Every item that a bill may hold has a treatment, and nothing else has one."""
    if contracts is None or "ods.bill_item" not in contracts:
        return
    items = found.data["bill_items"]
    known = contracts["ods.bill_item"].column("item_code").allowed or ()
    for item in items:
        if item not in known:
            yield found.problem(("bill_items", item), f"unknown bill item{near_miss(item, known)}")
    for item in known:
        if item not in items:
            yield found.problem(("bill_items",), f"the bill item '{item}' has no treatment")
