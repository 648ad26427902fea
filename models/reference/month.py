"""The running sums of a customer-month while the reference rater goes through its events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from models.reference.bill import Line, MonthBill, PoolUse, close_month
from models.reference.tariff import (
    DAY,
    Event,
    PricedComponent,
    billed_quantity,
    increment_of,
    month_factor,
    pool_size,
    rounded,
    taken_from,
)

if TYPE_CHECKING:
    from models.reference.rater import Rater


class RunningMonth:
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
