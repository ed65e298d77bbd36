"""The primitive data types of BACnet and their contents octets (ASHRAE 135, 20.2.2 - 20.2.14), pure.

Written from the standard on its own: it must not share a mistake with the daemon's stack. Contents that are not
in the one form the standard allows (shortest unsigned, one charset octet, ...) raise DecodeError.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from sim.bacnet_words import RejectReason

CHARSETS = {0: "utf-8", 3: "utf-32-be", 4: "utf-16-be", 5: "latin-1"}
INSTANCE_BITS = 22
MAX_INSTANCE = (1 << INSTANCE_BITS) - 1
LONGEST_INTEGER = 8


class DecodeError(Exception):
    """Octets that are not what the standard allows there; ``reject`` is the reason a device answers with."""

    def __init__(self, cause: str, reject: RejectReason = RejectReason.INVALID_TAG) -> None:
        super().__init__(cause)
        self.reject = reject


class Atom(ABC):
    """One primitive value; ``TAG`` is its application tag number."""

    __slots__ = ()
    TAG: ClassVar[int]

    @abstractmethod
    def content(self) -> bytes:
        """The contents octets, as under a context tag."""

    @classmethod
    @abstractmethod
    def parse(cls, content: bytes) -> Self:
        """The inverse of ``content``; raises DecodeError."""


def exactly(content: bytes, length: int, what: str) -> bytes:
    """``content`` if it has ``length`` octets; else DecodeError."""
    if len(content) != length:
        raise DecodeError(f"{what} of {len(content)} octets", RejectReason.INVALID_PARAMETER_DATA_TYPE)
    return content


def shortest(content: bytes, *, signed: bool) -> int:
    """A big-endian integer in its shortest form, at most 8 octets; else DecodeError."""
    number = int.from_bytes(content, "big", signed=signed)
    if not 1 <= len(content) <= LONGEST_INTEGER or len(content) != length_of(number, signed=signed):
        raise DecodeError("integer not in its shortest form", RejectReason.INVALID_PARAMETER_DATA_TYPE)
    return number


def length_of(number: int, *, signed: bool) -> int:
    """How many octets the shortest form of ``number`` takes, at least 1."""
    magnitude = number if number >= 0 else ~number
    return (magnitude.bit_length() + (1 if signed else 0) + 7) // 8 or 1


@dataclass(frozen=True, slots=True)
class Null(Atom):
    """No value: frees a slot of a priority array."""

    TAG: ClassVar[int] = 0

    def content(self) -> bytes:
        return b""

    @classmethod
    def parse(cls, content: bytes) -> Self:
        exactly(content, 0, "Null")
        return cls()


@dataclass(frozen=True, slots=True)
class Boolean(Atom):
    """Under an application tag the value is in the tag itself; under a context tag it is one octet."""

    value: bool
    TAG: ClassVar[int] = 1

    def content(self) -> bytes:
        return bytes([self.value])

    @classmethod
    def parse(cls, content: bytes) -> Self:
        if content not in (b"\x00", b"\x01"):
            raise DecodeError("Boolean not 0 or 1", RejectReason.INVALID_PARAMETER_DATA_TYPE)
        return cls(content == b"\x01")


@dataclass(frozen=True, slots=True)
class Unsigned(Atom):
    """0 .. 2^64 - 1."""

    value: int
    TAG: ClassVar[int] = 2

    def content(self) -> bytes:
        return self.value.to_bytes(length_of(self.value, signed=False), "big")

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(shortest(content, signed=False))


@dataclass(frozen=True, slots=True)
class Integer(Atom):
    """Two's complement, -2^63 .. 2^63 - 1."""

    value: int
    TAG: ClassVar[int] = 3

    def content(self) -> bytes:
        return self.value.to_bytes(length_of(self.value, signed=True), "big", signed=True)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(shortest(content, signed=True))


@dataclass(frozen=True, slots=True)
class Real(Atom):
    """IEEE 754 single precision; what lies beyond it becomes an infinity."""

    value: float
    TAG: ClassVar[int] = 4

    def content(self) -> bytes:
        try:
            return struct.pack(">f", self.value)
        except OverflowError:
            return struct.pack(">f", float("inf") if self.value > 0 else float("-inf"))

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(struct.unpack(">f", exactly(content, 4, "Real"))[0])


