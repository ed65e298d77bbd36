"""Who-Is and what comes back, on a wire that is played octet by octet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from drivers.api import BindFailed, NoAnswer
from drivers.bacnet import discovery
from drivers.bacnet.client import Client
from drivers.bacnet.discovery import Found, sweep, who_is
from tests.drivers.bacnet_station import bus
from tests.drivers.bacnet_wire import Script, Wire, bvll, from_network, i_am, i_am_router, unicast, whom, wire
from tests.ports import free_port

NETWORK = 2001


@asynccontextmanager
async def asking(script: Script, *, hears_broadcasts: bool = False) -> AsyncIterator[tuple[Client, Wire]]:
    """A client, and at its broadcast address (or, where it listens there itself, beside it) what ``script`` plays."""
    port = free_port()
    client = Client(bus(address=f"127.0.0.1/24:{port}", timeout_s=0.1), hears_broadcasts=hears_broadcasts)
    async with wire(script, ("127.0.0.1", 0) if hears_broadcasts else ("127.0.0.255", port)) as others:
        await client.open()
        try:
            yield client, others
        finally:
            await client.close()


def town(*instances: int) -> Script:
    """Devices that answer, all from one address."""

    def answers(datagram: bytes) -> Iterable[bytes]:
        asked = whom(datagram)
        return [unicast(i_am(n)) for n in instances if asked and asked[0] <= n <= asked[1]]

    return answers


async def test_everybody_in_range_answers_once() -> None:
    async with asking(lambda d: [*town(7, 5, 900)(d), *town(5)(d)]) as (client, others):
        found = await who_is(client, 1, 10, wait_s=0.1)
        address = f"127.0.0.255:{others.port}"
        assert found == [Found(5, address, 260, 480, "none"), Found(7, address, 260, 480, "none")]
        assert others.seen[0][:2] == b"\x81\x0b", "a broadcast"
        assert len(others.seen) == 1


async def test_one_station_is_asked_alone() -> None:
    async with asking(town()) as (client, _), wire(town(5)) as one, wire(town(5)) as other:
        found = await who_is(client, 0, 4_194_302, target=f"127.0.0.1:{one.port}", wait_s=0.1)
        assert [device.address for device in found] == [f"127.0.0.1:{one.port}"]
        assert other.seen == []


async def test_a_station_and_a_network_behind_a_router() -> None:
    def router(datagram: bytes) -> Iterable[bytes]:
        if datagram[4:7] == b"\x01\x80\x00":
            return [i_am_router(7, NETWORK)]
        return [from_network(NETWORK, b"\x11", i_am(5)), from_network(NETWORK, b"\x12", i_am(6)), unicast(i_am(8))]

    async with asking(router) as (client, others):
        station = await who_is(client, 0, 100, target="2001:17", wait_s=0.1)
        assert [(one.instance, one.address) for one in station] == [(5, "2001:17")]
        assert others.seen[0] == bytes.fromhex("810b0009 0180 00 07d1")
        assert others.seen[1][4:] == bytes.fromhex("0120 07d1 0111 ff 1008 0900 1964")
        everyone = await who_is(client, 0, 100, target="2001", wait_s=0.1)
        assert [(one.instance, one.address) for one in everyone] == [(5, "2001:17"), (6, "2001:18")]
        assert others.seen[2][4:] == bytes.fromhex("0120 07d1 00 ff 1008 0900 1964")
        assert len(others.seen) == 3, "the router is asked for once"


async def test_no_router_is_told_in_time_and_asked_for_again() -> None:
    async with asking(lambda _: ()) as (client, others):
        for _ in range(2):
            started = asyncio.get_running_loop().time()
            with pytest.raises(NoAnswer, match="no router to network 2001"):
                await who_is(client, 0, 100, target="2001:17", wait_s=0.1)
            assert asyncio.get_running_loop().time() - started < 0.5
        assert len(others.seen) == 2


async def test_an_i_am_to_everybody_is_heard_where_we_listen() -> None:
    async with asking(lambda _: (), hears_broadcasts=True) as (client, others):
        heard: asyncio.Queue[int] = asyncio.Queue()
        client.link.on_i_am.append(lambda _, word: heard.put_nowait(word.instance))
        others.send(bvll(0x0B, b"\x01\x00" + i_am(5)), ("127.0.0.255", client.link.local[1]))
        assert await asyncio.wait_for(heard.get(), 1.0) == 5


async def test_a_broadcast_address_that_is_taken_is_told_at_once() -> None:
    port = free_port()
    async with wire(place=("127.0.0.255", port)):
        client = Client(bus(address=f"127.0.0.1/24:{port}"), hears_broadcasts=True)
        with pytest.raises(BindFailed, match=f"127.0.0.255:{port}: address already in use"):
            await client.open()
    await client.open()
    await client.close()


async def test_a_sweep_asks_a_crowd_in_smaller_bites_and_the_desert_in_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "PAUSE_S", 0.0)
    monkeypatch.setattr(discovery, "LONGEST_PAUSE_S", 0.01)
    lot = [*range(2000, 2060), 90_000]

    def lossy(datagram: bytes) -> Iterable[bytes]:
        return list(town(*lot)(datagram))[:55]

    async with asking(lossy) as (client, others):
        found = [one.instance async for one in sweep(client, (0, 200_000), wait_s=0.03)]
    assert sorted(found) == lot, "each once, the lost ones too"
    ranges = [asked for datagram in others.seen if (asked := whom(datagram))]
    assert ranges[0] == (0, 999)
    assert len(ranges) < 30
    assert ranges[-1][1] == 200_000


@pytest.mark.parametrize("target", ["0", "65535", "house", "2001:x"])
async def test_what_is_no_target(target: str) -> None:
    async with asking(lambda _: ()) as (client, _):
        with pytest.raises(ValueError, match=r"."):
            await who_is(client, 0, 1, target=target)
