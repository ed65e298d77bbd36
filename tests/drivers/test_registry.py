from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.api import Host
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile_file import load_profile, shipped_profiles
from drivers.registry import DRIVERS, BusDevice, DriverEntry, registry

REPOSITORY = Path(__file__).parents[2]


def test_a_driver_is_built_by_its_name() -> None:
    profile = load_profile(shipped_profiles()["eastron-sdm120"])
    device = BusDevice("m", ModbusDevice(address="127.0.0.1:1"), profile, tuple(profile.points))
    driver = DRIVERS["modbus"].build(
        "bus", ModbusBus(driver="modbus"), [device], Host(lambda: datetime(2026, 11, 21, tzinfo=UTC), Path())
    )
    assert [lane.name for lane in driver.lanes] == ["bus/m"]


def test_the_drivers_are_modbus_and_bacnet() -> None:
    assert list(DRIVERS) == ["modbus", "bacnet"]
    assert all(entry.name == name for name, entry in DRIVERS.items())


def test_a_name_that_comes_twice_is_refused() -> None:
    entry = DriverEntry("modbus", ModbusBus, ModbusDevice, "somewhere:build")
    with pytest.raises(ValueError, match="duplicate driver"):
        registry(entry, entry)


def test_neither_registry_nor_profiles_load_a_protocol_library() -> None:
    """Half a second for --help, and a Modbus site never pays for BACnet."""
    script = (
        "import sys; from drivers.registry import DRIVERS; from drivers.profile_file import load_profiles;"
        "load_profiles(); print(sorted({'pymodbus', 'bacpypes3', 'serial'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
