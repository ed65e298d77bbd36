"""Rubbish into our socket while a device is polled: no reading lost, nothing raised or written, no flood of lines."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Iterator

import pytest
import structlog

from drivers.api import Reading
from drivers.profile import BacnetPoint
from tests.drivers.bacnet_station import RawPeer, bus, datagram, device, many_ack, raw_peer, real, running
from tests.drivers.bacnet_wire import Wire, bvll, from_network, i_am, i_am_router, unicast, wire

BURST = 20
"""So many at a time, then the loop turns: a flood that the wire itself could carry."""


def seeds(instance: int) -> list[bytes]:
    """One of everything that may arrive, to be spoilt: answers, requests, notifications, words of routers and BBMDs."""
    ours = (8 << 22 | instance).to_bytes(4)
    notification = (
        b"\x09\x12\x1c\x02\x00\x04\xb1\x2c\x00\x80\x00\x01\x39\x3c\x4e\x09\x55\x2e" + real(30.0) + b"\x2f\x4f"
    )
    return [
        unicast(i_am(1201)),
        unicast(i_am(1202)),
        from_network(2001, b"\x11", i_am(1201)),
        i_am_router(1, 2, 3),
        bvll(0x04, b"\x7f\0\0\1\xba\xc0\x01\x00" + i_am(1201)),
        bvll(0x00, b"\0\0"),
        bvll(0x0A, b"\x01\x80\x03\x01\x07\xd1"),
        bvll(0x0B, b"\x01\x20\xff\xff\x00\xff\x10\x08"),
        datagram(b"\x30\x01\x0c\x0c\x00\x00\x00\x01\x19\x55\x3e" + real(99.0) + b"\x3f"),
        datagram(b"\x30\x01\x0e\x0c\x00\x00\x00\x01\x1e\x29\x55\x4e" + real(99.0) + b"\x4f\x1f"),
        datagram(b"\x20\x01\x0f"),
        datagram(b"\x50\x01\x0c\x91\x02\x91\x20"),
        datagram(b"\x71\x01\x04"),
        datagram(b"\x40\x01\x00\x04"),
        datagram(b"\x3c\x01\x00\x04\x0e\x0c\x00\x00\x00\x01"),
        datagram(b"\x00\x05\x01\x0c\x0c" + ours + b"\x19\x4b"),
        datagram(b"\x00\x05\x01\x0f\x0c" + ours + b"\x19\x4d\x3e\x75\x02\x00\x41\x3f"),
        datagram(b"\x08\x05\x01\x00\x04\x0e\x0c" + ours),
        datagram(b"\x00\x05\x01\x11\x09\x0a\x19\x01"),
        datagram(b"\x10\x02" + notification),
        datagram(b"\x00\x05\x01\x01" + notification),
        datagram(b"\x10\x06\xa4\x7e\x01\x0c\x01\xb4\x0c\x00\x00\x00"),
    ]


def rubbish(count: int, instance: int, chance: random.Random) -> Iterator[bytes]:
    """``count`` datagrams: noise, and spoilt ones of every kind, with and without their length put right."""
    whole = seeds(instance)
    for _ in range(count):
        octets = bytearray(chance.choice(whole) if chance.random() < 0.9 else chance.randbytes(chance.randrange(60)))
        for _ in range(chance.randrange(4)):
            if octets:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        if chance.random() < 0.4:
            del octets[chance.randrange(len(octets) + 1) :]
        if chance.random() < 0.2:
            octets += chance.randbytes(chance.randrange(30))
        if len(octets) >= 4 and chance.random() < 0.7:
            octets[0], octets[2:4] = 0x81, struct.pack(">H", len(octets))
        yield bytes(octets)


async def _throw(wires: list[Wire], port: int, count: int, instance: int) -> None:
    """From several stations at once, in bursts between which the loop turns."""
    chance = random.Random(16)
    for number, octets in enumerate(rubbish(count, instance, chance)):
        wires[number % len(wires)].send(octets, ("127.0.0.1", port))
        if number % BURST == 0:
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("count", [5_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
async def test_rubbish_disturbs_nobody(count: int) -> None:
    settings = bus(timeout_s=0.5)
    peer: RawPeer = await raw_peer(1201, lambda frame: [many_ack(frame, real(20.0))])
    turns = 0
    with structlog.testing.capture_logs() as lines:
        async with running(settings, device(peer.port, 1201, BacnetPoint("t", "analog-input,1"))) as driver:
            (poll,) = driver.polls["school"]
            async with wire() as one, wire() as other:
                throwing = asyncio.ensure_future(_throw([one, other], settings.endpoint[1], count, settings.instance))
                while not throwing.done():
                    (seen,) = await driver.read(poll)
                    assert isinstance(seen, Reading)
                    assert seen.value == 20.0
                    turns += 1
                    await asyncio.sleep(0.005)
                await throwing
                (seen,) = await driver.read(poll)
                assert isinstance(seen, Reading)
    await peer.aclose()
    assert turns > 10, "it was polled meanwhile"
    assert not any(frame.service == 15 for frame in peer.seen)
    assert len(lines) <= 1 + count // 100_000, lines
