"""The benches' arithmetic on numbers that can be checked by hand."""

from __future__ import annotations

import math

import pytest

from bench.command import delays_s
from bench.figures import Arrival, Spread, age_s, farm_start_s, freshness, quantile, ratios

START_S = 1000.0


def arrival(device: str, tick: int, late_s: float = 0.02) -> Arrival:
    """What the farm counted ``tick`` at, ``late_s`` afterwards."""
    return Arrival(START_S + tick * 0.01 + late_s, device, tick, 16)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)])
def test_a_quantile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert quantile([float(value) for value in range(100, 0, -1)], share) == expected


def test_nothing_measured_has_no_quantile() -> None:
    assert math.isnan(quantile([], 0.5))


def test_a_spread_shows_its_ends_only_where_they_differ() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).text(1) == "2.0 (1.0-3.0)"
    assert Spread.of([2.0]).text(1) == "2.0"
    assert Spread.of([2.01, 2.02]).text(1) == "2.0"


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([1.0, 4.0], [2.0, 8.0]) == Spread(0.5, 0.5, 0.5)


def test_ratios_need_every_round_of_both() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_the_farms_start_is_bounded_by_its_tightest_reading() -> None:
    readings = [(START_S + tick * 0.01 + since_s, tick) for tick, since_s in ((10, 0.009), (20, 0.001), (31, 0.006))]
    assert farm_start_s(readings) == pytest.approx(START_S + 0.001)


def test_all_that_was_due_came_and_was_young() -> None:
    arrivals = [arrival(device, tick) for device in ("a", "b") for tick in (100, 200, 300, 400)]
    judged = freshness(arrivals, START_S, (START_S + 1.0, START_S + 5.0), 2)
    assert (judged.share, judged.devices, judged.messages, judged.points) == (1.0, 2, 8, 16)
    assert judged.age_p99_s == pytest.approx(0.02)


def test_the_same_reading_told_again_is_no_update() -> None:
    told_again = Arrival(START_S + 2.9, "a", 200, 16)
    judged = freshness([arrival("a", 200), told_again], START_S, (START_S + 1.0, START_S + 5.0), 1)
    assert (judged.share, judged.messages) == (0.25, 2)
    assert judged.age_max_s == pytest.approx(0.02)


def test_a_reading_first_told_before_the_window_is_not_counted_in_it() -> None:
    before, again = arrival("a", 90), Arrival(START_S + 1.5, "a", 90, 16)
    judged = freshness([again, before], START_S, (START_S + 1.0, START_S + 2.0), 1)
    assert (judged.share, judged.messages) == (0.0, 1)


def test_what_comes_after_the_window_is_left_out() -> None:
    judged = freshness([arrival("a", 500)], START_S, (START_S + 1.0, START_S + 5.0), 1)
    assert (judged.share, judged.messages) == (0.0, 0)
    assert math.isnan(judged.age_p99_s)


def test_a_slow_period_makes_fewer_updates_due() -> None:
    arrivals = [arrival("a", tick) for tick in (500, 1000)]
    assert freshness(arrivals, START_S, (START_S + 1.0, START_S + 11.0), 1, every_s=5.0).share == 1.0


def test_an_old_value_shows_its_age() -> None:
    assert age_s(Arrival(START_S + 10.0, "a", 100), START_S) == pytest.approx(9.0)


def test_the_counters_turn_is_unfolded() -> None:
    assert age_s(Arrival(START_S + 10_000.5, "a", 30), START_S) == pytest.approx(0.2)
    assert age_s(Arrival(START_S + 10_000.2, "a", 999_990), START_S) == pytest.approx(0.3)


def test_a_command_is_done_by_the_first_write_of_its_level_after_it() -> None:
    sent = [(10.0, 0, 40), (11.0, 1, 40), (12.0, 2, 50)]
    writes = {(0, 40): [9.0, 10.25, 10.5], (1, 40): [10.5], (2, 60): [12.5]}
    assert delays_s(sent, writes) == [0.25]
