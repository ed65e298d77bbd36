"""Writing to simulated devices over real sockets, judged by reading back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from bacpypes3.primitivedata import Real  # type: ignore[import-untyped]

from drivers.api import Driver, NoAnswer, Outcome, PointId, Write, WriteResult
from drivers.profile import BacnetPoint
from drivers.registry import BusDevice
from tests.drivers.bacnet_station import (
    AT,
    Frame,
    Station,
    bus,
    contact,
    datagram,
    device,
    no_such_service,
    object_octets,
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

SETPOINT = BacnetPoint("setpoint", "analog-value,1", writable=True, commandable=True, minimum=5, maximum=30)
PLAIN = BacnetPoint("plain", "analog-value,2", writable=True, restore=14.0)
IMPATIENT = {"timeout_s": 0.1, "retries": 0}


async def write(driver: Driver, value: float | None, priority: int = 13, point: str = "setpoint") -> WriteResult:
    (result,) = await driver.write([Write(PointId("school", point), value, priority)])
    return result


def held(station: Station) -> dict[int, float]:
    """The occupied slots of ``analog-value,1``, as the device has them."""
    array = station.objects["analog-value,1"].priorityArray
    return {n: float(slot.real) for n, slot in enumerate(array, start=1) if slot.null is None}


def told(results: Sequence[WriteResult]) -> list[tuple[Outcome, str]]:
    return [(result.outcome, result.detail) for result in results]


@pytest.mark.parametrize("multiple", [True, False], ids=["together", "one by one"])
async def test_applied_then_relinquished(multiple: bool) -> None:
    async with served([SETPOINT], setpoint(1, 16.0), multiple=multiple) as (driver, station):
        applied = await write(driver, 19.3)
        assert held(station) == {13: pytest.approx(19.3)}
        override = await write(driver, 22.0, 10)
        masked = await write(driver, 18.0)
        freed = await write(driver, None, 10)
        assert held(station) == {13: 18.0}
        relinquished = await write(driver, None)
        assert held(station) == {}
    assert (applied.outcome, applied.at) == (Outcome.APPLIED, AT)
    assert applied.observed is not None
    assert (applied.observed.value, applied.observed.slots) == (19.3, ((13, 19.3),))
    assert override.outcome is Outcome.APPLIED
    assert (masked.outcome, masked.masked_by) == (Outcome.MASKED, 10)
    assert freed.outcome is relinquished.outcome is Outcome.APPLIED
    assert relinquished.observed is not None
    assert relinquished.observed.value == 16.0


async def test_masked_by_the_hand_of_the_bms() -> None:
    async with served([SETPOINT], setpoint(1, 16.0)) as (driver, station):
        await station.objects["analog-value,1"].write_property("presentValue", Real(18.0), None, 8)
        result = await write(driver, 20.0)
    assert (result.outcome, result.masked_by) == (Outcome.MASKED, 8)
    assert result.detail == "priority 8 holds 18"
    assert held(station) == {8: 18.0, 13: 20.0}


async def test_several_at_once_come_back_in_order() -> None:
    wrong = BacnetPoint("sensor", "analog-input,1", writable=True)
    writes = [
        Write(PointId("school", "sensor"), 20.0),
        Write(PointId("school", "setpoint"), 20.0),
        Write(PointId("school", "plain"), 21.0),
    ]
    objects = [setpoint(1, 16.0), plain_setpoint(2, 12.0), sensor(1, 19.0)]
    async with served([SETPOINT, PLAIN, wrong], *objects) as (driver, station):
        results = await driver.write(writes)
    assert [result.write for result in results] == writes
    assert told(results) == [
        (Outcome.REJECTED, "property: write-access-denied"),
        (Outcome.APPLIED, ""),
        (Outcome.APPLIED, ""),
    ]
    assert float(station.objects["analog-input,1"].presentValue) == 19.0
    assert station.served.count("rpm") == 1, "read back in one request"


async def test_nothing_to_write() -> None:
    async with served([SETPOINT], setpoint(1, 16.0)) as (driver, station):
        assert list(await driver.write([])) == []
    assert station.served == []


async def test_out_of_the_range_of_the_device() -> None:
    async with served([SETPOINT], setpoint(1, 16.0)) as (driver, station):
        station.app.limited = True
        result = await write(driver, 20.0)
    assert told([result]) == [(Outcome.REJECTED, "property: value-out-of-range")]
    assert held(station) == {}


@pytest.mark.parametrize("priority", [0, 1, 4, 6, 8, 11, 12, 16, 17])
async def test_other_slots_are_never_written(priority: int) -> None:
    async with served([SETPOINT], setpoint(1, 16.0)) as (driver, station):
        results = [await write(driver, 20.0, priority), await write(driver, None, priority)]
    assert told(results) == [(Outcome.REJECTED, f"priority {priority} is never written")] * 2
    assert "wp" not in station.served


@pytest.mark.parametrize("value", [4.9, 30.1, float("nan"), float("inf")])
async def test_what_the_profile_forbids_is_not_sent(value: float) -> None:
    async with served([SETPOINT], setpoint(1, 16.0)) as (driver, station):
        result = await write(driver, value)
    assert result.outcome is Outcome.REJECTED
    assert "wp" not in station.served


async def test_a_point_without_priorities_is_restored() -> None:
    async with served([PLAIN], plain_setpoint(2, 12.0)) as (driver, station):
        written = await write(driver, 20.0, point="plain")
        assert float(station.objects["analog-value,2"].presentValue) == 20.0
        released = await write(driver, None, point="plain")
    assert written.outcome is released.outcome is Outcome.APPLIED
    assert float(station.objects["analog-value,2"].presentValue) == 14.0


async def test_a_point_that_cannot_be_released() -> None:
    stuck = BacnetPoint("stuck", "analog-value,2", writable=True)
    async with served([stuck], plain_setpoint(2, 12.0)) as (driver, station):
        result = await write(driver, None, point="stuck")
    assert told([result]) == [(Outcome.REJECTED, "not commandable and no restore value")]
    assert "wp" not in station.served


async def test_a_point_that_only_claims_a_priority_array() -> None:
    """The device acknowledges the Null and keeps its value: that is no release."""
    claimed = BacnetPoint("setpoint", "analog-value,2", writable=True, commandable=True)
    async with served([claimed], plain_setpoint(2, 12.0)) as (driver, _):
        written = await write(driver, 20.0)
    assert written.outcome is Outcome.APPLIED

    def ignoring(frame: Frame) -> list[bytes]:
        if frame.service == 15:
            return [datagram(bytes([0x20, frame.invoke_id, 15]))]
        if frame.service == 14:
            return [no_such_service(frame)]
        if frame.body[-1] == 0x57:
            return [datagram(bytes([0x50, frame.invoke_id, 12]) + b"\x91\x02\x91\x20")]
        return [read_ack(frame, object_octets(2, 1), frame.body[-1], SHOWN[frame.body[-1]])]

    async with scripted([SETPOINT], ignoring) as (driver, _):
        released = await write(driver, None)
    assert told([released]) == [(Outcome.NO_FEEDBACK, "the device shows no priority array")]


async def test_a_point_that_is_not_for_writing() -> None:
    async with served([BacnetPoint("sensor", "analog-input,1")], sensor(1, 19.0)) as (driver, station):
        results = [await write(driver, 20.0, point="sensor"), await write(driver, 20.0, point="nowhere")]
    assert told(results) == [(Outcome.REJECTED, "not a writable point")] * 2
    assert "wp" not in station.served


async def test_a_contact_is_switched() -> None:
    switch = BacnetPoint("switch", "binary-value,1", writable=True, restore=0.0)
    async with served([switch], contact(1, "inactive")) as (driver, station):
        on = await write(driver, 1.0, point="switch")
        assert str(station.objects["binary-value,1"].presentValue) == "active"
        half = await write(driver, 0.5, point="switch")
    assert on.outcome is Outcome.APPLIED
    assert told([half]) == [(Outcome.REJECTED, "0.5 is not a whole number")]


async def test_nothing_is_written_to_another_device() -> None:
    async with served([SETPOINT], setpoint(1, 16.0), found=1202) as (driver, station):
        result = await write(driver, 20.0)
    assert told([result]) == [(Outcome.REJECTED, "expected device 1201, found device 1202")]
    assert "wp" not in station.served
    assert held(station) == {}


async def test_a_device_that_took_over_the_address_is_not_written() -> None:
    station = Station(1201, setpoint(1, 16.0))
    async with running(bus(**IMPATIENT), device(station.port, 1201, SETPOINT)) as driver:
        await write(driver, 20.0)
        await station.aclose()
        with pytest.raises(NoAnswer):
            await driver.read(driver.polls["school"][0])
        impostor = Station(1202, setpoint(1, 16.0), port=station.port)
        await impostor.up()
        result = await write(driver, 22.0)
        await impostor.aclose()
    assert result.outcome is Outcome.REJECTED
    assert held(impostor) == {}


async def test_a_dead_device_is_an_error_not_an_outcome() -> None:
    async with running(bus(**IMPATIENT), device(free_port(), 1201, SETPOINT)) as driver:
        with pytest.raises(NoAnswer):
            await write(driver, 20.0)


SHOWN = {0x55: real(16.0), 0x6F: b"\x82\x04\x00", 0x57: b"\x00" * 16}


def unmoved(frame: Frame) -> list[bytes]:
    """Acknowledges a write and goes on showing 16."""
    if frame.service == 15:
        return [datagram(bytes([0x20, frame.invoke_id, 15]))]
    if frame.service == 14:
        return [no_such_service(frame)]
    return [read_ack(frame, object_octets(2, 1), frame.body[-1], SHOWN[frame.body[-1]])]


async def test_an_acknowledged_write_that_does_nothing() -> None:
    async with scripted([SETPOINT], unmoved) as (driver, peer):
        result = await write(driver, 20.0)
    assert told([result]) == [(Outcome.NO_FEEDBACK, "priority 13 holds nothing")]
    (written,) = [frame.body for frame in peer.seen if frame.service == 15]
    assert written == b"\x0c" + object_octets(2, 1) + b"\x19\x55\x3e" + real(20.0) + b"\x3f\x49\x0d"


async def test_silence_after_the_acknowledgement() -> None:
    def deaf(frame: Frame) -> list[bytes]:
        return unmoved(frame) if frame.service == 15 else []

    async with scripted([SETPOINT], deaf, **IMPATIENT) as (driver, _):
        result = await write(driver, 20.0)
    assert told([result]) == [(Outcome.NO_FEEDBACK, "no answer")]


async def test_silence_instead_of_the_acknowledgement() -> None:
    async with scripted([SETPOINT], lambda _: [], **IMPATIENT) as (driver, peer):
        with pytest.raises(NoAnswer):
            await write(driver, 20.0)
    assert [frame.service for frame in peer.seen].count(15) == 1


async def test_a_plant_that_obeys_only_its_relinquish_default() -> None:
    obeyed = BacnetPoint("default", "analog-value,1", property="relinquish-default", writable=True, restore=16.0)
    async with served([obeyed], setpoint(1, 16.0)) as (driver, station):
        applied = await write(driver, 19.0, point="default")
        assert float(station.objects["analog-value,1"].relinquishDefault) == pytest.approx(19.0)
        assert held(station) == {}, "no slot is taken"
        await station.objects["analog-value,1"].write_property("presentValue", Real(25.0), None, 8)
        hidden = await write(driver, 20.0, point="default")
        let_go = await write(driver, None, point="default")
        assert float(station.objects["analog-value,1"].relinquishDefault) == pytest.approx(16.0)
    assert (applied.outcome, hidden.outcome, let_go.outcome) == (Outcome.APPLIED,) * 3
    assert let_go.observed is not None
    assert (let_go.observed.value, let_go.observed.slots) == (16.0, ())


async def test_a_point_that_the_site_uses_no_more_is_freed_all_the_same() -> None:
    station = Station(1201, setpoint(1, 16.0), plain_setpoint(2, 19.0))
    both = device(station.port, 1201, SETPOINT, PLAIN)
    left = BusDevice(both.id, both.settings, both.profile, ("plain",))
    try:
        async with running(bus(), left) as driver:
            await station.objects["analog-value,1"].write_property("presentValue", Real(21.0), None, 13)
            freed = await write(driver, None)
            assert held(station) == {}
            assert [poll.points for poll in driver.polls["school"]] == [("plain",)]
    finally:
        await station.aclose()
    assert freed.outcome is Outcome.APPLIED
