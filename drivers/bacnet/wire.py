"""The octets of the services that this house uses: requests put together, answers taken apart. Pure.

Source: ASHRAE 135 clauses 20.2 (tags), 21 (services). Every length is checked against what was received: an answer
that is cut off, badly nested or longer than it says raises Malformed, it never becomes a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from drivers.bacnet.codec import Atom, Atoms, ObjectId, Ref, Tag

_CONTEXT = 8
_OPENING, _CLOSING = 6, 7
_EXTENDED = 5
_INSTANCE_BITS = 22
_INSTANCES = (1 << _INSTANCE_BITS) - 1
_MOST_WHOLE_OCTETS = 4
_SHORT = frozenset(tag << 4 | length for tag in range(15) if tag != Tag.BOOLEAN for length in range(_EXTENDED))
"""First octets of application-tagged values that carry their length themselves."""


class Service(IntEnum):
    """Confirmed services that are asked for, and the confirmed notification."""

    CONFIRMED_COV_NOTIFICATION = 1
    SUBSCRIBE_COV = 5
    READ_PROPERTY = 12
    READ_PROPERTY_MULTIPLE = 14
    WRITE_PROPERTY = 15


UNCONFIRMED_COV_NOTIFICATION = 2
"""The number of the unconfirmed service."""


class Malformed(ValueError):
    """What was received is no message of this kind; the text is fit for a cause."""


class Denied(NamedTuple):
    """BACnetErrorClass and BACnetErrorCode, as numbers."""

    error_class: int
    error_code: int


class Property(NamedTuple):
    """One property as answered; ``element`` None: the whole of it, else one element of an array."""

    ref: Ref
    element: int | None
    content: Atoms | Denied


class Notification(NamedTuple):
    """A change of value, as a device tells it."""

    process: int
    device: ObjectId
    object: ObjectId
    remaining_s: int
    values: tuple[tuple[int, Atoms], ...]
    """Property number and content, in the device's order."""


def read_property(ref: Ref) -> bytes:
    """The parameters of a ReadProperty."""
    return _object(0, ref.object) + _whole(1, ref.property)


def read_element(ref: Ref, element: int) -> bytes:
    """The parameters of a ReadProperty of one element of an array; element 0 is its length."""
    return read_property(ref) + _whole(2, element)


def read_elements(ref: Ref, elements: Sequence[int]) -> bytes:
    """The parameters of a ReadPropertyMultiple of several elements of one array."""
    wanted = b"".join(_whole(0, ref.property) + _whole(1, element) for element in elements)
    return _object(0, ref.object) + b"\x1e" + wanted + b"\x1f"


def read_many(refs: Sequence[Ref]) -> bytes:
    """The parameters of a ReadPropertyMultiple; what belongs to one object is asked for together."""
    wanted: dict[ObjectId, bytes] = {}
    for ref in dict.fromkeys(refs):
        wanted[ref.object] = wanted.get(ref.object, b"") + _whole(0, ref.property)
    return b"".join(_object(0, object_) + b"\x1e" + properties + b"\x1f" for object_, properties in wanted.items())


def write_property(ref: Ref, value: Atom, priority: int | None) -> bytes:
    """The parameters of a WriteProperty; ``priority`` None leaves it out."""
    encoded = read_property(ref) + b"\x3e" + application(value) + b"\x3f"
    return encoded if priority is None else encoded + _whole(4, priority)


def write_encoded(ref: Ref, element: int | None, encoded: bytes) -> bytes:
    """The parameters of a WriteProperty of a constructed value, or of one element of an array of them."""
    place = read_property(ref) if element is None else read_element(ref, element)
    return place + b"\x3e" + encoded + b"\x3f"


def subscribe_cov(process: int, object_: ObjectId, lifetime_s: int, *, confirmed: bool) -> bytes:
    """The parameters of a SubscribeCOV."""
    return cancel_cov(process, object_) + bytes([0x29, confirmed]) + _whole(3, lifetime_s)


def cancel_cov(process: int, object_: ObjectId) -> bytes:
    """The parameters of a SubscribeCOV that ends a subscription."""
    return _whole(0, process) + _object(1, object_)


def application(atom: Atom) -> bytes:
    """One application-tagged value."""
    if atom.tag == Tag.BOOLEAN:  # its value lies where the others have their length
        return bytes([0x10 | atom.octets[0]])
    return _header(atom.tag << 4, len(atom.octets)) + atom.octets


