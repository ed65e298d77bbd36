"""One night of a control program: tables of nights, ramps, polar nights, and properties over all programs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.moments import noon, parse_moment, resolve
from schedules.program import LevelStep, PolarPolicy, Program, Step, merged, night, staged
from schedules.sun import Place
from tests.schedules.builders import PARIS, program, programs

NORTH = Place(69.65, 18.96, ZoneInfo("Europe/Oslo"))
DAY = timedelta(days=1)


def local_night(lamp_program: Program, day: date, place: Place = PARIS) -> list[tuple[str, float]]:
    return [(f"{s.at.astimezone(place.zone):%d %H:%M}", s.level) for s in night(lamp_program, day, place)]


def test_a_winter_night_with_a_cut() -> None:
    centre = program("sunset+10m", "sunrise-10m", start=100, levels={"22:30": 60, "00:30": 0, "05:00": 60})
    assert local_night(centre, date(2026, 11, 21)) == [
        ("21 12:00", 0.0),
        ("21 17:13", 100.0),
        ("21 22:30", 60.0),
        ("22 00:30", 0.0),
        ("22 05:00", 60.0),
        ("22 08:00", 0.0),
    ]


def test_a_restart_after_sunrise_is_never_lit() -> None:
    centre = program("sunset+10m", "sunrise-10m", levels={"00:30": 0, "06:00": 60})
    steps = night(centre, date(2026, 6, 20), PARIS)
    assert [s.level for s in steps] == [0.0, 100.0, 0.0, 0.0]
    assert steps[-1].at < datetime(2026, 6, 21, 4, tzinfo=UTC)
    assert steps[-1].reason == "off after sunrise-10m"


def test_a_step_before_the_lit_period_sets_its_first_level() -> None:
    summer = program("sunset", "sunrise", start=100, levels={"21:00": 70})
    steps = night(summer, date(2026, 6, 20), PARIS)
    assert [s.level for s in steps] == [0.0, 70.0, 0.0]
    assert steps[1].reason == "sunset (level of 21:00)"


def test_a_step_at_the_very_start_wins_over_the_start_level() -> None:
    fixed = program("18:00", "06:00", start=100, levels={"18:00": 40})
    assert local_night(fixed, date(2026, 1, 10)) == [("10 12:00", 0.0), ("10 18:00", 40.0), ("11 06:00", 0.0)]


def test_the_later_written_of_two_steps_at_the_same_instant_wins() -> None:
    twice = Program(
        "twice",
        parse_moment("18:00"),
        parse_moment("06:00"),
        (LevelStep(parse_moment("22:00"), 60.0), LevelStep(parse_moment("22:00"), 30.0)),
    )
    assert [s.level for s in night(twice, date(2026, 1, 10), PARIS)] == [0.0, 100.0, 30.0, 0.0]


def test_a_night_that_ends_before_it_begins_is_dark() -> None:
    steps = night(program("02:00", "22:00"), date(2026, 1, 10), PARIS)
    assert [(s.level, s.reason) for s in steps] == [(0.0, "dark: 02:00 is not before 22:00")]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # spring: 02:30 does not exist, the step runs at 03:00 CEST = 01:00 UTC
        (date(2026, 3, 28), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        # autumn: the first 02:30 (CEST)
        (date(2026, 10, 24), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_step_runs_once_on_the_nights_of_the_clock_change(day: date, expected: datetime) -> None:
    steps = night(program("20:00", "07:00", levels={"02:30": 40}), day, PARIS)
    assert [s.at for s in steps if s.level == 40.0] == [expected]
    assert len(steps) == 4


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 23), (date(2026, 10, 24), 25), (date(2026, 7, 1), 24)])
def test_the_nights_of_the_clock_change_are_an_hour_off(day: date, hours: int) -> None:
    length = noon(day + DAY, PARIS.zone) - noon(day, PARIS.zone)
    assert length == timedelta(hours=hours)


def test_a_short_flash_of_light_is_left_out() -> None:
    lamp = program("sunset", "sunrise", levels={"23:00": 0, "05:40": 100}, at_least=timedelta(minutes=15))
    steps = night(lamp, date(2026, 6, 16), PARIS)
    assert [s.level for s in steps] == [0.0, 100.0, 0.0, 0.0, 0.0]
    assert steps[3].reason == "dark: 05:40 would light for 6m28s only"


def test_a_stretch_of_two_levels_counts_as_one() -> None:
    lamp = program("18:00", "18:30", levels={"18:10": 50}, at_least=timedelta(minutes=25))
    assert [s.level for s in night(lamp, date(2026, 1, 10), PARIS)] == [0.0, 100.0, 50.0, 0.0]


def test_a_stretch_of_exactly_at_least_is_lit() -> None:
    lamp = program("18:00", "18:15", at_least=timedelta(minutes=15))
    assert [s.level for s in night(lamp, date(2026, 1, 10), PARIS)] == [0.0, 100.0, 0.0]


@pytest.mark.parametrize(
    ("month", "up", "down", "levels"),
    [
        (6, PolarPolicy.DARK, PolarPolicy.LIT, [0.0]),
        (6, PolarPolicy.LIT, PolarPolicy.LIT, [100.0, 50.0]),
        (12, PolarPolicy.DARK, PolarPolicy.LIT, [100.0, 50.0]),
        (12, PolarPolicy.DARK, PolarPolicy.DARK, [0.0]),
    ],
)
def test_polar_days_and_nights_follow_the_policy(
    month: int, up: PolarPolicy, down: PolarPolicy, levels: list[float]
) -> None:
    lamp = Program(
        "north",
        parse_moment("sunset"),
        parse_moment("sunrise"),
        (LevelStep(parse_moment("23:00"), 50.0), LevelStep(parse_moment("sunrise-1h"), 80.0)),
        sun_stays_up=up,
        sun_stays_down=down,
    )
    steps = night(lamp, date(2026, month, 21), NORTH)
    assert [s.level for s in steps] == levels
    assert steps[0].at == noon(date(2026, month, 21), NORTH.zone)
    assert steps[0].reason.endswith(("stays above the angle all night", "stays below the angle all day"))


def test_a_night_without_sunrise_burns_from_its_clock_time_to_noon() -> None:
    lamp = program("16:00", "sunrise-10m", at_least=timedelta(hours=23))
    assert local_night(lamp, date(2026, 12, 21), NORTH) == [("21 12:00", 0.0), ("21 16:00", 100.0)]


AT = datetime(2026, 11, 21, 17, tzinfo=UTC)


def test_a_ramp_climbs_in_ten_equal_stages() -> None:
    steps = (Step(AT - timedelta(hours=5), 0.0, "noon"), Step(AT, 100.0, "sunset"))
    stages = staged(steps, timedelta(seconds=30))[1:]
    assert [s.level for s in stages] == [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0]
    assert [(s.at - AT).total_seconds() for s in stages] == [3.0 * k for k in range(10)]
    assert stages[0].reason == "ramp to 100 %: sunset"
    assert stages[-1].reason == "sunset"


@pytest.mark.parametrize(
    ("before", "after", "ramp_s", "levels"),
    [
        (100.0, 0.0, 4, [75.0, 50.0, 25.0, 0.0]),  # a stage lasts at least a second
        (60.0, 57.5, 600, [58.75, 57.5]),  # and moves by at least one percent
        (60.0, 60.4, 600, [60.4]),
        (0.0, 100.0, 0, [100.0]),
    ],
)
def test_a_ramp_has_no_more_stages_than_it_needs(before: float, after: float, ramp_s: int, levels: list[float]) -> None:
    steps = (Step(AT - timedelta(hours=5), before, "a"), Step(AT, after, "b"))
    assert [s.level for s in staged(steps, timedelta(seconds=ramp_s))[1:]] == levels


def test_a_step_within_a_ramp_goes_on_from_the_level_reached() -> None:
    steps = (
        Step(AT - timedelta(hours=5), 0.0, "noon"),
        Step(AT, 100.0, "sunset"),
        Step(AT + timedelta(minutes=5), 0.0, "cut"),
    )
    stages = staged(steps, timedelta(minutes=10))
    assert [s.level for s in stages[1:6]] == [10.0, 20.0, 30.0, 40.0, 50.0]
    assert [s.level for s in stages[6:]] == [45.0, 40.0, 35.0, 30.0, 25.0, 20.0, 15.0, 10.0, 5.0, 0.0]


days = st.dates(date(2026, 1, 1), date(2029, 1, 31))
places = st.sampled_from(
    [
        PARIS,
        NORTH,
        Place(0.0, 0.0, ZoneInfo("Etc/UTC")),
        Place(-31.5, 159.1, ZoneInfo("Australia/Lord_Howe")),
        Place(90.0, 0.0, ZoneInfo("Etc/UTC")),
    ]
)


@given(programs(), days, places)
def test_a_night_is_gap_free_and_in_order(lamp: Program, day: date, place: Place) -> None:
    for steps in (night(lamp, day, place), staged(night(lamp, day, place), lamp.ramp)):
        times = [s.at for s in steps]
        assert times[0] == noon(day, place.zone)
        assert all(early < late for early, late in pairwise(times))
        assert all(0.0 <= s.level <= 100.0 for s in steps)
        assert all(s.reason for s in steps)
    assert night(lamp, day, place)[-1].at < noon(day + DAY, place.zone)


@given(programs(), days, places)
def test_staging_ends_on_every_target_that_is_reached(lamp: Program, day: date, place: Place) -> None:
    targets = night(lamp, day, place)
    stages = staged(targets, lamp.ramp)
    assert {s.at for s in targets} <= {s.at for s in stages}
    for target, following in zip(targets, [*targets[1:], None], strict=True):
        if following is None or following.at - target.at >= lamp.ramp:
            end = following.at if following else datetime.max.replace(tzinfo=UTC)
            assert [s.level for s in stages if s.at < end][-1] == target.level


@given(programs(at_least=timedelta()), days, places, st.integers(0, 1439))
def test_the_level_at_any_minute_is_that_of_the_definition(lamp: Program, day: date, place: Place, minute: int) -> None:
    at = noon(day, place.zone) + timedelta(minutes=minute)
    start, end = resolve(lamp.lit_from, day, place), resolve(lamp.lit_to, day, place)
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return  # the policies have their own table
    expected = 0.0
    if start <= at < end:
        past = [(resolve(s.moment, day, place), n, s.level) for n, s in enumerate(lamp.levels)]
        known = [(t, n, level) for t, n, level in past if isinstance(t, datetime) and t <= at]
        expected = max(known)[2] if known else lamp.start_level
    steps = night(lamp, day, place)
    if at < noon(day + DAY, place.zone):
        assert [s.level for s in steps if s.at <= at][-1] == expected


@given(programs(), days)
def test_no_stretch_of_light_is_shorter_than_at_least(lamp: Program, day: date) -> None:
    on_off = merged(Step(s.at, min(s.level, 1.0), s.reason) for s in _lit_or_not(lamp, day))
    for step, following in pairwise(on_off):
        if step.level and step.at > noon(day, PARIS.zone):
            assert following.at - step.at >= lamp.at_least


def _lit_or_not(lamp: Program, day: date) -> list[Step]:
    return [Step(s.at, 1.0 if s.level else 0.0, s.reason) for s in night(lamp, day, PARIS)]
