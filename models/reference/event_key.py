"""The key that orders events of one instant: 64-bit xxHash of their facts, as tables hold it.

The key of a whole record is in the table (`record_key`). An event of several records has none, so
its key is made from what decides its price. This is the published algorithm in plain Python.
"""

from __future__ import annotations

from collections.abc import Iterable

SEED = 42
_MASK = 2**64 - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def event_key(values: Iterable[str | bool | int | None]) -> int:
    """The signed key of some values in their order; a missing value changes nothing.

    A text counts as UTF-8, true and false as four bytes, another number as eight.
    """
    hashed = SEED
    for value in values:
        if value is not None:
            hashed = xxhash64(_bytes(value), hashed)
    return hashed - 2**64 if hashed >= 2**63 else hashed


def _bytes(value: str | bool | int) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return value.to_bytes(4 if isinstance(value, bool) else 8, "little", signed=True)


def xxhash64(data: bytes, seed: int) -> int:
    """The unsigned 64-bit xxHash of some bytes."""
    hashed, place = (seed + _P5) & _MASK, 0
    if len(data) >= 32:
        hashed, place = _stripes(data, seed)
    hashed = (hashed + len(data)) & _MASK
    while place + 8 <= len(data):
        hashed ^= _round(0, _word(data, place, 8))
        hashed = (_rotated(hashed, 27) * _P1 + _P4) & _MASK
        place += 8
    if place + 4 <= len(data):
        hashed ^= (_word(data, place, 4) * _P1) & _MASK
        hashed = (_rotated(hashed, 23) * _P2 + _P3) & _MASK
        place += 4
    for byte in data[place:]:
        hashed ^= (byte * _P5) & _MASK
        hashed = (_rotated(hashed, 11) * _P1) & _MASK
    hashed = ((hashed ^ hashed >> 33) * _P2) & _MASK
    hashed = ((hashed ^ hashed >> 29) * _P3) & _MASK
    return hashed ^ hashed >> 32


def _stripes(data: bytes, seed: int) -> tuple[int, int]:
    """The hash of all whole stripes of 32 bytes, and how many bytes they are."""
    lanes = [seed + _P1 + _P2, seed + _P2, seed, seed - _P1]
    whole = len(data) // 32 * 32
    for start in range(0, whole, 32):
        lanes = [_round(lane, _word(data, start + 8 * no, 8)) for no, lane in enumerate(lanes)]
    hashed = sum(_rotated(lane, turn) for lane, turn in zip(lanes, (1, 7, 12, 18), strict=True))
    for lane in lanes:
        hashed = ((hashed ^ _round(0, lane)) * _P1 + _P4) & _MASK
    return hashed, whole


def _round(lane: int, word: int) -> int:
    return (_rotated((lane + word * _P2) & _MASK, 31) * _P1) & _MASK


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _word(data: bytes, start: int, size: int) -> int:
    return int.from_bytes(data[start : start + size], "little")
