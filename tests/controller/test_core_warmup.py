"""Optimum start that learns: which mornings count, what survives, what a liar may not do, and optimum stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import OptimumStart, Zone
from controller.core.commands import Command
from controller.core.cycle import adopt
from controller.core.warmth import Knowledge, read, written
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from schedules.allures import Setpoints
from schedules.occupancy import DatedException, parse_weekly
from tests.controller.field import Field, names
from tests.controller.towns import at, town

SETPOINT = ("ecole", "zone.1.setpoint")
CLASSES, CANTINE = "ecole.classes", "ecole.cantine"
FALLING_K_MIN, RISING_K_MIN = 0.004, 0.02
"""What the rooms of this school do in a minute: cool by 0.24 K/h, warm up by 1.2 K/h."""


class School:
    """Two rooms that warm up and cool evenly, the boiler burning while anything heats."""

    def __init__(
        self, when: str, room_c: float = 17.0, bounds: OptimumStart | None = None, hides: tuple[str, ...] = ()
    ) -> None:
        site = heating_of(town())
        device = site.devices["ecole"]
        seen = tuple(point for point in device.points if point not in hides)
        site = replace(site, devices={**site.devices, "ecole": replace(device, points=seen)})
        bounds = bounds or OptimumStart(minutes_per_k=30.0)
        zones = {name: replace(zone, optimum_start=bounds, window=None) for name, zone in site.zones.items()}
        self.field = Field(Wiring(replace(site, zones=zones)), at(when))
        self.dead = False
        self.rising_k_min = RISING_K_MIN
        for number in (1, 2):
            self.field.held["ecole", f"zone.{number}.temperature"] = room_c
        self.field.held["ecole", "outdoor.temperature"] = 5.0
        self.field.start()

    def until(self, when: str) -> None:
        while self.field.now < at(when):
            self.step()

    def step(self, minutes: int = 5) -> None:
        field, heated = self.field, False
        for number in (1, 2):
            slots = field.slots.get(("ecole", f"zone.{number}.setpoint")) or {13: 16.0}
            room_c, setpoint_c = field.held["ecole", f"zone.{number}.temperature"], slots[min(slots)]
            heats = room_c < setpoint_c - 0.1 and not self.dead
            heated |= heats
            room_c += minutes * (self.rising_k_min if heats else -FALLING_K_MIN)
            field.held["ecole", f"zone.{number}.temperature"] = room_c
            field.held["ecole", f"zone.{number}.heating"] = 100.0 if room_c < setpoint_c else 0.0
        field.held["ecole", "boiler.status"] = float(heated)
        field.held["ecole", "boiler.power"] = 60.0 * heated
        field.advance(timedelta(minutes=minutes), timedelta(minutes=minutes))

    def known(self, zone: str = CLASSES) -> Knowledge:
        return self.field.state.rooms[zone].warmup.known

    def openings(self, zone: str = CLASSES) -> list[dict[str, object]]:
        return [dict(e.facts) for e in self.field.events if e.name == "opening" and e.target == f"zone/{zone}"]


def test_the_third_morning_is_right_within_minutes() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-15 08:05")
    first, second, third = school.openings()
    assert abs(float(str(first["ready_error_min"]))) > 30, "30 min/K, and the room takes 50"
    assert abs(float(str(third["ready_error_min"]))) < 15
    assert 18.5 <= float(str(third["temperature_c"])) < 19.0
    reason = next(e for e in reversed(school.field.events) if e.name == "preheat").facts["basis"]
    assert reason == "learnt from 2 mornings"
    assert second["temperature_c"] != first["temperature_c"]


def window(school: School) -> None:
    school.field.held["ecole", "zone.1.temperature"] -= 6.0


def hand(school: School) -> None:
    school.field.slots[SETPOINT][8] = 17.0


def override(school: School) -> None:
    wish = Command("c1", "zone", CLASSES, school.field.now, value=18.0, lasting=timedelta(hours=1))
    school.field.feed(wish)


def silence(school: School) -> None:
    school.field.silent.add("ecole")


def nothing(school: School) -> None:
    pass


MORNINGS: list[tuple[str, Callable[[School], None], bool]] = [
    ("a clean one", nothing, True),
    ("the temperature falls by six degrees", window, False),
    ("a hand at priority 8", hand, False),
    ("an override", override, False),
    ("the device is silent for an hour", silence, False),
]


@pytest.mark.parametrize(("what", "happens", "counts"), MORNINGS, ids=[each[0] for each in MORNINGS])
def test_only_a_clean_morning_is_learnt_from(what: str, happens: Callable[[School], None], counts: bool) -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-13 07:00")
    assert CLASSES in {e.target.removeprefix("zone/") for e in school.field.events if e.name == "preheat"}
    happens(school)
    school.until("2026-01-13 07:55")
    school.field.silent.clear()
    school.until("2026-01-13 08:05")
    assert school.known().normal.mornings == int(counts)
    assert ("not_learnt" in school.openings()[-1]) is not counts
    assert school.known(CANTINE).normal.mornings == int(counts or happens in (window, hand, override)), (
        "its own morning"
    )


def test_a_morning_without_the_plant_teaches_nothing() -> None:
    school = School("2026-01-12 18:00")
    school.dead = True
    school.until("2026-01-13 08:05")
    assert school.known().normal.mornings == 0


def test_a_room_that_was_not_warm_by_the_opening_teaches_all_the_same() -> None:
    school = School("2026-01-12 18:00", bounds=OptimumStart(cap=timedelta(hours=1), minutes_per_k=60.0))
    school.until("2026-01-13 08:05")
    assert school.known().normal.mornings == 1
    opening = school.openings()[-1]
    assert float(str(opening["temperature_c"])) < 18.5
    assert float(str(opening["preheat_actual_min"])) > 60, "as it would have gone on"


def test_one_bad_morning_does_not_ruin_what_is_known() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-16 08:05")
    school.rising_k_min = RISING_K_MIN / 4.0  # the boiler is weak for once
    school.until("2026-01-20 08:05")
    school.rising_k_min = RISING_K_MIN
    school.until("2026-01-22 08:05")
    assert float(str(school.openings()[-1]["temperature_c"])) >= 18.5
    assert abs(float(str(school.openings()[-1]["ready_error_min"]))) < 45


def test_a_long_vacancy_has_a_model_of_its_own() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-19 08:05")
    known = school.known()
    assert (known.normal.mornings, known.vacancy.mornings) == (4, 1)


def test_a_zone_that_knows_nothing_asks_its_neighbours() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-13 08:05")
    field = school.field
    kept = {name: each for name, each in field.saved().kept.items() if name != f"warmup/{CLASSES}"}
    later = Field(field.wiring, at("2026-01-13 18:00"), held=field.held)
    later.start(replace(field.saved(), kept=kept))
    school.field = later
    school.until("2026-01-14 07:30")
    basis = {e.target: e.facts["basis"] for e in later.events if e.name == "preheat"}
    assert basis[f"zone/{CLASSES}"] == "learnt from 1 other zone of the building"
    assert basis[f"zone/{CANTINE}"] == "learnt from 1 morning"


def test_what_is_learnt_survives_a_restart_and_so_does_a_running_preheat() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-14 07:30")
    before, field = school.known(), school.field
    assert before.normal.mornings == 1
    assert before.running is not None
    field.held["ecole", "zone.1.temperature"] = 18.4  # less than it takes to begin anew
    again = Field(field.wiring, field.now, held=field.held, slots=field.slots)
    again.start(field.saved())
    again.poll()
    assert again.state.rooms[CLASSES].warmup.known.normal == before.normal
    assert again.slots[SETPOINT][13] == 19.0
    school.field = again
    school.until("2026-01-14 08:05")
    assert school.openings()[-1]["not_learnt"] == "the daemon was restarted meanwhile"


def test_a_preheat_that_a_clock_ahead_began_is_planned_anew_by_the_one_of_now() -> None:
    school = School("2026-01-13 20:00", room_c=17.0)
    school.until("2026-01-14 07:50")
    assert (school.known().running, school.field.slots[SETPOINT][13]) == (at("2026-01-14 08:00"), 19.0)
    field = school.field
    again = Field(field.wiring, at("2026-01-14 00:00"), held=dict(field.held))
    for number in (1, 2):
        again.held["ecole", f"zone.{number}.temperature"] = 17.0
    again.start(field.saved())
    again.advance(timedelta(minutes=10))
    assert again.slots[SETPOINT][13] == 16.0
    school.field = again
    school.until("2026-01-14 07:50")
    assert again.slots[SETPOINT][13] == 19.0


@pytest.mark.parametrize("document", ["", "{}", "null", "[1]", '{"normal": 3}', written(Knowledge())[:-3]])
def test_a_spoilt_document_is_no_knowledge(document: str) -> None:
    assert read(document) == Knowledge()


def test_a_document_is_read_as_it_was_written() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-14 07:30")
    known = school.known()
    assert read(written(known)) == known
    assert json.loads(written(known))["normal"]["mornings"] == 1


def test_never_before_the_cap_nor_after_the_opening() -> None:
    school = School("2026-01-12 18:00", room_c=9.0)
    school.until("2026-01-15 08:05")
    for event in school.field.events:
        if event.name == "preheat":
            opening = event.facts["opening"]
            assert timedelta() < opening - event.at <= timedelta(hours=3, minutes=5)  # type: ignore[operator]


def test_learn_false_keeps_to_the_fallback() -> None:
    school = School("2026-01-12 18:00", bounds=OptimumStart(minutes_per_k=30.0, learn=False))
    school.until("2026-01-14 08:05")
    assert {e.facts["basis"] for e in school.field.events if e.name == "preheat"} == {"30 min/K"}


def test_a_room_that_comes_too_early_after_a_weekend_is_held_until_the_last_kelvins_are_due() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-18 12:00")
    school.field.held["ecole", "zone.1.temperature"] = 11.0
    commanded: list[float] = []
    room_c = 0.0
    while school.field.now < at("2026-01-19 08:00"):
        before = room_c
        school.step()
        room_c = school.field.held["ecole", "zone.1.temperature"]
        setpoint_c = school.field.slots[SETPOINT][13]
        if not commanded or commanded[-1] != setpoint_c:
            commanded.append(setpoint_c)
        assert room_c > before - 0.1 or setpoint_c < 19.0, "once begun it never falls"
    assert commanded == [8.0, 19.0, 18.0, 19.0]
    opening = school.openings()[-1]
    assert float(str(opening["temperature_c"])) >= 18.5
    assert abs(float(str(opening["ready_error_min"]))) < 45
    assert school.known().vacancy.mornings == 1


def test_a_core_that_begins_waits_for_its_devices_before_it_preheats_blind() -> None:
    site = town()
    zones = {name: replace(zone, window=None) for name, zone in site.zones.items()}
    field = Field(Wiring(replace(site, zones=zones)), at("2026-01-13 06:00"))
    field.held["ecole", "zone.1.temperature"] = 18.9
    field.silent.add("ecole")
    field.start()
    field.advance(timedelta(minutes=1), timedelta(minutes=1))
    assert "preheat" not in names(field.events), "two minutes are no reason to take it for 16 degrees"
    field.silent.clear()
    field.advance(timedelta(minutes=9), timedelta(minutes=1))
    assert [e.target for e in field.events if e.name == "preheat"] == []
    silent = Field(field.wiring, at("2026-01-13 06:45"), silent={"ecole"})
    silent.start()
    silent.advance(timedelta(minutes=10), timedelta(minutes=1))
    assert names(silent.events).count("preheat") == 2, "nobody answers: as if it had fallen to its setpoint"


def test_coasts_before_the_closing_once_nights_have_shown_how_it_cools() -> None:
    bounds = OptimumStart(minutes_per_k=30.0, stop=timedelta(minutes=45))
    school = School("2026-01-12 17:00", 18.95, bounds)
    school.until("2026-01-12 17:25")
    assert "coast" not in names(school.field.events), "nothing is known yet"
    school.until("2026-01-16 17:15")
    coasts = [e for e in school.field.events if e.name == "coast" and e.target == f"zone/{CLASSES}"]
    assert coasts
    assert school.field.slots[SETPOINT][13] == 16.0
    school.until("2026-01-16 17:30")
    assert school.field.held["ecole", "zone.1.temperature"] >= 18.5


def test_a_coast_that_goes_too_far_is_given_up_for_the_day() -> None:
    school = School("2026-01-12 17:00", 18.95, OptimumStart(minutes_per_k=30.0, stop=timedelta(minutes=45)))
    school.until("2026-01-16 17:15")
    school.field.held["ecole", "zone.1.temperature"] = 18.2
    school.until("2026-01-16 17:25")
    assert school.field.slots[SETPOINT][13] == 19.0


def test_a_preheat_whose_opening_was_called_off_is_forgotten() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-13 07:30")
    assert school.known().running == at("2026-01-13 08:00")
    site, zones = school.field.wiring.site, {}
    for name, zone in site.zones.items():
        off = DatedException(at("2026-01-13 12:00").date(), None, False, "strike")
        zones[name] = replace(zone, occupancy=replace(zone.occupancy, exceptions=(off,)))
    school.field.wiring = Wiring(replace(site, zones=zones))
    school.until("2026-01-13 08:30")
    assert school.known().running is None
    assert school.field.slots[SETPOINT][13] == 16.0


def reloaded(school: School, change: Callable[[Zone], Zone]) -> None:
    """SIGHUP with another configuration of every zone."""
    field = school.field
    site = field.wiring.site
    field.wiring = Wiring(replace(site, zones={name: change(zone) for name, zone in site.zones.items()}))
    field.take(adopt(field.wiring, field.state, field.now))


def closed_today(zone: Zone) -> Zone:
    off = DatedException(at("2026-01-13 12:00").date(), None, False, "strike")
    return replace(zone, occupancy=replace(zone.occupancy, exceptions=(off,)))


def without_optimum_start(zone: Zone) -> Zone:
    return replace(zone, optimum_start=None)


def comfort_at_17(zone: Zone) -> Zone:
    return replace(zone, setpoints=Setpoints(17.0, 16.0, 8.0))


def the_same(zone: Zone) -> Zone:
    return zone


RELOADS: list[tuple[Callable[[Zone], Zone], float]] = [
    (closed_today, 16.0), (without_optimum_start, 16.0), (comfort_at_17, 16.0), (the_same, 19.0),
]  # fmt: skip


@pytest.mark.parametrize(("change", "setpoint_c"), RELOADS, ids=[each[0].__name__ for each in RELOADS])
def test_a_preheat_goes_on_only_as_long_as_the_configuration_has_its_reason(
    change: Callable[[Zone], Zone], setpoint_c: float
) -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-13 07:30")
    assert school.field.slots[SETPOINT][13] == 19.0
    assert school.field.held["ecole", "zone.1.temperature"] > 17.0
    reloaded(school, change)
    school.step()
    assert school.field.slots[SETPOINT][13] == setpoint_c
    going_on = change is the_same
    assert (school.field.state.rooms[CLASSES].warmup.climb is not None) is going_on
    assert (school.known().running is not None) is going_on


def test_a_preheat_for_less_comfort_is_planned_anew() -> None:
    school = School("2026-01-12 18:00")
    school.until("2026-01-13 07:00")
    school.field.held["ecole", "zone.1.temperature"] = 15.0
    school.step()
    assert school.field.slots[SETPOINT][13] == 19.0
    reloaded(school, comfort_at_17)
    assert school.field.slots[SETPOINT][13] == 17.0
    assert school.known().running == at("2026-01-13 08:00")
    assert [e.target for e in school.field.events if e.name == "preheat"].count(f"zone/{CLASSES}") == 2


def closes_later(zone: Zone) -> Zone:
    return replace(zone, occupancy=replace(zone.occupancy, weekly=parse_weekly({"mon-fri": ["08:00-19:00"]})))


@pytest.mark.parametrize(
    ("change", "setpoint_c"), [(closes_later, 19.0), (without_optimum_start, 19.0), (the_same, 16.0)]
)
def test_a_coast_goes_on_only_as_long_as_the_configuration_has_its_reason(
    change: Callable[[Zone], Zone], setpoint_c: float
) -> None:
    school = School("2026-01-12 17:00", 18.95, OptimumStart(minutes_per_k=30.0, stop=timedelta(minutes=45)))
    school.until("2026-01-16 17:15")
    assert school.field.slots[SETPOINT][13] == 16.0
    reloaded(school, change)
    school.step()
    assert school.field.slots[SETPOINT][13] == setpoint_c


def test_a_fast_zone_is_preheated_on_a_mild_night_too_and_unlearns_its_bias() -> None:
    school = School("2026-01-12 18:00")
    school.rising_k_min = 0.3  # air heating: warm before the first observation
    school.until("2026-01-16 08:05")
    bias_min = school.known().normal.bias_min
    assert bias_min < -20
    assert school.known().normal.mornings == 4
    school.until("2026-01-20 07:00")
    school.field.held["ecole", "zone.1.temperature"] = 18.6
    school.until("2026-01-20 08:05")
    opening = school.openings()[-1]
    assert float(str(opening["temperature_c"])) >= 18.5
    assert school.known().normal.mornings == 5
    assert school.known().normal.bias_min > bias_min
