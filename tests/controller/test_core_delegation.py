"""Delegated zones through the core: pushed, compared, left alone while they are in sync, supervised when not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta

from config.site import Delegation, Drift, OptimumStart, Site, Steering
from controller.core.arbitration import Source
from controller.core.commands import Command
from controller.core.cycle import Input, adopt, begin, cycle
from controller.core.heating import mode_delegated
from controller.core.journal import Saved
from controller.core.replay import line_of, parse_line
from controller.core.report import alarm_of, state_of
from controller.core.state import Draft, Step
from controller.core.wiring import Wiring
from controller.rehearsal import heating_of
from drivers.api import (
    Errand,
    Fault,
    Look,
    Outcome,
    PointId,
    Push,
    PushResult,
    Reading,
    ScheduleRef,
    ScheduleSeen,
    Write,
    WriteResult,
)
from drivers.timetable import Agenda, DateRange, Entry, differences
from schedules.calendars import Calendar, Period
from schedules.occupancy import DatedException, parse_interval
from tests.controller.field import Field, names
from tests.controller.towns import at, town

ZONE, KEY = "ecole.classes", "zone/ecole.classes"
SETPOINT = ("ecole", "zone.1.setpoint")
REF = ScheduleRef("ecole", "schedule,1", "calendar,1")
Answer = Callable[[Errand], ScheduleSeen | PushResult | None]


@dataclass
class DelegatedField(Field):
    """Its controllers have schedules of their own: ``agendas`` is what they hold."""

    agendas: dict[ScheduleRef, Agenda] = field(default_factory=dict)
    errands: list[Errand] = field(default_factory=list)
    answer: Answer | None = None

    def take(self, step: Step) -> None:
        super().take(step)
        for errand in step.errands:
            self.errands.append(errand)
            told = self._told(errand) if self.answer is None else self.answer(errand)
            if told is not None:
                self.feed(told)

    def _told(self, errand: Errand) -> ScheduleSeen | PushResult:
        if isinstance(errand, Push):
            self.agendas[errand.ref] = errand.agenda
            return PushResult(errand.ref, Outcome.APPLIED, self.now, errand.agenda)
        held = self.agendas.get(errand.ref)
        return ScheduleSeen(errand.ref, held, self.now, "" if held else "object: unknown-object")

    @property
    def pushes(self) -> list[Push]:
        return [errand for errand in self.errands if isinstance(errand, Push)]

    def edit(self) -> None:
        """Somebody at the controller makes Mondays warm all day."""
        held = self.agendas[REF]
        monday = (Entry(time(0), 21.0),)
        weekly = (monday, *held.timetable.weekly[1:])
        self.agendas[REF] = replace(held, timetable=replace(held.timetable, weekly=weekly))

    def zone(self) -> dict[str, object]:
        return state_of(self.wiring, self.state, KEY, self.now)

    def alarm(self, event: str) -> dict[str, object] | None:
        return alarm_of(self.state, (KEY, event))


def site(*exceptions: DatedException, optimum: OptimumStart | None = None, **changes: object) -> Site:
    """The town's first zone delegated, the second one supervised."""
    found = heating_of(town())
    delegation = replace(Delegation("schedule,1", "calendar,1"), **changes)  # type: ignore[arg-type]
    zone = found.zones[ZONE]
    occupancy = replace(zone.occupancy, exceptions=exceptions)
    zone = replace(zone, delegate=delegation, steering=Steering.DELEGATE, occupancy=occupancy, optimum_start=optimum)
    return replace(found, zones={**found.zones, ZONE: zone})


def school(when: str, found: Site | None = None, saved: Saved | None = None, **changes: object) -> DelegatedField:
    made = DelegatedField(Wiring(found or site()), at(when), **changes)  # type: ignore[arg-type]
    for number in (1, 2):
        made.held["ecole", f"zone.{number}.temperature"] = 19.0
    made.start(saved)
    return made


