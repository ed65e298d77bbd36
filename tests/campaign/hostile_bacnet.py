"""A BACnet/IP device that knows the right answer and, by a known share of lots, gives another one.

What it may do is what UDP and a device can do, and no more:

- An answer that is late, repeated or out of turn keeps the invoke id of its own request. It comes within two seconds,
  while invoke ids come round after 256 requests. (No client can tell a right answer with wrong content.)
- What bears the pending invoke id but is not the answer differs in at least one of: source address, service, PDU
  type, object, property, number of results, datatype of the value, or it is cut off or does not decode.

Every present value is a Code, so a value that was taken from the wrong answer shows.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from tests.campaign.codes import Code

READ, READ_MANY, SUBSCRIBE = 12, 14, 5
PRESENT_VALUE, OBJECT_IDENTIFIER, MAX_APDU, STATUS_FLAGS = 85, 75, 62, 111
LARGE_ANALOG_VALUE, DEVICE = 46, 8
_ANY_INSTANCE = 4_194_303
_UNKNOWN_OBJECT, _UNKNOWN_PROPERTY = b"\x91\x01\x91\x1f", b"\x91\x02\x91\x20"
LATEST_S = 2.0
ODD_VALUES = (b"\x00", b"\x75\x04\x00abc", b"\x65\x03abc", b"\x55\x08\x7f\xf8" + bytes(6), b"\x2e\x2f", b"")


class Wanted(NamedTuple):
    """One property of one object."""

    object: int
    """Type and instance, as on the wire."""
    property: int


@dataclass(frozen=True)
class Asked:
    """One confirmed request."""

    invoke_id: int
    service: int
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True)
class Say:
    """One datagram, after a time, from the device's own port or from another one."""

    datagram: bytes
    after_s: float = 0.0
    foreign: bool = False


Lot = Callable[["Hostile", Asked], Sequence[Say]]


