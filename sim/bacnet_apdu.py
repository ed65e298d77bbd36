"""Headers of BACnet/IP, pure (ASHRAE 135: annex J for BVLC, clause 6 for NPDU, clause 20.1 for APDU)."""

from __future__ import annotations

from dataclasses import dataclass

from sim.bacnet_codec import Reader, application
from sim.bacnet_values import DecodeError, Enumerated
from sim.bacnet_words import AbortReason, ErrorClass, ErrorCode, RejectReason

BVLC_TYPE = 0x81
RESULT, FORWARDED, UNICAST, BROADCAST = 0x00, 0x04, 0x0A, 0x0B
BVLC_REFUSALS = {0x01: 0x0010, 0x02: 0x0020, 0x05: 0x0030, 0x06: 0x0040, 0x07: 0x0050, 0x09: 0x0060}
"""Requests to a BBMD and the result code of a device that is none."""
NPDU_VERSION = 1
NETWORK_MESSAGE, DESTINATION, SOURCE, EXPECTS_REPLY = 0x80, 0x20, 0x08, 0x04
RESERVED_BITS = 0x50
GLOBAL_BROADCAST = 0xFFFF
FULL_HOPS = 255
CONFIRMED, UNCONFIRMED, SIMPLE_ACK, COMPLEX_ACK, SEGMENT_ACK, ERROR, REJECT, ABORT = range(8)
SEGMENTED, FROM_SERVER = 0x08, 0x01
APDU_LENGTHS = {0: 50, 1: 128, 2: 206, 3: 480, 4: 1024, 5: 1476}
"""Max-APDU-length-accepted of a confirmed request, by its code."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Peer:
    """Who sent: a B/IP address, and behind a router also the network number and MAC there."""

    address: Address
    network: int | None = None
    mac: bytes = b""


@dataclass(frozen=True, slots=True)
class Frame:
    """One NPDU for this device. ``broadcast`` when it was not sent to this device alone."""

    peer: Peer
    broadcast: bool
    apdu: bytes


@dataclass(frozen=True, slots=True)
class BvlcRefusal:
    """A BVLC function for a BBMD; ``code`` is the BVLC-Result that refuses it."""

    code: int


@dataclass(frozen=True, slots=True)
class ConfirmedRequest:
    """A confirmed request; ``max_apdu`` is the longest answer that the client takes, in octets."""

    invoke_id: int
    service: int
    max_apdu: int
    segmented: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class UnconfirmedRequest:
    """An unconfirmed request."""

    service: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A client's answer to one of our confirmed requests: SimpleAck, Error, Reject or Abort."""

    kind: int
    invoke_id: int


def bvlc(function: int, content: bytes) -> bytes:
    """One BVLL message."""
    return bytes([BVLC_TYPE, function]) + (4 + len(content)).to_bytes(2, "big") + content


def bvlc_result(code: int) -> bytes:
    """BVLC-Result."""
    return bvlc(RESULT, code.to_bytes(2, "big"))


def datagram(peer: Peer, apdu: bytes, *, expects_reply: bool = False) -> bytes:
    """An Original-Unicast-NPDU to ``peer``, through its router where it has one."""
    control = EXPECTS_REPLY if expects_reply else 0
    if peer.network is None:
        return bvlc(UNICAST, bytes([NPDU_VERSION, control]) + apdu)
    where = peer.network.to_bytes(2, "big") + bytes([len(peer.mac)]) + peer.mac + bytes([FULL_HOPS])
    return bvlc(UNICAST, bytes([NPDU_VERSION, control | DESTINATION]) + where + apdu)


