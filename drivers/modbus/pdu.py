"""Modbus requests as bytes, and answers judged against them: an answer that does not fit is no value. Pure.

A PDU is the function code and what follows it; unit, transaction id and checksum are the link's. Source: MODBUS
Application Protocol Specification V1.1b3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

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


class Question(NamedTuple):
    """One request and what its answer must look like."""

    pdu: bytes
    head: bytes
    """What a proper answer begins with: function and byte count, or the echo of a write."""
    longest: int
    """How many bytes a proper answer has."""
    varies: bool = False
    """Whether a proper answer may be shorter than ``longest``."""


def read_question(table: Table, address: int, count: int) -> Question:
    """Functions 1 to 4."""
    function = _READ[table]
    size = 2 * count if function > 2 else (count + 7) // 8
    return Question(struct.pack(">BHH", function, address, count), bytes((function, size)), 2 + size)


def write_question(table: Table, address: int, words: Sequence[int]) -> Question:
    """Functions 5 and 6 for one coil or register, 15 and 16 for more; ``words`` are 0/1 for coils."""
    request = _write_request(table, address, words)
    return Question(request, request[:5], 5)


def _write_request(table: Table, address: int, words: Sequence[int]) -> bytes:
    if table is Table.COIL:
        if len(words) == 1:
            return struct.pack(">BHH", 5, address, _ON if words[0] else 0)
        packed = sum(1 << i for i, on in enumerate(words) if on).to_bytes((len(words) + 7) // 8, "little")
        return struct.pack(">BHHB", 15, address, len(words), len(packed)) + packed
    if len(words) == 1:
        return struct.pack(">BHH", 6, address, words[0])
    return struct.pack(f">BHHB{len(words)}H", 16, address, len(words), 2 * len(words), *words)


def check(question: Question, answer: bytes) -> None:
    """Pass what is an answer to ``question``. Raises BadAnswer, Refused, Busy."""
    fits = len(answer) == question.longest or (question.varies and len(answer) < question.longest)
    if not (fits and answer.startswith(question.head)):
        raise _judged(question, answer)


def words(question: Question, answer: bytes) -> list[int]:
    """The registers, or 0/1 for bits, in a checked ``answer`` to a read."""
    count = int.from_bytes(question.pdu[3:5], "big")
    if question.pdu[0] > 2:
        return list(struct.unpack_from(f">{count}H", answer, 2))
    bits = int.from_bytes(answer[2:], "little")
    return [bits >> i & 1 for i in range(count)]


def _judged(question: Question, answer: bytes) -> BadAnswer | Refused | Busy:
    """What an answer says that is none."""
    asked, answered = question.pdu[0], answer[0] if answer else 0
    if answered == asked | 0x80 and len(answer) == 2:
        code = answer[1]
        if code in _REFUSALS:
            return Refused(f"{_REFUSALS[code]} (exception {code})")
        return Busy(f"{_NOT_NOW.get(code, 'unknown exception')} (exception {code})")
    if answered != asked:
        return BadAnswer(f"answer of function {answered} to function {asked}" if answer else "empty answer")
    if asked <= 4:
        return BadAnswer(f"answer of {max(len(answer) - 2, 0)} bytes, {question.longest - 2} expected")
    return BadAnswer("the answer is not of what was asked")
