"""Register maps of DALI gateways, written from their makers' documents and IEC 62386-102. Node 0 is lamp 1.

A node that is silent or without mains does not answer on its DALI line: its level is 255 (MASK), with Intesis 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import partial

from sim.lamp import Lamp
from sim.lamp_failures import Failure
from sim.registers import HOLDINGS, INPUTS, Cell, Unit

NODES = 64
MASK = 255
BROADCAST = 127
CURVE: list[float] = [0.0, *(10.0 ** (3.0 * (level - 1) / 253.0) / 10.0 for level in range(1, 255))]
"""Percent of the light by DALI level, three decades over 253 steps."""

Nodes = Mapping[int, Lamp]
"""Lamps by their number at the gateway, from 1."""


def dali_level(percent: float) -> int:
    """The level whose light is nearest in ratio."""
    above = min(bisect_left(CURVE, percent), 254)
    if above < 2:
        return above
    return above if percent**2 > CURVE[above] * CURVE[above - 1] else above - 1


def intesis_unit(name: str, nodes: Nodes) -> Unit:
    """Intesis INMBSDAL: 100 registers a ballast, levels in percent."""
    unit = Unit(name, identity=("HMS Networks", "INMBSDAL0640200", "1.3"))
    unit.cover(HOLDINGS, 0, 20001)
    for number, lamp in nodes.items():
        base = 100 * (number - 1)
        unit.place(HOLDINGS, base + 5, Cell(partial(_status, lamp)))
        unit.place(HOLDINGS, base + 6, Cell(partial(lambda node: round(_shown(node)) if node.answers else 0, lamp)))
        unit.place(HOLDINGS, base + 80, Cell(partial(_led_status, lamp)))
        told = partial(lambda node: round(node.command_pct), lamp)
        unit.place(HOLDINGS, base + 15, Cell(told, partial(_tell, lamp), highest=100))
    return unit


def ecodim_unit(name: str, nodes: Nodes) -> Unit:
    """ECOdim DALI GW2: five registers a device, the first one for writing, the last one shows the level."""
    unit = Unit(name, identity=("ECOdim", "DALI GW2", "1"))
    unit.cover(HOLDINGS, 3000, 5 * NODES)
    for number, lamp in nodes.items():
        base = 3000 + 5 * (number - 1)
        unit.place(HOLDINGS, base, Cell(lambda: 0, partial(_tell_level, lamp), highest=254))
        unit.place(HOLDINGS, base + 2, Cell(lambda: 1))
        unit.place(HOLDINGS, base + 4, Cell(partial(_level, lamp)))
    return unit


class Mailbox:
    """Two registers that all nodes share: control byte and target, then the level in the high byte.

    A telegram is delivered when its second register is written and its control byte has moved since the last one.
    """

    def __init__(self, deliver: Callable[[int, int], None]) -> None:
        self._deliver = deliver
        self._head, self._value, self._taken = 0, 0, 0

    def cells(self) -> tuple[Cell, Cell]:
        """The two registers; they can be read back."""
        return Cell(lambda: self._head, self._put_head), Cell(lambda: self._value, self._put_value)

    def _put_head(self, raw: int) -> None:
        self._head = raw

    def _put_value(self, raw: int) -> None:
        self._value = raw
        if self._head >> 8 != self._taken:
            self._taken = self._head >> 8
            self._deliver(self._head & 0xFF, raw >> 8)


def adfweb_unit(name: str, nodes: Nodes) -> Unit:
    """ADFweb HD67843 / HD67845: four input registers a node, of which the first is status and level."""
    unit = Unit(name, identity=("ADFweb", "HD67845-B2", "1.100"))
    unit.cover(INPUTS, 0, 4 * NODES)
    for number, lamp in nodes.items():
        both = partial(lambda node: _status(node) << 8 | _level(node), lamp)
        unit.place(INPUTS, 4 * (number - 1), Cell(both))

    def deliver(target: int, level: int) -> None:
        for number, lamp in nodes.items():
            if target in (number - 1, BROADCAST) and level != MASK:
                _tell_level(lamp, level)

    for address, cell in enumerate(Mailbox(deliver).cells(), 64):
        unit.place(HOLDINGS, address, cell)
    return unit


def _status(lamp: Lamp) -> int:
    """b0 control gear failure, b1 lamp failure, b2 lamp on."""
    return lamp.status_bits & 0b111


def _led_status(lamp: Lamp) -> int:
    """What gears for LED (device type 6) add: b0 short circuit, b1 open circuit, b6 derated by its temperature."""
    bits = {Failure.SHORT: 1 << 0, Failure.OPEN: 1 << 1, Failure.HOT: 1 << 6}
    return bits.get(lamp.failure, 0) if lamp.answers else 0


def _shown(lamp: Lamp) -> float:
    return 0.0 if lamp.status_bits & 0b10 else lamp.level_pct


def _level(lamp: Lamp) -> int:
    return dali_level(_shown(lamp)) if lamp.answers else MASK


def _tell(lamp: Lamp, percent: int) -> None:
    lamp.tell(float(percent))


def _tell_level(lamp: Lamp, level: int) -> None:
    if level < len(CURVE):
        lamp.tell(CURVE[level])


GATEWAYS: Mapping[str, Callable[[str, Nodes], Unit]] = {
    "intesis-dali": intesis_unit,
    "ecodim-dali": ecodim_unit,
    "adfweb-dali": adfweb_unit,
}
"""Units by the profile that describes them."""
