"""Ways through routers: who may say where they lead, and when they are asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.api import Host, NoAnswer
from drivers.bacnet.addresses import station
from drivers.bacnet.client import Client
from drivers.bacnet.driver import BacnetDriver, build
from drivers.bacnet.settings import BacnetDevice
from drivers.registry import BusDevice
from tests.drivers.bacnet_station import AT, bus, device
from tests.drivers.bacnet_wire import Wire, bvll, from_network, i_am, i_am_router, wire
from tests.ports import free_port

BEHIND = station("2001:17")
REJECT = bvll(0x0A, b"\x01\x80\x03\x01\x07\xd1")


@asynccontextmanager
async def routed() -> AsyncIterator[tuple[Client, Wire]]:
    """A client, and a router at its broadcast address that says nothing by itself."""
    port = free_port()
    client = Client(bus(address=f"127.0.0.1/24:{port}", timeout_s=0.1))
    async with wire(place=("127.0.0.255", port)) as router:
        await client.open()
        try:
            yield client, router
        finally:
            await client.close()


async def told(client: Client, voice: Wire, datagram: bytes) -> None:
    """``datagram`` has arrived; an I-Am behind it tells that it has."""
    heard = asyncio.Event()
    client.link.on_i_am.append(lambda *_: heard.set())
    voice.send(datagram, client.link.local)
    voice.send(bvll(0x0A, b"\x01\x00" + i_am(1)), client.link.local)
    await asyncio.wait_for(heard.wait(), 2.0)
    client.link.on_i_am.pop()


async def test_two_who_wait_ask_once_and_both_learn_the_way() -> None:
    async with routed() as (client, router):
        both = asyncio.gather(client.routes.find(BEHIND), client.routes.find(station("2001:18")))
        assert (await router.next())[4:] == bytes.fromhex("0180 00 07d1")
        await told(client, router, i_am_router(7, 2001))
        await both
        assert len(router.seen) == 1
        assert client.link.ways == {2001: ("127.0.0.255", router.port)}, "7 was not asked for"


async def test_whoever_says_so_unasked_leads_nowhere() -> None:
    async with routed() as (client, _), wire() as stranger:
        client.routes.name(2001, ("10.0.0.1", 47808))
        await told(client, stranger, i_am_router(2001, 2002))
        await told(client, stranger, from_network(2001, b"\x11", i_am(5)))
        await told(client, stranger, REJECT)
        client.routes.doubt(BEHIND)
        assert client.link.ways == {2001: ("10.0.0.1", 47808)}


async def test_a_way_that_was_found_is_lost_by_rejection_and_by_doubt() -> None:
    async with routed() as (client, router), wire() as stranger:
        for rejects in (True, False):
            finding = asyncio.ensure_future(client.routes.find(BEHIND))
            await router.next()
            await told(client, router, i_am_router(2001))
            await finding
            await told(client, stranger, REJECT)
            assert 2001 in client.link.ways, "another router's word"
            if rejects:
                await told(client, router, REJECT)
            else:
                client.routes.doubt(BEHIND)
            assert client.link.ways == {}
        with pytest.raises(NoAnswer, match="no router to network 2001"):
            await client.routes.find(BEHIND)


@pytest.mark.parametrize(
    ("place", "keys", "listens"),
    [
        ({"address": "10.0.0.1"}, {}, False),
        ({"address": "2001:17", "via": "10.0.0.1"}, {}, False),
        ({"address": "2001:17"}, {}, True),
        ({"address": "auto"}, {}, True),
        ({"address": "auto"}, {"foreign": {"bbmd": "10.0.0.1"}}, False),
        ({"address": "10.0.0.1"}, {"broadcast": True}, True),
    ],
)
def test_broadcasts_are_heard_where_they_are_needed(
    place: dict[str, object], keys: dict[str, object], listens: bool
) -> None:
    base = device(1, 1201)
    settings = BacnetDevice.model_validate({"instance": 1201, **place})
    driver = build("gtb", bus(**keys), [BusDevice("a", settings, base.profile, base.points)], Host(lambda: AT, Path()))
    assert isinstance(driver, BacnetDriver)
    assert driver._client.link._hears_broadcasts is listens
