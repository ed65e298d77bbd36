"""Operators' commands through the core: what is applied, what is refused, and that every override ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.core.commands import Command, Refusal
from controller.core.journal import Override, Saved
from controller.core.report import state_of
from controller.core.wiring import Wiring
from drivers.api import Outcome, PointId, Write, WriteResult
from schedules.allures import Allure
from tests.controller.field import Field, masked, names
from tests.controller.towns import at, profile, town

SETPOINT = ("ecole", "zone.1.setpoint")


@pytest.fixture
def field() -> Field:
    field = Field(Wiring(town()), at("2026-01-12 20:00"))
    field.start()
    field.poll()
    return field


def command(field: Field, kind: str, target: str, name: str = "c1", **fields: Any) -> Command:
    return Command(name, kind, target, field.now, **fields)


def test_an_override_dims_is_applied_and_ends_by_itself(field: Field) -> None:
    field.feed(command(field, "lamp", "m-1", value=20.0, lasting=timedelta(minutes=30), reason="glare", by="anne"))
    assert field.value("cab-mairie", "lamp.1.command") == 20
    assert field.value("cab-mairie", "lamp.2.command") == 100
    assert [(r.id, r.outcome) for r in field.results] == [("c1", "applied")]
    lamp = state_of(field.wiring, field.state, "lamp/m-1", field.now)
    assert (lamp["commanded"], lamp["priority"], lamp["write"]) == (20.0, 10, "applied")
    assert lamp["reason"] == "override by anne: glare"
    assert lamp["until"] == "2026-01-12T19:30:00Z"
    why = lamp["why"]
    assert isinstance(why, list)
    assert [entry["priority"] for entry in why] == [10, 13, 17]
    field.advance(timedelta(minutes=31))
    assert field.value("cab-mairie", "lamp.1.command") == 100
    assert "override-ended" in names(field.events)


def test_a_lamp_on_dalis_curve_is_switched_off_from_1_percent() -> None:
    site = town()
    points = ("lamp.1.command", "lamp.1.level")
    dali = replace(site.devices["cab-mairie"], profile=profile("adfweb-dali"), points=points)
    deep = {name: replace(lamp, type=replace(lamp.type, min_level=0.1)) for name, lamp in site.lamps.items()}
    town_of_dali = replace(site, devices={**site.devices, "cab-mairie": dali}, lamps=deep)
    field = Field(Wiring(town_of_dali), at("2026-01-12 20:00"))
    field.start()
    field.poll()
    for number, value in enumerate((1.0, 0.0, 1.0, 0.1, 0.0)):
        field.feed(command(field, "lamp", "m-1", f"c{number}", value=value))
        assert field.value("cab-mairie", "lamp.1.command") == value


def test_without_an_end_it_lasts_the_sites_default_and_never_longer_than_the_cap(field: Field) -> None:
    field.feed(command(field, "lamp", "m-1", value=20.0))
    assert field.state.overrides["lamp/m-1"].until == field.now + timedelta(hours=2)
    field.feed(command(field, "lamp", "m-1", "c2", value=20.0, lasting=timedelta(days=9)))
    assert field.state.overrides["lamp/m-1"].until == field.now + timedelta(hours=24)


def test_release_gives_the_plan_back_at_once(field: Field) -> None:
    field.feed(command(field, "lamp", "m-1", value=20.0))
    field.feed(command(field, "lamp", "m-1", "c2", relinquish=True))
    assert field.value("cab-mairie", "lamp.1.command") == 100
    assert [(r.id, r.outcome) for r in field.results] == [("c1", "applied"), ("c2", "applied")]
    field.feed(command(field, "lamp", "m-1", "c3", relinquish=True))
    assert field.results[-1].detail == "there was no override to release"


REFUSED = [
    (("lamp", "m-9"), {"value": 20.0}, "unknown target"),
    (("cabinet", "mairie"), {"value": 20.0}, "unknown target"),
    (("zone", "ecole.classes"), {"value": 45.0}, "out of range: 45 is not within 5 to 30"),
    (("zone", "ecole.classes"), {"value": 1.0}, "out of range"),
    (("lamp", "m-1"), {"value": 20.0, "until": at("2026-01-12 19:00")}, "expired"),
]


@pytest.mark.parametrize(("target", "fields", "reason"), REFUSED)
def test_a_refused_command_moves_nothing(field: Field, target: tuple[str, str], fields: Any, reason: str) -> None:
    before = len(field.writes_of("cab-mairie"))
    field.feed(command(field, *target, **fields))
    assert field.results[-1].outcome == "refused"
    assert reason in field.results[-1].detail
    assert len(field.writes_of("cab-mairie")) == before
    assert not field.state.overrides


def test_the_same_id_is_executed_once_even_across_a_restart(field: Field) -> None:
    field.feed(command(field, "lamp", "m-1", value=20.0))
    field.feed(command(field, "lamp", "m-1", value=50.0))
    assert field.value("cab-mairie", "lamp.1.command") == 20
    assert "seen before" in field.results[-1].detail
    again = Field(field.wiring, field.now)
    again.start(Saved(command_ids=dict(field.state.seen)))
    again.feed(command(again, "lamp", "m-1", value=50.0))
    assert again.results[-1].outcome == "refused"


def test_a_refusal_at_the_edge_is_reported(field: Field) -> None:
    field.feed(Refusal("c7", "lamp", "m-1", "retained commands are not executed", field.now))
    assert (field.results[-1].id, field.results[-1].outcome) == ("c7", "refused")


def test_overrides_in_force_survive_a_restart_and_expired_ones_do_not(field: Field) -> None:
    kept = Override(20.0, field.now, field.now + timedelta(hours=1), "works", "anne", "c1")
    gone = Override(30.0, field.now, field.now - timedelta(minutes=1), "", "", "c0")
    again = Field(field.wiring, field.now)
    again.start(Saved(overrides={"lamp/m-1": kept, "lamp/m-2": gone, "lamp/removed": kept}))
    assert again.value("cab-mairie", "lamp.1.command") == 20
    assert again.value("cab-mairie", "lamp.2.command") == 100
    assert set(again.state.overrides) == {"lamp/m-1"}
    assert again.results == [], "nothing is replayed"
    again.advance(timedelta(minutes=61))
    assert again.value("cab-mairie", "lamp.1.command") == 100


def test_a_lamp_called_by_day_closes_its_contactor() -> None:
    field = Field(Wiring(town()), at("2026-01-12 13:00"))
    field.start()
    field.feed(command(field, "lamp", "m-1", value=80.0))
    assert field.value("cab-mairie", "segment.1.command") == 1
    assert field.value("cab-mairie", "segment.2.command") == 0
    segment = state_of(field.wiring, field.state, "segment/mairie-a", field.now)
    assert "feeds lamps at 80 %" in str(segment["reason"])


def test_the_journal_tells_what_must_survive(field: Field) -> None:
    field.feed(command(field, "lamp", "m-1", value=20.0))
    journals = [step.journal for step in field.steps if step.journal.overrides]
    assert journals[-1].overrides["lamp/m-1"] is not None
    assert journals[-1].command_ids == {"c1": field.now}


def test_a_silent_device_owes_nothing_and_is_written_on_its_return(field: Field) -> None:
    field.silent.add("cab-mairie")
    field.poll()
    field.feed(command(field, "lamp", "m-1", value=20.0))
    assert (field.results[-1].outcome, "does not answer" in field.results[-1].detail) == ("pending", True)
    field.silent.clear()
    field.poll()
    assert field.value("cab-mairie", "lamp.1.command") == 20


def test_a_rejected_write_is_told_and_tried_again_a_minute_later(field: Field) -> None:
    field.refuse = lambda write: WriteResult(write, Outcome.REJECTED, field.now, detail="illegal data address")
    field.feed(command(field, "lamp", "m-1", value=20.0))
    assert (field.results[-1].outcome, field.results[-1].detail) == ("rejected", "illegal data address")
    assert state_of(field.wiring, field.state, "lamp/m-1", field.now)["write"] == "rejected"
    field.refuse = None
    field.advance(timedelta(seconds=50), every=timedelta(seconds=10))
    assert field.value("cab-mairie", "lamp.1.command") == 100
    field.advance(timedelta(seconds=20), every=timedelta(seconds=10))
    assert field.value("cab-mairie", "lamp.1.command") == 20


def test_a_write_without_feedback_is_repeated_with_backoff(field: Field) -> None:
    tries: list[Write] = []

    def no_feedback(write: Write) -> WriteResult:
        tries.append(write)
        return WriteResult(write, Outcome.NO_FEEDBACK, field.now)

    field.refuse = no_feedback
    field.feed(command(field, "lamp", "m-1", value=20.0))
    assert field.results[-1].outcome == "no-feedback"
    field.advance(timedelta(minutes=2), every=timedelta(seconds=1))
    assert 6 <= len(tries) <= 12, "2, 4, 8, 16, 20, 20 ... seconds apart"


def rounding(field: Field) -> list[Write]:
    """The classes' setpoint keeps halves of a degree; gives back the writes of values that it gets from now on."""
    tries: list[Write] = []

    def keep_half(write: Write) -> WriteResult | None:
        if write.point != PointId(*SETPOINT) or write.value is None:
            return None
        tries.append(write)
        kept = round(write.value * 2.0) / 2.0
        field.slots.setdefault(SETPOINT, {})[write.priority] = kept
        if kept == write.value:
            return WriteResult(write, Outcome.APPLIED, field.now, field.reading(*SETPOINT))
        detail = f"priority {write.priority} holds {kept:g}"
        return WriteResult(write, Outcome.NO_FEEDBACK, field.now, field.reading(*SETPOINT), detail=detail)

    field.refuse = keep_half
    return tries


