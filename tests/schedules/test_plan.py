"""The plan: which program, the demand at an instant, when it changes, and timetables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.calendars import Calendar, Period, parse_days
from schedules.moments import night_of, noon
from schedules.plan import Plan, Rule, evaluate, next_change, program_for, steps_between
from schedules.program import Program, night
from tests.schedules.builders import PARIS, program, programs

FERIES = Calendar("feries", (Period(date(2026, 11, 11), date(2026, 11, 11), "Armistice"),))
CENTRE = program("18:00", "06:00", name="centre", levels={"22:30": 60, "00:30": 0, "05:00": 60})
WEEKEND = program("18:00", "06:00", name="week-end", levels={"02:00": 0})
FETE = program("17:00", "07:00", name="fete")
RAMPED = program("18:00", "06:00", name="ramped", ramp=timedelta(seconds=30))
DAY = timedelta(days=1)


def rule(on: str | list[str], lamp: Program) -> Rule:
    return Rule(parse_days(on, {"feries": FERIES}), lamp)


VILLE = Plan(
    "ville",
    CENTRE,
    (rule("12-24..12-26", FETE), rule(["fri", "sat"], WEEKEND), rule("feries", FETE)),
    PARIS,
)


def at(text: str) -> datetime:
    """An instant from local time in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS.zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "name", "why"),
    [
        ("2026-11-10", "centre", "default"),
        ("2026-11-11", "fete", "feries: Armistice"),
        ("2026-11-13", "week-end", "fri"),
        ("2026-12-25", "fete", "12-24..12-26"),  # a Friday: the first rule wins
    ],
)
def test_the_first_matching_rule_wins(day: str, name: str, why: str) -> None:
    chosen, reason = program_for(VILLE, date.fromisoformat(day))
    assert (chosen.id, reason) == (name, why)


@pytest.mark.parametrize(
    ("on", "within", "day", "why"),
    [
        ("fri", "04-01..09-30", "2026-07-03", "fri within 04-01..09-30"),
        ("fri", "04-01..09-30", "2026-07-04", None),
        ("fri", "04-01..09-30", "2026-10-02", None),
        (None, "04-01..09-30", "2026-07-04", "04-01..09-30"),
        (None, ["11-15..03-15", "last sun"], "2026-07-26", "last sun"),
        ("feries", "mon-fri", "2026-11-11", "feries: Armistice within mon-fri"),
        ("feries", "10-01..10-31", "2026-11-11", None),
    ],
)
def test_a_season_narrows_a_rule(on: str | None, within: str | list[str], day: str, why: str | None) -> None:
    calendars = {"feries": FERIES}
    seasonal = Rule(None if on is None else parse_days(on, calendars), FETE, parse_days(within, calendars))
    assert seasonal.reason(date.fromisoformat(day)) == why
    chosen = program_for(Plan("p", CENTRE, (seasonal,), PARIS), date.fromisoformat(day))
    assert chosen == ((FETE, why) if why else (CENTRE, "default"))


@pytest.mark.parametrize(
    ("instant", "level", "reason", "until", "name"),
    [
        ("2026-11-10T13:00", 0, "off until 18:00 (default)", "2026-11-10T18:00", "centre"),
        ("2026-11-10T18:00", 100, "18:00 (default)", "2026-11-10T22:30", "centre"),
        ("2026-11-10T23:00", 60, "22:30 (default)", "2026-11-11T00:30", "centre"),
        ("2026-11-11T00:30", 0, "00:30 (default)", "2026-11-11T05:00", "centre"),
        # the morning still belongs to the evening of the 10th; dark until the feast of the evening
        ("2026-11-11T06:00", 0, "off after 06:00 (default)", "2026-11-11T17:00", "centre"),
        ("2026-11-11T12:00", 0, "off until 17:00 (feries: Armistice)", "2026-11-11T17:00", "fete"),
        ("2026-11-12T05:30", 100, "17:00 (feries: Armistice)", "2026-11-12T07:00", "fete"),
        ("2027-01-01T00:00", 60, "22:30 (default)", "2027-01-01T00:30", "centre"),
    ],
)
def test_the_demand_with_its_reason(instant: str, level: float, reason: str, until: str, name: str) -> None:
    demand = evaluate(VILLE, at(instant))
    assert (demand.level, demand.reason, demand.until, demand.program) == (level, reason, at(until), name)


