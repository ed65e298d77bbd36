"""Legal hours at run time: plans are cut off, overrides refused or shortened, derogations named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from config.legal_hours import legal_categories
from config.site import Group, Site
from controller.core.commands import Command
from controller.core.cycle import adopt
from controller.core.report import state_of
from controller.core.timetable import timetable
from controller.core.wiring import Wiring
from schedules.legal import Derogation, LegalHours
from schedules.moments import parse_moment
from tests.controller.field import Field, names
from tests.controller.towns import at, town

FR = legal_categories("FR")
NOEL = Derogation("noel", date(2026, 1, 1), date(2026, 1, 31), parse_moment("03:00"), "2026-114", "préfecture")
FACADE = "legal hours of facade (arrêté du 27 décembre 2018, art. 1 d and 2): from sunset, off at 01:00"


def bound(site: Site, group: str, category: str, *derogations: Derogation) -> Site:
    """The town with one group under a law; the activity is the school's."""
    occupancy = site.zones["ecole.classes"].occupancy if FR[category].off_after else None
    legal = LegalHours(FR[category], occupancy, derogations)
    return replace(site, groups={**site.groups, group: replace(site.groups[group], legal=legal)})


def night(when: str, category: str = "facade", *derogations: Derogation, group: str = "gare") -> Field:
    """The town at ``when``; ``gare`` is lit from sunset to sunrise."""
    field = Field(Wiring(bound(town(), group, category, *derogations)), at(when))
    field.start()
    field.poll()
    return field


def lamp(field: Field) -> float:
    return field.value("cab-gare", "lamp.1.command")


def command(field: Field, key: str, name: str = "c1", **fields: Any) -> None:
    kind, _, target = key.partition("/")
    field.feed(Command(name, kind, target, field.now, **fields))


@pytest.mark.parametrize(
    ("category", "lit", "dark"),
    [
        ("facade", "2026-01-13 00:59", "2026-01-13 01:00"),
        ("car-park", "2026-01-12 19:29", "2026-01-12 19:30"),
        ("economic-site", "2026-01-12 18:29", "2026-01-12 18:30"),
    ],
)
def test_a_plan_that_goes_beyond_is_cut_off_at_the_minute(category: str, lit: str, dark: str) -> None:
    field = night("2026-01-12 18:00", category)
    field.until(at(lit), every=timedelta(minutes=10))
    assert lamp(field) == 100
    field.until(at(dark))
    assert lamp(field) == 0
    assert field.value("cab-gare", "segment.1.command") == 0
    shown = state_of(field.wiring, field.state, "lamp/g-1", field.now)
    assert (shown["priority"], shown["commanded"]) == (12, 0.0)
    assert str(shown["reason"]).startswith(f"legal hours of {category} (arrêté du 27 décembre 2018, art. 1 ")
    why = shown["why"]
    assert isinstance(why, list)
    assert [(wish["priority"], wish["source"]) for wish in why] == [
        (12, "legal-cap"), (13, "plan"), (17, "relinquish-default"),
    ]  # fmt: skip
    assert names(field.events).count("legal-cap") == 1


def test_it_is_lit_again_when_the_law_permits() -> None:
    field = night("2026-01-13 06:50", "car-park")
    assert lamp(field) == 0
    field.until(at("2026-01-13 07:00"))
    assert lamp(field) == 100


def test_a_start_in_the_forbidden_hours_begins_dark_and_the_daylight_is_not_told() -> None:
    field = night("2026-01-13 02:00")
    assert lamp(field) == 0
    assert names(field.events).count("legal-cap") == 1
    field.until(at("2026-01-13 12:30"), every=timedelta(minutes=15))
    assert names(field.events).count("legal-cap") == 1


def test_the_rest_of_a_ramp_goes_out_without_a_word() -> None:
    site = bound(town(), "centre-ville", "facade")
    plan = replace(site.plans["centre"].default, lit_to=parse_moment("01:00"), levels=(), ramp=timedelta(minutes=5))
    group = replace(site.groups["centre-ville"], plan=replace(site.plans["centre"], default=plan))
    field = Field(Wiring(replace(site, groups={**site.groups, "centre-ville": group})), at("2026-01-13 00:50"))
    field.start()
    assert field.value("cab-mairie", "lamp.1.command") == 100
    field.until(at("2026-01-13 01:00"))
    assert field.value("cab-mairie", "lamp.1.command") == 0
    assert "legal-cap" not in names(field.events)


def test_a_derogation_keeps_it_lit_and_is_told() -> None:
    field = night("2026-01-13 00:50", "facade", NOEL)
    field.until(at("2026-01-13 02:59"), every=timedelta(minutes=5))
    assert lamp(field) == 100
    (told,) = (event for event in field.events if event.name == "legal-derogation")
    assert told.facts["derogation"] == "2026-114"
    field.until(at("2026-01-13 03:00"))
    assert lamp(field) == 0