def test_the_plan_is_pushed_and_nothing_is_written_then() -> None:
    made = school("2026-01-12 10:00")
    assert [type(errand) for errand in made.errands] == [Push]
    assert names(made.events).count("schedule-pushed") == 1
    assert made.slots.get(SETPOINT, {}) == {}
    assert made.slots["ecole", "zone.2.setpoint"] == {13: 19.0}
    zone = made.zone()
    assert (zone["delegation"], zone["delegation_rules"], zone["delegated_to"]) == ("in-sync", True, "schedule,1")
    assert (zone["commanded_c"], zone["priority"], zone["allure"], zone["write"]) == (19.0, 16, "comfort", "applied")
    assert zone["reason"] == ("schedule,1 of the controller, weekly mon since 08:00: weekly mon-fri 08:00-17:30")


def test_what_is_commanded_follows_the_controllers_schedule() -> None:
    made = school("2026-01-12 10:00")
    made.until(at("2026-01-12 17:31"))
    assert (made.zone()["commanded_c"], made.slots.get(SETPOINT, {})) == (16.0, {})
    made.until(at("2026-01-16 17:31"))
    assert (made.zone()["commanded_c"], made.zone()["allure"], made.slots.get(SETPOINT, {})) == (8.0, "frost", {})


def test_the_value_of_the_controllers_own_schedule_is_no_mask() -> None:
    made = school("2026-01-12 10:00")
    made.slots.setdefault(SETPOINT, {})[16] = 19.0
    made.advance(timedelta(minutes=3))
    assert made.zone()["write"] == "applied"
    made.slots[SETPOINT][8] = 22.0
    made.advance(timedelta(minutes=3))
    assert made.zone()["write"] == "masked"


def test_it_is_looked_at_every_check() -> None:
    made = school("2026-01-12 10:00")
    made.advance(timedelta(hours=12, minutes=5), timedelta(minutes=5))
    assert [type(errand) for errand in made.errands] == [Push, Look, Look]


def test_supervised_until_it_is_pushed() -> None:
    made = school("2026-01-12 10:00", answer=lambda _: None)
    assert made.slots[SETPOINT] == {13: 19.0}
    assert made.zone()["delegation"] == "pending"
    made.answer = None
    made.advance(timedelta(minutes=20))
    assert made.zone()["delegation"] == "in-sync"
    assert made.slots[SETPOINT] == {}


def test_a_refusal_is_an_alarm_and_the_zone_is_supervised() -> None:
    refusal = "weekly-schedule[1]: resources: no-space-to-write-property"
    made = school(
        "2026-01-12 10:00",
        answer=lambda errand: PushResult(errand.ref, Outcome.REJECTED, at("2026-01-12 10:00"), detail=refusal),
    )
    assert made.slots[SETPOINT] == {13: 19.0}
    alarm = made.alarm("scheduleRefused")
    assert alarm is not None
    assert alarm["detail"] == f"supervised instead: {refusal}"
    assert made.zone()["delegation"] == "refused"
    made.answer = None
    made.advance(timedelta(hours=6, minutes=5), timedelta(minutes=5))
    assert (made.alarm("scheduleRefused"), made.zone()["delegation"]) == (None, "in-sync")


def rounding(made: DelegatedField) -> Answer:
    """A controller that acknowledges the default and keeps half a degree more."""

    def answer(errand: Errand) -> ScheduleSeen | PushResult:
        if isinstance(errand, Look):
            return ScheduleSeen(errand.ref, made.agendas[errand.ref], made.now)
        timetable = errand.agenda.timetable
        held = replace(errand.agenda, timetable=replace(timetable, default=(timetable.default or 0.0) + 0.5))
        made.agendas[errand.ref] = held
        words = "; ".join(differences(errand.agenda, held))
        return PushResult(errand.ref, Outcome.NO_FEEDBACK, made.now, held, words)

    return answer


def rounded(when: str, found: Site | None = None, saved: Saved | None = None, **changes: object) -> DelegatedField:
    made = DelegatedField(Wiring(found or site()), at(when), **changes)  # type: ignore[arg-type]
    made.answer = rounding(made)
    made.start(saved)
    return made