def test_a_setpoint_that_the_device_rounds_is_written_quickly_a_few_times_and_then_as_often_as_any(
    field: Field,
) -> None:
    tries = rounding(field)
    field.feed(command(field, "zone", "ecole.classes", value=19.3, lasting=timedelta(hours=6)))
    field.advance(timedelta(minutes=1), every=timedelta(seconds=1))
    assert len(tries) == 4, "2, 4 and 8 seconds apart"
    field.advance(timedelta(minutes=44), every=timedelta(seconds=10))
    assert len(tries) == 6, "and every reassert (15 min) from then on"
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert (zone["write"], zone["detail"]) == ("no-feedback", "priority 10 holds 19.5")


def test_what_a_device_keeps_is_pursued_quickly_anew_when_it_changes_or_another_value_is_wanted(field: Field) -> None:
    tries = rounding(field)
    field.feed(command(field, "zone", "ecole.classes", value=19.3, lasting=timedelta(hours=6)))
    field.advance(timedelta(minutes=5), every=timedelta(seconds=1))
    field.slots[SETPOINT][10] = 22.0  # somebody's hand
    field.advance(timedelta(minutes=1), every=timedelta(seconds=1))
    assert len(tries) == 4 + 4
    field.feed(command(field, "zone", "ecole.classes", "c2", value=20.2, lasting=timedelta(hours=6)))
    field.advance(timedelta(minutes=1), every=timedelta(seconds=1))
    assert [write.value for write in tries[8:]] == [20.2] * 4
    field.feed(command(field, "zone", "ecole.classes", "c3", value=20.5, lasting=timedelta(hours=6)))
    assert field.results[-1].outcome == "applied"


