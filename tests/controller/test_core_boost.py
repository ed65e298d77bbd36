"""Warmth on demand: granted, shortened, refused, kept over a restart, ended; and commands to a whole building."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from config.site import BoostPolicy
from controller.core.commands import Command
from controller.core.cycle import adopt
from controller.core.wiring import Wiring
from schedules.allures import Allure, Setpoints
from tests.controller.field import Field, names
from tests.controller.rooms import BOOST, MINUTE, ZONE, commanded, level, school, shedding, started, told, zone_of
from tests.controller.towns import at

EVENING = "2026-01-12 19:00"
HOUR = timedelta(hours=1)


def boost(field: Field, number: int = 1, **fields: Any) -> None:
    field.feed(Command(f"b{number}", "zone", "ecole.classes", field.now, boost=True, by="anne", **fields))


def test_a_boost_is_comfort_for_the_time_of_the_policy() -> None:
    field = started(school(boost=BOOST), EVENING)
    boost(field, reason="parents' evening")
    assert commanded(field) == 19.0
    assert [(each.id, each.outcome) for each in field.results] == [("b1", "applied")]
    state = told(field)
    assert (state["priority"], state["reason"]) == (11, "boost by anne: parents' evening")
    assert (state["boost_until"], state["boosts"]) == ("2026-01-12T20:00:00Z", 1)
    assert (state["why"][0]["source"], state["until"]) == ("boost", "2026-01-12T20:00:00Z")
    field.advance(2 * HOUR + MINUTE)
    assert commanded(field) == 16.0
    assert [name for name in names(field.events) if name.startswith("boost")] == ["boost-set", "boost-ended"]
    assert "boost_until" not in told(field)


LASTING = [
    (timedelta(minutes=30), 30, ""),
    (timedelta(hours=9), 240, "shortened to 240 min, the cap of zone/ecole.classes"),
]


@pytest.mark.parametrize(("lasting", "minutes", "detail"), LASTING)
def test_for_is_what_was_asked_and_at_most_the_cap(lasting: timedelta, minutes: int, detail: str) -> None:
    field = started(school(boost=BOOST), EVENING)
    began = field.now
    boost(field, lasting=lasting)
    assert field.state.overrides["boost/zone/ecole.classes"].until == began + minutes * MINUTE
    assert field.results[-1].detail == detail


def test_another_one_extends_it_and_never_shortens_it() -> None:
    field = started(school(boost=BOOST), EVENING)
    boost(field, 1, lasting=HOUR)
    field.advance(30 * MINUTE)
    boost(field, 2, lasting=10 * MINUTE)
    assert field.state.overrides["boost/zone/ecole.classes"].until == at("2026-01-12 20:00")
    boost(field, 3, lasting=HOUR)
    assert field.state.overrides["boost/zone/ecole.classes"].until == at("2026-01-12 20:30")
    assert told(field)["boosts"] == 3


def test_a_zone_without_a_policy_refuses() -> None:
    field = started(school(), EVENING)
    boost(field)
    assert commanded(field) == 16.0
    assert (field.results[-1].outcome, field.results[-1].detail) == (
        "refused",
        "zone/ecole.classes has no boost: the site file has no policy for it",
    )


def test_it_is_at_most_what_the_policy_allows_and_never_colder_than_the_plan() -> None:
    warm = school(boost=BoostPolicy(maximum_c=18.0), setpoints=Setpoints(20.0, 16.0, 8.0))
    field = started(warm, EVENING)
    boost(field)
    assert commanded(field) == 18.0
    day = started(warm, "2026-01-12 10:00")
    boost(day)
    assert commanded(day) == 20.0


def test_an_override_hides_it_and_release_ends_both() -> None:
    field = started(school(boost=BOOST), EVENING)
    field.feed(Command("o", "zone", "ecole.classes", field.now, value=17.0))
    boost(field)
    assert (commanded(field), commanded(field, slot=10)) == (19.0, 17.0)
    field.feed(Command("r", "zone", "ecole.classes", field.now, relinquish=True))
    assert (commanded(field), commanded(field, slot=10)) == (16.0, None)
    assert not field.state.overrides


def test_it_goes_before_shedding() -> None:
    site = school(boost=BOOST, building=shedding())
    field = started(site, "2026-01-12 10:00")
    field.feed(level(field, 3))
    assert commanded(field) == 17.0
    boost(field)
    assert commanded(field) == 19.0


def test_a_restart_keeps_it_with_its_end() -> None:
    field = started(school(boost=BOOST), EVENING)
    boost(field)
    again = Field(field.wiring, field.now + HOUR, held=field.held)
    again.start(field.saved())
    assert again.state.overrides["boost/zone/ecole.classes"].until == at("2026-01-12 21:00")
    assert commanded(again) == 19.0
    assert told(again)["boosts"] == 1
    again.advance(HOUR + MINUTE)
    assert commanded(again) == 16.0


def to_building(field: Field, number: int = 1, **fields: Any) -> None:
    field.feed(Command(f"c{number}", "building", "ecole", field.now, by="anne", **fields))


def test_a_building_is_stopped_and_given_back_by_one_command() -> None:
    site = zone_of(school(), "cantine", setpoints=Setpoints(18.0, 15.0, 7.0, 6.0))
    field = started(site, "2026-01-12 10:00")
    to_building(field, 1, allure=Allure.OFF, lasting=timedelta(hours=20), reason="works")
    assert [commanded(field, name, 10) for name in ("classes", "cantine")] == [5.0, 6.0]
    assert [(each.id, each.target, each.outcome, each.detail) for each in field.results] == [
        ("c1", "building/ecole", "applied", "2 applied")
    ]
    state = told(field, "building/ecole")
    assert (state["override"], state["override_by"], state["override_until"]) == ("off", "anne", "2026-01-13T05:00:00Z")
    assert told(field)["reason"] == "override of building/ecole by anne: works"
    to_building(field, 2, relinquish=True)
    assert [commanded(field, name, 10) for name in ("classes", "cantine")] == [None, None]
    assert field.results[-1].id == "c2"
    assert "override" not in told(field, "building/ecole")


def test_a_zone_s_own_override_goes_before_that_of_its_building() -> None:
    field = started(school(), "2026-01-12 10:00")
    field.feed(Command("z", "zone", "ecole.classes", field.now, value=20.0))
    to_building(field, value=17.0)
    assert [commanded(field, name, 10) for name in ("classes", "cantine")] == [20.0, 17.0]
    assert told(field, "building/ecole")["override"] == 17.0


def test_what_a_zone_cannot_hold_is_refused_for_the_whole_building() -> None:
    field = started(school(), "2026-01-12 10:00")
    to_building(field, value=31.0)
    assert field.results[-1].detail == "out of range: 31 is not within 5 to 30"
    assert not field.state.overrides


@pytest.mark.parametrize("name", ["nowhere", "mairie"])
def test_an_unknown_building_is_refused(name: str) -> None:
    field = started(school(), "2026-01-12 10:00")
    field.feed(Command("x", "building", name, field.now, allure=Allure.FROST))
    assert field.results[-1].outcome == "refused"
    assert "unknown target" in field.results[-1].detail


def test_one_zone_that_is_held_by_a_hand_is_told_in_the_buildings_result() -> None:
    field = started(school(), "2026-01-12 10:00")
    field.slots["ecole", "zone.2.setpoint"][8] = 22.0
    to_building(field, allure=Allure.REDUCED)
    (result,) = field.results
    assert result.outcome == "masked"
    assert result.detail.startswith("1 applied, 1 masked; zone/ecole.cantine masked")


def test_a_restart_keeps_the_building_stopped() -> None:
    field = started(school(), "2026-01-12 10:00")
    to_building(field, allure=Allure.OFF, lasting=timedelta(hours=3))
    again = Field(field.wiring, field.now + HOUR, held=field.held)
    again.start(field.saved())
    assert commanded(again, slot=10) == 5.0
    assert commanded(again, "cantine", 10) == 5.0
    again.advance(2 * HOUR + MINUTE)
    assert commanded(again, slot=10) is None


def test_a_policy_that_is_taken_away_takes_its_boost_with_it() -> None:
    field = started(school(boost=BOOST), EVENING)
    boost(field)
    without = replace(field.wiring.site.zones["ecole.classes"], boost=None)
    site = replace(field.wiring.site, zones={**field.wiring.site.zones, "ecole.classes": without})
    field.wiring = Wiring(site)
    field.take(adopt(field.wiring, field.state, field.now))
    assert commanded(field) == 16.0
    assert told(field).get("boost_until") is None
    assert ZONE in field.wiring.targets
