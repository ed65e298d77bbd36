"""Self-assessment by EN ISO 52120-1 (heating list): which class each function has by the configuration, and why.

The functions and their levels are those of the standard's list; the letters of non-residential buildings are marked
where they were taken from memory of the table and not from its text. The whole has the class of its worst function.
It is self-declared: no certificate, and only what this daemon does or knows of is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from config.site import Building, Emitter, Generator, Site, Steering, Zone
from controller.core.wiring import Kind, Wiring

CLASSES = "DCBA"
"""From the worst to the best."""
UNKNOWN, NONE = "?", "-"
"""What the site files say nothing of: the whole is then known at best. What the building does not have."""
DECLARED = "self-declared from the configuration, no certificate"

FACTORS = {
    "school": (1.20, 1.00, 0.88, 0.80),
    "office": (1.51, 1.00, 0.80, 0.70),
    "hall": (1.24, 1.00, 0.75, 0.50),
}
"""BAC efficiency factors, thermal, for D, C, B and A: heat used against that of class C (EN ISO 52120-1, by use)."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the list: its level and class, why, and what the next class asks for."""

    number: str
    title: str
    level: int | None
    letter: str
    because: str
    missing: str = ""
    letter_from_memory: bool = True
    """Whether the letter of that level was not checked against the text of the standard."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A building's functions and what they come to."""

    building: str
    use: str
    functions: tuple[Function, ...]

    @property
    def letter(self) -> str:
        """The class of the worst function that is known; ``?`` where none is."""
        known = [each.letter for each in self.functions if each.letter in CLASSES]
        return min(known, key=CLASSES.index, default=UNKNOWN)

    @property
    def holds_back(self) -> tuple[str, ...]:
        """The functions that have that class and could have a better one."""
        return tuple(each.number for each in self.functions if each.letter == self.letter and each.letter != "A")

    @property
    def unknown(self) -> tuple[str, ...]:
        """The functions that may be worse: with one of them the class is one at best."""
        return tuple(each.number for each in self.functions if each.letter == UNKNOWN)

    @property
    def factor(self) -> float | None:
        """Of the heat that a building of class C would use; None for a use without factors, or a class at best."""
        if self.unknown:
            return None
        factors = FACTORS.get(self.use)
        return factors[CLASSES.index(self.letter)] if factors and self.letter in CLASSES else None


def assess(wiring: Wiring, building: Building) -> Assessment:
    """Every function of the heating list, and of technical management."""
    view = _View(wiring, building)
    return Assessment(building.id, building.use, tuple(judge(view) for judge in _FUNCTIONS))


class _View:
    """What the functions look at."""

    def __init__(self, wiring: Wiring, building: Building) -> None:
        self.site: Site = wiring.site
        self.building = building
        self.zones = [wiring.site.zones[zone] for zone in building.zones if zone in wiring.site.zones]
        self.plant = building.plant
        self._wiring = wiring

    def commands(self, kind: Kind) -> bool:
        """Whether the daemon leads that point of the building's generator."""
        return f"{kind}/{self.building.id}" in self._wiring.targets

    def measured(self, zone: Zone) -> bool:
        """Whether a room temperature and a setpoint of the zone come over the bus."""
        points = (f"zone.{zone.number}.temperature", f"zone.{zone.number}.setpoint")
        return all(self._wiring.has(zone.device, point) for point in points)

    def every(self, judge: Callable[[Zone], bool]) -> bool:
        """Whether it holds of every zone, of which there is one."""
        return bool(self.zones) and all(judge(zone) for zone in self.zones)

    @property
    def counts_running(self) -> bool:
        """Whether the generator tells that it runs."""
        return self._wiring.has(self.building.device, "boiler.status")

    @property
    def metered(self) -> bool:
        """Whether some energy of the building is counted."""
        counters = self._wiring.counted.buildings.values()
        return any(each.building == self.building.id for found in counters for each in found)


def _emission(view: _View) -> Function:
    number, title = "1.1", "emission control"
    if not view.every(view.measured):
        blind = _names(zone for zone in view.zones if not view.measured(zone))
        return Function(number, title, 1, "D", f"no room control over the bus: {blind}", "a room controller a zone")
    if all(zone.absence is not None for zone in view.zones):
        return Function(number, title, 4, "A", "rooms controlled over the bus, with presence in every zone")
    slow = all(zone.emitter is Emitter.FLOOR for zone in view.zones)
    if slow:
        return Function(number, title, 3, "A", "rooms controlled over the bus; slow emitters take no presence")
    lacking = _names(zone for zone in view.zones if zone.absence is None and zone.emitter is not Emitter.FLOOR)
    return Function(
        number, title, 3, "B", "rooms controlled individually, with communication", f"presence (absence:) in {lacking}"
    )