@dataclass
class Hostile(asyncio.DatagramProtocol):
    """Device ``instance``; ``share`` of its answers are drawn from ``LOTS``, the others are right."""

    instance: int
    number: int
    """Its number in the Code."""
    share: float
    rng: random.Random
    timeout_s: float
    serial: int = 0
    latest: dict[int, int] = field(default_factory=dict)
    """By object instance: the request that asked for its present value last."""
    drawn: Counter[str] = field(default_factory=Counter)
    said: bytes = b""
    repeated: Asked | None = None
    subscribed: list[bytes] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    """Requests that would change something; there must be none."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.other_port: asyncio.DatagramTransport | None = None

    @property
    def hostile(self) -> int:
        """How many answers were not simply right."""
        return self.drawn.total() - self.drawn["right"]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = parsed(data)
        if asked is None:
            if data[5] in (0x00, 0x04) and data[6] & 0xF0 == 0 and data[9] == SUBSCRIBE:
                self.subscribed.append(data)
                self.transport.sendto(datagram(bytes([0x20, data[8], SUBSCRIBE])), addr)
            elif changes_something(data):
                self.written.append(data)
            return
        # A request that the client sends again is the same request.
        if asked != self.repeated:
            self.serial += 1
            places = [w.object & 0x3FFFFF for w in asked.wanted if w.property == PRESENT_VALUE]
            self.latest |= dict.fromkeys(places, self.serial)
            self.repeated = asked
        for say in self._drawn(asked):
            if say.after_s:
                asyncio.get_running_loop().call_later(say.after_s, self._send, say, addr)
            else:
                self._send(say, addr)
        self.said = self.right(asked)

    def _drawn(self, asked: Asked) -> Sequence[Say]:
        if self.rng.random() >= self.share:
            self.drawn["right"] += 1
            return [Say(self.right(asked))]
        lot = self.rng.choice(LOTS)
        self.drawn[lot.__name__] += 1
        return lot(self, asked)

    def _send(self, say: Say, addr: tuple[str, int]) -> None:
        transport = self.other_port if say.foreign else self.transport
        if transport is not None and not transport.is_closing():
            transport.sendto(say.datagram, addr)

    def right(self, asked: Asked) -> bytes:
        """The datagram that the request deserves."""
        return self.answer(asked, self.serial)

    def stale(self) -> int:
        """The number of an earlier request."""
        return max(0, self.serial - self.rng.randint(1, 9))

    def answer(self, asked: Asked, serial: int, invoke_id: int | None = None) -> bytes:
        """The answer to ``asked`` as it would be for request ``serial``."""
        answering = asked.invoke_id if invoke_id is None else invoke_id
        if asked.service == READ:
            [wanted] = asked.wanted
            value = self.value(wanted, serial)
            if value in (_UNKNOWN_OBJECT, _UNKNOWN_PROPERTY):
                return datagram(bytes([0x50, answering, READ]) + value)
            body = b"\x0c" + self._named(wanted).to_bytes(4, "big") + bytes([0x19, wanted.property])
            return datagram(bytes([0x30, answering, READ]) + body + b"\x3e" + value + b"\x3f")
        body = b"".join(self.result(wanted, self.value(wanted, serial)) for wanted in asked.wanted)
        return datagram(bytes([0x30, answering, READ_MANY]) + body)

    def result(self, wanted: Wanted, value: bytes) -> bytes:
        """One result of a ReadPropertyMultiple; an error stands in its place."""
        opened, closed = (b"\x5e", b"\x5f") if value in (_UNKNOWN_OBJECT, _UNKNOWN_PROPERTY) else (b"\x4e", b"\x4f")
        head = b"\x0c" + self._named(wanted).to_bytes(4, "big") + b"\x1e\x29" + bytes([wanted.property])
        return head + opened + value + closed + b"\x1f"

    def value(self, wanted: Wanted, serial: int) -> bytes:
        """The property, encoded, or the error."""
        kind, instance = wanted.object >> 22, wanted.object & 0x3FFFFF
        if kind == DEVICE and instance in (self.instance, _ANY_INSTANCE):
            found = {OBJECT_IDENTIFIER: b"\xc4" + self._device(), MAX_APDU: b"\x22\x05\xc4"}
        elif kind == LARGE_ANALOG_VALUE:
            number = float(Code(serial, self.number, instance).number)
            found = {PRESENT_VALUE: b"\x55\x08" + struct.pack(">d", number), STATUS_FLAGS: b"\x82\x04\x00"}
        else:
            return _UNKNOWN_OBJECT
        return found.get(wanted.property, _UNKNOWN_PROPERTY)

    def fits(self, value: float, instance: int) -> bool:
        """Whether ``value``, accepted for ``instance``, is from the answer to the request that asked for it last."""
        return Code.of(value) == Code(self.latest.get(instance, -1), self.number, instance)

    def _device(self) -> bytes:
        return (DEVICE << 22 | self.instance).to_bytes(4, "big")

    def _named(self, wanted: Wanted) -> int:
        return DEVICE << 22 | self.instance if wanted.object == DEVICE << 22 | _ANY_INSTANCE else wanted.object


def changes_something(data: bytes) -> bool:
    """Whether a datagram is a confirmed request for anything but reading; it may be routed."""
    if data[1] not in (0x0A, 0x0B):  # a word of the BVLL itself
        return False
    control, at = data[5], 6
    if control & 0x20:
        at += 3 + data[at + 2]
    if control & 0x08:
        at += 3 + data[at + 2]
    at += bool(control & 0x20)
    apdu = data[at:]
    return not control & 0x80 and apdu[0] & 0xF0 == 0 and apdu[3] not in (READ, READ_MANY)


def parsed(data: bytes) -> Asked | None:
    """A ReadProperty or ReadPropertyMultiple that was not routed, None for anything else."""
    if len(data) < 10 or data[5] not in (0x00, 0x04) or data[6] & 0xF0 or data[9] not in (READ, READ_MANY):
        return None
    body = data[10:]
    wanted = _one(body) if data[9] == READ else _many(body)
    return Asked(data[8], data[9], tuple(wanted))


def _one(body: bytes) -> Iterator[Wanted]:
    yield Wanted(int.from_bytes(body[1:5], "big"), int.from_bytes(body[6 : 6 + (body[5] & 7)], "big"))


def _many(body: bytes) -> Iterator[Wanted]:
    at = 0
    while at < len(body):
        assert body[at] == 0x0C
        assert body[at + 5] == 0x1E
        target, at = int.from_bytes(body[at + 1 : at + 5], "big"), at + 6
        while body[at] != 0x1F:
            size = body[at] & 7
            yield Wanted(target, int.from_bytes(body[at + 1 : at + 1 + size], "big"))
            at += 1 + size
        at += 1


def datagram(apdu: bytes, *, length: int | None = None) -> bytes:
    """``apdu`` in an original unicast NPDU."""
    return b"\x81\x0a" + (len(apdu) + 6 if length is None else length).to_bytes(2, "big") + b"\x01\x00" + apdu


def silent(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return []


def late(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.right(asked), min(LATEST_S, peer.timeout_s * peer.rng.uniform(0.9, 8.0)))]


def twice(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.right(asked))] * 2


def twice_and_late(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.right(asked)), Say(peer.right(asked), peer.timeout_s * peer.rng.uniform(0.01, 3.0))]


def previous_again(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [*([Say(peer.said)] if peer.said else []), *_perhaps_right(peer, asked)]


def another_invoke_id(peer: Hostile, asked: Asked) -> Sequence[Say]:
    foreign = (asked.invoke_id + peer.rng.randint(1, 255)) % 256
    return [Say(peer.answer(asked, peer.stale(), foreign)), *_perhaps_right(peer, asked)]


def another_source(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.answer(asked, peer.stale()), foreign=True), *_perhaps_right(peer, asked)]


def forwarded_by_a_stranger(peer: Hostile, asked: Asked) -> Sequence[Say]:
    """As a BBMD would hand on a broadcast of ours, from a port that is nobody's BBMD."""
    raw = peer.answer(asked, peer.stale())
    port = int(peer.transport.get_extra_info("sockname")[1])
    origin = bytes([127, 0, 0, 1]) + port.to_bytes(2, "big")
    forwarded = b"\x81\x04" + (len(raw) + 6).to_bytes(2, "big") + origin + raw[4:]
    return [Say(forwarded, foreign=True), *_perhaps_right(peer, asked)]


