"""Groups in groups, relay patterns, contactors one after the other, least times on and off, and what a lamp is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.site import Group, LampType, Site, Upkeep
from controller.core.commands import Command
from controller.core.drive import expected_power_w, told_level
from controller.core.report import state_of
from controller.core.state import Draft, State
from controller.core.wiring import Wiring
from drivers.api import Outcome, Write, WriteResult
from tests.controller.cabinets import IMPAIR, PAIR, RELAYS, ROUTE, village, with_limits
from tests.controller.field import Field
from tests.controller.towns import CENTRE, ROADS, at, town

SECOND = timedelta(seconds=1)


def nested() -> Site:
    """The town with everything in one group around its two, one of which has its own plan."""
    site = town()
    groups = {
        "all": Group("all", CENTRE, groups=("centre-ville", "gare")),
        "centre-ville": replace(site.groups["centre-ville"], parent="all"),
        "gare": replace(site.groups["gare"], plan=ROADS, parent="all"),
    }
    return replace(site, groups=groups)


def running(site: Site, when: str) -> Field:
    field = Field(Wiring(site), at(when))
    field.start()
    field.poll()
    return field


def command(field: Field, target: str, name: str = "c1", **fields: Any) -> Command:
    kind, _, identity = target.partition("/")
    return Command(name, kind, identity, field.now, **fields)


def test_a_command_to_a_group_reaches_what_is_nested_in_it_and_is_answered_once() -> None:
    field = running(nested(), "2026-01-12 20:00")
    field.feed(command(field, "group/all", value=35.0, lasting=timedelta(hours=1), by="anne"))
    assert [field.value("cab-mairie", f"lamp.{n}.command") for n in range(1, 5)] == [35] * 4
    assert [field.value("cab-gare", f"lamp.{n}.command") for n in (1, 2)] == [35] * 2
    assert [(r.id, r.target, r.outcome, r.detail) for r in field.results] == [
        ("c1", "group/all", "applied", "6 applied")
    ]
    lamp = state_of(field.wiring, field.state, "lamp/g-1", field.now)
    assert (lamp["priority"], lamp["reason"]) == (10, "override of group/all by anne")
    field.advance(timedelta(minutes=61))
    assert field.value("cab-gare", "lamp.1.command") == 100


def test_the_nearest_override_wins() -> None:
    field = running(nested(), "2026-01-12 20:00")
    for name, target, level in (("a", "group/all", 30.0), ("b", "group/gare", 50.0), ("c", "lamp/g-1", 70.0)):
        field.feed(command(field, target, name, value=level))
    levels = [field.value("cab-gare", "lamp.1.command"), field.value("cab-gare", "lamp.2.command")]
    assert levels == [70, 50]
    assert field.value("cab-mairie", "lamp.1.command") == 30
    field.feed(command(field, "group/gare", "d", relinquish=True))
    assert [field.value("cab-gare", f"lamp.{n}.command") for n in (1, 2)] == [70, 30]


def test_a_groups_result_tells_of_those_that_did_not_follow() -> None:
    field = running(nested(), "2026-01-12 20:00")

    def refuse(write: Write) -> WriteResult | None:
        if (write.point.device, write.point.point) != ("cab-gare", "lamp.2.command"):
            return None
        return WriteResult(write, Outcome.REJECTED, field.now, detail="illegal value")

    field.refuse = refuse
    field.silent.add("cab-mairie")
    field.poll()
    field.feed(command(field, "group/all", value=35.0))
    assert [r.outcome for r in field.results] == ["rejected"]
    away = "lamp/m-1 pending: the device does not answer; written when it returns"
    assert field.results[0].detail == f"1 applied, 4 pending, 1 rejected; {away}"


def test_a_newer_command_overtakes_a_group_that_still_waits() -> None:
    field = running(nested(), "2026-01-12 20:00")
    field.refuse = lambda write: WriteResult(write, Outcome.NO_FEEDBACK, field.now) if write.value == 35.0 else None
    field.feed(command(field, "group/all", value=35.0))
    field.feed(command(field, "group/gare", "c2", value=20.0))
    assert [(r.id, r.outcome) for r in field.results] == [("c1", "no-feedback"), ("c2", "applied")]
    assert field.state.debts == {}


def test_an_override_of_a_group_survives_a_restart() -> None:
    from controller.core.journal import Saved

    field = running(nested(), "2026-01-12 20:00")
    field.feed(command(field, "group/all", value=35.0, lasting=timedelta(hours=2)))
    again = Field(field.wiring, field.now)
    again.start(Saved(overrides=field.state.overrides))
    again.poll()
    assert again.value("cab-gare", "lamp.1.command") == 35


def test_half_the_light_is_every_other_lamp() -> None:
    field = running(with_limits(village(stagger_s=0.0), 0.0, 0.0), "2026-11-24 16:00")
    found = {}
    for clock in ("17:00", "18:00", "22:00", "23:45"):
        field.until(at(f"2026-11-24 {clock}"))
        found[clock] = [field.value(RELAYS, point) for point in (PAIR, IMPAIR, ROUTE)]
    assert found == {"17:00": [0, 0, 0], "18:00": [1, 1, 1], "22:00": [1, 0, 1], "23:45": [0, 0, 1]}
    segment = state_of(field.wiring, field.state, "segment/rues-impair", field.now)
    assert segment["commanded"] is False
    lamp = state_of(field.wiring, field.state, "lamp/d-01", field.now)
    assert (lamp["commanded"], lamp["fed"], lamp["expected_power_w"], lamp["quality"]) == (100.0, True, 115.0, "good")
    assert "level" not in lamp, "nobody measures it"


@pytest.mark.parametrize(
    ("level", "closed"), [(0.0, (0, 0)), (1.0, (1, 0)), (50.0, (1, 0)), (50.5, (1, 1)), (100.0, (1, 1))]
)
def test_an_override_of_a_group_is_a_pattern_too(level: float, closed: tuple[int, int]) -> None:
    field = running(with_limits(village(stagger_s=0.0), 0.0, 0.0), "2026-11-24 12:30")
    field.feed(command(field, "group/rues", value=level))
    assert (field.value(RELAYS, PAIR), field.value(RELAYS, IMPAIR)) == closed


def test_a_lamp_without_a_node_takes_no_command() -> None:
    field = running(village(), "2026-11-24 20:00")
    field.feed(command(field, "lamp/r-01", value=100.0))
    assert [(r.outcome, r.detail) for r in field.results] == [
        ("refused", "the lamp has no node: command the segment that feeds it")
    ]


def closings(field: Field) -> list[tuple[float, str]]:
    """When contactors were told to close, in s since the first, and which."""
    found = [(step.state.at, write.point.point) for step in field.steps for write in step.writes if write.value == 1.0]
    return [((when - found[0][0]).total_seconds(), point) for when, point in found]


def test_contactors_close_one_after_the_other() -> None:
    field = running(village(stagger_s=3.0), "2026-11-24 17:20")
    field.until(at("2026-11-24 17:30"), every=SECOND)
    assert [gap for gap, _ in closings(field)] == [0.0, 3.0, 6.0]


def test_after_a_power_cut_of_the_cabinet_they_do_so_too() -> None:
    field = running(village(stagger_s=3.0), "2026-11-24 20:00")
    before = len(field.steps)
    field.silent.add(RELAYS)
    field.advance(timedelta(minutes=5))
    field.silent.clear()
    for point in (PAIR, IMPAIR, ROUTE):
        field.held[RELAYS, point] = 0.0
        field.held[RELAYS, point.replace("command", "feedback")] = 0.0
    field.advance(timedelta(minutes=1), every=SECOND)
    field.steps = field.steps[before:]
    assert [gap for gap, _ in closings(field)] == [0.0, 3.0, 6.0]


def test_what_is_closed_already_is_asserted_without_waiting_for_a_turn() -> None:
    field = running(village(stagger_s=3.0), "2026-11-24 20:00")
    field.until(at("2026-11-24 20:02"), every=SECOND)
    field.steps = field.steps[-1:]
    field.now += timedelta(minutes=20)
    field.feed()
    assert [gap for gap, _ in closings(field)] == [0.0, 0.0, 0.0]


def test_a_contactor_keeps_its_least_times() -> None:
    field = running(with_limits(village(stagger_s=0.0), 120.0, 300.0), "2026-11-24 12:30")
    field.feed(command(field, "segment/route", "on", value=100.0))
    assert field.value(RELAYS, ROUTE) == 0, "it may have been opened a moment before the start"
    field.advance(timedelta(minutes=6))
    assert field.value(RELAYS, ROUTE) == 1
    field.now += 10 * SECOND
    field.feed(command(field, "segment/route", "off", value=0.0))
    assert field.value(RELAYS, ROUTE) == 1
    waiting = state_of(field.wiring, field.state, "segment/route", field.now)
    assert (waiting["write"], waiting["detail"]) == ("pending", "least time on of 120 s")
    switched = field.state.outputs["segment/route"].held_since
    assert switched is not None
    field.until(switched + 119 * SECOND, every=SECOND)
    assert field.value(RELAYS, ROUTE) == 1
    field.until(switched + 121 * SECOND, every=SECOND)
    assert field.value(RELAYS, ROUTE) == 0
    field.feed(command(field, "segment/route", "again", value=100.0))
    opened = field.state.outputs["segment/route"].held_since
    assert opened is not None
    field.until(opened + 299 * SECOND, every=SECOND)
    assert field.value(RELAYS, ROUTE) == 0
    field.until(opened + 301 * SECOND, every=SECOND)
    assert field.value(RELAYS, ROUTE) == 1


def test_a_wish_that_goes_back_while_it_waits_switches_nothing() -> None:
    field = running(with_limits(village(stagger_s=0.0), 120.0, 300.0), "2026-11-24 12:30")
    field.advance(timedelta(minutes=6))
    field.feed(command(field, "segment/route", "on", value=100.0))
    field.feed(command(field, "segment/route", "off", value=0.0))
    field.feed(command(field, "segment/route", "on-again", value=100.0))
    field.advance(timedelta(minutes=10), every=SECOND)
    assert [write.value for write in field.writes_of(RELAYS) if write.point.point == ROUTE] == [1.0]


def test_hot_lamps_keep_their_contactor_open() -> None:
    target = Wiring(village()).targets["segment/route"]
    assert (target.min_on_s, target.min_off_s) == (120.0, 300.0), "as long as sodium takes to cool down"


CLO = LampType("clo", 100.0, clo=((0.0, 80.0), (50_000.0, 100.0)))


@pytest.mark.parametrize(
    ("kind", "burnt_h", "level", "told"),
    [
        (LampType("plain", 40.0, min_level=10.0), 0.0, 33.0, 33.0),
        (LampType("plain", 40.0, min_level=10.0), 0.0, 4.0, 10.0),
        (LampType("plain", 40.0, min_level=10.0), 0.0, 0.0, 0.0),
        (CLO, 0.0, 100.0, 80.0),
        (CLO, 25_000.0, 50.0, 45.0),
        (CLO, 90_000.0, 100.0, 100.0),
        (replace(CLO, clo_by_gear=True), 0.0, 100.0, 100.0),
        (replace(CLO, virtual_output=70.0), 0.0, 100.0, 56.0),
        (LampType("v", 40.0, virtual_output=70.0), 0.0, 60.0, 42.0),
        (LampType("u", 40.0, upkeep=Upkeep(80.0, timedelta(days=1000))), 0.0, 100.0, 90.0),
    ],
)
def test_what_a_lamp_is_told(kind: LampType, burnt_h: float, level: float, told: float) -> None:
    lamp = replace(town().lamps["m-1"], type=kind, burnt_h=burnt_h, cleaned=date(2026, 1, 12))
    assert told_level(Draft(State(at("2027-05-27 01:00")), at("2027-05-27 01:00")), lamp, level) == pytest.approx(told)


@given(st.floats(0, 100), st.floats(0, 120_000), st.floats(1, 100), st.floats(0, 50))
def test_no_lamp_is_told_more_than_was_decided_nor_less_than_it_holds(
    level: float, burnt_h: float, output: float, least: float
) -> None:
    kind = replace(CLO, virtual_output=output, min_level=least)
    lamp = replace(town().lamps["m-1"], type=kind, burnt_h=burnt_h)
    now = at("2026-11-24 22:00")
    told = told_level(Draft(State(now), now), lamp, level)
    assert (told == 0.0) == (level == 0.0)
    assert told == 0.0 or least <= told <= max(level + 0.5, least)


def test_gear_that_keeps_its_light_constant_is_expected_to_draw_less() -> None:
    now = at("2026-11-24 22:00")
    lamp = replace(town().lamps["m-1"], type=replace(CLO, clo_by_gear=True, standby_w=0.0), burnt_h=25_000.0)
    assert expected_power_w(Draft(State(now), now), lamp, 100.0) == pytest.approx(90.0)


def test_a_young_lamp_is_dimmed_and_says_why() -> None:
    site = town()
    lamps = {name: replace(lamp, type=CLO, burnt_h=10_000.0) for name, lamp in site.lamps.items()}
    field = running(replace(site, lamps=lamps), "2026-01-12 20:00")
    assert field.value("cab-mairie", "lamp.1.command") == 80.0, "its node counts: 0 h"
    lamp = state_of(field.wiring, field.state, "lamp/m-1", field.now)
    assert (lamp["commanded"], lamp["demand"], lamp["write"]) == (80.0, 100.0, "applied")
    assert lamp["drive"] == ["constant light output 80.0 % at 0 h"]
    assert lamp["expected_power_w"] == pytest.approx(80.1)
