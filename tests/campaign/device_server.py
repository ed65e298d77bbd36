"""A serial line behind TCP, as a device server has it: its octets go to whoever is connected when they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.drivers.modbus_peer import Peer, Script, rtu_requests


class _Connection(asyncio.Protocol):
    def __init__(self, peer: Peer, connected: list[asyncio.Transport]) -> None:
        self._peer, self._connected = peer, connected
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._peer.connections += 1
        self._connected.append(transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        for asked in rtu_requests(self._received):
            self._peer.judge(asked, self._send)

    def _send(self, raw: bytes | None) -> None:
        newest = self._connected[-1]
        if raw is None:
            newest.abort()
        elif not newest.is_closing():
            newest.write(raw)


@asynccontextmanager
async def device_server(script: Script) -> AsyncIterator[Peer]:
    """A peer on a loopback port; leaving hangs up on everybody."""
    peer, connected = Peer(script), list[asyncio.Transport]()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(peer, connected), "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for transport in connected:
            transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)