def another_object(peer: Hostile, asked: Asked) -> Sequence[Say]:
    moved = [w._replace(object=w.object + peer.rng.randint(1, 9)) for w in asked.wanted]
    return [Say(peer.answer(Asked(asked.invoke_id, asked.service, tuple(moved)), peer.stale()))]


def another_property(peer: Hostile, asked: Asked) -> Sequence[Say]:
    properties = {PRESENT_VALUE: STATUS_FLAGS, STATUS_FLAGS: PRESENT_VALUE, OBJECT_IDENTIFIER: MAX_APDU}
    moved = [w._replace(property=properties.get(w.property, OBJECT_IDENTIFIER)) for w in asked.wanted]
    if set(moved) == set(asked.wanted):
        return []
    return [Say(peer.answer(Asked(asked.invoke_id, asked.service, tuple(moved)), peer.stale()))]


def another_service(peer: Hostile, asked: Asked) -> Sequence[Say]:
    raw = bytearray(peer.answer(asked, peer.stale()))
    raw[8] = peer.rng.choice([READ + READ_MANY - asked.service, 15, 26, 200])
    return [Say(bytes(raw))]


def another_pdu_type(peer: Hostile, asked: Asked) -> Sequence[Say]:
    raw = bytearray(peer.answer(asked, peer.stale()))
    raw[6] = peer.rng.choice([0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0xF0])
    return [Say(bytes(raw)), *_perhaps_right(peer, asked)]


def a_segment(peer: Hostile, asked: Asked) -> Sequence[Say]:
    raw = peer.answer(asked, peer.stale())
    segment = bytes([peer.rng.choice([0x38, 0x3C]), asked.invoke_id, peer.rng.randint(0, 3), 4])
    return [Say(datagram(segment + raw[8:]))]


def results_missing(peer: Hostile, asked: Asked) -> Sequence[Say]:
    if len(asked.wanted) < 2:
        return []
    kept = tuple(peer.rng.sample(asked.wanted, peer.rng.randrange(1, len(asked.wanted))))
    return [Say(peer.answer(Asked(asked.invoke_id, asked.service, kept), peer.stale()))]


def results_added(peer: Hostile, asked: Asked) -> Sequence[Say]:
    if asked.service == READ:
        return []
    more = (*asked.wanted, Wanted(LARGE_ANALOG_VALUE << 22 | 4000, PRESENT_VALUE))
    return [Say(peer.answer(Asked(asked.invoke_id, asked.service, more), peer.stale()))]


def another_datatype(peer: Hostile, asked: Asked) -> Sequence[Say]:
    """The first value is none; the others are right."""
    raw = peer.right(asked)
    odd = peer.rng.choice(ODD_VALUES)
    at = raw.find(b"\x55\x08")
    return [Say(datagram((raw[:at] + odd + raw[at + 10 :])[6:]))] if at > 0 else []


def cut_off(peer: Hostile, asked: Asked) -> Sequence[Say]:
    raw = peer.answer(asked, peer.stale())
    kept = raw[: peer.rng.randrange(1, len(raw))]
    return [Say(kept if peer.rng.random() < 0.5 or len(kept) < 7 else datagram(kept[6:]))]


def length_that_lies(peer: Hostile, asked: Asked) -> Sequence[Say]:
    raw = peer.answer(asked, peer.stale())
    wrong = (len(raw) + peer.rng.choice([-9, -4, -1, 1, 4, 300])) % 65536
    return [Say(datagram(raw[6:], length=wrong))]


def noise(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.rng.randbytes(peer.rng.randint(1, 60))), *_perhaps_right(peer, asked)]


def network_message(peer: Hostile, asked: Asked) -> Sequence[Say]:
    raw = peer.answer(asked, peer.stale())
    return [Say(raw[:5] + b"\x80" + raw[6:]), *_perhaps_right(peer, asked)]


def error_reject_or_abort(peer: Hostile, asked: Asked) -> Sequence[Say]:
    foreign = peer.rng.random() < 0.5
    invoke_id = (asked.invoke_id + 1) % 256 if foreign else asked.invoke_id
    said = [bytes([0x50, invoke_id, asked.service]) + _UNKNOWN_OBJECT, bytes([0x60, invoke_id, 4])]
    said += [bytes([0x71, invoke_id, 9]), bytes([0x50, invoke_id, 3, 0x91, 5, 0x91, 0])]
    return [Say(datagram(peer.rng.choice(said))), *_perhaps_right(peer, asked)]


LOTS: Sequence[Lot] = (
    silent, late, twice, twice_and_late, previous_again, another_invoke_id, another_source, another_object,
    forwarded_by_a_stranger, another_property, another_service, another_pdu_type, a_segment, results_missing,
    results_added, another_datatype, cut_off, length_that_lies, noise, network_message, error_reject_or_abort,
)  # fmt: skip


def _perhaps_right(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.right(asked))] if peer.rng.random() < 0.5 else []
