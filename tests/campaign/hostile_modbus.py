"""A Modbus peer that knows the right answer and, by a known share of lots, gives another one.

What it may do is what a wire, a gateway or a device can do, and no more:

- An answer that is late, repeated or out of turn stays the answer that it was: with the transaction id, unit,
  function and length of its own request. (No master can tell a right frame with wrong content.)
- TCP: late by any time, and frames do not come one inside another. After a PDU that is cut off the stream ends (what
  came next would be taken for its rest, and no checksum could tell). A frame that is damaged may claim anything, the
  pending transaction id included, but then at least one of unit, function, byte count, length or protocol id is not
  the request's; nobody guesses the id of the next request.
- RTU: a device answers within 1.5 response timeouts after the request or never, also when the loop of this peer was
  held up (it shares it with the driver); the driver leaves a unit alone for two. A frame that is repeated follows its
  original at once, within the 3.5 characters that end a frame. Bits flip up to three a frame, which the CRC always
  shows; what is cut off or inserted is checked to have no valid CRC.

Every register carries a Code, so a value that was taken from the wrong answer shows.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.campaign.codes import Code
from tests.drivers.modbus_peer import Asked, Say, mbap, rtu

LATEST_RTU = 1.5
"""In response timeouts after the request."""
_BEAT_S, _STOP_S = 0.002, 0.015
WORDS = 4
"""Registers a value."""
Lot = Callable[["Hostile", Asked], Sequence[Say]]


class Pulse:
    """Knows when this loop last stood still: requests that were under way then are heard late."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last_s = self._stood_still_s = self._loop.time()
        self._beat()

    def calm_for(self, span_s: float) -> bool:
        """Whether it has run without a stop for so long."""
        self._look()
        return self._last_s - self._stood_still_s >= span_s

    def stop(self) -> None:
        """No more beats."""
        self._timer.cancel()

    def _beat(self) -> None:
        self._look()
        self._timer = self._loop.call_later(_BEAT_S, self._beat)

    def _look(self) -> None:
        now_s = self._loop.time()
        if now_s - self._last_s > _STOP_S:
            self._stood_still_s = now_s
        self._last_s = now_s


@dataclass
class Hostile:
    """A script for ``modbus_peer``: ``share`` of the answers are drawn from ``lots``, the others are right."""

    timeout_s: float
    lots: Sequence[Lot]
    share: float
    rng: random.Random
    serial: int = 0
    latest: dict[tuple[int, int], int] = field(default_factory=dict)
    """By unit and address of a value: the request that asked for it last."""
    drawn: Counter[str] = field(default_factory=Counter)
    said: dict[int, bytes] = field(default_factory=dict)
    """The last right frame of each unit."""
    frame: Callable[[Asked, bytes], bytes] = mbap

    late_until_s: float = 0.0
    """Until when late answers may still come, on the loop's clock."""
    pulse: Pulse | None = None

    def __call__(self, asked: Asked) -> Sequence[Say]:
        self.serial += 1
        _, address, count = struct.unpack(">BHH", asked.pdu)
        self.latest |= {(asked.unit, at): self.serial for at in range(address, address + count)}
        says: Sequence[Say]
        if self.rng.random() >= self.share:
            self.drawn["right"] += 1
            says = [Say(self.right(asked))]
        else:
            lot = self.rng.choice(self.lots)
            if lot in TIMED and self.pulse is not None and not self.pulse.calm_for(self.timeout_s):
                lot = silent
            self.drawn[lot.__name__] += 1
            says = lot(self, asked)
        self.said[asked.unit] = self.right(asked)
        return says

    @property
    def hostile(self) -> int:
        """How many answers were not simply right."""
        return self.drawn.total() - self.drawn["right"]

    def right(self, asked: Asked) -> bytes:
        """The frame that the request deserves."""
        return self.frame(asked, self.pdu(asked, self.serial))

    def stale(self, asked: Asked) -> bytes:
        """A PDU that fits the request, with the values of an earlier one."""
        return self.pdu(asked, self.serial - self.rng.randint(1, 9))

    def pdu(self, asked: Asked, serial: int) -> bytes:
        """The answer to ``asked`` as it would be for request ``serial``."""
        function, address, count = struct.unpack(">BHH", asked.pdu)
        words = [_word(asked.unit, at, max(serial, 0)) for at in range(address, address + count)]
        return bytes([function, 2 * count]) + struct.pack(f">{count}H", *words)

    def fits(self, unit: int, value: float, address: int) -> bool:
        """Whether ``value``, accepted for ``address``, is from the answer to the request that asked for it last."""
        return Code.of(value) == Code(self.latest.get((unit, address), -1), unit, address)