def read_answer(octets: bytes) -> Property:
    """The answer to a ReadProperty. Raises Malformed."""
    object_, at = _object_at(octets, 0, 0)
    property_, at = _whole_at(octets, at, 1)
    element, at = _element_at(octets, at, 2)
    content, at = _content_at(octets, at, 3)
    _finished(octets, at)
    return Property(Ref(object_, property_), element, content)


def encoded_answer(octets: bytes) -> tuple[Ref, int | None, bytes]:
    """The answer to a ReadProperty with its content as it came, for who can take it apart. Raises Malformed."""
    object_, at = _object_at(octets, 0, 0)
    property_, at = _whole_at(octets, at, 1)
    element, at = _element_at(octets, at, 2)
    at = _bracket_at(octets, at, 0x3E)
    if len(octets) <= at or octets[-1] != 0x3F:
        raise Malformed("the answer is cut off")
    return Ref(object_, property_), element, octets[at:-1]


def atom_at(octets: bytes, at: int) -> tuple[Atom, int]:
    """The application-tagged value at ``at``, and where the next begins. Raises Malformed."""
    atom, end, _ = _tag_at(octets, at)
    if atom.tag == Tag.CONSTRUCTED:
        raise Malformed("undecodable answer")
    return atom, end


def read_many_answer(octets: bytes) -> list[Property]:
    """The answer to a ReadPropertyMultiple, in the device's order. Raises Malformed."""
    found: list[Property] = []
    at, end = 0, len(octets)
    while at < end:
        object_, at = _object_at(octets, at, 0)
        at = _bracket_at(octets, at, 0x1E)
        while not _is(octets, at, 0x1F):
            property_, at = _whole_at(octets, at, 2)
            element, at = _element_at(octets, at, 3)
            content: Atoms | Denied
            if _is(octets, at, 0x5E):
                content, at = _denied_at(octets, at + 1)
                at = _bracket_at(octets, at, 0x5F)
            else:
                content, at = _content_at(octets, at, 4)
            found.append(Property(Ref(object_, property_), element, content))
        at += 1
    return found


def error(octets: bytes) -> Denied:
    """Class and code of an Error. Raises Malformed."""
    denied, at = _denied_at(octets, 0)
    _finished(octets, at)
    return denied


def cov_notification(octets: bytes) -> Notification:
    """A confirmed or unconfirmed COV notification. Raises Malformed."""
    process, at = _whole_at(octets, 0, 0)
    device, at = _object_at(octets, at, 1)
    object_, at = _object_at(octets, at, 2)
    remaining_s, at = _whole_at(octets, at, 3)
    at = _bracket_at(octets, at, 0x4E)
    values: list[tuple[int, Atoms]] = []
    while not _is(octets, at, 0x4F):
        property_, at = _whole_at(octets, at, 0)
        _, at = _element_at(octets, at, 1)
        content, at = _content_at(octets, at, 2)
        if at < len(octets) and octets[at] == 0x39:
            _, at = _whole_at(octets, at, 3)
        values.append((property_, content))
    _finished(octets, at + 1)
    return Notification(process, device, object_, remaining_s, tuple(values))


def _header(first: int, length: int) -> bytes:
    if length < _EXTENDED:
        return bytes([first | length])
    if length < 254:
        return bytes([first | _EXTENDED, length])
    return bytes([first | _EXTENDED, 254]) + length.to_bytes(2)


