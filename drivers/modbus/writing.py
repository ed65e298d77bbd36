"""Writes as encoded changes, gathered into as few requests as the device takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drivers.api import Refused, Write
from drivers.modbus.codec import decode, encode
from drivers.modbus.pdu import MAX_WRITE_BITS, MAX_WRITE_REGISTERS
from drivers.profile import ModbusLimits, ModbusPoint, Table


@dataclass(frozen=True, slots=True)
class Change:
    """One write as the words to put at its point; ``place`` is its position among the writes it came with."""

    place: int
    point: ModbusPoint
    words: tuple[int, ...]

    @property
    def table(self) -> Table:
        """Where it is written: what is read elsewhere is written to the holding registers."""
        return self.point.table if self.point.written is None else Table.HOLDING

    @property
    def address(self) -> int:
        """Of the first word written."""
        return self.point.address if self.point.written is None else self.point.written.address

    @property
    def is_telegram(self) -> bool:
        """Whether it travels alone, numbered, in registers that it shares with others."""
        return self.point.written is not None and self.point.written.target is not None

    @property
    def settle_s(self) -> float:
        """How long the device may take to show the value."""
        return 0.0 if self.point.written is None else self.point.written.settle_s

    def telegram(self, before: int) -> list[int]:
        """The two registers of a telegram that follows one whose first register is ``before``."""
        assert self.point.written is not None  # noqa: S101 - is_telegram
        counter = (before >> 8) + 1 & 0xFF
        return [counter << 8 | (self.point.written.target or 0), self.words[0] << 8]

    def shows_in(self, words: Sequence[int]) -> bool:
        """Whether these words, read where the point is read, say what was written."""
        if self.point.written is None:
            return tuple(words) == self.words
        low = 0 if self.point.bits is None else self.point.bits[0]
        return decode(words, self.point) == decode([word << low for word in self.words], self.point)


@dataclass(frozen=True, slots=True)
class Run:
    """Adjoining changes that travel in one request."""

    changes: tuple[Change, ...]

    @property
    def table(self) -> Table:
        """The table all of them lie in."""
        return self.changes[0].table

    @property
    def address(self) -> int:
        """Of the first word."""
        return self.changes[0].address

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
    item = Change(place, point, tuple(encode(write.value, point)))
    if item.is_telegram and item.words[0] > 0xFF:
        raise Refused(f"{write.value:g} does not fit into the byte of a telegram")
    return item


def runs(changes: Iterable[Change], limits: ModbusLimits) -> list[Run]:
    """The fewest requests that write ``changes``; one each where the device takes no multiple writes."""
    gathered: list[list[Change]] = []
    for item in sorted(changes, key=lambda c: (c.table, c.address, c.place)):
        if gathered and limits.write_multiple and _joins(gathered[-1], item, limits):
            gathered[-1].append(item)
        else:
            gathered.append([item])
    return [Run(tuple(items)) for items in gathered]


def _joins(items: list[Change], item: Change, limits: ModbusLimits) -> bool:
    last = items[-1]
    if item.is_telegram or last.table is not item.table or last.address + len(last.words) != item.address:
        return False
    words = item.address + len(item.words) - items[0].address
    if item.table is Table.COIL:
        return words <= min(limits.max_bits, MAX_WRITE_BITS)
    return words <= min(limits.max_registers, MAX_WRITE_REGISTERS)