def _word(unit: int, at: int, serial: int) -> int:
    first = at - at % WORDS
    return Code(serial, unit, first).number >> 16 * (WORDS - 1 - at % WORDS) & 0xFFFF


def rtu_frame(asked: Asked, pdu: bytes) -> bytes:
    """A serial frame in answer to ``asked``."""
    return rtu(asked.unit, pdu)


# What both wires have.


def silent(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return []


def previous_of_another_unit(peer: Hostile, asked: Asked) -> Sequence[Say]:
    others = [frame for unit, frame in peer.said.items() if unit != asked.unit]
    return [Say(peer.rng.choice(others) if others else b"\x00"), *_perhaps_right(peer, asked)]


def exception(peer: Hostile, asked: Asked) -> Sequence[Say]:
    code = peer.rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 11, 77])
    return [Say(peer.frame(asked, bytes([asked.pdu[0] | 0x80, code])))]


def exception_of_another_function(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.frame(asked, bytes([_other(asked) | 0x80, 2]))), *_perhaps_right(peer, asked)]


def another_function(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.frame(asked, bytes([_other(asked)]) + peer.stale(asked)[1:])), *_perhaps_right(peer, asked)]


def fewer_registers(peer: Hostile, asked: Asked) -> Sequence[Say]:
    kept = peer.rng.randrange(0, len(peer.stale(asked)) - 2, 2)
    return [Say(peer.frame(asked, bytes([asked.pdu[0], kept]) + peer.stale(asked)[2 : 2 + kept]))]


def more_registers(peer: Hostile, asked: Asked) -> Sequence[Say]:
    pdu = peer.stale(asked)
    extra = pdu[2 : 2 + 2 * peer.rng.randint(1, 4)]
    return [Say(peer.frame(asked, bytes([pdu[0], len(pdu) - 2 + len(extra)]) + pdu[2:] + extra))]


def byte_count_that_lies(peer: Hostile, asked: Asked) -> Sequence[Say]:
    pdu = peer.stale(asked)
    wrong = (pdu[1] + peer.rng.choice([-2, -1, 1, 2, 8, 100])) % 256
    return [Say(peer.frame(asked, bytes([pdu[0], wrong]) + pdu[2:]))]


def noise(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(b"\xff" + peer.rng.randbytes(peer.rng.randint(0, 20))), *_perhaps_right(peer, asked)]


def in_pieces(peer: Hostile, asked: Asked) -> Sequence[Say]:
    frame = peer.right(asked)
    if asyncio.get_running_loop().time() < peer.late_until_s:  # a late frame must not come between the pieces
        return [Say(frame)]
    cut = peer.rng.randrange(1, len(frame))
    return [Say(frame[:cut]), Say(frame[cut:], 0.0005)]


def twice(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.right(asked) * 2)]


# TCP alone.


def late_tcp(peer: Hostile, asked: Asked) -> Sequence[Say]:
    after_s = peer.timeout_s * peer.rng.uniform(1.02, 3.0)
    peer.late_until_s = max(peer.late_until_s, asyncio.get_running_loop().time() + after_s + peer.timeout_s)
    return [Say(peer.right(asked), after_s, after_s + peer.timeout_s)]


def previous_again(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.said.get(asked.unit, b"\x00" * 6)), *_perhaps_right(peer, asked)]


def another_transaction(peer: Hostile, asked: Asked) -> Sequence[Say]:
    foreign = (asked.transaction + peer.rng.choice([-300, -2, -1, 256, 32768])) % 65536
    return [Say(mbap(asked, peer.stale(asked), transaction=foreign)), *_perhaps_right(peer, asked)]


def another_unit_tcp(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(mbap(asked, peer.stale(asked), unit=(asked.unit + peer.rng.randint(1, 255)) % 256))]


