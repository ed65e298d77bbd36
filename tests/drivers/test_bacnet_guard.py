"""The guard in front of the library: binding, closing, errors, noise, lazy imports."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import structlog

from drivers.api import BadAnswer, BindFailed, Busy, DriverError, NoAnswer, NotConnected, Refused
from drivers.bacnet import buffer
from drivers.bacnet.client import Client, Peer
from drivers.bacnet.codec import NULL, ObjectId, Property, Ref
from drivers.bacnet.messages import Aborted, AnswerTooLong, ServiceUnsupported
from drivers.bacnet.noise import Throttle, quieten
from drivers.profile import BacnetPoint
from tests.drivers.bacnet_station import (
    Frame,
    RawPeer,
    Script,
    Station,
    bus,
    datagram,
    device,
    object_octets,
    raw_peer,
    read_ack,
    real,
    running,
    sensor,
)
from tests.ports import free_port

TEMPERATURE = BacnetPoint("t", "analog-input,1")
REF = Ref(ObjectId(0, 1), Property.PRESENT_VALUE)


@asynccontextmanager
async def asking(script: Script, **settings: object) -> AsyncIterator[tuple[Client, RawPeer, Peer]]:
    """An open client, a raw peer, and the peer as the client knows it."""
    peer = await raw_peer(1201, script)
    client = Client(bus(**settings))
    await client.open()
    try:
        yield client, peer, Peer(f"127.0.0.1:{peer.port}")
    finally:
        await client.close()
        await peer.aclose()


@pytest.mark.parametrize("options", [(), (socket.SO_REUSEADDR,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)])
async def test_a_taken_port_is_told_at_once(options: tuple[int, ...]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        for option in options:
            taken.setsockopt(socket.SOL_SOCKET, option, 1)
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        client = Client(bus(address=f"127.0.0.1/24:{port}"))
        started = time.monotonic()
        with pytest.raises(BindFailed, match=f"127.0.0.1:{port}: address already in use"):
            await client.open()
        assert time.monotonic() - started < 1.0
        await client.close()


async def test_an_address_that_is_not_ours_is_told_at_once() -> None:
    with pytest.raises(BindFailed, match="cannot assign"):
        await Client(bus(address="192.0.2.1/24:47808")).open()


async def test_nobody_can_share_our_port() -> None:
    settings = bus()
    async with running(settings):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(("127.0.0.1", int(settings.address.rpartition(":")[2])))


async def test_closed_and_opened_again() -> None:
    station = Station(1201, sensor(1, 20.0))
    settings = bus()
    for _ in range(2):
        async with running(settings, device(station.port, 1201, TEMPERATURE)) as driver:
            assert len(await driver.read(driver.polls["school"][0])) == 1
    await station.aclose()


async def test_nothing_is_asked_before_open_or_after_close() -> None:
    client = Client(bus())
    peer = Peer(f"127.0.0.1:{free_port()}")
    with pytest.raises(NotConnected):
        await client.read(peer, REF)
    await client.close()
    await client.open()
    await client.close()
    await client.close()
    with pytest.raises(NotConnected):
        await client.write(peer, REF, NULL, 13)


async def test_close_ends_what_is_waiting() -> None:
    async with running(bus(timeout_s=5.0, retries=3), device(free_port(), 1201, TEMPERATURE)) as driver:
        reading = asyncio.ensure_future(driver.read(driver.polls["school"][0]))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await driver.close()
        with pytest.raises(NotConnected):
            await reading
        assert time.monotonic() - started < 0.5


async def test_one_request_at_a_time_to_one_device() -> None:
    async with asking(lambda _: [], timeout_s=0.1, retries=0) as (client, peer, target):
        asked = [asyncio.ensure_future(client.read(target, REF)) for _ in range(3)]
        await peer.frames.get()
        await asyncio.sleep(0.05)
        assert len(peer.seen) == 1
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [NoAnswer] * 3
        assert len(peer.seen) == 3


async def test_three_hundred_questions_at_once_wait_for_one_another() -> None:
    """The library spins for ever when more than 256 requests to one device are outstanding."""

    def answer(frame: Frame) -> list[bytes]:
        return [read_ack(frame, object_octets(0, 1), 85, real(21.0))]

    async with asking(answer) as (client, _, target):
        answers = await asyncio.gather(*(client.read(target, REF) for _ in range(300)))
    assert len(answers) == 300


async def test_a_silent_device_is_asked_once_more_and_then_left_alone() -> None:
    async with asking(lambda _: [], timeout_s=0.1, retries=1) as (client, peer, target):
        with pytest.raises(NoAnswer):
            await client.read(target, REF)
        await asyncio.sleep(0.25)
        assert [frame.invoke_id for frame in peer.seen] == [peer.seen[0].invoke_id] * 2


async def test_our_own_deadline_ends_the_retries_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the library's own timers ever be longer, ours still holds and nothing is sent afterwards."""
    async with asking(lambda _: [], timeout_s=0.2, retries=3) as (client, peer, target):
        monkeypatch.setattr("drivers.bacnet.client._MARGIN_S", -0.7)
        with pytest.raises(NoAnswer, match=r"no answer within 0\.1 s"):
            await client.read(target, REF)
        await asyncio.sleep(0.3)
        assert len(peer.seen) == 1


