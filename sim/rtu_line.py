"""The units of one RTU line: frames cut out of what comes, answers after the time that they take on the line."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Mapping

from sim.modbus_face import AnswerQueue, Slave, reply

BROADCAST = 0
GAP_CHARACTERS = 3.5
SHORTEST_GAP_S = 0.02
"""A process is not woken as exactly as a UART: shorter silences mean nothing."""
TURN_ROUND_S = 0.004
MOST_HASTE = 4.0
"""On a fast clock the line is faster too, but never more than this: a poll must stay something that takes time."""
FIXED_LENGTHS = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 43: 7}


def crc16(frame: bytes) -> bytes:
    """The check of a serial frame, low byte first (polynomial A001, start FFFF)."""
    crc = 0xFFFF
    for octet in frame:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)


def expected_length(start: bytes | bytearray) -> int | None:
    """Octets of the request that begins like this, check included; None while that is unknown."""
    if len(start) >= 2 and start[1] in FIXED_LENGTHS:
        return FIXED_LENGTHS[start[1]]
    if len(start) >= 7 and start[1] in (15, 16):
        return 9 + start[6]
    return None


class RtuLine:
    """``send`` puts octets on the wire; ``character_bits`` counts start, parity and stop bits."""

    def __init__(
        self,
        slaves: Mapping[int, Slave],
        send: Callable[[bytes], None],
        *,
        baudrate: int,
        character_bits: int,
        speed: float = 1.0,
    ) -> None:
        self._slaves = slaves
        self._character_s = character_bits / baudrate / min(max(speed, 1.0), MOST_HASTE)
        self._gap_s = max(SHORTEST_GAP_S, GAP_CHARACTERS * self._character_s)
        self._buffer = bytearray()
        self._silence: asyncio.TimerHandle | None = None
        self._queue = AnswerQueue(send)
        self._noise = random.Random(baudrate)

    def receive(self, octets: bytes) -> None:
        """What came, in whatever pieces."""
        self._buffer += octets
        self._take_frames()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(self._gap_s, self._end_of_frame)

    def drop(self) -> None:
        """Forget what was heard and what was to be said."""
        self._queue.drop()
        self._buffer.clear()
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _take_frames(self) -> None:
        """A request of known length is complete without waiting for the silence behind it."""
        while (length := expected_length(self._buffer)) is not None and len(self._buffer) >= length:
            frame = bytes(self._buffer[:length])
            if crc16(frame[:-2]) != frame[-2:]:
                return
            del self._buffer[:length]
            self._hear(frame)

    def _end_of_frame(self) -> None:
        """Silence ends whatever came: a frame of another function, or noise to be forgotten."""
        frame = bytes(self._buffer)
        self._buffer.clear()
        if len(frame) >= 4 and crc16(frame[:-2]) == frame[-2:]:
            self._hear(frame)

    def _hear(self, frame: bytes) -> None:
        number, request = frame[0], frame[1:-2]
        if number == BROADCAST:
            for everybody in self._slaves.values():
                reply(everybody, request)
            return
        slave = self._slaves.get(number)
        if slave is None or (answered := reply(slave, request)) is None:
            return
        body = bytes((number,)) + answered
        octets = body + crc16(body)
        if slave.faults.garbage:
            octets = self._noise.randbytes(len(octets))
        self._queue.put(octets, slave.faults, self._busy_s(len(frame) + len(octets)))

    def _busy_s(self, octets: int) -> float:
        return (octets + 2 * GAP_CHARACTERS) * self._character_s + TURN_ROUND_S
