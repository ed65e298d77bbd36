"""RTU frames through TCP: no transaction id tells a late answer, so it must fall on an idle line."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from drivers.api import BadAnswer, Busy, NoAnswer, NotConnected
from drivers.modbus.client import Client
from drivers.modbus.ends import Pace, TcpEnd
from drivers.profile import Table
from tests.drivers.modbus_peer import Asked, Peer, Say, Script, Store, rtu, rtu_device, silent, tcp_peer

TIMEOUT_S = 0.2


@asynccontextmanager
async def line(script: Script, timeout_s: float = TIMEOUT_S) -> AsyncIterator[tuple[Client, Peer]]:
    async with tcp_peer(script, framing="rtu") as peer:
        client = Client(TcpEnd("127.0.0.1", peer.port, Pace(9600, "E", 1)), timeout_s, 3)
        try:
            yield client, peer
        finally:
            await client.close()


def by_address(late_s: float, late_at: int) -> Script:
    def script(asked: Asked) -> Sequence[Say]:
        answer = rtu(asked.unit, bytes([3, 2, 0, asked.address]))
        return [Say(answer, late_s if asked.address == late_at else 0.06)]

    return script


async def test_it_reads_and_writes_in_pieces_and_after_noise() -> None:
    store = Store(registers={0: 5, 1: 6})

    def script(asked: Asked) -> Sequence[Say]:
        frame = b"\x00" + rtu(asked.unit, store(asked.pdu))
        return [Say(frame[i : i + 1], 0.001 * (i + 1)) for i in range(len(frame))]

    async with line(script) as (client, peer):
        assert await client.read(1, Table.HOLDING, 0, 2) == [5, 6]
        await client.write(1, Table.HOLDING, 0, [9, 8])
        assert await client.read(1, Table.HOLDING, 0, 2) == [9, 8]
        assert peer.connections == 1


@pytest.mark.parametrize("late_s", [0.01, 0.1])
async def test_a_late_answer_is_never_taken_for_the_next(late_s: float) -> None:
    async with line(by_address(TIMEOUT_S + late_s, 100)) as (client, _):
        with pytest.raises(NoAnswer):
            await client.read(1, Table.HOLDING, 100, 1)
        assert await client.read(1, Table.HOLDING, 200, 1) == [200]


async def test_a_late_answer_that_came_while_the_loop_was_held_up_is_never_taken_for_the_next() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as thread:
        client = Client(TcpEnd("127.0.0.1", server.getsockname()[1], Pace(9600, "E", 1)), TIMEOUT_S, 3)
        answering = thread.submit(_answer_late_and_then_in_time, server)
        with pytest.raises(NoAnswer):
            await client.read(1, Table.HOLDING, 100, 1)
        time.sleep(TIMEOUT_S + 0.1)  # noqa: ASYNC251
        assert await client.read(1, Table.HOLDING, 200, 1) == [200]
        await client.close()
        answering.result()


def _answer_late_and_then_in_time(server: socket.socket) -> None:
    """What a loop cannot do that is held up itself."""
    line, _ = server.accept()
    with line:
        for waits_s, value in ((1.2 * TIMEOUT_S, 100), (0.05, 200)):
            line.recv(256)
            time.sleep(waits_s)
            line.sendall(rtu(1, bytes([3, 2, 0, value])))
        line.recv(256)


async def test_a_cancelled_request_leaves_nothing_behind_for_the_next() -> None:
    async with line(by_address(0.08, 1)) as (client, peer):
        first = asyncio.create_task(client.read(1, Table.HOLDING, 1, 1))
        await peer.was_asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await client.read(1, Table.HOLDING, 2, 1) == [2]


async def test_a_silent_unit_is_asked_once_and_the_others_at_once() -> None:
    async with line(rtu_device(Store(registers={0: 5}))) as (client, peer):
        with pytest.raises(NoAnswer):
            await client.read(2, Table.HOLDING, 0, 1)
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]
        assert [a.unit for a in peer.asked] == [2, 1]


async def test_the_connection_is_opened_anew_after_three_silences() -> None:
    async with line(silent, 0.05) as (client, peer):
        for unit in range(1, 5):
            with pytest.raises(NoAnswer):
                await client.read(unit, Table.HOLDING, 0, 1)
        assert peer.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        rtu(1, bytes([3, 2, 0, 7]))[:-1] + b"\x00",
        rtu(1, bytes([3, 4, 0, 7, 0, 8])),
        rtu(2, bytes([3, 2, 0, 7])),
        b"\xff" * 40,
        b"\x01\x03" * 400,
    ],
    ids=["checksum", "length", "unit", "noise", "a flood"],
)
async def test_a_bad_frame_is_no_value_and_the_next_is_right(raw: bytes) -> None:
    async with line(lambda a: [Say(raw)]) as (client, peer):
        with pytest.raises(BadAnswer):
            await client.read(1, Table.HOLDING, 0, 1)
        peer.script = rtu_device(Store(registers={0: 5}))
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]


async def test_exceptions_and_a_lost_connection() -> None:
    async with line(lambda a: [Say(rtu(a.unit, bytes([0x83, 11])))]) as (client, peer):
        with pytest.raises(Busy, match="exception 11"):
            await client.read(1, Table.HOLDING, 0, 1)
        assert peer.connections == 1
        peer.script = lambda a: [Say(None, 0.01)]
        with pytest.raises(NotConnected):
            await client.read(1, Table.HOLDING, 0, 1)
        peer.script = rtu_device(Store(registers={0: 5}))
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]
