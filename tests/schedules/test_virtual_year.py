"""A whole leap year, minute by minute, against an oracle that shares nothing with the schedules but the sun.

The oracle reads the site file's meaning off the wall clock: it derives local time from the written rule of the
European Union (last Sundays of March and October, 01:00 UTC), lets a clock time have come when the highest wall
clock seen so far has reached it (which is the rule for the gap and for the repeated hour), and names the days
of the rules with plain comparisons. The year is 2028 with its 29 February, both clock changes and both ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from schedules import allures, occupancy, plan, sun
from schedules.allures import Setpoints
from schedules.calendars import Calendar, Period, parse_days
from schedules.occupancy import DatedException, Interval, Occupancy, parse_weekly
from schedules.plan import Plan, Rule
from tests.schedules.builders import PARIS, program

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOON = time(12)
FIRST = datetime(2027, 12, 31, 11, tzinfo=UTC)  # local noon of New Year's Eve
LAST = datetime(2029, 1, 1, 11, tzinfo=UTC)

Wall = datetime
"""Local wall clock, naive."""


def last_sunday(year: int, month: int) -> date:
    return max(d for n in range(31) if (d := date(year, month, 1) + n * DAY).weekday() == 6)


SUMMER = [
    (
        datetime.combine(last_sunday(year, 3), time(1), UTC),
        datetime.combine(last_sunday(year, 10), time(1), UTC),
    )
    for year in (2027, 2028, 2029)
]


def hours_ahead(at: datetime) -> int:
    return 2 if any(start <= at < end for start, end in SUMMER) else 1


def minutes(first: datetime, last: datetime) -> Iterator[tuple[datetime, Wall]]:
    """Each UTC minute with the highest wall clock seen so far; ``first`` is a full hour."""
    at, highest = first, datetime.min  # noqa: DTZ901 - a wall clock
    while at < last:
        wall = (at + hours_ahead(at) * HOUR).replace(tzinfo=None)
        for _ in range(60):
            highest = max(highest, wall)
            yield at, highest
            at, wall = at + MINUTE, wall + MINUTE


def come(at: Wall, clock: dict[Wall, datetime]) -> datetime:
    """When a wall clock time has come: the first minute whose highest wall clock has reached it."""
    while at not in clock:
        at += MINUTE
    return clock[at]


FERIES = {
    date(2028, 1, 1): "Jour de l'an",
    date(2028, 5, 1): "Travail",
    date(2028, 7, 14): "Nationale",
    date(2028, 12, 25): "Noel",
}

# name -> (lit from, lit to, start level, steps, at least, ramp) in the words of the site file
MEANING = {
    "centre": (
        "sunset+10m",
        "sunrise-10m",
        100,
        {"22:30": 60, "00:30": 0, "05:00": 60},
        timedelta(minutes=15),
        10 * MINUTE,
    ),
    "week-end": ("dusk(-3)", "dawn(-3)", 80, {"02:30": 40, "sunrise-1h": 90}, timedelta(), timedelta()),
    "fete": ("sunset", "sunrise", 100, {"21:15": 70}, timedelta(), 90 * MINUTE),
    "bissextile": ("18:00", "07:00", 29, {}, timedelta(), timedelta()),
}
SOLAR = {"sunset": -0.833, "sunrise": -0.833, "dusk(-3)": -3.0, "dawn(-3)": -3.0}
OFFSETS = {"+10m": 10 * MINUTE, "-10m": -10 * MINUTE, "-1h": -60 * MINUTE}


def the_program_of(day: date) -> str:
    """What the rules of ``town`` mean."""
    if day.month == 2 and day.day == 29:
        return "bissextile"
    if (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 2):
        return "fete"
    if day.weekday() == 2 and 15 <= day.day <= 21:
        return "fete"
    if day in FERIES or day.weekday() in (4, 5):
        return "week-end"
    return "centre"


def town() -> Plan:
    programs = {
        name: program(begin, end, name=name, start=start, levels=steps, at_least=at_least, ramp=ramp)
        for name, (begin, end, start, steps, at_least, ramp) in MEANING.items()
    }
    feries = Calendar("feries", tuple(Period(day, day, label) for day, label in FERIES.items()))
    rules: list[tuple[str | list[str], str]] = [
        ("02-29", "bissextile"),
        ("12-24..01-02", "fete"),
        ("3rd wed", "fete"),
        (["feries", "fri", "sat"], "week-end"),
    ]
    parsed = tuple(Rule(parse_days(on, {"feries": feries}), programs[name]) for on, name in rules)
    return Plan("ville", programs["centre"], parsed, PARIS)


def instant(word: str, evening: date, clock: dict[Wall, datetime]) -> datetime:
    """When ``word`` of a site file happens in the night of ``evening``."""
    for text, angle_deg in SOLAR.items():
        if word.startswith(text):
            crossing = sun.evening if text.startswith(("sunset", "dusk")) else sun.morning
            event = crossing(evening, PARIS, angle_deg)
            assert isinstance(event, datetime)
            return event + OFFSETS.get(word.removeprefix(text), timedelta())
    at = time.fromisoformat(word)
    return come(datetime.combine(evening if at >= NOON else evening + DAY, at), clock)


def targets(evening: date, clock: dict[Wall, datetime]) -> list[tuple[datetime, float]]:
    """The levels of one night by asking, at each of its instants, what holds there."""
    begin, end, start, steps, at_least, _ = MEANING[the_program_of(evening)]
    lit_from, lit_to = instant(begin, evening, clock), instant(end, evening, clock)
    timed = sorted((instant(word, evening, clock), level) for word, level in steps.items())
    edges = sorted({lit_from, lit_to, *(at for at, _ in timed)})
    levels: list[tuple[datetime, float]] = []
    for edge in edges:
        known = [level for at, level in timed if at <= edge]
        levels.append((edge, (known[-1] if known else start) if lit_from <= edge < lit_to else 0))
    return [
        (at, 0 if level and lit_stretch(levels, index) < at_least else level)
        for index, (at, level) in enumerate(levels)
    ]


def lit_stretch(levels: list[tuple[datetime, float]], index: int) -> timedelta:
    first = last = index
    while first > 0 and levels[first - 1][1]:
        first -= 1
    while levels[last][1]:
        last += 1
    return levels[last][0] - levels[first][0]


def levels_of_the_night(evening: date, clock: dict[Wall, datetime]) -> list[tuple[datetime, float]]:
    """The targets with their ramps drawn out: ten equal stages, at least 1 % and 1 s each."""
    ramp = MEANING[the_program_of(evening)][5]
    drawn: list[tuple[datetime, float]] = []
    now = 0.0
    found = targets(evening, clock)
    ends = [at for at, _ in found[1:]] + [datetime.max.replace(tzinfo=UTC)]
    for (at, level), end in zip(found, ends, strict=True):
        stages = max(1, min(10, int(abs(level - now)), int(ramp.total_seconds())))
        climbed = [(at + ramp / stages * k, now + (level - now) / stages * (k + 1)) for k in range(stages)]
        drawn += [stage for stage in climbed if stage[0] < end]
        now = drawn[-1][1]
    return drawn


def test_the_lamps_of_a_whole_year_equal_the_oracle_at_every_minute() -> None:
    ville = town()
    year = list(minutes(FIRST, LAST + DAY))
    clock = {highest: at for at, highest in reversed(year)}
    checked, lit, seen, evening, name = 0, 0, set(), date.min, ""
    pending: list[tuple[datetime, float]] = []
    level = 0.0
    for at, highest in year[: -24 * 60]:
        tonight = highest.date() if highest.hour >= 12 else highest.date() - DAY
        if tonight != evening:
            evening, name = tonight, the_program_of(tonight)
            level, pending = 0.0, levels_of_the_night(tonight, clock)[::-1]
        while pending and pending[-1][0] <= at:
            level = pending.pop()[1]
        demand = plan.evaluate(ville, at)
        assert demand.program == name, at
        assert abs(demand.level - level) < 0.01, at
        checked, lit = checked + 1, lit + (level > 0)
        seen.add(demand.program)
    assert checked == 367 * 1440
    assert seen == set(MEANING)
    assert 0.2 < lit / checked < 0.5


HOLIDAYS = [(date(2028, 2, 12), date(2028, 2, 28), "Hiver"), (date(2028, 12, 23), date(2029, 1, 7), "Noel")]


def school() -> Occupancy:
    feries = Calendar("feries", tuple(Period(day, day, label) for day, label in FERIES.items()))
    holidays = Calendar("vacances-b", tuple(Period(*holiday) for holiday in HOLIDAYS))
    return Occupancy(
        "ecole",
        parse_weekly({"mon-fri": ["08:00-12:00", "13:30-17:30"], "sat": ["22:00-02:30"], "sun": "02:45-03:15"}),
        (feries, holidays),
        (
            DatedException(date(2028, 2, 29), None, False, "Travaux"),
            DatedException(date(2028, 7, 14), Interval(time(20), time(1)), True, "Bal"),
            DatedException(date(2028, 12, 31), Interval(time(21), time(4)), True, "Reveillon"),
        ),
        PARIS.zone,
    )


def is_open(now: Wall) -> bool:
    """What the hours of ``school`` mean, at the highest wall clock seen."""
    if now.date() == date(2028, 2, 29):
        return False
    if datetime(2028, 7, 14, 20) <= now < datetime(2028, 7, 15, 1):  # noqa: DTZ001 - a wall clock
        return True
    if datetime(2028, 12, 31, 21) <= now < datetime(2029, 1, 1, 4):  # noqa: DTZ001 - a wall clock
        return True
    hour = now.hour + now.minute / 60
    if is_closed(now.date()):
        by_day = False
    elif now.weekday() < 5:
        by_day = 8 <= hour < 12 or 13.5 <= hour < 17.5
    elif now.weekday() == 5:
        by_day = hour >= 22
    else:
        by_day = 2.75 <= hour < 3.25
    return by_day or (now.weekday() == 6 and hour < 2.5 and not is_closed(now.date() - DAY))


def is_closed(day: date) -> bool:
    return day in FERIES or any(start <= day <= end for start, end, _ in HOLIDAYS)


def test_the_allures_of_a_whole_year_equal_the_oracle_at_every_minute() -> None:
    ecole, setpoints = school(), Setpoints(19.0, 16.0, 8.0)
    around = [(at, is_open(now)) for at, now in minutes(FIRST - 20 * DAY, LAST + 20 * DAY)]
    stretches = [(is_occupied, [at for at, _ in run]) for is_occupied, run in groupby(around, lambda pair: pair[1])]
    checked, seen = 0, set()
    for index, (is_occupied, instants) in enumerate(stretches[1:-1], start=1):
        since, until = instants[0], instants[-1] + MINUTE
        opening = until if not is_occupied else stretches[index + 1][1][-1] + MINUTE
        allure = "comfort" if is_occupied else "frost" if until - since >= 48 * HOUR else "reduced"
        for at in instants:
            if FIRST <= at < LAST:
                demand = allures.evaluate(ecole, setpoints, at)
                found = (demand.allure, demand.since, demand.until, demand.next_opening)
                assert found == (allure, since, until, opening), at
                checked += 1
                seen.add(demand.allure)
    assert checked == 367 * 1440
    assert seen == {"comfort", "reduced", "frost"}
    assert occupancy.evaluate(ecole, FIRST).bounded
