"""Lighting at its edges: clocks that were set back, devices that are away, reloads while commands are on their way."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from config.site import PresenceSensor
from controller.core.cycle import adopt, cycle
from controller.core.report import state_of
from controller.core.wiring import Wiring
from drivers.api import Outcome, Write, WriteResult
from schedules.legal import LegalCategory, LegalHours
from tests.controller.cabinets import PAIR, RELAYS, ROUTE, village, with_limits
from tests.controller.test_core_lighting import closings, command, nested, running
from tests.controller.towns import at, town

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("right", "closed"), [("2026-01-12 20:00", 1.0), ("2026-01-12 13:00", 0.0)])
def test_contactors_switch_at_once_when_the_clock_was_set_back(right: str, closed: float) -> None:
    field = running(town(), "2026-01-22 13:00" if closed else "2026-01-22 20:00")
    field.advance(timedelta(minutes=2))
    field.now = at(right)
    field.poll()
    assert field.value("cab-gare", "segment.1.command") == closed


def test_staggered_contactors_close_when_the_clock_was_set_back() -> None:
    field = running(with_limits(village(stagger_s=2.0), 0.0, 0.0), "2026-12-04 20:00")
    field.until(at("2026-12-04 20:02"), every=SECOND)
    field.now = at("2026-11-24 13:00")
    field.poll()
    field.until(at("2026-11-24 18:00"))
    assert field.value(RELAYS, PAIR) == 1
    assert field.value(RELAYS, ROUTE) == 1


def test_a_command_that_changes_nothing_is_answered_while_the_device_is_away() -> None:
    field = running(nested(), "2026-01-12 20:00")
    field.silent.add("cab-mairie")
    field.poll()
    field.feed(command(field, "group/all", value=100.0))
    assert [(r.outcome, r.detail.partition(";")[0]) for r in field.results] == [("pending", "2 applied, 4 pending")]
    assert field.state.debts == {}


def test_a_device_that_goes_silent_with_the_write_on_its_way_answers_as_pending() -> None:
    field = running(nested(), "2026-01-12 20:00")
    held = cycle(field.wiring, field.state, (command(field, "lamp/m-1", value=20.0),), field.now)
    field.steps.append(held)
    field.silent.add("cab-mairie")
    field.poll()
    assert [(r.id, r.outcome) for r in field.results] == [("c1", "pending")]


def test_a_reload_keeps_what_a_group_is_owed() -> None:
    field = running(nested(), "2026-01-12 20:00")
    field.steps.append(cycle(field.wiring, field.state, (command(field, "group/gare", value=20.0),), field.now))
    field.take(adopt(field.wiring, field.state, field.now))
    field.advance(timedelta(minutes=1), SECOND)
    assert [(r.id, r.target, r.outcome) for r in field.results] == [("c1", "group/gare", "applied")]


def test_nobody_waits_for_lamps_that_a_reload_took_away() -> None:
    field = running(nested(), "2026-01-12 20:00")
    field.steps.append(cycle(field.wiring, field.state, (command(field, "group/gare", value=20.0),), field.now))
    site = nested()
    gone = {name: lamp for name, lamp in site.lamps.items() if not name.startswith("g-")}
    groups = {**site.groups, "gare": replace(site.groups["gare"], lamps=())}
    field.wiring = Wiring(replace(site, lamps=gone, groups=groups))
    field.take(adopt(field.wiring, field.state, field.now))
    assert field.state.debts == {}


def test_a_contactor_that_has_to_wait_says_so_at_once() -> None:
    field = running(with_limits(village(stagger_s=0.0), 0.0, 900.0), "2026-11-24 12:30")
    field.feed(command(field, "segment/route", value=100.0))
    assert [(r.outcome, r.detail) for r in field.results] == [("pending", "least time off of 900 s")]
    field.advance(timedelta(minutes=16))
    assert field.value(RELAYS, ROUTE) == 1


def test_a_contactor_without_feedback_takes_nobodys_turn() -> None:
    field = running(with_limits(village(stagger_s=20.0), 0.0, 0.0), "2026-11-24 17:00")

    def broken(write: Write) -> WriteResult | None:
        return WriteResult(write, Outcome.NO_FEEDBACK, field.now) if write.point.point == PAIR else None

    field.refuse = broken
    field.until(at("2026-11-24 18:00"), every=timedelta(seconds=5))
    closed = {point for _, point in closings(field)}
    assert closed == {PAIR, "segment.2.command", ROUTE}
    assert field.value(RELAYS, ROUTE) == 1


def test_a_release_while_the_closing_is_on_its_way_keeps_the_least_time() -> None:
    field = running(with_limits(village(stagger_s=0.0), 600.0, 0.0), "2026-11-24 12:30")
    field.advance(timedelta(minutes=2))
    on = cycle(field.wiring, field.state, (command(field, "segment/route", "on", value=100.0),), field.now)
    field.steps.append(on)
    field.now += SECOND
    off = command(field, "segment/route", "off", relinquish=True)
    field.steps.append(cycle(field.wiring, field.state, (off,), field.now))
    assert field.steps[-1].writes == ()
    for write in on.writes:
        field.held[RELAYS, ROUTE] = 1.0
        field.feed(WriteResult(write, Outcome.APPLIED, field.now, field.reading(RELAYS, ROUTE)))
    assert field.value(RELAYS, ROUTE) == 1
    field.advance(timedelta(minutes=9))
    assert field.value(RELAYS, ROUTE) == 1
    field.advance(timedelta(minutes=3))
    assert field.value(RELAYS, ROUTE) == 0


@pytest.mark.parametrize(("exempt", "level"), [(True, 80.0), (False, 0.0)])
def test_a_presence_lights_beyond_the_legal_hours_where_the_law_says_so(exempt: bool, level: float) -> None:
    site = town()
    category = LegalCategory("x", "x", "x", "a law", off_at=time(1), presence_exempt=exempt)
    hours = LegalHours(category)
    groups = {name: replace(group, legal=hours) for name, group in site.groups.items()}
    sensor = PresenceSensor("p", "cab-gare", 1, ("g-1",), 80.0, 120.0)
    points = (*site.devices["cab-gare"].points, "presence.1.detected")
    devices = {**site.devices, "cab-gare": replace(site.devices["cab-gare"], points=points)}
    field = running(replace(site, groups=groups, devices=devices, presence_sensors={"p": sensor}), "2026-01-12 23:30")
    field.until(at("2026-01-13 02:00"))
    field.held["cab-gare", "presence.1.detected"] = 1.0
    field.poll()
    field.poll()
    assert state_of(field.wiring, field.state, "lamp/g-1", field.now)["commanded"] == level


def test_overrides_of_what_is_gone_or_over_are_forgotten_on_disk_too() -> None:
    field = running(nested(), "2026-01-12 20:00")
    field.feed(command(field, "group/all", value=20.0))
    step = adopt(Wiring(town()), field.state, field.now)
    assert step.journal.overrides == {"group/all": None}
