"""What cannot be meant in a profile: contradictions within a line, and between the expanded points."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from drivers.profile import BacnetPoint, Encoding, ModbusLimits, ModbusPoint, Table, WireType
from drivers.profile_spec import BacnetSpec, ModbusSpec, PointSpec

BITS = frozenset({Table.COIL, Table.DISCRETE})
READ_ONLY = frozenset({Table.DISCRETE, Table.INPUT})
OBJECT_TYPES = (
    "analog-input", "analog-output", "analog-value", "binary-input", "binary-output", "binary-value",
    "multi-state-input", "multi-state-output", "multi-state-value", "integer-value", "positive-integer-value",
    "large-analog-value", "accumulator", "pulse-converter", "loop", "schedule", "lighting-output",
    "binary-lighting-output",
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*")
_OBJECT = re.compile(r"([a-z-]+),(\d{1,7})")
_LAST_INSTANCE = 4_194_302


class LineFault(NamedTuple):
    """What is wrong with one line and at which of its keys ("": the line as a whole)."""

    message: str
    key: str = ""


class PointFault(NamedTuple):
    """What is wrong with an expanded point and at which key of its line."""

    name: str
    key: str
    message: str


def point_faults(line: str, spec: PointSpec) -> Iterator[LineFault]:
    """Contradictions within one line of ``points``."""
    if not _NAME.fullmatch(line.replace("{n}", "1")):
        yield LineFault(f"{line!r}: a point is named in small letters, digits, hyphens and dots, e.g. lamp.{{n}}.level")
    if ("{n}" in line) != (spec.n is not None):
        yield LineFault("a numbered point has both {n} in its name and a range n")
    if spec.minimum is not None and spec.maximum is not None and spec.minimum > spec.maximum:
        yield LineFault("minimum is greater than maximum", "minimum")
    for key in ("minimum", "maximum", "feedback"):
        if getattr(spec, key) is not None and not spec.writable:
            yield LineFault(f"{key} concerns what is written: the point is not writable", key)
    if isinstance(spec, ModbusSpec):
        yield from _modbus_line(spec)
    elif isinstance(spec, BacnetSpec):
        yield from _bacnet_line(spec)


def _modbus_line(spec: ModbusSpec) -> Iterator[LineFault]:
    yield from _modbus_type(spec)
    yield from _modbus_encoding(spec)
    if spec.writable and spec.write is None and spec.table in READ_ONLY:
        yield LineFault(f"nothing can be written to the {spec.table} table", "writable")
    yield from _modbus_write(spec)
    if spec.scale == 0:
        yield LineFault("scale 0 makes every value the same", "scale")
    span = spec.type.registers
    count = 1 if spec.n is None else spec.n[1] - spec.n[0] + 1
    if count > 1 and spec.step < span:
        yield LineFault(f"step must be at least {span}: {spec.type} takes {span} of the table each", "step")
    if spec.address + (count - 1) * spec.step + span > 65536:
        yield LineFault("the last of these points lies beyond address 65535", "address")
    if any(not 0 <= raw < 1 << (16 * span) for raw in spec.sentinels):
        yield LineFault(
            f"a sentinel of {spec.type} is a raw number from 0 to 0x{(1 << (16 * span)) - 1:X}", "sentinels"
        )


def _modbus_type(spec: ModbusSpec) -> Iterator[LineFault]:
    is_bit = spec.type is WireType.BIT
    if spec.table in BITS and not is_bit:
        yield LineFault(f"the {spec.table} table holds bits: type must be bit", "type")
    if spec.table in BITS and spec.bit is not None:
        yield LineFault(f"the {spec.table} table has no registers to take a bit from", "bit")
    if spec.table not in BITS and is_bit and spec.bit is None:
        yield LineFault("type bit in a register needs bit: 0 to 15", "type")
    if not is_bit and spec.bit is not None:
        yield LineFault("bit goes with type bit only", "bit")
    if spec.bit is not None and spec.writable:
        yield LineFault("one bit of a register cannot be written without touching its neighbours", "writable")
    if is_bit and (spec.scale != 1 or spec.offset != 0 or spec.sentinels):
        yield LineFault("a bit has no scale, offset or sentinels", "type")
    if spec.word_order == "little" and spec.type.registers == 1:
        yield LineFault(f"word_order concerns values of more than one register, not {spec.type}", "word_order")


def _modbus_write(spec: ModbusSpec) -> Iterator[LineFault]:
    if spec.write is None:
        if spec.writable and spec.bits is not None:
            yield LineFault("some bits of a register cannot be written without touching their neighbours", "writable")
        return
    count = 1 if spec.n is None else spec.n[1] - spec.n[0] + 1
    if not spec.writable:
        yield LineFault("write says where to write: the point is not writable", "write")
    if spec.type.registers > 1 or spec.type is WireType.BIT:
        yield LineFault("write is for values of one register", "write")
    if spec.write.address + (count - 1) * spec.write.step > 65534:
        yield LineFault("the last of these points is written beyond address 65535", "write")
    if spec.write.target is not None and spec.write.target + count > 256:
        yield LineFault("a target is a byte: the last of these points has one beyond 255", "write")
    if count > 1 and spec.write.step == 0 and spec.write.target is None:
        yield LineFault("all these points would be written to one register: give a step or a target", "write")
    if spec.write.pause and spec.write.target is None:
        yield LineFault("a pause follows a telegram: write has no target", "write")


def _modbus_encoding(spec: ModbusSpec) -> Iterator[LineFault]:
    if spec.bits is not None and spec.type is not WireType.UINT16:
        yield LineFault("bits are taken from one register: type must be uint16", "bits")
    if spec.encoding is Encoding.DALI_ARC and (spec.scale != 1 or spec.offset != 0):
        yield LineFault("a level of DALI's curve has no scale or offset", "encoding")
    if spec.encoding is Encoding.DALI_ARC and spec.type is not WireType.UINT16:
        yield LineFault("a level of DALI's curve is one byte: type must be uint16", "encoding")


def _bacnet_line(spec: BacnetSpec) -> Iterator[LineFault]:
    if spec.n is not None and spec.n[0] != spec.n[1] and "{n}" not in spec.object:
        yield LineFault("every number needs an object of its own: put {n} into it", "object")
    if spec.n is None and "{n}" in spec.object:
        yield LineFault("{n} needs a range n", "object")
    if spec.unit_override and not spec.unit:
        yield LineFault("unit_override goes with a unit", "unit_override")
    if spec.restore is not None and (spec.commandable or not spec.writable):
        yield LineFault("restore is for writable points without a priority array", "restore")
    if spec.cov is not None and spec.property != "present-value":
        yield LineFault("a device reports changes of its present-value only", "cov")


def bacnet_faults(points: Iterable[ModbusPoint | BacnetPoint]) -> Iterator[PointFault]:
    """Objects that no device can have."""
    for point in points:
        if isinstance(point, BacnetPoint) and (message := _object_fault(point.object)):
            yield PointFault(point.name, "object", message)


def _object_fault(text: str) -> str:
    match = _OBJECT.fullmatch(text)
    if match is None:
        return f"{text!r} is not type,instance, e.g. analog-value,1"
    if match[1] not in OBJECT_TYPES:
        close = get_close_matches(match[1], OBJECT_TYPES, n=1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        return f"unknown object type {match[1]!r}{hint}; known are {', '.join(OBJECT_TYPES)}"
    return f"instance {match[2]} is greater than {_LAST_INSTANCE}" if int(match[2]) > _LAST_INSTANCE else ""


def modbus_faults(points: Collection[ModbusPoint | BacnetPoint], limits: ModbusLimits) -> Iterator[PointFault]:
    """Values wider than one request may be, and values that lie across one another."""
    modbus = [point for point in points if isinstance(point, ModbusPoint)]
    for point in modbus:
        if point.table not in BITS and point.type.registers > limits.max_registers:
            yield PointFault(point.name, "type", f"{point.type} is wider than max_registers ({limits.max_registers})")
        if point.written is not None and point.written.target is not None and not limits.write_multiple:
            yield PointFault(
                point.name, "write", "a telegram of two registers cannot be written without write_multiple"
            )
        if point.writable and point.type.registers > 1 and not limits.write_multiple:
            yield PointFault(point.name, "writable", f"{point.type} cannot be written whole without write_multiple")
    for table in Table:
        yield from _overlaps([point for point in modbus if point.table is table])


def _overlaps(points: list[ModbusPoint]) -> Iterator[PointFault]:
    """Two names for the same registers are meant (a value and its bits); sharing only a part is a slip."""
    before: ModbusPoint | None = None
    for point in sorted(points, key=lambda p: (p.address, -p.type.registers)):
        if point.type is WireType.BIT:
            continue
        if before is not None and point.address < before.address + before.type.registers:
            if (point.address, point.type.registers) != (before.address, before.type.registers):
                yield PointFault(point.name, "address", f"{point.name!r} lies across {before.name!r} ({before.type})")
            if point.address + point.type.registers <= before.address + before.type.registers:
                continue
        before = point
