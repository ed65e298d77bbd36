"""The client on a serial line that misbehaves: no wrong value is accepted, and every failure is bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from drivers.api import BadAnswer, BindFailed, NoAnswer, NotConnected
from drivers.modbus.client import Client
from drivers.modbus.link import SerialEnd
from drivers.profile import Table
from tests.drivers.modbus_peer import (
    Asked,
    Peer,
    Say,
    Script,
    Store,
    rtu,
    rtu_device,
    rtu_peer,
)
from tests.drivers.took import Took

pytestmark = pytest.mark.usefixtures("nothing_escapes_into_the_loop")

TIMEOUT_S = 0.2
SLACK_S = 0.18
"""Less than one more timeout."""


@asynccontextmanager
async def rtu_client(script: Script, parity: str = "E") -> AsyncIterator[tuple[Client, Peer]]:
    async with rtu_peer(script) as peer:
        client = Client(SerialEnd(peer.path, 9600, parity, 1), TIMEOUT_S, 3)
        try:
            yield client, peer
        finally:
            await client.close()


@pytest.mark.parametrize("parity", ["N", "E", "O"])
async def test_a_serial_line_reads_and_writes(parity: str) -> None:
    async with rtu_client(rtu_device(Store(registers={0: 5, 1: 6})), parity) as (client, _):
        assert await client.read(1, Table.HOLDING, 0, 2) == [5, 6]
        await client.write(1, Table.HOLDING, 0, [9, 8])
        assert await client.read(1, Table.INPUT, 0, 2) == [9, 8]


async def test_a_dead_unit_on_a_serial_line_costs_one_timeout_and_the_others_nothing() -> None:
    async with rtu_client(rtu_device(Store(registers={0: 5}))) as (client, peer):
        with Took() as took, pytest.raises(NoAnswer):
            await client.read(2, Table.HOLDING, 0, 1)
        assert TIMEOUT_S * 0.9 < took.seconds < TIMEOUT_S + SLACK_S
        with Took() as took:
            assert await client.read(1, Table.HOLDING, 0, 1) == [5]
        assert took.seconds < SLACK_S
        assert [a.unit for a in peer.asked] == [2, 1]


@pytest.mark.parametrize("late_s", [0.01, 0.05, 0.1])
async def test_a_late_answer_on_a_serial_line_is_never_taken_for_the_next(late_s: float) -> None:
    """The same unit, function and length: nothing in the frame tells the two answers apart."""

    def by_address(asked: Asked) -> Sequence[Say]:
        answer = rtu(asked.unit, bytes([3, 2, 0, asked.address]))
        return [Say(answer, TIMEOUT_S + late_s if asked.address == 100 else 0.06)]

    async with rtu_client(by_address) as (client, _):
        with pytest.raises(NoAnswer):
            await client.read(1, Table.HOLDING, 100, 1)
        assert await client.read(1, Table.HOLDING, 200, 1) == [200]


async def test_a_late_answer_while_another_unit_is_asked_is_no_value_of_that_unit() -> None:
    def script(asked: Asked) -> Sequence[Say]:
        late = asked.unit == 1
        return [Say(rtu(asked.unit, bytes([3, 2, 0, asked.unit])), TIMEOUT_S + 0.04 if late else 0.08)]

    async with rtu_client(script) as (client, _):
        with pytest.raises(NoAnswer):
            await client.read(1, Table.HOLDING, 0, 1)
        assert await client.read(2, Table.HOLDING, 0, 1) == [2]


@pytest.mark.parametrize("noise", [b"", b"\xff" * 600], ids=["cancelled", "noise"])
async def test_an_answer_after_an_early_end_is_never_taken_for_the_next(noise: bytes) -> None:
    """The request is given up long before its timeout; its answer comes while the next one would be waiting."""
    answers = iter([1.6 * TIMEOUT_S, 0.9 * TIMEOUT_S])

    def slow(asked: Asked) -> Sequence[Say]:
        number = len(peer.asked)
        return [Say(noise), Say(rtu(1, bytes([3, 2, 0, number])), next(answers))]

    async with rtu_client(slow) as (client, peer):
        with pytest.raises((TimeoutError, BadAnswer)):
            async with asyncio.timeout(0.1 * TIMEOUT_S):
                await client.read(1, Table.HOLDING, 0, 1)
        noise = b""
        assert await client.read(1, Table.HOLDING, 0, 1) == [2]


async def test_a_cancelled_serial_request_leaves_nothing_behind_for_the_next() -> None:
    def by_address(asked: Asked) -> Sequence[Say]:
        return [Say(rtu(asked.unit, bytes([3, 2, 0, asked.address])), 0.06)]

    async with rtu_client(by_address) as (client, _):
        first = asyncio.create_task(client.read(1, Table.HOLDING, 1, 1))
        await asyncio.sleep(0.03)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await client.read(1, Table.HOLDING, 2, 1) == [2]


@pytest.mark.parametrize(
    "raw",
    [
        rtu(1, bytes([3, 2, 0, 7]))[:-1] + b"\x00",
        rtu(1, bytes([3, 4, 0, 7, 0, 8])),
        rtu(1, bytes([4, 2, 0, 7])),
        rtu(2, bytes([3, 2, 0, 7])),
        b"\xff" * 40,
        rtu(1, bytes([3, 2, 0, 7]))[:4],
    ],
    ids=["checksum", "length", "function", "unit", "noise", "cut off"],
)
async def test_a_bad_frame_on_a_serial_line_is_no_value(raw: bytes) -> None:
    async with rtu_client(lambda a: [Say(raw)]) as (client, peer):
        with Took() as took, pytest.raises((BadAnswer, NoAnswer)):
            await client.read(1, Table.HOLDING, 0, 1)
        assert took.seconds < TIMEOUT_S + SLACK_S
        peer.script = rtu_device(Store(registers={0: 5}))
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]


async def test_an_answer_under_way_at_the_deadline_may_end() -> None:
    """On a slow line the frame takes its time; the deadline is for its beginning."""
    store = Store(registers={i: i for i in range(100)})

    def slow(asked: Asked) -> Sequence[Say]:
        frame = rtu(1, store(asked.pdu))
        return [Say(frame[:100], TIMEOUT_S - 0.05), Say(frame[100:], TIMEOUT_S + 0.05)]

    async with rtu_client(slow) as (client, _):
        assert await client.read(1, Table.HOLDING, 0, 100) == list(range(100))


async def test_a_missing_serial_line_says_which() -> None:
    client = Client(SerialEnd("/dev/does-not-exist", 9600, "E", 1), TIMEOUT_S, 0)
    with pytest.raises(BindFailed, match="/dev/does-not-exist"):
        await client.read(1, Table.HOLDING, 0, 1)
    await client.close()


async def test_a_serial_line_pulled_out_is_noticed_and_opened_again() -> None:
    async with rtu_peer(rtu_device(Store(registers={0: 5}))) as peer:
        client = Client(SerialEnd(peer.path, 9600, "E", 1), TIMEOUT_S, 0)
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]
    with Took() as took, pytest.raises((NotConnected, BindFailed, NoAnswer)):
        await client.read(1, Table.HOLDING, 0, 1)
    assert took.seconds < TIMEOUT_S + SLACK_S
    await client.close()
