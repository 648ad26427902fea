"""References between the files of a configuration, and from them to the contracts.

The shape of each file is settled before (overlay.py). Here: names that nothing defines, values
that exclude each other, intervals that end before they begin or overlap where only one may hold.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.config import source_checks as source_reference
from schemas.config.expression import columns_of, functions_of
from schemas.config.overlay import Documents
from schemas.config.value_checks import repeated, template_problems, zone_problem
from schemas.contract import Contract
from schemas.document import Document
from schemas.document.violation import near_miss

FROM_RECORDS = ("d12593", "info")  # of direct toll the policy decides: S2-R4
PUSH_PLACEHOLDERS = ("data_date", "yyyymmdd", "yyyymm")
# What packages are not ranked by: who and when it is, and the rank itself.
NOT_RANKED_BY = ("data_date", "subscriber_id", "rank")
# Functions of single rows whose answers are exact and the same every time.
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
SCRIPT_PLACEHOLDERS = (
    "package_name",
    "cost_before",
    "cost_after",
    "saving",
    "months_won",
    "valid_until",
)


def problems(documents: Documents, contracts: Mapping[str, Contract] | None) -> list[str]:
    """One line per problem, file by file."""
    sets = {
        "channels": tuple(documents.channels.data),
        "packages": tuple(documents.tariffs),
        "businesses": tuple(documents.services.data),
    }
    return [
        *_runtime(documents.runtime),
        *source_reference.problems(documents.sources, contracts, sets),
        *_channels(documents.channels, contracts),
        *_policy(documents, contracts),
        *_campaigns(documents),
        *_tariffs(documents.tariffs),
    ]


def _runtime(found: Document) -> Iterator[str]:
    yield from zone_problem(found, ("timezone",), found.data["timezone"])


def _channels(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    first: dict[int, str] = {}
    for name, entry in found.data.items():
        other = first.setdefault(entry["order"], name)
        if other != name:
            yield found.problem(
                (name, "order"),
                f"{entry['order']} is already the order of '{other}': each channel has its own",
            )
        if Decimal(entry["unit_cost"]) < 0:
            yield found.problem(
                (name, "unit_cost"), f"expected 0 or more; got {entry['unit_cost']}"
            )
        if "push" in entry:
            if "capacity" not in entry:
                yield found.problem(
                    (name,),
                    "a pushed channel needs 'capacity': write how many "
                    "contacts a day it carries, 0 for never",
                )
            yield from _push(found, name, entry["push"], contracts)


def _push(found: Document, channel: str, push: Mapping, contracts: Mapping | None) -> Iterator[str]:
    path = (channel, "push")
    yield from template_problems(found, (*path, "file"), push["file"], PUSH_PLACEHOLDERS)
    yield from repeated(found, (*path, "columns"), push["columns"])
    if contracts is None:
        return
    table = f"push.{channel}"
    if table not in contracts:
        yield found.problem(path, f"a pushed channel needs the contract {table}")
        return
    for position, column in enumerate(push["columns"]):
        known = contracts[table].column_names
        if column not in known:
            yield found.problem(
                (*path, "columns", position),
                f"{table} has no column '{column}'{near_miss(column, known)}",
            )


def _policy(documents: Documents, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    found, tariffs = documents.policy, documents.tariffs
    for kind, package in found.data["rating"]["default_package"].items():
        path = ("rating", "default_package", kind)
        if package not in tariffs:
            yield found.problem(path, f"no tariff '{package}'{near_miss(package, tariffs)}")
        elif tariffs[package].data["kind"] != kind:
            yield found.problem(
                path,
                f"the tariff '{package}' is of kind {tariffs[package].data['kind']}, not {kind}",
            )
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
            (
                f"expected 0 to -5 with at most six decimals: dearer usage is not used more; "
                f"got {elasticity}"
            ),
        )
    yield from _priority(found, contracts)
    yield from _counted_once(found)
    yield from _bill_items(found, contracts)


def _priority(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """A ranking is made of the columns of a match, and again the same of the same columns."""
    expression, path = found.data["rating"].get("priority", "saving"), ("rating", "priority")
    try:
        read, called = columns_of(expression), functions_of(expression)
    except ValueError as error:
        yield found.problem(path, f"{error}: {expression}")
        return
    for name in called:
        if name not in PRIORITY_FUNCTIONS:
            yield found.problem(
                path, f"'{name}' may not be used there; known: {', '.join(PRIORITY_FUNCTIONS)}"
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
    """A fee that the comparison takes from the detail records is not taken from the bill too."""
    all_toll = found.data["rating"]["toll_rerated"] == "all"
    for item, entry in found.data["bill_items"].items():
        treatment, path = entry["treatment"], ("bill_items", item)
        if item == "toll_voice":
            if treatment != ("rerated" if all_toll else "records"):
                yield found.problem(
                    path,
                    (
                        "direct long-distance calls are re-rated if and only if rating.toll_rerated "
                        "is all: write treatment rerated with all, records with ip_only"
                    ),
                )
        elif item in FROM_RECORDS:
            if treatment != "records":
                yield found.problem(
                    path,
                    "its fee is taken from the detail records: write "
                    "treatment records, or it is counted twice",
                )
        elif treatment == "records":
            yield found.problem(
                path,
                "its fee does not stand in the detail records: write treatment rerated or passed",
            )


def _bill_items(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """Every item that a bill may hold has a treatment, and no other."""
    if contracts is None or "ods.bill_item" not in contracts:
        return
    items = found.data["bill_items"]
    known = contracts["ods.bill_item"].column("item_code").allowed
    for item in items:
        if item not in known:
            yield found.problem(("bill_items", item), f"unknown bill item{near_miss(item, known)}")
    for item in known:
        if item not in items:
            yield found.problem(("bill_items",), f"the bill item '{item}' has no treatment")


def _campaigns(documents: Documents) -> Iterator[str]:
    channels = documents.channels.data
    for name, found in documents.campaigns.items():
        entry = found.data
        yield from _own_name(found, name)
        yield from _interval(found)
        yield from repeated(found, ("channels",), entry["channels"])
        for position, channel in enumerate(entry["channels"]):
            path = ("channels", position)
            if channel not in channels:
                yield found.problem(
                    path, f"unknown channel '{channel}'{near_miss(channel, channels)}"
                )
            elif "push" not in channels[channel]:
                yield found.problem(path, f"the channel '{channel}' has no push in channels.yml")
        if not 0 <= Decimal(entry["control_share"]) < 1:
            yield found.problem(
                ("control_share",),
                f"expected 0 or more and less than 1; got {entry['control_share']}",
            )
        yield from template_problems(found, ("script",), entry["script"], SCRIPT_PLACEHOLDERS)
    yield from _rivals(documents.campaigns)


def _rivals(campaigns: Mapping[str, Document]) -> Iterator[str]:
    """Campaigns in force on the same day whose order would be left to chance."""
    entries = list(campaigns.items())
    for position, (name, found) in enumerate(entries):
        for other, before in entries[:position]:
            mine, theirs = found.data, before.data
            if (
                mine["priority"] == theirs["priority"]
                and _start(mine) < _end(theirs)
                and _start(theirs) < _end(mine)
            ):
                yield found.problem(
                    ("priority",),
                    (
                        f"{mine['priority']} is also the priority of '{other}', valid at the same "
                        f"time: give one of them another"
                    ),
                )


def _tariffs(tariffs: Mapping[str, Document]) -> Iterator[str]:
    for name, found in tariffs.items():
        yield from _own_name(found, name)
        yield from _interval(found)


def _own_name(found: Document, stem: str) -> Iterator[str]:
    if found.data["id"] != stem:
        yield found.problem(
            ("id",), f"expected '{stem}', the name of the file; got '{found.data['id']}'"
        )


def _interval(found: Document) -> Iterator[str]:
    if _end(found.data) <= _start(found.data):
        yield found.problem(
            ("valid", "to"),
            f"expected a date after {_start(found.data)} (the "
            f"last day is not included); got {_end(found.data)}",
        )


def _start(entry: Mapping[str, Any]) -> date:
    return entry["valid"]["from"]


def _end(entry: Mapping[str, Any]) -> date:
    return entry["valid"]["to"]
