"""Modbus requests answered the way a strict device answers them: bytes in, bytes out, no wire in here.

Source: Modbus Application Protocol Specification V1.1b3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from sim.registers import COILS, DISCRETES, HOLDINGS, INPUTS, AddressRefused, Unit, ValueRefused

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
COIL_ON, COIL_OFF = 0xFF00, 0x0000
MOST_BITS_READ, MOST_BITS_WRITTEN, MOST_REGISTERS_WRITTEN = 2000, 1968, 123


def refusal(function: int, code: int) -> bytes:
    """An exception answer."""
    return bytes((function & 0x7F | 0x80, code))


def answer(unit: Unit, request: bytes) -> bytes:
    """The answer PDU to a request PDU (function code and what follows, not empty)."""
    handler = HANDLERS.get(request[0])
    if handler is None:
        return refusal(request[0], ILLEGAL_FUNCTION)
    try:
        return handler(unit, request)
    except AddressRefused:
        return refusal(request[0], ILLEGAL_ADDRESS)
    except (ValueRefused, struct.error):
        return refusal(request[0], ILLEGAL_VALUE)


def _read_bits(unit: Unit, request: bytes) -> bytes:
    function, first, count = struct.unpack(">BHH", request)
    if not 1 <= count <= MOST_BITS_READ:
        raise ValueRefused("count")
    bits = unit.read({1: COILS, 2: DISCRETES}[function], first, count)
    packed = bytearray((count + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= (bit & 1) << (index % 8)
    return bytes((function, len(packed))) + bytes(packed)


def _read_registers(unit: Unit, request: bytes) -> bytes:
    function, first, count = struct.unpack(">BHH", request)
    if not 1 <= count <= unit.most_registers:
        raise ValueRefused("count")
    raws = unit.read({3: HOLDINGS, 4: INPUTS}[function], first, count)
    return struct.pack(f">BB{count}H", function, 2 * count, *raws)


def _write_coil(unit: Unit, request: bytes) -> bytes:
    _, address, raw = struct.unpack(">BHH", request)
    if raw not in (COIL_ON, COIL_OFF):
        raise ValueRefused("a coil takes FF00 or 0000")
    unit.write(COILS, address, [int(raw == COIL_ON)])
    return request


def _write_register(unit: Unit, request: bytes) -> bytes:
    _, address, raw = struct.unpack(">BHH", request)
    unit.write(HOLDINGS, address, [raw])
    return request


def _write_coils(unit: Unit, request: bytes) -> bytes:
    _, first, count, size = struct.unpack(">BHHB", request[:6])
    packed = request[6:]
    if not 1 <= count <= MOST_BITS_WRITTEN or size != (count + 7) // 8 or len(packed) != size:
        raise ValueRefused("count")
    unit.write(COILS, first, [packed[index // 8] >> (index % 8) & 1 for index in range(count)])
    return request[:5]


def _write_registers(unit: Unit, request: bytes) -> bytes:
    _, first, count, size = struct.unpack(">BHHB", request[:6])
    if not 1 <= count <= MOST_REGISTERS_WRITTEN or size != 2 * count or len(request) != 6 + size:
        raise ValueRefused("count")
    unit.write(HOLDINGS, first, list(struct.unpack(f">{count}H", request[6:])))
    return request[:5]


def _identify(unit: Unit, request: bytes) -> bytes:
    """Function 43/14: basic identification (vendor, product, revision), as a stream or one object."""
    function, kind, code, first = struct.unpack(">BBBB", request)
    if kind != 14:
        return refusal(function, ILLEGAL_FUNCTION)
    if code not in (1, 2, 3, 4):
        raise ValueRefused("read device id code")
    if code == 4 and first > 2:
        raise AddressRefused("object id")
    first = first if first <= 2 else 0
    wanted = (first,) if code == 4 else range(first, 3)
    objects = b"".join(
        bytes((number, len(text))) + text for number in wanted for text in (unit.identity[number].encode("ascii"),)
    )
    return bytes((function, kind, code, 0x81, 0, 0, len(wanted))) + objects


HANDLERS: dict[int, Callable[[Unit, bytes], bytes]] = {
    1: _read_bits,
    2: _read_bits,
    3: _read_registers,
    4: _read_registers,
    5: _write_coil,
    6: _write_register,
    15: _write_coils,
    16: _write_registers,
    43: _identify,
}
