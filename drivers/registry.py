"""The drivers that exist. Their libraries are imported when a bus of theirs is built, not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from pydantic import BaseModel

from drivers.api import Driver, Host
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile import Profile


@dataclass(frozen=True, slots=True)
class BusDevice:
    """One device on a bus as its driver needs it; ``points`` are the names out of the profile in use."""

    id: str
    settings: BaseModel
    profile: Profile
    points: tuple[str, ...]


Build = Callable[[str, BaseModel, Sequence[BusDevice], Host], Driver]
"""``build(bus_id, settings, devices, host)``."""


@dataclass(frozen=True, slots=True)
class DriverEntry:
    """One protocol; ``factory`` is ``module:function`` of its ``Build``."""

    name: str
    bus_settings: type[BaseModel]
    device_settings: type[BaseModel]
    factory: str

    def build(self, bus_id: str, settings: BaseModel, devices: Sequence[BusDevice], host: Host) -> Driver:
        """A driver for one bus, not yet open."""
        module, _, function = self.factory.partition(":")
        build: Build = getattr(import_module(module), function)
        return build(bus_id, settings, devices, host)


def registry(*entries: DriverEntry) -> Mapping[str, DriverEntry]:
    """``entries`` by name. Raises ValueError on a name that comes twice."""
    by_name = {entry.name: entry for entry in entries}
    if len(by_name) != len(entries):
        raise ValueError(f"duplicate driver among {', '.join(entry.name for entry in entries)}")
    return MappingProxyType(by_name)


DRIVERS = registry(
    DriverEntry("modbus", ModbusBus, ModbusDevice, "drivers.modbus.driver:build"),
    DriverEntry("bacnet", BacnetBus, BacnetDevice, "drivers.bacnet.driver:build"),
)