@dataclass(frozen=True, slots=True)
class Double(Atom):
    """IEEE 754 double precision."""

    value: float
    TAG: ClassVar[int] = 5

    def content(self) -> bytes:
        return struct.pack(">d", self.value)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(struct.unpack(">d", exactly(content, 8, "Double"))[0])


@dataclass(frozen=True, slots=True)
class OctetString(Atom):
    """Octets as they are."""

    value: bytes
    TAG: ClassVar[int] = 6

    def content(self) -> bytes:
        return self.value

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(content)


@dataclass(frozen=True, slots=True)
class CharacterString(Atom):
    """Text; sent as UTF-8, read in any charset of the standard but DBCS and JIS."""

    value: str
    TAG: ClassVar[int] = 7

    def content(self) -> bytes:
        return b"\x00" + self.value.encode()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        charset = CHARSETS.get(content[0]) if content else None
        if charset is None:
            raise DecodeError("no known charset", RejectReason.INVALID_PARAMETER_DATA_TYPE)
        try:
            return cls(content[1:].decode(charset))
        except UnicodeDecodeError as error:
            raise DecodeError(f"not {charset}", RejectReason.INVALID_PARAMETER_DATA_TYPE) from error


@dataclass(frozen=True, slots=True)
class BitString(Atom):
    """Bits, first bit first; the first contents octet counts the unused bits of the last one."""

    bits: tuple[bool, ...]
    TAG: ClassVar[int] = 8

    def content(self) -> bytes:
        unused = -len(self.bits) % 8
        number = sum(1 << place for place, bit in enumerate(reversed(self.bits)) if bit) << unused
        return bytes([unused]) + number.to_bytes((len(self.bits) + 7) // 8, "big")

    @classmethod
    def parse(cls, content: bytes) -> Self:
        if not content or content[0] > 7 or (len(content) == 1 and content[0]):
            raise DecodeError("impossible bit string", RejectReason.INVALID_PARAMETER_DATA_TYPE)
        count = (len(content) - 1) * 8 - content[0]
        number = int.from_bytes(content[1:], "big") >> content[0]
        return cls(tuple(bool(number >> place & 1) for place in reversed(range(count))))


@dataclass(frozen=True, slots=True)
class Enumerated(Atom):
    """A word of an enumeration, by its number."""

    value: int
    TAG: ClassVar[int] = 9

    def content(self) -> bytes:
        return self.value.to_bytes(length_of(self.value, signed=False), "big")

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(shortest(content, signed=False))


@dataclass(frozen=True, slots=True)
class Date(Atom):
    """The four octets of a date: year - 1900, month, day, day of week (Monday = 1); 255 is unspecified."""

    year: int
    month: int
    day: int
    weekday: int
    TAG: ClassVar[int] = 10

    def content(self) -> bytes:
        return bytes([self.year, self.month, self.day, self.weekday])

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(*exactly(content, 4, "Date"))


@dataclass(frozen=True, slots=True)
class Time(Atom):
    """The four octets of a time: hour, minute, second, hundredths; 255 is unspecified."""

    hour: int
    minute: int
    second: int
    hundredths: int
    TAG: ClassVar[int] = 11

    def content(self) -> bytes:
        return bytes([self.hour, self.minute, self.second, self.hundredths])

    @classmethod
    def parse(cls, content: bytes) -> Self:
        return cls(*exactly(content, 4, "Time"))


@dataclass(frozen=True, slots=True, order=True)
class ObjectId(Atom):
    """An object identifier: 10 bits of type, 22 bits of instance."""

    type: int
    instance: int
    TAG: ClassVar[int] = 12

    def content(self) -> bytes:
        return (self.type << INSTANCE_BITS | self.instance).to_bytes(4, "big")

    @classmethod
    def parse(cls, content: bytes) -> Self:
        number = int.from_bytes(exactly(content, 4, "ObjectIdentifier"), "big")
        return cls(number >> INSTANCE_BITS, number & MAX_INSTANCE)


PRIMITIVES: Mapping[int, type[Atom]] = {
    atom.TAG: atom
    for atom in (
        Null,
        Boolean,
        Unsigned,
        Integer,
        Real,
        Double,
        OctetString,
        CharacterString,
        BitString,
        Enumerated,
        Date,
        Time,
        ObjectId,
    )
}
