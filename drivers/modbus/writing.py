"""Writes as encoded changes, gathered into as few requests as the device takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.api import Refused, Write
from drivers.modbus.codec import encode
from drivers.modbus.pdu import MAX_WRITE_BITS, MAX_WRITE_REGISTERS
from drivers.profile import ModbusLimits, ModbusPoint, Table


@dataclass(frozen=True, slots=True)
class Change:
    """One write as the words to put at its point; ``place`` is its position among the writes it came with."""

    place: int
    point: ModbusPoint
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Adjoining changes that travel in one request."""

    changes: tuple[Change, ...]

    @property
    def table(self) -> Table:
        """The table all of them lie in."""
        return self.changes[0].point.table

    @property
    def address(self) -> int:
        """Of the first word."""
        return self.changes[0].point.address

    @property
    def words(self) -> list[int]:
        """All words in the order of their addresses."""
        return [word for change in self.changes for word in change.words]


def change(place: int, write: Write, point: ModbusPoint | None) -> Change:
    """Encode one write. Raises Refused when it cannot be written as asked."""
    if point is None or not point.writable:
        raise Refused(f"{write.point.point} is not writable")
    if write.value is None:
        raise Refused("a Modbus output has no priority array to relinquish")
    return Change(place, point, tuple(encode(write.value, point)))


def runs(changes: Iterable[Change], limits: ModbusLimits) -> list[Run]:
    """The fewest requests that write ``changes``; one each where the device takes no multiple writes."""
    gathered: list[list[Change]] = []
    for item in sorted(changes, key=lambda c: (c.point.table, c.point.address, c.place)):
        if gathered and limits.write_multiple and _joins(gathered[-1], item, limits):
            gathered[-1].append(item)
        else:
            gathered.append([item])
    return [Run(tuple(items)) for items in gathered]


def _joins(items: list[Change], item: Change, limits: ModbusLimits) -> bool:
    last, point = items[-1].point, item.point
    if last.table is not point.table or last.address + last.type.registers != point.address:
        return False
    words = point.address + point.type.registers - items[0].point.address
    if point.table is Table.COIL:
        return words <= min(limits.max_bits, MAX_WRITE_BITS)
    return words <= min(limits.max_registers, MAX_WRITE_REGISTERS)