OUTSIDE = [("lamp/g-1", {"value": 40.0}), ("segment/gare-a", {"value": 100.0}), ("group/gare", {"value": 10.0})]


@pytest.mark.parametrize(("key", "fields"), OUTSIDE)
def test_an_override_outside_the_hours_is_refused(key: str, fields: dict[str, Any]) -> None:
    field = night("2026-01-13 02:00")
    command(field, key, **fields)
    assert [(r.outcome, r.detail) for r in field.results] == [
        ("refused", f"outside the {FACADE}; group gare not before Tue 12:00")
    ]
    assert field.state.overrides == {}
    assert lamp(field) == 0


def test_off_is_always_lawful() -> None:
    field = night("2026-01-13 02:00")
    command(field, "lamp/g-1", value=0.0)
    assert field.results[-1].outcome == "applied"


def test_an_override_ends_with_the_hours_and_says_so() -> None:
    field = night("2026-01-12 23:30")
    command(field, "lamp/g-1", value=40.0, lasting=timedelta(hours=3), reason="film")
    assert [(r.outcome, r.detail) for r in field.results] == [("applied", f"ends at 01:00 with the {FACADE}")]
    assert field.state.overrides["lamp/g-1"].until == at("2026-01-13 01:00")
    (told,) = (event for event in field.events if event.name == "override-set")
    assert told.facts["legal"] == f"ends at 01:00 with the {FACADE}"
    field.until(at("2026-01-13 01:00"), every=timedelta(minutes=10))
    assert lamp(field) == 0


def test_an_override_of_a_group_is_shortened_by_what_is_nested_in_it() -> None:
    site = bound(town(), "gare", "facade")
    groups: dict[str, Group] = {
        **site.groups,
        "gare": replace(site.groups["gare"], parent="centre-ville"),
        "centre-ville": replace(site.groups["centre-ville"], groups=("gare",)),
    }
    field = Field(Wiring(replace(site, groups=groups)), at("2026-01-12 23:30"))
    field.start()
    field.poll()
    command(field, "group/centre-ville", value=40.0, lasting=timedelta(hours=3))
    assert field.state.overrides["group/centre-ville"].until == at("2026-01-13 01:00")
    assert field.results[-1].detail.endswith(FACADE)


def test_under_a_derogation_the_override_stands_and_names_it() -> None:
    field = night("2026-01-13 00:30", "facade", NOEL)
    command(field, "lamp/g-1", value=40.0, lasting=timedelta(hours=2), reason="film", by="anne")
    assert (field.results[-1].outcome, field.results[-1].detail) == ("applied", "")
    assert field.state.overrides["lamp/g-1"].until == at("2026-01-13 02:30")
    shown = state_of(field.wiring, field.state, "lamp/g-1", field.now)
    assert shown["reason"] == "override by anne: film; derogation 2026-114 (préfecture)"
    (told,) = (event for event in field.events if event.name == "override-set")
    assert told.facts["derogation"] == "2026-114"


def test_a_derogation_that_is_not_needed_is_not_named() -> None:
    field = night("2026-01-12 22:00", "facade", NOEL)
    command(field, "lamp/g-1", value=40.0, reason="film")
    assert field.state.overrides["lamp/g-1"].reason == "film"


def test_streets_have_no_hours() -> None:
    field = night("2026-01-13 02:00", "public-road")
    command(field, "lamp/g-1", value=40.0)
    assert (field.results[-1].outcome, lamp(field)) == ("applied", 40.0)


def test_a_reload_brings_a_law_into_force() -> None:
    field = Field(Wiring(town()), at("2026-01-13 02:00"))
    field.start()
    field.poll()
    assert lamp(field) == 100
    field.wiring = Wiring(bound(town(), "gare", "facade"))
    field.take(adopt(field.wiring, field.state, field.now))
    field.poll()
    assert lamp(field) == 0


@pytest.mark.parametrize("category", FR)
def test_the_timetable_is_what_is_commanded(category: str) -> None:
    start, end = at("2026-01-12 12:00"), at("2026-01-14 12:00")
    field = night("2026-01-12 12:00", category)
    entries = list(timetable(field.wiring, start, end, ["group/gare", "segment/gare-a"]))
    when = start
    while when < end:
        field.until(when, every=timedelta(minutes=30))
        now = {each.target: each.level for each in entries if each.start <= when < each.end}
        assert (lamp(field), 100 * field.value("cab-gare", "segment.1.command")) == (
            now["group/gare"],
            now["segment/gare-a"],
        ), when
        when += timedelta(minutes=30)
