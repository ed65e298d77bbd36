"""The client against TCP peers that misbehave: no wrong value is accepted, and every failure is bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from drivers.api import BadAnswer, Busy, NoAnswer, NotConnected, Refused
from drivers.modbus.client import Client
from drivers.modbus.deadlines import Deadlines
from drivers.modbus.link import TcpEnd
from drivers.profile import Table
from tests.drivers.modbus_peer import (
    Asked,
    Peer,
    Say,
    Script,
    Store,
    mbap,
    silent,
    tcp_device,
    tcp_peer,
)
from tests.drivers.took import Took

pytestmark = pytest.mark.usefixtures("nothing_escapes_into_the_loop")

TIMEOUT_S = 0.2
SLACK_S = 0.18
"""Less than one more timeout."""


@asynccontextmanager
async def tcp_client(
    script: Script, retries: int = 0, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[tuple[Client, Peer]]:
    async with tcp_peer(script) as peer:
        client = Client(TcpEnd("127.0.0.1", peer.port), timeout_s, retries)
        try:
            yield client, peer
        finally:
            await client.close()


BAD_ANSWERS: dict[str, Callable[[Asked], bytes]] = {
    "one register instead of two": lambda a: mbap(a, bytes([3, 2, 0, 7])),
    "byte count larger than the frame": lambda a: mbap(a, bytes([3, 4, 0, 7])),
    "byte count smaller than the frame": lambda a: mbap(a, bytes([3, 2, 0, 7, 0, 8])),
    "three bytes": lambda a: mbap(a, bytes([3, 3, 0, 7, 0])),
    "other function": lambda a: mbap(a, bytes([4, 4, 0, 7, 0, 8])),
    "unknown function": lambda a: mbap(a, bytes([99, 4, 0, 7, 0, 8])),
    "exception of another function": lambda a: mbap(a, bytes([0x84, 2])),
    "exception without code": lambda a: mbap(a, bytes([0x83])),
    "transaction 0": lambda a: mbap(a, bytes([3, 4, 0, 7, 0, 8]), transaction=0),
    "no modbus at all": lambda a: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "foreign unit": lambda a: mbap(a, bytes([3, 4, 0, 7, 0, 8]), unit=a.unit + 1),
    "foreign transaction": lambda a: mbap(a, bytes([3, 4, 0, 7, 0, 8]), transaction=a.transaction + 1),
    "half a frame": lambda a: mbap(a, bytes([3, 4, 0, 7, 0, 8]))[:9],
    "echo of a write": lambda a: mbap(a, bytes([6, 0, 100, 0, 7])),
    "a flood": lambda a: b"\x00" * 70_000,
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
async def test_a_bad_answer_is_an_error_and_the_next_request_is_right(case: str) -> None:
    good = tcp_device(Store(registers={100: 7, 101: 8}))
    async with tcp_client(lambda a: [Say(BAD_ANSWERS[case](a))]) as (client, peer):
        with Took() as took, pytest.raises((BadAnswer, NoAnswer)):
            await client.read(1, Table.HOLDING, 100, 2)
        assert took.seconds < TIMEOUT_S + SLACK_S
        peer.script = good
        assert await client.read(1, Table.HOLDING, 100, 2) == [7, 8]


async def test_unit_0_over_tcp_takes_no_answer_of_another_unit() -> None:
    async with tcp_client(lambda a: [Say(mbap(a, bytes([3, 2, 0, 9]), unit=5))]) as (client, _):
        with pytest.raises(BadAnswer, match="unit 5"):
            await client.read(0, Table.HOLDING, 0, 1)


@pytest.mark.parametrize(
    ("code", "error"),
    [(1, Refused), (2, Refused), (3, Refused), (4, Refused), (5, Busy), (6, Busy), (10, Busy), (11, Busy), (99, Busy)],
)
async def test_exception_answers_are_told_apart(code: int, error: type[Exception]) -> None:
    async with tcp_client(lambda a: [Say(mbap(a, bytes([a.pdu[0] | 0x80, code])))], retries=3) as (client, peer):
        with pytest.raises(error, match=f"exception {code}"):
            await client.read(1, Table.INPUT, 0, 1)
        with pytest.raises(error):
            await client.write(1, Table.HOLDING, 0, [1])
        assert len(peer.asked) == 2
        assert peer.connections == 1


@pytest.mark.parametrize("retries", [0, 2])
async def test_silence_costs_its_timeouts_and_not_more(retries: int) -> None:
    async with tcp_client(silent, retries) as (client, peer):
        with Took() as took, pytest.raises(NoAnswer):
            await client.read(1, Table.HOLDING, 0, 1)
        assert TIMEOUT_S * (1 + retries) * 0.9 < took.seconds < TIMEOUT_S * (1 + retries) + SLACK_S
        assert len(peer.asked) == 1 + retries


async def test_a_write_is_never_repeated() -> None:
    async with tcp_client(silent, retries=3) as (client, peer):
        with pytest.raises(NoAnswer):
            await client.write(1, Table.COIL, 3, [1])
        assert [a.pdu.hex() for a in peer.asked] == ["050003ff00"]


async def test_a_late_answer_over_tcp_is_dropped_by_its_transaction_id() -> None:
    def late_then_prompt(asked: Asked) -> Sequence[Say]:
        value = asked.address // 100
        answer = mbap(asked, bytes([3, 2, 0, value]))
        return [Say(answer, TIMEOUT_S + 0.05)] if value == 1 else [Say(answer, 0.08)]

    async with tcp_client(late_then_prompt) as (client, peer):
        with pytest.raises(NoAnswer):
            await client.read(1, Table.HOLDING, 100, 1)
        assert await client.read(1, Table.HOLDING, 200, 1) == [2]
        assert peer.connections == 1


async def test_transaction_ids_go_on_over_a_new_connection() -> None:
    """A gateway that brings up the last answer of the old connection must not find its id in use again."""
    async with tcp_client(tcp_device(Store({0: 7}))) as (client, peer):
        for _ in range(2):
            assert await client.read(1, Table.HOLDING, 0, 1) == [7]
            await client.close()
        assert peer.connections == 2
        assert [asked.transaction for asked in peer.asked] == [1, 2]


async def test_a_mute_peer_is_connected_anew_after_three_requests() -> None:
    async with tcp_client(silent) as (client, peer):
        for _ in range(4):
            with pytest.raises(NoAnswer):
                await client.read(1, Table.HOLDING, 0, 1)
        assert peer.connections == 2


async def test_a_connection_lost_in_mid_request_fails_it_at_once() -> None:
    async with tcp_client(lambda a: [Say(None, 0.01)], timeout_s=3.0) as (client, peer):
        with Took() as took, pytest.raises(NotConnected):
            await client.read(1, Table.HOLDING, 0, 1)
        assert took.seconds < 1.0
        peer.script = tcp_device(Store(registers={0: 5}))
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]


async def test_it_comes_back_when_the_server_does() -> None:
    device = tcp_device(Store(registers={0: 5}))
    async with tcp_peer(device) as peer:
        client = Client(TcpEnd("127.0.0.1", peer.port), TIMEOUT_S, 1)
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]
    with Took() as took:
        for _ in range(3):
            with pytest.raises(NotConnected):
                await client.read(1, Table.HOLDING, 0, 1)
    assert took.seconds < SLACK_S
    async with tcp_peer(device, peer.port):
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]
        await client.close()


async def test_a_cancelled_request_leaves_nothing_behind_for_the_next() -> None:
    def by_address(asked: Asked) -> Sequence[Say]:
        return [Say(mbap(asked, bytes([3, 2, 0, asked.address])), 0.05)]

    async with tcp_client(by_address) as (client, _):
        first = asyncio.create_task(client.read(1, Table.HOLDING, 1, 1))
        await asyncio.sleep(0.02)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await client.read(1, Table.HOLDING, 2, 1) == [2]


async def test_an_answer_in_single_bytes_is_put_together() -> None:
    def dribble(asked: Asked) -> Sequence[Say]:
        frame = mbap(asked, bytes([3, 4, 0, 7, 0, 8]))
        return [Say(frame[i : i + 1], 0.003 * (i + 1)) for i in range(len(frame))]

    async with tcp_client(dribble) as (client, _):
        assert await client.read(1, Table.HOLDING, 100, 2) == [7, 8]


async def test_an_answer_that_dribbles_does_not_move_the_deadline() -> None:
    def dribble(asked: Asked) -> Sequence[Say]:
        frame = mbap(asked, bytes([3, 4, 0, 7, 0, 8]))
        return [Say(frame[i : i + 1], 0.05 * (i + 1)) for i in range(len(frame))]

    async with tcp_client(dribble) as (client, peer):
        with Took() as took, pytest.raises(BadAnswer, match="no valid answer"):
            await client.read(1, Table.HOLDING, 100, 2)
        assert TIMEOUT_S * 0.9 < took.seconds < TIMEOUT_S + SLACK_S
        peer.script = tcp_device(Store(registers={100: 7}))
        assert await client.read(1, Table.HOLDING, 100, 1) == [7]
        assert peer.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        "0001 0000 00FF 01 03",
        "0001 0000 FFFF 01 03",
        "0001 0000 0000 01 03",
        "0001 0001 0005 01 03",
        "0001 0000 0001 01",
    ],
    ids=["255 bytes", "65535 bytes", "no byte", "another protocol", "no function"],
)
async def test_what_is_no_frame_ends_the_connection_at_once(raw: str) -> None:
    async with tcp_client(lambda a: [Say(bytes.fromhex(raw))], timeout_s=3.0, retries=1) as (client, peer):
        with Took() as took, pytest.raises(BadAnswer, match="undecodable"):
            await client.read(1, Table.HOLDING, 0, 1)
        assert took.seconds < 1.0
        assert len(peer.asked) == 1
        peer.script = tcp_device(Store(registers={0: 5}))
        assert await client.read(1, Table.HOLDING, 0, 1) == [5]
        assert peer.connections == 2


async def test_a_gateway_without_its_device_keeps_the_line_for_the_others() -> None:
    good = tcp_device(Store(registers={0: 5}))

    def gateway(asked: Asked) -> Sequence[Say]:
        return [Say(mbap(asked, bytes([0x83, 11])), 0.02)] if asked.unit == 2 else good(asked)

    async with tcp_client(gateway, retries=3) as (client, peer):
        for _ in range(5):
            with pytest.raises(Busy, match="no answer from the device behind the gateway"):
                await client.read(2, Table.HOLDING, 0, 1)
            assert await client.read(1, Table.HOLDING, 0, 1) == [5]
        assert (peer.connections, len(peer.asked)) == (1, 10)


async def test_deadlines_of_many_connections_are_each_kept() -> None:
    deadlines = Deadlines(TIMEOUT_S)
    async with tcp_peer(silent) as mute, tcp_peer(tcp_device(Store(registers={0: 5}))) as alive:
        dead = [Client(TcpEnd("127.0.0.1", mute.port), TIMEOUT_S, 0, deadlines) for _ in range(3)]
        good = Client(TcpEnd("127.0.0.1", alive.port), TIMEOUT_S, 0, deadlines)

        async def silence(client: Client, after_s: float) -> float:
            await asyncio.sleep(after_s)
            with Took() as took, pytest.raises(NoAnswer):
                await client.read(1, Table.HOLDING, 0, 1)
            return took.seconds

        waiting = [asyncio.create_task(silence(c, 0.06 * i)) for i, c in enumerate(dead)]
        for _ in range(20):
            assert await good.read(1, Table.HOLDING, 0, 1) == [5]
            await asyncio.sleep(0.01)
        for took_s in await asyncio.gather(*waiting):
            assert TIMEOUT_S * 0.9 < took_s < TIMEOUT_S + SLACK_S
        for client in (*dead, good):
            await client.close()


async def test_coils_and_registers_are_written_as_asked() -> None:
    store = Store(registers=dict.fromkeys(range(10), 0), coils=dict.fromkeys(range(20), 0))
    async with tcp_client(tcp_device(store)) as (client, peer):
        await client.write(1, Table.COIL, 2, [1])
        await client.write(1, Table.COIL, 8, [1, 0, 1, 1, 0, 1, 1, 1, 1])
        await client.write(1, Table.HOLDING, 3, [0xBEEF])
        await client.write(1, Table.HOLDING, 5, [1, 2, 3])
        assert await client.read(1, Table.COIL, 0, 17) == [0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1]
        assert await client.read(1, Table.HOLDING, 3, 5) == [0xBEEF, 0, 1, 2, 3]
        assert [a.pdu[0] for a in peer.asked] == [5, 15, 6, 16, 1, 3]


async def test_an_acknowledgement_of_something_else_is_no_acknowledgement() -> None:
    async with tcp_client(lambda a: [Say(mbap(a, bytes([6, 0, 3, 0, 0])))]) as (client, _):
        with pytest.raises(BadAnswer):
            await client.write(1, Table.HOLDING, 3, [100])


@pytest.mark.parametrize(("host", "cause"), [("127.0.0.1", "connection refused"), ("a..b", "not a host name")])
async def test_a_connection_that_cannot_be_had_says_why(host: str, cause: str) -> None:
    async with tcp_peer(silent) as peer:
        port = peer.port
    client = Client(TcpEnd(host, port), 3.0, 2)
    with pytest.raises(NotConnected, match=cause):
        await client.read(1, Table.HOLDING, 0, 1)
