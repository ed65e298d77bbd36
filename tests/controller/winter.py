"""A heated building of the simulator behind the core, without a wire: valbourg's school and gym in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from config.load import load_site
from config.site import Site
from controller.core.wiring import Wiring
from sim.building import Building
from sim.heating_plant import build_heating, people
from sim.weather import Weather
from tests.controller.field import Field

VALBOURG = Path(__file__).parents[2] / "config/examples/valbourg"
READY_K = 0.5


def heated(site: Site, *buildings: str) -> Site:
    """Only these buildings of a site, and their devices."""
    zones = {name: zone for name, zone in site.zones.items() if zone.building in buildings}
    devices = {zone.device for zone in zones.values()}
    kept = {}
    for name in devices:
        numbers = {str(zone.number) for zone in zones.values() if zone.device == name}
        points = (p for p in site.devices[name].points if not p.startswith("zone.") or p.split(".")[1] in numbers)
        kept[name] = replace(site.devices[name], points=tuple(points))
    return replace(
        site, devices=kept, zones=zones, buildings={name: site.buildings[name] for name in buildings},
        groups={}, lamps={}, segments={}, cabinets={}, meters={}, photocells={}, presence_sensors={},
    )  # fmt: skip


@dataclass
class Morning:
    """One opening of one zone: K above the setpoint then, and minutes since it came within 0.5 K of it."""

    zone: str
    opening: datetime
    lacking_k: float
    too_long_min: float
    preheated: bool
    facts: dict[str, object] = field(default_factory=dict)


class Winter:
    """Advances core and buildings together; ``mornings`` collects every opening."""

    def __init__(self, site: Site, start: datetime, seed: int = 1) -> None:
        self.wiring = Wiring(site)
        self.site, self.weather = site, Weather(seed, site.place.latitude, site.place.longitude)
        outdoor_c = self.weather.outdoor_c(start)
        self.buildings: dict[str, Building] = build_heating(site, seed, outdoor_c)
        self.dead: set[str] = set()
        """Devices whose boiler does not start."""
        self.field = Field(self.wiring, start)
        self._observe()
        self.field.start()
        self.mornings: list[Morning] = []
        self._warm: dict[str, datetime | None] = {}
        self._told = 0

    def until(self, end: datetime) -> None:
        """Let time pass: every five minutes before noon, when preheats are judged, and less often after it."""
        while self.field.now < end:
            now = self.field.now
            local = now.astimezone(self.site.place.zone)
            every = timedelta(minutes=5 if local.hour < 12 else 15)
            for device, building in self.buildings.items():
                self._command(device, building)
                sun, outdoor_c = self.weather.sun_w_m2(now), self.weather.outdoor_c(now)
                building.step(every.total_seconds(), outdoor_c, sun, people(local))
            self.field.now = now + every
            self._observe()
            self.field.poll()
            self._collect()

    def _command(self, device: str, building: Building) -> None:
        for number, zone in building.zones.items():
            place = (device, f"zone.{number}.setpoint")
            slots = self.field.slots.get(place)
            if slots is not None:
                zone.setpoint_c = slots[min(slots)] if slots else 16.0
            elif self.field.held.get(place):
                zone.setpoint_c = self.field.held[place]
        if building.boiler is not None and device in self.dead:
            building.boiler.nominal_w = 0.0

    def _observe(self) -> None:
        for device, building in self.buildings.items():
            held = self.field.held
            held[device, "outdoor.temperature"] = building.outdoor_c
            for number, zone in building.zones.items():
                held[device, f"zone.{number}.temperature"] = round(zone.temperature_c, 2)
                held[device, f"zone.{number}.heating"] = zone.valve_pct
            if building.boiler is not None:
                burning = building.boiler.burning and device not in self.dead
                held[device, "boiler.supply-temperature"] = building.boiler.supply_c
                held[device, "boiler.power"] = building.boiler.power_kw * burning
                held[device, "boiler.energy"] = building.boiler.energy_kwh
                held[device, "boiler.status"] = float(burning)

    def _collect(self) -> None:
        for zone in self.site.zones.values():
            room_c = self.field.held[zone.device, f"zone.{zone.number}.temperature"]
            warm = room_c >= zone.setpoints.comfort - READY_K
            self._warm[zone.id] = (self._warm.get(zone.id) or self.field.now) if warm else None
        for step in self.field.steps[self._told :]:
            for event in step.events:
                if event.name == "opening":
                    self._opened(event.target.removeprefix("zone/"), dict(event.facts))
        self._told = len(self.field.steps)
        if self._told > 400:  # a winter has a hundred thousand steps
            del self.field.steps[:-1]
            self._told = 1

    def _opened(self, zone_id: str, facts: dict[str, object]) -> None:
        zone = self.site.zones[zone_id]
        room_c = self.field.held[zone.device, f"zone.{zone.number}.temperature"]
        warm = self._warm.get(zone_id)
        too_long = 0.0 if warm is None else (self.field.now - warm) / timedelta(minutes=1)
        preheated = "preheat_predicted_min" in facts
        lacking_k = max(0.0, zone.setpoints.comfort - room_c)
        self.mornings.append(Morning(zone_id, self.field.now, lacking_k, too_long, preheated, facts))


def shares(mornings: list[Morning]) -> tuple[float, float]:
    """Which share of the openings was within 0.5 K, and which of the preheats less than 45 minutes too long."""
    preheats = [morning for morning in mornings if morning.preheated]
    in_time = sum(morning.lacking_k <= READY_K for morning in mornings) / len(mornings)
    return in_time, sum(morning.too_long_min < 45.0 for morning in preheats) / len(preheats)


def school(start: datetime, seed: int = 1) -> Winter:
    """Valbourg's school from ``start`` on."""
    return Winter(heated(load_site(VALBOURG), "ecole-jaures"), start, seed)