def another_protocol(peer: Hostile, asked: Asked) -> Sequence[Say]:
    frame = mbap(asked, peer.stale(asked))
    return [Say(frame[:2] + struct.pack(">H", peer.rng.randint(1, 65535)) + frame[4:])]


def length_that_lies(peer: Hostile, asked: Asked) -> Sequence[Say]:
    frame = mbap(asked, peer.stale(asked))
    wrong = (int.from_bytes(frame[4:6], "big") + peer.rng.choice([-9, -2, -1, 1, 2, 9, 250, 30000])) % 65536
    return [Say(frame[:4] + wrong.to_bytes(2, "big") + frame[6:]), *_perhaps_right(peer, asked)]


def cut_off_tcp(peer: Hostile, asked: Asked) -> Sequence[Say]:
    frame = mbap(asked, peer.stale(asked))
    return [Say(frame[: peer.rng.randrange(1, len(frame))]), Say(None)]


def cut_off_in_the_header(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(mbap(asked, peer.stale(asked))[: peer.rng.randrange(1, 7)])]


def hang_up(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(None)]


# RTU alone.


def late_rtu(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [_after_rtu(peer, peer.right(asked), 1.02, LATEST_RTU)]


def slow_rtu(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [_after_rtu(peer, peer.right(asked), 0.1, 0.9)]


def late_exception_rtu(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [_after_rtu(peer, peer.frame(asked, bytes([asked.pdu[0] | 0x80, 6])), 1.02, LATEST_RTU)]


def another_unit_and_then_late(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [*previous_of_another_unit(peer, asked)[:1], *late_rtu(peer, asked)]


def flipped_bits(peer: Hostile, asked: Asked) -> Sequence[Say]:
    frame = bytearray(peer.right(asked))
    for bit in peer.rng.sample(range(8 * len(frame)), peer.rng.randint(1, 3)):
        frame[bit // 8] ^= 1 << bit % 8
    return [Say(bytes(frame))]


def cut_off_rtu(peer: Hostile, asked: Asked) -> Sequence[Say]:
    frame = peer.right(asked)
    return [Say(_without_a_frame(frame[: peer.rng.randrange(1, len(frame))], len(frame)))]


def inserted_bytes(peer: Hostile, asked: Asked) -> Sequence[Say]:
    frame, at = peer.right(asked), peer.rng.randrange(1, 5)
    longer = frame[:at] + peer.rng.randbytes(peer.rng.randint(1, 4)) + frame[at:]
    return [Say(_without_a_frame(longer, len(frame)))]


def _without_a_frame(raw: bytes, length: int) -> bytes:
    """``raw``, or noise where by one chance in 65536 some ``length`` bytes of it have a valid CRC."""
    windows = [raw] + [raw[at : at + length] for at in range(len(raw) - length + 1)]
    return b"\x00" if any(rtu(part[0], part[1:-2]) == part for part in windows) else raw


TCP_LOTS: Sequence[Lot] = (
    late_tcp, silent, previous_again, previous_of_another_unit, another_transaction, another_unit_tcp, another_function,
    another_protocol, exception, exception_of_another_function, fewer_registers, more_registers, byte_count_that_lies,
    length_that_lies, cut_off_tcp, cut_off_in_the_header, noise, in_pieces, twice, hang_up,
)  # fmt: skip
RTU_LOTS: Sequence[Lot] = (
    late_rtu, slow_rtu, silent, another_unit_and_then_late, previous_of_another_unit, late_exception_rtu,
    another_function, exception, exception_of_another_function, fewer_registers, more_registers, byte_count_that_lies,
    flipped_bits, cut_off_rtu, inserted_bytes, noise, in_pieces, twice,
)  # fmt: skip

TIMED = frozenset({late_rtu, late_exception_rtu, another_unit_and_then_late})
"""What must keep to the time that the model allows."""


def _after_rtu(peer: Hostile, frame: bytes, earliest: float, latest: float) -> Say:
    """Some time between two multiples of the timeout, and never later than the model allows."""
    return Say(frame, peer.timeout_s * peer.rng.uniform(earliest, latest), peer.timeout_s * LATEST_RTU)


def _other(asked: Asked) -> int:
    return 3 if asked.pdu[0] == 4 else 4


def _perhaps_right(peer: Hostile, asked: Asked) -> Sequence[Say]:
    return [Say(peer.right(asked))] if peer.rng.random() < 0.5 else []