def test_what_is_kept_otherwise_is_refused_and_not_pushed_again() -> None:
    """Each push wears its memory out, and none will ever be held."""
    made = rounded("2026-01-12 10:00")
    assert (made.zone()["delegation"], made.slots[SETPOINT]) == ("refused", {13: 19.0})
    made.advance(timedelta(hours=48), timedelta(minutes=30))
    assert len(made.pushes) == 1
    assert 8 <= len(made.errands) <= 10, "looked at every six hours"
    alarm = made.alarm("scheduleRefused")
    assert alarm is not None
    assert alarm["detail"] == (
        "supervised instead: it acknowledged the plan and keeps another one: default: 16.5 instead of 16"
    )
    made.take(adopt(Wiring(site()), made.state, made.now))
    again = rounded("2026-01-14 12:00", site(), kept(made), agendas=made.agendas)
    again.advance(timedelta(hours=1), timedelta(minutes=10))
    assert (len(made.pushes), again.pushes, again.zone()["delegation"]) == (1, [], "refused")
    assert again.alarm("scheduleRefused") is not None


def test_what_is_kept_otherwise_is_pushed_again_for_another_plan_or_after_an_edit() -> None:
    made = rounded("2026-01-12 10:00")
    made.wiring = Wiring(site(lead=timedelta(minutes=30)))
    made.take(adopt(made.wiring, made.state, made.now))
    assert (len(made.pushes), made.zone()["delegation"]) == (2, "refused")
    made.edit()
    made.advance(timedelta(hours=6, minutes=30), timedelta(minutes=10))
    assert len(made.pushes) == 3
    made.answer = None
    made.edit()
    made.advance(timedelta(hours=12, minutes=30), timedelta(minutes=10))
    assert (len(made.pushes), made.zone()["delegation"], made.alarm("scheduleRefused")) == (4, "in-sync", None)


def test_a_controller_that_shows_late_what_it_took_is_soon_in_sync() -> None:
    made = rounded("2026-01-12 10:00")
    made.agendas[REF] = made.pushes[0].agenda
    made.advance(timedelta(minutes=12))
    assert (len(made.pushes), made.zone()["delegation"], made.slots[SETPOINT]) == (1, "in-sync", {})


def fahrenheit(made: DelegatedField) -> Fault:
    """What the driver says of the setpoint from now on, and of what is written to it."""
    point, cause = PointId(*SETPOINT), "unit is degrees-fahrenheit, the profile says degC"

    def refuse(write: Write) -> WriteResult | None:
        if write.point != point:
            return None
        outcome = Outcome.NO_FEEDBACK if write.value is None else Outcome.REJECTED
        return WriteResult(write, outcome, made.now, detail=cause)

    made.refuse = refuse
    return Fault(point, cause, made.now)


def refused_by_unit(made: DelegatedField) -> None:
    zone, alarm = made.zone(), made.alarm("scheduleRefused")
    words = "zone.1.setpoint: unit is degrees-fahrenheit, the profile says degC"
    assert (zone["delegation"], zone["delegation_rules"], zone["delegation_detail"]) == ("refused", False, words)
    assert alarm is not None
    assert alarm["detail"] == f"supervised instead: {words}"


def test_a_plan_in_degrees_celsius_never_goes_into_fahrenheit() -> None:
    """19 degrees F are frost: neither pushed, nor believed, until the unit is right."""
    made = DelegatedField(Wiring(site()), at("2026-01-12 10:00"))
    made.take(begin(made.wiring, Saved(), made.now))
    made.feed(fahrenheit(made), Reading(PointId("ecole", "zone.1.temperature"), 19.0, made.now))
    refused_by_unit(made)
    made.now += timedelta(days=1)
    made.feed(fahrenheit(made))
    assert made.errands == []
    refused_by_unit(made)
    made.refuse = None
    made.feed(Reading(PointId(*SETPOINT), 16.0, made.now))
    assert [type(errand) for errand in made.errands] == [Push]
    assert (made.alarm("scheduleRefused"), made.zone()["delegation"]) == (None, "in-sync")


