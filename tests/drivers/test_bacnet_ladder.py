"""What a device cannot do is learnt once, remembered over a restart, and tried again when that may help."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from drivers.api import Fault, Forgetful, Host
from drivers.profile import BacnetPoint
from tests.drivers.bacnet_station import (
    AT,
    Frame,
    RawPeer,
    bus,
    datagram,
    device,
    many_ack,
    no_such_service,
    objects_of,
    one_ack,
    raw_peer,
    read_ack,
    real,
    running,
)

SENSORS = [BacnetPoint(f"t{n}", f"analog-input,{n}") for n in range(1, 9)]


class Controller:
    """A scripted device that gives at most ``most`` objects at once, 0: it does not know ReadPropertyMultiple."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.firmware = b"1.0"
        self.reason = 4
        """Abort reason: segmentation not supported."""
        self.asked: list[int] = []

    def __call__(self, frame: Frame) -> list[bytes]:
        if frame.service == 14:
            self.asked.append(len(objects_of(frame)))
            if self.most == 0:
                return [no_such_service(frame)]
            too_long = datagram(bytes([0x71, frame.invoke_id, self.reason]))
            return [too_long if self.asked[-1] > self.most else many_ack(frame, real(21.0))]
        if frame.body[-1] == 44:
            text = b"\x75" + bytes([len(self.firmware) + 1]) + b"\x00" + self.firmware
            return [read_ack(frame, frame.object_id, 44, text)]
        return [one_ack(frame, real(21.0))]


class Site:
    """One device that is met again and again by daemons with one memory."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.memory = Forgetful()
        self.now: datetime = AT

    async def daemon(self, peer: RawPeer, reads: int = 1) -> list[int]:
        """A process from start to end; how many objects it asked for at once, in order."""
        self.controller.asked.clear()
        host = Host(lambda: self.now, Path(), self.memory)
        async with running(bus(), device(peer.port, 1201, *SENSORS), host=host) as driver:
            for _ in range(reads):
                observations = await driver.read(driver.polls["school"][0])
                assert len(observations) == len(SENSORS)
        return list(self.controller.asked)


async def test_a_limit_is_known_after_a_restart() -> None:
    site = Site(Controller(most=3))
    peer = await raw_peer(1201, site.controller)
    first = await site.daemon(peer)
    assert first[0] == 8
    assert await site.daemon(peer) == [2, 2, 2, 2]
    await peer.aclose()


async def test_that_a_device_is_asked_alone_is_known_after_a_restart() -> None:
    site = Site(Controller(most=0))
    peer = await raw_peer(1201, site.controller)
    assert await site.daemon(peer, reads=2) == [8]
    assert await site.daemon(peer) == []
    await peer.aclose()


async def test_a_limit_is_tried_again_after_a_day() -> None:
    site = Site(Controller(most=3))
    peer = await raw_peer(1201, site.controller)
    await site.daemon(peer)
    site.controller.most = 8
    assert await site.daemon(peer) == [2, 2, 2, 2], "a moment later it is still believed"
    site.now += timedelta(days=1)
    assert await site.daemon(peer, reads=2) == [8, 8]
    assert await site.daemon(peer) == [8], "and forgotten"
    await peer.aclose()


async def test_new_firmware_is_tried_anew() -> None:
    site = Site(Controller(most=3))
    peer = await raw_peer(1201, site.controller)
    await site.daemon(peer)
    await site.daemon(peer)
    site.controller.most, site.controller.firmware = 8, b"2.0"
    assert await site.daemon(peer) == [8]
    await peer.aclose()


async def test_an_abort_without_a_reason_is_met_with_less() -> None:
    site = Site(Controller(most=3))
    site.controller.reason = 0
    peer = await raw_peer(1201, site.controller)
    await site.daemon(peer)
    assert await site.daemon(peer) == [2, 2, 2, 2]
    await peer.aclose()


async def test_a_device_that_aborts_everything_for_a_while_is_not_taken_for_a_small_one() -> None:
    controller = Controller(most=8)
    aborting = True

    def moody(frame: Frame) -> list[bytes]:
        if aborting and frame.body[-1] not in (44, 62, 75):
            return [datagram(bytes([0x71, frame.invoke_id, 4]))]
        return controller(frame)

    memory = Forgetful()
    peer = await raw_peer(1201, moody)
    async with running(bus(), device(peer.port, 1201, *SENSORS), host=Host(lambda: AT, Path(), memory)) as driver:
        observations = await driver.read(driver.polls["school"][0])
        assert all(isinstance(o, Fault) for o in observations)
        aborting = False
        await driver.read(driver.polls["school"][0])
    assert controller.asked == [8]
    assert peer.seen[-1].body.count(b"\x09\x6f") == 8, "status flags are asked for again"
    assert not memory.recall("school")
    await peer.aclose()
