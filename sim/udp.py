"""One UDP socket with its life: bound, heard, closed to the last; or whatever stands in a socket's place."""

from __future__ import annotations

import asyncio

from sim.bacnet_apdu import Address


class UdpSide(asyncio.DatagramProtocol):
    """Who is heard at a UDP port; a subclass has ``datagram_received``."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()

    def attach(self, port: asyncio.DatagramTransport) -> None:
        """Stand behind ``port`` instead of a socket: it takes what is sent, ``datagram_received`` what comes."""
        self._closed.clear()
        self._transport = port

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport's word that the socket is closed."""
        self._closed.set()

    async def _bind(self, address: Address) -> Address:
        """Open the socket; the address that it has, OSError when the port is taken."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=address)
        self.attach(transport)
        host, port = transport.get_extra_info("sockname")[:2]
        return host, port

    async def _unbind(self) -> None:
        """Return when the socket is closed."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await self._closed.wait()

    def _transmit(self, octets: bytes, address: Address) -> None:
        """Into the void while there is no socket."""
        if self._transport is not None:
            self._transport.sendto(octets, address)
