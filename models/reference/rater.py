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
from datetime import date, timedelta
from math import lcm
from operator import attrgetter
from zoneinfo import ZoneInfo

from models.reference.bill import MonthBill
from models.reference.month import RunningMonth
from models.reference.tariff import (
    DAY,
    UNKNOWN,
    Event,
    PricedComponent,
    PriceStep,
    band_ranges,
    base_units,
    day_type,
    days_in,
    due_components,
    increment_of,
    matches,
    price_steps,
    service_of_rule,
    services_of,
    taken_from,
    unit_price,
    yuan,
)

KEPT_RATERS = 64
_raters: dict[str, Rater] = {}


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
        rated = RunningMonth(self, month, joined, carried or {})
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
