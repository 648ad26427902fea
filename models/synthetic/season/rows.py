"""The answers of a season as lines of the sources that bring them.

Each function gives the cells of lines in the order of the source's file, by source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from models.synthetic.contact.log_rows import CLERKS, clerk_of
from models.synthetic.season.answers import NaturalOrder, Touch
from models.synthetic.season.planted import Planted, drawn

Cells = tuple[str, ...]
STAMP = "%Y%m%d%H%M%S"
RESULTS = ("2", "3")  # of a call that reached nobody: busy, no answer
PLACES = ("hall", "hotline", "sms")  # where customers order what nobody offered them
AGENTS = 60
AFTER_S = 300  # seconds from a contact to the order, the complaint or the call that follows
DAY_LATE_SHARE = 0.02  # of the feedback
LOGGED = {"hotline_outbound": "hotline", "hotline_inbound": "hotline"}
ORDERED_AT = {"hall": "hall", "sms": "sms", "web": "sms", "wap": "sms", "email": "sms"}


def lines(
    touches: Iterable[Touch],
    naturals: Iterable[NaturalOrder],
    numbers: Mapping[str, str],
    kinds: Mapping[str, str],
    names: Mapping[str, str],
    packages: Iterable[str],
    planted: Planted,
) -> dict[str, list[Cells]]:
    """The lines of a day by source, each source in order of time.

    `numbers`: the number of each subscriber. `kinds`: care or marketing, by campaign. `names`: the
    word for each channel in the feedback file. `packages`: the offers that are tariff packages; the
    CRM books orders of these alone. The others are transactions in a channel's log.
    """
    booked = frozenset(packages)
    found: dict[str, list[tuple[datetime, Cells]]] = defaultdict(list)
    for place, one in enumerate(touches):
        _touch(found, one, f"{one.at:%Y%m%d}{place:06d}", kinds, names, booked, planted)
    for place, order in enumerate(naturals):
        at = int(drawn(planted.seed, "place", order.campaign, order.subscriber) * len(PLACES))
        source, cells = transaction(
            PLACES[at],
            f"N{order.at:%Y%m%d}{place:06d}",
            numbers[order.subscriber],
            order.at,
            order.offer,
        )
        found[source].append((order.at, cells))
    return {source: [cells for _, cells in sorted(rows)] for source, rows in found.items()}


def _touch(
    found: dict[str, list[tuple[datetime, Cells]]],
    one: Touch,
    number: str,
    kinds: Mapping[str, str],
    names: Mapping[str, str],
    booked: frozenset[str],
    planted: Planted,
) -> None:
    push, at = one.push, one.at
    cells: Cells
    channel = LOGGED.get(push.channel, push.channel)
    after = at + timedelta(seconds=AFTER_S)
    order = f"ZB{number}" if one.accepted else ""
    if channel in names:
        answered = one.reached and (one.accepted or one.refusal is not None)
        found["campaign_feedback"].append(
            (
                at,
                (
                    f"ZF{number}",
                    push.campaign,
                    str(push.wave),
                    one.subscriber,
                    names[channel],
                    f"{at:{STAMP}}",
                    str(int(one.reached)),
                    str(int(one.reached)) if one.reached else "",
                    str(int(one.accepted)) if answered else "",
                    str(int(one.accepted)),
                    order,
                    one.refusal or "",
                    _clerk(one, planted) if channel == "hall" else "",
                ),
            )
        )
    if push.channel == "hotline_outbound":
        found["outbound_log"].append((at, _outbound(one, number, kinds[push.campaign], planted)))
    if push.channel == "sms":
        kind = "5" if kinds[push.campaign] == "care" else "6"
        cells = (f"ZS{number}", push.msisdn, "MT", f"{at:{STAMP}}", "", kind, "", "1", "0000")
        found["sms_log"].append((at, (*cells, push.campaign)))
    if one.accepted:
        parts = push.offer.split("+")
        if booked.issuperset(parts):
            for part, package in enumerate(parts):
                cells = (f"{order}{part}", push.campaign, str(push.wave), one.subscriber)
                cells = (*cells, package.upper(), names.get(channel, names["hotline"]))
                found["campaign_order"].append((after, (*cells, f"{after:{STAMP}}", "有效")))
        else:
            place = ORDERED_AT.get(push.channel, "hotline")
            source, cells = transaction(place, f"T{number}", push.msisdn, after, push.offer)
            found[source].append((after, cells))
    if one.complains:
        word = names.get(channel, names["hotline"])
        cells = (f"ZP{number}", push.msisdn, f"{after:{STAMP}}", "热线", word)
        found["complaint"].append((after, (*cells, "营销短信", "客服中心", "", "")))
    if one.calls_back:
        found["hotline_log"].append(
            (after, _call(f"ZR{number}", push.msisdn, after, "01", push.offer))
        )
    if one.objects:
        cells = (push.msisdn, "", "", "1", f"{after:{STAMP}}", "20991231235959")
        found["do_not_contact"].append((after, (*cells, f"{after:{STAMP}}")))


def _clerk(one: Touch, planted: Planted) -> str:
    chance = drawn(planted.seed, "clerk", one.subscriber)
    return clerk_of(int(chance * CLERKS))


def transaction(
    place: str, number: str, msisdn: str, at: datetime, business: str
) -> tuple[str, Cells]:
    """The source and the cells of an order of a business at a hall, by phone or by message."""
    cells: Cells
    if place == "hotline":
        return "hotline_log", _call(f"ZR{number}", msisdn, at, "03", business)
    if place == "sms":
        cells = (f"ZS{number}", msisdn, "MO", f"{at:{STAMP}}", "BL", "3", business, "1", "0000")
        return "sms_log", (*cells, "")
    end = at + timedelta(seconds=AFTER_S)
    cells = (f"ZH{number}", "WH001", "自营厅", msisdn, "", f"{at:{STAMP}}", f"{end:{STAMP}}")
    return "hall_log", (*cells, "Y1001", "办理", business, "无", "0", "成功", "")


def _outbound(one: Touch, number: str, kind: str, planted: Planted) -> Cells:
    chance = drawn(planted.seed, "outcome", number)
    if not one.reached:
        result = RESULTS[int(chance * len(RESULTS))]
    elif one.accepted:
        result = "0"
    else:
        result = "9" if one.objects else "1"
    return (
        f"ZT{number}",
        one.push.campaign,
        str(one.push.wave),
        one.push.msisdn,
        f"{one.at:{STAMP}}",
        str(int(one.reached)),
        result,
        str(30 + int(chance * 200) if one.reached else 0),
        f"Z{1_000 + int(chance * AGENTS)}",
        "05" if kind == "care" else "06",
        "",
    )


def _call(number: str, msisdn: str, at: datetime, kind: str, business: str) -> Cells:
    cells: Cells = (
        number,
        msisdn,
        f"{at:{STAMP}}",
        "1",
        "20",
        "120",
        "01",
        "Z1001",
        kind,
        business,
    )
    return (*cells, "1", "", "")
