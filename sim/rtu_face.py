"""The Modbus RTU face: a pseudo-terminal behind the serial path that the site declares, several units on one line.

A pty has neither baud rate nor parity: the time that frames take is added here. It is also picky: on Linux a
client that asks for parity is refused when its request changes nothing, so the line's speed is parked on a value
that no client uses whenever it has spoken.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import struct
import termios
import tty
from collections.abc import Mapping
from pathlib import Path

from sim.modbus_face import AnswerQueue, Slave, reply

BROADCAST = 0
GAP_CHARACTERS = 3.5
SHORTEST_GAP_S = 0.02
"""A process is not woken as exactly as a UART: shorter silences mean nothing."""
TURN_ROUND_S = 0.004
MOST_HASTE = 4.0
"""On a fast clock the line is faster too, but never more than this: a poll must stay something that takes time."""
FIXED_LENGTHS = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 43: 7}
PARKED_SPEED = termios.B50


class LineTaken(OSError):
    """The serial path belongs to somebody else."""


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


class RtuFace:
    """One serial line at ``path``; ``character_bits`` counts start, parity and stop bits."""

    def __init__(
        self,
        path: Path,
        slaves: Mapping[int, Slave],
        *,
        baudrate: int,
        character_bits: int,
        speed: float = 1.0,
    ) -> None:
        self.path, self.slaves = path, slaves
        self._character_s = character_bits / baudrate / min(max(speed, 1.0), MOST_HASTE)
        self._gap_s = max(SHORTEST_GAP_S, GAP_CHARACTERS * self._character_s)
        self._buffer = bytearray()
        self._silence: asyncio.TimerHandle | None = None
        self._queue = AnswerQueue(self._send)
        self._noise = random.Random(baudrate)
        self._line: tuple[int, int] | None = None
        self._terminal = ""

    async def start(self) -> None:
        """Open the pty and link it at ``path``. Raises LineTaken where something else stands there, else OSError."""
        self._check_path()
        line, end = os.openpty()
        self._line = (line, end)
        try:
            tty.setraw(end)
            self._terminal = os.ttyname(end)
            self._park()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(self._terminal)
        except OSError:
            self._close()
            raise
        os.set_blocking(line, False)
        asyncio.get_running_loop().add_reader(line, self._readable)

    async def stop(self) -> None:
        """Close the line and remove the link if it is still ours."""
        if self._line is None:
            return
        asyncio.get_running_loop().remove_reader(self._line[0])
        self._queue.drop()
        if self._silence is not None:
            self._silence.cancel()
        if self.path.is_symlink() and os.readlink(self.path) == self._terminal:
            self.path.unlink()
        self._close()

    def lines(self) -> list[str]:
        """What stands here, for people."""
        return [f"modbus-rtu {self.path} unit {number} {slave.device}" for number, slave in self.slaves.items()]

    def _check_path(self) -> None:
        stale = self.path.is_symlink() and (not self.path.exists() or os.readlink(self.path).startswith("/dev/pts/"))
        if not stale and os.path.lexists(self.path):
            raise LineTaken(f"{self.path} exists and is no link of a simulator: a real line is never taken over")

    def _close(self) -> None:
        if self._line is not None:
            for descriptor in self._line:
                os.close(descriptor)
            self._line = None

    def _park(self) -> None:
        if self._line is not None:
            settings = termios.tcgetattr(self._line[1])
            settings[4] = settings[5] = PARKED_SPEED
            termios.tcsetattr(self._line[1], termios.TCSANOW, settings)

    def _readable(self) -> None:
        assert self._line is not None  # noqa: S101 - the reader is removed before the line is closed
        try:
            self._buffer += os.read(self._line[0], 4096)
        except (BlockingIOError, InterruptedError):
            return
        self._park()
        self._take_frames()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(self._gap_s, self._end_of_frame)

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
            for everybody in self.slaves.values():
                reply(everybody, request)
            return
        slave = self.slaves.get(number)
        if slave is None or (answered := reply(slave, request)) is None:
            return
        body = bytes((number,)) + answered
        octets = body + crc16(body)
        if slave.faults.garbage:
            octets = self._noise.randbytes(len(octets))
        self._queue.put(octets, slave.faults, self._busy_s(len(frame) + len(octets)))

    def _busy_s(self, octets: int) -> float:
        return (octets + 2 * GAP_CHARACTERS) * self._character_s + TURN_ROUND_S

    def _send(self, octets: bytes) -> None:
        if self._line is not None:
            with contextlib.suppress(BlockingIOError):  # nobody reads: on a real line the octets are gone too
                os.write(self._line[0], octets)
