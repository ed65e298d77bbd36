"""One open connection and the one request that may be under way on it: one answer, one deadline.

A lost connection or an undecodable answer ends the request at once; nothing reconnects by itself.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from abc import ABC, abstractmethod
from typing import cast

from drivers.api import BadAnswer, DriverError, NoAnswer, NotConnected
from drivers.modbus.pdu import Question


class Link(asyncio.BaseProtocol, ABC):
    """Made by ``drivers.modbus.link.open_link``; ``usable`` turns False for good when it is lost."""

    def __init__(self) -> None:
        self.usable = False
        self.last_byte_s = -1.0
        """When the last byte came, on the loop's clock; kept where silence between frames has a meaning."""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None

    @abstractmethod
    async def ask(self, unit: int, question: Question) -> bytes:
        """Send one request; the PDU of its answer. Raises NoAnswer, BadAnswer, NotConnected. One at a time."""

    @property
    @abstractmethod
    def leftover(self) -> int:
        """How many bytes lie here that belong to no whole frame."""

    async def heard(self) -> None:
        """Return when ``data_received`` was called with all that had come before this call.

        A loop that was held up has it unread in the socket; it looks there once in every pass, behind what is ready.
        """
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)
        self.usable = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport: the connection is gone, and with it the pending request."""
        self.usable = False
        self._settle(NotConnected("connection closed by the peer" if exc is None else cause_of(exc)))

    def close(self) -> None:
        """Close at once, without sending what is still unsent."""
        self.usable = False
        self._settle(NotConnected("connection closed"))
        if self._transport is not None:
            self._transport.abort()

    def _send(self, frame: bytes) -> asyncio.Future[bytes]:
        """Send ``frame``; what ``_settle`` brings is its answer. Raises NotConnected."""
        if self._transport is None or not self.usable:
            raise NotConnected("connection closed")
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._answer = answer
        self._transport.write(frame)
        return answer

    def _expire(self, answer: asyncio.Future[bytes]) -> None:
        """The deadline of ``answer`` is over: whoever was late or incomplete then stays so."""
        if self._answer is answer:
            cut = self.leftover
            self._settle(BadAnswer(f"no valid answer in {cut} bytes") if cut else NoAnswer("no answer"))

    def _settle(self, result: bytes | DriverError) -> None:
        answer = self._answer
        if answer is None or answer.done():
            return
        if isinstance(result, DriverError):
            answer.set_exception(result)
        else:
            answer.set_result(result)


def cause_of(error: Exception) -> str:
    """A short lower-case phrase; errors of the system carry a number and its message."""
    if isinstance(error, UnicodeError):
        return "not a host name"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"tls: {(error.reason or 'no handshake').lower().replace('_', ' ')}"
    if isinstance(error, ConnectionError) and not error.args:  # asyncio's, where a peer breaks off a TLS handshake
        return "connection closed by the peer"
    code = error.args[0] if error.args else None
    if isinstance(code, int) and code > 0:
        text = os.strerror(code)
    else:  # a name that is not found has a negative number of its own
        text = str(error.args[-1]) if error.args else type(error).__name__
    return text[:1].lower() + text[1:]
