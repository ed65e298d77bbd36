"""Reading simulated devices over real sockets."""

from __future__ import annotations

import asyncio
import math
import time

import pytest

from drivers.api import BadAnswer, Fault, NoAnswer, PointId, Quality, Reading, Refused
from drivers.profile import BacnetPoint
from tests.drivers.bacnet_readings import read, shown
from tests.drivers.bacnet_station import (
    AT,
    Frame,
    Station,
    bus,
    contact,
    datagram,
    device,
    many_ack,
    mode,
    no_such_service,
    object_octets,
    objects_of,
    one_ack,
    plain_setpoint,
    read_ack,
    real,
    running,
    scripted,
    sensor,
    served,
    setpoint,
)
from tests.ports import free_port

TEMPERATURE = BacnetPoint("zone.1.temperature", "analog-input,1")
SETPOINT = BacnetPoint("zone.1.setpoint", "analog-value,1", writable=True, commandable=True)
BOTH_WAYS = pytest.mark.parametrize("multiple", [True, False], ids=["together", "one by one"])


def sensors(count: int) -> list[BacnetPoint]:
    return [BacnetPoint(f"zone.{n}.temperature", f"analog-input,{n}") for n in range(1, count + 1)]


@BOTH_WAYS
async def test_every_kind_of_value(multiple: bool) -> None:
    points = [
        TEMPERATURE,
        SETPOINT,
        BacnetPoint("boiler.status", "binary-value,1"),
        BacnetPoint("pump.status", "binary-value,2"),
        BacnetPoint("mode", "multi-state-value,1"),
        BacnetPoint("zone.2.setpoint", "analog-value,2"),
        BacnetPoint("zone.1.default", "analog-value,1", property="relinquish-default"),
        BacnetPoint("nothing", "analog-input,99"),
    ]
    objects = [sensor(1, 19.3), setpoint(1, 16.0), contact(1, "active"), contact(2, "inactive"), mode(1, 3)]
    async with served(points, *objects, plain_setpoint(2, 14.5), multiple=multiple) as (driver, station):
        station.objects["analog-value,1"].presentValue = 17.0
        first = await read(driver)
        again = await read(driver)
    assert shown(first) == [19.3, 17.0, 1.0, 0.0, 3.0, 14.5, 16.0, "object: unknown-object"]
    assert again == first
    assert first[0] == Reading(PointId("school", "zone.1.temperature"), 19.3, AT)
    assert isinstance(first[1], Reading)
    assert first[1].slots == ((16, 17.0),)
    assert station.served.count("rpm") == (2 if multiple else 1), "a service that a device lacks is asked for once"


@pytest.mark.parametrize(
    ("flags", "quality"),
    [((1, 0, 0, 0), Quality.GOOD), ((0, 0, 1, 0), Quality.UNCERTAIN), ((0, 0, 0, 1), Quality.UNCERTAIN)],
    ids=["in alarm", "overridden", "out of service"],
)
async def test_status_flags(flags: tuple[int, int, int, int], quality: Quality) -> None:
    async with served([TEMPERATURE], sensor(1, 19.3, flags)) as (driver, _):
        (reading,) = await read(driver)
    assert isinstance(reading, Reading)
    assert (reading.value, reading.quality) == (19.3, quality)


@BOTH_WAYS
async def test_faults_are_no_values(multiple: bool) -> None:
    broken = [sensor(1, 0.0, (0, 1, 0, 0)), sensor(2, math.nan), sensor(3, math.inf), sensor(4, 20.0)]
    async with served(sensors(4), *broken, multiple=multiple) as (driver, _):
        observations = await read(driver)
    assert [isinstance(o, Fault) for o in observations] == [True, True, True, False]
    causes = ["sensor fault (status flags)", "the device answers nan", "the device answers inf"]
    assert shown(observations) == [*causes, 20.0]


@BOTH_WAYS
async def test_missing_status_flags_are_good(multiple: bool) -> None:
    async with served([TEMPERATURE], sensor(1, 19.3, None), multiple=multiple) as (driver, station):
        first = await read(driver)
        before = len(station.served)
        second = await read(driver)
    assert list(first) == list(second) == [Reading(PointId("school", "zone.1.temperature"), 19.3, AT)]
    assert len(station.served) - before == 1


