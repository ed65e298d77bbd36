"""Datagrams of BACnet/IP and the little that is said in them without asking: pure, octets in and out.

Source: ASHRAE 135 annex J (BVLL), clause 6 (NPDU and messages of the network layer), 16.10 (Who-Is, I-Am) and 16.7
(time synchronization). Whoever sends rubbish gets Malformed and nothing else: every length is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from drivers.bacnet.addresses import LAST_NETWORK, LOCAL, LONGEST_MAC, Endpoint, Station, unpacked

ANY_NETWORK = 0xFFFF
MAX_INSTANCE = 4_194_302
_BVLL, _VERSION = 0x81, 1
_NETWORK_MESSAGE, _DESTINATION, _SOURCE, _REPLY, _RESERVED = 0x80, 0x20, 0x08, 0x04, 0x50
_HOPS = 255
_UNCONFIRMED = 0x10
_I_AM, _TIME_SYNC, _WHO_IS, _UTC_TIME_SYNC = 0, 6, 8, 9
_I_AM_HEAD = bytes([_UNCONFIRMED, _I_AM])
_DEVICE = 8
_OBJECT_TAG = 0xC4


class Bvlc(IntEnum):
    """Functions of the virtual link layer."""

    RESULT = 0x00
    FORWARDED = 0x04
    REGISTER = 0x05
    DISTRIBUTE = 0x09
    UNICAST = 0x0A
    BROADCAST = 0x0B


class Message(IntEnum):
    """Messages of the network layer."""

    WHO_IS_ROUTER = 0x00
    I_AM_ROUTER = 0x01
    REJECT = 0x03


class Malformed(ValueError):
    """What was received is no BACnet/IP."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a message of the virtual link layer; 0 is success."""

    code: int


class Packet(NamedTuple):
    """One NPDU: who sent it, by which endpoint it came, and the APDU, or a ``message`` of the network layer.

    ``ours`` is False when it is addressed to another network, or to a station behind us, who is no router.
    """

    source: Station
    via: Endpoint
    broadcast: bool
    ours: bool
    message: int | None
    content: bytes


@dataclass(frozen=True, slots=True)
class IAm:
    """A device's word about itself, which anybody can send; ``segmentation`` is BACnetSegmentation."""

    instance: int
    max_apdu: int
    segmentation: int
    vendor: int


def datagram(function: Bvlc, content: bytes) -> bytes:
    """One message of the virtual link layer."""
    return bytes([_BVLL, function]) + (4 + len(content)).to_bytes(2) + content


def npdu(apdu: bytes, network: int = LOCAL, mac: bytes = b"") -> bytes:
    """``apdu`` to the network it is sent into, or to a station (no ``mac``: to all) behind a router."""
    control = 0 if apdu[0] >> 4 else _REPLY  # only a confirmed request expects a reply, and MS/TP must know
    if network == LOCAL:
        return bytes([_VERSION, control]) + apdu
    return bytes([_VERSION, control | _DESTINATION]) + network.to_bytes(2) + bytes([len(mac)]) + mac + b"\xff" + apdu


def register(ttl_s: int) -> bytes:
    """Register-Foreign-Device; ``ttl_s`` 0 ends it."""
    return datagram(Bvlc.REGISTER, ttl_s.to_bytes(2))


def who_is_router(network: int) -> bytes:
    """The NPDU that asks for the router to ``network``."""
    return bytes([_VERSION, _NETWORK_MESSAGE, Message.WHO_IS_ROUTER]) + network.to_bytes(2)


def who_is(low: int, high: int) -> bytes:
    """The APDU that asks the instances ``low`` to ``high``."""
    return bytes([_UNCONFIRMED, _WHO_IS]) + _context(0, low) + _context(1, high)


