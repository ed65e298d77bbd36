"""Legal hours: what each category permits, night by night, and what lies beyond."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.legal_hours import legal_categories
from schedules.calendars import Calendar, Period, parse_days
from schedules.legal import Derogation, LegalCategory, LegalHours, allowed, capped, excess, judge, permitted
from schedules.moments import noon, parse_moment, resolve
from schedules.occupancy import DatedException, Occupancy, parse_interval, parse_weekly
from schedules.program import Step
from schedules.sun import Place
from tests.schedules.builders import PARIS

FR = legal_categories("FR")
HOLIDAYS = Calendar("feries", (Period(date(2026, 11, 11), date(2026, 11, 11), "Armistice"),))
MEETING = DatedException(date(2026, 11, 24), parse_interval("19:30-21:00"), occupied=True, label="council")
MON, TUE, WED_OFF, FRI, SAT, SUN = (date(2026, 11, day) for day in (23, 24, 11, 27, 28, 29))
SPRING, AUTUMN = date(2026, 3, 28), date(2026, 10, 24)
"""The nights in which the clocks go forward at 02:00 and back at 03:00."""


def building(**weekly: str) -> Occupancy:
    hours = parse_weekly({days.replace("_", "-"): text.split() for days, text in weekly.items()})
    return Occupancy("building", hours, (HOLIDAYS,), (MEETING,), PARIS.zone)


SCHOOL = building(mon_fri="08:00-12:00 13:30-17:30")
BAKERY = building(tue_sat="05:00-19:00")
BAR = building(fri_sat="18:00-02:30")
SUNSET = "sunset"


def words(category: str, occupancy: Occupancy | None, day: date) -> str:
    """The permitted hours as ``12:00-17:02 06:00-12:00``, sunset by its name."""
    dusk = parse_moment(SUNSET)
    stretches = allowed(FR[category], occupancy, day, PARIS)
    assert all(noon(day, PARIS.zone) <= start < end <= noon(day + timedelta(1), PARIS.zone) for start, end in stretches)
    texts = {resolve(dusk, day, PARIS): SUNSET}
    clocks = [[texts.get(at, f"{at.astimezone(PARIS.zone):%H:%M}") for at in stretch] for stretch in stretches]
    return " ".join("-".join(pair) for pair in clocks)


NIGHTS = [
    ("public-road", None, MON, "12:00-12:00"),
    ("heritage", None, MON, "sunset-01:00"),
    ("facade", None, MON, "sunset-01:00"),
    ("facade", None, SPRING, "sunset-01:00"),
    ("facade", None, AUTUMN, "sunset-01:00"),
    ("advertising", None, MON, "12:00-01:00 06:00-12:00"),
    # an ordinary day: activity 08:00-17:30, light between its two halves, 07:00 in the morning
    ("economic-site", SCHOOL, MON, "12:00-18:30 07:00-12:00"),
    ("interior", SCHOOL, MON, "12:00-18:30 07:00-12:00"),
    ("works", SCHOOL, MON, "12:00-13:00 13:30-18:30 08:00-12:00"),
    ("car-park", SCHOOL, MON, "sunset-19:30 07:00-12:00"),
    ("parks", SCHOOL, MON, "sunset-18:30"),
    ("shop-window", SCHOOL, MON, "12:00-01:00 07:00-12:00"),
    ("shop-window", None, MON, "12:00-01:00 07:00-12:00"),
    # an evening meeting moves the end, that of the morning after stays
    ("economic-site", SCHOOL, TUE, "12:00-22:00 07:00-12:00"),
    ("car-park", SCHOOL, TUE, "sunset-23:00 07:00-12:00"),
    # no activity, no light: a holiday, the night before it, a weekend
    ("economic-site", SCHOOL, WED_OFF, "07:00-12:00"),
    ("economic-site", SCHOOL, WED_OFF - timedelta(1), "12:00-18:30"),
    ("car-park", SCHOOL, FRI, "sunset-19:30"),
    ("car-park", SCHOOL, SAT, ""),
    ("car-park", SCHOOL, SUN, "07:00-12:00"),
    ("parks", SCHOOL, SAT, ""),
    # an activity before seven: an hour before it
    ("economic-site", BAKERY, MON, "04:00-12:00"),
    ("shop-window", BAKERY, MON, "12:00-01:00 04:00-12:00"),
    ("economic-site", BAKERY, SAT, "12:00-20:00"),
    # hours over midnight; the later of the two for a shop window
    ("shop-window", BAR, FRI, "12:00-03:30 07:00-12:00"),
    ("economic-site", BAR, FRI, "12:00-03:30 07:00-12:00"),
    ("economic-site", BAR, MON - timedelta(7), ""),
    # the clocks go back at 03:00, forward at 02:00: an hour after is an hour
    ("shop-window", BAR, AUTUMN, "12:00-02:30 07:00-12:00"),
    ("shop-window", BAR, SPRING, "12:00-04:00 07:00-12:00"),
    ("car-park", SCHOOL, AUTUMN + timedelta(1), "07:00-12:00"),
]


@pytest.mark.parametrize(("category", "occupancy", "day", "hours"), NIGHTS)
def test_the_permitted_hours(category: str, occupancy: Occupancy | None, day: date, hours: str) -> None:
    assert words(category, occupancy, day) == hours


def test_a_summer_evening_too_bright_for_a_car_park() -> None:
    """On 23 June the sun sets at 21:58, after the two hours that follow the activity."""
    assert words("car-park", SCHOOL, date(2026, 6, 23)) == "07:00-12:00"


def test_the_far_north() -> None:
    north = Place(69.65, 18.96, PARIS.zone)
    assert allowed(FR["facade"], None, date(2026, 6, 21), north) == ()
    ((start, end),) = allowed(FR["facade"], None, date(2026, 12, 21), north)
    assert start == noon(date(2026, 12, 21), PARIS.zone)
    assert f"{end.astimezone(PARIS.zone):%H:%M}" == "01:00"


def test_a_building_that_never_closes_is_never_off() -> None:
    always = building(mon_sun="00:00-24:00")
    always = Occupancy("always", always.weekly, (), (), PARIS.zone)
    assert words("economic-site", always, MON) == "12:00-12:00"


def leave(until: str | None, **fields: object) -> Derogation:
    days = fields.pop("on", None)
    rule = None if days is None else parse_days(str(days), {})
    end = None if until is None else parse_moment(until)
    return Derogation("noel", date(2026, 12, 1), date(2027, 1, 5), end, "2026-114", "préfecture", days=rule)


@pytest.mark.parametrize(
    ("derogation", "day", "hours"),
    [
        (leave("03:00"), date(2026, 12, 24), [("01:00", False), ("03:00", True)]),
        (leave(None), date(2026, 12, 24), [("01:00", False), ("12:00", True)]),
        (leave("23:00"), date(2026, 12, 24), [("01:00", False)]),
        (leave("03:00"), date(2026, 11, 30), [("01:00", False)]),
        (leave("03:00"), date(2026, 12, 1), [("01:00", False), ("03:00", True)]),
        (leave("03:00"), date(2027, 1, 5), [("01:00", False), ("03:00", True)]),
        (leave("03:00"), date(2027, 1, 6), [("01:00", False)]),
        (leave("03:00", on="sat"), date(2026, 12, 24), [("01:00", False)]),
        (leave("03:00", on="sat"), date(2026, 12, 26), [("01:00", False), ("03:00", True)]),
    ],
)
def test_a_derogation_moves_the_end_on_its_nights(
    derogation: Derogation, day: date, hours: list[tuple[str, bool]]
) -> None:
    found = permitted(LegalHours(FR["facade"], None, (derogation,)), day, PARIS)
    ends = [(f"{each.end.astimezone(PARIS.zone):%H:%M}", each.derogation is not None) for each in found]
    assert ends == hours


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS.zone)


def test_the_verdict_of_an_instant() -> None:
    hours = LegalHours(FR["facade"], None, (leave("03:00"),))
    by_law = judge(hours, local("2026-12-24 23:00"), PARIS)
    assert (by_law.allowed, by_law.until, by_law.derogation) == (True, local("2026-12-25 01:00"), None)
    by_leave = judge(hours, local("2026-12-25 01:00"), PARIS)
    assert (by_leave.allowed, by_leave.until) == (True, local("2026-12-25 03:00"))
    assert by_leave.derogation is not None
    beyond = judge(hours, local("2026-12-25 03:00"), PARIS)
    assert (beyond.allowed, beyond.until) == (False, local("2026-12-25 12:00"))
    assert judge(hours, local("2026-12-24 13:00"), PARIS).until < local("2026-12-24 17:00")


STEPS = [
    Step(local("2026-11-23 12:00"), 0.0, "off"),
    Step(local("2026-11-23 18:00"), 100.0, "on"),
    Step(local("2026-11-24 00:30"), 60.0, "dimmed"),
    Step(local("2026-11-24 02:00"), 30.0, "low"),
    Step(local("2026-11-24 07:30"), 0.0, "off again"),
]
END = local("2026-11-24 12:00")


def test_what_of_a_plan_lies_beyond() -> None:
    to_one = [(local("2026-11-23 17:00"), local("2026-11-24 01:00"))]
    assert excess(STEPS, END, to_one) == [(local("2026-11-24 01:00"), local("2026-11-24 07:30"))]
    again = [*to_one, (local("2026-11-24 07:00"), END)]
    assert excess(STEPS, END, again) == [(local("2026-11-24 01:00"), local("2026-11-24 07:00"))]
    assert excess(STEPS, END, []) == [(local("2026-11-23 18:00"), local("2026-11-24 07:30"))]
    assert excess(STEPS, END, [(STEPS[0].at, END)]) == []


def test_a_capped_plan_is_dark_beyond_and_goes_on_where_light_is_permitted_again() -> None:
    hours = LegalHours(FR["economic-site"], SCHOOL)
    found = [(f"{step.at.astimezone(PARIS.zone):%H:%M}", step.level) for step in capped(STEPS, END, hours, PARIS)]
    assert found == [("12:00", 0.0), ("18:00", 100.0), ("18:30", 0.0), ("07:00", 30.0), ("07:30", 0.0)]
    (cap,) = (step for step in capped(STEPS, END, hours, PARIS) if f"{step.at.astimezone(PARIS.zone):%H:%M}" == "18:30")
    assert cap.reason == (
        "legal hours of economic-site (arrêté du 27 décembre 2018, art. 1 a and 2): "
        "off 1h after the activity, on again at 07:00 or 1h before the activity"
    )
    assert capped(STEPS, END, LegalHours(FR["public-road"]), PARIS) == STEPS


@given(
    st.sampled_from([FR[name] for name in FR]),
    st.sampled_from([SCHOOL, BAKERY, BAR]),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.lists(st.tuples(st.integers(0, 1439), st.sampled_from([0.0, 30.0, 100.0])), min_size=1, max_size=6),
)
def test_a_capped_plan_has_no_excess_and_is_never_brighter(
    category: LegalCategory, occupancy: Occupancy, day: date, wanted: list[tuple[int, float]]
) -> None:
    hours = LegalHours(category, occupancy)
    start, end = noon(day, PARIS.zone), noon(day + timedelta(1), PARIS.zone)
    levels = {0: 0.0, **dict(wanted)}
    steps = [Step(start + timedelta(minutes=at), level, "plan") for at, level in sorted(levels.items())]
    steps = [step for step in steps if step.at < end]
    cover = allowed(category, occupancy, day, PARIS)
    lawful = capped(steps, end, hours, PARIS)
    assert excess(lawful, end, cover) == []
    for minute in range(0, 1380, 7):
        at = start + timedelta(minutes=minute)
        inside = any(first <= at < last for first, last in cover)
        assert level_at(lawful, at) == (level_at(steps, at) if inside else 0.0)


def level_at(steps: list[Step], at: datetime) -> float:
    return [step.level for step in steps if step.at <= at][-1]