def test_a_unit_that_turns_out_wrong_ends_what_was_believed() -> None:
    made = school("2026-01-12 10:00")
    agenda, answered = made.agendas[REF], kept(made)
    made.feed(fahrenheit(made))
    refused_by_unit(made)
    made.feed(ScheduleSeen(REF, agenda, made.now), PushResult(REF, Outcome.APPLIED, made.now, agenda))
    refused_by_unit(made)
    again = DelegatedField(Wiring(site()), at("2026-01-12 11:00"), agendas=made.agendas)
    again.take(begin(again.wiring, answered, again.now))
    again.feed(fahrenheit(again))
    refused_by_unit(again)
    assert again.errands == []


def test_the_numbers_of_modes_have_no_unit() -> None:
    made = school("2026-01-12 10:00", site(modes=True))
    made.feed(fahrenheit(made))
    assert made.zone()["delegation"] == "in-sync"


def test_an_edit_is_told_and_pushed_away_after_a_while() -> None:
    made = school("2026-01-12 10:00")
    made.edit()
    made.advance(timedelta(hours=6, minutes=2))
    assert made.slots[SETPOINT] == {13: 19.0}, "out of sync: supervised"
    alarm = made.alarm("scheduleDrift")
    assert alarm is not None
    assert alarm["detail"] == "schedule,1 was changed: mon: 00:00 21 instead of 00:00 8, 08:00 19, 17:30 16"
    assert len(made.pushes) == 1
    made.advance(timedelta(minutes=12))
    assert len(made.pushes) == 2
    assert (made.alarm("scheduleDrift"), made.slots[SETPOINT]) == (None, {})
    assert differences(made.pushes[0].agenda, made.agendas[REF]) == ()
    assert [name for name in names(made.events) if name.startswith("schedule-")] == [
        "schedule-pushed", "schedule-drift", "schedule-pushed",
    ]  # fmt: skip


def test_another_untiring_hand_is_answered_once_an_hour_at_most() -> None:
    made = school("2026-01-12 10:00", site(check=timedelta(minutes=5)))
    for _ in range(36):
        made.edit()
        made.advance(timedelta(minutes=5))
    assert 3 <= len(made.pushes) <= 4, "the first one, and one an hour"


def test_an_edit_is_pushed_away_after_a_while_when_the_clock_was_set_back_too() -> None:
    made = school("2026-01-12 10:00")
    made.now = at("2026-01-10 10:00")
    made.poll()
    made.edit()
    made.advance(timedelta(hours=6, minutes=20))
    assert len(made.pushes) == 2


def test_who_is_told_only_keeps_the_edit_over_reloads_and_restarts() -> None:
    found = site(drift=Drift.TELL, check=timedelta(hours=1))
    made = school("2026-01-12 10:00", found)
    made.edit()
    made.advance(timedelta(days=2), timedelta(minutes=10))
    made.take(adopt(Wiring(found), made.state, made.now))
    made.advance(timedelta(hours=2), timedelta(minutes=10))
    assert (len(made.pushes), made.zone()["delegation"]) == (1, "drifted")
    again = school("2026-01-15 10:00", found, kept(made), agendas=made.agendas)
    again.advance(timedelta(hours=2), timedelta(minutes=10))
    assert (again.pushes, again.zone()["delegation"]) == ([], "drifted")
    assert again.alarm("scheduleDrift") is not None


def kept(made: DelegatedField) -> Saved:
    """What the store gives back of what was kept."""
    documents = {name: text for step in made.steps for name, text in step.journal.kept.items()}
    return Saved(kept={name: text for name, text in documents.items() if text is not None})


def test_a_restart_looks_and_writes_nothing() -> None:
    made = school("2026-01-12 10:00")
    again = school("2026-01-12 11:00", site(), kept(made), agendas=made.agendas)
    assert [type(errand) for errand in again.errands] == [Look]
    assert [write for write in again.writes_of("ecole") if write.point.point == "zone.1.setpoint" and write.value] == []
    assert again.zone()["delegation"] == "in-sync"


