"""BACnet values as numbers and back: object types, application-tagged atoms, status flags, priority arrays. Pure.

Source: ASHRAE 135 clauses 20.2 (encoding), 12 (object types), 19.2 (command prioritization), 21 (numbers).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

DEVICE = 8
"""The number of the device object type."""
ANY_INSTANCE = 4_194_303
"""The instance that means: whatever device object you are."""
SLOTS = 16
"""Length of a priority array."""


class Tag(IntEnum):
    """Application tags that this house reads or writes; CONSTRUCTED stands for anything in brackets."""

    CONSTRUCTED = -1
    NULL = 0
    BOOLEAN = 1
    UNSIGNED = 2
    SIGNED = 3
    REAL = 4
    DOUBLE = 5
    BIT_STRING = 8
    ENUMERATED = 9
    OBJECT_IDENTIFIER = 12


class Property(IntEnum):
    """The properties that are asked for."""

    COV_INCREMENT = 22
    FIRMWARE_REVISION = 44
    HIGH_LIMIT = 45
    LOW_LIMIT = 59
    MAX_APDU_LENGTH_ACCEPTED = 62
    OBJECT_IDENTIFIER = 75
    PRESENT_VALUE = 85
    PRIORITY_ARRAY = 87
    RELINQUISH_DEFAULT = 104
    SETPOINT = 108
    STATUS_FLAGS = 111


POINT_PROPERTIES: Mapping[str, Property] = MappingProxyType(
    {
        "present-value": Property.PRESENT_VALUE,
        "relinquish-default": Property.RELINQUISH_DEFAULT,
        "setpoint": Property.SETPOINT,
        "high-limit": Property.HIGH_LIMIT,
        "low-limit": Property.LOW_LIMIT,
    }
)
"""What ``property:`` of a profile may name; all but the first two are REAL on every object that has them."""

OBJECT_TYPES: Mapping[str, tuple[int, Tag]] = MappingProxyType(
    {
        "analog-input": (0, Tag.REAL),
        "analog-output": (1, Tag.REAL),
        "analog-value": (2, Tag.REAL),
        "binary-input": (3, Tag.ENUMERATED),
        "binary-output": (4, Tag.ENUMERATED),
        "binary-value": (5, Tag.ENUMERATED),
        "loop": (12, Tag.REAL),
        "multi-state-input": (13, Tag.UNSIGNED),
        "multi-state-output": (14, Tag.UNSIGNED),
        "schedule": (17, Tag.REAL),
        "multi-state-value": (19, Tag.UNSIGNED),
        "accumulator": (23, Tag.UNSIGNED),
        "pulse-converter": (24, Tag.REAL),
        "integer-value": (45, Tag.SIGNED),
        "large-analog-value": (46, Tag.DOUBLE),
        "positive-integer-value": (48, Tag.UNSIGNED),
        "lighting-output": (54, Tag.REAL),
        "binary-lighting-output": (55, Tag.ENUMERATED),
    }
)
"""Number and datatype of the present value of each object type that a profile may name."""


class ObjectId(NamedTuple):
    """Object type number and instance."""

    type: int
    instance: int


class Ref(NamedTuple):
    """One property of one object."""

    object: ObjectId
    property: int


class Atom(NamedTuple):
    """One application-tagged value as on the wire; a boolean has one octet, a constructed value none."""

    tag: int
    octets: bytes = b""


Atoms = tuple[Atom, ...]
"""The content of one property, without its enclosing brackets."""

NULL = Atom(Tag.NULL)


class Undecodable(ValueError):
    """What was received is no usable value of this kind; the text is fit for a Fault."""


@dataclass(frozen=True, slots=True)
class StatusFlags:
    """BACnetStatusFlags, in the order of the standard."""

    in_alarm: bool = False
    fault: bool = False
    overridden: bool = False
    out_of_service: bool = False


_FLAGS = tuple(StatusFlags(*(bool(bits & mask) for mask in (8, 4, 2, 1))) for bits in range(16))


def value_reference(object_: str, property_: str) -> tuple[Ref, Tag]:
    """``analog-value,3`` and ``present-value`` -> where it is and its datatype. Raises ValueError."""
    name, _, instance = object_.partition(",")
    if name not in OBJECT_TYPES or not instance.isdigit() or int(instance) >= ANY_INSTANCE:
        raise ValueError(f"{object_!r} is no object this driver knows")
    if property_ not in POINT_PROPERTIES:
        raise ValueError(f"{property_!r} is none of {', '.join(POINT_PROPERTIES)}")
    number, tag = OBJECT_TYPES[name]
    known = POINT_PROPERTIES[property_]
    own_type = known in (Property.PRESENT_VALUE, Property.RELINQUISH_DEFAULT)
    return Ref(ObjectId(number, int(instance)), known), tag if own_type else Tag.REAL


def number(atoms: Sequence[Atom]) -> float:
    """The one number in ``atoms``; active and true are 1.0. Raises Undecodable, also for NaN and infinity."""
    if len(atoms) != 1:
        raise Undecodable(f"{len(atoms)} values where one was expected")
    return _number(atoms[0])


def slots(atoms: Sequence[Atom]) -> tuple[tuple[int, float], ...]:
    """The occupied slots of a priority array, ``((priority, value), ...)``. Raises Undecodable."""
    if len(atoms) != SLOTS:
        raise Undecodable(f"priority array of {len(atoms)} slots")
    return tuple((priority, _number(atom)) for priority, atom in enumerate(atoms, start=1) if atom.tag != Tag.NULL)


def status_flags(atoms: Sequence[Atom]) -> StatusFlags:
    """The four flags. Raises Undecodable."""
    if len(atoms) != 1 or atoms[0].tag != Tag.BIT_STRING or len(atoms[0].octets) < 2:
        raise Undecodable("status flags are no string of four bits")
    return _FLAGS[atoms[0].octets[1] >> 4]


def object_identifier(atoms: Sequence[Atom]) -> ObjectId:
    """The one object identifier in ``atoms``. Raises Undecodable."""
    if len(atoms) != 1 or atoms[0].tag != Tag.OBJECT_IDENTIFIER or len(atoms[0].octets) != 4:
        raise Undecodable("no object identifier")
    word = int.from_bytes(atoms[0].octets)
    return ObjectId(word >> 22, word & ANY_INSTANCE)


def atom_of(value: float, tag: Tag) -> Atom:
    """``value`` as the datatype ``tag``. Raises ValueError where the datatype cannot hold it."""
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    if tag in (Tag.REAL, Tag.DOUBLE):
        try:
            return Atom(tag, struct.pack(">f" if tag is Tag.REAL else ">d", value))
        except OverflowError:
            raise ValueError(f"{value} is too large for a REAL") from None
    if value != int(value):
        raise ValueError(f"{value} is not a whole number")
    return Atom(tag, _whole(int(value), tag))


def _whole(value: int, tag: Tag) -> bytes:
    if tag is Tag.ENUMERATED and value not in (0, 1):
        raise ValueError(f"{value} is neither 0 nor 1")
    signed = tag is Tag.SIGNED
    limits = (-(2**31), 2**31 - 1) if signed else (0, 2**32 - 1)
    if not limits[0] <= value <= limits[1]:
        raise ValueError(f"{value} is outside {limits[0]} to {limits[1]}")
    bits = (value if value >= 0 else ~value).bit_length() + signed
    return value.to_bytes(max(1, (bits + 7) // 8), signed=signed)


def _number(atom: Atom) -> float:
    octets = atom.octets
    if atom.tag == Tag.REAL and len(octets) == 4:
        return _shortest(_finite(struct.unpack(">f", octets)[0]), octets)
    if atom.tag == Tag.DOUBLE and len(octets) == 8:
        return _finite(struct.unpack(">d", octets)[0])
    if atom.tag in (Tag.UNSIGNED, Tag.ENUMERATED, Tag.BOOLEAN) and 0 < len(octets) <= 8:
        return float(int.from_bytes(octets))
    if atom.tag == Tag.SIGNED and 0 < len(octets) <= 8:
        return float(int.from_bytes(octets, signed=True))
    raise Undecodable("no value" if atom.tag == Tag.NULL else f"datatype {atom.tag} is no number")


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise Undecodable(f"the device answers {value}")
    return value


def _shortest(value: float, octets: bytes) -> float:
    """The shortest decimal that is the same REAL: 19.3 rather than 19.299999237060547."""
    for digits in range(6, 9):
        candidate = float(f"{value:.{digits}g}")
        if _real(candidate) == octets:
            return candidate
    return value


def _real(value: float) -> bytes:
    try:
        return struct.pack(">f", value)
    except OverflowError:
        return b""
