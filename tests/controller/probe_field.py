"""A field for ``veilleuse probe``: simulated devices in a loop of their own, behind relays that note what was asked."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from click.testing import CliRunner

from config.site import Site
from controller.cli import cli
from sim.run import TownServer
from tests.sim.towns import Ticking

READS = frozenset({1, 2, 3, 4, 43})
"""Modbus functions that change nothing."""
READ_PROPERTY, READ_PROPERTY_MULTIPLE, WHO_IS = 12, 14, 8
T = TypeVar("T")


def dropped_in(text: str, site: Path) -> str:
    """Follow the first lines of a saved text with a starter site, which must then pass; its lines of devices."""
    assert CliRunner().invoke(cli, ["init", str(site)]).exit_code == 0
    buses, _, devices = text.partition("buses:\n")[2].partition("devices:")
    path = site / "site.yaml"
    written = path.read_text(encoding="utf-8").replace("\nbuses:\n", f"\nbuses:\n{buses}", 1)
    lines = devices.removeprefix(" []").removeprefix("\n")
    path.write_text(written.replace("\ndevices:\n", f"\ndevices:\n{lines}", 1), encoding="utf-8")
    checked = CliRunner().invoke(cli, ["check", str(site)])
    assert checked.exit_code == 0, checked.output
    return devices


class Elsewhere:
    """An event loop in a thread: the command line runs its own in the test's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ``work`` there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10.0)

    @contextmanager
    def holding(self, context: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """An asynchronous context that lives there for the time of the block."""
        held = self.run(context.__aenter__())
        try:
            yield held
        finally:
            self.run(context.__aexit__(None, None, None))

    def end(self) -> None:
        """Stop and join."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._loop.close()


@asynccontextmanager
async def simulated(site: Site) -> AsyncIterator[TownServer]:
    """The devices of ``site``; their time stands still."""
    server = TownServer(site, now=Ticking())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@dataclass
class Heard:
    """Where a relay listens and what passed through it to the devices."""

    port: int = 0
    functions: list[int] = field(default_factory=list)
    """Modbus function codes, or BACnet confirmed services."""
    unconfirmed: list[int] = field(default_factory=list)
    """BACnet unconfirmed services."""
    say: Callable[[bytes, tuple[str, int]], None] = lambda _octets, _to: None
    """Sends a datagram as the device behind the relay."""


@asynccontextmanager
async def tcp_relay(port: int) -> AsyncIterator[Heard]:
    """A Modbus TCP server that hands everything on to ``port`` and its answers back."""
    heard = Heard()
    writers: set[asyncio.StreamWriter] = set()

    async def back(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(4096):
            sink.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.update((writer, far_writer))
        answering = asyncio.ensure_future(back(far_reader, writer))
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(struct.unpack(">HHHB", head)[2] - 1)
                heard.functions.append(pdu[0])
                far_writer.write(head + pdu)
        except (asyncio.IncompleteReadError, ConnectionError):
            answering.cancel()
        finally:
            writer.close()
            far_writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)


class _Far(asyncio.DatagramProtocol):
    def __init__(self, near: _Near) -> None:
        self._near = near

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._near.answer(data)


class _Near(asyncio.DatagramProtocol):
    def __init__(self, heard: Heard, device: tuple[str, int]) -> None:
        self.heard, self.device = heard, device
        self.asker: tuple[str, int] | None = None
        self.far: asyncio.DatagramTransport
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asker = addr
        apdu = data[6:]
        if apdu and apdu[0] >> 4 == 0:
            self.heard.functions.append(apdu[3])
        elif apdu and apdu[0] >> 4 == 1:
            self.heard.unconfirmed.append(apdu[1])
        self.far.sendto(data, self.device)

    def answer(self, data: bytes) -> None:
        if self.asker is not None:
            self.transport.sendto(data, self.asker)


@asynccontextmanager
async def udp_relay(port: int) -> AsyncIterator[Heard]:
    """A BACnet device that hands everything on to ``port`` and its answers back."""
    loop, heard = asyncio.get_running_loop(), Heard()
    _, near = await loop.create_datagram_endpoint(
        lambda: _Near(heard, ("127.0.0.1", port)), local_addr=("127.0.0.1", 0)
    )
    near.far, _ = await loop.create_datagram_endpoint(lambda: _Far(near), local_addr=("127.0.0.1", 0))
    heard.port = near.transport.get_extra_info("sockname")[1]
    heard.say = near.transport.sendto
    try:
        yield heard
    finally:
        near.far.close()
        near.transport.close()
        await asyncio.sleep(0)