def test_another_plan_is_pushed_on_reload() -> None:
    made = school("2026-01-12 10:00")
    made.take(adopt(Wiring(site(lead=timedelta(minutes=30))), made.state, made.now))
    assert len(made.pushes) == 2
    assert made.agendas[REF].timetable.weekly[1][0] == Entry(time(7, 30), 19.0)


def test_the_result_of_an_older_push_says_nothing_of_the_plan_of_now() -> None:
    """Another plan came while a push was under way: what was written is the one before."""
    made = school("2026-01-12 10:00", answer=lambda _: None)
    old = made.pushes[0].agenda
    made.take(adopt(Wiring(site(lead=timedelta(minutes=30))), made.state, made.now))
    made.feed(PushResult(REF, Outcome.APPLIED, made.now, old))
    assert (made.zone()["delegation"], made.slots[SETPOINT]) == ("pending", {13: 19.0})
    assert names(made.events).count("schedule-pushed") == 0
    made.answer = None
    made.advance(timedelta(minutes=2))
    assert made.agendas[REF].timetable.weekly[1][0] == Entry(time(7, 30), 19.0)
    assert (made.zone()["delegation"], made.slots[SETPOINT]) == ("in-sync", {})


def test_who_is_delegated_no_longer_is_supervised() -> None:
    made = school("2026-01-12 10:00")
    made.take(adopt(Wiring(heating_of(town())), made.state, made.now))
    assert made.slots[SETPOINT] == {13: 19.0}
    assert "delegation" not in made.zone()


def test_a_day_beyond_its_room_is_supervised_and_says_so() -> None:
    council = DatedException(date(2026, 1, 14), parse_interval("18:00-20:30"), True, "council")
    choir = DatedException(date(2026, 1, 16), parse_interval("19:00-21:00"), True, "choir")
    made = school("2026-01-12 10:00", site(council, choir, calendar=None))
    zone = made.zone()
    assert (zone["not_delegated_days"], zone["not_delegated"]) == (1, ["fri 2026-01-16 (dated: choir)"])
    made.until(at("2026-01-14 18:30"))
    assert (made.slots[SETPOINT], made.zone()["commanded_c"]) == ({}, 19.0)
    made.until(at("2026-01-15 02:00"))
    assert len(made.pushes) == 1
    made.until(at("2026-01-15 05:00"))
    assert len(made.pushes) == 2, "the horizon has moved: the choir has room now"
    made.until(at("2026-01-16 19:30"))
    assert (made.slots[SETPOINT], made.zone()["commanded_c"]) == ({}, 19.0)


def closed(*periods: Period) -> Site:
    """The delegated zone with days off."""
    found = site()
    zone = found.zones[ZONE]
    occupancy = replace(zone.occupancy, closed=(Calendar("days-off", periods),))
    return replace(found, zones={**found.zones, ZONE: replace(zone, occupancy=occupancy)})


def test_the_days_of_the_holidays_pass_without_a_push() -> None:
    """The horizon grows by a month on the first; in between nothing is said anew, and never what is over."""
    days_off = (date(2026, 12, 19), date(2027, 1, 3)), (date(2027, 12, 20), date(2027, 12, 31))
    made = school("2026-12-23 10:00", closed(*(Period(first, last, "holidays") for first, last in days_off)))
    begun = len(made.writes_of("ecole"))
    made.until(at("2027-01-04 10:00"), timedelta(hours=1))
    assert [push.agenda.dates for push in made.pushes] == [
        (DateRange(date(2026, 12, 21), date(2027, 1, 1)), DateRange(date(2027, 12, 20), date(2027, 12, 31))),
    ]
    assert made.zone()["delegation"] == "in-sync"
    later = [write.value for write in made.writes_of("ecole")[begun:] if write.point.point == SETPOINT[1]]
    assert [value for value in later if value is not None] == []


