"""A device with a profile of the site's own: it answers the profile's addresses with steady, plausible values.

What is written is kept, and shows in the point that the profile names as its feedback. No physics in here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise

from config.site import BacnetPoint, ModbusPoint
from sim.dali_maps import CURVE, Mailbox, dali_level
from sim.objects import BacnetObject
from sim.registers import COILS, DISCRETES, HOLDINGS, Cell, Unit, fit, words

FORMS = {
    "bit": ">H",
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "float32": ">f",
    "uint64": ">Q",
    "int64": ">q",
    "float64": ">d",
}
PLAUSIBLE = {"V": 230.0, "A": 1.5, "W": 350.0, "kW": 0.35, "kWh": 1234.0, "Wh": 1_234_000.0, "Hz": 50.0, "h": 1000.0}
BACNET_UNITS = {"degC": "degrees-celsius", "%": "percent", "kW": "kilowatts", "kWh": "kilowatt-hours"}


def plausible(name: str, unit: str, minimum: float | None, maximum: float | None) -> float:
    """A steady value for a point of the house's vocabulary."""
    value = PLAUSIBLE.get(unit, 0.0)
    if unit == "degC":
        value = {"setpoint": 16.0, "supply-temperature": 45.0}.get(name.rpartition(".")[2], 18.0)
    if name.startswith("outdoor."):
        value = 8.0
    return min(value if maximum is None else maximum, max(value if minimum is None else minimum, value))


def _mask(bits: tuple[int, int]) -> int:
    return (1 << bits[1] - bits[0] + 1) - 1


class RegisterBank:
    """The words of one device, by table and address, and the Modbus unit that shows them."""

    def __init__(self, name: str, points: list[ModbusPoint]) -> None:
        self.unit = Unit(name, identity=("veilleuse", "bank", "1"))
        self._points = {point.name: point for point in points}
        self._raws: dict[tuple[str, int], int] = {}
        for point in points:
            self._settle(point)
        for table, address in self._raws:
            writer = self._writer(table, address)
            highest = 1 if table in (COILS, DISCRETES) else 0xFFFF
            self.unit.place(table, address, Cell(partial(self._raws.__getitem__, (table, address)), writer, highest))
        self._place_written()
        self._cover_gaps()

    def value(self, name: str) -> float:
        """A point's value as its profile scales it."""
        point = self._points[name]
        if point.type == "bit":
            raw = self._raws[point.table, point.address]
            return float(raw >> (point.bit or 0) & 1)
        raws = [self._raws[point.table, point.address + index] for index in range(point.type.registers)]
        if point.bits is not None:
            raws = [raws[0] >> point.bits[0] & _mask(point.bits)]
        if point.encoding == "dali-arc":
            return CURVE[min(raws[0], len(CURVE) - 1)]
        if point.word_order == "little":
            raws.reverse()
        (number,) = struct.unpack(FORMS[point.type], struct.pack(f">{len(raws)}H", *raws))
        return float(number) * point.scale + point.offset

    def put(self, name: str, value: float) -> None:
        """Set a point's value."""
        point = self._points[name]
        key = (str(point.table), point.address)
        if point.type == "bit":
            mask = 1 << (point.bit or 0)
            self._raws[key] = self._raws.get(key, 0) & ~mask | (mask if value else 0)
            return
        if point.encoding == "dali-arc":
            self._put_raw(point, dali_level(value))
            return
        if point.bits is not None:
            self._put_raw(point, round((value - point.offset) / point.scale))
            return
        form = FORMS[point.type]
        packed = struct.pack(form, fit((value - point.offset) / point.scale, form))
        for index, raw in enumerate(words(packed, low_first=point.word_order == "little")):
            self._raws[key[0], point.address + index] = raw

    def _put_raw(self, point: ModbusPoint, raw: int) -> None:
        """Put a raw number into the register, or into the bits of it that are the point's."""
        key, bits = (str(point.table), point.address), point.bits or (0, 15)
        mask = _mask(bits) << bits[0]
        self._raws[key] = self._raws.get(key, 0) & ~mask | raw << bits[0] & mask

    def _place_written(self) -> None:
        """The holding registers of points that are written elsewhere than they are read; a telegram has two of them."""
        telegrams: dict[int, dict[int, ModbusPoint]] = {}
        for point in self._points.values():
            if point.written is None:
                continue
            if point.written.target is None:
                cell = Cell(lambda: 0, partial(self._told, point))
                self.unit.place(HOLDINGS, point.written.address, cell)
            else:
                telegrams.setdefault(point.written.address, {})[point.written.target] = point
        for address, points in telegrams.items():
            mailbox = Mailbox(partial(self._delivered, points))
            for offset, cell in enumerate(mailbox.cells()):
                self.unit.place(HOLDINGS, address + offset, cell)

    def _delivered(self, points: Mapping[int, ModbusPoint], target: int, raw: int) -> None:
        if target in points:
            self._told(points[target], raw)

    def _told(self, point: ModbusPoint, raw: int) -> None:
        self._put_raw(point, raw)
        if point.feedback in self._points:
            self.put(point.feedback, self.value(point.name))

    def _settle(self, point: ModbusPoint) -> None:
        self.put(point.name, plausible(point.name, point.unit, point.minimum, point.maximum))

    def _writer(self, table: str, address: int) -> Callable[[int], None] | None:
        held = [
            point
            for point in self._points.values()
            if point.writable
            and point.written is None
            and point.table == table
            and 0 <= address - point.address < point.type.registers
        ]
        return partial(self._write, (table, address), held) if held else None

    def _write(self, key: tuple[str, int], held: list[ModbusPoint], raw: int) -> None:
        self._raws[key] = raw
        for point in held:
            if point.feedback in self._points:
                self.put(point.feedback, self.value(point.name))

    def _cover_gaps(self) -> None:
        """Small holes between two points are reserved registers: they read 0."""
        for table in self.unit.cells:
            addresses = sorted(self.unit.cells[table])
            for before, after in pairwise(addresses):
                if 1 < after - before <= 16:
                    self.unit.cover(table, before, after - before)


def object_bank(points: list[BacnetPoint]) -> list[BacnetObject]:
    """BACnet objects for the present values that the points name."""
    values: dict[str, float] = {}
    objects: dict[str, BacnetObject] = {}
    by_name = {point.name: point for point in points}
    for point in points:
        if point.property != "present-value" or point.object in objects:
            continue
        values[point.object] = plausible(point.name, point.unit, point.minimum, point.maximum)
        feedback = by_name[point.feedback].object if point.feedback in by_name else None
        objects[point.object] = _object(point, values, feedback)
    return list(objects.values())


def _object(point: BacnetPoint, values: dict[str, float], feedback: str | None) -> BacnetObject:
    def write(value: float) -> None:
        values[point.object] = value
        if feedback is not None:
            values[feedback] = value

    kind, _, instance = point.object.partition(",")
    return BacnetObject(
        type=kind,
        instance=int(instance),
        name=point.name,
        units=BACNET_UNITS.get(point.unit, "no-units"),
        read=partial(values.__getitem__, point.object),
        write=write if point.writable or point.commandable else None,
        commandable=point.commandable,
        relinquish_default=values[point.object] if point.commandable else 0.0,
        minimum=point.minimum,
        maximum=point.maximum,
    )
