"""What ``explain`` says of a building's heat generator: its led points, what is seen of it, what the site files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from config.site import Plant
from controller.core.wiring import Kind, Wiring
from schedules import allures

State = Mapping[str, object]
Wishes = Sequence[Mapping[str, object]]

UNHEARD = "what a generator is told follows the rooms and the weather, which only the running daemon knows"
_MEASURED = {
    "outdoor_c": "{:g} °C outside",
    "outdoor_damped_c": "damped {:g} °C",
    "supply_c": "supply {:g} °C",
    "heating_kw": "{:g} kW",
}


def is_led(wiring: Wiring, key: str) -> bool:
    """Whether the generator of ``building/id`` has a point that we command."""
    return any(target.entity == key and target.kind is not Kind.HEARTBEAT for target in wiring.targets.values())


def by_point(wishes: Wishes) -> dict[str, list[Mapping[str, object]]]:
    """The wishes for each point of the generator, the winner first."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for wish in wishes:
        found.setdefault(str(wish.get("point", "?")), []).append(wish)
    return found


def value_of(wish: Mapping[str, object]) -> str:
    """``37.5 °C`` for the supply temperature, ``on`` or ``off`` for a switch."""
    value = wish.get("value")
    if not isinstance(value, int | float):
        return "?"
    return f"{value:g} °C" if str(wish.get("point")).endswith("setpoint") else "on" if value > 0 else "off"


def measured(state: State) -> Iterator[str]:
    """What is seen of the generator and of the weather."""
    if isinstance(state.get("boiler_on"), bool):
        yield "generator runs" if state["boiler_on"] else "generator stands"
    for name, words in _MEASURED.items():
        value = state.get(name)
        if isinstance(value, int | float):
            yield words.format(value)
    if state.get("summer") is True:
        yield "summer: no heat but by hand or against frost"


def told(state: State) -> Iterator[tuple[str, str]]:
    """Rows of what the daemon tells of the generator beside its points."""
    yield "calling", str(state.get("calling") or "no zone wants heat")
    for name, label in (("hot_water_reached", "hot water"), ("hot_water_advice", "advice")):
        if state.get(name):
            yield label, f"was hot enough until {state[name]}" if name == "hot_water_reached" else str(state[name])


def grounds(wiring: Wiring, building_id: str, at: datetime) -> dict[str, object]:
    """What the site files say of the generator, and what its zones want at ``at`` by their hours."""
    building = wiring.site.buildings[building_id]
    return {**_plant(building.plant), "zones": list(_zones(wiring, building.zones, at))}


def _plant(plant: Plant | None) -> dict[str, object]:
    if plant is None:
        return {}
    found: dict[str, object] = {"generator": plant.generator.value}
    if plant.curve is not None:
        curve = plant.curve
        found["curve"] = f"slope {curve.slope:g}, {curve.minimum_c:g} to {curve.maximum_c:g} °C"
    if plant.summer_above_c is not None:
        found["summer_above"] = f"{plant.summer_above_c:g} °C outside, damped"
    return found


def _zones(wiring: Wiring, zones: Sequence[str], at: datetime) -> Iterator[str]:
    for name in zones:
        zone = wiring.site.zones[name]
        demand = allures.evaluate(zone.occupancy, zone.setpoints, at)
        yield f"{name.partition('.')[2]} {demand.allure.value} {demand.setpoint_c:g} °C ({demand.reason})"
