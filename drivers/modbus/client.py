"""Reads and writes against one endpoint, a connection or a line, with the rules that keep wrong values out.

A late answer must never be taken for the next one:

- Modbus TCP: the transaction id tells them apart, so a silent unit behind a gateway costs the other units nothing. The
  connection is opened anew after three requests in a row without an answer (half-open, device restarted), and
  before the very next request after a bad answer, a cancelled request or bytes left over (the stream is in doubt).
- RTU, on a line or through TCP, has no such id. Another unit's answer, another function or length is told by itself;
  the same unit is left alone until a second timeout has passed since it was silent, so that its late answer falls on
  an idle line. Before each request the line must have been silent for 3.5 characters. Through TCP, the connection
  too is opened anew after three silences.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence

from drivers.api import BadAnswer, NoAnswer, NotConnected, Refused
from drivers.modbus import pdu
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.ends import End, SerialEnd
from drivers.modbus.identification import BASIC, REGULAR, identification_part, identification_question
from drivers.modbus.link import Link, load_for, open_link
from drivers.profile import Table

_UNANSWERED_BEFORE_REOPEN = 3


class Client:
    """One endpoint. ``timeout_s`` bounds connecting and each wait for an answer; one call at a time.

    ``deadlines`` of the same time may be shared by many clients.
    """

    def __init__(self, end: End, timeout_s: float, retries: int, deadlines: Deadlines | None = None) -> None:
        load_for(end)
        self._end, self._pace = end, end.pace
        self._timeout_s = timeout_s
        self._deadlines = deadlines or Deadlines(timeout_s)
        self._retries = retries if self._pace is None else 0
        self._requests = itertools.count()
        self._link: Link | None = None
        self._in_doubt = False
        self._unanswered = 0
        self._quiet_until: dict[int, float] = {}

    async def read(self, unit: int, table: Table, address: int, count: int) -> list[int]:
        """``count`` registers, or 0/1 of bits. A silent TCP peer is asked again ``retries`` times.

        Raises NotConnected, BindFailed, NoAnswer, BadAnswer, Busy, Refused.
        """
        question = pdu.read_question(table, address, count)
        return pdu.words(question, await self.ask(unit, question))

    async def write(self, unit: int, table: Table, address: int, words: Sequence[int]) -> None:
        """Write adjoining coils or registers in one request, never repeated here. Raises as ``read`` does."""
        await self._ask_once(unit, pdu.write_question(table, address, words))

    async def identify(self, unit: int) -> Mapping[int, str]:
        """What the device says of itself, by object id (``identification.OBJECTS``). Raises as ``read`` does.

        Refused is the answer of a device that has no function 43/14. Reads only.
        """
        try:
            return await self._identify(unit, REGULAR)
        except Refused:
            return await self._identify(unit, BASIC)

    async def ask(self, unit: int, question: pdu.Question) -> bytes:
        """The checked answer to a question that may be repeated, a read. Raises as ``read`` does."""
        for _ in range(self._retries):
            try:
                return await self._ask_once(unit, question)
            except NoAnswer:
                continue
        return await self._ask_once(unit, question)

    async def close(self) -> None:
        """Close the connection; a later call opens it again."""
        if self._link is not None:
            self._link.close()
            self._link = None
            await asyncio.sleep(0)  # lets the loop close the socket

    async def _identify(self, unit: int, code: int) -> Mapping[int, str]:
        """All parts of the stream; each must bring something new, so that it ends."""
        objects: dict[int, str] = {}
        first: int | None = 0
        while first is not None:
            part = identification_part(await self.ask(unit, identification_question(code, first)))
            if part.follows is not None and part.follows <= max((first, *part.objects)):
                raise BadAnswer("an identification without an end")
            objects |= part.objects
            first = part.follows
        return objects

    async def _ask_once(self, unit: int, question: pdu.Question) -> bytes:
        link = self._link
        if link is None or self._pace is not None or self._outworn(link):
            link = await self._ready(unit)
        asked_s = asyncio.get_running_loop().time() if self._pace is not None else 0.0
        try:
            answer = await link.ask(unit, question)
            self._unanswered = 0
            pdu.check(question, answer)
        except NoAnswer:
            self._unanswered += 1
            self._leave_alone(unit, asked_s)
            raise
        except (BadAnswer, NotConnected, asyncio.CancelledError):
            self._in_doubt = True
            self._leave_alone(unit, asked_s)
            raise
        return answer

    async def _ready(self, unit: int) -> Link:
        """A usable link on which no earlier answer can still be mistaken for the next one."""
        link = self._link
        if link is not None and self._outworn(link):
            await self.close()
        if self._link is None:
            self._in_doubt, self._unanswered = False, 0
            self._link = await open_link(self._end, self._deadlines, self._requests)
        if self._pace is not None:
            await self._silence(self._link, unit, self._pace.silence_s)
        return self._link

    def _outworn(self, link: Link) -> bool:
        if not link.usable:
            return True
        if isinstance(self._end, SerialEnd):
            return False
        in_doubt = self._pace is None and (self._in_doubt or link.leftover > 0)
        return in_doubt or self._unanswered >= _UNANSWERED_BEFORE_REOPEN

    def _leave_alone(self, unit: int, asked_s: float) -> None:
        """Its answer may still come until two timeouts after the question, however early that was given up."""
        if self._pace is not None:
            given_up_s = asyncio.get_running_loop().time()
            self._quiet_until[unit] = max(given_up_s, asked_s + self._timeout_s) + self._timeout_s

    async def _silence(self, link: Link, unit: int, gap_s: float) -> None:
        """Wait until the unit may be asked and the line has been silent for ``gap_s``; at most one timeout of noise."""
        now = asyncio.get_running_loop().time
        allowed_s = self._quiet_until.get(unit, 0.0)
        patience_s = max(allowed_s, now()) + self._timeout_s
        while (wait_s := max(allowed_s, link.last_byte_s + gap_s) - now()) > 0:
            if now() > patience_s:
                raise BadAnswer("the line is never silent")
            await asyncio.sleep(wait_s)
        if self._quiet_until.pop(unit, None) is not None:
            await link.heard()
