"""Lit periods, cuts and hours of light, for a relight and for the proof of a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.cuts import Cut, cut_at, cuts, dark_hours, lit_hours, lit_span, stretches
from schedules.nights import night_of, night_span
from schedules.photocell import Ambient, PhotocellWindow
from schedules.plan import Plan, evaluate
from schedules.program import Program
from schedules.sun import Place
from tests.schedules.builders import PARIS, ZERO, program, programs, rule

DAY = date(2026, 11, 10)


def ville(lamp: Program) -> Plan:
    return Plan("ville", lamp, (), PARIS)


CENTRE = ville(program("18:00", "06:00", start=90, levels={"22:30": 60, "00:30": 0, "05:00": 80}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS.zone)


def words(found: tuple[Cut, ...]) -> list[tuple[str, str, float]]:
    clock = [(cut.start.astimezone(PARIS.zone), cut.end.astimezone(PARIS.zone), cut.before) for cut in found]
    return [(f"{start:%H:%M}", f"{end:%H:%M}", before) for start, end, before in clock]


@pytest.mark.parametrize(
    ("lamp", "expected"),
    [
        (CENTRE.default, [("00:30", "05:00", 60.0)]),
        (program("18:00", "06:00"), []),
        (program("02:00", "22:00"), []),
        # two cuts, the second after a lower level
        (
            program("18:00", "06:00", levels={"21:00": 0, "22:00": 40, "23:00": 0, "05:00": 100}),
            [("21:00", "22:00", 100.0), ("23:00", "05:00", 40.0)],
        ),
        # dark from the start by a step before it: what the start would have been
        (program("18:00", "06:00", start=70, levels={"17:00": 0, "05:00": 100}), [("18:00", "05:00", 70.0)]),
        # the restart is too short to light: one cut to the end
        (
            program("18:00", "06:00", levels={"23:00": 0, "05:50": 100}, at_least=timedelta(minutes=15)),
            [("23:00", "06:00", 100.0)],
        ),
        # a program without any light before its cut
        (program("18:00", "06:00", start=0, levels={"05:00": 100}), [("18:00", "05:00", 0.0)]),
    ],
)  # fmt: skip
def test_the_cuts_of_a_night(lamp: Program, expected: list[tuple[str, str, float]]) -> None:
    assert words(cuts(ville(lamp), DAY)) == expected


def test_the_cut_around_an_instant() -> None:
    assert cut_at(CENTRE, at("2026-11-11T00:29:59")) is None
    found = cut_at(CENTRE, at("2026-11-11T00:30"))
    assert found is not None
    assert (found.start, found.end, found.before) == (at("2026-11-11T00:30"), at("2026-11-11T05:00"), 60.0)
    assert cut_at(CENTRE, at("2026-11-11T05:00")) is None
    assert cut_at(CENTRE, at("2026-11-11T14:00")) is None, "off by day is no cut"


def test_the_lit_period_around_an_instant() -> None:
    span = (at("2026-11-10T18:00"), at("2026-11-11T06:00"))
    assert lit_span(CENTRE, at("2026-11-10T13:00")) == span
    assert lit_span(CENTRE, at("2026-11-11T11:59")) == span
    assert lit_span(ville(program("02:00", "22:00")), at("2026-11-10T20:00")) is None


def test_the_cell_moves_the_lit_period_and_not_the_cut() -> None:
    cell = PhotocellWindow("mairie", timedelta(minutes=30), timedelta(minutes=15))
    plan = ville(replace(CENTRE.default, photocell=cell))
    assert lit_span(plan, at("2026-11-10T20:00"), Ambient.DARK) == (at("2026-11-10T17:30"), at("2026-11-11T06:15"))
    assert lit_span(plan, at("2026-11-10T20:00"), Ambient.BRIGHT) == (at("2026-11-10T18:15"), at("2026-11-11T05:30"))
    assert cuts(plan, DAY, Ambient.DARK) == cuts(plan, DAY, Ambient.BRIGHT) == cuts(CENTRE, DAY)
    assert [lit_hours(plan, DAY, a) for a in (Ambient.DARK, Ambient.UNKNOWN, Ambient.BRIGHT)] == [8.25, 7.5, 6.75]


def test_the_program_of_the_evening_gives_the_cut_of_the_morning() -> None:
    plan = Plan("ville", CENTRE.default, (rule("tue", program("18:00", "06:00", name="fete")),), PARIS)
    assert cut_at(plan, at("2026-11-11T02:00")) is None
    assert cut_at(plan, at("2026-11-12T02:00")) is not None


@pytest.mark.parametrize(
    ("latitude", "month", "hours"), [(48.86, 6, 7.82), (48.86, 12, 15.76), (70.0, 6, 0.0), (70.0, 12, 24.0)]
)
def test_the_hours_without_sun(latitude: float, month: int, hours: float) -> None:
    place = Place(latitude, 2.35, ZoneInfo("Europe/Paris"))
    assert dark_hours(date(2026, month, 21), place) == pytest.approx(hours, abs=0.02)


instants = st.integers(0, 2 * 366 * 86_400).map(lambda s: at("2026-01-01T00:00") + timedelta(seconds=s))


@given(programs(), instants)
def test_an_instant_is_lit_or_cut_or_outside_the_lit_period(lamp: Program, instant: datetime) -> None:
    plan = ville(replace(lamp, ramp=ZERO))
    span, cut, level = lit_span(plan, instant), cut_at(plan, instant), evaluate(plan, instant).level
    inside = span is not None and span[0] <= instant < span[1]
    assert inside == (cut is not None or level > 0)
    assert cut is None or level == 0
    day = night_of(instant, PARIS.zone)
    total = sum((found.length for found in stretches(plan, day)), ZERO)
    total += sum((found.end - found.start for found in cuts(plan, day)), ZERO)
    assert total == (span[1] - span[0] if span else ZERO)
    assert 0 <= lit_hours(plan, day) <= night_span(day, PARIS.zone).length / timedelta(hours=1)
