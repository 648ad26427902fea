"""Customers and subscribers of a chunk of the synthetic province, with their whole lives.

Intervals are half-open in days. On a day on which a subscriber is not active (not yet joined, gone,
barred, or never activated), there is no usage and no contact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.synthetic.province import CITIES, LINES_PER_CUSTOMER, NEVER, Province

BRANDS = ("gotone", "mzone", "easyown")
BRAND_SHARES = (0.25, 0.30, 0.45)
STATUSES = ("pre", "active", "suspended", "arrears", "churned")
PRE, ACTIVE, SUSPENDED, ARREARS, CHURNED = range(5)
VIP_LEVELS = ("none", "silver", "gold", "diamond")
OLDEST_DAY = -2900  # the first subscribers joined about eight years before the history
QUARANTINE_DAYS = 90  # the least days before a number is given to a new subscriber
SECOND_LINE_SHARE = 0.15
GROUP_CUSTOMER_SHARE = 0.03
JOINED_SHARE, LEFT_SHARE, GONE_SHARE = 0.04, 0.04, 0.01
NEVER_ACTIVATED_SHARE, RECYCLED_SHARE, RENUMBERED_SHARE = 0.005, 0.01, 0.006
SPELL_SHARE = 0.04  # barred for some days, on request or in arrears
VPMN_GROUP_SHARE, VPMN_GROUP_SIZE = 0.2, 10
BROWSING_SHARE = 0.5

SURNAMES = np.array(
    list("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹"), dtype=object
)
GIVEN = np.array(
    list(
        "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国志海燕波宁雪梅婷慧文斌鹏宇浩凯秀云"
    ),
    dtype=object,
)
TRADES = np.array(["机电", "纺织", "物流", "建材", "食品", "印务", "汽配", "园林"], dtype=object)


@dataclass(frozen=True)
class Customers:
    """One row per customer of the chunk, in order of `no` (number within the province).

    `birth_day`, `created` and `vip_changed` are days; `vip` and `new_vip` are places of VIP_LEVELS.
    """

    no: np.ndarray
    group: np.ndarray
    name: np.ndarray
    male: np.ndarray
    birth_day: np.ndarray
    city: np.ndarray
    vip: np.ndarray
    created: np.ndarray
    vip_changed: np.ndarray
    new_vip: np.ndarray


@dataclass(frozen=True)
class Subscribers:
    """One row per subscriber of the chunk. Days count from the first day of the history.

    `owner` is the customer's place in the chunk, `line` the number block. `msisdn` is the number
    held from `joined` on, `new_msisdn` the one from `renumbered` on (NEVER: no change). The
    subscriber is barred with `spell_status` on [spell_from, spell_to). `vpmn` is the group's place
    in the chunk or −1, `short` the short number within the group. `talking`, `texting` and
    `browsing` are tastes: factors with mean about 1 and heavy tails; half of the people never
    browse. `recycled_from` is the place of the former holder of the number, or −1.
    """

    owner: np.ndarray
    line: np.ndarray
    brand: np.ndarray
    joined: np.ndarray
    left: np.ndarray
    activated: np.ndarray
    msisdn: np.ndarray
    new_msisdn: np.ndarray
    renumbered: np.ndarray
    spell_status: np.ndarray
    spell_from: np.ndarray
    spell_to: np.ndarray
    do_not_disturb: np.ndarray
    consent: np.ndarray
    vpmn: np.ndarray
    short: np.ndarray
    talking: np.ndarray
    texting: np.ndarray
    browsing: np.ndarray
    recycled_from: np.ndarray

    def __len__(self) -> int:
        return len(self.owner)

    def active(self, days: np.ndarray) -> np.ndarray:
        """Whether each subscriber (row) uses the network on each day (column)."""
        day = days[None, :]
        held = (self.joined[:, None] <= day) & (day < self.left[:, None])
        barred = (self.spell_from[:, None] <= day) & (day < self.spell_to[:, None])
        return held & ~barred & self.activated[:, None]

    def number_at(self, subscriber: np.ndarray, day: np.ndarray) -> np.ndarray:
        """The number that a subscriber holds on a day."""
        changed = day >= self.renumbered[subscriber]
        return np.where(changed, self.new_msisdn[subscriber], self.msisdn[subscriber])


def customers(province: Province, chunk: int, subscribers: Subscribers) -> Customers:
    """The owners of the chunk's subscribers. `created` is the day on which the first one joins."""
    rng = province.rng(chunk, "customers")
    no = province.customers_of(chunk)
    count = len(no)
    group = rng.random(count) < GROUP_CUSTOMER_SHARE
    name = rng.choice(SURNAMES, count) + rng.choice(GIVEN, count)
    name += np.where(rng.random(count) < 0.7, rng.choice(GIVEN, count), "")
    city = rng.integers(0, len(CITIES), count)
    name = np.where(
        group, np.array(CITIES, dtype=object)[city] + rng.choice(TRADES, count) + "有限公司", name
    )
    created = np.full(count, NEVER)
    np.minimum.at(created, subscribers.owner, subscribers.joined)
    vip = rng.choice(len(VIP_LEVELS), count, p=(0.86, 0.09, 0.04, 0.01))
    changes = (rng.random(count) < 0.02) & (created < 0)
    return Customers(
        no=no,
        group=group,
        name=name,
        male=rng.random(count) < 0.55,
        birth_day=rng.integers(-25_000, -6_000, count),
        city=city,
        vip=vip,
        created=created,
        vip_changed=np.where(changes, rng.integers(1, max(2, province.days), count), NEVER),
        new_vip=np.minimum(vip + 1, len(VIP_LEVELS) - 1),
    )


