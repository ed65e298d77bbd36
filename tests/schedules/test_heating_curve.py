"""The heating curve and the damped outdoor temperature: figures by hand, and what holds for every curve."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schedules.heating_curve import HeatingCurve, damped_c, feedback_k, supply_c

CURVE = HeatingCurve(slope=1.2, shift_k=0.0, minimum_c=25.0, maximum_c=75.0, room_c=20.0, feedback=3.0)
HALF_A_DAY = timedelta(hours=12)

FIGURES = [
    # outdoor, lacking, setback, warming, supply
    (20.0, 0.0, 0.0, False, 25.0),  # 20 by the curve: the minimum
    (10.0, 0.0, 0.0, False, 32.0),
    (0.0, 0.0, 0.0, False, 44.0),
    (-10.0, 0.0, 0.0, False, 56.0),
    (-40.0, 0.0, 0.0, False, 75.0),  # 92 by the curve: the maximum
    (0.0, 2.0, 0.0, False, 50.0),
    (0.0, 5.0, 0.0, False, 54.0),  # 15 K asked, 10 allowed
    (0.0, 5.0, 0.0, True, 59.0),  # a warm-up takes them all
    (0.0, 11.0, 0.0, True, 75.0),
    (0.0, -1.0, 0.0, False, 41.0),
    (0.0, -9.0, 0.0, False, 34.0),
    (0.0, 0.0, 3.0, False, 37.4),  # 3 K less in the room: 3 * (1 + 1.2) less in the pipe
]


@pytest.mark.parametrize(("outdoor_c", "lacking_k", "setback_k", "warming", "wanted_c"), FIGURES)
def test_the_curve_by_hand(
    outdoor_c: float, lacking_k: float, setback_k: float, warming: bool, wanted_c: float
) -> None:
    assert supply_c(CURVE, outdoor_c, lacking_k, setback_k, warming=warming) == pytest.approx(wanted_c)


def test_the_shift_moves_the_whole_curve_and_the_cold_end_with_it() -> None:
    shifted = HeatingCurve(slope=1.5, shift_k=5.0)
    assert supply_c(shifted, 0.0) == pytest.approx(55.0)
    assert shifted.cold_end_c == pytest.approx(-13.333, abs=0.01)
    assert supply_c(shifted, shifted.cold_end_c) == pytest.approx(shifted.maximum_c)
    assert supply_c(shifted, shifted.cold_end_c + 1.0) < shifted.maximum_c


temperatures = st.floats(-40.0, 45.0)
lacks = st.floats(-20.0, 30.0)
curves = st.builds(
    HeatingCurve,
    slope=st.floats(0.1, 5.0),
    shift_k=st.floats(-20.0, 20.0),
    minimum_c=st.floats(10.0, 45.0),
    maximum_c=st.floats(50.0, 110.0),
    room_c=st.floats(10.0, 25.0),
    feedback=st.floats(0.0, 10.0),
    feedback_cap_k=st.floats(0.0, 30.0),
)


@given(curves, temperatures, lacks, st.floats(0.0, 12.0), st.booleans())
def test_it_never_leaves_its_bounds(
    curve: HeatingCurve, outdoor_c: float, lacking_k: float, setback_k: float, warming: bool
) -> None:
    assert curve.minimum_c <= supply_c(curve, outdoor_c, lacking_k, setback_k, warming=warming) <= curve.maximum_c


@given(curves, temperatures, temperatures, lacks, lacks, st.booleans())
def test_colder_outside_or_colder_inside_is_never_cooler_water(
    curve: HeatingCurve, a: float, b: float, less_k: float, more_k: float, warming: bool
) -> None:
    cold, mild = min(a, b), max(a, b)
    little, much = min(less_k, more_k), max(less_k, more_k)
    assert supply_c(curve, cold, little, warming=warming) >= supply_c(curve, mild, little, warming=warming)
    assert supply_c(curve, cold, much, warming=warming) >= supply_c(curve, cold, little, warming=warming)
    assert supply_c(curve, cold, much, warming=True) >= supply_c(curve, cold, much)
    assert supply_c(curve, cold, much, 3.0) <= supply_c(curve, cold, much)


@given(curves, lacks)
def test_the_feedback_is_limited(curve: HeatingCurve, lacking_k: float) -> None:
    assert -curve.feedback_cap_k <= feedback_k(curve, lacking_k) <= curve.feedback_cap_k


def test_after_one_time_constant_63_percent_of_a_step_came_through() -> None:
    assert damped_c(0.0, 10.0, HALF_A_DAY, HALF_A_DAY) == pytest.approx(10.0 * (1.0 - math.exp(-1.0)))


@given(temperatures, temperatures, st.lists(st.floats(0.0, 7200.0), min_size=1, max_size=30))
def test_steps_of_any_length_give_what_one_step_gives(before_c: float, measured_c: float, steps_s: list[float]) -> None:
    value_c = before_c
    for step_s in steps_s:
        value_c = damped_c(value_c, measured_c, timedelta(seconds=step_s), HALF_A_DAY)
    whole = sum((timedelta(seconds=step_s) for step_s in steps_s), timedelta())
    assert value_c == pytest.approx(damped_c(before_c, measured_c, whole, HALF_A_DAY), abs=1e-4)


@given(temperatures, temperatures, st.floats(-3600.0, 1e7))
def test_it_stays_between_what_was_and_what_is(before_c: float, measured_c: float, elapsed_s: float) -> None:
    assume(before_c != measured_c)
    value_c = damped_c(before_c, measured_c, timedelta(seconds=elapsed_s), HALF_A_DAY)
    assert min(before_c, measured_c) - 1e-9 <= value_c <= max(before_c, measured_c) + 1e-9


def test_a_clock_set_back_moves_nothing_and_no_damping_hides_nothing() -> None:
    assert damped_c(5.0, 10.0, timedelta(hours=-3), HALF_A_DAY) == 5.0
    assert damped_c(5.0, 10.0, timedelta(minutes=1), timedelta()) == 10.0
