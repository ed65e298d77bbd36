"""A controller's own schedule over the real wire: driver and simulated controller, capacities, edits, its own clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from drivers.api import Driver, Host, Look, Outcome, Push, ScheduleRef, Scheduling
from drivers.bacnet.codec import Tag
from drivers.bacnet.driver import build
from drivers.bacnet.schedule_codec import encode_day
from drivers.bacnet.settings import BacnetBus, BacnetDevice
from drivers.profile import BacnetPoint, Profile
from drivers.registry import BusDevice
from drivers.timetable import (
    ANY_DAY,
    Agenda,
    CalendarRef,
    DatePattern,
    DateRange,
    Entry,
    SpecialDays,
    Timetable,
    differences,
)
from sim import bacnet_schedule
from sim.bacnet_device import Identity
from sim.bacnet_face import BacnetDevice as Controller
from sim.bacnet_properties import property_error
from sim.bacnet_schedule import CalendarObject, Rows, ScheduleObject
from sim.bacnet_values import Unsigned
from sim.bacnet_words import ErrorCode, Property
from sim.objects import BacnetObject
from tests.ports import free_port

REF = ScheduleRef("school", "schedule,1", "calendar,1")
HOURS = (Entry(time(8), 19.0), Entry(time(17, 30), 16.0))
CLOSED = SpecialDays(CalendarRef(1), (Entry(time(0), 8.0),), 10)
HOLIDAYS = (DateRange(date(2026, 12, 19), date(2027, 1, 3)), DatePattern(2026, 11, 11, None))
AGENDA = Agenda(Timetable(ANY_DAY, (*(HOURS,) * 5, (), ()), (CLOSED,), 16.0), HOLIDAYS)


@dataclass
class Rig:
    """One controller with a setpoint, a schedule and a calendar, and the daemon's driver beside it."""

    setpoint: BacnetObject
    schedule: ScheduleObject
    calendar: CalendarObject
    controller: Controller = field(init=False)
    driver: Driver = field(init=False)
    now: datetime = field(default_factory=lambda: datetime.fromisoformat("2026-11-23 09:00+01:00"))

    @property
    def scheduling(self) -> Scheduling:
        assert isinstance(self.driver, Scheduling)
        return self.driver

    def at(self, text: str) -> float:
        """What the setpoint is once the controller's own clock shows ``text``."""
        self.now = datetime.fromisoformat(f"{text}+01:00")
        self.controller.tick()
        return self.setpoint.present_value()


class WeekAlone(ScheduleObject):
    """Exception_Schedule is optional (12.24): the property is not there at all."""

    def table(self) -> Rows:
        return {name: row for name, row in super().table().items() if name != Property.EXCEPTION_SCHEDULE}


@asynccontextmanager
async def rig(
    max_apdu: int = 1476, kind: type[ScheduleObject] = ScheduleObject, units: str = "degrees-celsius"
) -> AsyncIterator[Rig]:
    held = {"setpoint": 16.0}
    setpoint = BacnetObject(
        "analog-value", 1, "Setpoint", units, lambda: held["setpoint"],
        commandable=True, relinquish_default=15.0, minimum=5.0, maximum=30.0,
    )  # fmt: skip
    calendar = CalendarObject(1)
    made = Rig(setpoint, kind(1, setpoint, [calendar]), calendar)
    identity = Identity(1201, "school", max_apdu=max_apdu)
    made.controller = Controller(
        "127.0.0.1", 0, identity, [setpoint], now=lambda: made.now, owns=[made.schedule, made.calendar]
    )
    await made.controller.start()
    point = BacnetPoint("zone.1.setpoint", "analog-value,1", unit="degC", writable=True, commandable=True)
    profile = Profile("test", "test", "bacnet", "test", date(2026, 11, 21), {point.name: point})
    settings = BacnetDevice(address=f"127.0.0.1:{made.controller.port}", instance=1201)
    bus = BacnetBus.model_validate(
        {"driver": "bacnet", "address": f"127.0.0.1/32:{free_port()}", "timeout_s": 0.5, "retries": 1}
    )
    device = BusDevice("school", settings, profile, (point.name,))
    made.driver = build("gtb", bus, [device], Host(lambda: datetime.now(UTC), Path()))
    await made.driver.open()
    try:
        yield made
    finally:
        await made.driver.close()
        await made.controller.stop()


@pytest.mark.parametrize("max_apdu", [1476, 128, 80])
async def test_what_is_pushed_is_held_and_rules(max_apdu: int) -> None:
    """Whole where it fits, by element where the device takes and gives short answers only."""
    async with rig(max_apdu) as made:
        result = await made.scheduling.push(Push(REF, AGENDA))
        assert (result.outcome, result.detail) == (Outcome.APPLIED, "")
        seen = await made.scheduling.look(Look(REF))
        assert seen.agenda is not None
        assert replace(seen.agenda.timetable, priority_for_writing=None) == AGENDA.timetable
        assert seen.agenda.dates == HOLIDAYS
        assert made.at("2026-11-23 09:00") == 19.0
        assert made.setpoint.slots == {16: 19.0}
        assert made.at("2026-11-23 17:30") == 16.0
        assert made.at("2026-11-28 12:00") == 16.0
        assert made.at("2026-12-25 12:00") == 8.0
        assert made.at("2027-01-04 07:59") == 16.0
        assert made.at("2027-01-04 08:00") == 19.0


