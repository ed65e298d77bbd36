"""What a device does when something is wrong with it, and 20,000 datagrams that no client should send."""

from __future__ import annotations

import asyncio
import random
import socket
from datetime import UTC, datetime

import pytest

from sim.bacnet_apdu import parse_apdu, parse_datagram
from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice
from sim.bacnet_values import DecodeError
from tests.sim.bacnet_rig import rigged, unicast

READ = "0005010c0c000000051955"
READ_ANSWER = "30010c0c0000000519553e444290999a3f"
WRITE = "0005010f0c0080000219553e4441a800003f490d"
SUBSCRIBE = "0005010509121c0000000a2900393c"
MUTANTS = 20_000


async def test_a_silent_device_obeys_but_nobody_hears_it() -> None:
    async with rigged() as rig:
        rig.faults.silent = True
        for request in (WRITE, READ):
            rig.device.datagram_received(unicast(bytes.fromhex(request)), ("127.0.0.1", rig.wire.port))
        rig.faults.silent = False
        assert await rig.wire.is_quiet()
        assert rig.objects["analog-value,2"].slots == {13: 21.0}


async def test_a_deaf_device_does_nothing() -> None:
    async with rigged() as rig:
        rig.faults.deaf = True
        rig.device.datagram_received(unicast(bytes.fromhex(WRITE)), ("127.0.0.1", rig.wire.port))
        assert rig.objects["analog-value,2"].slots == {}
        rig.faults.deaf = False
        assert await rig.wire.ask(READ) == READ_ANSWER


async def test_a_slow_device_answers_late_and_in_order() -> None:
    async with rigged() as rig:
        rig.faults.delay_s = 0.05
        begun = asyncio.get_running_loop().time()
        rig.wire.send(unicast(bytes.fromhex(SUBSCRIBE)))
        assert (await rig.wire.heard()).hex() == "200105"
        assert (await rig.wire.heard()).hex().startswith("1002")
        assert asyncio.get_running_loop().time() - begun >= 0.05


async def test_garbage_is_never_a_whole_answer() -> None:
    async with rigged() as rig:
        rig.faults.garbage = True
        for _ in range(2):
            rig.wire.send(unicast(bytes.fromhex(READ)))
        short, scrambled = await rig.wire.receive(), await rig.wire.receive()
        assert short.hex() == "810a0016" + "0100" + READ_ANSWER[:-2]
        assert scrambled[0] != 0x81
        rig.faults.garbage = False
        assert await rig.wire.ask(READ) == READ_ANSWER


async def test_a_forced_abort_has_no_effect_on_the_plant() -> None:
    async with rigged() as rig:
        rig.faults.abort = 9
        assert await rig.wire.ask(WRITE) == "710109"
        assert rig.objects["analog-value,2"].slots == {}
        rig.faults.abort = None
        assert await rig.wire.ask(READ) == READ_ANSWER


async def test_lost_subscriptions_are_acknowledged_and_forgotten() -> None:
    async with rigged() as rig:
        assert await rig.wire.ask(SUBSCRIBE) == "200105"
        await rig.wire.heard()
        rig.faults.cov_lost = True
        assert await rig.wire.ask(SUBSCRIBE) == "200105"
        rig.faults.cov_lost = False
        rig.plant.values["analog-input-10"] = 90.0
        rig.device.tick()
        assert rig.device.subscribers == 0
        assert await rig.wire.is_quiet()


async def test_stopping_and_starting_again_on_the_same_port() -> None:
    async with rigged() as rig:
        await rig.wire.ask(SUBSCRIBE)
        await rig.wire.heard()
        port = rig.device.port
        await rig.device.stop()
        await rig.device.stop()
        rig.device.tick()
        await rig.device.start()
        assert rig.device.port == port
        assert rig.device.subscribers == 0
        assert await rig.wire.ask(READ) == READ_ANSWER


