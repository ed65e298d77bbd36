"""Who leads a building: nobody (the model's own schedules), a fixed timetable, or the daemon's core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from bench.energyplus.plant import DEVICE, EnergyPlusPlant
from bench.energyplus.tally import is_open
from config.site import Site
from controller.rehearsal import Rehearsal
from schedules.occupancy import Weekly

_SLOT = 13


class Leader(Protocol):
    """Moves a plant on, step by step."""

    def advance(self) -> None:
        """One step of the plant, and what it makes one do."""
        ...

    def notes(self) -> Mapping[str, float]:
        """Figures of its own."""
        ...


Lead = Callable[[EnergyPlusPlant, Site], Leader]


class TheModelItself:
    """The schedules that the reference building comes with."""

    def __init__(self, plant: EnergyPlusPlant, site: Site) -> None:
        self._plant = plant

    def advance(self) -> None:
        """See Leader."""
        self._plant.step(self._plant.step_s)

    def notes(self) -> Mapping[str, float]:
        """See Leader."""
        return {}


class Timetable:
    """What a caretaker sets: comfort from an hour before the opening on, the same every day, and the boiler off
    from the closing on. It knows the hours and nothing else.
    """

    AHEAD = timedelta(hours=1)

    def __init__(self, plant: EnergyPlusPlant, site: Site) -> None:
        self._plant = plant
        self._zones = list(site.zones.values())
        self._weekly = self._zones[0].occupancy.weekly
        self._heating: bool | None = None
        self._lead()

    def advance(self) -> None:
        """See Leader."""
        self._plant.step(self._plant.step_s)
        self._lead()

    def notes(self) -> Mapping[str, float]:
        """See Leader."""
        return {}

    def _lead(self) -> None:
        heating = heated(self._weekly, self._plant.now, self.AHEAD)
        if heating is self._heating:
            return
        self._heating = heating
        for zone in self._zones:
            wanted_c = zone.setpoints.comfort if heating else zone.setpoints.frost
            self._plant.write(DEVICE, f"zone.{zone.number}.setpoint", wanted_c, _SLOT)
        self._plant.write(DEVICE, "boiler.enable", float(heating), _SLOT)


class TheCore:
    """The daemon's core, which begins with no knowledge of the building."""

    def __init__(self, plant: EnergyPlusPlant, site: Site) -> None:
        self._rehearsal = Rehearsal(site, plant, plant.step_s)
        self._rehearsal.begin()

    def advance(self) -> None:
        """See Leader."""
        self._rehearsal.advance()

    def notes(self) -> Mapping[str, float]:
        """See Leader."""
        told = Counter(event.name for event in self._rehearsal.events)
        outcomes = {f"writes {outcome}": float(count) for outcome, count in self._rehearsal.outcomes.items()}
        return {**outcomes, "preheats": float(told["preheat"]), "alarms raised": float(len(self._rehearsal.raised))}


def heated(weekly: Weekly, at: datetime, ahead: timedelta) -> bool:
    """Whether a building that is open at ``weekly`` is open at ``at``, or ``ahead`` of it on the same day."""
    later = at + ahead
    return is_open(weekly, at) or (later.date() == at.date() and is_open(weekly, later) and not _over(weekly, at))


def _over(weekly: Weekly, at: datetime) -> bool:
    """Whether the first opening of the day has begun."""
    return any(each.start <= at.time() for each in weekly.get(at.weekday(), ()))


LEADERS: Mapping[str, Lead] = {
    "the model's own schedules": TheModelItself,
    "a fixed timetable": Timetable,
    "veilleuse": TheCore,
}