async def test_a_small_device_is_asked_in_parts_that_fit() -> None:
    """A device of 206 octets that does not segment aborts what is longer: no abort is provoked."""
    objects = [sensor(n, float(n)) for n in range(1, 21)]
    async with served(sensors(20), *objects, max_apdu=206) as (driver, station):
        observations = await read(driver)
    assert shown(observations) == [float(n) for n in range(1, 21)]
    assert station.served.count("rpm") == 4
    assert station.served.count("rp") == 2, "its identity and the length of its APDU, nothing else"


async def test_an_abort_halves_what_is_asked_for_and_is_remembered() -> None:
    asked: list[int] = []

    def overstating(frame: Frame) -> list[bytes]:
        asked.append(len(objects_of(frame)))
        too_long = datagram(bytes([0x71, frame.invoke_id, 4]))
        return [too_long if asked[-1] > 3 else many_ack(frame, real(21.0))]

    async with scripted(sensors(10), overstating) as (driver, _):
        first = await read(driver)
        learnt = len(asked)
        second = await read(driver)
    assert shown(first) == shown(second) == [21.0] * 10
    assert asked[0] == 10
    assert max(asked[learnt:]) <= 3


async def test_a_new_length_met_with_silence_is_halved_the_next_time() -> None:
    def mute(frame: Frame) -> list[bytes]:
        return [] if len(objects_of(frame)) > 2 else [many_ack(frame, real(21.0))]

    async with scripted(sensors(4), mute, timeout_s=0.1, retries=0) as (driver, _):
        with pytest.raises(NoAnswer):
            await read(driver)
        assert shown(await read(driver)) == [21.0] * 4


async def test_a_proven_length_is_not_blamed_for_an_outage() -> None:
    asked: list[int] = []
    mute = False

    def sometimes(frame: Frame) -> list[bytes]:
        asked.append(len(objects_of(frame)))
        return [] if mute else [many_ack(frame, real(21.0))]

    async with scripted(sensors(4), sometimes, timeout_s=0.1, retries=0) as (driver, _):
        await read(driver)
        mute = True
        with pytest.raises(NoAnswer):
            await read(driver)
        mute = False
        await read(driver)
    assert asked == [4, 4, 4]


async def test_one_refused_object_does_not_hide_the_others() -> None:
    """Some devices refuse the whole request when they do not know one object of it."""

    def strict(frame: Frame) -> list[bytes]:
        if object_octets(0, 2) in frame.body:
            return [datagram(bytes([0x50, frame.invoke_id, frame.service]) + b"\x91\x01\x91\x1f")]
        return [one_ack(frame, real(20.0)) if frame.service == 12 else many_ack(frame, real(20.0))]

    async with scripted(sensors(5), strict) as (driver, _):
        observations = await read(driver)
    assert shown(observations) == [20.0, "object: unknown-object", 20.0, 20.0, 20.0]


async def test_a_device_that_refuses_to_be_asked_together_is_asked_alone() -> None:
    """With an error that says nothing about the service, so that only trying tells."""

    def odd(frame: Frame) -> list[bytes]:
        if frame.service == 14:
            return [datagram(bytes([0x50, frame.invoke_id, 14]) + b"\x91\x05\x91\x00")]
        return [one_ack(frame, real(20.0))]

    async with scripted(sensors(2), odd) as (driver, peer):
        first = await read(driver)
        before = [frame.service for frame in peer.seen].count(14)
        again = await read(driver)
    assert shown(first) == shown(again) == [20.0, 20.0]
    assert [frame.service for frame in peer.seen].count(14) == before


async def test_a_dead_device_costs_its_deadline_and_nobody_else_any() -> None:
    station = Station(1202, sensor(1, 20.0))
    dead = device(free_port(), 1201, TEMPERATURE, id_="dead")
    living = device(station.port, 1202, TEMPERATURE, id_="living")
    async with running(bus(timeout_s=0.2, retries=1), dead, living) as driver:
        assert [lane.name for lane in driver.lanes] == ["gtb/dead", "gtb/living"]

        async def silent_s() -> float:
            started = time.monotonic()
            with pytest.raises(NoAnswer):
                await read(driver, of="dead")
            return time.monotonic() - started

        waiting = asyncio.create_task(silent_s())
        await asyncio.sleep(0)
        for _ in range(5):
            assert shown(await read(driver, of="living")) == [20.0]
        assert not waiting.done()
        assert 0.35 < await waiting < 0.2 * 2 + 0.2
    await station.aclose()


async def test_another_device_at_the_address_is_never_read() -> None:
    async with served([TEMPERATURE], sensor(1, 20.0), found=1202) as (driver, station):
        for _ in range(2):
            with pytest.raises(Refused, match="expected device 1201, found device 1202"):
                await read(driver)
    assert "rpm" not in station.served


