"""``calendarEnds``: a calendar that runs out says so 60 days before, of whom it concerns, and louder once it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from config.site import Site
from controller.clock import Clock
from controller.core.cycle import adopt
from controller.core.report import alarm_of
from controller.core.state import State
from controller.core.wiring import Wiring
from controller.gateway import gateway_state
from schedules.calendars import Calendar, Period
from schedules.exceptions import Extent
from schedules.occupancy import Occupancy, evaluate
from tests.controller.field import Field
from tests.controller.towns import at, town

LAST = date(2028, 8, 31)
AUTUMN = Calendar("vacances-b", (Period(date(2027, 10, 23), date(2027, 11, 7), "Toussaint"),), LAST)
FERIES = Calendar("feries", (Period(date(2028, 12, 25), date(2028, 12, 25), "Noël"),))
EVENT = "calendarEnds"
SITE, SCHOOL = ("site/valbourg", EVENT), ("building/ecole", EVENT)


def of(site: Site, change: Callable[[Occupancy], Occupancy], *calendars: Calendar) -> Site:
    """A town whose zones have another occupancy."""
    changed = {zone.occupancy.id: change(zone.occupancy) for zone in site.zones.values()}
    zones = {key: replace(zone, occupancy=changed[zone.occupancy.id]) for key, zone in site.zones.items()}
    known = {calendar.id: calendar for calendar in calendars}
    return replace(site, zones=zones, occupancies=changed, calendars=known)


def closed(*calendars: Calendar) -> Site:
    return of(town(), lambda each: replace(each, closed=calendars), *calendars)


def started(site: Site, when: datetime) -> Field:
    field = Field(Wiring(site), when)
    field.start()
    return field


def calendar_alarms(state: State) -> dict[str, tuple[str, float | None, str]]:
    return {
        key: (alarm.severity, alarm.value, alarm.detail)
        for (key, event), alarm in state.alarms.items()
        if event == EVENT
    }


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2028-07-01", {}),
        ("2028-07-02", {"building/ecole": ("minor", 60.0, "vacances-b ends on 2028-08-31")}),
        ("2028-08-31", {"building/ecole": ("minor", 0.0, "vacances-b ends on 2028-08-31")}),
        ("2028-09-01", {"building/ecole": ("major", -1.0, "vacances-b ended on 2028-08-31")}),
    ],
)
def test_the_days_before_the_end(today: str, expected: dict[str, tuple[str, float, str]]) -> None:
    assert calendar_alarms(started(closed(AUTUMN), at(f"{today} 12:00")).state) == expected


def test_it_comes_at_midnight_and_grows_when_the_calendar_has_ended() -> None:
    field = started(closed(AUTUMN), at("2028-07-01 23:50"))
    assert field.state.due["calendars/end"] == at("2028-07-02 00:00"), "one due instant, no timer"
    field.advance(timedelta(minutes=15))
    assert calendar_alarms(field.state)["building/ecole"][:2] == ("minor", 60.0)
    raised = [event for event in field.events if event.facts.get("event") == EVENT]
    assert [(event.target, event.facts["state"]) for event in raised] == [("building/ecole", "raised")]
    field.now = at("2028-08-31 23:50")
    field.poll()
    field.advance(timedelta(minutes=15))
    assert calendar_alarms(field.state)["building/ecole"][0] == "major"
    assert "calendars/end" not in field.state.due, "there is nothing more to tell"
    told = alarm_of(field.state, SCHOOL)
    assert told is not None
    assert told["detail"] == "vacances-b ended on 2028-08-31"


def test_a_school_day_nobody_knows_about_is_an_ordinary_one() -> None:
    """2028-10-25 lies in holidays that were not published yet: warm, and the alarm says why."""
    field = started(closed(AUTUMN), at("2028-10-25 10:00"))
    assert evaluate(field.wiring.site.zones["ecole.classes"].occupancy, field.now).occupied
    assert calendar_alarms(field.state)["building/ecole"][0] == "major"


def test_what_several_buildings_or_none_use_is_told_of_the_site() -> None:
    site = closed(AUTUMN)
    other = replace(site.zones["ecole.cantine"], building="gymnase")
    buildings = {**site.buildings, "gymnase": replace(site.buildings["ecole"], id="gymnase", zones=(other.id,))}
    both = replace(site, zones={**site.zones, other.id: other}, buildings=buildings)
    assert list(calendar_alarms(started(both, at("2028-08-01 12:00")).state)) == ["site/valbourg"]
    unused = replace(town(), calendars={"vacances-b": AUTUMN})
    assert list(calendar_alarms(started(unused, at("2028-08-01 12:00")).state)) == ["site/valbourg"]


def test_files_of_exceptions_that_say_how_far_they_reach() -> None:
    extents = (Extent("reunions.csv", date(2027, 6, 30)),)
    site = of(town(), lambda each: replace(each, closed=(AUTUMN,), extents=extents), AUTUMN)
    found = calendar_alarms(started(site, at("2027-06-01 12:00")).state)
    assert found == {"building/ecole": ("minor", 29.0, "reunions.csv ends on 2027-06-30")}
    late = calendar_alarms(started(site, at("2028-08-01 12:00")).state)
    assert late["building/ecole"][2] == "reunions.csv ended on 2027-06-30; vacances-b ends on 2028-08-31"


def test_a_reload_with_new_dates_ends_it() -> None:
    field = started(closed(AUTUMN), at("2028-08-01 12:00"))
    renewed = closed(replace(AUTUMN, known_until=date(2029, 8, 31)))
    field.wiring = Wiring(renewed)
    field.take(adopt(field.wiring, field.state, field.now))
    assert calendar_alarms(field.state) == {}
    assert [event.facts["state"] for event in field.events if event.facts.get("event") == EVENT] == [
        "raised",
        "cleared",
    ]
    assert field.state.due["calendars/end"] == at("2029-07-02 00:00")


def test_a_town_without_calendars_has_no_due_instant_for_them() -> None:
    assert "calendars/end" not in started(town(), at("2028-08-01 12:00")).state.due


def test_the_gateway_tells_until_when_it_knows() -> None:
    field = started(closed(AUTUMN, FERIES), at("2028-08-01 12:00"))
    told = gateway_state(field.wiring, field.state, field.now, Clock())
    assert told["calendars"] == ["vacances-b 2028-08-31", "feries 2028-12-25"]
    assert SITE not in field.state.alarms
