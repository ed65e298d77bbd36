"""An open window by the slope of the room: what is one, what is none, how it ends."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from config.site import WindowRule
from controller.core.heating import window
from controller.core.state import Draft
from tests.controller.field import Field, names
from tests.controller.rooms import MINUTE, ZONE, commanded, school, started, told, warm

MORNING = "2026-01-12 10:00"
ID = "ecole.classes"


def is_open(field: Field) -> bool:
    """Whether the room's window is taken for open."""
    return window.is_open(Draft(field.state, field.now), ID)


def run(field: Field, minutes: int, room: Callable[[float], float], step_k: float = 0.01) -> bool:
    """The room follows a curve by the minute, seen in steps; whether a window was open at any time."""
    seen = False
    for minute in range(1, minutes + 1):
        warm(field, "classes", round(room(minute) / step_k) * step_k)
        field.advance(MINUTE)
        seen = seen or is_open(field)
    return seen


def falling(start_c: float, slope_k_h: float) -> Callable[[float], float]:
    return lambda minute: start_c + slope_k_h * minute / 60.0


OPEN = [(-4.0, 0.01), (-6.0, 0.01), (-4.0, 0.1), (-8.0, 0.1), (-5.0, 0.5), (-8.0, 0.5), (-3.5, 0.1)]


@pytest.mark.parametrize(("slope_k_h", "step_k"), OPEN)
def test_a_steep_fall_while_heat_is_wanted_is_a_window(slope_k_h: float, step_k: float) -> None:
    field = started(school(), MORNING, classes=19.0)
    run(field, 15, falling(19.0, 0.0), step_k)
    assert run(field, 25, falling(19.0, slope_k_h), step_k)
    opened = next(event for event in field.events if event.name == "window-open")
    assert opened.target == ZONE
    assert opened.facts["slope_k_h"] <= -3.0  # type: ignore[operator]


CLOSED = [(-2.0, 0.01), (-2.5, 0.1), (-1.0, 0.5), (-1.5, 0.5), (-0.5, 0.5), (0.0, 0.5)]


@pytest.mark.parametrize(("slope_k_h", "step_k"), CLOSED)
@pytest.mark.parametrize("offset", [0.0, 0.12, 0.24, 0.37, 0.49])
def test_a_slow_fall_is_none_however_coarse_the_sensor(slope_k_h: float, step_k: float, offset: float) -> None:
    field = started(school(), MORNING, classes=19.0)
    assert not run(field, 80, falling(19.0 + offset, slope_k_h), step_k)


@pytest.mark.parametrize("step_k", [0.1, 0.5])
def test_a_value_that_flickers_between_two_steps_is_none(step_k: float) -> None:
    field = started(school(), MORNING, classes=19.0)
    noise = random.Random(7)
    assert not run(field, 120, lambda _: 18.75 + noise.uniform(-0.04, 0.04), step_k)


def test_the_fall_at_the_beginning_of_a_setback_is_none() -> None:
    field = started(school(), "2026-01-12 17:00", classes=19.0)
    run(field, 30, falling(19.0, 0.0))
    assert commanded(field) == 16.0
    assert not run(field, 45, falling(19.0, -3.8))


def test_a_sunny_room_that_cools_is_none() -> None:
    field = started(school(), MORNING, classes=23.0)
    assert not run(field, 50, falling(23.0, -4.0)), "no heat is given that a window could waste"


def test_a_fall_of_before_heat_was_wanted_does_not_count() -> None:
    field = started(school(optimum_start=None), "2026-01-13 07:30", classes=18.5)
    run(field, 29, falling(18.9, -3.6))  # let cool towards 16 until the opening
    assert not run(field, 8, falling(17.2, -0.5))
    assert commanded(field) == 19.0


def opened(rule: WindowRule | None = None) -> Field:
    field = started(school(window=rule or WindowRule()), MORNING, classes=19.0)
    run(field, 15, falling(19.0, 0.0))
    run(field, 8, falling(19.0, -6.0))
    assert is_open(field)
    return field


def test_while_it_is_open_the_room_is_kept_from_freezing_only() -> None:
    field = opened()
    assert commanded(field) == 8.0
    state = told(field)
    assert (state["allure"], state["priority"], state["window_open"]) == ("frost", 11, True)
    assert state["reason"].startswith("window open since 10:2")
    assert state["reason"].endswith("K/h, 3 are allowed")


def test_it_ends_when_the_room_cools_no_more_and_is_not_seen_again_at_once() -> None:
    field = opened()
    run(field, 14, falling(18.2, 0.5))
    assert not is_open(field)
    assert commanded(field) == 19.0
    closed = next(event for event in field.events if event.name == "window-closed")
    assert closed.facts["detail"] == "the room cools no more"
    assert told(field)["window_open"] is False
    assert not run(field, 8, falling(18.2, -6.0)), "locked out for ten minutes"


def test_it_ends_after_its_time_and_is_locked_out_for_as_long() -> None:
    field = opened(WindowRule(lasting=timedelta(minutes=20)))
    run(field, 21, falling(18.2, -2.0))
    assert not is_open(field)
    assert commanded(field) == 19.0
    closed = next(event for event in field.events if event.name == "window-closed")
    assert (closed.facts["detail"], closed.facts["open_min"]) == ("heating has waited for 20 min", 20)
    assert not run(field, 18, falling(17.0, -5.0))
    assert run(field, 20, falling(15.5, -5.0)), "and then it is looked for again"


def test_it_ends_on_time_even_where_the_sensor_fails_meanwhile() -> None:
    field = opened()
    for _ in range(31):
        field.now += MINUTE
        field.feed(field.reading("ecole", "zone.1.setpoint"))
    assert not is_open(field)
    assert commanded(field) == 19.0


@pytest.mark.parametrize("leap", [timedelta(hours=-2), timedelta(hours=2)])
def test_a_clock_that_leaps_opens_and_keeps_open_nothing(leap: timedelta) -> None:
    field = opened()
    field.now += leap
    field.advance(2 * MINUTE)
    assert not is_open(field)


def test_off_means_off() -> None:
    field = started(school(window=None), MORNING, classes=19.0)
    run(field, 15, falling(19.0, 0.0))
    assert not run(field, 20, falling(19.0, -8.0))
    assert "window_open" not in told(field)
    assert "window-open" not in names(field.events)
