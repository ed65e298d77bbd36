"""A point with another unit than its profile says is no value and gets none; what a device cannot do is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.api import Fault, Host, Notice, Observation, Outcome, PointId, Reading, Write
from drivers.bacnet import unit_check
from drivers.bacnet.settings import BacnetDevice
from drivers.profile import BacnetPoint
from drivers.registry import BusDevice
from tests.drivers.bacnet_station import AT, Station, bus, counter, device, running, sensor, setpoint

ROOM = BacnetPoint("zone.1.temperature", "analog-input,1", unit="degC")
SETPOINT = BacnetPoint("zone.1.setpoint", "analog-value,1", unit="degC", writable=True, commandable=True)
VALVE = BacnetPoint("zone.1.heating", "analog-input,2", unit="%")


def made(units: Mapping[int, str], **changes: object) -> Station:
    """A room, a setpoint and a valve; ``units`` by the number of the object in this order."""
    objects = [sensor(1, 21.0), setpoint(1, 19.0), sensor(2, 40.0)]
    for number, unit in units.items():
        objects[number].units = unit
    return Station(1201, *objects, **changes)  # type: ignore[arg-type]


class Site:
    """A driver over a station, and what it said unasked."""

    def __init__(self, station: Station, *points: BacnetPoint, **settings: object) -> None:
        found = device(station.port, 1201, *points)
        assert isinstance(found.settings, BacnetDevice)
        self.device: BusDevice = replace(found, settings=found.settings.model_copy(update=settings))
        self.said: list[Observation] = []
        self.host = Host(lambda: AT, Path(), hear=self.said.extend)

    @property
    def notices(self) -> list[Notice]:
        """All of them are."""
        return [one for one in self.said if isinstance(one, Notice)]


async def read(site: Site) -> list[Reading | Fault]:
    """One poll of a driver of its own."""
    async with running(bus(), site.device, host=site.host) as driver:
        return list(await driver.read(driver.polls["school"][0]))


@pytest.mark.parametrize("multiple", [True, False])
async def test_fahrenheit_is_refused_by_name_and_nothing_is_written(multiple: bool) -> None:
    station = made({0: "degrees-fahrenheit", 1: "degrees-fahrenheit", 2: "percent"}, multiple=multiple)
    await station.up()
    site = Site(station, ROOM, SETPOINT, VALVE)
    async with running(bus(), site.device, host=site.host) as driver:
        room, wanted, valve = await driver.read(driver.polls["school"][0])
        assert isinstance(room, Fault)
        assert isinstance(wanted, Fault)
        assert room.cause == "unit is degrees-fahrenheit, the profile says degC"
        assert isinstance(valve, Reading)
        assert valve.value == 40.0, "what is right is used"
        point = PointId("school", "zone.1.setpoint")
        refused, freed = await driver.write([Write(point, 19.0), Write(point, None)])
        assert (refused.outcome, refused.detail) == (Outcome.REJECTED, room.cause)
        assert freed.outcome is not Outcome.REJECTED, "a slot of ours may be freed in any unit"
        assert station.served.count("wp") == 1
    (notice,) = [one for one in site.notices if one.event == "wrongUnit"]
    assert (notice.subject, notice.holds, notice.severity, notice.value) == ("device/school", True, "major", 2.0)
    assert "zone.1.temperature, zone.1.setpoint" in notice.detail
    await station.aclose()


UNITS = [
    pytest.param({2: "no-units"}, "unit is no-units, the profile says %", id="a factor of 100 hangs on it"),
    pytest.param({2: "percent-relative-humidity"}, "unit is percent-relative-humidity, the profile says %", id="%RH"),
    pytest.param({0: "no-units", 2: "percent"}, "", id="a temperature that says nothing is believed"),
    pytest.param({0: "degrees-celsius", 2: "percent"}, "", id="right"),
]


@pytest.mark.parametrize(("units", "cause"), UNITS)
async def test_which_units_are_right(units: Mapping[int, str], cause: str) -> None:
    station = made(units)
    await station.up()
    site = Site(station, ROOM, SETPOINT, VALVE)
    faults = [one.cause for one in await read(site) if isinstance(one, Fault)]
    assert faults == ([cause] if cause else [])
    assert bool(cause) is any(one.event == "wrongUnit" for one in site.notices)
    await station.aclose()


@pytest.mark.parametrize("kind", ["accumulator", "integer-value", "positive-integer-value"])
async def test_a_counter_of_watt_hours_is_none_of_kilowatt_hours(kind: str) -> None:
    station = Station(1201, counter(kind, 12_345, "watt-hours"))
    await station.up()
    energy = BacnetPoint("meter.energy", f"{kind},1", unit="kWh")
    (refused,) = await read(Site(station, energy))
    assert isinstance(refused, Fault)
    assert refused.cause == "unit is watt-hours, the profile says kWh"
    (trusted,) = await read(Site(station, replace(energy, unit_override=True)))
    assert isinstance(trusted, Reading)
    station.objects[f"{kind},1"].units = "kilowatt-hours"
    (right,) = await read(Site(station, energy))
    assert isinstance(right, Reading)
    assert right.value == trusted.value == 12_345.0
    await station.aclose()


async def test_the_site_or_the_profile_may_know_better() -> None:
    station = made({0: "degrees-fahrenheit", 2: "no-units"})
    await station.up()
    trusting = Site(station, ROOM, VALVE, unit_override=True)
    assert not any(isinstance(one, Fault) for one in await read(trusting))
    by_profile = Site(station, ROOM, replace(VALVE, unit_override=True))
    assert [isinstance(one, Fault) for one in await read(by_profile)] == [True, False]
    await station.aclose()


async def test_units_are_asked_once_and_again_only_where_they_were_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_check, "REFUSED_AGAIN_S", 0.2)
    station = made({0: "degrees-fahrenheit", 2: "percent"})
    await station.up()
    site = Site(station, ROOM, VALVE)
    async with running(bus(), site.device, host=site.host) as driver:
        poll = driver.polls["school"][0]
        await driver.read(poll)
        await driver.read(poll)
        asked = len(station.served)
        await driver.read(poll)
        assert len(station.served) == asked + 1, "the values alone"
        station.objects["analog-input,1"].units = "degrees-celsius"
        await asyncio.sleep(0.25)
        assert not any(isinstance(one, Fault) for one in await driver.read(poll))
    assert [one.holds for one in site.notices if one.event == "wrongUnit"] == [True, False]
    await station.aclose()


LIMITS = [
    pytest.param({"multiple": False}, "it answers no ReadPropertyMultiple: one request a property", id="no RPM"),
    pytest.param({"max_apdu": 206}, "its answers hold 206 octets", id="a small APDU"),
]


@pytest.mark.parametrize(("made_so", "said"), LIMITS)
async def test_what_a_device_cannot_do_is_told_once(made_so: dict[str, object], said: str) -> None:
    station = made({2: "percent"}, **made_so)
    await station.up()
    site = Site(station, ROOM, SETPOINT, VALVE)
    async with running(bus(), site.device, host=site.host) as driver:
        for _ in range(3):
            assert not any(isinstance(one, Fault) for one in await driver.read(driver.polls["school"][0]))
    (notice,) = site.notices
    assert (notice.subject, notice.event, notice.severity) == ("device/school", "device-limits", "limitation")
    assert said in notice.detail
    await station.aclose()