def test_a_restart_in_another_month_pushes_nothing_that_is_over() -> None:
    found = closed(Period(date(2026, 12, 19), date(2027, 1, 3), "holidays"))
    made = school("2026-12-31 10:00", found)
    made.until(at("2027-01-02 10:00"), timedelta(hours=1))
    again = school("2027-01-05 10:00", found, kept(made), agendas=made.agendas)
    assert (len(made.pushes), len(again.pushes), again.zone()["delegation"]) == (1, 0, "in-sync")


def test_a_day_without_any_room_is_written_by_us() -> None:
    council = DatedException(date(2026, 1, 14), parse_interval("18:00-20:30"), True, "council")
    made = school("2026-01-13 10:00", site(council, exceptions=0))
    made.until(at("2026-01-13 23:59"))
    assert made.slots[SETPOINT] == {}
    made.until(at("2026-01-14 18:30"))
    assert made.slots[SETPOINT] == {13: 19.0}
    assert made.zone()["delegation_detail"] == "today is not in the controller's schedule"
    made.until(at("2026-01-15 00:01"))
    assert made.slots[SETPOINT] == {}


def test_an_override_works_and_is_given_back() -> None:
    made = school("2026-01-12 10:00")
    command = Command("c1", "zone", ZONE, made.now, 21.0, lasting=timedelta(hours=1), reason="visit", by="tests")
    made.feed(command)
    assert made.slots[SETPOINT] == {10: 21.0}
    made.advance(timedelta(hours=1, minutes=1))
    assert made.slots[SETPOINT] == {}


def test_a_preheat_is_written_until_the_opening() -> None:
    made = school("2026-01-13 05:00", site(optimum=OptimumStart(minutes_per_k=30.0)))
    made.held["ecole", "zone.1.temperature"] = 16.0
    made.until(at("2026-01-13 07:00"))
    assert made.slots[SETPOINT] == {13: 19.0}
    made.until(at("2026-01-13 08:01"))
    assert (made.slots[SETPOINT], made.zone()["commanded_c"]) == ({}, 19.0)


def test_a_zone_delegated_by_modes_relinquishes_its_mode() -> None:
    made = school("2026-01-12 10:00", site(modes=True))
    slot = mode_delegated(Draft(made.state, made.now), made.wiring.site.zones[ZONE])
    assert slot is not None
    assert (slot.value, slot.allure, slot.source) == (1.0, "comfort", Source.DELEGATED)
    assert made.slots[SETPOINT] == {}
    assert made.zone()["commanded_c"] == 19.0
    assert made.agendas[replace(REF, whole=True)].timetable.default == 2.0


def test_a_device_that_returns_is_looked_at() -> None:
    made = school("2026-01-12 10:00")
    made.silent.add("ecole")
    made.advance(timedelta(minutes=5))
    made.silent.clear()
    made.advance(timedelta(minutes=1))
    assert [type(errand) for errand in made.errands] == [Push, Look]


def test_no_answer_is_asked_again_and_at_last_supervised() -> None:
    made = school("2026-01-12 10:00")
    made.answer = lambda _: None
    made.advance(timedelta(hours=6, minutes=6))
    assert made.zone()["delegation"] == "in-sync", "one look without an answer says nothing"
    made.advance(timedelta(hours=1))
    assert made.zone()["delegation"] == "refused"
    assert made.slots[SETPOINT] == {13: 19.0}


def test_answers_are_recorded_and_replayed() -> None:
    made = school("2026-01-12 10:00")
    agenda = made.agendas[REF]
    inbox: list[Input] = [ScheduleSeen(REF, agenda, made.now), PushResult(REF, Outcome.APPLIED, made.now, agenda)]
    assert parse_line(line_of(inbox, made.now), 2) == (made.now, inbox)


def test_a_strangers_answer_is_passed_over() -> None:
    made = school("2026-01-12 10:00")
    step = cycle(made.wiring, made.state, [ScheduleSeen(ScheduleRef("ecole", "schedule,9"), None, made.now)], made.now)
    assert step.events == ()
