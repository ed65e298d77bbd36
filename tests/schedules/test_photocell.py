"""A photocell inside its windows: what each ambient makes of a night, and that the clock rules everywhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.nights import Span, night_span
from schedules.photocell import Ambient, PhotocellWindow
from schedules.plan import Plan, cell_at, evaluate, next_change, photocells_of, window_at
from schedules.program import Program, Step, cell_windows, lit_period, night
from tests.schedules.builders import PARIS, ZERO, program, programs, rule

CELL = PhotocellWindow("mairie", timedelta(minutes=30), timedelta(minutes=15))
CENTRE = replace(program("18:00", "06:00", levels={"22:30": 60, "05:00": 80}), photocell=CELL)
DAY = date(2026, 11, 10)


def local(steps: tuple[Step, ...]) -> list[tuple[str, float, str]]:
    return [(f"{s.at.astimezone(PARIS.zone):%H:%M}", s.level, s.reason) for s in steps]


NIGHTS = {
    Ambient.UNKNOWN: [
        ("12:00", 0.0, "off until 18:00"),
        ("18:00", 100.0, "18:00"),
        ("22:30", 60.0, "22:30"),
        ("05:00", 80.0, "05:00"),
        ("06:00", 0.0, "off after 06:00"),
    ],
    Ambient.DARK: [
        ("12:00", 0.0, "off until 18:00"),
        ("17:30", 100.0, "18:00 (photocell mairie: dark)"),
        ("18:15", 100.0, "18:00"),
        ("22:30", 60.0, "22:30"),
        ("05:00", 80.0, "05:00"),
        ("05:30", 80.0, "05:00 (photocell mairie: dark)"),
        ("06:15", 0.0, "off after 06:00"),
    ],
    Ambient.BRIGHT: [
        ("12:00", 0.0, "off until 18:00"),
        ("17:30", 0.0, "off until 18:00 (photocell mairie: bright)"),
        ("18:15", 100.0, "18:00"),
        ("22:30", 60.0, "22:30"),
        ("05:00", 80.0, "05:00"),
        ("05:30", 0.0, "off after 06:00 (photocell mairie: bright)"),
        ("06:15", 0.0, "off after 06:00"),
    ],
}


@pytest.mark.parametrize("ambient", Ambient)
def test_a_night_in_each_light(ambient: Ambient) -> None:
    assert local(night(CENTRE, DAY, PARIS, ambient)) == NIGHTS[ambient]


def test_without_a_cell_the_light_makes_no_difference() -> None:
    plain = replace(CENTRE, photocell=None)
    assert {night(plain, DAY, PARIS, ambient) for ambient in Ambient} == {night(CENTRE, DAY, PARIS)}
    assert cell_windows(plain, DAY, PARIS) == ()


def test_windows_that_meet_leave_the_whole_night_to_the_cell() -> None:
    short = replace(program("22:00", "23:00"), photocell=PhotocellWindow("m", timedelta(minutes=40), CELL.early))
    assert [local(night(short, DAY, PARIS, ambient)) for ambient in (Ambient.DARK, Ambient.BRIGHT)] == [
        [
            ("12:00", 0.0, "off until 22:00"),
            ("21:20", 100.0, "22:00 (photocell m: dark)"),
            ("23:30", 0.0, "off after 23:00"),
        ],
        [
            ("12:00", 0.0, "off until 22:00"),
            ("21:20", 0.0, "off until 22:00 (photocell m: bright)"),
            ("23:00", 0.0, "off after 23:00 (photocell m: bright)"),
            ("23:30", 0.0, "off after 23:00"),
        ],
    ]
    assert len(cell_windows(short, DAY, PARIS)) == 1


def test_a_night_that_is_dark_by_the_clock_has_no_window() -> None:
    dark = replace(program("02:00", "22:00"), photocell=PhotocellWindow("m", timedelta(hours=12), timedelta(hours=12)))
    assert cell_windows(dark, DAY, PARIS) == ()
    assert local(night(dark, DAY, PARIS, Ambient.DARK)) == [("12:00", 0.0, "dark: 02:00 is not before 22:00")]


def test_at_least_judges_a_stretch_by_the_clock() -> None:
    """05:55 to 06:00 is too short by the clock; the cell that makes 20 minutes of it does not light it."""
    cut = {"00:30": 0, "05:55": 100}
    flash = replace(program("18:00", "06:00", levels=cut, at_least=timedelta(minutes=15)), photocell=CELL)
    lit = [s for s in night(flash, DAY, PARIS, Ambient.DARK) if s.level]
    assert [f"{s.at.astimezone(PARIS.zone):%H:%M}" for s in lit] == ["17:30", "18:15"]
    kept = replace(flash, at_least=ZERO)
    assert [s.level for s in night(kept, DAY, PARIS, Ambient.DARK)][-2:] == [100.0, 0.0]


cells = st.builds(
    PhotocellWindow,
    st.just("mairie"),
    st.sampled_from([ZERO, timedelta(minutes=30), timedelta(hours=3)]),
    st.sampled_from([ZERO, timedelta(minutes=15), timedelta(hours=12)]),
)
days = st.dates(date(2026, 1, 1), date(2028, 12, 31))


def level_at(steps: tuple[Step, ...], at: datetime) -> float:
    return [step.level for step in steps if step.at <= at][-1]


@given(programs(), cells, days, st.integers(0, 1439))
def test_outside_the_windows_every_light_gives_the_same_level(
    lamp: Program, cell: PhotocellWindow, day: date, minute: int
) -> None:
    lamp, whole = replace(lamp, photocell=cell), night_span(day, PARIS.zone)
    at = whole.start + timedelta(minutes=minute)
    dark, bright, unknown = (night(lamp, day, PARIS, a) for a in (Ambient.DARK, Ambient.BRIGHT, Ambient.UNKNOWN))
    for steps in (dark, bright, unknown):
        assert steps[0].at == whole.start
        assert all(early.at < late.at for early, late in pairwise(steps))
        assert steps[-1].at < whole.end
    assert unknown == night(replace(lamp, photocell=None), day, PARIS)
    windows = cell_windows(lamp, day, PARIS)
    assert all(whole.start <= window.start < window.end <= whole.end for window in windows)
    if at in whole and not any(at in window for window in windows):
        assert level_at(dark, at) == level_at(bright, at) == level_at(unknown, at)
    elif at in whole:
        assert level_at(bright, at) == 0.0


@given(programs(), cells, days)
def test_the_darker_it_is_the_longer_the_night_is_lit(lamp: Program, cell: PhotocellWindow, day: date) -> None:
    lamp = replace(lamp, photocell=cell)
    bright, unknown, dark = (lit_period(lamp, day, PARIS, a) for a in (Ambient.BRIGHT, Ambient.UNKNOWN, Ambient.DARK))
    assert (unknown is None) == (dark is None)
    for inner, outer in ((bright, unknown), (unknown, dark)):
        if inner is not None:
            assert outer is not None
            assert inner.within(outer) == inner


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS.zone).astimezone(UTC)


def test_the_plan_says_whose_cell_decides_and_when() -> None:
    week_end = replace(program("20:00", "04:00", name="week-end"), photocell=replace(CELL, cell="gare"))
    plain = program("18:00", "06:00", name="plain")
    ville = Plan("ville", CENTRE, (rule("fri", week_end), rule("sun", plain)), PARIS)
    assert photocells_of(ville) == {"mairie", "gare"}
    assert cell_at(ville, at("2026-11-12T20:00")) == "mairie"
    assert cell_at(ville, at("2026-11-14T03:00")) == "gare"
    assert cell_at(ville, at("2026-11-15T20:00")) is None
    assert [window_at(ville, at(f"2026-11-12T{clock}")) for clock in ("17:29", "17:30", "18:14", "18:15")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not window_at(ville, at("2026-11-15T18:00"))


def test_the_demand_follows_the_light_and_says_so() -> None:
    ville = Plan("ville", CENTRE, (), PARIS)
    dark = evaluate(ville, at("2026-11-12T17:45"), Ambient.DARK)
    assert (dark.level, dark.reason) == (100.0, "18:00 (photocell mairie: dark) (default)")
    assert evaluate(ville, at("2026-11-12T17:45")).reason == "off until 18:00 (default)"
    bright = evaluate(ville, at("2026-11-12T18:05"), Ambient.BRIGHT)
    assert (bright.level, bright.until) == (0.0, at("2026-11-12T18:15"))
    assert next_change(ville, at("2026-11-12T18:05"), Ambient.BRIGHT) == at("2026-11-12T18:15")
    assert evaluate(ville, at("2026-11-12T13:00"), Ambient.DARK).level == 0.0, "a storm at noon"
    assert evaluate(ville, at("2026-11-12T23:00"), Ambient.BRIGHT).level == 60.0, "a headlight at night"


def test_a_window_that_ends_within_a_ramp_does_not_draw_it_out() -> None:
    ramped = Plan("p", replace(CENTRE, ramp=timedelta(minutes=60)), (), PARIS)
    climb = [evaluate(ramped, at(f"2026-11-12T{clock}"), Ambient.DARK).level for clock in ("17:30", "18:15", "18:24")]
    assert climb == [10.0, 80.0, 100.0]
    assert evaluate(ramped, at("2026-11-12T18:16"), Ambient.DARK).reason == "ramp to 100 %: 18:00 (default)"


def test_a_span_holds_its_start_and_not_its_end() -> None:
    span = Span(at("2026-11-12T18:00"), at("2026-11-12T19:00"))
    assert span.start in span
    assert span.end not in span
    assert span.within(Span(span.end, span.end + timedelta(hours=1))).is_empty
