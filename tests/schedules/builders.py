"""Programs and plans for the tests, written in the words of a site file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from schedules.calendars import parse_days
from schedules.moments import Moment, parse_moment
from schedules.plan import Rule
from schedules.program import LevelStep, PolarPolicy, Program
from schedules.sun import Place

PARIS = Place(48.86, 2.35, ZoneInfo("Europe/Paris"))
ZERO = timedelta()


def program(
    lit_from: str,
    lit_to: str,
    *,
    name: str = "centre",
    start: float = 100.0,
    levels: Mapping[str, float] | None = None,
    at_least: timedelta = ZERO,
    ramp: timedelta = ZERO,
) -> Program:
    """A program from the texts of its moments."""
    steps = tuple(LevelStep(parse_moment(text), float(level)) for text, level in (levels or {}).items())
    return Program(name, parse_moment(lit_from), parse_moment(lit_to), steps, start, at_least, ramp)


def rule(on: str | list[str], lamp: Program, within: str | list[str] | None = None) -> Rule:
    """A rule of a plan from its words; no calendars."""
    return Rule(parse_days(on, {}), lamp, None if within is None else parse_days(within, {}))


def moments() -> st.SearchStrategy[Moment]:
    """Clock times of the whole day and solar words with offsets, as texts that were parsed."""
    clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
    words = st.sampled_from(["sunset", "sunrise", "dusk", "dawn", "dusk(-4)", "dawn(-2.5)"])
    offsets = st.sampled_from(["", "+10m", "-10m", "+1h30m", "-6h", "+12h", "-90s"])
    return st.one_of(clock, st.builds("{}{}".format, words, offsets)).map(parse_moment)


def programs(at_least: timedelta | None = None) -> st.SearchStrategy[Program]:
    """Any program, sensible or not."""
    levels = st.sampled_from([0.0, 1.0, 33.3, 60.0, 100.0])
    shortest = st.sampled_from([ZERO, timedelta(minutes=15), timedelta(hours=2)])
    return st.builds(
        Program,
        st.just("any"),
        moments(),
        moments(),
        st.lists(st.builds(LevelStep, moments(), levels), max_size=5).map(tuple),
        levels,
        shortest if at_least is None else st.just(at_least),
        st.sampled_from([ZERO, timedelta(seconds=30), timedelta(minutes=20), timedelta(hours=3)]),
        st.sampled_from(PolarPolicy),
        st.sampled_from(PolarPolicy),
    )
