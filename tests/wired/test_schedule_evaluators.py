"""Two evaluators written apart, the daemon's and the simulated controller's: over the octets they say the same."""

from __future__ import annotations

from datetime import date, datetime, time

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.bacnet import schedule_codec as codec
from drivers.bacnet.codec import Tag
from drivers.bacnet.schedule_codec import ScheduleProperty
from drivers.timetable import (
    ANY_DAY,
    CalendarEntry,
    CalendarRef,
    DatePattern,
    DateRange,
    Entry,
    SpecialDays,
    Timetable,
    WeekNDay,
    value_at,
)
from sim import bacnet_schedule
from sim.bacnet_schedule import CalendarObject, ScheduleObject
from sim.bacnet_town import BacnetFace
from sim.objects import BacnetObject
from sim.run import TownServer
from tests.controller.test_core_delegation import site
from tests.controller.towns import at

values = st.sampled_from([None, 8.0, 16.0, 19.0])
clock = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
days = st.lists(st.builds(Entry, clock, values), max_size=3, unique_by=lambda entry: entry.at).map(tuple)
near = st.dates(date(2026, 11, 26), date(2026, 12, 3))
listed = st.one_of(
    st.builds(
        DatePattern,
        st.sampled_from([None, 2026, 2027]),
        st.sampled_from([None, 11, 12, 13, 14]),
        st.sampled_from([None, 1, 30, 32, 33, 34]),
        st.sampled_from([None, 1, 2, 7]),
    ),
    st.builds(WeekNDay, st.sampled_from([None, 11, 13]), st.sampled_from([None, *range(1, 10)]), st.none()),
    st.builds(DateRange, st.none() | near, st.none() | near),
)
specials = st.builds(SpecialDays, listed | st.just(CalendarRef(1)), days, st.integers(1, 3))
schedules = st.builds(
    Timetable,
    st.just(ANY_DAY) | st.builds(DateRange, near, near),
    st.lists(days, min_size=7, max_size=7).map(tuple),
    st.lists(specials, max_size=3).map(tuple),
    values,
)
moments = st.builds(datetime.combine, near, clock)


def controller(schedule: Timetable, dates: list[CalendarEntry]) -> tuple[ScheduleObject, BacnetObject]:
    """A simulated one that holds ``schedule``."""
    setpoint = BacnetObject("analog-value", 1, "Setpoint", "degrees-celsius", lambda: 0.0, commandable=True)
    calendar = CalendarObject(1)
    calendar.write(ScheduleProperty.DATE_LIST, None, codec.encode_dates(dates))
    made = ScheduleObject(1, setpoint, [calendar])
    made.write(ScheduleProperty.WEEKLY_SCHEDULE, None, codec.encode_week(schedule.weekly, Tag.REAL))
    made.write(ScheduleProperty.EXCEPTION_SCHEDULE, None, codec.encode_specials(schedule.exceptions, Tag.REAL))
    made.write(ScheduleProperty.EFFECTIVE_PERIOD, None, codec.encode_period(schedule.effective))
    made.write(ScheduleProperty.SCHEDULE_DEFAULT, None, codec.encode_value(schedule.default, Tag.REAL))
    return made, setpoint


@settings(max_examples=300, deadline=None)
@given(schedules, st.lists(listed, max_size=2), st.lists(moments, min_size=1, max_size=6))
def test_they_agree(schedule: Timetable, dates: list[CalendarEntry], when: list[datetime]) -> None:
    most, bacnet_schedule.MOST_EXCEPTIONS = bacnet_schedule.MOST_EXCEPTIONS, 3
    try:
        made, setpoint = controller(schedule, dates)
    finally:
        bacnet_schedule.MOST_EXCEPTIONS = most
    for moment in when:
        made.step(moment)
        assert setpoint.slots.get(16) == value_at(schedule, moment, {1: tuple(dates)}).value


def test_a_wrong_clock_is_the_schedules_clock() -> None:
    now = [at("2026-01-12 03:30")]
    server = TownServer(site(), now=lambda: now[0])
    (schedule,) = [each for each in server.town.schedules["ecole"] if isinstance(each, ScheduleObject)]
    (face,) = [each for each in server._faces if isinstance(each, BacnetFace)]
    hours = (Entry(time(4), 19.0),)
    schedule.write(ScheduleProperty.WEEKLY_SCHEDULE, None, codec.encode_week((hours,) * 7, Tag.REAL))
    setpoint = server.town.buildings["ecole"].zones[1]
    face.tick()
    assert setpoint.setpoint_c == 16.0
    assert server.control.obey("fault ecole clock 3600")["ok"]
    face.tick()
    assert setpoint.setpoint_c == 19.0, "an hour fast: for the controller it is 04:30"
