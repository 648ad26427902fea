"""The plain reference rater: one customer-month under one package, event by event, exact.

It is written from the tariff language alone and is simple enough to check by eye. It uses no cube
and no Spark, and shares nothing with the compiled catalogue or the evaluator. The tests take it as
the truth, and it bills the synthetic province.

A package is the plain mapping of its YAML file (prices as decimal strings). Quantities are integers
in base units (seconds, bytes, messages). While events are rated, amounts are integers over the
package's own denominator; on the bill they are Fractions of a yuan.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import lcm
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from models.reference.bill import Line, MonthBill, PoolUse, close_month
from models.reference.tariff import (
    UNKNOWN,
    Event,
    band_ranges,
    base_units,
    billed_quantity,
    day_type,
    days_in,
    due_components,
    increment_of,
    matches,
    month_factor,
    pool_size,
    price_steps,
    rounded,
    service_of_rule,
    services_of,
    taken_from,
    unit_price,
    yuan,
)

DAY = 86400
KEPT_RATERS = 64
_raters: dict[str, Rater] = {}


class PriceStep(NamedTuple):
    """The price inside an event from position `start` (base units) on.

    `price` is yuan per base unit × the denominator of the package.
    """

    start: int
    price: int
    increment: int


class PricedComponent(NamedTuple):
    """How one component of an event is charged.

    `no` is the rule's number; None: the component passes through without a price. `first` and
    `next` are the increments in base units. `price` and `connect` are × the denominator.
    """

    no: int | None
    component: str
    first: int
    next: int
    price: int
    connect: int
    pools: tuple[int, ...]


def rate_month(
    package: Mapping,
    events: Sequence[Event],
    month: date,
    joined: date | None = None,
    carried: Mapping[str, int] | None = None,
) -> MonthBill:
    """The bill of one customer-month under one package; see Rater.rate_month."""
    text = repr(package)
    if text not in _raters:
        if len(_raters) >= KEPT_RATERS:
            _raters.clear()
        _raters[text] = Rater(package)
    return _raters[text].rate_month(events, month, joined, carried)


class Rater:
    """One package, prepared for many months: a rule is found once per combination of facts.

    `holidays` decide the day type of a later day that a call reaches, if bands are split. `zone` is
    the time zone of local time; without one, no clock is changed during a call. With
    `toll` "ip_only", the long distance of calls dialled direct is left out (S2-R4).
    Raises ValueError for a package that combines settings whose result is not defined, and for a
    due component without a price.
    """

    def __init__(
        self,
        package: Mapping,
        holidays: Collection[date] = (),
        toll: str = "all",
        zone: str | None = None,
    ):
        self.package, self.holidays, self.toll = package, holidays, toll
        self.zone = ZoneInfo(zone) if zone else None
        self.services = services_of(package)
        self.rules = package["rules"]
        self.rule_services = [service_of_rule(package, rule) for rule in self.rules]
        self.pools = sorted(package.get("pools") or [], key=lambda pool: pool["order"])
        self.bands = band_ranges(package.get("bands") or {})
        self.cuts = sorted({second for *_, start, end in self.bands for second in (start, end)})
        splits = package.get("band_policy", "start") == "split"
        self.split = {  # only what lasts can reach into another band
            no
            for no, service in enumerate(self.rule_services)
            if splits and service in ("voice", "wlan")
        }
        rounding = package.get("rounding") or {"at": "none"}
        self.round_events = rounding["at"] == "event"
        self.scale, self.mode = rounding.get("scale", 2), rounding.get("mode", "half_up")
        self.monthly = {
            no for no, rule in enumerate(self.rules) if rule.get("increment_at") == "month"
        }
        self._refuse_undefined()
        self.connects = [yuan(rule.get("connect")) for rule in self.rules]
        prices = [
            unit_price(step) / taken
            for rule, service in zip(self.rules, self.rule_services, strict=True)
            for step in price_steps(rule)
            for taken in {1, *(taken_from(pool, service) for pool in self.pools)}
        ]
        self.denominator = lcm(*(value.denominator for value in prices + self.connects))
        self.steps = [self._steps_of(rule) for rule in self.rules]
        self.stepped = {
            no for no, steps in enumerate(self.steps) if len(steps) > 1 or no in self.split
        }
        self.exchanging = {
            no
            for no, service in enumerate(self.rule_services)
            if any(taken_from(pool, service) > 1 for pool in self.pools)
        }
        self._charges: dict[tuple, tuple[PricedComponent, ...]] = {}

    def _refuse_undefined(self) -> None:
        """ValueError for settings whose combination has no defined result."""
        by_month = {self.rules[no]["component"] for no in self.monthly}
        by_month |= {tier["component"] for tier in self.package.get("tiers") or []}
        if self.round_events and by_month:
            raise ValueError(f"{self.package['id']}: rounding at event together with month prices")
        if any(no in self.split or "groups" in self.rules[no] for no in self.monthly):
            raise ValueError(f"{self.package['id']}: month increments with groups or split bands")

    def _steps_of(self, rule: Mapping) -> tuple[PriceStep, ...]:
        steps = []
        for step in price_steps(rule):
            price = int(unit_price(step) * self.denominator)
            steps.append(PriceStep(base_units(step.get("start", 0)), price, increment_of(step)[1]))
        return tuple(steps)

    def rate_month(
        self,
        events: Sequence[Event],
        month: date,
        joined: date | None = None,
        carried: Mapping[str, int] | None = None,
    ) -> MonthBill:
        """The bill of the events that belong to the package's services and start in the month.

        `joined` is the customer's first day (for partial months). `carried` holds the units that
        pools with carry_over left unused in the month before (MonthBill.pools[id].carry_out).
        """
        first, last = month, month.replace(day=days_in(month))
        mine = [e for e in events if e.service in self.services and first <= e.local_date <= last]
        mine.sort(key=attrgetter("at", "key"))
        rated = _Month(self, month, joined, carried or {})
        rated.add(mine)
        return rated.close()

    def charges(self, event: Event, second: int) -> tuple[PricedComponent, ...]:
        """The priced components of an event, `second` seconds after the midnight before it."""
        days, second = divmod(second, DAY)
        kind = (
            day_type(event.local_date + timedelta(days), self.holidays) if days else event.day_type
        )
        facts = (*event[1:8], event.day_type, kind, bisect_right(self.cuts, second))
        found = self._charges.get(facts)
        if found is None:
            band = self._band(kind, second)
            charges = [self._charge(component, event, band) for component in self._due(event)]
            charges.sort(key=lambda charge: -1 if charge.no is None else charge.no)
            found = self._charges[facts] = tuple(charges)
        return found

    def _due(self, event: Event) -> list[str]:
        """The components to price. ValueError if one is due and a zone is not known."""
        passes = self.toll == "ip_only" and event.dial == "direct"
        due = [one for one in due_components(event) if one != "toll" or not passes]
        if due and UNKNOWN in (event.roaming, event.toll):
            raise ValueError(f"{self.package['id']}: the zone of {event} is not known: no price")
        return due

    def _band(self, day_type: str, second: int) -> str:
        """The name of the band; off_peak outside all ranges."""
        for name, days, start, end in self.bands:
            if day_type in days and start <= second < end:
                return name
        return "off_peak"

    def _charge(self, component: str, event: Event, band: str) -> PricedComponent:
        for no, rule in enumerate(self.rules):
            if rule["component"] != component or self.rule_services[no] != event.service:
                continue
            if not matches(rule.get("match"), event, band):
                continue
            pools = tuple(
                index
                for index, pool in enumerate(self.pools)
                if pool["id"] in (rule.get("pools") or [])
                and component in pool["components"]
                and matches(pool.get("covers"), event, band)
            )
            first, following = increment_of(price_steps(rule)[0])
            connect = int(self.connects[no] * self.denominator)
            return PricedComponent(
                no, component, first, following, self.steps[no][0].price, connect, pools
            )
        if self.package.get("otherwise") != "pass_through":
            raise ValueError(f"{self.package['id']}: no rule prices the {component} of {event}")
        return PricedComponent(None, component, 0, 0, 0, 0, ())


class _Month:
    """The running sums of one customer-month, by rule and by pool.

    Amounts are yuan × the denominator of the package.
    """

    def __init__(self, rater: Rater, month: date, joined: date | None, carried: Mapping[str, int]):
        self.rater, self.month = rater, month
        self.factor = month_factor(rater.package.get("partial_month", "none"), month, joined)
        self.lines = [Line() for _ in rater.rules]
        self.amounts = [0] * len(rater.rules)
        self.rounded_by = [Fraction(0)] * len(rater.rules)
        self.summed: dict[tuple[int, tuple[int, ...]], int] = {}
        self.passed: dict[tuple[str, str], int] = {}
        self.sizes = [pool_size(pool, self.factor) for pool in rater.pools]
        self.used = False
        self.carried = [carried.get(pool["id"], 0) for pool in rater.pools]
        self.left = [size + more for size, more in zip(self.sizes, self.carried, strict=True)]

    def add(self, events: Sequence[Event]) -> None:
        """Rate events; they must be in order of answer time."""
        rater, lines, amounts = self.rater, self.lines, self.amounts
        for event in events:
            quantity, exact = event.quantity, 0
            charges = rater.charges(event, event.local_second)
            for charge in charges:
                no = charge.no
                if no is None:
                    passed = (event.service, charge.component)
                    self.passed[passed] = self.passed.get(passed, 0) + 1
                    continue
                lines[no].events += 1
                if quantity <= 0:
                    continue
                self.used = True
                if charge.connect:
                    lines[no].connects += 1
                    exact += charge.connect
                if no in rater.monthly:
                    sums = (no, charge.pools)
                    self.summed[sums] = self.summed.get(sums, 0) + quantity
                elif no in rater.stepped:
                    exact += self._rate_increments(event, no, charge)
                else:
                    billed = billed_quantity(quantity, charge.first, charge.next)
                    price = self._paid(no, charge.pools, billed, charge.price)
                    amounts[no] += price
                    exact += price
            if rater.round_events and exact:
                self._round_event(exact, charges)

    def _paid(self, no: int, pools: tuple[int, ...], billed: int, price: int) -> int:
        """Book billed units on a rule's line and return what the units to pay cost."""
        if no in self.rater.exchanging:
            return self._paid_beside_exchange(no, pools, billed, price)
        return price * self._draw(no, pools, billed)

    def _draw(self, no: int, pools: tuple[int, ...], billed: int) -> int:
        """Book billed units on a rule's line and return the units to pay; pools are used first."""
        line = self.lines[no]
        line.units += billed
        for index in pools:
            free = min(billed, self.left[index])
            if free > 0:
                self.left[index] -= free
                billed -= free
                line.free_units += free
                pool = self.rater.pools[index]["id"]
                line.free_by_pool[pool] = line.free_by_pool.get(pool, 0) + free
        return billed

    def _paid_beside_exchange(
        self, no: int, pools: tuple[int, ...], billed: int, price: int
    ) -> int:
        """The same where a base unit of the service takes several units of a pool.

        If the pool holds fewer, a part of the unit is free and the rest pays its share.
        """
        line, rest = self.lines[no], Fraction(billed)
        line.units += billed
        service = self.rater.rule_services[no]
        for index in pools:
            taken = taken_from(self.rater.pools[index], service)
            drawn = min(int(rest * taken), self.left[index])
            if drawn > 0:
                self.left[index] -= drawn
                free = Fraction(drawn, taken)
                rest -= free
                line.free_units += free
                pool = self.rater.pools[index]["id"]
                line.free_by_pool[pool] = line.free_by_pool.get(pool, 0) + free
        return int(price * rest)

    def _rate_increments(self, event: Event, no: int, charge: PricedComponent) -> int:
        """Rate the event increment by increment from answer time on.

        Each increment has the price of the band and step in which it starts, and a started one is
        finished at that price. Returns yuan × the denominator. `no` is the number of `charge`.
        """
        position = exact = 0
        while position < event.quantity:
            end = event.quantity
            if no in self.rater.split:
                no, charge, change = self._charge_at(event, charge.component, position)
                end = min(end, change)
            for step in self.rater.steps[no]:
                if step.start > position:
                    end = min(end, step.start)
                    break
                price, size = step.price, step.increment
            if position == 0 and charge.first != size:
                billed = charge.first
            else:
                billed = -((position - end) // size) * size
            paid = self._paid(no, charge.pools, billed, price)
            self.amounts[no] += paid
            exact += paid
            position += billed
        return exact

    def _charge_at(
        self, event: Event, component: str, position: int
    ) -> tuple[int, PricedComponent, int]:
        """At a position of a split event: rule number, price, and position of the next band cut.

        A change of the clock is a cut too: the call goes on in another local time.
        """
        now = int(event.at) + position
        second = event.local_second + position + self._ahead(now) - self._ahead(int(event.at))
        cuts = self.rater.cuts
        later = cuts[bisect_right(cuts, second % DAY) :] or [DAY]
        room = later[0] - second % DAY
        while self._ahead(now + room - 1) != self._ahead(now):
            room = room // 2
        for charge in self.rater.charges(event, second):
            if charge.component == component and charge.no is not None:
                return charge.no, charge, position + room
        raise ValueError(
            f"{self.rater.package['id']}: {component} has a price for only a part of the event"
        )

    def _ahead(self, instant: int) -> int:
        """By how many seconds the local clock is ahead of UTC."""
        if self.rater.zone is None:
            return 0
        offset = datetime.fromtimestamp(instant, self.rater.zone).utcoffset() or timedelta()
        return int(offset.total_seconds())

    def _round_event(self, exact: int, charges: Sequence[PricedComponent]) -> None:
        """Round the event once; the difference goes to the line of its first component."""
        rater, value = self.rater, Fraction(exact, self.rater.denominator)
        first = next(charge.no for charge in charges if charge.no is not None)
        self.rounded_by[first] += rounded(value, rater.scale, rater.mode) - value

    def _bill_sums(self) -> None:
        """Round the quantity of the month once per rule; its pools are used after all events."""
        if len({no for no, _ in self.summed}) < len(self.summed):
            raise ValueError(
                f"{self.rater.package['id']}: a pool covers only a part of a quantity that is "
                "rounded by the month"
            )
        for (no, pools), quantity in sorted(self.summed.items()):
            billed = billed_quantity(quantity, *increment_of(self.rater.rules[no]))
            self.amounts[no] += self._paid(no, pools, billed, self.rater.steps[no][0].price)

    def close(self) -> MonthBill:
        """The bill of all events added."""
        self._bill_sums()
        rater = self.rater
        uses: dict[str, PoolUse] = {}
        for no, line in enumerate(self.lines):
            line.rated = Fraction(self.amounts[no], rater.denominator)
            line.connect = line.connects * rater.connects[no]
            line.charged = line.amount + self.rounded_by[no]
        for index, pool in enumerate(rater.pools):
            size, carried = self.sizes[index], self.carried[index]
            used = size + carried - self.left[index]
            carry_out = size - max(0, used - carried) if pool.get("carry_over") else 0
            uses[pool["id"]] = PoolUse(size, carried, used, carry_out)
        owed = self.used or rater.package.get("fee_when") != "used"
        factor = self.factor if owed else Fraction(0)
        return close_month(
            rater.package, self.month, factor, self.lines, rater.rule_services, uses, self.passed
        )
