"""A serial line, opened with pymodbus' transport over pyserial."""

from __future__ import annotations

import asyncio
import os
import termios

from pymodbus.transport.serialtransport import SerialTransport

from drivers.api import BindFailed, NotConnected
from drivers.modbus.ends import SerialEnd
from drivers.modbus.exchange import cause_of
from drivers.modbus.pdu import Question
from drivers.modbus.rtu_link import RtuLink


class SerialLink(RtuLink):
    """An RtuLink that empties the serial driver before each request."""

    async def ask(self, unit: int, question: Question) -> bytes:
        """See Link.ask."""
        line = self._transport.sync_serial if isinstance(self._transport, SerialTransport) else None
        if line is not None:
            try:
                line.reset_input_buffer()
            except (OSError, termios.error) as error:
                raise NotConnected(cause_of(error)) from error
        return await super().ask(unit, question)


def open_serial(end: SerialEnd, timeout_s: float) -> SerialLink:
    """Raises BindFailed."""
    loop = asyncio.get_running_loop()
    link = SerialLink(timeout_s, end.pace)
    try:
        transport = SerialTransport(loop, link, end.path, end.baudrate, 8, _settable_parity(end), end.stopbits, 0)
    except (OSError, termios.error) as error:
        raise BindFailed(f"serial line {end.path}: {cause_of(error)}") from error
    # Not transport.setup(), which pymodbus defers: a line closed before its turn would fail in the loop.
    loop.add_reader(transport.sync_serial.fileno(), transport.intern_read_ready)
    link.connection_made(transport)
    return link


def _settable_parity(end: SerialEnd) -> str:
    """A pseudo-terminal (a simulated line) carries bytes, not bits: setting a parity there fails with EINVAL."""
    return "N" if os.path.realpath(end.path).startswith("/dev/pts/") else end.parity