async def test_what_is_held_already_is_not_written_again() -> None:
    async with rig() as made:
        await made.scheduling.push(Push(REF, AGENDA))
        written: list[int] = []
        made.schedule.write = lambda name, index, encoded: written.append(name)  # type: ignore[method-assign]
        result = await made.scheduling.push(Push(REF, AGENDA))
        assert (result.outcome, written) == (Outcome.APPLIED, [])


async def test_only_the_day_that_differs_is_written() -> None:
    async with rig() as made:
        await made.scheduling.push(Push(REF, AGENDA))
        written = noted(made.schedule)
        assert (await made.scheduling.push(Push(REF, another_friday(AGENDA)))).outcome is Outcome.APPLIED
        assert written == [(123, 5)]


def another_friday(agenda: Agenda) -> Agenda:
    friday = (Entry(time(8), 19.0), Entry(time(17, 30), 8.0))
    return replace(agenda, timetable=replace(agenda.timetable, weekly=(*(HOURS,) * 4, friday, (), ())))


def noted(schedule: ScheduleObject, *, fixed: bool = False) -> list[tuple[int, int | None]]:
    """What is written to it from now on, by property and element; ``fixed``: its exceptions keep their number."""
    written: list[tuple[int, int | None]] = []
    write = schedule.write

    def note(name: int, index: int | None, encoded: bytes) -> None:
        if fixed and name == 38 and index in (None, 0):
            raise property_error(ErrorCode.WRITE_ACCESS_DENIED)
        write(name, index, encoded)
        written.append((name, index))

    schedule.write = note  # type: ignore[method-assign]
    return written


def entries(count: int) -> tuple[Entry, ...]:
    return tuple(Entry(time(hour), 19.0) for hour in range(count))


TOO_MUCH: list[tuple[str, Timetable, str]] = [
    (
        "seven entries in a day",
        replace(AGENDA.timetable, weekly=(entries(7), *((),) * 6)),
        "weekly-schedule[1]: resources: no-space-to-write-property",
    ),
    (
        "two exceptions",
        replace(AGENDA.timetable, exceptions=(CLOSED, replace(CLOSED, priority=9))),
        "room for 0 exceptions, 2 are wanted",
    ),
]


@pytest.mark.parametrize(("name", "timetable", "words"), TOO_MUCH, ids=[row[0] for row in TOO_MUCH])
async def test_what_it_has_no_room_for_is_refused_in_words(name: str, timetable: Timetable, words: str) -> None:
    async with rig() as made:
        result = await made.scheduling.push(Push(REF, Agenda(timetable)))
        assert (result.outcome, result.detail) == (Outcome.REJECTED, words)


async def test_six_entries_a_day_fit() -> None:
    async with rig() as made:
        timetable = replace(AGENDA.timetable, weekly=(entries(6),) * 7)
        assert (await made.scheduling.push(Push(REF, Agenda(timetable, HOLIDAYS)))).outcome is Outcome.APPLIED


async def test_an_edit_is_seen() -> None:
    async with rig() as made:
        await made.scheduling.push(Push(REF, AGENDA))
        made.schedule.write(123, 1, encode_day((Entry(time(6), 21.0),), Tag.REAL))
        made.schedule.write(81, None, b"\x11")
        seen = await made.scheduling.look(Look(REF))
        assert seen.agenda is not None
        assert differ(seen.agenda) == (
            "mon: 06:00 21 instead of 08:00 19, 17:30 16",
            "it is out of service",
        )


def differ(seen: Agenda) -> Sequence[str]:
    return differences(AGENDA, seen)


async def test_a_schedule_that_is_not_there() -> None:
    async with rig() as made:
        seen = await made.scheduling.look(Look(ScheduleRef("school", "schedule,7")))
        assert (seen.agenda, seen.cause) == (None, "object: unknown-object")


async def test_modes_are_whole_numbers() -> None:
    async with rig() as made:
        modes = (Entry(time(8), 1.0), Entry(time(17, 30), 2.0))
        timetable = Timetable(ANY_DAY, (modes,) * 7, (), 2.0)
        result = await made.scheduling.push(Push(replace(REF, whole=True, calendar=None), Agenda(timetable)))
        assert result.outcome is Outcome.APPLIED
        assert made.schedule.weekly[0][0][1] == Unsigned(1)


async def test_an_array_of_fixed_length_is_filled_with_rows_that_never_rule() -> None:
    async with rig() as made:
        await made.scheduling.push(Push(REF, AGENDA))
        noted(made.schedule, fixed=True)
        without = replace(AGENDA, timetable=replace(AGENDA.timetable, exceptions=()))
        result = await made.scheduling.push(Push(REF, without))
        assert (result.outcome, result.detail) == (Outcome.APPLIED, "")
        assert len(made.schedule.exceptions) == 1
        assert made.at("2026-12-25 09:00") == 19.0


