"""Faults of rooms, heat generators and BACnet objects: what they do to the plant, and what the wire shows."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sim.bacnet_properties import ServiceError, object_table, write_property
from sim.bacnet_values import Null, Real
from sim.bacnet_words import Property
from sim.control import Control
from sim.objects import BacnetObject
from sim.town import Town
from tests.sim.bacnet_rig import rigged
from tests.sim.towns import WINTER_EVENING, school

READ = "0005010c0c000000051955"
READ_MANY = "0005010e0c000000051e09551f"
REJECTED = "600109"
"""Unrecognized service."""


@pytest.fixture
def town() -> Town:
    return Town.from_site(school(), seed=1, start=WINTER_EVENING)


def fault(town: Town, *lines: str) -> None:
    for line in lines:
        answer = Control(town, lambda: None).obey(f"fault {line}")
        assert answer["ok"], answer


def refused(town: Town, line: str) -> str:
    answer: Any = Control(town, lambda: None).obey(f"fault {line}")
    assert not answer["ok"]
    return str(answer["error"])


def shown(town: Town, device: str, key: str) -> BacnetObject:
    return next(one for one in town.objects[device] if one.key == key)


def test_an_open_window_cools_the_room_and_no_other(town: Town) -> None:
    first, second = (town.buildings["ecole"].zones[number] for number in (1, 2))
    before = (first.temperature_c, second.temperature_c)
    fault(town, "ecole.z1 window open for 30m")
    town.step(1800.0)
    assert before[0] - first.temperature_c > 0.8, "in half an hour, while its radiators do what they can"
    assert abs(before[1] - second.temperature_c) < 0.5
    town.step(60.0)
    assert not first.window_open


def test_a_stuck_valve_heats_whatever_its_drive_says(town: Town) -> None:
    room = town.buildings["ecole"].zones[1]
    shown(town, "ecole", "analog-value,1").command(13, 8.0)
    fault(town, "ecole.z1 valve stuck 100")
    before = room.temperature_c
    town.step(4 * 3600.0)
    assert shown(town, "ecole", "analog-output,1").present_value() == 0.0
    assert room.temperature_c > before + 1.0


SENSORS = [("drift 2", 2.0, 4.0), ("jump -6", -6.0, -6.0)]


@pytest.mark.parametrize(("how", "after_1h_k", "after_2h_k"), SENSORS)
def test_a_sensor_that_is_wrong(town: Town, how: str, after_1h_k: float, after_2h_k: float) -> None:
    room, sensor = town.buildings["ecole"].zones[2], shown(town, "ecole", "analog-input,2")
    fault(town, f"ecole.z2 sensor {how}")
    for wanted_k in (after_1h_k, after_2h_k):
        town.step(3600.0)
        assert sensor.present_value() - room.temperature_c == pytest.approx(wanted_k, abs=0.01)
    town.sabotage.repair("ecole.z2")
    assert sensor.present_value() == room.temperature_c


def test_a_frozen_sensor(town: Town) -> None:
    room, sensor = town.buildings["ecole"].zones[2], shown(town, "ecole", "analog-input,2")
    fault(town, "ecole.z2 sensor frozen")
    before = sensor.present_value()
    town.step(6 * 3600.0)
    assert sensor.present_value() == before != room.temperature_c


def test_a_locked_boiler_and_a_seized_pump_leave_rooms_cold(town: Town) -> None:
    for number in (1, 2, 3):
        shown(town, "ecole", f"analog-value,{number}").command(13, 21.0)
    boiler, room = town.buildings["ecole"].boiler, town.buildings["ecole"].zones[1]
    assert boiler is not None
    fault(town, "ecole boiler fault")
    town.step(2 * 3600.0)
    assert (boiler.burning, shown(town, "ecole", "binary-input,101").present_value()) == (False, 1.0)
    assert boiler.supply_c < 25.0
    town.sabotage.repair("ecole")
    fault(town, "ecole pump seized")
    before = room.temperature_c
    town.step(2 * 3600.0)
    assert shown(town, "ecole", "binary-input,101").present_value() == 0.0
    assert boiler.supply_c > 40.0, "the water is hot"
    assert room.temperature_c <= before, "and stays where it is"


def read(point: BacnetObject, name: Property) -> Any:
    return object_table(point)[name]()


def test_fahrenheit_is_shown_told_and_said(town: Town) -> None:
    setpoint = shown(town, "ecole", "analog-value,1")
    fault(town, "ecole.z1 fahrenheit")
    write_property(setpoint, Property.PRESENT_VALUE, Real(68.0), 13)
    assert setpoint.slots == {13: pytest.approx(20.0)}
    assert read(setpoint, Property.UNITS) == b"\x91\x40"
    assert read(setpoint, Property.PRESENT_VALUE) == b"\x44\x42\x88\x00\x00", "68.0"
    assert read(shown(town, "ecole", "analog-value,2"), Property.UNITS) == b"\x91\x3e", "its neighbour is in degrees C"
    town.sabotage.repair(None)
    fault(town, "ecole fahrenheit")
    assert read(shown(town, "ecole", "analog-input,100"), Property.UNITS) == b"\x91\x40"
    assert read(shown(town, "ecole", "analog-output,1"), Property.UNITS) == b"\x91\x62", "a valve has no degrees"


def test_no_number_and_no_write(town: Town) -> None:
    setpoint, room = shown(town, "ecole", "analog-value,1"), shown(town, "ecole", "analog-input,1")
    fault(town, "ecole.z1 nan", "ecole.z1 write-denied")
    assert math.isnan(room.shown(room.present_value()))
    for value in (Real(20.0), Null()):
        with pytest.raises(ServiceError, match="WRITE_ACCESS_DENIED"):
            write_property(setpoint, Property.PRESENT_VALUE, value, 13)
    town.sabotage.repair(None)
    write_property(setpoint, Property.PRESENT_VALUE, Real(20.0), 13)
    assert setpoint.slots == {13: 20.0}


REFUSALS = [
    ("gym boiler fault", "no device with a boiler 'gym'"),
    ("ecole.z9 window open", "no zone 'ecole.z9': did you mean 'ecole.z3'?"),
    ("ecole nan analog-value,77", "ecole has no object 'analog-value,77'"),
    ("ecole.z1 valve stuck 101", "a valve stands at 0 to 100 %"),
    ("ecole.z1 sensor loose", "usage: sensor drift K|frozen|jump K"),
    ("ecole max-apdu 50", "an APDU has 128 to 1476 octets"),
]


@pytest.mark.parametrize(("line", "why"), REFUSALS)
def test_what_fits_nothing_is_refused(town: Town, line: str, why: str) -> None:
    assert why in refused(town, line)
    assert town.faults.active == []


async def test_a_device_without_multiple_reads_or_with_a_small_apdu() -> None:
    async with rigged() as rig:
        assert (await rig.wire.ask(READ_MANY)).startswith("30010e")
        rig.faults.no_rpm = True
        assert await rig.wire.ask(READ_MANY) == REJECTED
        assert (await rig.wire.ask(READ)).startswith("30010c")
        rig.faults.max_apdu = 206
        assert rig.device.abilities.max_apdu == 206
