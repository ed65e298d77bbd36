"""What one Modbus unit holds: four tables of cells, and this simulator's own way of laying values into them.

Addresses are 0-based, as on the wire. A cell is one coil, discrete input or 16-bit register. Inside a declared
range an address without a cell reads 0 and refuses writes; outside it the address does not exist.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

COILS, DISCRETES, INPUTS, HOLDINGS = "coil", "discrete", "input", "holding"

Value = Callable[[], float]


class AddressRefused(Exception):
    """There is nothing at this address, or nothing that can be written (exception 2)."""


class ValueRefused(Exception):
    """The address exists but does not take this value (exception 3)."""


@dataclass(slots=True)
class Cell:
    """One address. ``read`` gives the raw word or bit; ``write`` None means read-only."""

    read: Callable[[], int]
    write: Callable[[int], None] | None = None
    highest: int = 0xFFFF


@dataclass(slots=True)
class Unit:
    """One device behind a unit id. ``most_registers`` is what it gives in one answer, the rest is exception 3."""

    name: str
    cells: dict[str, dict[int, Cell]] = field(
        default_factory=lambda: {COILS: {}, DISCRETES: {}, INPUTS: {}, HOLDINGS: {}}
    )
    ranges: dict[str, list[range]] = field(default_factory=lambda: {COILS: [], DISCRETES: [], INPUTS: [], HOLDINGS: []})
    identity: tuple[str, str, str] = ("veilleuse", "simulated", "1")
    most_registers: int = 125

    def cover(self, table: str, first: int, count: int) -> None:
        """Declare addresses that exist."""
        self.ranges[table].append(range(first, first + count))

    def place(self, table: str, address: int, cell: Cell) -> None:
        """Put a cell at an address (which then exists). Raises ValueError where there is one already."""
        if address in self.cells[table]:
            raise ValueError(f"{self.name}: two cells at {table} {address}")
        self.cells[table][address] = cell

    def read(self, table: str, first: int, count: int) -> list[int]:
        """Raw words or bits. Raises AddressRefused."""
        cells = self.cells[table]
        wanted = range(first, first + count)
        for address in wanted:
            if address not in cells and not any(address in known for known in self.ranges[table]):
                raise AddressRefused(f"{table} {address}")
        return [cells[address].read() if address in cells else 0 for address in wanted]

    def write(self, table: str, first: int, raws: list[int]) -> None:
        """Write all or nothing. Raises AddressRefused, ValueRefused."""
        found = []
        for address, raw in enumerate(raws, first):
            cell = self.cells[table].get(address)
            if cell is None or cell.write is None:
                raise AddressRefused(f"{table} {address}")
            if not 0 <= raw <= cell.highest:
                raise ValueRefused(f"{table} {address} = {raw}")
            found.append((cell.write, raw))
        for put, raw in found:
            put(raw)


def words(packed: bytes, *, low_first: bool = False) -> list[int]:
    """Big-endian bytes as 16-bit words, high word first unless told otherwise."""
    split = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return split[::-1] if low_first else split


def lay(unit: Unit, table: str, address: int, value: Value, form: str, *, low_first: bool = False) -> None:
    """Lay a read-only number across registers; ``form`` is a struct format such as ``>f``, ``>I`` or ``>q``.

    Integers saturate at the ends of their format, as counters and converters do.
    """
    size = struct.calcsize(form)

    def part(index: int) -> Callable[[], int]:
        return lambda: words(struct.pack(form, fit(value(), form)), low_first=low_first)[index]

    for index in range(size // 2):
        unit.place(table, address + index, Cell(part(index)))


def fit(value: float, form: str) -> float | int:
    """The number as ``form`` takes it."""
    if form[-1] in "fd":
        return value
    bits = 8 * struct.calcsize(form)
    low, high = (0, (1 << bits) - 1) if form[-1].isupper() else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return min(high, max(low, round(value)))