def time_sync(at: datetime, *, utc: bool) -> bytes:
    """(UTC)TimeSynchronization to ``at``, whose date and wall time are sent as they stand."""
    date = bytes([0xA4, at.year - 1900, at.month, at.day, at.isoweekday()])
    time = bytes([0xB4, at.hour, at.minute, at.second, at.microsecond // 10_000])
    return bytes([_UNCONFIRMED, _UTC_TIME_SYNC if utc else _TIME_SYNC]) + date + time


def parse(octets: bytes, sender: Endpoint, *, broadcast: bool = False) -> Packet | Result | None:
    """What a datagram brings; None for functions that are a BBMD's business. Raises Malformed.

    ``broadcast``: it came to the broadcast address.
    """
    if len(octets) < 4 or octets[0] != _BVLL or int.from_bytes(octets[2:4]) != len(octets):
        raise Malformed("no BVLL message")
    function = octets[1]
    if function == Bvlc.UNICAST:
        return _packet(octets[4:], Station.at(sender), sender, broadcast=broadcast)
    if function == Bvlc.BROADCAST:
        return _packet(octets[4:], Station.at(sender), sender, broadcast=True)
    if function == Bvlc.FORWARDED and len(octets) > 10:
        return _packet(octets[10:], Station.at(_forwarded(octets)), sender, broadcast=True)
    if function == Bvlc.RESULT and len(octets) == 6:
        return Result(int.from_bytes(octets[4:6]))
    if function > Bvlc.BROADCAST or function in (Bvlc.FORWARDED, Bvlc.RESULT):
        raise Malformed("no BVLL function")
    return None


def _forwarded(octets: bytes) -> Endpoint:
    origin = unpacked(octets[4:10])
    if origin[1] == 0:
        raise Malformed("impossible origin")
    return origin


def _packet(octets: bytes, sender: Station, via: Endpoint, *, broadcast: bool) -> Packet:
    if len(octets) < 3 or octets[0] != _VERSION or octets[1] & _RESERVED:
        raise Malformed("no NPDU")
    control, at = octets[1], 2
    destination: Station | None = None
    source = sender
    if control & _DESTINATION:
        destination, at = _station_at(octets, at, empty=True)
    if control & _SOURCE:
        source, at = _station_at(octets, at, empty=False)
    if destination is not None:
        at += 1
    if len(octets) <= at:
        raise Malformed("an NPDU without content")
    everywhere = destination is not None and destination.network == ANY_NETWORK
    message = octets[at] if control & _NETWORK_MESSAGE else None
    content = octets[at + (message is not None) :]
    return Packet(source, via, broadcast or everywhere, destination is None or everywhere, message, content)


def _station_at(octets: bytes, at: int, *, empty: bool) -> tuple[Station, int]:
    if len(octets) < at + 3:
        raise Malformed("cut off")
    network, length = int.from_bytes(octets[at : at + 2]), octets[at + 2]
    end = at + 3 + length
    last = ANY_NETWORK if empty else LAST_NETWORK
    if not 1 <= network <= last or length > LONGEST_MAC or end > len(octets) or not (length or empty):
        raise Malformed("impossible address")
    return Station(network, octets[at + 3 : end]), end


def networks(content: bytes) -> list[int]:
    """The networks of an I-Am-Router-To-Network. Raises Malformed."""
    found = [int.from_bytes(content[at : at + 2]) for at in range(0, len(content), 2)]
    if len(content) % 2 or not all(1 <= network <= LAST_NETWORK for network in found):
        raise Malformed("no list of networks")
    return found


def rejected(content: bytes) -> int:
    """The network of a Reject-Message-To-Network. Raises Malformed."""
    if len(content) != 3:
        raise Malformed("no Reject-Message-To-Network")
    return int.from_bytes(content[1:3])


def is_i_am(apdu: bytes) -> bool:
    """Whether ``apdu`` announces itself as an I-Am."""
    return apdu.startswith(_I_AM_HEAD)


def i_am(apdu: bytes) -> IAm:
    """The device that an I-Am announces. Raises Malformed."""
    if len(apdu) < 7 or apdu[2] != _OBJECT_TAG:
        raise Malformed("no I-Am")
    word = int.from_bytes(apdu[3:7])
    kind, instance = word >> 22, word & 0x3FFFFF
    if kind != _DEVICE or instance > MAX_INSTANCE:
        raise Malformed("no device")
    max_apdu, at = _number_at(apdu, 7, 0x20)
    segmentation, at = _number_at(apdu, at, 0x90)
    vendor, at = _number_at(apdu, at, 0x20)
    if at != len(apdu) or segmentation > 3 or vendor > 0xFFFF:
        raise Malformed("no I-Am")
    return IAm(instance, max_apdu, segmentation, vendor)


def _number_at(octets: bytes, at: int, tag: int) -> tuple[int, int]:
    """An application-tagged unsigned or enumerated of one to four octets."""
    length = octets[at] - tag if at < len(octets) else 0
    end = at + 1 + length
    if not 1 <= length <= 4 or end > len(octets):
        raise Malformed("cut off")
    return int.from_bytes(octets[at + 1 : end]), end


def _context(number: int, value: int) -> bytes:
    octets = value.to_bytes(max(1, (value.bit_length() + 7) // 8))
    return bytes([number << 4 | 8 | len(octets)]) + octets
