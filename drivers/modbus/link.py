"""One connection from its opening to its loss, over pymodbus' framers and transports.

pymodbus accepts answers it should not, lets a request wait out its time on a connection that is gone, and
reconnects by itself after up to 300 s. So the transaction is ours: one request, one answer, one deadline; a lost
connection or an undecodable answer ends the request at once; nothing reconnects, the next request opens a new link.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import termios
from collections.abc import Mapping
from dataclasses import dataclass

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.transaction import TransactionManager
from pymodbus.transport import CommParams, CommType

from drivers.api import BadAnswer, BindFailed, DriverError, NoAnswer, NotConnected

_KEEPALIVE: Mapping[str, int] = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}
"""A half-open connection that carries no request is noticed after 25 s (TCP_USER_TIMEOUT is in ms)."""


@dataclass(frozen=True, slots=True)
class TcpEnd:
    """A Modbus TCP server."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SerialEnd:
    """A serial line, 8 data bits, RTU."""

    path: str
    baudrate: int
    parity: str
    stopbits: int

    @property
    def character_s(self) -> float:
        """How long one character takes on the line: start, 8 data, parity and stop bits."""
        return (9 + (self.parity != "N") + self.stopbits) / self.baudrate

    @property
    def silence_s(self) -> float:
        """3.5 characters between frames, 1.75 ms above 19200 Bd (Modbus over Serial Line V1.02, 2.5.1.1)."""
        return 0.00175 if self.baudrate > 19200 else 3.5 * self.character_s


class _Undecoded(DecodePDU):
    """Leaves the PDU as it is: judging it against the request is drivers.modbus.pdu's work."""

    def decode(self, frame: bytes) -> ModbusPDU:
        return ModbusPDU()


class _SocketFramer(FramerSocket):
    """Keeps the PDU of the last frame as it came."""

    last_pdu: bytes = b""

    def decode(self, data: bytes) -> tuple[int, int, int, bytes]:
        used, unit, transaction, self.last_pdu = super().decode(data)
        return used, unit, transaction, self.last_pdu


class _RtuFramer(FramerRTU):
    """Keeps the PDU of the last frame as it came."""

    last_pdu: bytes = b""

    def decode(self, data: bytes) -> tuple[int, int, int, bytes]:
        used, unit, transaction, self.last_pdu = super().decode(data)
        return used, unit, transaction, self.last_pdu