def _distribution(view: _View) -> Function:
    number, title = "1.3", "temperature of the distribution"
    curve = view.plant.curve if view.plant is not None else None
    if curve is None or not view.commands(Kind.SUPPLY):
        return Function(number, title, None, UNKNOWN, "led by the plant itself: nothing is known of it", "a curve")
    if curve.feedback > 0.0:
        return Function(number, title, 2, "A", "heating curve, corrected by what the coldest zone lacks")
    return Function(number, title, 1, "C", "heating curve by the outdoor temperature", "feedback of the rooms")


def _pumps(view: _View) -> Function:
    number, title = "1.4", "distribution pumps"
    if not view.commands(Kind.PUMP):
        return Function(number, title, None, UNKNOWN, "not commanded by the daemon", "a point boiler.pump")
    return Function(number, title, 1, "C", "switched on and off by the demand", "a pump of variable speed")


def _intermittent(view: _View) -> Function:
    number, title = "1.5", "intermittent control"
    if not view.zones:
        return Function(number, title, 0, "D", "no zone with hours", "occupancy hours")
    fixed = [zone for zone in view.zones if zone.optimum_start is None]
    if fixed:
        return Function(
            number, title, 1, "C", f"fixed hours in {_names(fixed)}", f"optimum_start in {_names(fixed)}",
            letter_from_memory=False,
        )  # fmt: skip
    asks = view.plant is not None and view.commands(Kind.BOILER)
    learns = all(zone.optimum_start is not None and zone.optimum_start.learn for zone in view.zones)
    if learns and asks:
        because = "optimum start that learns, and the generator runs only while a zone asks for heat"
        return Function(number, title, 3, "A", because, letter_from_memory=False)
    lacking = [] if learns else ["learning (learn: true) in every zone"]
    lacking += [] if asks else ["a generator that runs on the demand of the zones (plant, point boiler.enable)"]
    return Function(
        number, title, 2, "B", "optimum start in every zone", " and ".join(lacking), letter_from_memory=False
    )


def _generator(view: _View) -> Function:
    kind = view.plant.generator if view.plant is not None else Generator.BOILER
    number = "1.7" if kind is Generator.HEAT_PUMP else "1.6"
    title = "heat pump" if kind is Generator.HEAT_PUMP else "boiler or district heating"
    if view.plant is None or not view.commands(Kind.SUPPLY) or view.plant.curve is None:
        return Function(number, title, None, UNKNOWN, "its temperature is not led by the daemon", "plant.curve")
    if view.plant.curve.feedback > 0.0:
        return Function(number, title, 2, "A", "its temperature follows the weather and what the zones lack")
    return Function(number, title, 1, "C", "its temperature follows the outdoor temperature", "feedback of the rooms")


def _sequence(view: _View) -> Function:
    return Function(
        "1.9",
        "sequence of generators",
        None,
        NONE,
        "the site knows one generator a building",
        "",
    )


def _setpoints(view: _View) -> Function:
    number, title = "7.1", "management of setpoints"
    held = [zone for zone in view.zones if zone.steering is Steering.SUPERVISE]
    if len(held) == len(view.zones) and held:
        return Function(number, title, 2, "A", "from one place for every zone, read back, hands reported")
    return Function(number, title, 1, "C", "in the controllers' own schedules, compared and pushed again", "supervise")


def _running_hours(view: _View) -> Function:
    number, title = "7.2", "management of running times"
    if not view.counts_running:
        return Function(number, title, 0, "D", "nobody tells when the boiler runs", "a point boiler.status")
    if view.plant is not None and view.plant.exercise is not None:
        return Function(number, title, 2, "A", "hours and starts of the boiler kept by the hour; the pump is exercised")
    return Function(number, title, 1, "B", "hours and starts of the boiler kept by the hour", "plant.exercise")


def _faults(view: _View) -> Function:
    because = "faults of sensors, plant, valves and controllers are alarms by name, with what explains them"
    return Function("7.3", "fault detection", 2, "A", because)


def _reporting(view: _View) -> Function:
    number, title = "7.4", "energy reporting"
    if view.metered:
        because = "energy by the hour and month, degree-days, savings against a baseline with their uncertainty"
        return Function(number, title, 2, "A", because)
    return Function(
        number, title, 0, "D", "no energy of this building is counted", "a meter (building:) or a point boiler.energy"
    )


_FUNCTIONS: Sequence[Callable[[_View], Function]] = (
    _emission, _distribution, _pumps, _intermittent, _generator, _sequence,
    _setpoints, _running_hours, _faults, _reporting,
)  # fmt: skip


def _names(zones: Iterable[Zone]) -> str:
    return ", ".join(zone.id.rpartition(".")[2] for zone in zones) or "no zone"
