"""Modbus TCP, with or without TLS: answers told apart by their transaction id, received into one small buffer.

asyncio's stock protocols take 256 KiB from the system for every answer; here it is this buffer, and one unpack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from drivers.api import BadAnswer
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.exchange import Link
from drivers.modbus.frames import LONGEST_LENGTH, MBAP, SHORTEST_LENGTH, mbap_frame
from drivers.modbus.pdu import Question

_BUFFER = 1024
"""Room for the answer and for some late ones that came before it."""


class MbapLink(Link, asyncio.BufferedProtocol):
    """See Link. An answer of another transaction is a late one and dropped; what is no frame ends the connection."""

    def __init__(self, deadlines: Deadlines, requests: Iterator[int]) -> None:
        """``requests`` counts on from link to link, so that not even an answer to an earlier connection is taken."""
        super().__init__()
        self._requests = requests
        self._deadlines = deadlines
        self._buffer = bytearray(_BUFFER)
        self._room = memoryview(self._buffer)
        self._filled = 0
        self._transaction = 0
        self._unit = 0

    async def ask(self, unit: int, question: Question) -> bytes:
        """See Link.ask; the deadline stands, however the answer dribbles in."""
        self._unit = unit
        self._transaction = next(self._requests) % 0xFFFF + 1
        answer = self._send(mbap_frame(self._transaction, unit, question.pdu))
        self._deadlines.set(answer, self._expire)
        try:
            return await answer
        finally:
            self._deadlines.clear(answer)
            self._answer = None

    @property
    def leftover(self) -> int:
        """See Link."""
        return self._filled

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the transport: where to put what comes."""
        return self._room[self._filled :] if self._filled else self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the transport: so many bytes more are in the buffer."""
        filled, at = self._filled + nbytes, 0
        while filled - at >= MBAP.size:
            transaction, protocol, length, unit = MBAP.unpack_from(self._buffer, at)
            if protocol or not SHORTEST_LENGTH <= length <= LONGEST_LENGTH:
                self._spoilt()
                return
            end = at + 6 + length
            if end > filled:
                break
            if transaction == self._transaction:
                self._take(unit, bytes(self._room[at + MBAP.size : end]))
            elif transaction == 0:
                self._settle(BadAnswer("answer without the request's transaction id"))
            at = end
        if at < filled and at:
            self._buffer[: filled - at] = self._buffer[at:filled]
        self._filled = filled - at

    def _take(self, unit: int, pdu: bytes) -> None:
        if unit == self._unit:
            self._settle(pdu)
        else:
            self._settle(BadAnswer(f"answer of unit {unit} to unit {self._unit}"))

    def _spoilt(self) -> None:
        """From here on nothing in the stream has a beginning."""
        self._filled = 0
        self._settle(BadAnswer("undecodable answer"))
        self.close()