MEETING = SpecialDays(DateRange(date(2026, 12, 1), date(2026, 12, 1)), (Entry(time(20), 19.0),), 10)


@pytest.mark.parametrize("fixed", [True, False])
async def test_of_the_exceptions_only_the_row_that_differs_is_written(
    fixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of fixed length beside places that are not wanted, and of a length that is set."""
    monkeypatch.setattr(bacnet_schedule, "MOST_EXCEPTIONS", 4)
    rows = (CLOSED, MEETING, replace(MEETING, entries=(Entry(time(21), 19.0),)))
    agenda = replace(AGENDA, timetable=replace(AGENDA.timetable, exceptions=rows))
    async with rig() as made:
        if fixed:
            made.schedule.write(38, 0, b"\x21\x04")
        written = noted(made.schedule, fixed=fixed)
        await made.scheduling.push(Push(REF, agenda))
        assert [index for name, index in written if name == 38] == ([1, 2, 3] if fixed else [None])
        written.clear()
        await made.scheduling.push(Push(REF, another_friday(agenda)))
        assert written == [(123, 5)]
        written.clear()
        other = (CLOSED, replace(MEETING, entries=(Entry(time(18), 19.0),)), rows[2])
        changed = another_friday(replace(agenda, timetable=replace(agenda.timetable, exceptions=other)))
        result = await made.scheduling.push(Push(REF, changed))
        assert (result.outcome, written) == (Outcome.APPLIED, [(38, 2)])


async def test_a_schedule_without_exceptions_holds_a_week() -> None:
    async with rig(kind=WeekAlone) as made:
        week = Agenda(replace(AGENDA.timetable, exceptions=()))
        alone = replace(REF, calendar=None)
        assert (await made.scheduling.push(Push(alone, week))).outcome is Outcome.APPLIED
        assert made.at("2026-11-23 09:00") == 19.0
        refused = await made.scheduling.push(Push(alone, Agenda(AGENDA.timetable)))
        assert (refused.outcome, refused.detail) == (Outcome.REJECTED, "room for 0 exceptions, 1 are wanted")


async def test_the_weekday_that_a_device_fills_in_is_no_difference() -> None:
    """11 November 2026 is a Wednesday, whether the date says so or not."""
    async with rig() as made:
        write = made.calendar.write

        def filled(name: int, index: int | None, encoded: bytes) -> None:
            write(name, index, encoded.replace(b"\x0c\x7e\x0b\x0b\xff", b"\x0c\x7e\x0b\x0b\x03"))

        made.calendar.write = filled  # type: ignore[method-assign]
        result = await made.scheduling.push(Push(REF, AGENDA))
        assert (result.outcome, result.detail) == (Outcome.APPLIED, "")
        assert result.seen is not None
        assert result.seen.dates == (HOLIDAYS[0], DatePattern(2026, 11, 11, 3))


def test_the_weekday_of_another_date_is_one() -> None:
    """A date whose weekday contradicts it holds on no day at all."""
    seen = replace(AGENDA, dates=(HOLIDAYS[0], DatePattern(2026, 11, 11, 5)))
    assert differ(seen) == (
        "its calendar lacks 2026-11-11",
        "its calendar has date 2026-11-11 weekday 5",
    )


async def test_what_is_over_is_not_written_again() -> None:
    """The dates of last month and an exception of it are left where they are."""
    meeting = replace(AGENDA, timetable=replace(AGENDA.timetable, exceptions=(MEETING,)))
    over = replace(AGENDA, timetable=replace(AGENDA.timetable, exceptions=()), dates=(HOLIDAYS[0],))
    async with rig() as made:
        await made.scheduling.push(Push(REF, meeting))
        written = noted(made.schedule)
        made.calendar.write = lambda name, index, encoded: written.append((name, index))  # type: ignore[method-assign]
        result = await made.scheduling.push(Push(REF, over, since=date(2026, 12, 2)))
        assert (result.outcome, written) == (Outcome.APPLIED, [])
        result = await made.scheduling.push(Push(REF, over, since=date(2026, 12, 1)))
        assert (result.outcome, written) == (Outcome.APPLIED, [(38, None)])


async def test_degrees_celsius_are_not_pushed_into_fahrenheit() -> None:
    """The first thing that is asked of the device: nothing has been polled yet."""
    async with rig(units="degrees-fahrenheit") as made:
        written = noted(made.schedule)
        result = await made.scheduling.push(Push(REF, AGENDA, setpoint="zone.1.setpoint"))
        words = "zone.1.setpoint: unit is degrees-fahrenheit, the profile says degC"
        assert (result.outcome, result.detail) == (Outcome.REJECTED, words)
        assert (written, made.calendar.dates) == ([], ())
    async with rig() as made:
        result = await made.scheduling.push(Push(REF, AGENDA, setpoint="zone.1.setpoint"))
        assert result.outcome is Outcome.APPLIED