async def test_another_device_that_does_not_say_who_it_is() -> None:
    def unknown(frame: Frame) -> list[bytes]:
        return [datagram(bytes([0x50, frame.invoke_id, frame.service]) + b"\x91\x01\x91\x1f")]

    async with scripted([], unknown) as (_, peer), running(bus(), device(peer.port, 7, TEMPERATURE)) as driver:
        with pytest.raises(Refused, match="expected device 7, found another device"):
            await read(driver)


async def test_identity_is_asked_again_after_an_outage() -> None:
    station = Station(1201, sensor(1, 20.0))
    async with running(bus(timeout_s=0.1, retries=0), device(station.port, 1201, TEMPERATURE)) as driver:
        await read(driver)
        await station.aclose()
        with pytest.raises(NoAnswer):
            await read(driver)
        impostor = Station(7, sensor(1, 30.0), port=station.port)
        await impostor.up()
        with pytest.raises(Refused, match="found device 7"):
            await read(driver)
        await impostor.aclose()
        back = Station(1201, sensor(1, 21.0), port=station.port)
        await back.up()
        assert shown(await read(driver)) == [21.0]
        await back.aclose()


async def test_a_cancelled_read_leaves_nothing_behind() -> None:
    """The answer to the read that was given up comes late, during another read, and is dropped."""
    given_up: list[Frame] = []

    def slow(frame: Frame) -> list[bytes]:
        if frame.service == 14:
            return [no_such_service(frame)]
        if frame.object_id == object_octets(0, 1):
            given_up.append(frame)
            return []
        late = [one_ack(old, real(-40.0)) for old in given_up]
        return [*late, one_ack(frame, real(21.0))]

    points = [BacnetPoint("cold", "analog-input,1", every_s=2.0), BacnetPoint("warm", "analog-input,2", every_s=5.0)]
    async with scripted(points, slow, timeout_s=0.1, retries=3) as (driver, peer):
        reading = asyncio.ensure_future(read(driver))
        while not given_up:
            await peer.frames.get()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        sent = len(given_up)
        assert shown(await read(driver, 1)) == [21.0]
        await asyncio.sleep(0.25)
        assert len(given_up) == sent, "nothing is sent again"


async def test_a_late_answer_is_not_the_answer_to_the_next_question() -> None:
    """The object before answers after its deadline, while the next one is being asked for."""
    before: list[Frame] = []

    def late(frame: Frame) -> list[bytes]:
        if frame.service == 14:
            return [no_such_service(frame)]
        if frame.object_id == object_octets(0, 1):
            before.append(frame)
            return []
        stolen = [read_ack(before[-1], frame.object_id, 85, real(-40.0))] if before else []
        return [*stolen, one_ack(frame, real(21.0))]

    points = [BacnetPoint("cold", "analog-input,1", every_s=2.0), BacnetPoint("warm", "analog-input,2", every_s=5.0)]
    async with scripted(points, late, timeout_s=0.1, retries=0) as (driver, _):
        with pytest.raises(NoAnswer):
            await read(driver)
        assert before
        assert shown(await read(driver, 1)) == [21.0]


async def test_an_answer_in_segments_is_put_together() -> None:
    def segmented(frame: Frame) -> list[bytes]:
        if frame.service != 14:
            return []
        whole = many_ack(frame, real(21.0))[9:]
        first = bytes([0x3C, frame.invoke_id, 0, 1, 14]) + whole[:20]
        rest = bytes([0x38, frame.invoke_id, 1, 1, 14]) + whole[20:]
        return [datagram(first), datagram(rest)]

    async with scripted(sensors(3), segmented) as (driver, _):
        assert shown(await read(driver)) == [21.0] * 3


async def test_an_element_of_an_array_is_not_the_array() -> None:
    """Asked one by one, the device answers with the first slot of the priority array."""

    def one_slot(frame: Frame) -> list[bytes]:
        if frame.service == 14:
            return [no_such_service(frame)]
        if frame.body[-1] == 87:
            body = b"\x0c" + frame.object_id + b"\x19\x57\x29\x01\x3e\x00\x3f"
            return [datagram(bytes([0x30, frame.invoke_id, 12]) + body)]
        return [one_ack(frame, real(20.0))]

    async with scripted([SETPOINT], one_slot) as (driver, _):
        with pytest.raises(BadAnswer, match="an element of analog-value,1 priority-array"):
            await read(driver)
