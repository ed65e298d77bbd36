"""The Modbus TCP face, in the clear or in TLS: one listening address with the units behind it, and its faults.

Requests are executed when they arrive; answers leave in order. Unknown unit ids stay without an answer.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.faults import Fault, FaultTable, WireFaults
from sim.pdu import answer, refusal
from sim.registers import Unit

HEADER = struct.Struct(">HHHB")
LONGEST_PDU = 253


@dataclass(frozen=True, slots=True)
class Slave:
    """One device behind a unit id, and how it behaves on the wire."""

    device: str
    unit: Unit
    faults: WireFaults


def reply(slave: Slave, request: bytes) -> bytes | None:
    """The answer PDU, or None for no answer; a mute device still obeys, a deaf one does not."""
    if slave.faults.deaf:
        return None
    if slave.faults.exception is not None:
        return None if slave.faults.silent else refusal(request[0], slave.faults.exception)
    answered = answer(slave.unit, request)
    return None if slave.faults.silent else answered


class ModbusTcpFace:
    """One ``host``:``port`` (0: any free one, see ``port`` after ``start``) with ``slaves`` by unit id.

    ``tls`` makes the server's side of TLS when the face starts.
    """

    kind = "modbus-tcp"

    def __init__(
        self,
        host: str,
        port: int,
        slaves: Mapping[int, Slave],
        table: FaultTable,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._tls = tls
        self.host, self.port, self.slaves = host, port, slaves
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self.noise = random.Random(port)
        table.watch(self._changed)

    @property
    def unplugged(self) -> bool:
        """One plug serves all units behind it."""
        return any(slave.faults.unplugged for slave in self.slaves.values())

    async def start(self) -> None:
        """Listen; OSError when the address, or a file for TLS, cannot be had."""
        context = self._tls() if self._tls else None
        self._server = await asyncio.get_running_loop().create_server(self._accept, self.host, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and all connections."""
        if self._server is None:
            return
        self._server.close()
        self._hang_up()
        await self._server.wait_closed()
        self._server = None

    def lines(self) -> list[str]:
        """What stands here, for people."""
        return [
            f"{self.kind}{'+tls' if self._tls else ''} {self.host}:{self.port} unit {number} {slave.device}"
            for number, slave in self.slaves.items()
        ]

    def _accept(self) -> Connection:
        return Connection(self, self._connections)

    def _changed(self, _fault: Fault, _active: bool) -> None:
        if self.unplugged:
            self._hang_up()

    def _hang_up(self) -> None:
        for connection in list(self._connections):
            connection.hang_up()


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, face: ModbusTcpFace, all_connections: set[Connection]) -> None:
        self._face, self._all = face, all_connections
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._queue = AnswerQueue(self._send)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came; an unplugged device hangs up at once."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server gives nothing else
        self._transport = transport
        self._all.add(self)
        if self._face.unplugged:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Answers under way are lost."""
        self._queue.drop()
        self._all.discard(self)
        self._transport = None

    def hang_up(self) -> None:
        """Reset the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Cut the stream into frames; what is not Modbus is hung up on."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            transaction, protocol, length, number = HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= LONGEST_PDU + 1:
                self.hang_up()
                return
            if len(self._buffer) < 6 + length:
                return
            request = bytes(self._buffer[HEADER.size : 6 + length])
            del self._buffer[: 6 + length]
            self._hear(transaction, number, request)

    def _hear(self, transaction: int, number: int, request: bytes) -> None:
        slave = self._face.slaves.get(number)
        if slave is None or (answered := reply(slave, request)) is None:
            return
        frame = HEADER.pack(transaction, 0, len(answered) + 1, number) + answered
        if slave.faults.garbage:
            frame = self._face.noise.randbytes(len(frame))
        self._queue.put(frame, slave.faults)

    def _send(self, frame: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)


class AnswerQueue:
    """When answers leave: at once, each a while after the one before, or late whatever comes in between."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._free_at = 0.0
        self._timers: set[asyncio.TimerHandle] = set()

    def put(self, frame: bytes, faults: WireFaults, busy_s: float = 0.0) -> None:
        """Send ``frame`` when the device has had its time (``busy_s`` on the line besides its faults)."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if faults.late_s is not None:
            self._at(now + faults.late_s + busy_s, frame)
            return
        wait_s = faults.delay_s + busy_s
        start = max(now, self._free_at)
        self._free_at = start + wait_s
        if self._free_at <= now:
            self._send(frame)
        else:
            self._at(self._free_at, frame)

    def drop(self) -> None:
        """Forget what was to be sent."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _at(self, when: float, frame: bytes) -> None:
        def leave() -> None:
            self._timers.discard(timer)
            self._send(frame)

        timer = asyncio.get_running_loop().call_at(when, leave)
        self._timers.add(timer)
