"""RTU frames, on a serial line or through a TCP connection to one: no transaction id, only unit, function, checksum.

What comes while nothing is asked is thrown away, and what came before a request never counts as its answer.
"""

from __future__ import annotations

import asyncio

from drivers.api import BadAnswer
from drivers.modbus.ends import Pace
from drivers.modbus.exchange import Link
from drivers.modbus.frames import LONGEST_RTU, rtu_answer, rtu_frame
from drivers.modbus.pdu import Question

_MOST_NOISE = 2 * LONGEST_RTU


class RtuLink(Link, asyncio.Protocol):
    """See Link. An answer must have begun within the timeout and may then take as long as its characters do."""

    def __init__(self, timeout_s: float, pace: Pace) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self._character_s = pace.character_s
        self._received = bytearray()
        self._unit = self._function = 0
        self._answering_s = 0.0

    async def ask(self, unit: int, question: Question) -> bytes:
        """See Link.ask."""
        self._received.clear()
        self._unit, self._function = unit, question.pdu[0]
        self._answering_s = (question.longest + 3) * self._character_s
        frame = rtu_frame(unit, question.pdu)
        answer = self._send(frame)
        timer = self._loop.call_later(self._timeout_s + len(frame) * self._character_s, self._expire, answer)
        try:
            return await answer
        finally:
            timer.cancel()
            self._answer = None

    @property
    def leftover(self) -> int:
        """See Link."""
        return len(self._received)

    def data_received(self, data: bytes) -> None:
        """Called by the transport with what came, in whatever pieces."""
        self.last_byte_s = self._loop.time()
        if self._answer is None or self._answer.done():
            return
        self._received += data
        answer = rtu_answer(self._received, self._unit, self._function)
        if answer is not None:
            self._received.clear()
            self._settle(answer)
        elif len(self._received) > _MOST_NOISE:
            self._settle(BadAnswer("nothing but noise"))

    def _expire(self, answer: asyncio.Future[bytes]) -> None:
        """An answer under way on a slow line may end, once."""
        if self._received and self._answering_s:
            self._loop.call_later(self._answering_s, super()._expire, answer)
            self._answering_s = 0.0
        else:
            super()._expire(answer)
