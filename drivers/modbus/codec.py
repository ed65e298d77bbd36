"""Registers and bits to values and back. Pure; no value is ever guessed: what is not a number is None."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from drivers.api import Refused
from drivers.modbus.arc import arc_level, arc_percent
from drivers.profile import Encoding, ModbusPoint, WireType

FORMATS = {
    WireType.UINT16: ">H",
    WireType.INT16: ">h",
    WireType.UINT32: ">I",
    WireType.INT32: ">i",
    WireType.FLOAT32: ">f",
    WireType.UINT64: ">Q",
    WireType.INT64: ">q",
    WireType.FLOAT64: ">d",
}
FLOATS = frozenset({WireType.FLOAT32, WireType.FLOAT64})


def decode(words: Sequence[int], point: ModbusPoint) -> float | None:
    """The scaled value in ``words`` (registers, or one 0/1 of a coil or discrete input), None where it has none.

    No value is: a sentinel, NaN, an infinity. Raises ValueError when the number of words is not the type's.
    """
    if len(words) != point.type.registers:
        raise ValueError(f"{point.name}: {len(words)} words for {point.type}")
    if point.type is WireType.BIT:
        return float(words[0] >> (point.bit or 0) & 1)
    if point.bits is not None:
        words = (words[0] >> point.bits[0] & (1 << point.bits[1] - point.bits[0] + 1) - 1,)
    raw = _bytes(words, point)
    if point.sentinels and int.from_bytes(raw, "big") in point.sentinels:
        return None
    number: float = struct.unpack(FORMATS[point.type], raw)[0]
    if point.encoding is Encoding.DALI_ARC:
        return arc_percent(int(number))
    value = scaled(number, point)
    return value if math.isfinite(value) else None


def encode(value: float, point: ModbusPoint) -> list[int]:
    """The words that carry ``value``, rounded to the nearest raw step. Raises Refused when it does not fit."""
    if not math.isfinite(value):
        raise Refused(f"{value} is no number")
    if point.minimum is not None and value < point.minimum:
        raise Refused(f"{value:g} is below the minimum {point.minimum:g}")
    if point.maximum is not None and value > point.maximum:
        raise Refused(f"{value:g} is above the maximum {point.maximum:g}")
    if point.type is WireType.BIT:
        return [_bit(value, point)]
    number = (value - point.offset) / point.scale
    if point.encoding is Encoding.DALI_ARC:
        number = arc_level(value)
    try:
        raw = struct.pack(FORMATS[point.type], number if point.type in FLOATS else round(number))
    except (struct.error, OverflowError) as error:
        raise Refused(f"{value:g} does not fit into {point.type}") from error
    if int.from_bytes(raw, "big") in point.sentinels:
        raise Refused(f"{value:g} is written like this device's mark for no value")
    words = [high << 8 | low for high, low in zip(raw[::2], raw[1::2], strict=True)]
    return words if point.word_order == "big" else words[::-1]


def scaled(number: float, point: ModbusPoint) -> float:
    """``number * scale + offset``, without the last binary digits that a decimal scale leaves (230.50000000000003)."""
    if point.scale == 1.0 and point.offset == 0.0:
        return float(number)
    return float(f"{number * point.scale + point.offset:.15g}")


def _bytes(words: Sequence[int], point: ModbusPoint) -> bytes:
    ordered = words if point.word_order == "big" else words[::-1]
    return struct.pack(f">{len(ordered)}H", *ordered)


def _bit(value: float, point: ModbusPoint) -> int:
    if value not in (0.0, 1.0):
        raise Refused(f"{value:g} is neither 0 nor 1")
    if point.bit is not None:
        raise Refused("one bit of a register cannot be written without touching its neighbours")
    return int(value)