def test_the_demand_follows_the_stages_of_a_ramp() -> None:
    plan = Plan("p", RAMPED, (), PARIS)
    demand = evaluate(plan, at("2026-11-10T18:00:07"))
    assert demand.level == 30.0
    assert demand.until == at("2026-11-10T18:00:09")
    assert demand.reason == "ramp to 100 %: 18:00 (default)"
    assert evaluate(plan, at("2026-11-11T06:00:29")).level == 0.0
    assert evaluate(plan, at("2026-11-11T06:00:26")).level == 10.0


def test_a_ramp_ends_with_its_night() -> None:
    late = program("18:00", "11:59", name="late", ramp=timedelta(minutes=20))
    plan = Plan("p", late, (), PARIS)
    assert evaluate(plan, at("2026-11-11T11:59:30")).level == 90.0
    assert evaluate(plan, at("2026-11-11T11:59:30")).until == at("2026-11-11T12:00")
    assert next_change(plan, at("2026-11-11T11:59:30")) == at("2026-11-11T12:00")
    assert evaluate(plan, at("2026-11-11T12:00")).level == 0.0


def test_a_plan_that_is_always_dark_is_known_to_the_end_of_the_next_night() -> None:
    dark = Plan("dark", program("06:00", "18:00"), (), PARIS)
    assert evaluate(dark, at("2026-11-10T20:00")).until == at("2026-11-12T12:00")
    assert next_change(dark, at("2026-11-10T20:00")) == at("2026-11-11T12:00")


def test_a_timetable_starts_where_it_is_asked_and_has_no_stages() -> None:
    plan = Plan("p", RAMPED, (), PARIS)
    found = steps_between(plan, at("2026-11-10T20:00"), at("2026-11-12T00:00"))
    assert [(s.at, s.level, s.reason) for s in found] == [
        (at("2026-11-10T20:00"), 100.0, "18:00 (default)"),
        (at("2026-11-11T06:00"), 0.0, "off after 06:00 (default)"),
        (at("2026-11-11T18:00"), 100.0, "18:00 (default)"),
    ]


def test_a_timetable_of_no_time_is_empty() -> None:
    assert steps_between(VILLE, at("2026-11-10T20:00"), at("2026-11-10T20:00")) == []


START = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.integers(0, 3 * 366 * 86_400).map(lambda s: START + timedelta(seconds=s))
plans = st.builds(
    lambda default, other: Plan("any", default, (rule(["fri", "sat"], other),), PARIS), programs(), programs()
)


@given(plans, instants, st.floats(0, 0.99))
def test_the_demand_is_constant_until_the_next_change(plan: Plan, instant: datetime, share: float) -> None:
    demand, change = evaluate(plan, instant), next_change(plan, instant)
    noon_after = noon(night_of(instant, PARIS.zone) + DAY, PARIS.zone)
    assert instant < change <= noon_after
    assert change <= demand.until
    assert evaluate(plan, instant + (change - instant) * share) == demand
    assert 0.0 <= demand.level <= 100.0


@given(plans, instants)
def test_until_is_the_next_change_of_the_level(plan: Plan, instant: datetime) -> None:
    demand, now = evaluate(plan, instant), instant
    while (now := next_change(plan, now)) < demand.until:
        assert evaluate(plan, now).level == demand.level
    if demand.until < noon(night_of(instant, PARIS.zone) + 2 * DAY, PARIS.zone):
        assert evaluate(plan, demand.until).level != demand.level


@given(plans, instants, st.integers(1, 3 * 86_400))
def test_a_timetable_is_the_targets_without_equal_neighbours(plan: Plan, start: datetime, length_s: int) -> None:
    end = start + timedelta(seconds=length_s)
    table = steps_between(plan, start, end)
    assert table[0].at == start
    assert all(early.at < late.at and early.level != late.level for early, late in pairwise(table))
    assert table[-1].at < end
    for step in table:
        day = night_of(step.at, PARIS.zone)
        targets = night(program_for(plan, day)[0], day, PARIS)
        assert step.level == [s.level for s in targets if s.at <= step.at][-1]
