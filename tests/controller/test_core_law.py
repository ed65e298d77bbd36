"""The law of temperatures: 19, 16 and 8 by the hours, on the average of the building."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.site import LawGuard, Site
from controller.core.commands import Command
from controller.core.cycle import adopt
from controller.core.wiring import Wiring
from schedules.allures import Allure, Setpoints
from schedules.occupancy import Occupancy
from tests.controller.field import Field
from tests.controller.rooms import MINUTE, commanded, hours, school, started, told, zone_of
from tests.controller.towns import at

ALARM = ("building/ecole", "legalTemperature")
WARM = Setpoints(21.0, 17.0, 10.0)
ONE_DAY_OFF = hours(mon="08:00-17:30", wed="08:00-17:30")  # 38.5 h from Monday's to Wednesday's
THREE_DAYS = hours(mon="08:00-17:30", fri="08:00-17:30")


def one(law: LawGuard, occupancy: Occupancy | None = None, setpoints: Setpoints = WARM) -> Site:
    changes = {} if occupancy is None else {"occupancy": occupancy}
    return school("a", building={"law": law}, setpoints=setpoints, optimum_start=None, **changes)


RULES = [
    ("2026-01-12 10:00", None, 21.0, 19.0, "occupied (R241-26)"),
    ("2026-01-12 20:00", None, 17.0, 17.0, ""),  # vacant for 14.5 h: no rule but the 19
    ("2026-01-12 20:00", ONE_DAY_OFF, 17.0, 16.0, "vacant for 24 to 48 h (R241-27)"),
    ("2026-01-12 17:31", ONE_DAY_OFF, 17.0, 16.0, "vacant for 24 to 48 h (R241-27)"),
    ("2026-01-12 20:00", THREE_DAYS, 10.0, 8.0, "vacant for 48 h or more (R241-27)"),
    ("2026-01-17 12:00", None, 10.0, 8.0, "vacant for 48 h or more (R241-27)"),
]


@pytest.mark.parametrize(("when", "occupancy", "planned", "lawful", "words"), RULES)
def test_each_rule_by_the_length_of_the_vacancy(
    when: str, occupancy: Occupancy | None, planned: float, lawful: float, words: str
) -> None:
    off, warn, clamp = (started(one(law, occupancy), when, a=15.0) for law in LawGuard)
    for field in (off, warn, clamp):
        field.advance(MINUTE)
    assert [commanded(field, "a") for field in (off, warn, clamp)] == [planned, planned, lawful]
    assert ALARM not in off.state.alarms
    assert ALARM not in clamp.state.alarms
    assert (ALARM in warn.state.alarms) is bool(words)
    if words:
        alarm = warn.state.alarms[ALARM]
        assert (alarm.severity, alarm.value, alarm.threshold) == ("minor", planned, lawful)
        assert alarm.detail == (
            f"{planned:.1f} degrees C commanded on average, {lawful:.1f} allowed "
            f"(ecole.a {planned:g}, {lawful:g} allowed: {words})"
        )
        state = told(clamp, "zone/ecole.a")
        assert (state["why"][0]["source"], state["priority"]) == ("legal-cap", 12)
        assert state["reason"].startswith(f"{lawful:g} degrees C at most: {words}; the plan has {planned:.1f} on the")


def test_the_alarm_ends_with_what_it_was_about() -> None:
    field = started(one(LawGuard.WARN), "2026-01-12 17:00", a=19.0)
    field.advance(MINUTE)
    assert field.state.alarms[ALARM].raised is not None
    field.until(at("2026-01-12 17:35"))
    assert ALARM not in field.state.alarms


def test_a_closing_before_a_long_vacancy_raises_nothing_for_a_moment() -> None:
    site = school("a", "b", building={"law": LawGuard.WARN}, setpoints=Setpoints(19.0, 16.0, 8.0), optimum_start=None)
    site = zone_of(site, "b", occupancy=hours(mon="08:00-13:30", tue="08:00-13:30"))
    site = zone_of(site, "a", occupancy=hours(mon="08:00-17:30", tue="08:00-16:30"))
    field = started(site, "2026-01-12 10:00")
    field.until(at("2026-01-13 18:00"))
    assert (commanded(field, "a"), commanded(field, "b")) == (8.0, 8.0)
    assert [event for event in field.events if event.name == "alarm"] == []


def test_an_operators_wish_is_told_and_not_taken_back() -> None:
    field = started(one(LawGuard.CLAMP, setpoints=Setpoints(19.0, 16.0, 8.0)), "2026-01-12 10:00", a=19.0)
    field.advance(MINUTE)
    assert ALARM not in field.state.alarms
    field.feed(Command("o", "zone", "ecole.a", field.now, value=22.0))
    assert commanded(field, "a", 10) == 22.0
    assert field.state.alarms[ALARM].value == 22.0


def test_a_hand_that_stays_into_a_vacancy_is_told_when_the_vacancy_begins() -> None:
    field = started(one(LawGuard.WARN, setpoints=Setpoints(19.0, 16.0, 8.0)), "2026-01-16 17:00", a=19.0)
    field.feed(Command("o", "zone", "ecole.a", field.now, allure=Allure.COMFORT))
    field.advance(MINUTE)
    assert ALARM not in field.state.alarms
    field.until(at("2026-01-16 17:32"))
    assert field.state.alarms[ALARM].threshold == 8.0


def test_warming_up_for_an_opening_is_no_vacancy() -> None:
    field = started(school("a", building={"law": LawGuard.CLAMP}), "2026-01-18 23:00", a=8.0)
    field.until(at("2026-01-19 03:00"))
    assert commanded(field, "a") == 19.0
    assert ALARM not in field.state.alarms


AREAS = [
    (None, None, 20.0),  # 20 and 18: 19 on the average
    (100.0, 100.0, 20.0),
    (300.0, 100.0, 19.0),  # 19.5
    (100.0, 300.0, 20.0),  # 18.5
    (300.0, None, 20.0),  # one area unknown: all the same
]


@pytest.mark.parametrize(("first", "second", "lawful"), AREAS)
def test_the_average_is_what_counts_weighted_by_area(first: float | None, second: float | None, lawful: float) -> None:
    site = school("a", "b", building={"law": LawGuard.CLAMP})
    site = zone_of(site, "a", setpoints=Setpoints(20.0, 16.0, 8.0), area_m2=first)
    site = zone_of(site, "b", setpoints=Setpoints(18.0, 16.0, 8.0), area_m2=second)
    field = started(site, "2026-01-12 10:00")
    field.advance(MINUTE)
    assert (commanded(field, "a"), commanded(field, "b")) == (lawful, 18.0)


def test_another_zones_hours_change_what_is_left() -> None:
    site = school("a", "b", building={"law": LawGuard.CLAMP}, optimum_start=None)
    site = zone_of(site, "a", setpoints=Setpoints(20.0, 16.0, 8.0))
    site = zone_of(site, "b", setpoints=Setpoints(18.0, 16.0, 8.0), occupancy=hours(mon="08:00-12:00"))
    field = started(site, "2026-01-12 11:00")
    field.advance(MINUTE)
    assert commanded(field, "a") == 20.0
    field.until(at("2026-01-12 12:03"))  # b: a vacancy of a week, kept at 8 of 8: it gives no room any more
    assert (commanded(field, "a"), commanded(field, "b")) == (19.0, 8.0)


def test_switched_off_by_a_reload_it_forgets_its_alarm() -> None:
    field: Field = started(one(LawGuard.WARN), "2026-01-12 10:00", a=19.0)
    field.advance(MINUTE)
    site = field.wiring.site
    ecole = replace(site.buildings["ecole"], law=LawGuard.OFF)
    field.wiring = Wiring(replace(site, buildings={"ecole": ecole}))
    field.take(adopt(field.wiring, field.state, field.now))
    field.advance(MINUTE)
    assert ALARM not in field.state.alarms


def test_a_reload_judges_anew() -> None:
    field = started(one(LawGuard.OFF), "2026-01-12 10:00", a=19.0)
    site = field.wiring.site
    ecole = replace(site.buildings["ecole"], law=LawGuard.WARN)
    field.wiring = Wiring(replace(site, buildings={"ecole": ecole}))
    field.take(adopt(field.wiring, field.state, field.now))
    field.advance(MINUTE)
    assert field.state.alarms[ALARM].raised is not None
