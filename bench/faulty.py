"""Modbus TCP devices that answer like the farm until told otherwise; every port answers for every unit.

    python -m bench.faulty FIRST_PORT PORTS START_S

A line on standard input is ``FAULT PORT UNIT`` (hung, black-hole, dribble, garbage) or ``ok PORT UNIT``. Each is
answered by ``done N``, N being how often that unit has been asked since the line before.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import sys
import time
from typing import cast

from bench.figures import TICK_S, TICK_TURN

_HEAD = struct.Struct(">HHHBBHH")
_DRIBBLE_S, _FILLERS = 0.2, 4


class Devices:
    """All of them: which unit has which fault, and how often each was asked."""

    def __init__(self, first_port: int, ports: int, start_s: float) -> None:
        self.ports = range(first_port, first_port + ports)
        self.faults: dict[tuple[int, int], str] = {}
        self.asked: dict[tuple[int, int], int] = {}
        self._start_s = start_s
        self._servers: dict[int, asyncio.Server] = {}
        self._holes: dict[int, list[socket.socket]] = {}

    async def listen(self, port: int) -> None:
        """Accept connections at ``port``."""
        loop = asyncio.get_running_loop()
        self._servers[port] = await loop.create_server(lambda: Connection(self, port), "127.0.0.1", port)

    async def change(self, fault: str, port: int, unit: int) -> int:
        """Put ``fault`` in the place of the present one; how often the unit was asked meanwhile."""
        if self._holes.pop(port, None) is not None:
            await self.listen(port)
        self.faults[port, unit] = fault
        if fault == "black-hole":
            self._servers.pop(port).close()
            self._holes[port] = black_hole(port)
        return self.asked.pop((port, unit), 0)

    def answer(self, request: bytes, port: int) -> bytes:
        """What the farm with --float answers to a read of registers."""
        transaction, _, _, unit, function, address, count = _HEAD.unpack_from(request)
        tick = int((time.monotonic() - self._start_s) / TICK_S) % TICK_TURN
        values = (tick + pair / 100 for pair in range((address + count + 1) // 2))
        words = b"".join(struct.pack(">f", value) for value in values)[2 * address : 2 * (address + count)]
        self.asked[port, unit] = self.asked.get((port, unit), 0) + 1
        return struct.pack(">HHHBBB", transaction, 0, 3 + len(words), unit, function, len(words)) + words


class Connection(asyncio.Protocol):
    """One client; requests are taken one by one."""

    def __init__(self, devices: Devices, port: int) -> None:
        self._devices, self._port, self._buffer = devices, port, b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every complete request as its unit's fault has it."""
        self._buffer += data
        while len(self._buffer) >= 12:
            request, self._buffer = self._buffer[:12], self._buffer[12:]
            answer = self._devices.answer(request, self._port)
            fault = self._devices.faults.get((self._port, request[6]), "ok")
            if fault == "ok":
                self._transport.write(answer)
            elif fault == "garbage":
                self._transport.write(random.randbytes(len(answer)))
            elif fault == "dribble":
                self._dribble(answer)

    def _dribble(self, rest: bytes) -> None:
        if rest and not self._transport.is_closing():
            self._transport.write(rest[:1])
            asyncio.get_running_loop().call_later(_DRIBBLE_S, self._dribble, rest[1:])


def black_hole(port: int) -> list[socket.socket]:
    """Take ``port`` so that who connects to it hears nothing at all: its queue is full, the kernel drops what comes."""
    hole = socket.socket()
    hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hole.bind(("127.0.0.1", port))
    hole.listen(0)
    fillers = [socket.socket() for _ in range(_FILLERS)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    return [*fillers, hole]


async def main(first_port: int, ports: int, start_s: float) -> None:
    """Run until standard input ends (or we are ended)."""
    devices = Devices(first_port, ports, start_s)
    for port in devices.ports:
        await devices.listen(port)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb"))
    print("ready", flush=True)
    while line := (await reader.readline()).decode().split():
        print("done", await devices.change(line[0], int(line[1]), int(line[2])), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
