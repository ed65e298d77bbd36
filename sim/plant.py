"""The simulator's heating as a plant: the buildings of a site in virtual time, without a wire.

It has the shape of ``controller.rehearsal.Plant`` and knows nothing of it. A point is found through the profile of
its device: name, BACnet object, object of the simulated device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from config.site import BacnetPoint, Site
from sim.building import Building
from sim.heating_plant import CONTROLLER_PROFILE, THERMOSTAT_PROFILE
from sim.objects import BacnetObject, CommandRefused
from sim.town import Town


class SimulatedPlant:
    """Every heated building of a site, from ``start`` on; the same site, seed and writes give the same weeks."""

    def __init__(self, site: Site, *, seed: int, start: datetime) -> None:
        self.town = Town(_without_lighting(site), seed=seed, start=start)
        self._objects = {
            (device.id, name): found
            for device in site.devices.values()
            for name, spec in device.profile.points.items()
            if isinstance(spec, BacnetPoint) and (found := self._object(device.id, spec.object)) is not None
        }

    @property
    def now(self) -> datetime:
        """The town's time, UTC."""
        return self.town.now

    def read(self, device: str, point: str) -> float | None:
        """The present value; None for a point that the device does not have, or that is in fault."""
        found = self._objects.get((device, point))
        return None if found is None or found.fault else found.present_value()

    def write(self, device: str, point: str, value: float | None, priority: int) -> None:
        """A command at a priority; what a device would refuse is not done."""
        found = self._objects.get((device, point))
        if found is None or not _in_range(found, value):
            return
        try:
            found.command(priority, value)
        except CommandRefused:
            return

    def slots(self, device: str, point: str) -> Mapping[int, float]:
        """The occupied slots of a commandable point."""
        found = self._objects.get((device, point))
        return dict(found.slots) if found is not None and found.commandable else {}

    def step(self, dt_s: float) -> None:
        """Let weather, people, rooms and boilers go on for so long."""
        self.town.step(dt_s)

    @property
    def outdoor_c(self) -> float:
        """Outside, in the shade."""
        return self.town.weather.outdoor_c(self.now)

    def energy_kwh(self, device: str) -> float:
        """What the generator at a device has used so far: a boiler's gas, an air heater's heat."""
        building: Building | None = self.town.buildings.get(device)
        if building is None:
            return 0.0
        return building.heater_kwh + (building.boiler.energy_kwh if building.boiler is not None else 0.0)

    def _object(self, device: str, key: str) -> BacnetObject | None:
        return next((each for each in self.town.objects.get(device, ()) if each.key == key), None)


def simulated_zones(site: Site) -> frozenset[str]:
    """The zones behind a device whose building has a model; another device would show steady values for ever."""
    known = (CONTROLLER_PROFILE, THERMOSTAT_PROFILE)
    return frozenset(zone.id for zone in site.zones.values() if site.devices[zone.device].profile.id in known)


def _without_lighting(site: Site) -> Site:
    return replace(
        site, groups={}, lamps={}, segments={}, cabinets={}, meters={}, photocells={}, presence_sensors={},
        devices={name: device for name, device in site.devices.items() if device.profile.protocol == "bacnet"},
    )  # fmt: skip


def _in_range(found: BacnetObject, value: float | None) -> bool:
    if value is None:
        return True
    low, high = found.minimum, found.maximum
    return (low is None or value >= low) and (high is None or value <= high)
