"""What the CRM of the synthetic province delivers: a full load on the first day, then changes.

A change is delivered on the day on which it is known: a subscriber who leaves at midnight is in the
file of the day that ends then. The full load holds the state at the end of the first day.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.synthetic.people.packages import Holding
from models.synthetic.people.people import (
    ACTIVE,
    BRANDS,
    CHURNED,
    PRE,
    VIP_LEVELS,
    Customers,
    Subscribers,
)
from models.synthetic.province import AREA_CODES, CITIES, NEVER, Province, moment
from models.synthetic.rows import Rows, table

CUSTOMER_COLUMNS = (
    "cust_id",
    "cust_type",
    "cust_name",
    "gender",
    "birthday",
    "region",
    "vip_level",
    "create_date",
    "change_time",
)
SUBSCRIBER_COLUMNS = (
    "user_id",
    "cust_id",
    "serial_number",
    "brand_code",
    "state_code",
    "open_date",
    "area_code",
    "branch_name",
    "dnd_flag",
    "promo_flag",
    "eff_time",
    "exp_time",
    "change_time",
)
PACKAGE_COLUMNS = (
    "user_id",
    "product_code",
    "eff_date",
    "end_date",
    "order_channel",
    "order_time",
    "change_time",
)
VIP_TEXTS = dict(zip(VIP_LEVELS, ("普通", "银卡", "金卡", "钻石卡"), strict=True))
BRAND_CODES = dict(zip(BRANDS, ("1000", "1001", "1002"), strict=True))
STATE_CODES = ("0", "1", "2", "3", "9")
OPEN_TIME, OPEN_DATE = "20991231235959", "20991231"
SHOP_OPENS, LONGEST_WAIT = 9 * 3600, 3600


def customer_id(number: int) -> str:
    """The CRM's number of a customer."""
    return f"27{number:010d}"


def subscriber_id(line: int) -> str:
    """The CRM's number of a subscriber."""
    return f"1{line:011d}"


def customer_rows(province: Province, people: Customers) -> Rows:
    """One row per customer, and one more for each later change of the VIP level."""
    records = []
    for place, number in enumerate(people.no.tolist()):
        created, changed = int(people.created[place]), int(people.vip_changed[place])
        versions = [(created, people.vip[place])]
        if NEVER > changed > created:
            versions.append((changed, people.new_vip[place]))
        for day, vip in _delivered(province, versions):
            second = second_of(number, day)
            group = people.group[place]
            records.append(
                (
                    max(day, 0),
                    number,
                    customer_id(number),
                    "集团" if group else "个人",
                    people.name[place],
                    "" if group else "男" if people.male[place] else "女",
                    "" if group else f"{province.day(people.birth_day[place]):%Y%m%d}",
                    CITIES[people.city[place]],
                    VIP_TEXTS[VIP_LEVELS[vip]],
                    f"{province.day(created):%Y%m%d}",
                    moment(province, day, second),
                )
            )
    return table(CUSTOMER_COLUMNS, records)


def subscriber_rows(province: Province, owners: Customers, people: Subscribers) -> Rows:
    """One row per number held and change of state."""
    records = []
    for place, line in enumerate(people.line.tolist()):
        city = owners.city[people.owner[place]]
        states = _states(people, place)
        for day, (status, number, start, end, step) in _last_known(province, states):
            records.append(
                (
                    max(day, 0),
                    line * 8 + step,
                    subscriber_id(line),
                    customer_id(owners.no[people.owner[place]]),
                    str(number),
                    BRAND_CODES[BRANDS[people.brand[place]]],
                    STATE_CODES[status],
                    f"{province.day(people.joined[place]):%Y%m%d}",
                    AREA_CODES[city],
                    CITIES[city] + "分公司",
                    str(int(people.do_not_disturb[place])),
                    str(int(people.consent[place])),
                    moment(province, start, 0),
                    OPEN_TIME if end == NEVER else moment(province, end, 0),
                    moment(province, day, second_of(line, day) + step * LONGEST_WAIT),
                )
            )
    return table(SUBSCRIBER_COLUMNS, records)


def package_rows(province: Province, people: Subscribers, holdings: Sequence[Holding]) -> Rows:
    """One row per order and one per cancellation. The file names the last day paid for."""
    records = []
    for holding in holdings:
        line = int(people.line[holding.subscriber])
        versions = [(holding.ordered, NEVER)]
        if holding.end != NEVER:
            versions.append((holding.cancelled, holding.end))
        for day, end in _delivered(province, versions):
            wait = 0 if end == NEVER else 6 * LONGEST_WAIT
            ordered = moment(province, holding.ordered, second_of(line, holding.ordered))
            records.append(
                (
                    max(day, 0),
                    line,
                    subscriber_id(line),
                    holding.package.upper(),
                    f"{province.day(holding.start):%Y%m%d}",
                    OPEN_DATE if end == NEVER else f"{province.day(end - 1):%Y%m%d}",
                    holding.order_channel,
                    ordered,
                    moment(province, day, second_of(line, day) + wait),
                )
            )
    return table(PACKAGE_COLUMNS, records)


def _states(people: Subscribers, place: int) -> list[tuple[int, tuple]]:
    """(day known, (status, number, from, to, step)) in order; `step` orders the rows of a day."""
    joined, left = int(people.joined[place]), int(people.left[place])
    renumbered = int(people.renumbered[place])
    steps = [(joined, 0, "join")]
    if people.spell_from[place] != NEVER:
        steps += [
            (int(people.spell_from[place]), 1, "bar"),
            (int(people.spell_to[place]), 2, "unbar"),
        ]
    if renumbered != NEVER:
        steps.append((renumbered - 1, 3, "renumber"))
    if left != NEVER:
        steps.append((left - 1, 5, "leave"))
    status = ACTIVE if people.activated[place] else PRE
    number, start = people.msisdn[place], joined
    states = []
    for day, step, what in sorted(steps):
        if what == "bar":
            status = int(people.spell_status[place])
        elif what == "unbar":
            status = ACTIVE
        elif what == "leave":
            states.append((day, (CHURNED, number, start, left, step)))
            continue
        elif what == "renumber":
            states.append((day, (status, number, start, renumbered, step)))
            number, start, step = people.new_msisdn[place], renumbered, step + 1
        states.append((day, (status, number, start, NEVER, step)))
    return states


def _last_known(province: Province, states: Sequence[tuple[int, tuple]]) -> list[tuple[int, tuple]]:
    """The last state of each number in the full load, and every later state of the history."""
    full = {content[2]: (day, content) for day, content in states if day <= 0}
    later = [(day, content) for day, content in states if 0 < day < province.days]
    return [*full.values(), *later]


def _delivered(province: Province, versions: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The last version of the full load, and every later one within the history."""
    full = [version for version in versions if version[0] <= 0][-1:]
    return full + [version for version in versions if 0 < version[0] < province.days]


def second_of(number: int, day: int) -> int:
    """A second of the first opening hour, fixed by number and day: no change precedes its order."""
    return SHOP_OPENS + (number * 7_919 + day * 104_729) % LONGEST_WAIT
