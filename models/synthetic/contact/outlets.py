"""Halls, shops, agents and terminals of the synthetic province; they do not grow with its size."""

from dataclasses import dataclass

import numpy as np

from models.synthetic.contact.contacts import AGENT, HALL, SHOP


@dataclass(frozen=True)
class Outlet:
    """`channel` is a place of CHANNELS, `city` of CITIES; area in hundredths of a square metre."""

    no: str
    name: str
    channel: int
    city: int
    area: int
    staff: int


OUTLETS = (
    Outlet("WH001", "江汉路营业厅", HALL, 0, 42_000, 24),
    Outlet("WH002", "解放大道营业厅", HALL, 0, 31_050, 18),
    Outlet("YC001", "夷陵营业厅", HALL, 1, 26_000, 12),
    Outlet("XF001", "樊城营业厅", HALL, 2, 22_075, 10),
    Outlet("ZD001", "光谷指定专营店", SHOP, 0, 9_000, 5),
    Outlet("ZD002", "沙市指定专营店", SHOP, 3, 7_550, 4),
    Outlet("ZD003", "黄石港指定专营店", SHOP, 4, 6_000, 4),
    Outlet("DL001", "东湖通讯", AGENT, 0, 2_400, 2),
    Outlet("DL002", "枝江手机行", AGENT, 1, 1_800, 2),
    Outlet("DL003", "枣阳通信", AGENT, 2, 2_000, 2),
    Outlet("DL004", "十堰数码", AGENT, 5, 1_550, 1),
)
TERMINALS = tuple((f"ZZ{n + 1:03d}", one.name) for n, one in enumerate(OUTLETS[:4]))


def numbers_of(channel: int) -> np.ndarray:
    """The numbers of the outlets of a channel."""
    return np.array([one.no for one in OUTLETS if one.channel == channel], dtype=object)


def terminals(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number and place of terminals, by their place in TERMINALS."""
    names = np.array(TERMINALS, dtype=object)
    return names[chosen, 0], names[chosen, 1]