class Link(TransactionManager):
    """One open connection. Make it with ``open_link``; ``usable`` turns False for good when it is lost."""

    def __init__(self, end: TcpEnd | SerialEnd, timeout_s: float) -> None:
        serial = isinstance(end, SerialEnd)
        self._framer: _SocketFramer | _RtuFramer = (_RtuFramer if serial else _SocketFramer)(_Undecoded(False))
        framer: FramerBase = self._framer
        super().__init__(_parameters(end, timeout_s), framer, 0, False, None, None, None)
        self.end = end
        self.usable = False
        self.last_byte_s = -1.0
        """When the last byte came, on the loop's clock."""
        self._timeout_s = timeout_s
        self._character_s = end.character_s if isinstance(end, SerialEnd) else 0.0
        self._made: asyncio.Future[None] = self.loop.create_future()
        self._answer: asyncio.Future[bytes] | None = None
        self._unit = 0
        self._bytes_seen = 0

    async def open(self) -> None:
        """Connect within the timeout. Raises NotConnected, or BindFailed when the serial line cannot be opened."""
        try:
            async with asyncio.timeout(self._timeout_s):
                self.transport, _ = await self.call_create()
                await self._made
            self.usable = True
        except TimeoutError as error:
            raise NotConnected("no answer to the connection request") from error
        except (OSError, termios.error, UnicodeError) as error:  # UnicodeError: a host like a..b
            if isinstance(self.end, SerialEnd):
                raise BindFailed(f"serial line {self.end.path}: {_cause(error)}") from error
            raise NotConnected(_cause(error)) from error
        finally:
            if not self.usable:
                self.close()

    async def ask(self, unit: int, pdu: bytes, answer_length: int) -> bytes:
        """Send one request, return the PDU of its answer. Raises NoAnswer, BadAnswer, NotConnected.

        An answer of this unit and this transaction only; it must have begun within the timeout and then takes as
        long as its ``answer_length`` characters take on the line. One request at a time.
        """
        self._unit, self._bytes_seen = unit, 0
        self.request_dev_id, self.request_transaction_id = unit, self.getNextTID()
        answer: asyncio.Future[bytes] = self.loop.create_future()
        self._answer = answer
        frame = self.framer.encode(pdu, unit, self.request_transaction_id)
        sending_s, answering_s = len(frame) * self._character_s, (answer_length + 3) * self._character_s
        timer = self.loop.call_later(self._timeout_s + sending_s, self._expire, answer, answering_s)
        try:
            self._drain()
            self.send(frame)
            return await answer
        finally:
            timer.cancel()
            self._answer = None

    def callback_connected(self) -> None:
        """Called by the transport: the connection stands."""
        super().callback_connected()
        if isinstance(self.end, TcpEnd):
            _keep_alive(self.transport.get_extra_info("socket"))
        if not self._made.done():
            self._made.set_result(None)

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Called by the transport: the connection is gone, and with it the pending request."""
        super().callback_disconnected(exc)
        self.usable = False
        self._settle(NotConnected("connection closed by the peer" if exc is None else _cause(exc)))

    def data_received(self, data: bytes) -> None:
        """Called by the transport with what came, in whatever pieces."""
        self.last_byte_s = self.loop.time()
        self._bytes_seen += len(data)
        super().data_received(data)

    def callback_data(self, data: bytes, addr: tuple[object, ...] | None = None) -> int:
        """Called with all bytes not yet used; returns how many were used up."""
        try:
            used, pdu = self.framer.handleFrame(data, self.request_dev_id, self.request_transaction_id)
        except (ModbusException, ValueError, LookupError, struct.error):
            self._settle(BadAnswer("undecodable answer"))
            return len(data)
        if pdu is None:
            return int(used)
        if pdu.dev_id != self._unit:
            self._settle(BadAnswer(f"answer of unit {pdu.dev_id} to unit {self._unit}"))
        elif pdu.transaction_id != self.request_transaction_id:
            self._settle(BadAnswer("answer without the request's transaction id"))
        else:
            self._settle(self._framer.last_pdu)
        return int(used)

    @property
    def leftover(self) -> bool:
        """Whether bytes lie here that belong to no whole frame."""
        return bool(self.recv_buffer)

    def close(self, reconnect: bool = False) -> None:
        """Close at once, without sending what is still unsent."""
        self.usable = False
        self._settle(NotConnected("connection closed"))
        transport = self.transport
        super().close(reconnect)
        if transport is not None and isinstance(self.end, TcpEnd):
            transport.abort()  # type: ignore[attr-defined]

    def _drain(self) -> None:
        """Throw away what lies unread in the serial driver: it came before the request."""
        line = getattr(self.transport, "sync_serial", None)
        if line is not None:
            try:
                line.reset_input_buffer()
            except (OSError, termios.error) as error:
                raise NotConnected(_cause(error)) from error

    def _expire(self, answer: asyncio.Future[bytes], extra_s: float) -> None:
        """The deadline: an answer under way on a slow line may end, anything else is over."""
        if extra_s and self.recv_buffer:
            self.loop.call_later(extra_s, self._expire, answer, 0.0)
        elif self._answer is answer:
            seen = self._bytes_seen
            self._settle(BadAnswer(f"no valid answer in {seen} bytes") if seen else NoAnswer("no answer"))

    def _settle(self, result: bytes | DriverError) -> None:
        if self._answer is None or self._answer.done():
            return
        if isinstance(result, DriverError):
            self._answer.set_exception(result)
        else:
            self._answer.set_result(result)


async def open_link(end: TcpEnd | SerialEnd, timeout_s: float) -> Link:
    """Connect within ``timeout_s``. Raises NotConnected, BindFailed."""
    link = Link(end, timeout_s)
    await link.open()
    return link


def _parameters(end: TcpEnd | SerialEnd, timeout_s: float) -> CommParams:
    if isinstance(end, TcpEnd):
        return CommParams(
            comm_name="modbus", comm_type=CommType.TCP, reconnect_delay=0.0, timeout_connect=timeout_s,
            host=end.host, port=end.port,
        )  # fmt: skip
    return CommParams(
        comm_name="modbus", comm_type=CommType.SERIAL, reconnect_delay=0.0, timeout_connect=timeout_s,
        host=end.path, baudrate=end.baudrate, bytesize=8, parity=_settable_parity(end), stopbits=end.stopbits,
    )  # fmt: skip


def _settable_parity(end: SerialEnd) -> str:
    """A pseudo-terminal (a simulated line) carries bytes, not bits: setting a parity there fails with EINVAL."""
    return "N" if os.path.realpath(end.path).startswith("/dev/pts/") else end.parity


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _cause(error: Exception) -> str:
    """A short lower-case phrase; errors of the system carry a number and its message."""
    if isinstance(error, UnicodeError):
        return "not a host name"
    code = error.args[0] if error.args else None
    if isinstance(code, int) and code > 0:
        text = os.strerror(code)
    else:  # a name that is not found has a negative number of its own
        text = str(error.args[-1]) if error.args else type(error).__name__
    return text[:1].lower() + text[1:]
