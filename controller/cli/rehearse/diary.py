"""What a rehearsal came to, a day and a zone: openings, preheats, the lowest temperature; and the energy a building."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from config.site import Site
from controller.core.state import Event
from controller.rehearsal import Rehearsal

MET_K = 0.5
"""An opening is met when the room lacks no more than this."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One beginning of a presence. ``early_min``: for how long the room was warm already; None without a preheat."""

    at: datetime
    setpoint_c: float
    temperature_c: float | None
    preheat: datetime | None
    early_min: float | None

    @property
    def met(self) -> bool:
        """Whether it was warm."""
        return self.temperature_c is not None and self.temperature_c >= self.setpoint_c - MET_K


@dataclass(slots=True)
class ZoneDay:
    """One local day of one zone; without any reading the lowest temperature is None."""

    day: date
    openings: list[Opening] = field(default_factory=list)
    lowest_c: float | None = None


@dataclass(slots=True)
class _Preheat:
    began: datetime
    warm_since: datetime | None = None


class Diary:
    """Written step by step; ``energy_kwh`` reads the meter of the generator at a device."""

    def __init__(self, rehearsal: Rehearsal, energy_kwh: Callable[[str], float]) -> None:
        self._rehearsal, self._energy_kwh = rehearsal, energy_kwh
        self._site = rehearsal.wiring.site
        self.zones: dict[str, dict[date, ZoneDay]] = {zone: {} for zone in self._site.zones}
        self.energy: dict[str, dict[date, float]] = {building: {} for building in self._site.buildings}
        self._generators = _generators(self._site)
        self._meters = {building: self._metered_kwh(building) for building in self._site.buildings}
        self._preheats: dict[str, _Preheat] = {}
        self._read_events = 0

    def write(self) -> None:
        """Take down the step that the rehearsal has just made."""
        now = self._rehearsal.now
        today = (now - timedelta(microseconds=1)).astimezone(self._site.place.zone).date()
        for zone in self._site.zones.values():
            measured = self._rehearsal.value(zone.device, f"zone.{zone.number}.temperature")
            day = self.zones[zone.id].setdefault(today, ZoneDay(today))
            if measured is not None:
                day.lowest_c = measured if day.lowest_c is None else min(day.lowest_c, measured)
            preheat = self._preheats.get(zone.id)
            if preheat is not None:
                _note_warmth(preheat, measured, zone.setpoints.comfort, now)
        for event in self._news():
            self._take(event)
        for building, days in self.energy.items():
            reading = self._metered_kwh(building)
            used = reading - self._meters[building]
            self._meters[building] = reading
            days[today] = days.get(today, 0.0) + used

    def _metered_kwh(self, building: str) -> float:
        return sum(self._energy_kwh(device) for device in self._generators[building])

    def openings(self) -> Iterator[tuple[str, Opening]]:
        """Every opening with its zone."""
        for zone, days in self.zones.items():
            for day in days.values():
                for opening in day.openings:
                    yield zone, opening

    def _news(self) -> list[Event]:
        news = self._rehearsal.events[self._read_events :]
        self._read_events = len(self._rehearsal.events)
        return news

    def _take(self, event: Event) -> None:
        zone = event.target.removeprefix("zone/")
        if zone not in self.zones:
            return
        if event.name == "preheat":
            self._preheats[zone] = _Preheat(event.at)
        elif event.name == "opening":
            preheat = self._preheats.pop(zone, None)
            local = event.at.astimezone(self._site.place.zone).date()
            day = self.zones[zone].setdefault(local, ZoneDay(local))
            day.openings.append(_opening(event, preheat))


def _generators(site: Site) -> dict[str, tuple[str, ...]]:
    """The devices whose heat is a building's: its own and those of its zones; another building's own is that one's."""
    own = {building.device for building in site.buildings.values()}
    found = {}
    for building in site.buildings.values():
        of_zones = (site.zones[zone].device for zone in building.zones)
        others = (device for device in of_zones if device not in own)
        found[building.id] = tuple(dict.fromkeys((building.device, *others)))
    return found


def _note_warmth(preheat: _Preheat, measured_c: float | None, comfort_c: float, now: datetime) -> None:
    """When it became warm and stayed so: a room that falls again was not warm too early."""
    if measured_c is None or measured_c < comfort_c - MET_K:
        preheat.warm_since = None
    elif preheat.warm_since is None:
        preheat.warm_since = now


def _opening(event: Event, preheat: _Preheat | None) -> Opening:
    measured, setpoint = event.facts.get("temperature_c"), event.facts.get("setpoint_c")
    early = None
    if preheat is not None:
        warm_since = preheat.warm_since or event.at
        early = max(0.0, (event.at - warm_since) / timedelta(minutes=1))
    return Opening(
        event.at,
        float(setpoint) if isinstance(setpoint, int | float) else 0.0,
        float(measured) if isinstance(measured, int | float) else None,
        preheat.began if preheat is not None else None,
        early,
    )
