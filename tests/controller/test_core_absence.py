"""Nobody in the room within its hours: a lower comfort, until somebody comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from config.site import Emitter
from controller.core.arbitration import Slot, Source
from controller.core.heating import zone_array
from controller.core.state import Draft
from drivers.api import Fault, PointId, Quality, Reading
from tests.controller.field import Field
from tests.controller.rooms import ABSENCE, DETECTOR, MINUTE, commanded, school, started, told
from tests.controller.towns import at


def present(field: Field, seen: bool) -> None:
    field.held[DETECTOR] = float(seen)


def test_it_begins_after_the_opening_and_ends_at_once() -> None:
    field = started(school(absence=ABSENCE), "2026-01-12 07:00")
    field.until(at("2026-01-12 08:29"))
    assert commanded(field) == 19.0, "it counts from the opening, not from the night"
    field.until(at("2026-01-12 08:31"))
    assert commanded(field) == 17.5
    state = told(field)
    assert (state["reason"], state["allure"]) == ("nobody seen since 08:00: 1.5 K below the comfort", "comfort")
    assert state["vacant_since"] == "2026-01-12T07:00:00Z"
    present(field, True)
    field.poll()
    assert commanded(field) == 19.0
    present(field, False)
    field.advance(29 * MINUTE)
    assert commanded(field) == 19.0
    field.advance(2 * MINUTE)
    assert commanded(field) == 17.5
    field.until(at("2026-01-12 17:31"))
    assert commanded(field) == 16.0, "outside the hours the plan alone speaks"


def test_it_is_never_colder_than_the_reduced_setpoint() -> None:
    field = started(school(absence=replace(ABSENCE, reduce_k=5.0)), "2026-01-12 10:00")
    field.advance(31 * MINUTE)
    assert commanded(field) == 16.0


def test_a_floor_takes_no_short_setback() -> None:
    field = started(school(absence=ABSENCE, emitter=Emitter.FLOOR), "2026-01-12 10:00")
    field.advance(timedelta(hours=2))
    assert commanded(field) == 19.0
    assert "vacant_since" not in told(field)


def test_the_preheat_is_left_alone() -> None:
    field = started(school(absence=ABSENCE), "2026-01-13 06:00", classes=16.0)
    field.until(at("2026-01-13 07:59"))
    assert commanded(field) == 19.0


@pytest.mark.parametrize("cause", ["fault", "uncertain", "silent"])
def test_a_detector_that_cannot_be_believed_lowers_nothing(cause: str) -> None:
    field = started(school(absence=ABSENCE), "2026-01-12 10:00")
    field.advance(31 * MINUTE)
    assert commanded(field) == 17.5
    point = PointId(*DETECTOR)
    if cause == "silent":
        field.silent.add("cab-mairie")
        field.poll()
    else:
        field.feed(
            Fault(point, "no sensor", field.now)
            if cause == "fault"
            else Reading(point, 0.0, field.now, Quality.UNCERTAIN)
        )
    assert commanded(field) == 19.0
    field.silent.clear()
    field.advance(29 * MINUTE)
    assert commanded(field) == 19.0, "it counts anew from when it is heard again"
    field.advance(3 * MINUTE)
    assert commanded(field) == 17.5


def test_a_detector_that_grows_old_lowers_nothing() -> None:
    field = started(school(absence=ABSENCE), "2026-01-12 10:00")
    field.advance(31 * MINUTE)
    points = [point for point in field.wiring.site.devices["cab-mairie"].points if point != DETECTOR[1]]
    for _ in range(5):
        field.now += MINUTE
        field.feed(*(field.reading("cab-mairie", point) for point in points))
        field.feed(*(field.reading("ecole", point) for point in field.wiring.site.devices["ecole"].points))
    assert commanded(field) == 19.0


@pytest.mark.parametrize(("coast_c", "winner"), [(16.0, Source.OPTIMUM_STOP), (18.5, Source.ABSENCE)])
def test_of_absence_and_an_optimum_stop_the_lower_one_is_given(coast_c: float, winner: Source) -> None:
    field = started(school(absence=ABSENCE), "2026-01-12 10:00")
    field.advance(31 * MINUTE)
    draft, room = Draft(field.state, field.now), field.state.rooms["ecole.classes"]
    coast = Slot(Source.OPTIMUM_STOP, coast_c, "optimum stop", field.now + MINUTE)
    draft.rooms["ecole.classes"] = replace(room, warmup=replace(room.warmup, coast=coast))
    array = zone_array(field.wiring, draft, "ecole.classes")
    assert (array.winner.source, array.winner.value) == (winner, min(coast_c, 17.5))
