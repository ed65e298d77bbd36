"""A raw UDP socket that plays devices, routers and BBMDs by script, octet by octet."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from drivers.api import LIMITATION, Notice, Observation

Address = tuple[str, int]
Script = Callable[[bytes], Iterable[bytes]]
"""From a datagram to the datagrams that answer it, sent to who asked."""


def bvll(function: int, content: bytes) -> bytes:
    """One BVLL message."""
    return struct.pack(">BBH", 0x81, function, 4 + len(content)) + content


def unicast(apdu: bytes) -> bytes:
    """An APDU in an Original-Unicast-NPDU."""
    return bvll(0x0A, b"\x01\x00" + apdu)


def from_network(network: int, mac: bytes, apdu: bytes) -> bytes:
    """An APDU that a router forwards to us from a station of ``network``."""
    return bvll(0x0A, b"\x01\x08" + struct.pack(">HB", network, len(mac)) + mac + apdu)


def i_am(instance: int, max_apdu: int = 480, segmentation: int = 3, vendor: int = 260) -> bytes:
    """The APDU of an I-Am."""
    device = (8 << 22 | instance).to_bytes(4)
    return (
        b"\x10\x00\xc4"
        + device
        + b"\x22"
        + max_apdu.to_bytes(2)
        + bytes([0x91, segmentation, 0x22])
        + vendor.to_bytes(2)
    )


def i_am_router(*networks: int) -> bytes:
    """I-Am-Router-To-Network."""
    return bvll(0x0B, b"\x01\x80\x01" + b"".join(network.to_bytes(2) for network in networks))


def whom(datagram: bytes) -> tuple[int, int] | None:
    """The range of a Who-Is, None where it is none."""
    at = datagram.find(b"\x10\x08")
    if at < 0:
        return None
    found, at = [], at + 2
    while at < len(datagram):
        length = datagram[at] & 7
        found.append(int.from_bytes(datagram[at + 1 : at + 1 + length]))
        at += 1 + length
    return (found[0], found[1]) if found else (0, 4_194_303)


class Wire(asyncio.DatagramProtocol):
    """What one socket hears (``seen``) and answers."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: list[bytes] = []
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.peer: Address | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Answer by script."""
        self.peer = addr
        self.seen.append(data)
        self.heard.put_nowait(data)
        for answer in self.script(data):
            self.transport.sendto(answer, addr)

    def send(self, datagram: bytes, to: Address) -> None:
        """Unasked."""
        self.transport.sendto(datagram, to)

    async def next(self) -> bytes:
        """The next datagram."""
        return await asyncio.wait_for(self.heard.get(), 2.0)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.transport.get_extra_info("sockname")[1])


class Ear:
    """What a driver says unasked."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Observation] = asyncio.Queue()

    def __call__(self, seen: Sequence[Observation]) -> None:
        """As Host.hear; what a device cannot do is passed over."""
        for one in seen:
            if not (isinstance(one, Notice) and one.severity == LIMITATION):
                self.heard.put_nowait(one)

    async def notice(self) -> Notice:
        """The next, which must be a notice."""
        one = await asyncio.wait_for(self.heard.get(), 2.0)
        assert isinstance(one, Notice)
        return one


@asynccontextmanager
async def wire(script: Script = lambda _: (), place: Address = ("127.0.0.1", 0)) -> AsyncIterator[Wire]:
    """A socket at ``place``."""
    loop = asyncio.get_running_loop()
    _, made = await loop.create_datagram_endpoint(lambda: Wire(script), local_addr=place)
    try:
        yield made
    finally:
        made.transport.close()
        await asyncio.sleep(0)
