"""Classes of EN ISO 52120-1 from the configuration: a table of what is written and what each function comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from config.site import (
    Absence,
    BacnetPoint,
    Emitter,
    Exercise,
    Generator,
    HeatingCurve,
    OptimumStart,
    Plant,
    Site,
    Steering,
    Zone,
)
from controller.core.heating.iso52120 import CLASSES, FACTORS, Assessment, assess
from controller.core.wiring import Wiring
from tests.controller.towns import town

_LED = ("boiler.supply-setpoint", "boiler.enable", "boiler.pump")
_DETECTED = ("presence.1.detected", "presence.2.detected")


def equipped() -> Site:
    """The school, its generator led by points as those of the reference profile."""
    site = town()
    device = site.devices["ecole"]
    model = device.profile.points["zone.1.setpoint"]
    assert isinstance(model, BacnetPoint)
    extra = dict.fromkeys((*_LED, *_DETECTED), model)
    profile = replace(device.profile, points={**device.profile.points, **extra})
    return replace(site, devices={**site.devices, "ecole": replace(device, profile=profile)})


def with_zones(site: Site, change: Callable[[Zone], Zone]) -> Site:
    return replace(site, zones={key: change(zone) for key, zone in site.zones.items()})


def with_plant(site: Site, plant: Plant | None, use: str = "school") -> Site:
    building = replace(site.buildings["ecole"], plant=plant, use=use)
    return replace(site, buildings={"ecole": building})


def judged(site: Site) -> Assessment:
    return assess(Wiring(site), site.buildings["ecole"])


def letters(site: Site) -> dict[str, str]:
    return {each.number: each.letter for each in judged(site).functions}


CURVE, BLIND = HeatingCurve(), HeatingCurve(feedback=0.0)


def best(site: Site) -> Site:
    """Everything that the site files can ask for."""
    site = with_zones(site, lambda zone: replace(zone, absence=Absence("ecole", zone.number)))
    return with_plant(site, Plant(curve=CURVE, exercise=Exercise()))


TABLE: list[tuple[str, Callable[[Site], Site], str]] = [
    ("1.1", lambda site: site, "B"),
    ("1.1", best, "A"),
    ("1.1", lambda site: with_zones(site, lambda zone: replace(zone, emitter=Emitter.FLOOR)), "A"),
    ("1.1", lambda site: with_zones(site, lambda zone: replace(zone, number=9)), "D"),
    ("1.3", lambda site: site, "?"),
    ("1.3", lambda site: with_plant(site, Plant()), "?"),
    ("1.3", lambda site: with_plant(site, Plant(curve=BLIND)), "C"),
    ("1.3", lambda site: with_plant(site, Plant(curve=CURVE)), "A"),
    ("1.4", lambda site: site, "?"),
    ("1.4", lambda site: with_plant(site, Plant()), "C"),
    ("1.5", lambda site: with_zones(site, lambda zone: replace(zone, optimum_start=None)), "C"),
    ("1.5", lambda site: site, "B"),
    ("1.5", lambda site: with_plant(site, Plant()), "A"),
    (
        "1.5",
        lambda site: with_plant(
            with_zones(site, lambda zone: replace(zone, optimum_start=OptimumStart(learn=False))), Plant()
        ),
        "B",
    ),
    ("1.6", lambda site: with_plant(site, Plant(curve=BLIND)), "C"),
    ("1.7", lambda site: with_plant(site, Plant(generator=Generator.HEAT_PUMP, curve=CURVE)), "A"),
    ("1.9", best, "-"),
    ("7.1", lambda site: site, "A"),
    ("7.1", lambda site: with_zones(site, lambda zone: replace(zone, steering=Steering.DELEGATE)), "C"),
    ("7.2", lambda site: site, "B"),
    ("7.2", best, "A"),
    ("7.4", lambda site: site, "A"),
]


@pytest.mark.parametrize(("number", "change", "letter"), TABLE)
def test_each_function_has_the_class_of_what_is_written(
    number: str, change: Callable[[Site], Site], letter: str
) -> None:
    assert letters(change(equipped()))[number] == letter


def test_a_device_that_counts_nothing_reports_no_energy() -> None:
    site = equipped()
    device = site.devices["ecole"]
    points = {name: point for name, point in device.profile.points.items() if not name.startswith("boiler.")}
    used = tuple(name for name in device.points if name in points)
    bare_device = replace(device, profile=replace(device.profile, points=points), points=used)
    bare = replace(site, devices={**site.devices, "ecole": bare_device})
    assert (letters(bare)["7.4"], letters(bare)["7.2"]) == ("D", "D")


def test_the_whole_has_the_class_of_its_worst_function_and_names_it() -> None:
    found = judged(with_plant(equipped(), Plant(curve=BLIND)))
    assert (found.letter, found.unknown) == ("C", ())
    assert set(found.holds_back) == {"1.3", "1.4", "1.6"}
    assert all(each.missing for each in found.functions if each.number in found.holds_back)


def test_with_a_function_unknown_the_class_is_one_at_best_and_promises_no_heat() -> None:
    found = judged(with_plant(equipped(), None))
    assert found.letter == "B"
    assert found.unknown == ("1.3", "1.4", "1.6")
    assert found.factor is None


def test_what_the_table_says_of_factors() -> None:
    for use, factors in FACTORS.items():
        assert factors[CLASSES.index("C")] == 1.0
        assert list(factors) == sorted(factors, reverse=True)
        assert judged(with_plant(equipped(), Plant(curve=BLIND), use)).factor == 1.0
    assert judged(with_plant(equipped(), None, "sports")).factor is None


def test_every_letter_has_its_reason_and_those_from_memory_are_marked() -> None:
    for site in (equipped(), best(equipped())):
        for each in judged(site).functions:
            assert each.because
            assert each.letter_from_memory is (each.number != "1.5" or each.level == 0)
