"""A Modbus client that can only ask: who looks around holds this one, which has no way to write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from drivers.api import Busy, DriverError, NoAnswer, NotConnected, Refused
from drivers.likeness import Value
from drivers.modbus.client import Client
from drivers.modbus.codec import decode
from drivers.modbus.ends import End, SerialEnd
from drivers.modbus.peek import Span
from drivers.modbus.polling import BITS, Request, places, plan
from drivers.profile import ModbusLimits, ModbusPoint, Table

_BEHIND_A_GATEWAY = ("(exception 10)", "(exception 11)")
"""The gateway's own answer for a unit that is not there."""
_REQUEST_REGISTERS, _REQUEST_BITS = 60, 480
"""Asked at once when looking around: what the smallest meters still answer."""
_LINE_PAUSE_S = 0.02


class Reader:
    """One endpoint, read only. ``timeout_s`` bounds connecting and each wait for an answer."""

    def __init__(self, end: End, timeout_s: float) -> None:
        self._client = Client(end, timeout_s, 0)
        self._pause_s = _LINE_PAUSE_S if isinstance(end, SerialEnd) else 0.0

    async def read(self, unit: int, table: Table, address: int, count: int) -> list[int]:
        """As ``Client.read``; on a line others get their turn between two requests."""
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        return await self._client.read(unit, table, address, count)

    async def identity(self, unit: int) -> Mapping[int, str]:
        """What the device says of itself by function 43/14; empty where it has none or says nothing."""
        try:
            return await self._client.identify(unit)
        except NotConnected:
            raise
        except DriverError:
            return {}

    async def presence(self, unit: int) -> str:
        """How a unit answers ("holding 0 is 55"), "" where nobody is there.

        Raises NotConnected, BindFailed, and BadAnswer where somebody answers what nobody can read.
        """
        try:
            (word,) = await self.read(unit, Table.HOLDING, 0, 1)
        except NoAnswer:
            return ""
        except (Refused, Busy) as said:
            return "" if said.cause.endswith(_BEHIND_A_GATEWAY) else said.cause
        return f"holding 0 is {word}"

    async def look(self, unit: int, span: Span) -> tuple[dict[int, int], dict[int, str]]:
        """What lies in ``span``: words by address, and the causes of refusal by address. Raises as ``Client.read``.

        A request that is refused is asked again in halves: one address that is missing hides no other.
        """
        words: dict[int, int] = {}
        refused: dict[int, str] = {}
        longest = _REQUEST_BITS if span.table in BITS else _REQUEST_REGISTERS
        waiting = [(at, min(longest, span.last - at + 1)) for at in range(span.first, span.last + 1, longest)]
        while waiting:
            first, count = waiting.pop(0)
            try:
                found = await self.read(unit, span.table, first, count)
            except Refused as error:
                if count == 1:
                    refused[first] = error.cause
                else:
                    half = count // 2
                    waiting[:0] = [(first, half), (first + half, count - half)]
            else:
                words |= {first + i: word for i, word in enumerate(found)}
        return words, refused

    async def values(
        self, unit: int, points: Sequence[ModbusPoint], limits: ModbusLimits
    ) -> AsyncGenerator[list[Value], None]:
        """``points`` as the device has them now, a request at a time; a refusal is a value. Raises as ``read``."""
        waiting = list(plan(points, limits))
        while waiting:
            request = waiting.pop(0)
            try:
                words = await self.read(unit, request.table, request.address, request.count)
            except Refused as error:
                if places(request) > 1:
                    waiting[:0] = [part for point in request.points for part in plan([point], limits)]
                else:
                    yield [Value(point, None, error.cause) for point in request.points]
            else:
                yield _decoded(request, words)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


def _decoded(request: Request, words: Sequence[int]) -> list[Value]:
    return [Value(point, decode(request.words_of(point, words), point)) for point in request.points]
