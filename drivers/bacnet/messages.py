"""Refusals in the house's words, and the names of BACnet's numbers. No I/O."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bacpypes3.apdu import (  # type: ignore[import-untyped]
    AbortPDU,
    AbortReason,
    ComplexAckPDU,
    ErrorPDU,
    RejectPDU,
    RejectReason,
    SimpleAckPDU,
)
from bacpypes3.basetypes import ErrorClass, ErrorCode  # type: ignore[import-untyped]
from bacpypes3.primitivedata import ObjectIdentifier, PropertyIdentifier  # type: ignore[import-untyped]

from drivers.api import BadAnswer, Busy, DriverError, NoAnswer, Refused
from drivers.bacnet import wire
from drivers.bacnet.codec import Ref
from drivers.bacnet.wire import Denied, Malformed

# The library carries no types: these say at least what is meant.
Pdu = Any
Enum = Any

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
_UNSUPPORTED = frozenset({"service-request-denied", "optional-functionality-not-supported"})
_FULL = frozenset({"no-space-to-add-list-element", "no-space-to-write-property", "cov-subscription-failed"})


class AnswerTooLong(Refused):
    """The answer does not fit: ask for less at once."""


class Aborted(BadAnswer):
    """The device gave up without saying why: some do when the answer is too long."""


class ServiceUnsupported(Refused):
    """The device does not know this service at all."""


class TableFull(Refused):
    """The device has no room for one more."""


def parameters(answer: Pdu, service: int, expected: type) -> bytes:
    """The octets of an ``expected`` kind of answer to ``service``. Raises a leaf of the drivers' tree."""
    if not isinstance(answer, (SimpleAckPDU, ComplexAckPDU)):
        raise translated(answer)
    octets = bytes(answer.pduData)
    if answer.apduService != service or not isinstance(answer, expected):
        raise BadAnswer("the answer is to another service")
    return octets


def translated(answer: Pdu) -> DriverError:
    """An Error, Reject or Abort as a leaf of the drivers' tree."""
    if isinstance(answer, AbortPDU):
        return _aborted(answer.apduAbortRejectReason)
    if isinstance(answer, RejectPDU):
        reason = answer.apduAbortRejectReason
        if reason == RejectReason.unrecognizedService:
            return ServiceUnsupported("rejected: unrecognized-service")
        kind = AnswerTooLong if reason == RejectReason.bufferOverflow else Refused
        return kind(f"rejected: {reason}")
    if not isinstance(answer, ErrorPDU):
        return BadAnswer("the answer is to another service")
    try:
        return _error(wire.error(bytes(answer.pduData)))
    except Malformed as malformed:
        return BadAnswer(str(malformed))


def _aborted(reason: Enum) -> DriverError:
    if reason in _SILENT:
        return NoAnswer("no answer")
    if reason in _TOO_LONG:
        return AnswerTooLong(f"aborted: {reason}")
    return Busy(f"aborted: {reason}") if reason in _LATER else Aborted(f"aborted: {reason}")


def _error(denied: Denied) -> DriverError:
    text = cause(denied)
    class_, _, code = text.partition(": ")
    if code in _BUSY:
        return Busy(text)
    if class_ == "communication" and code in _GARBLED:
        return BadAnswer("undecodable answer")
    if class_ == "services" and code in _UNSUPPORTED:
        return ServiceUnsupported(text)
    return TableFull(text) if code in _FULL else Refused(text)


@lru_cache(maxsize=256)
def cause(denied: Denied) -> str:
    """``object: unknown-object``."""
    return f"{ErrorClass(denied.error_class)}: {ErrorCode(denied.error_code)}"


def name_of(ref: Ref) -> str:
    """``analog-value,1 present-value``, for a cause."""
    return f"{ObjectIdentifier((ref.object.type, ref.object.instance))} {PropertyIdentifier(ref.property)}"
