"""The Modbus RTU face: a pseudo-terminal behind the serial path that the site declares, several units on one line.

A pty has neither baud rate nor parity: the time that frames take is added here. It is also picky: on Linux a
client that asks for parity is refused when its request changes nothing, so the line's speed is parked on a value
that no client uses whenever it has spoken.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Mapping
from pathlib import Path

from sim.modbus_face import Slave
from sim.rtu_line import RtuLine

PARKED_SPEED = termios.B50


class LineTaken(OSError):
    """The serial path belongs to somebody else."""


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
        self._units = RtuLine(slaves, self._send, baudrate=baudrate, character_bits=character_bits, speed=speed)
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
        self._units.drop()
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
            octets = os.read(self._line[0], 4096)
        except (BlockingIOError, InterruptedError):
            return
        self._park()
        self._units.receive(octets)

    def _send(self, octets: bytes) -> None:
        if self._line is not None:
            with contextlib.suppress(BlockingIOError):  # nobody reads: on a real line the octets are gone too
                os.write(self._line[0], octets)