def subscribers(province: Province, chunk: int) -> Subscribers:
    """The subscribers of a chunk, those who left before or join later included."""
    rng = province.rng(chunk, "people")
    customer = province.customers_of(chunk)
    second = np.nonzero(rng.random(len(customer)) < SECOND_LINE_SHARE)[0]
    owner = np.concatenate([np.arange(len(customer)), second])
    which = np.concatenate([np.zeros(len(customer), int), np.ones(len(second), int)])
    order = np.lexsort((which, owner))
    owner, which = owner[order], which[order]
    count, days = len(owner), province.days
    line = customer[owner] * LINES_PER_CUSTOMER + which
    joined = -(rng.beta(1.0, 2.5, count) * -OLDEST_DAY).astype(np.int64) - 1
    fate = rng.random(count)
    fate[rng.permutation(count)[0]] = 1.0  # even the smallest chunk has a subscriber who stays
    newly = fate < JOINED_SHARE
    joined[newly] = rng.integers(1, days, newly.sum())
    left = np.full(count, NEVER)
    leaving = (fate >= JOINED_SHARE) & (fate < JOINED_SHARE + LEFT_SHARE)
    left[leaving] = rng.integers(1, days + 1, leaving.sum())
    gone = (fate >= JOINED_SHARE + LEFT_SHARE) & (fate < JOINED_SHARE + LEFT_SHARE + GONE_SHARE)
    joined[gone] -= 200
    left[gone] = rng.integers(-150, 0, gone.sum())
    msisdn = province.msisdn(line)
    recycled_from = _recycle(province, rng, joined, left, msisdn)
    settled = (left == NEVER) & (joined < 0) & (recycled_from < 0)
    activated = ~(settled & (rng.random(count) < NEVER_ACTIVATED_SHARE))
    settled &= activated
    spell_status, spell_from, spell_to = _spells(province, rng, settled)
    renumbered = np.where(
        settled & (rng.random(count) < RENUMBERED_SHARE), rng.integers(1, days, count), NEVER
    )
    vpmn, short = _vpmn_groups(rng, settled)
    talking = np.minimum(rng.lognormal(-0.4, 0.9, count), 12.0)
    return Subscribers(
        owner=owner,
        line=line,
        brand=rng.choice(len(BRANDS), count, p=BRAND_SHARES),
        joined=joined,
        left=left,
        activated=activated,
        msisdn=msisdn,
        new_msisdn=province.msisdn(line + 2),
        renumbered=renumbered,
        spell_status=spell_status,
        spell_from=spell_from,
        spell_to=spell_to,
        do_not_disturb=rng.random(count) < 0.06,
        consent=rng.random(count) < 0.8,
        vpmn=vpmn,
        short=short,
        talking=talking,
        texting=np.minimum(rng.lognormal(-0.28, 0.75, count) * talking**0.4, 8.0),
        browsing=np.where(
            rng.random(count) < BROWSING_SHARE,
            np.minimum(rng.lognormal(-0.5, 1.0, count) / BROWSING_SHARE, 25.0),
            0.0,
        ),
        recycled_from=recycled_from,
    )


def _recycle(
    province: Province,
    rng: np.random.Generator,
    joined: np.ndarray,
    left: np.ndarray,
    msisdn: np.ndarray,
) -> np.ndarray:
    """Give the numbers of some former subscribers to new ones; changes the arrays in place.

    The new holder joins within the history. The former holder left at least QUARANTINE_DAYS before;
    in a short history that is before its first day. Returns, for each new holder, the place of the
    former one; −1 for everybody else.
    """
    count = len(joined)
    source = np.full(count, -1)
    pairs = max(1, round(count * RECYCLED_SHARE)) if count >= 20 else 0
    settled = np.nonzero((left == NEVER) & (joined < -400))[0]
    chosen = rng.permutation(settled)[: 2 * pairs]
    for old, new in zip(chosen[0::2], chosen[1::2], strict=False):
        joined[new] = rng.integers(max(1, province.days // 2), province.days)
        left[old] = joined[new] - QUARANTINE_DAYS - rng.integers(0, 30)
        msisdn[new] = msisdn[old]
        source[new] = old
    return source


def _spells(
    province: Province, rng: np.random.Generator, settled: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Status, first day and end of each subscriber's barred days."""
    count = len(settled)
    barred = settled & (rng.random(count) < SPELL_SHARE)
    start = rng.integers(1, max(2, province.days - 3), count)
    end = start + rng.integers(5, 21, count)
    status = np.where(rng.random(count) < 0.6, ARREARS, SUSPENDED)
    return (
        np.where(barred, status, ACTIVE),
        np.where(barred, start, NEVER),
        np.where(barred, end, NEVER),
    )


def _vpmn_groups(rng: np.random.Generator, settled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group (or −1) and short number of each subscriber; neighbours form company groups.

    Members are subscribers who stay, so membership is the same through the whole history.
    """
    place = np.arange(len(settled)) // VPMN_GROUP_SIZE
    group_is = rng.random(place[-1] + 1) < VPMN_GROUP_SHARE
    if len(settled) >= VPMN_GROUP_SIZE and not group_is[:-1].any():
        group_is[0] = True
    member = group_is[place] & settled
    vpmn = np.where(member, place, -1)
    short = 66_000 + np.arange(len(settled)) % VPMN_GROUP_SIZE + (place % 100) * VPMN_GROUP_SIZE
    return vpmn, short