def _whole(number: int, value: int) -> bytes:
    octets = value.to_bytes(max(1, (value.bit_length() + 7) // 8))
    return bytes([number << 4 | _CONTEXT | len(octets)]) + octets


def _object(number: int, object_: ObjectId) -> bytes:
    word = object_.type << _INSTANCE_BITS | object_.instance
    return bytes([number << 4 | _CONTEXT | 4]) + word.to_bytes(4)


def _is(octets: bytes, at: int, octet: int) -> bool:
    if at >= len(octets):
        raise Malformed("the answer is cut off")
    return octets[at] == octet


def _bracket_at(octets: bytes, at: int, bracket: int) -> int:
    if not _is(octets, at, bracket):
        raise Malformed("undecodable answer")
    return at + 1


def _finished(octets: bytes, at: int) -> None:
    if at != len(octets):
        raise Malformed("undecodable answer")


def _object_at(octets: bytes, at: int, number: int) -> tuple[ObjectId, int]:
    end = at + 5
    if end > len(octets):
        raise Malformed("the answer is cut off")
    if octets[at] != (number << 4 | _CONTEXT | 4):
        raise Malformed("undecodable answer")
    word = int.from_bytes(octets[at + 1 : end])
    return ObjectId(word >> _INSTANCE_BITS, word & _INSTANCES), end


def _whole_at(octets: bytes, at: int, number: int) -> tuple[int, int]:
    """A context-tagged unsigned or enumerated of one to four octets."""
    if at >= len(octets):
        raise Malformed("the answer is cut off")
    length = octets[at] - (number << 4 | _CONTEXT)
    end = at + 1 + length
    if not 0 < length <= _MOST_WHOLE_OCTETS:
        raise Malformed("undecodable answer")
    if end > len(octets):
        raise Malformed("the answer is cut off")
    return (octets[at + 1], end) if length == 1 else (int.from_bytes(octets[at + 1 : end]), end)


def _element_at(octets: bytes, at: int, number: int) -> tuple[int | None, int]:
    """An array index where there is one."""
    if at < len(octets) and octets[at] >> 3 == (number << 1 | 1) and octets[at] & 7 <= _MOST_WHOLE_OCTETS:
        return _whole_at(octets, at, number)
    return None, at


def _denied_at(octets: bytes, at: int) -> tuple[Denied, int]:
    error_class, at = _enumerated_at(octets, at)
    error_code, at = _enumerated_at(octets, at)
    return Denied(error_class, error_code), at


def _enumerated_at(octets: bytes, at: int) -> tuple[int, int]:
    atom, end, _ = _tag_at(octets, at)
    if atom.tag != Tag.ENUMERATED or not 0 < len(atom.octets) <= _MOST_WHOLE_OCTETS:
        raise Malformed("undecodable answer")
    return int.from_bytes(atom.octets), end


def _content_at(octets: bytes, at: int, number: int) -> tuple[Atoms, int]:
    """What stands between the brackets ``number``; what is itself in brackets becomes one CONSTRUCTED atom."""
    at = _bracket_at(octets, at, number << 4 | _CONTEXT | _OPENING)
    closing = number << 4 | _CONTEXT | _CLOSING
    end = at + 1 + octets[at] % _CONTEXT if at < len(octets) and octets[at] in _SHORT else len(octets)
    if end < len(octets) and octets[end] == closing:  # one short value, as nearly always
        return (Atom(octets[at] >> 4, octets[at + 1 : end]),), end + 1
    atoms: list[Atom] = []
    inside: list[int] = []
    while inside or not _is(octets, at, closing):
        atom, end, first = _tag_at(octets, at)
        if first & 0x0F == _CONTEXT | _CLOSING:
            if not inside or inside.pop() != _number(octets, at):
                raise Malformed("the brackets do not match")
        elif not inside:
            atoms.append(atom)
        if first & 0x0F == _CONTEXT | _OPENING:
            inside.append(_number(octets, at))
        at = end
    return tuple(atoms), at + 1


def _number(octets: bytes, at: int) -> int:
    number = octets[at] >> 4
    return number if number < 15 else octets[at + 1]


def _tag_at(octets: bytes, at: int) -> tuple[Atom, int, int]:
    """One tag with its value, where the next begins, and its first octet."""
    if at >= len(octets):
        raise Malformed("the answer is cut off")
    first = octets[at]
    at += 1 if first < 0xF0 else 2
    length = first & 7
    if first & _CONTEXT:
        if length in (_OPENING, _CLOSING):
            length = 0
    elif first >> 4 == Tag.BOOLEAN:
        if length > 1:
            raise Malformed("undecodable answer")
        return Atom(Tag.BOOLEAN, bytes([length])), at, first
    elif length > _EXTENDED:
        raise Malformed("undecodable answer")
    if length == _EXTENDED:
        length, at = _long_length_at(octets, at)
    end = at + length
    if end > len(octets):
        raise Malformed("the answer is cut off")
    if first & _CONTEXT or first >= 0xF0:
        return Atom(Tag.CONSTRUCTED), end, first
    return Atom(first >> 4, octets[at:end]), end, first


def _long_length_at(octets: bytes, at: int) -> tuple[int, int]:
    if at >= len(octets):
        raise Malformed("the answer is cut off")
    length = octets[at]
    at += 1
    if length < 254:
        return length, at
    width = 2 if length == 254 else 4
    if at + width > len(octets):
        raise Malformed("the answer is cut off")
    return int.from_bytes(octets[at : at + width]), at + width
