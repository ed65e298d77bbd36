"""Tags of BACnet's encoding (ASHRAE 135, 20.2.1 and 20.2.15 - 20.2.19), pure and bounds checked.

One tag octet holds number (4 bits), class (1 bit: context) and length/value/type (3 bits: 0-4 the length or a
Boolean, 5 a longer length follows, 6 opening, 7 closing); number 15 says that the number follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from sim.bacnet_values import PRIMITIVES, Atom, Boolean, DecodeError
from sim.bacnet_words import RejectReason

A = TypeVar("A", bound=Atom)
CONTEXT = 0x08
OPENING, CLOSING = 6, 7
EXTENDED_NUMBER = 15
EXTENDED_LENGTH = 5
LENGTH_16, LENGTH_32 = 254, 255


class Form(Enum):
    """What a tag introduces."""

    PRIMITIVE = "primitive"
    OPENING = "opening"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag; ``length`` counts the contents octets, of an application Boolean it is the value."""

    number: int
    context: bool
    length: int = 0
    form: Form = Form.PRIMITIVE

    @property
    def octets_after(self) -> int:
        """Contents octets that follow the tag."""
        return 0 if not self.context and self.number == Boolean.TAG else self.length


def tag_octets(number: int, context: bool, length: int) -> bytes:
    """The tag of a primitive with ``length`` contents octets."""
    flag = CONTEXT if context else 0
    if length < EXTENDED_LENGTH:
        return numbered(number, flag | length)
    head = numbered(number, flag | EXTENDED_LENGTH)
    if length < LENGTH_16:
        return head + bytes([length])
    if length < 1 << 16:
        return head + bytes([LENGTH_16]) + length.to_bytes(2, "big")
    return head + bytes([LENGTH_32]) + length.to_bytes(4, "big")


def numbered(number: int, low: int) -> bytes:
    """The tag octets of ``number`` (0-254) over the low four bits."""
    if number < EXTENDED_NUMBER:
        return bytes([number << 4 | low])
    return bytes([EXTENDED_NUMBER << 4 | low, number])


def application(value: Atom) -> bytes:
    """A value under its application tag."""
    if isinstance(value, Boolean):
        return numbered(Boolean.TAG, int(value.value))
    content = value.content()
    return tag_octets(value.TAG, False, len(content)) + content


def context(number: int, value: Atom) -> bytes:
    """A value under context tag ``number``."""
    content = value.content()
    return tag_octets(number, True, len(content)) + content


def enclosed(number: int, inner: bytes) -> bytes:
    """Encoded octets between opening and closing tag ``number``."""
    return numbered(number, CONTEXT | OPENING) + inner + numbered(number, CONTEXT | CLOSING)


class Reader:
    """Reads octets from front to back; every method raises DecodeError instead of running over the end."""

    __slots__ = ("_at", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._octets)

    def end(self) -> None:
        """DecodeError (too many arguments) unless nothing is left."""
        if not self.done:
            raise DecodeError("octets after the last parameter", RejectReason.TOO_MANY_ARGUMENTS)

    def take(self, count: int) -> bytes:
        """The next ``count`` octets."""
        piece = self._octets[self._at : self._at + count]
        if len(piece) != count:
            raise DecodeError(f"ends {count - len(piece)} octets short")
        self._at += count
        return piece

    def number(self, octets: int) -> int:
        """A plain big-endian number of 1, 2 or 4 octets."""
        return int.from_bytes(self.take(octets), "big")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._octets) - self._at)

    def tag(self) -> Tag:
        """The next tag, consumed."""
        if self.done:
            raise DecodeError("ends where a parameter is due", RejectReason.MISSING_REQUIRED_PARAMETER)
        first = self.number(1)
        number, is_context, low = first >> 4, bool(first & CONTEXT), first & 7
        if number == EXTENDED_NUMBER:
            number = self.number(1)
            if number in range(EXTENDED_NUMBER) or number == 255:
                raise DecodeError(f"extended tag number {number}")
        if low in (OPENING, CLOSING):
            if not is_context:
                raise DecodeError("opening or closing application tag")
            return Tag(number, True, form=Form.OPENING if low == OPENING else Form.CLOSING)
        return Tag(number, is_context, self._length(low))

    def _length(self, low: int) -> int:
        if low < EXTENDED_LENGTH:
            return low
        length = self.number(1)
        least = EXTENDED_LENGTH
        if length == LENGTH_16:
            length, least = self.number(2), LENGTH_16
        elif length == LENGTH_32:
            length, least = self.number(4), 1 << 16
        if length < least:
            raise DecodeError("length not in its shortest form")
        return length

    def peek(self) -> Tag | None:
        """The next tag, not consumed; None at the end."""
        if self.done:
            return None
        at = self._at
        tag = self.tag()
        self._at = at
        return tag

    def value(self) -> Atom:
        """The next application-tagged value, of whatever type."""
        tag = self.tag()
        kind = PRIMITIVES.get(tag.number)
        if tag.context or kind is None:
            raise DecodeError("no application tag", RejectReason.INVALID_TAG)
        if kind is Boolean:
            return Boolean.parse(bytes([min(tag.length, 255)]))
        return kind.parse(self.take(tag.length))

    def context(self, number: int, kind: type[A]) -> A:
        """The value of type ``kind`` under context tag ``number``."""
        tag = self.tag()
        if tag != Tag(number, True, tag.length):
            raise DecodeError(f"context tag {number} is due")
        return kind.parse(self.take(tag.length))

    def optional(self, number: int, kind: type[A]) -> A | None:
        """The same, or None where another tag or the end comes."""
        tag = self.peek()
        if tag is None or tag != Tag(number, True, tag.length):
            return None
        return self.context(number, kind)

    def opens(self, number: int) -> None:
        """Consume opening tag ``number``."""
        if self.tag() != Tag(number, True, form=Form.OPENING):
            raise DecodeError(f"opening tag {number} is due")

    def closes(self, number: int) -> bool:
        """Whether closing tag ``number`` comes next; consumed if so."""
        if self.peek() != Tag(number, True, form=Form.CLOSING):
            return False
        self.tag()
        return True

    def enclosed(self, number: int) -> bytes:
        """The octets between opening and closing tag ``number``, with whatever balanced tags are in them."""
        self.opens(number)
        start, pending = self._at, [number]
        while pending:
            before, tag = self._at, self.tag()
            if tag.form is Form.OPENING:
                pending.append(tag.number)
            elif tag.form is Form.CLOSING:
                if tag.number != pending.pop():
                    raise DecodeError("closing tag without its opening tag")
            else:
                self.take(tag.octets_after)
        return self._octets[start:before]
