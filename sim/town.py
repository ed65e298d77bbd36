"""The simulated town: every device that a site declares, as a model that ``step`` moves on and a face can show.

Pure: no clock, no socket, no randomness but the seed. The same site, seed, start, steps and faults give the same town.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from config.site import BacnetPoint, Device, ModbusPoint, Site
from sim.bacnet_schedule import OwnObject, own_objects
from sim.bank import RegisterBank, object_bank
from sim.cabinet import Cabinet
from sim.cabinet_map import cabinet_unit, relays_unit
from sim.consumer import Consumer
from sim.dali_maps import GATEWAYS
from sim.faults import FaultTable
from sim.heating_controller import WATCHDOG_S, HeatingController
from sim.heating_objects import thermostat_objects
from sim.heating_plant import CONTROLLER_PROFILE, THERMOSTAT_PROFILE, build_heating
from sim.integer_meter_maps import countis_e24_unit, countis_e44_unit, em24_unit, em340_unit
from sim.lighting_plant import CABINET_PROFILE, RELAYS_PROFILE, build_lighting
from sim.mains import PhaseMeter
from sim.meter_maps import iem3155_unit, sdm120_unit, sdm630_unit
from sim.noise import draw
from sim.objects import BacnetObject
from sim.people import People
from sim.registers import Unit
from sim.sabotage import Sabotage
from sim.truth import truth
from sim.weather import Weather

METERS = {
    "eastron-sdm630": (3, sdm630_unit),
    "eastron-sdm120": (1, sdm120_unit),
    "schneider-iem3155": (3, iem3155_unit),
    "carlo-gavazzi-em24": (3, em24_unit),
    "carlo-gavazzi-em340": (3, em340_unit),
    "socomec-countis-e24": (3, countis_e24_unit),
    "socomec-countis-e44": (3, countis_e44_unit),
}
LONGEST_S = 60.0
"""Weather and consumption stand still for so long at most."""


class Town:
    """Models and what they show: ``units`` and ``objects`` by device id. Break things through ``sabotage``."""

    def __init__(self, site: Site, *, seed: int, start: datetime) -> None:
        self.site, self.seed = site, seed
        self.now = start.astimezone(UTC)
        self.weather = Weather(seed, site.place.latitude, site.place.longitude)
        self.lighting = build_lighting(site, seed)
        self.buildings = build_heating(site, seed, self.weather.outdoor_c(self.now))
        self.people = People(site)
        self.controllers: dict[str, HeatingController] = {}
        self.consumers: dict[str, Consumer] = {}
        self.meters: dict[str, PhaseMeter] = {}
        self.units: dict[str, Unit] = {}
        self.objects: dict[str, list[BacnetObject]] = {}
        self.schedules: dict[str, list[OwnObject]] = {}
        """The Schedule and Calendar objects of the controllers that the site delegates to."""
        for device in site.devices.values():
            self._show(device)
        self.faults = FaultTable()
        self.sabotage = Sabotage(site, self.faults, self.lighting, self.buildings, self.objects)
        self._move(0.0)

    @classmethod
    def from_site(cls, site: Site, *, seed: int, start: datetime) -> Town:
        """All devices of the site; ``start`` is an aware instant."""
        return cls(site, seed=seed, start=start)

    @property
    def now_s(self) -> float:
        """The town's time in seconds since the epoch."""
        return self.now.timestamp()

    def step(self, dt_s: float) -> None:
        """Advance everything by ``dt_s`` seconds of the town's time, in pieces where physics want them."""
        while dt_s > 0.0:
            piece = min(dt_s, LONGEST_S)
            self.now += timedelta(seconds=piece)
            self.faults.expire(self.now_s)
            self._move(piece)
            dt_s -= piece

    def pace(self, speed: float) -> None:
        """The clock runs ``speed`` times faster: a supervisor cannot beat faster than once in a real second."""
        for controller in self.controllers.values():
            controller.watchdog_s = max(WATCHDOG_S, 5.0 * speed)

    def skip_to(self, at: datetime) -> None:
        """Move the clock without physics, after a pause too long to catch up with, or back."""
        self.now = at.astimezone(UTC)

    def truth(self) -> dict[str, object]:
        """What really is, as plain values (sim.truth)."""
        return truth(self)

    def cabinet(self, device: str) -> Cabinet:
        """The cabinet model behind a device."""
        return self.lighting.cabinets[device]

    def _move(self, dt_s: float) -> None:
        local = self.now.astimezone(self.site.place.zone)
        sky = self.weather.sky(self.now)
        for cabinet in (*self.lighting.cabinets.values(), *self.lighting.supplies.values()):
            cabinet.step(dt_s, self.now_s, sky)
        for consumer in self.consumers.values():
            consumer.step(dt_s, local)
        if self.buildings:
            sun_w_m2 = self.weather.sun_w_m2(self.now)
            present = {name: self.people.at(name, self.now) for name in self.buildings}
            for name, controller in self.controllers.items():
                controller.step(dt_s, local, present[name])
            for name, building in self.buildings.items():
                building.step(dt_s, sky.outdoor_c, sun_w_m2, present[name])

    def _show(self, device: Device) -> None:
        kind = device.profile.id
        points = list(device.profile.points.values())
        if kind == CABINET_PROFILE:
            self.units[device.id] = cabinet_unit(self.lighting.cabinets[device.id])
        elif kind == RELAYS_PROFILE:
            self.units[device.id] = relays_unit(self.lighting.cabinets[device.id])
        elif kind in GATEWAYS:
            self.units[device.id] = GATEWAYS[kind](device.id, self.lighting.gateways[device.id])
        elif kind in METERS:
            phases, shown = METERS[kind]
            self.meters[device.id] = self._meter(device.id, phases)
            self.units[device.id] = shown(device.id, self.meters[device.id])
        elif kind == CONTROLLER_PROFILE:
            self.controllers[device.id] = HeatingController(self.buildings[device.id])
            self.objects[device.id] = self.controllers[device.id].shown
            self.schedules[device.id] = own_objects(self.site, device.id, self.objects[device.id])
        elif kind == THERMOSTAT_PROFILE:
            self.objects[device.id] = thermostat_objects(self.buildings[device.id])
        elif device.profile.protocol == "modbus":
            bank = RegisterBank(device.id, [point for point in points if isinstance(point, ModbusPoint)])
            self.units[device.id] = bank.unit
        else:
            self.objects[device.id] = object_bank([point for point in points if isinstance(point, BacnetPoint)])

    def _meter(self, device: str, phases: int) -> PhaseMeter:
        """A cabinet's own feeder where the site says so, else a building."""
        for meter in self.site.meters.values():
            if meter.device == device and meter.cabinet is not None:
                fed = self.lighting.cabinets.get(self.site.cabinets[meter.cabinet].device)
                if fed is not None:
                    return fed.meter
        consumer = Consumer(
            device, self.seed, phases=phases, peak_w=5000.0 + 2000.0 * draw(self.seed, f"{device}/size")
        )
        consumer.meter.energy_wh[0] = 8e6 + 4e6 * draw(self.seed, f"{device}/index")
        self.consumers[device] = consumer
        return consumer.meter
