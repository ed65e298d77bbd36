"""The heat generator in the site files: defaults, and what its device cannot do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.site import Exercise, HeatingCurve
from tests.config.conftest import Town

_GYM = "    name: Gymnase municipal\n"

LACKS = {
    "curve: {}": "boiler.supply-setpoint",
    "exercise: {}": "boiler.pump",
    "hot_water: {}": "hot-water.storage-temperature",
}


def test_the_plant_of_the_example(valbourg: Town) -> None:
    site, problems = valbourg.check()
    assert site is not None, problems
    school = site.buildings["ecole-jaures"]
    assert (school.use, school.area_m2) == ("school", 900)
    assert school.plant is not None
    assert school.plant.curve == HeatingCurve(slope=1.6, maximum_c=75.0, damping=timedelta(hours=12))
    assert school.plant.exercise == Exercise()
    assert (school.plant.summer_above_c, school.plant.hot_water) == (16.0, None)
    assert site.buildings["gymnase"].plant is None


@pytest.mark.parametrize(("written", "point"), LACKS.items())
def test_a_part_of_the_plant_for_which_the_device_has_no_point(valbourg: Town, written: str, point: str) -> None:
    valbourg.change(_GYM, f"{_GYM}    plant: {{{written}}}\n")
    assert [line.split(": ", 1)[1] for line in valbourg.found()] == [
        f"error: buildings.gymnase.plant.{written.split(':', maxsplit=1)[0]}: profile generic-thermostat has no {point}"
    ]


def test_a_summer_limit_takes_any_outdoor_sensor(valbourg: Town) -> None:
    valbourg.change(_GYM, f"{_GYM}    plant: {{summer_above: 15}}\n")
    assert valbourg.found() == []


def test_a_curve_with_its_ends_crossed(valbourg: Town) -> None:
    valbourg.change("curve: {slope: 1.6, maximum: 75}", "curve: {minimum: 60, maximum: 50}")
    assert [line.split(": ", 1)[1] for line in valbourg.found()] == [
        "error: buildings.ecole-jaures.plant.curve.minimum: must be less than maximum"
    ]


@pytest.mark.parametrize(("generator", "found"), [("boiler", 1), ("district", 1), ("heat-pump", 0)])
def test_a_compressors_limits_are_for_a_heat_pump_alone(valbourg: Town, generator: str, found: int) -> None:
    valbourg.change(_GYM, f"{_GYM}    plant: {{generator: {generator}, heat_pump: {{}}}}\n")
    words = f"limits of a compressor, but generator is {generator}: write generator: heat-pump, or leave heat_pump out"
    wanted = [f"error: buildings.gymnase.plant.heat_pump: {words}"] * found
    assert [line.split(": ", 1)[1] for line in valbourg.found()] == wanted
