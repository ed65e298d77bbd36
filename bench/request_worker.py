"""Requests as fast as they go, one in flight on each connection; prints what they cost this process as JSON.

python -m bench.request_worker ours|pymodbus|floor FIRST_PORT CONNECTIONS REGISTERS SECONDS
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from pymodbus.client import AsyncModbusTcpClient

from drivers.modbus.client import Client
from drivers.modbus.link import TcpEnd
from drivers.profile import Table

_TIMEOUT_S = 5.0
Ask = Callable[[], Awaitable[object]]


async def ours(port: int, registers: int) -> Ask:
    """The driver's client, its checks included."""
    client = Client(TcpEnd("127.0.0.1", port), _TIMEOUT_S, 0)
    return lambda: client.read(1, Table.HOLDING, 0, registers)


async def plain(port: int, registers: int) -> Ask:
    """pymodbus as its documentation shows it."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=_TIMEOUT_S, retries=0)
    await client.connect()
    return lambda: client.read_holding_registers(0, count=registers, device_id=1)


class Floor(asyncio.BufferedProtocol):
    """The least that asyncio allows: one receive buffer, one future a request, no checks."""

    def __init__(self, registers: int) -> None:
        self._request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, registers)
        self._format, self._length = struct.Struct(f">{registers}H"), 9 + 2 * registers
        self._buffer, self._filled = bytearray(4096), 0
        self._answer: asyncio.Future[tuple[int, ...]] | None = None
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Hand over the registers when they are complete."""
        self._filled += nbytes
        if self._filled >= self._length and self._answer is not None:
            self._filled = 0
            self._answer.set_result(self._format.unpack_from(self._buffer, 9))

    def ask(self) -> Awaitable[tuple[int, ...]]:
        """One request."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(self._request)
        return self._answer


async def floor(port: int, registers: int) -> Ask:
    """A connection of ``Floor``."""
    _, protocol = await asyncio.get_running_loop().create_connection(lambda: Floor(registers), "127.0.0.1", port)
    return protocol.ask


WORKERS: Mapping[str, Callable[[int, int], Awaitable[Ask]]] = {"ours": ours, "pymodbus": plain, "floor": floor}


async def _ask_on(ask: Ask, end_s: float) -> int:
    done = 0
    while time.monotonic() < end_s:
        await ask()
        done += 1
    return done


async def main(kind: str, first_port: int, connections: int, registers: int, seconds: float) -> None:
    """Connect, warm up with one request on each connection, then measure."""
    asks = [await WORKERS[kind](first_port + number, registers) for number in range(connections)]
    await asyncio.gather(*(ask() for ask in asks))
    begin_s, end_s = time.process_time(), time.monotonic() + seconds
    requests = sum(await asyncio.gather(*(_ask_on(ask, end_s) for ask in asks)))
    print(json.dumps({"requests": requests, "cpu_s": time.process_time() - begin_s}), flush=True)


if __name__ == "__main__":
    _kind, _first, _connections, _registers, _seconds = sys.argv[1:]
    asyncio.run(main(_kind, int(_first), int(_connections), int(_registers), float(_seconds)))
