"""The site's clock: the machine's own, and one that runs faster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.clock import Clock, starting_now

START = datetime(2026, 1, 12, 17, tzinfo=UTC)
WALL = datetime(2030, 6, 1, 12, tzinfo=UTC)


def simulated(speed: float) -> Clock:
    return Clock(START, speed, WALL.timestamp())


def test_the_real_clock_is_the_machines_in_utc() -> None:
    clock = Clock()
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.utcoffset() == timedelta(0)
    assert not clock.simulated
    assert clock.real_seconds(timedelta(minutes=2)) == 120.0


def test_the_real_clock_leaves_an_instant_as_it_is() -> None:
    paris = datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    found = Clock().to_site(paris)
    assert found == paris
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("speed", "wall_s", "site"),
    [
        (1.0, 0.0, START),
        (1.0, 90.0, START + timedelta(seconds=90)),
        (3600.0, 1.0, START + timedelta(hours=1)),
        (3600.0, -1.0, START - timedelta(hours=1)),
        (0.5, 10.0, START + timedelta(seconds=5)),
    ],
)
def test_a_simulated_clock_passes_speed_seconds_in_one(speed: float, wall_s: float, site: datetime) -> None:
    clock = simulated(speed)
    assert clock.simulated
    assert clock.to_site(WALL + timedelta(seconds=wall_s)) == site


@pytest.mark.parametrize(("speed", "real_s"), [(1.0, 3600.0), (60.0, 60.0), (7200.0, 0.5)])
def test_a_span_of_the_sites_time_takes_so_long_on_the_wall(speed: float, real_s: float) -> None:
    assert simulated(speed).real_seconds(timedelta(hours=1)) == real_s


def test_two_processes_with_the_same_three_values_agree() -> None:
    clock = starting_now(START.astimezone(timezone(timedelta(hours=1))), 1000.0)
    other = Clock(clock.start, clock.speed, clock.anchor)
    wall = datetime.now(UTC)
    assert clock.to_site(wall) == other.to_site(wall)


def test_a_clock_that_starts_now_shows_its_start_and_goes_on() -> None:
    clock = starting_now(START, 60.0)
    first = clock.now()
    assert START <= first < START + timedelta(minutes=5), "five real seconds at most"
    assert clock.now() >= first
    assert first.utcoffset() == timedelta(0)


@given(speed=st.floats(0.1, 100_000.0), walls=st.lists(st.floats(0.0, 1e6), min_size=2))
def test_time_passes_evenly_and_never_back(speed: float, walls: list[float]) -> None:
    clock = simulated(speed)
    shown = [clock.to_site(WALL + timedelta(seconds=wall)) for wall in sorted(walls)]
    assert all(before <= after for before, after in pairwise(shown))
    span = shown[-1] - shown[0]
    assert clock.real_seconds(span) == pytest.approx(max(walls) - min(walls), abs=1e-3)
