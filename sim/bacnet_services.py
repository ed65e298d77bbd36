"""The services of a simulated device, without a socket (ASHRAE 135, clauses 13, 15 and 16): octets -> octets.

Every function raises DecodeError (the request is rejected) or ServiceError (it is answered with an Error).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sim.bacnet_apdu import error_body
from sim.bacnet_codec import Reader, application, context, enclosed
from sim.bacnet_device import Database, Entry, Identity
from sim.bacnet_properties import ServiceError, property_error, read_property, write_property
from sim.bacnet_values import MAX_INSTANCE, Atom, Boolean, Date, DecodeError, Enumerated, ObjectId, Time, Unsigned
from sim.bacnet_words import NO_SEGMENTATION, ErrorCode, Property, RejectReason
from sim.objects import LOWEST_PRIORITY

LARGEST_PROPERTY = (1 << 22) - 1
LARGEST_PROCESS = (1 << 32) - 1
SETS = frozenset({Property.ALL, Property.REQUIRED, Property.OPTIONAL})
NOT_IN_ALL = frozenset({Property.PROPERTY_LIST})
"""Left out of ALL and REQUIRED by clause 15.7.3.1.2."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A SubscribeCOV request; ``confirmed`` None cancels, ``lifetime_s`` 0 never ends."""

    process: int
    object: ObjectId
    confirmed: bool | None
    lifetime_s: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A property or one of its elements."""

    name: int
    index: int | None

    def encoded(self, tag: int) -> bytes:
        """The reference under context tags ``tag`` and ``tag`` + 1."""
        name = context(tag, Enumerated(self.name))
        return name if self.index is None else name + context(tag + 1, Unsigned(self.index))


def _reference(reader: Reader, tag: int) -> Reference:
    name = reader.context(tag, Enumerated).value
    if name > LARGEST_PROPERTY:
        raise DecodeError("property identifier over 22 bits", RejectReason.PARAMETER_OUT_OF_RANGE)
    index = reader.optional(tag + 1, Unsigned)
    return Reference(name, None if index is None else index.value)


def read_one(database: Database, body: bytes) -> bytes:
    """ReadProperty."""
    reader = Reader(body)
    wanted, reference = reader.context(0, ObjectId), _reference(reader, 1)
    reader.end()
    entry = database.readable(wanted)
    value = read_property(entry.table, reference.name, reference.index)
    return context(0, entry.id) + reference.encoded(1) + enclosed(3, value)


def read_many(database: Database, body: bytes) -> bytes:
    """ReadPropertyMultiple: what cannot be read is an error in its place. Decoded whole before anything is read."""
    asked = list(_access_specifications(Reader(body)))
    return b"".join(_read_object(database, wanted, references) for wanted, references in asked)


def _access_specifications(reader: Reader) -> Iterator[tuple[ObjectId, list[Reference]]]:
    while True:
        wanted = reader.context(0, ObjectId)
        reader.opens(1)
        references = [_reference(reader, 0)]
        while not reader.closes(1):
            references.append(_reference(reader, 0))
        yield wanted, references
        if reader.done:
            return


def _read_object(database: Database, wanted: ObjectId, references: list[Reference]) -> bytes:
    try:
        entry = database.readable(wanted)
    except ServiceError as error:
        results = b"".join(_failure(reference, error) for reference in references)
        return context(0, wanted) + enclosed(1, results)
    results = b"".join(_result(entry, one) for reference in references for one in _expanded(entry, reference))
    return context(0, entry.id) + enclosed(1, results)


def _expanded(entry: Entry, reference: Reference) -> list[Reference]:
    if reference.name not in SETS:
        return [reference]
    names = [name for name in entry.table if name not in NOT_IN_ALL]
    if reference.name != Property.ALL:
        wants_optional = reference.name == Property.OPTIONAL
        names = [name for name in names if (name in entry.optional) is wants_optional]
    return [Reference(name, None) for name in names]


def _result(entry: Entry, reference: Reference) -> bytes:
    try:
        value = read_property(entry.table, reference.name, reference.index)
    except ServiceError as error:
        return _failure(reference, error)
    return reference.encoded(2) + enclosed(4, value)


def _failure(reference: Reference, error: ServiceError) -> bytes:
    return reference.encoded(2) + enclosed(5, error_body(error.error_class, error.code))


def write_one(database: Database, body: bytes) -> None:
    """WriteProperty. A priority counts only where there is a priority array, but must always be 1-16."""
    reader = Reader(body)
    wanted, reference = reader.context(0, ObjectId), _reference(reader, 1)
    encoded, priority = reader.enclosed(3), reader.optional(4, Unsigned)
    reader.end()
    if priority is not None and not 1 <= priority.value <= LOWEST_PRIORITY:
        raise DecodeError("priority outside 1-16", RejectReason.PARAMETER_OUT_OF_RANGE)
    entry = database.entry(wanted)
    if reference.name not in entry.table:
        raise property_error(ErrorCode.UNKNOWN_PROPERTY)
    if reference.index is not None and isinstance(entry.table[reference.name](), bytes):
        raise property_error(ErrorCode.PROPERTY_IS_NOT_AN_ARRAY)
    if entry.own is not None:
        entry.own.write(reference.name, reference.index, encoded)
        return
    if entry.point is None:
        raise property_error(ErrorCode.WRITE_ACCESS_DENIED)
    at_priority = LOWEST_PRIORITY if priority is None else priority.value
    write_property(entry.point, reference.name, _single(encoded), at_priority)


def _single(encoded: bytes) -> Atom | None:
    """The one application value in there; None for a constructed one, or for several."""
    reader = Reader(encoded)
    first = reader.peek()
    if first is None or first.context:
        return None
    value = reader.value()
    return value if reader.done else None


def subscribe_request(body: bytes) -> Subscribe:
    """SubscribeCOV, decoded."""
    reader = Reader(body)
    process, wanted = reader.context(0, Unsigned).value, reader.context(1, ObjectId)
    confirmed, lifetime = reader.optional(2, Boolean), reader.optional(3, Unsigned)
    reader.end()
    if process > LARGEST_PROCESS or (lifetime is not None and lifetime.value > LARGEST_PROCESS):
        raise DecodeError("over 32 bits", RejectReason.PARAMETER_OUT_OF_RANGE)
    if confirmed is None and lifetime is not None:
        raise DecodeError("a lifetime but no kind of notification", RejectReason.MISSING_REQUIRED_PARAMETER)
    return Subscribe(
        process,
        wanted,
        None if confirmed is None else confirmed.value,
        0 if lifetime is None else lifetime.value,
    )


def time_told(body: bytes) -> datetime:
    """The date and time of a (UTC)TimeSynchronization, naive. Unspecified parts are no time to set a clock to."""
    reader = Reader(body)
    date, time = reader.value(), reader.value()
    reader.end()
    if not isinstance(date, Date) or not isinstance(time, Time):
        raise DecodeError("no date and time")
    try:
        return datetime(1900 + date.year, date.month, date.day, time.hour, time.minute, time.second)  # noqa: DTZ001
    except ValueError as error:
        raise DecodeError("no such time") from error


def asks_for(identity: Identity, body: bytes) -> bool:
    """Whether a Who-Is means this device."""
    reader = Reader(body)
    if reader.done:
        return True
    low, high = reader.context(0, Unsigned).value, reader.context(1, Unsigned).value
    reader.end()
    if max(low, high) > MAX_INSTANCE:
        raise DecodeError("instance over 22 bits", RejectReason.PARAMETER_OUT_OF_RANGE)
    return low <= identity.instance <= high


def i_am(identity: Identity) -> bytes:
    """The parameters of I-Am."""
    values = (
        identity.object_id,
        Unsigned(identity.max_apdu),
        Enumerated(NO_SEGMENTATION),
        Unsigned(identity.vendor_id),
    )
    return b"".join(application(value) for value in values)
