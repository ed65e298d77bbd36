"""bacpypes3's messages in the house's words: requests built, answers taken apart, refusals translated. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bacpypes3.apdu import (  # type: ignore[import-untyped]
    AbortPDU,
    AbortReason,
    ReadPropertyMultipleRequest,
    ReadPropertyRequest,
    RejectPDU,
    RejectReason,
    WritePropertyRequest,
)
from bacpypes3.basetypes import PropertyReference, ReadAccessSpecification  # type: ignore[import-untyped]
from bacpypes3.primitivedata import (  # type: ignore[import-untyped]
    ApplicationTag,
    ClosingTag,
    ObjectIdentifier,
    OpeningTag,
    PropertyIdentifier,
    TagClass,
    TagList,
)

from drivers.api import BadAnswer, Busy, DriverError, NoAnswer, Refused
from drivers.bacnet.codec import Atom, Atoms, ObjectId, Ref, Tag

# The library carries no types: these say at least what is meant.
Pdu = Any
Enum = Any
Element = Any

_TOO_LONG = frozenset({AbortReason.segmentationNotSupported, AbortReason.bufferOverflow, AbortReason.apduTooLong})
_SILENT = frozenset({AbortReason.noResponse, AbortReason.tsmTimeout, AbortReason.serverTimeout})
_LATER = frozenset(
    {
        AbortReason.outOfResources,
        AbortReason.preemptedByHigherPriorityTask,
        AbortReason.applicationExceededReplyTime,
    }
)
_BUSY = frozenset({"busy", "device-busy", "configuration-in-progress", "out-of-memory", "router-busy", "timeout"})
_GARBLED = frozenset({"invalid-tag", "malformed-message", "invalid-data-encoding", "message-incomplete"})


class AnswerTooLong(Refused):
    """The answer does not fit: ask for less at once."""


class ServiceUnsupported(Refused):
    """The device does not know this service at all."""


def translated(error: Pdu) -> DriverError:
    """An Error, Reject or Abort as a leaf of the drivers' tree."""
    if isinstance(error, AbortPDU):
        return _aborted(error.apduAbortRejectReason)
    if isinstance(error, RejectPDU):
        reason = error.apduAbortRejectReason
        if reason == RejectReason.unrecognizedService:
            return ServiceUnsupported("rejected: unrecognized-service")
        kind = AnswerTooLong if reason == RejectReason.bufferOverflow else Refused
        return kind(f"rejected: {reason}")
    return _error(getattr(error, "errorClass", "error"), getattr(error, "errorCode", "other"))


def _aborted(reason: Enum) -> DriverError:
    if reason in _SILENT:
        return NoAnswer("no answer")
    if reason in _TOO_LONG:
        return AnswerTooLong(f"aborted: {reason}")
    return Busy(f"aborted: {reason}") if reason in _LATER else BadAnswer(f"aborted: {reason}")


def _error(error_class: Enum, error_code: Enum) -> DriverError:
    code = str(error_code)
    text = f"{error_class}: {code}"
    if code in _BUSY:
        return Busy(text)
    if str(error_class) == "communication" and code in _GARBLED:
        return BadAnswer("undecodable answer")
    if str(error_class) == "services" and code in ("service-request-denied", "optional-functionality-not-supported"):
        return ServiceUnsupported(text)
    return Refused(text)


def _identifier(wanted: ObjectId) -> Element:
    return ObjectIdentifier((wanted.type, wanted.instance))


def read_request(address: Element, ref: Ref) -> Pdu:
    """A ReadProperty."""
    return ReadPropertyRequest(
        objectIdentifier=_identifier(ref.object),
        propertyIdentifier=PropertyIdentifier(ref.property),
        destination=address,
    )


def read_many_request(address: Element, refs: Sequence[Ref]) -> Pdu:
    """A ReadPropertyMultiple; what belongs to one object is asked for together."""
    wanted: dict[ObjectId, list[Element]] = {}
    for ref in dict.fromkeys(refs):
        wanted_property = PropertyReference(propertyIdentifier=PropertyIdentifier(ref.property))
        wanted.setdefault(ref.object, []).append(wanted_property)
    specifications = [
        ReadAccessSpecification(objectIdentifier=_identifier(object_id), listOfPropertyReferences=references)
        for object_id, references in wanted.items()
    ]
    return ReadPropertyMultipleRequest(listOfReadAccessSpecs=specifications, destination=address)


def write_request(address: Element, ref: Ref, value: Atom, priority: int | None) -> Pdu:
    """A WriteProperty."""
    request = WritePropertyRequest(
        objectIdentifier=_identifier(ref.object),
        propertyIdentifier=PropertyIdentifier(ref.property),
        propertyValue=TagList([OpeningTag(3), ApplicationTag(value.tag, value.octets), ClosingTag(3)]),
        destination=address,
    )
    if priority is not None:
        request.priority = priority
    return request


def results(answer: Pdu) -> Iterator[tuple[Ref, Atoms | Refused]]:
    """What a ReadPropertyMultiple brought: values, and refusals as values."""
    for result in answer.listOfReadAccessResults:
        for element in result.listOfResults or ():
            ref = reference(result.objectIdentifier, element.propertyIdentifier)
            error = element.readResult.propertyAccessError
            if error is None:
                yield ref, content(element.readResult.propertyValue)
            else:
                yield ref, Refused(f"{error.errorClass}: {error.errorCode}")


def object_id(identifier: Element) -> ObjectId:
    """An identifier in the house's words."""
    return ObjectId(int(identifier[0]), int(identifier[1]))


def reference(identifier: Element, property_: Enum) -> Ref:
    """Object and property in the house's words."""
    return Ref(object_id(identifier), int(property_))


def name_of(ref: Ref) -> str:
    """``analog-value,1 present-value``, for a cause."""
    return f"{_identifier(ref.object)} {PropertyIdentifier(ref.property)}"


def content(value: Element) -> Atoms:
    """The tags between the brackets of an Any; what is itself in brackets becomes one CONSTRUCTED atom.

    Raises BadAnswer where the brackets do not match: the library lets an answer pass that was cut off there.
    """
    tags = [] if value is None or value.tagList is None else list(value.tagList)
    atoms = []
    depth = 0
    for tag in tags[1:-1]:
        if tag.tag_class == TagClass.closing:
            depth -= 1
        elif depth == 0:
            atoms.append(_atom(tag))
        if tag.tag_class == TagClass.opening:
            depth += 1
    if depth != 0 or [tag.tag_class for tag in (*tags[:1], *tags[-1:])] != [TagClass.opening, TagClass.closing]:
        raise BadAnswer("the answer is cut off")
    return tuple(atoms)


def _atom(tag: Element) -> Atom:
    if tag.tag_class != TagClass.application:
        return Atom(Tag.CONSTRUCTED)
    if tag.tag_number == Tag.BOOLEAN:  # its value lies where the others have their length
        return Atom(Tag.BOOLEAN, b"\x01" if tag.tag_lvt else b"\x00")
    return Atom(int(tag.tag_number), bytes(tag.tag_data))
