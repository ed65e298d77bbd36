"""Leases: who holds which slot, why and until when; what a crash leaves is let go at the next start."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import Plant, Site
from controller.core import leases
from controller.core.commands import Command
from controller.core.cycle import begin, cycle, farewell
from controller.core.journal import Journal, Saved
from controller.core.report import state_of
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Outcome, Write, WriteResult
from drivers.profile import BacnetPoint
from tests.controller.field import Field
from tests.controller.plants import DEVICE, ENABLE, HEARTBEAT, SETPOINT, SUPPLY, led, rooms, school, slot
from tests.controller.towns import at

PLANT = Plant()
MORNING = "2026-01-12 10:00"


def journal_of(field: Field) -> Journal:
    found = Journal()
    for step in field.steps:
        found = found.then(step.journal)
    return found


def saved(field: Field) -> Saved:
    """What the store gives back after a crash."""
    journal = journal_of(field)
    held = {key: value for key, value in journal.held.items() if value is not None}
    return Saved(held=held, kept={key: text for key, text in journal.kept.items() if text is not None})


def standing(field: Field) -> dict[str, leases.Lease]:
    return {f"{each.point}@{each.priority}": each for each in leases.standing(Draft(field.state, field.now))}


def test_a_lease_tells_owner_reason_since_and_end() -> None:
    field = school(MORNING, 18.0, 5.0, PLANT)
    wish = Command("c1", "zone", "ecole.classes", field.now, value=20.0, lasting=timedelta(hours=1), reason="meeting")
    field.feed(replace(wish, by="secretary"))
    held = standing(field)
    plan, hand = held["zone.1.setpoint@13"], held["zone.1.setpoint@10"]
    assert (plan.owner, plan.value, plan.until) == ("plan", 19.0, "2026-01-12T16:30:00Z")
    assert (hand.owner, hand.value, hand.until) == ("override", 20.0, "2026-01-12T10:00:00Z")
    assert hand.reason == "override by secretary: meeting"
    assert held["boiler.enable@13"].reason.startswith("classes at 18.0 of 19 degC")
    began = plan.since
    field.advance(timedelta(minutes=40), timedelta(minutes=5))
    assert standing(field)["zone.1.setpoint@13"].since == began, "asserted anew, the same lease"
    field.advance(timedelta(minutes=25), timedelta(minutes=5))
    assert "zone.1.setpoint@10" not in standing(field)
    assert journal_of(field).kept["lease/ecole/zone.1.setpoint@10"] is None


def test_a_slot_that_its_device_lost_by_itself_is_no_lease_any_more() -> None:
    field = school(MORNING, 18.0, 5.0, PLANT)
    field.feed(
        Command("c1", "zone", "ecole.classes", field.now, value=20.0, lasting=timedelta(hours=1), reason="visit")
    )
    assert "zone.1.setpoint@10" in standing(field)
    field.silent.add(DEVICE)
    field.advance(timedelta(hours=2), timedelta(minutes=5))
    field.slots.clear()  # a power cut at the controller, in which the override ends
    field.silent.clear()
    field.advance(timedelta(minutes=3))
    assert field.slots[SETPOINT] == {13: 19.0}
    assert "zone.1.setpoint@10" not in standing(field)
    assert journal_of(field).held["ecole/zone.1.setpoint@10"] is None
    leases_of_building = state_of(field.wiring, field.state, "building/ecole", field.now)["leases"]
    assert leases_of_building == sum(len(slots) for slots in field.slots.values())


@pytest.mark.parametrize(("slots", "stays"), [((), True), (((13, 19.0),), False), (((10, 20.0), (13, 19.0)), True)])
def test_only_an_array_that_was_read_ends_a_lease(slots: tuple[tuple[int, float], ...], stays: bool) -> None:
    field = school(MORNING, 18.0, 5.0, PLANT)
    key = "ecole/zone.1.setpoint@10"
    draft = Draft(replace(field.state, held={**field.state.held, key: 20.0}), field.now)
    seen = field.reading(*SETPOINT)._replace(slots=slots)
    leases.compared(draft, field.wiring.targets["zone/ecole.classes"], seen)
    assert (key in draft.held) is stays
    assert "ecole/zone.1.setpoint@13" in draft.held


def test_a_heartbeat_is_one_lease_and_no_wear_of_the_disk() -> None:
    field = school(MORNING, 20.0, 5.0, PLANT)
    field.advance(timedelta(minutes=3))
    before = len(field.steps)
    field.advance(timedelta(minutes=10))
    beats = [write for step in field.steps[before:] for write in step.writes if write.point.point == "heartbeat"]
    assert len(beats) == 10
    assert not any("ecole/heartbeat@13" in step.journal.held for step in field.steps[before:])
    assert not any("lease/ecole/heartbeat@13" in step.journal.kept for step in field.steps[before:])


def without_generator() -> Site:
    """The school after its generator was taken out of the site: nobody wants what is held there any more."""
    site = led(PLANT)
    return replace(site, buildings={n: replace(b, plant=None) for n, b in site.buildings.items()})


def after_a_crash(silent: bool = False) -> Field:
    """The same devices under the fewer points, by what the store had."""
    field = school(MORNING, 18.0, 5.0, PLANT)
    assert slot(field, ENABLE) == 1.0
    again = Field(
        Wiring(without_generator()), field.now, slots=field.slots, held=field.held, silent={DEVICE} if silent else set()
    )
    again.start(saved(field))
    return again


FREED = ["ecole/boiler.enable@13", "ecole/boiler.pump@13", "ecole/heartbeat@13"]


def freeing(field: Field, since: int = 0) -> list[str]:
    """The slots that were written NULL, as they were, from a step on."""
    writes = [write for step in field.steps[since:] for write in step.writes if write.value is None]
    return [f"{each.point}@{each.priority}" for each in writes if f"{each.point}@{each.priority}" in FREED]


def test_after_a_crash_what_the_new_plan_does_not_want_is_let_go_and_told() -> None:
    field = after_a_crash()
    told = [event.facts for event in field.events if event.name == "lease-let-go"]
    assert {(fact["point"], fact["owner"]) for fact in told} >= {("boiler.enable", "plan")}
    assert field.slots[ENABLE] == {}
    assert field.steps[0].journal.held == {}, "nobody knows yet"
    journal = journal_of(field)
    assert {key for key, value in journal.held.items() if value is None} == set(FREED)
    assert journal.kept["lease/ecole/boiler.enable@13"] is None
    field.advance(timedelta(hours=1))
    assert sorted(freeing(field)) == FREED, "once was enough"


def test_what_could_not_be_freed_at_the_start_is_freed_when_its_device_comes_back() -> None:
    field = after_a_crash(silent=True)
    field.advance(timedelta(hours=2), timedelta(minutes=5))
    assert sorted(freeing(field)) == FREED, "nobody answers: not on every poll"
    assert slot(field, ENABLE) == 1.0
    assert set(field.state.held) >= set(FREED)
    field.silent.clear()
    field.advance(timedelta(minutes=2))
    assert slot(field, ENABLE) is None
    assert not set(field.state.held) & set(FREED)
    assert journal_of(field).held["ecole/boiler.enable@13"] is None


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.NO_FEEDBACK])
def test_a_slot_whose_freeing_was_refused_is_held_and_tried_now_and_then(outcome: Outcome) -> None:
    field = school(MORNING, 18.0, 5.0, PLANT)
    again = Field(Wiring(without_generator()), field.now, slots=field.slots, held=field.held)
    again.refuse = lambda write: WriteResult(write, outcome, again.now) if write.value is None else None
    again.start(saved(field))
    again.advance(timedelta(hours=1))
    assert set(again.state.held) >= set(FREED)
    assert 3 * 3 <= len(freeing(again)) <= 3 * 6, "every quarter of an hour"
    again.refuse = None
    again.advance(timedelta(minutes=16))
    assert not set(again.state.held) & set(FREED)
    assert slot(again, ENABLE) is None


def test_what_is_held_in_a_device_that_the_site_no_longer_has_waits_for_it() -> None:
    field = school(MORNING, 18.0, 5.0, PLANT)
    site = without_generator()
    strange = replace(saved(field), held={**saved(field).held, "gone/boiler.enable@13": 1.0})
    step = begin(Wiring(site), strange, field.now)
    assert step.state.held["gone/boiler.enable@13"] == 1.0
    assert not [write for write in step.writes if write.point.device == "gone"]


def test_a_frost_slot_that_the_site_gave_up_is_freed() -> None:
    held = Saved(held={"ecole/zone.1.setpoint@5": 8.0, "ecole/zone.1.setpoint@13": 19.0})
    step = begin(Wiring(led(PLANT)), held, at(MORNING))
    assert [(write.point.point, write.value, write.priority) for write in step.writes] == [("zone.1.setpoint", None, 5)]
    assert "ecole/zone.1.setpoint@5" in step.state.held
    (write,) = step.writes
    later = cycle(Wiring(led(PLANT)), step.state, [WriteResult(write, Outcome.APPLIED, at(MORNING))], at(MORNING))
    assert later.journal.held == {"ecole/zone.1.setpoint@5": None}


def thermostats() -> Site:
    """The school with setpoints that have no priority array."""
    site = led(PLANT)
    school_device = site.devices[DEVICE]
    points = dict(school_device.profile.points)
    for number in (1, 2):
        point = points[f"zone.{number}.setpoint"]
        assert isinstance(point, BacnetPoint)
        points[point.name] = replace(point, commandable=False, restore=14.0)
    profile = replace(school_device.profile, points=points)
    return replace(site, devices={**site.devices, DEVICE: replace(school_device, profile=profile)})


def test_without_a_priority_array_the_restore_value_is_owed_after_a_crash_too() -> None:
    site = thermostats()
    field = Field(Wiring(site), at(MORNING))
    rooms(field, 18.0)
    field.start()
    assert field.held[DEVICE, "zone.2.setpoint"] == 19.0
    assert (Write(field.wiring.targets["zone/ecole.cantine"].point, 14.0, 13)) in farewell(
        field.wiring, field.state, field.now
    )
    fewer = replace(site, zones={"ecole.classes": site.zones["ecole.classes"]})
    fewer = replace(fewer, buildings={n: replace(b, zones=("ecole.classes",)) for n, b in fewer.buildings.items()})
    step = begin(Wiring(fewer), saved(field), field.now)
    freed = {(write.point.point, write.value) for write in step.writes}
    assert ("zone.2.setpoint", None) in freed, "the driver writes the restore value for it"
    assert ("zone.1.setpoint", None) not in freed


def test_a_clean_stop_frees_the_generator_too() -> None:
    field = school(MORNING, 18.0, 5.0, PLANT)
    freed = {(write.point.point, write.value) for write in farewell(field.wiring, field.state, field.now)}
    assert freed >= {("boiler.enable", None), ("boiler.pump", None), ("heartbeat", None)}


def test_a_hand_at_the_generator_and_a_refusal_are_told_apart() -> None:
    field = school(MORNING, 18.0, 5.0, PLANT)
    field.slots[ENABLE] = {8: 0.0, 13: 1.0}
    field.poll()
    output = field.state.outputs["boiler/ecole"]
    assert (output.write.value, output.masked_by) == ("masked", 8)
    told = next(event for event in field.events if event.name == "output-masked")
    assert (told.target, told.facts["masked_by"]) == ("boiler/ecole", 8)
    other = school(MORNING, 21.0, 5.0, PLANT)
    other.refuse = lambda write: WriteResult(write, Outcome.REJECTED, other.now, detail="write access denied")
    rooms(other, 18.0)
    other.advance(timedelta(minutes=5))
    assert other.state.outputs["boiler/ecole"].write.value == "rejected"
    assert SUPPLY not in other.slots
    assert HEARTBEAT in other.slots