def test_a_lamp_that_keeps_another_level_is_pursued_for_ever(field: Field) -> None:
    tries: list[Write] = []

    def stuck(write: Write) -> WriteResult:
        tries.append(write)
        return WriteResult(write, Outcome.NO_FEEDBACK, field.now, field.reading("cab-mairie", "lamp.1.command"))

    field.refuse = stuck
    field.feed(command(field, "lamp", "m-1", value=20.0, lasting=timedelta(hours=2)))
    field.advance(timedelta(minutes=30), every=timedelta(seconds=5))
    assert len(tries) > 60


def test_a_zone_override_takes_slot_10_and_gives_it_back(field: Field) -> None:
    place = ("ecole", "zone.1.setpoint")
    assert field.slots[place] == {13: 16.0}
    field.feed(command(field, "zone", "ecole.classes", allure=Allure.COMFORT, lasting=timedelta(hours=1)))
    assert field.slots[place] == {13: 16.0, 10: 19.0}
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert (zone["commanded_c"], zone["allure"], zone["priority"]) == (19.0, "comfort", 10)
    assert field.state.held == {
        "ecole/zone.1.setpoint@13": 16.0,
        "ecole/zone.1.setpoint@10": 19.0,
        "ecole/zone.2.setpoint@13": 16.0,
        "ecole/zone.1.mode@13": 2.0,
        "ecole/zone.1.mode@10": 1.0,
        "ecole/zone.2.mode@13": 2.0,
    }
    field.advance(timedelta(minutes=61))
    assert field.slots[place] == {13: 16.0}


def test_a_hand_at_priority_8_masks_and_is_reported(field: Field) -> None:
    field.slots["ecole", "zone.1.setpoint"][8] = 22.0
    field.poll()
    zone = state_of(field.wiring, field.state, "zone/ecole.classes", field.now)
    assert (zone["write"], zone["detail"], zone["setpoint_c"]) == (
        "masked",
        "masked by priority 8 since Mon 2026-01-12 20:00",
        22.0,
    )
    assert "output-masked" in names(field.events)
    field.feed(command(field, "zone", "ecole.classes", value=20.0))
    assert (field.results[-1].outcome, field.results[-1].detail) == ("masked", "masked by priority 8")
    del field.slots["ecole", "zone.1.setpoint"][8]
    field.poll()
    assert state_of(field.wiring, field.state, "zone/ecole.classes", field.now)["write"] == "applied"


def test_a_mask_seen_only_by_the_write_is_told_too(field: Field) -> None:
    field.refuse = lambda write: masked(write, field.now, by=5)
    field.feed(command(field, "zone", "ecole.classes", value=20.0))
    assert (field.results[-1].outcome, field.results[-1].detail) == ("masked", "masked by priority 5")
