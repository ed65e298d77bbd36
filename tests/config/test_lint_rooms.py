"""The linter of rooms and of load shedding."""

from __future__ import annotations

import pytest

from tests.config.conftest import Town

SALLE = "        optimum_start: {cap: 3h, cap_after_vacancy: 24h, minutes_per_k: 12}"
SIGNALS = "occupancy:\n  ecole:"
GYM = "    name: Gymnase municipal\n"
Z = "buildings.gymnase.zones.salle"

ODD = {
    "absence on a floor": (
        "        emitter: floor\n        absence: {device: cab-mairie, number: 1}", "{device: cab-mairie, number: 1}",
        f"{Z}.absence: without effect: a floor is too slow for it",
    ),
    "boost that lasts longer than its cap": (
        "        boost: {lasting: 5h, cap: 4h, maximum: 14}", "5h, cap",
        f"{Z}.boost.lasting: 5h is longer than cap, 4h, which cuts it short",
    ),
    "boost that lasts longer by default": (
        "        boost: {cap: 1h, maximum: 14}", "1h, maximum",
        f"{Z}.boost.cap: 1h is shorter than lasting, 2h by default, and cuts it short",
    ),
    "boost longer than the cap that it has by default": (
        "        boost: {lasting: 270m, maximum: 14}", "270m",
        f"{Z}.boost.lasting: 270m is longer than cap, 4h, which cuts it short",
    ),
    "a slot for frost where there are none": (
        "        frost_slot: true", "true\n",
        f"{Z}.frost_slot: without effect: zone.1.setpoint of gymnase has no priority array",
    ),
    "boost that gives no warmth": (
        "        boost: {maximum: 11.5}", "11.5}", f"{Z}.boost.maximum: not above the reduced setpoint",
    ),
    "frost protection above frost": (
        "        frost_below: 9", "9\n", f"{Z}.frost_below: frost protection would act at the frost",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_warning_about_a_zone(valbourg: Town, name: str) -> None:
    words, place, message = ODD[name]
    valbourg.change(SALLE, f"{SALLE}\n{words}\n")
    line, column = valbourg.place(place)
    assert f"site.yaml:{line}:{column}: warning: {message}" in "\n".join(valbourg.found())


def test_a_boost_above_the_law(valbourg: Town) -> None:
    valbourg.change("allures: {comfort: 14, reduced: 12, frost: 8}", "allures: {comfort: 20, reduced: 12, frost: 8}")
    valbourg.change(SALLE, f"{SALLE}\n        boost: {{maximum: 20.5}}\n")
    assert any(f"{Z}.boost.maximum: 20.5 degrees C are above the legal 19" in line for line in valbourg.found())


def test_a_coast_of_a_zone_that_may_not_learn(valbourg: Town) -> None:
    valbourg.change("minutes_per_k: 12}", "minutes_per_k: 12, stop: 30m, learn: false}")
    line, column = valbourg.place("30m, learn")
    message = "without effect: learn is false, and a zone coasts by the nights that it has learnt from"
    assert valbourg.found() == [f"site.yaml:{line}:{column}: warning: {Z}.optimum_start.stop: {message}"]
    valbourg.change("stop: 30m, learn: false}", "stop: 0s, learn: false}")
    assert valbourg.found() == []


def test_a_slot_for_frost_where_the_setpoint_has_a_priority_array(valbourg: Town) -> None:
    school = "optimum_start: {cap: 3h, cap_after_vacancy: 24h, minutes_per_k: 45}\n"
    valbourg.change(school, f"{school}        frost_slot: true\n")
    assert valbourg.found() == []


SHEDDING = {
    "nothing at any level": ("{}", "gymnase.shedding.reduce: without effect: no level of the signal gives up anything"),
    "nothing at the levels there are": ("{2: 0}", "gymnase.shedding.reduce: without effect: no level of the signal"),
    "more than any zone gives": ("{1: 0.5, 3: 4}", "gymnase.shedding.reduce.3: 4 K are more than any zone gives"),
    "less than at a lower level": ("{1: 1, 2: 0.5}", "gymnase.shedding.reduce.2: less than at a lower level"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHEDDING)
def test_a_warning_about_shedding(valbourg: Town, name: str) -> None:
    reduce, message = SHEDDING[name]
    valbourg.change(SIGNALS, f"signals:\n  ecowatt: {{kind: ecowatt}}\n{SIGNALS}")
    valbourg.change(GYM, f"{GYM}    shedding: {{signal: ecowatt, reduce: {reduce}}}\n")
    found = valbourg.found()
    assert any(message in line for line in found), found
    assert not any("never used" in line for line in found)


def test_a_building_with_nothing_to_shed_and_a_signal_that_nobody_follows(valbourg: Town) -> None:
    valbourg.change(SIGNALS, f"signals:\n  ecowatt: {{kind: ecowatt}}\n  tempo: {{kind: tempo}}\n{SIGNALS}")
    valbourg.change(GYM, f"{GYM}    shedding: {{signal: ecowatt}}\n")
    valbourg.change(SALLE, f"{SALLE}\n        sheddable: false\n")
    found = "\n".join(valbourg.found())
    assert "buildings.gymnase.shedding.signal: no zone of the building is sheddable" in found
    assert "signals.tempo: never used" in found