async def test_a_device_that_only_says_wait_is_not_waited_for() -> None:
    """Every segment ack makes the library wait anew: only our own deadline ends that."""
    async with asking(lambda _: [], timeout_s=0.1, retries=0) as (client, peer, target):
        asked = asyncio.ensure_future(client.read(target, REF))
        started = time.monotonic()
        frame = await peer.frames.get()
        while not asked.done() and time.monotonic() - started < 1.0:
            peer.send(datagram(bytes([0x41, frame.invoke_id, 0, 1])))
            await asyncio.sleep(0.03)
        with pytest.raises(NoAnswer, match=r"no answer within 0\.2 s"):
            await asked
        assert time.monotonic() - started < 0.4


async def test_what_is_cancelled_before_it_started_is_not_repeated() -> None:
    async with asking(lambda _: [], timeout_s=0.1, retries=3) as (client, peer, target):
        for turns in range(4):
            asked = asyncio.ensure_future(client.read(target, REF))
            for _ in range(turns):
                await asyncio.sleep(0)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        await asyncio.sleep(0.3)
        invoke_ids = [frame.invoke_id for frame in peer.seen]
        assert len(invoke_ids) == len(set(invoke_ids)), "nothing is sent twice"


@pytest.mark.parametrize(
    ("apdu", "error", "cause"),
    [
        (b"\x50%c\x0c\x91\x01\x91\x1f", Refused, "object: unknown-object"),
        (b"\x50%c\x0c\x91\x02\x91\x1b", Refused, "property: read-access-denied"),
        (b"\x50%c\x0c\x91\x00\x91\x03", Busy, "device: device-busy"),
        (b"\x50%c\x0c\x91\x00\x91\x02", Busy, "device: configuration-in-progress"),
        (b"\x50%c\x0c\x91\x05\x91\x1d", ServiceUnsupported, "services: service-request-denied"),
        (b"\x50%c\x0c\x91", BadAnswer, "the answer is cut off"),
        (b"\x60%c\x09", ServiceUnsupported, "rejected: unrecognized-service"),
        (b"\x60%c\x06", Refused, "rejected: parameter-out-of-range"),
        (b"\x60%c\x01", AnswerTooLong, "rejected: buffer-overflow"),
        (b"\x71%c\x04", AnswerTooLong, "aborted: segmentation-not-supported"),
        (b"\x71%c\x01", AnswerTooLong, "aborted: buffer-overflow"),
        (b"\x71%c\x09", Busy, "aborted: out-of-resources"),
        (b"\x71%c\x00", Aborted, "aborted: other"),
        (b"\x71%c\x0a", NoAnswer, "no answer"),
        (b"\x20%c\x0c", BadAnswer, "the answer is to another service"),
        (b"\x30%c\x0c\x0c\x00", BadAnswer, "the answer is cut off"),
    ],
)
async def test_every_refusal_has_its_leaf(apdu: bytes, error: type[DriverError], cause: str) -> None:
    async with asking(lambda frame: [datagram(apdu % frame.invoke_id)]) as (client, _, target):
        with pytest.raises(DriverError) as caught:
            await client.read(target, REF)
    assert type(caught.value) is error
    assert caught.value.cause == cause


async def test_nobody_writes_to_us() -> None:
    """Our own device object is no way into the house: what would change it is refused, and we go on reading."""
    settings = bus()
    station = Station(1201, sensor(1, 20.0))
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    class Intruder(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            answers.put_nowait(data)

    own = object_octets(8, settings.instance)
    change_our_timeout = b"\x00\x05\x07\x0f\x0c" + own + b"\x19\x0b\x3e\x21\x01\x3f"
    silence_us = b"\x00\x05\x08\x11\x19\x01"
    async with running(settings, device(station.port, 1201, TEMPERATURE)) as driver:
        loop = asyncio.get_running_loop()
        ours = ("127.0.0.1", int(settings.address.rpartition(":")[2]))
        transport, _ = await loop.create_datagram_endpoint(Intruder, remote_addr=ours)
        for apdu in (change_our_timeout, silence_us):
            transport.sendto(datagram(apdu))
            answer = await asyncio.wait_for(answers.get(), 1.0)
            assert answer[6:] == bytes([0x60, apdu[2], 9]), "rejected: unrecognized service"
        assert len(await driver.read(driver.polls["school"][0])) == 1
        transport.close()
    await station.aclose()


def test_a_flood_becomes_one_line() -> None:
    quieten()
    quieten()
    logger = logging.getLogger("bacpypes3")
    assert [type(h) for h in logger.handlers].count(Throttle) == 1
    throttle = Throttle()
    with structlog.testing.capture_logs() as lines:
        for second in (0.0, 1.0, 59.0, 61.0):
            record = logging.LogRecord("bacpypes3.npdu", logging.ERROR, "", 0, "bad %s", ("tag",), None)
            record.created = 1000.0 + second
            throttle.handle(record)
    assert [(line["event"], line["said"], line["suppressed"]) for line in lines] == [
        ("bacnet.malformed", "bad tag", 0),
        ("bacnet.malformed", "bad tag", 2),
    ]


def test_a_small_receive_buffer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound, structlog.testing.capture_logs() as lines:
        assert buffer.enlarge(bound) > 0
        told = len(lines)
        monkeypatch.setattr(buffer, "WANTED_OCTETS", 100_000)
        granted = buffer.enlarge(bound)
    assert granted == 200_000, "the kernel counts twice"
    assert [(line["event"], line["granted_octets"]) for line in lines[told:]] == [
        ("bacnet.receive_buffer_small", granted)
    ]


def test_the_library_waits_for_a_bus() -> None:
    code = "import sys, drivers.registry, drivers.bacnet.settings; sys.exit('bacpypes3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