def parse_datagram(octets: bytes, sender: Address) -> Frame | BvlcRefusal | None:
    """What a datagram brings; None for what a device passes over (results, router messages, other networks)."""
    reader = Reader(octets)
    if reader.number(1) != BVLC_TYPE:
        raise DecodeError("not BACnet/IP")
    function = reader.number(1)
    if reader.number(2) != len(octets):
        raise DecodeError("BVLC length is not the datagram's")
    if function in BVLC_REFUSALS:
        return BvlcRefusal(BVLC_REFUSALS[function])
    if function == FORWARDED:
        host, port = reader.take(4), reader.number(2)
        return _npdu(reader, (".".join(str(octet) for octet in host), port), broadcast=True)
    if function in (UNICAST, BROADCAST):
        return _npdu(reader, sender, broadcast=function == BROADCAST)
    return None


def _npdu(reader: Reader, sender: Address, *, broadcast: bool) -> Frame | None:
    if reader.number(1) != NPDU_VERSION:
        raise DecodeError("NPDU version")
    control = reader.number(1)
    if control & RESERVED_BITS:
        raise DecodeError("reserved bits of the NPDU control octet")
    destination = None
    if control & DESTINATION:
        destination = reader.number(2)
        reader.take(reader.number(1))
    peer = Peer(sender)
    if control & SOURCE:
        network, mac = reader.number(2), reader.take(reader.number(1))
        if network in (0, GLOBAL_BROADCAST) or not mac:
            raise DecodeError("impossible source of an NPDU")
        peer = Peer(sender, network, mac)
    if control & DESTINATION:
        reader.take(1)
    if control & NETWORK_MESSAGE or destination not in (None, GLOBAL_BROADCAST):
        return None
    return Frame(peer, broadcast or destination is not None, reader.rest())


def parse_apdu(octets: bytes) -> ConfirmedRequest | UnconfirmedRequest | Answer | None:
    """The head of an APDU; None for the types that do not concern a server (segment ack, complex ack)."""
    reader = Reader(octets)
    first = reader.number(1)
    kind = first >> 4
    if kind == CONFIRMED:
        lengths, invoke_id = reader.number(1), reader.number(1)
        segmented = bool(first & SEGMENTED)
        if segmented:
            reader.take(2)
        max_apdu = APDU_LENGTHS.get(lengths & 0x0F, APDU_LENGTHS[0])
        return ConfirmedRequest(invoke_id, reader.number(1), max_apdu, segmented, reader.rest())
    if kind == UNCONFIRMED:
        return UnconfirmedRequest(reader.number(1), reader.rest())
    if kind in (SIMPLE_ACK, ERROR, REJECT, ABORT):
        return Answer(kind, reader.number(1))
    return None


def confirmed_request(invoke_id: int, service: int, body: bytes) -> bytes:
    """An unsegmented confirmed request of a device that takes 1476 octets in answer."""
    return bytes([CONFIRMED << 4, 5, invoke_id, service]) + body


def unconfirmed_request(service: int, body: bytes) -> bytes:
    """Unconfirmed-Request-PDU."""
    return bytes([UNCONFIRMED << 4, service]) + body


def simple_ack(invoke_id: int, service: int) -> bytes:
    """SimpleACK-PDU."""
    return bytes([SIMPLE_ACK << 4, invoke_id, service])


def complex_ack(invoke_id: int, service: int, body: bytes) -> bytes:
    """Unsegmented ComplexACK-PDU."""
    return bytes([COMPLEX_ACK << 4, invoke_id, service]) + body


def error_body(error_class: ErrorClass, code: ErrorCode) -> bytes:
    """Error: class and code."""
    return application(Enumerated(error_class)) + application(Enumerated(code))


def error(invoke_id: int, service: int, error_class: ErrorClass, code: ErrorCode) -> bytes:
    """Error-PDU."""
    return bytes([ERROR << 4, invoke_id, service]) + error_body(error_class, code)


def reject(invoke_id: int, reason: RejectReason) -> bytes:
    """Reject-PDU."""
    return bytes([REJECT << 4, invoke_id, reason])


def abort(invoke_id: int, reason: AbortReason | int) -> bytes:
    """Abort-PDU, sent by the server."""
    return bytes([ABORT << 4 | FROM_SERVER, invoke_id, reason])
