"""A heated building of the simulator behind the core, by the plant seam: Valbourg's school in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from config.load import load_site
from config.site import Site
from controller.rehearsal import Rehearsal, heating_of
from sim.plant import SimulatedPlant

VALBOURG = Path(__file__).parents[2] / "config/examples/valbourg"
READY_K = 0.5
STEP_S = 300.0


def heated(site: Site, *buildings: str) -> Site:
    """Only these buildings of a site, and their devices."""
    zones = {name: zone for name, zone in site.zones.items() if zone.building in buildings}
    return heating_of(replace(site, zones=zones, buildings={name: site.buildings[name] for name in buildings}))


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
    """Core and buildings together; ``mornings`` are all openings so far."""

    def __init__(self, site: Site, start: datetime, seed: int = 1) -> None:
        self.site = site
        self.rehearsal = Rehearsal(site, SimulatedPlant(site, seed=seed, start=start), STEP_S)
        self.rehearsal.begin()

    def until(self, end: datetime) -> None:
        """Let time pass, five minutes at a time."""
        self.rehearsal.until(end)

    @property
    def mornings(self) -> list[Morning]:
        """Every opening of every zone."""
        opened = (event for event in self.rehearsal.events if event.name == "opening")
        return [self._morning(event.target.removeprefix("zone/"), event.at, dict(event.facts)) for event in opened]

    def _morning(self, zone_id: str, opening: datetime, facts: dict[str, object]) -> Morning:
        comfort_c = self.site.zones[zone_id].setpoints.comfort
        room_c, warm = 0.0, opening
        for point in reversed(self.rehearsal.traces[zone_id]):
            if point.at > opening or point.temperature_c is None:
                continue
            room_c = room_c or point.temperature_c
            if point.temperature_c < comfort_c - READY_K:
                break
            warm = point.at
        too_long_min = (opening - warm) / timedelta(minutes=1)
        preheated = "preheat_predicted_min" in facts
        return Morning(zone_id, opening, max(0.0, comfort_c - room_c), too_long_min, preheated, facts)


def shares(mornings: list[Morning]) -> tuple[float, float]:
    """Which share of the openings was within 0.5 K, and which of the preheats less than 45 minutes too long."""
    preheats = [morning for morning in mornings if morning.preheated]
    in_time = sum(morning.lacking_k <= READY_K for morning in mornings) / len(mornings)
    return in_time, sum(morning.too_long_min < 45.0 for morning in preheats) / len(preheats)


def school(start: datetime, seed: int = 1) -> Winter:
    """Valbourg's school from ``start`` on."""
    return Winter(heated(load_site(VALBOURG), "ecole-jaures"), start, seed)
