"""The formulas of the optimum start: how long a room takes, what is fitted, and what no number may break."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.optimum_start import (
    WALL_TAU,
    Climate,
    Outdoors,
    Response,
    course,
    damped_wall_c,
    plausible,
    preheat_start,
    quantities,
    warmed_after,
)
from schedules.regression import Evidence, Prior, Row

OPENING = datetime(2026, 1, 12, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAP = timedelta(hours=36)
SCHOOL = Response(1.3, 0.23, -0.14, -0.03)
"""Fitted to a winter of the simulator's school."""
responses = st.builds(
    lambda *values: plausible(values),
    st.floats(0.1, 8.0), st.floats(0.0, 2.0), st.floats(-0.5, 0.0), st.floats(-0.2, 0.3),
)  # fmt: skip
rooms = st.floats(5.0, 25.0)
outside = st.floats(-20.0, 20.0)


def climate(room_c: float, wall_c: float, outdoor_c: float = 3.0) -> Climate:
    return Climate(room_c, wall_c, Outdoors(outdoor_c, outdoor_c))


@given(responses, rooms, st.floats(0.0, 5.0), st.floats(0.0, 5.0), rooms, outside)
def test_a_colder_room_and_colder_walls_never_start_later(
    response: Response, room_c: float, colder_k: float, colder_walls_k: float, wall_c: float, outdoor_c: float
) -> None:
    warm = warmed_after(response, climate(room_c, wall_c, outdoor_c), 18.5, CAP)
    cold = warmed_after(response, climate(room_c - colder_k, wall_c - colder_walls_k, outdoor_c), 18.5, CAP)
    assert cold >= warm - timedelta(seconds=1)


@given(responses, rooms, rooms, outside, st.floats(0.5, 36.0))
def test_never_longer_than_the_cap_and_nothing_for_a_warm_room(
    response: Response, room_c: float, wall_c: float, outdoor_c: float, cap_h: float
) -> None:
    needed = warmed_after(response, climate(room_c, wall_c, outdoor_c), 18.5, cap_h * HOUR)
    assert timedelta() <= needed <= cap_h * HOUR
    assert warmed_after(response, climate(19.0, wall_c, outdoor_c), 18.5, CAP) == timedelta()


@given(rooms, st.floats(10.0, 25.0), st.floats(1.0, 200.0), st.floats(0.0, 36.0))
def test_the_fallback_starts_between_the_cap_and_the_opening(
    room_c: float, setpoint_c: float, minutes_per_k: float, cap_h: float
) -> None:
    start = preheat_start(OPENING, room_c, setpoint_c, minutes_per_k, cap_h * HOUR)
    assert OPENING - cap_h * HOUR <= start <= OPENING


def test_cold_walls_make_the_last_kelvins_slow() -> None:
    after_a_night = warmed_after(SCHOOL, climate(16.3, 17.3), 18.5, CAP)
    after_a_weekend = warmed_after(SCHOOL, climate(16.3, 13.0), 18.5, CAP)
    assert after_a_night < timedelta(minutes=110)
    assert after_a_weekend > 2 * after_a_night
    first = warmed_after(SCHOOL, climate(11.5, 12.2), 15.0, CAP)
    last = warmed_after(SCHOOL, climate(11.5, 12.2), 18.5, CAP) - first
    assert last > first, "the upper half takes longer than the lower one"


def test_a_room_that_can_never_get_there_takes_the_whole_cap() -> None:
    assert warmed_after(Response(0.2, 0.3, -0.2, 0.0), climate(12.0, 12.0), 18.5, CAP) == CAP


def test_the_time_and_the_course_agree() -> None:
    at = climate(14.0, 14.5)
    needed = warmed_after(SCHOOL, at, 17.0, CAP)
    assert course(SCHOOL, at, needed, -math.inf, math.inf).room_c == pytest.approx(17.0, abs=0.1)
    assert course(SCHOOL, at, CAP, -math.inf, 17.0).room_c == 17.0


def test_a_room_left_alone_is_caught_at_its_setpoint() -> None:
    resting = Response(-1.0, 0.2, 0.0, 0.02)
    assert course(resting, climate(19.0, 18.0), 60 * HOUR, 8.0, math.inf).room_c == pytest.approx(8.0, abs=0.01)
    assert course(resting, climate(7.0, 7.0), HOUR, 8.0, math.inf).room_c == pytest.approx(7.0)


def test_the_walls_follow_the_room_with_their_time_constant() -> None:
    assert damped_wall_c(10.0, 20.0, timedelta()) == 10.0
    assert damped_wall_c(10.0, 20.0, WALL_TAU) == pytest.approx(20.0 - 10.0 / math.e)


def test_the_weather_comes_back_to_its_mean() -> None:
    outdoors = Outdoors(-5.0, 3.0)
    assert outdoors.in_h(0.0) == -5.0
    assert outdoors.in_h(48.0) == pytest.approx(3.0, abs=0.01)


PRIOR = Prior((1.0, 0.3, -0.03, 0.01), (0.02, 1.0, 30.0, 60.0))


def rows_of(response: Response, start_c: float, wall_c: float, outdoor_c: float) -> list[Row]:
    """A morning's quarters of an hour as a room with that response shows them."""
    found, at = [], climate(start_c, wall_c, outdoor_c)
    for _ in range(8):
        then = course(response, at, HOUR / 4, -math.inf, math.inf)
        middle = quantities((at.room_c + then.room_c) / 2, (at.wall_c + then.wall_c) / 2, outdoor_c)
        found.append(Row(middle, (then.room_c - at.room_c) * 4.0))
        at = then
    return found


def test_nothing_seen_is_what_was_believed() -> None:
    assert Evidence().coefficients(PRIOR) == PRIOR.mean


def test_two_mornings_already_help() -> None:
    at = climate(16.2, 17.0)
    truth = warmed_after(SCHOOL, at, 18.5, CAP)
    before = abs(warmed_after(plausible(PRIOR.mean), at, 18.5, CAP) - truth)
    evidence = Evidence()
    for start_c, outdoor_c in ((16.4, 5.0), (16.8, 8.0)):
        evidence = evidence.with_rows(rows_of(SCHOOL, start_c, start_c + 0.9, outdoor_c), 0.97)
    after = abs(warmed_after(plausible(evidence.coefficients(PRIOR)), at, 18.5, CAP) - truth)
    assert after < timedelta(minutes=12) < before


def test_older_evidence_fades_and_new_evidence_wins() -> None:
    fast = Response(3.0, 0.3, -0.1, 0.0)
    evidence = Evidence()
    for _ in range(5):
        evidence = evidence.with_rows(rows_of(fast, 16.0, 16.5, 3.0), 0.5)
    weight = evidence.weight
    for _ in range(10):
        evidence = evidence.with_rows(rows_of(SCHOOL, 16.0, 16.5, 3.0), 0.5)
    assert evidence.weight == pytest.approx(weight, rel=0.05)
    rate = plausible(evidence.coefficients(PRIOR)).rate_k_h(16.5, 16.6, 3.0)
    assert rate == pytest.approx(SCHOOL.rate_k_h(16.5, 16.6, 3.0), abs=0.1)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-10, 10), st.floats(-20, 20), st.floats(-3, 8)), max_size=30))
def test_any_evidence_gives_finite_numbers(seen: list[tuple[float, float, float, float]]) -> None:
    rows = [Row((1.0, wall, own, outdoor), rate) for wall, own, outdoor, rate in seen]
    assert all(math.isfinite(value) for value in Evidence().with_rows(rows).coefficients(PRIOR))
