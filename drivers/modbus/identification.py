"""Who a device says it is: function 43 with MEI type 14, Read Device Identification. Pure.

Source: MODBUS Application Protocol Specification V1.1b3, 6.21.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.api import BadAnswer
from drivers.modbus.pdu import Question

FUNCTION = 43
MEI_TYPE = 14
REGULAR, BASIC = 2, 1
"""Read device id codes: objects 0-6 as a stream, objects 0-2 as a stream."""
OBJECTS = {
    0: "vendor",
    1: "product code",
    2: "revision",
    3: "vendor url",
    4: "product name",
    5: "model",
    6: "application",
}
_HEAD = 7
_LONGEST_PDU = 253
_MORE = 0xFF


@dataclass(frozen=True, slots=True)
class Part:
    """The objects of one answer by id, and the id to ask for next, None after the last part."""

    objects: dict[int, str]
    follows: int | None


def identification_question(code: int, first: int) -> Question:
    """Ask for the objects from ``first`` on, as many as ``code`` (REGULAR, BASIC) covers.

    The code in the answer is not compared: a device of a lower level answers with its own.
    """
    request = bytes((FUNCTION, MEI_TYPE, code, first))
    return Question(request, request[:2], _LONGEST_PDU, varies=True)


def identification_part(answer: bytes) -> Part:
    """The objects in a checked ``answer``. Raises BadAnswer where it is cut short or longer than it says."""
    if identification_length(answer) != len(answer):
        raise BadAnswer(f"identification of {len(answer)} bytes says otherwise of itself")
    objects: dict[int, str] = {}
    at = _HEAD
    while at < len(answer):
        number, size = answer[at], answer[at + 1]
        objects[number] = _text(answer[at + 2 : at + 2 + size])
        at += 2 + size
    return Part(objects, answer[5] if answer[4] == _MORE else None)


def identification_length(start: bytes | bytearray | memoryview) -> int | None:
    """How long the answer is that begins like this, by its own objects; None while that is unknown."""
    if len(start) < _HEAD:
        return None
    at = _HEAD
    for _ in range(start[6]):
        if len(start) < at + 2:
            return None
        at += 2 + start[at + 1]
    return at


def _text(raw: bytes) -> str:
    """As people read it; ASCII by the specification, Latin 1 or UTF-8 in practice."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()
