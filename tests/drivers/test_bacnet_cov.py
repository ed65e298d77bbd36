"""Changes that devices report by themselves, over real sockets: the simulator's devices, and senders of raw reports."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from drivers.api import Driver, Fault, Forgetful, Host, NoAnswer, Notice, Observation, PointId, Quality, Reading
from drivers.bacnet import subscriptions
from drivers.bacnet.client import Client
from drivers.bacnet.settings import BacnetDevice as Settings
from drivers.bacnet.subscriptions import PROCESS
from drivers.profile import BacnetPoint
from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice, WireFaults
from sim.objects import BacnetObject
from tests.drivers.bacnet_station import (
    AT,
    Frame,
    bus,
    datagram,
    device,
    many_ack,
    object_octets,
    one_ack,
    real,
    running,
    scripted,
)
from tests.sim.bacnet_rig import Plant

TEMPERATURE = BacnetPoint("zone.1.temperature", "analog-input,1", every_s=0.05, cov_s=60.0)
STATUS = BacnetPoint("boiler.status", "binary-input,1", every_s=0.05, cov_s=60.0)
SETPOINT = BacnetPoint("zone.1.setpoint", "analog-value,1", every_s=0.05, cov_s=60.0, writable=True, commandable=True)
T, S = PointId("school", TEMPERATURE.name), PointId("school", STATUS.name)


@dataclass
class School:
    """A simulated device, the driver that listens to it and what the host hears."""

    driver: Driver
    device: BacnetDevice
    plant: Plant
    objects: dict[str, BacnetObject]
    faults: WireFaults
    heard: asyncio.Queue[Observation] = field(default_factory=asyncio.Queue)

    async def turn(self) -> Sequence[Reading | Fault]:
        """One poll."""
        return await self.driver.read(self.driver.polls["school"][0])

    async def next(self) -> Observation:
        """What the host hears next."""
        return await asyncio.wait_for(self.heard.get(), 2.0)

    async def settled(self, reports: int) -> None:
        """Subscribed, and the first reports heard."""
        await self.turn()
        for _ in range(reports):
            await self.next()

    def change(self, name: str, value: float) -> None:
        """Another value, noticed by the device."""
        self.plant.values[name] = value
        self.device.tick()


@asynccontextmanager
async def school(*points: BacnetPoint, **settings: object) -> AsyncIterator[School]:
    plant, faults = Plant(), WireFaults()
    objects = [
        plant.point("analog-input", 1, 20.0, cov_increment=0.5),
        plant.point("binary-input", 1, 1.0),
        plant.point("analog-value", 1, 16.0, commandable=True, relinquish_default=16.0),
        *(plant.point("analog-input", n, 30.0) for n in range(2, 101)),
    ]
    simulated = BacnetDevice(
        "127.0.0.1", 0, Identity(1201, "school", cov_table=100), objects, now=lambda: AT, faults=faults
    )
    await simulated.start()
    lifetime_s = settings.pop("lifetime_s", 300)
    own = bus(**settings).model_copy(update={"cov_lifetime_s": lifetime_s})
    queue: asyncio.Queue[Observation] = asyncio.Queue()

    def hear(observations: Sequence[Observation]) -> None:
        for observation in observations:
            queue.put_nowait(observation)

    host = Host(lambda: AT, Path(), Forgetful(), hear)
    try:
        async with running(own, device(simulated.port, 1201, *points), host=host) as driver:
            yield School(driver, simulated, plant, {o.key: o for o in objects}, faults, queue)
    finally:
        await simulated.stop()


async def test_what_is_reported_is_not_polled() -> None:
    plain = BacnetPoint("outdoor.temperature", "analog-input,2", every_s=0.05)
    async with school(TEMPERATURE, STATUS, plain) as it:
        assert [o.value for o in await it.turn() if isinstance(o, Reading)] == [20.0, 1.0, 30.0]
        assert it.device.subscribers == 2
        first = {await it.next(), await it.next()}
        assert first == {Reading(T, 20.0, AT), Reading(S, 1.0, AT)}
        assert [o.point.point for o in await it.turn()] == [plain.name]
        it.change("analog-input-1", 21.0)
        assert await it.next() == Reading(T, 21.0, AT)
        it.change("binary-input-1", 0.0)
        assert await it.next() == Reading(S, 0.0, AT)


async def test_until_the_first_report_it_is_polled() -> None:
    async with school(TEMPERATURE) as it:
        it.faults.cov_lost = True
        assert len(await it.turn()) == 1
        assert len(await it.turn()) == 1
        assert it.heard.empty()


async def test_the_flags_of_a_report_are_its_quality() -> None:
    async with school(TEMPERATURE) as it:
        await it.settled(1)
        it.objects["analog-input,1"].out_of_service = True
        it.device.tick()
        assert await it.next() == Reading(T, 20.0, AT, Quality.UNCERTAIN)
        it.objects["analog-input,1"].fault = True
        it.device.tick()
        assert await it.next() == Fault(T, "sensor fault (status flags)", AT)


async def test_it_is_read_anyway_as_a_safety_net() -> None:
    async with school(BacnetPoint(TEMPERATURE.name, "analog-input,1", every_s=0.02, cov_s=0.5)) as it:
        await it.settled(1)
        assert await it.turn() == []
        await asyncio.sleep(0.5)
        assert list(await it.turn()) == [Reading(T, 20.0, AT)]
        assert await it.turn() == []


async def test_a_hand_on_the_device_is_looked_at_in_the_array() -> None:
    """A report has no priority array: a changed value has it read at the next turn."""
    point = PointId("school", SETPOINT.name)
    async with school(SETPOINT) as it:
        await it.settled(1)
        assert await it.turn() == []
        it.objects["analog-value,1"].command(8, 21.0)
        it.device.tick()
        assert await it.next() == Reading(point, 21.0, AT), "the array that is known until then"
        assert list(await it.turn()) == [Reading(point, 21.0, AT, slots=((8, 21.0),))]
        assert await it.turn() == []


async def test_a_full_table_is_told_and_the_rest_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "FULL_AGAIN_S", 0.6)
    async with school(TEMPERATURE, STATUS, SETPOINT) as it:
        it.faults.cov_rows = 1
        await it.turn()
        notice, report = sorted([await it.next(), await it.next()], key=lambda o: isinstance(o, Reading))
        assert report == Reading(T, 20.0, AT)
        assert isinstance(notice, Notice)
        assert (notice.subject, notice.event, notice.holds, notice.severity, notice.value) == (
            "device/school", "covTableFull", True, "minor", 2.0,
        )  # fmt: skip
        assert [o.point.point for o in await it.turn()] == [STATUS.name, SETPOINT.name]
        it.faults.cov_rows = None
        await asyncio.sleep(0.6)
        await it.turn()
        heard = [await it.next() for _ in range(3)]
        (over,) = [o for o in heard if isinstance(o, Notice)]
        assert (over.event, over.holds) == ("covTableFull", False)
        assert await it.turn() == []


async def test_a_silent_death_is_found_by_the_safety_net(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "REPORT_WITHIN_S", 0.1)
    point = BacnetPoint(TEMPERATURE.name, "analog-input,1", every_s=0.02, cov_s=0.1)
    async with school(point, lifetime_s=30) as it:
        await it.settled(1)
        for deaths in (1, 2):
            it.faults.cov_lost = True
            it.change("analog-input-1", 20.0 + deaths)
            it.faults.cov_lost = False
            assert it.device.subscribers == 0
            await asyncio.sleep(0.12)
            assert [o.value for o in await it.turn() if isinstance(o, Reading)] == [20.0 + deaths]
            await asyncio.sleep(0.12)
            await it.turn()
            if deaths == 1:
                assert it.device.subscribers == 1, "asked for again at once"
                assert await it.next() == Reading(T, 21.0, AT)
        notice = await it.next()
        assert isinstance(notice, Notice)
        assert (notice.event, notice.holds, notice.severity) == ("covSilent", True, "minor")
        assert len(await it.turn()) == 1, "polled meanwhile"


async def test_a_change_within_the_increment_is_no_death(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "REPORT_WITHIN_S", 0.02)
    async with school(BacnetPoint(TEMPERATURE.name, "analog-input,1", every_s=0.02, cov_s=0.05)) as it:
        await it.settled(1)
        it.change("analog-input-1", 20.4)
        for _ in range(4):
            await asyncio.sleep(0.05)
            await it.turn()
        assert it.heard.empty()


async def test_after_a_silence_it_is_asked_for_again() -> None:
    short = BacnetPoint(TEMPERATURE.name, "analog-input,1", every_s=0.02, cov_s=0.04)
    async with school(short, timeout_s=0.2, retries=0) as it:
        await it.settled(1)
        await it.device.stop()
        await asyncio.sleep(0.05)
        with pytest.raises(NoAnswer):
            await it.turn()
        await it.device.start()
        assert len(await it.turn()) == 1
        assert it.device.subscribers == 1
        assert await it.next() == Reading(T, 20.0, AT)


async def test_renewed_before_it_ends() -> None:
    async with school(TEMPERATURE, lifetime_s=2) as it:
        await it.settled(1)
        await asyncio.sleep(1.65)
        assert await it.turn() == []
        assert await it.next() == Reading(T, 20.0, AT), "a renewal is answered with a report"
        await asyncio.sleep(0.4)
        it.change("analog-input-1", 22.0)
        assert await it.next() == Reading(T, 22.0, AT)
        assert it.device.subscribers == 1


async def test_confirmed_reports_are_acknowledged() -> None:
    async with school(TEMPERATURE, cov_confirmed=True) as it:
        await it.settled(1)
        it.change("analog-input-1", 21.0)
        assert await it.next() == Reading(T, 21.0, AT)
        await asyncio.sleep(0.02)
        assert not it.device._notifications, "none waits for its ack"


async def test_a_clean_stop_ends_the_subscriptions() -> None:
    async with school(TEMPERATURE, STATUS) as it:
        await it.settled(2)
        assert it.device.subscribers == 2
        await it.driver.close()
        assert it.device.subscribers == 0


async def test_a_dead_device_does_not_hold_up_a_clean_stop() -> None:
    async with school(TEMPERATURE, timeout_s=5.0, retries=3) as it:
        await it.settled(1)
        await it.device.stop()
        started = time.monotonic()
        await it.driver.close()
        assert time.monotonic() - started < 0.6


async def test_a_device_that_does_not_answer_the_question_is_polled() -> None:
    def mute(frame: Frame) -> list[bytes]:
        if frame.service == 5:
            return []
        return [many_ack(frame, real(20.0)) if frame.service == 14 else one_ack(frame, real(0.5))]

    async with scripted([TEMPERATURE], mute, timeout_s=0.2, retries=0) as (driver, peer):
        for _ in range(3):
            assert list(await driver.read(driver.polls["school"][0])) == [Reading(T, 20.0, AT)]
        assert [frame.service for frame in peer.seen].count(5) == 1, "not at every turn"


def report(value: float, process: int = PROCESS, device_: int = 1201, object_: int = 1) -> bytes:
    """The parameters of a COV notification of an analog input."""
    flags = b"\x09\x6f\x2e\x82\x04\x00\x2f"
    return (
        b"\x0a" + process.to_bytes(2) + b"\x1c" + object_octets(8, device_) + b"\x2c" + object_octets(0, object_)
        + b"\x39\x3c\x4e\x09\x55\x2e\x44" + struct.pack(">f", value) + b"\x2f" + flags + b"\x4f"
    )  # fmt: skip


def client_of(it: School) -> Client:
    return it.driver._client  # type: ignore[attr-defined,no-any-return]


def send(it: School, *reports: bytes) -> None:
    """As the device itself would, unconfirmed."""
    host, port = client_of(it)._settings.address.split("/")[0], int(client_of(it)._settings.address.split(":")[1])
    transport = it.device._transport
    assert transport is not None
    for parameters in reports:
        transport.sendto(datagram(b"\x10\x02" + parameters), (host, port))


@pytest.mark.parametrize(
    "foreign",
    [
        report(99.0, process=1),
        report(99.0, device_=1202),
        report(99.0, object_=222),
        report(99.0)[:-1],
        b"",
        b"\xff" * 30,
    ],
    ids=["process", "device", "object", "cut off", "empty", "noise"],
)
async def test_reports_that_nobody_asked_for_are_ignored(foreign: bytes) -> None:
    async with school(TEMPERATURE) as it:
        await it.settled(1)
        send(it, foreign, report(21.0))
        assert await it.next() == Reading(T, 21.0, AT)
        assert client_of(it).ignored_reports == 1


async def test_a_report_from_another_address_is_ignored_and_refused() -> None:
    async with school(TEMPERATURE) as it:
        await it.settled(1)
        assert await answer_to_a_stranger(it.driver) == UNKNOWN_SUBSCRIPTION
        assert client_of(it).ignored_reports == 2
        assert it.heard.empty()


async def test_a_report_of_a_device_that_is_not_found_yet_is_ignored_and_refused() -> None:
    """As after a restart: it still reports, and its address is looked for."""
    lost = replace(device(1, 1201, TEMPERATURE), settings=Settings(instance=1201))
    async with running(bus(), lost) as driver:
        assert await answer_to_a_stranger(driver) == UNKNOWN_SUBSCRIPTION


UNKNOWN_SUBSCRIPTION = b"\x50\x07\x01\x91\x05\x91\x4f"


async def answer_to_a_stranger(driver: Driver) -> bytes:
    """What a confirmed report of device 1201 from elsewhere gets, after an unconfirmed one that gets nothing."""
    client: Client = driver._client  # type: ignore[attr-defined]
    ours = ("127.0.0.1", int(client._settings.address.split(":")[1]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)
        stranger.sendto(datagram(b"\x10\x02" + report(99.0)), ours)
        stranger.sendto(datagram(b"\x00\x05\x07\x01" + report(99.0)), ours)
        answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(stranger, 100), 1.0)
    return answer[6:]


async def test_a_thousand_reports_back_to_back_are_all_heard() -> None:
    """The kernel's usual buffer holds some 250; a building that wakes up sends more."""
    async with school(TEMPERATURE) as it:
        await it.settled(1)
        send(it, *(report(float(n)) for n in range(1000)))
        heard = [await it.next() for _ in range(1000)]
        assert [o.value for o in heard if isinstance(o, Reading)] == [float(n) for n in range(1000)]


@pytest.mark.long
async def test_a_hundred_objects_at_two_hundred_reports_a_second_without_loss() -> None:
    points = [BacnetPoint(f"p{n}", f"analog-input,{n}", every_s=0.5, cov_s=60.0) for n in range(1, 101)]
    async with school(*points) as it:
        await it.settled(100)
        for n in range(2000):
            send(it, report(float(n), object_=1 + n % 100))
            await asyncio.sleep(0.005)
        heard = [await it.next() for _ in range(2000)]
        assert [o.value for o in heard if isinstance(o, Reading)] == [float(n) for n in range(2000)]