async def test_stopping_drops_answers_that_are_under_way() -> None:
    async with rigged() as rig:
        rig.faults.delay_s = 30.0
        rig.device.datagram_received(unicast(bytes.fromhex(READ)), ("127.0.0.1", rig.wire.port))
        await rig.device.stop()
        await rig.device.start()
        rig.faults.delay_s = 0.0
        assert await rig.wire.is_quiet()


async def test_a_taken_port_is_refused() -> None:
    async with rigged() as rig:
        second = BacnetDevice(
            "127.0.0.1", rig.device.port, Identity(5, "Second"), [], now=lambda: datetime(2026, 1, 12, 12, tzinfo=UTC)
        )
        with pytest.raises(OSError, match="in use"):
            await second.start()


SEEDS = [
    READ,
    WRITE,
    SUBSCRIBE,
    "0005010c0c02000004194c2901",
    "0005020e0c000000051e09551f0c008000021e0957190d09081f",
    "0005030f0c0140000119553e91013f",
    "0005040f0c0080000219553e003f490d",
    "0005050509121c0000000a2901393c",
    "0c0501000c0c000000051955",
    "1008",
    "100809041904",
    "200001",
    "5001019101911f",
    "600009",
    "700004",
]


def mutant(rng: random.Random) -> bytes:
    """A seed in its datagram with some octets changed, cut out, put in or the end lost; often the length is right."""
    octets = bytearray(unicast(bytes.fromhex(rng.choice(SEEDS))))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(octets))
        match rng.randrange(5):
            case 0:
                octets[at] = rng.randrange(256)
            case 1:
                octets[at] ^= 1 << rng.randrange(8)
            case 2:
                del octets[at : at + rng.randint(1, 3)]
            case 3:
                octets[at:at] = rng.randbytes(rng.randint(1, 4))
            case _:
                del octets[at:]
        octets = octets or bytearray(b"\x81")
    if len(octets) >= 4 and rng.random() < 0.8:
        octets[2:4] = len(octets).to_bytes(2, "big")
        # A forwarded frame names its origin: only frames that are answered to the sender stay on loopback.
        octets[1] = 0x0A if octets[1] == 0x04 else octets[1]
    return bytes(octets)


def drained(receiver: socket.socket) -> list[bytes]:
    """The datagrams that have come."""
    heard = []
    while True:
        try:
            heard.append(receiver.recv(2048))
        except BlockingIOError:
            return heard


async def test_20_000_mutants_change_nothing_that_is_not_acknowledged() -> None:
    rng = random.Random(135)
    async with rigged() as rig:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(("127.0.0.1", 0))
            client.setblocking(False)
            before, acknowledged, kinds = rig.state(), 0, set()
            for _ in range(MUTANTS):
                rig.device.datagram_received(mutant(rng), client.getsockname())
                heard = drained(client)
                kinds |= {answer[6] >> 4 for answer in heard if answer[1] == 0x0A and answer[5] in (0x00, 0x04)}
                after = rig.state()
                if after != before:
                    assert any(answer[-3] == 0x20 and answer[-1] == 0x0F for answer in heard)
                    acknowledged += 1
                    before = after
        assert await rig.wire.ask(READ) == READ_ANSWER
    assert kinds == {0, 1, 2, 3, 5, 6, 7}
    assert acknowledged > 0


async def test_no_beginning_of_a_write_is_a_write() -> None:
    async with rigged() as rig:
        whole = unicast(bytes.fromhex(WRITE))
        before = rig.state()
        for cut in range(6, len(whole) - 2):
            rig.device.datagram_received(unicast(whole[6:cut]), ("127.0.0.1", rig.wire.port))
        assert rig.state() == before


def test_noise_raises_nothing_but_a_decode_error() -> None:
    rng = random.Random(2026)
    decoded = 0
    for _ in range(MUTANTS):
        noise = rng.randbytes(rng.randrange(40))
        try:
            parse_apdu(noise)
            decoded += 1
            parse_datagram(noise, ("127.0.0.1", 47808))
        except DecodeError:
            continue
    assert decoded > 0
