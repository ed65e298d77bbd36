"""A Modbus peer that answers the bytes a test chooses, on TCP or at the far end of a pty: the wire, not a mock."""

from __future__ import annotations

import asyncio
import math
import os
import ssl
import struct
import tty
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    unit: int
    pdu: bytes
    transaction: int = 0

    @property
    def address(self) -> int:
        return int.from_bytes(self.pdu[1:3], "big")


@dataclass(frozen=True)
class Say:
    """Raw bytes to put on the wire, ``after_s`` seconds from now; None hangs up.

    A peer whose loop was held up says nothing that it could only say later than ``until_s`` from now.
    """

    raw: bytes | None
    after_s: float = 0.0
    until_s: float = math.inf


Script = Callable[[Asked], Sequence[Say]]


@dataclass
class Store:
    """A well-behaved device: what it holds decides what it answers."""

    registers: dict[int, int] = field(default_factory=dict)
    coils: dict[int, int] = field(default_factory=dict)

    def __call__(self, pdu: bytes) -> bytes:
        function, address, count = struct.unpack_from(">BHH", pdu)
        if function in (1, 2, 3, 4):
            return self._read(function, address, count)
        if function == 5:
            self.coils[address] = int(count == 0xFF00)
        elif function == 6:
            self.registers[address] = count
        elif function == 15:
            bits = int.from_bytes(pdu[6:], "little")
            self.coils |= {address + i: bits >> i & 1 for i in range(count)}
        elif function == 16:
            words = struct.unpack(f">{count}H", pdu[6:])
            self.registers |= {address + i: word for i, word in enumerate(words)}
        return pdu[:5]

    def _read(self, function: int, address: int, count: int) -> bytes:
        table = self.coils if function < 3 else self.registers
        try:
            values = [table[address + i] for i in range(count)]
        except KeyError:
            return bytes([function | 0x80, 2])
        if function < 3:
            packed = sum(bit << i for i, bit in enumerate(values)).to_bytes((count + 7) // 8, "little")
            return bytes([function, len(packed)]) + packed
        return bytes([function, 2 * count]) + struct.pack(f">{count}H", *values)


def mbap(asked: Asked, pdu: bytes, *, unit: int | None = None, transaction: int | None = None) -> bytes:
    """A TCP frame in answer to ``asked``."""
    tid = asked.transaction if transaction is None else transaction
    return struct.pack(">HHHB", tid, 0, len(pdu) + 1, asked.unit if unit is None else unit) + pdu


def rtu(unit: int, pdu: bytes) -> bytes:
    """A serial frame with its checksum, low byte first."""
    frame = bytes([unit]) + pdu
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return frame + crc.to_bytes(2, "little")


def request_length(start: bytes | bytearray) -> int:
    """How long the serial request is that begins like this; at least 7."""
    if len(start) < 7:
        return 7
    return 9 + start[6] if start[1] in (15, 16) else 7 if start[1] == 43 else 8


def rtu_requests(received: bytearray) -> Iterator[Asked]:
    """Take the whole requests off ``received``; each is sound, since a master makes no noise."""
    while (length := request_length(received)) <= len(received):
        frame = bytes(received[:length])
        del received[:length]
        assert rtu(frame[0], frame[1:-2]) == frame
        yield Asked(frame[0], frame[1:-2])


@dataclass
class Peer:
    """What the peer was asked, and its script, which a test may replace at any time."""

    script: Script
    asked: list[Asked] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    port: int = 0
    path: str = ""

    def judge(self, asked: Asked, send: Callable[[bytes | None], None]) -> None:
        self.asked.append(asked)
        self.was_asked.set()
        loop = asyncio.get_running_loop()
        for say in self.script(asked):
            if say.after_s:
                loop.call_later(say.after_s, _in_time, loop.time() + say.until_s, send, say.raw)
            else:
                send(say.raw)


def _in_time(until_s: float, send: Callable[[bytes | None], None], raw: bytes | None) -> None:
    if asyncio.get_running_loop().time() <= until_s:
        send(raw)


class _TcpSide(asyncio.Protocol):
    def __init__(self, peer: Peer, open_sides: set[_TcpSide]) -> None:
        self._peer, self._open, self._buffer, self._line = peer, open_sides, b"", bytearray()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._peer.connections += 1
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 7:
            transaction, _, length, unit = struct.unpack_from(">HHHB", self._buffer)
            if len(self._buffer) < 6 + length:
                return
            pdu, self._buffer = self._buffer[7 : 6 + length], self._buffer[6 + length :]
            self._peer.judge(Asked(unit, pdu, transaction), self._send)

    def _send(self, raw: bytes | None) -> None:
        if raw is None:
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(raw)


class _RtuTcpSide(_TcpSide):
    """RTU frames through TCP."""

    def data_received(self, data: bytes) -> None:
        self._line += data
        for asked in rtu_requests(self._line):
            self._peer.judge(asked, self._send)


@asynccontextmanager
async def tcp_peer(
    script: Script, port: int = 0, *, tls: ssl.SSLContext | None = None, framing: str = "mbap"
) -> AsyncIterator[Peer]:
    """A peer on a loopback port; leaving hangs up on everybody."""
    peer, sides = Peer(script), set[_TcpSide]()
    one_side = _TcpSide if framing == "mbap" else _RtuTcpSide
    server = await asyncio.get_running_loop().create_server(lambda: one_side(peer, sides), "127.0.0.1", port, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for side in set(sides):
            side.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)


@asynccontextmanager
async def rtu_peer(script: Script) -> AsyncIterator[Peer]:
    """A peer at the far end of a serial line (a pty); ``path`` is the near end."""
    loop, peer, buffer = asyncio.get_running_loop(), Peer(script), bytearray()
    far, near = os.openpty()
    tty.setraw(near)
    peer.path = os.ttyname(near)
    closed = False

    def send(raw: bytes | None) -> None:
        if raw is not None and not closed:
            os.write(far, raw)

    def receive() -> None:
        buffer.extend(os.read(far, 4096))
        for asked in rtu_requests(buffer):
            peer.judge(asked, send)

    loop.add_reader(far, receive)
    try:
        yield peer
    finally:
        closed = True
        loop.remove_reader(far)
        os.close(far)
        os.close(near)


def tcp_device(store: Store) -> Script:
    """Answers properly over TCP."""
    return lambda asked: [Say(mbap(asked, store(asked.pdu)))]


def rtu_device(store: Store, unit: int = 1) -> Script:
    """Answers properly over serial, and only as ``unit``."""
    return lambda asked: [Say(rtu(asked.unit, store(asked.pdu)))] if asked.unit == unit else []


def silent(asked: Asked) -> Sequence[Say]:
    """Never answers."""
    return []
