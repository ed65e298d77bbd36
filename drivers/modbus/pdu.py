"""Modbus requests as bytes, and answers judged against them: an answer that does not fit is no value. Pure.

A PDU is the function code and what follows it; unit, transaction id and checksum are the link's. Source: MODBUS
Application Protocol Specification V1.1b3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from drivers.api import BadAnswer, Busy, Refused
from drivers.profile import Table

_READ = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
_ON = 0xFF00
MAX_WRITE_REGISTERS = 123
MAX_WRITE_BITS = 1968

_REFUSALS = {1: "illegal function", 2: "illegal address", 3: "illegal value", 4: "device failure"}
"""Device failure too: a poll comes again anyway, and unlike Busy it does not hide the device's other points."""
_NOT_NOW = {
    5: "acknowledged, still at work",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "no answer from the device behind the gateway",
}


def read_request(table: Table, address: int, count: int) -> bytes:
    """Functions 1 to 4."""
    return struct.pack(">BHH", _READ[table], address, count)


def write_request(table: Table, address: int, words: Sequence[int]) -> bytes:
    """Functions 5 and 6 for one coil or register, 15 and 16 for more; ``words`` are 0/1 for coils."""
    if table is Table.COIL:
        if len(words) == 1:
            return struct.pack(">BHH", 5, address, _ON if words[0] else 0)
        packed = sum(1 << i for i, on in enumerate(words) if on).to_bytes((len(words) + 7) // 8, "little")
        return struct.pack(">BHHB", 15, address, len(words), len(packed)) + packed
    if len(words) == 1:
        return struct.pack(">BHH", 6, address, words[0])
    return struct.pack(f">BHHB{len(words)}H", 16, address, len(words), 2 * len(words), *words)


def answer_length(request: bytes) -> int:
    """How many bytes the PDU of a proper answer to ``request`` has."""
    function, count = request[0], int.from_bytes(request[3:5], "big")
    if function > 4:
        return 5
    return 2 + (2 * count if function > 2 else (count + 7) // 8)


def read_words(request: bytes, answer: bytes) -> list[int]:
    """The registers, or 0/1 for bits, that ``request`` asked for. Raises BadAnswer, Refused, Busy."""
    _raise_exception(request, answer)
    function, count = request[0], int.from_bytes(request[3:5], "big")
    if len(answer) != answer_length(request) or answer[1] != len(answer) - 2:
        raise BadAnswer(f"answer of {max(len(answer) - 2, 0)} bytes, {answer_length(request) - 2} expected")
    if function > 2:
        return list(struct.unpack(f">{count}H", answer[2:]))
    bits = int.from_bytes(answer[2:], "little")
    return [bits >> i & 1 for i in range(count)]


def check_write(request: bytes, answer: bytes) -> None:
    """A write is acknowledged by repeating its first five bytes. Raises BadAnswer, Refused, Busy."""
    _raise_exception(request, answer)
    if answer != request[:5]:
        raise BadAnswer("the acknowledgement is not of what was written")


def _raise_exception(request: bytes, answer: bytes) -> None:
    if not answer:
        raise BadAnswer("empty answer")
    if answer[0] == request[0]:
        return
    if answer[0] != request[0] | 0x80 or len(answer) != 2:
        raise BadAnswer(f"answer of function {answer[0]} to function {request[0]}")
    code = answer[1]
    if code in _REFUSALS:
        raise Refused(f"{_REFUSALS[code]} (exception {code})")
    raise Busy(f"{_NOT_NOW.get(code, 'unknown exception')} (exception {code})")
