"""What to ask a BACnet device of itself and of its objects, and what its answers say. Pure.

Source: ASHRAE 135 clauses 12 (properties of each object type), 21 (numbers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from drivers.api import Refused
from drivers.bacnet import codec, listing
from drivers.bacnet.codec import DEVICE, Atom, Atoms, ObjectId, Property, Ref, StatusFlags, Tag, Undecodable
from drivers.bacnet.listing import ListedObject
from drivers.bacnet.text import CHARACTER_STRING, character_string

Answers = Mapping[Ref, Atoms | Refused]
Value = float | str | None


class Asked(IntEnum):
    """Properties that nobody polls: who and what something is."""

    DESCRIPTION = 28
    FIRMWARE_REVISION = 44
    LOCATION = 58
    MAX_PRES_VALUE = 65
    MIN_PRES_VALUE = 69
    MODEL_NAME = 70
    OBJECT_LIST = 76
    OBJECT_NAME = 77
    UNITS = 117
    VENDOR_NAME = 121


_OF_A_DEVICE = (
    Asked.OBJECT_NAME, Asked.VENDOR_NAME, Asked.MODEL_NAME, Asked.FIRMWARE_REVISION, Asked.DESCRIPTION, Asked.LOCATION,
)  # fmt: skip
_ANALOG = frozenset({0, 1, 2, 12, 23, 24, 45, 46, 48})
"""Object types that have units."""
_COMMANDABLE = frozenset({1, 2, 4, 5, 14, 19, 45, 46, 48, 54, 55})
"""Object types that have a priority array, or may have one."""
_VALUED = _ANALOG | _COMMANDABLE | frozenset({3, 13, 17, 40, 42, 44, 50})
_BINARY = frozenset({3, 4, 5, 55})

_NORMAL = StatusFlags()


@dataclass(frozen=True, slots=True)
class About:
    """What a device says of itself, "" where it does not; ``instance`` is the one that answers."""

    instance: int
    name: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    description: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class SeenObject:
    """One object as it was read. ``unit`` is the standard's number; ``slots`` who holds which priority.

    ``slots`` None: it has no priority array. ``value`` None: it has none, ``cause`` says why where it said so.
    """

    id: ObjectId
    name: str = ""
    value: Value = None
    cause: str = ""
    unit: int | None = None
    description: str = ""
    slots: tuple[tuple[int, float], ...] | None = None
    flags: StatusFlags = _NORMAL
    minimum: float | None = None
    maximum: float | None = None

    @property
    def kind(self) -> str:
        """``analog-value``, or the number of a type that is a maker's own."""
        return listing.object_type(str(self.id.type)) or str(self.id.type)

    @property
    def key(self) -> str:
        """``analog-value,1``, as a profile writes it."""
        return f"{self.kind},{self.id.instance}"

    @property
    def commandable(self) -> bool:
        """Whether it has a priority array."""
        return self.slots is not None

    def listed(self, device: int) -> ListedObject:
        """The same as a line of a list of objects, for the draft of a profile."""
        unit = "" if self.unit is None else listing.unit_named(str(self.unit))
        return ListedObject(
            self.kind, self.id.instance, self.name, self.description, unit, device,
            settable=True if self.commandable else None, minimum=self.minimum, maximum=self.maximum,
        )  # fmt: skip


def device_refs(instance: int) -> list[Ref]:
    """What to ask a device of itself."""
    return [Ref(ObjectId(DEVICE, instance), property_) for property_ in _OF_A_DEVICE]


def object_list(instance: int) -> Ref:
    """Where a device lists its objects."""
    return Ref(ObjectId(DEVICE, instance), Asked.OBJECT_LIST)


def object_refs(object_: ObjectId) -> list[Ref]:
    """What to ask of one object, by its type; a device may still refuse some of it."""
    wanted: list[int] = [Asked.OBJECT_NAME, Asked.DESCRIPTION]
    if object_.type in _VALUED:
        wanted += [Property.PRESENT_VALUE, Property.STATUS_FLAGS]
    if object_.type in _ANALOG:
        wanted.append(Asked.UNITS)
    if object_.type in _COMMANDABLE:
        wanted.append(Property.PRIORITY_ARRAY)
        if object_.type in _ANALOG:
            wanted += [Asked.MIN_PRES_VALUE, Asked.MAX_PRES_VALUE]
    return [Ref(object_, property_) for property_ in wanted]


def about(instance: int, answers: Answers) -> About:
    """What a device says of itself."""
    device = ObjectId(DEVICE, instance)
    said = [_text(answers.get(Ref(device, property_))) for property_ in _OF_A_DEVICE]
    return About(instance, *said)


def seen_object(object_: ObjectId, answers: Answers) -> SeenObject:
    """One object as its answers show it; what is missing or of a strange type is left out."""

    def of(property_: int) -> Atoms | Refused | None:
        return answers.get(Ref(object_, property_))

    value, cause = _value(object_.type, of(Property.PRESENT_VALUE))
    return SeenObject(
        object_,
        _text(of(Asked.OBJECT_NAME)),
        value,
        cause,
        _whole(of(Asked.UNITS)),
        _text(of(Asked.DESCRIPTION)),
        _slots(of(Property.PRIORITY_ARRAY)),
        _flags(of(Property.STATUS_FLAGS)),
        _number(of(Asked.MIN_PRES_VALUE)),
        _number(of(Asked.MAX_PRES_VALUE)),
    )


def identifiers(atoms: Sequence[Atom]) -> list[ObjectId]:
    """The objects of an object list, the device itself left out. Raises Undecodable."""
    found = [codec.object_identifier([atom]) for atom in atoms]
    return [one for one in found if one.type != DEVICE]


def _value(kind: int, atoms: Atoms | Refused | None) -> tuple[Value, str]:
    if atoms is None:
        return None, ""
    if isinstance(atoms, Refused):
        return None, atoms.cause
    if len(atoms) == 1 and atoms[0].tag == CHARACTER_STRING:
        return _text(atoms), ""
    try:
        number = codec.number(atoms)
    except Undecodable as error:
        return None, str(error)
    if kind in _BINARY and atoms[0].tag == Tag.ENUMERATED:
        return ("active" if number else "inactive"), ""
    return number, ""


def _text(atoms: Atoms | Refused | None) -> str:
    if atoms is None or isinstance(atoms, Refused):
        return ""
    try:
        return character_string(atoms)
    except Undecodable:
        return ""


def _number(atoms: Atoms | Refused | None) -> float | None:
    if atoms is None or isinstance(atoms, Refused):
        return None
    try:
        return codec.number(atoms)
    except Undecodable:
        return None


def _whole(atoms: Atoms | Refused | None) -> int | None:
    found = _number(atoms)
    return None if found is None else int(found)


def _slots(atoms: Atoms | Refused | None) -> tuple[tuple[int, float], ...] | None:
    if atoms is None or isinstance(atoms, Refused):
        return None
    try:
        return codec.slots(atoms)
    except Undecodable:
        return None


def _flags(atoms: Atoms | Refused | None) -> StatusFlags:
    if atoms is None or isinstance(atoms, Refused):
        return _NORMAL
    try:
        return codec.status_flags(atoms)
    except Undecodable:
        return _NORMAL
