"""All values of one request out of the bytes of its answer, by one unpack that is compiled once. Pure.

``codec.decode`` is the definition; this is the same, faster.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite

from drivers.modbus.codec import FLOATS, FORMATS, decode, scaled
from drivers.modbus.polling import BITS, Request
from drivers.profile import Encoding, ModbusPoint, WireType

Decoder = Callable[[bytes], list[float | None]]
"""The values of a request's points, in their order, from the PDU of a checked answer; None where there is no value."""

_HEAD = 2
"""Function and byte count."""
_Convert = Callable[[float], float | None]


@dataclass(frozen=True, slots=True, order=True)
class _Field:
    """One number in the answer; ``mirrored`` where its low register comes first: then it is read from the end."""

    mirrored: bool
    offset: int
    code: str

    @property
    def end(self) -> int:
        return self.offset + struct.calcsize(">" + self.code)


@lru_cache(maxsize=1024)
def decoder(request: Request) -> Decoder:
    """Compile ``request``; devices of one kind share it."""
    if request.table in BITS:
        return _bits([point.address - request.address for point in request.points])
    fields = [_field(point, request) for point in request.points]
    layers = _layers(sorted(set(fields)))
    place = {field: index for index, field in enumerate(field for layer in layers for field in layer)}
    plan = [(place[field], _convert(point)) for field, point in zip(fields, request.points, strict=True)]
    return _words([_unpacker(layer) for layer in layers], plan)


def _bits(places: Sequence[int]) -> Decoder:
    def values(answer: bytes) -> list[float | None]:
        bits = int.from_bytes(answer[_HEAD:], "little")
        return [float(bits >> place & 1) for place in places]

    return values


def _words(unpackers: Sequence[Callable[[bytes], tuple[float, ...]]], plan: Sequence[tuple[int, _Convert]]) -> Decoder:
    if len(unpackers) == 1:
        (unpack,) = unpackers
    else:

        def unpack(answer: bytes) -> tuple[float, ...]:
            return tuple(number for each in unpackers for number in each(answer))

    def values(answer: bytes) -> list[float | None]:
        numbers = unpack(answer)
        return [convert(numbers[index]) for index, convert in plan]

    return values


def _field(point: ModbusPoint, request: Request) -> _Field:
    start, registers = point.address - request.address, point.type.registers
    mirrored = registers > 1 and point.word_order == "little"
    if mirrored:
        start = request.count - start - registers
    return _Field(mirrored, 2 * start, _code(point))


def _code(point: ModbusPoint) -> str:
    """A float with sentinels comes as the integer that they are compared with."""
    if point.type is WireType.BIT:
        return "H"
    if point.type in FLOATS and point.sentinels:
        return "I" if point.type is WireType.FLOAT32 else "Q"
    return FORMATS[point.type][1:]


def _layers(fields: Iterable[_Field]) -> list[list[_Field]]:
    """As few structs as hold ``fields``, sorted, without overlap; nearly always one."""
    layers: list[list[_Field]] = []
    for field in fields:
        for layer in layers:
            if layer[-1].mirrored is field.mirrored and layer[-1].end <= field.offset:
                layer.append(field)
                break
        else:
            layers.append([field])
    return layers


def _unpacker(layer: Sequence[_Field]) -> Callable[[bytes], tuple[float, ...]]:
    mirrored = layer[0].mirrored
    at, form = 0, ">" if mirrored else f">{_HEAD}x"
    for field in layer:
        form += f"{field.offset - at}x{field.code}"
        at = field.end
    unpack_from = struct.Struct(form).unpack_from
    if not mirrored:
        return unpack_from
    return lambda answer: unpack_from(array("H", answer[_HEAD:])[::-1])


def _convert(point: ModbusPoint) -> _Convert:
    """From the unpacked number to the value, with no step that this point does not need."""
    if point.type is WireType.BIT:
        shift = point.bit or 0
        return lambda number: float(int(number) >> shift & 1)
    if point.bits is not None or point.encoding is not Encoding.LINEAR:
        return lambda number: decode((int(number),), point)  # one register; rare enough for the definition itself
    plain = point.scale == 1.0 and point.offset == 0.0
    convert = (_finite if point.type in FLOATS else float) if plain else _scaling(point)
    return _unless_sentinel(point, convert) if point.sentinels else convert


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None


def _scaling(point: ModbusPoint) -> _Convert:
    return lambda number: _finite(scaled(number, point))


def _unless_sentinel(point: ModbusPoint, convert: _Convert) -> _Convert:
    size = struct.calcsize(FORMATS[point.type])
    if point.type in FLOATS:
        wire, number_of = "I" if size == 4 else "Q", FORMATS[point.type]
        return lambda raw: (
            None if raw in point.sentinels else convert(struct.unpack(number_of, struct.pack(f">{wire}", raw))[0])
        )
    marks = frozenset(_as_typed(mark, point, size) for mark in point.sentinels if 0 <= mark < 1 << 8 * size)
    return lambda number: None if number in marks else convert(number)


def _as_typed(mark: int, point: ModbusPoint, size: int) -> int:
    """A sentinel, written unsigned, as the number that the point's type makes of it."""
    typed: int = struct.unpack(FORMATS[point.type], mark.to_bytes(size, "big"))[0]
    return typed
