"""One night through the core: tables of time and what the devices hold, no wire, no clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.core.cycle import begin, cycle
from controller.core.journal import Saved
from controller.core.report import state_of
from controller.core.wiring import Wiring
from tests.controller.field import Field, names
from tests.controller.towns import at, town


@pytest.fixture
def field() -> Field:
    field = Field(Wiring(town()), at("2026-01-12 15:00"))
    field.start()
    return field


NIGHT = [
    ("2026-01-12 16:00", 0, 0, 0),
    ("2026-01-12 17:30", 100, 100, 1),
    ("2026-01-12 22:29", 100, 100, 1),
    ("2026-01-12 22:31", 60, 100, 1),
    ("2026-01-13 00:31", 0, 100, 0),
    ("2026-01-13 05:01", 60, 100, 1),
    ("2026-01-13 08:20", 60, 100, 1),
    ("2026-01-13 08:45", 0, 0, 0),
]


def test_a_night_passes_as_planned(field: Field) -> None:
    for when, centre, gare, contactor in NIGHT:
        field.until(at(when))
        assert field.value("cab-mairie", "lamp.1.command") == centre, when
        assert field.value("cab-mairie", "lamp.4.command") == centre, when
        assert field.value("cab-gare", "lamp.2.command") == gare, when
        assert field.value("cab-mairie", "segment.1.command") == contactor, when
        assert field.value("cab-mairie", "segment.2.command") == contactor, when


def test_only_differences_are_written_and_held_values_asserted_each_quarter(field: Field) -> None:
    field.until(at("2026-01-12 18:00"))
    last = max(step.state.at for step in field.steps if any(w.point.device == "cab-gare" for w in step.writes))
    before = len(field.writes_of("cab-gare"))
    field.until(last + timedelta(minutes=14, seconds=50))
    assert len(field.writes_of("cab-gare")) == before
    field.advance(timedelta(minutes=1))
    assert len(field.writes_of("cab-gare")) == before + 3, "two lamps and their contactor"


def test_a_start_in_the_middle_of_the_night_finds_the_state_of_that_hour() -> None:
    field = Field(Wiring(town()), at("2026-01-13 02:30"))
    field.held["cab-mairie", "lamp.1.command"] = 60.0
    field.held["cab-gare", "lamp.1.command"] = 100.0
    field.start()
    assert field.value("cab-mairie", "lamp.1.command") == 0
    assert field.value("cab-gare", "lamp.1.command") == 100
    assert not [w for w in field.writes_of("cab-gare") if w.point.point == "lamp.1.command"], "it held already"


def test_a_hand_at_the_device_is_put_right(field: Field) -> None:
    field.until(at("2026-01-12 18:00"))
    field.held["cab-gare", "lamp.1.command"] = 20.0
    field.poll()
    assert field.value("cab-gare", "lamp.1.command") == 100


def test_a_silent_cabinet_goes_offline_once_and_is_asserted_on_return(field: Field) -> None:
    field.until(at("2026-01-12 16:00"))
    field.silent.add("cab-gare")
    field.until(at("2026-01-12 18:00"))
    assert names(field.events).count("device-offline") == 1
    lamp = state_of(field.wiring, field.state, "lamp/g-1", field.now)
    assert (lamp["quality"], lamp["write"], lamp["commanded"]) == ("offline", "pending", 100.0)
    assert "level" not in lamp, "what is not known is not told"
    assert field.value("cab-mairie", "lamp.1.command") == 100, "the others go on"
    field.silent.clear()
    field.poll()
    assert field.value("cab-gare", "lamp.1.command") == 100
    assert field.value("cab-gare", "segment.1.command") == 1


def test_an_output_that_held_through_an_outage_is_still_written_again(field: Field) -> None:
    field.until(at("2026-01-12 18:00"))
    field.silent.add("cab-gare")
    field.advance(timedelta(minutes=5))
    before = len(field.writes_of("cab-gare"))
    field.silent.clear()
    field.poll()
    assert len(field.writes_of("cab-gare")) == before + 3


def test_a_cycle_is_a_function_of_its_arguments(field: Field) -> None:
    field.until(at("2026-01-12 17:10"))
    state, now = field.state, field.now + timedelta(minutes=30)
    inbox = tuple(field.reading("cab-gare", point) for point in field.wiring.site.devices["cab-gare"].points)
    first, second = cycle(field.wiring, state, inbox, now), cycle(field.wiring, state, inbox, now)
    assert first == second
    assert state.at == field.now, "the state given is left as it was"
    assert first.writes, "it is the hour at which the town lights up"


def test_a_cycle_in_which_nothing_is_due_copies_nothing(field: Field) -> None:
    state = field.state
    step = cycle(field.wiring, state, (), field.now)
    assert step.state.outputs is state.outputs
    assert step.state.due is state.due
    assert step.writes == ()
    assert not step.changed


def test_the_next_due_instant_is_known(field: Field) -> None:
    field.until(at("2026-01-12 18:00"))
    assert field.steps[-1].next_due is not None
    assert field.now < field.steps[-1].next_due <= field.now + timedelta(minutes=15)


def test_begin_is_ready_before_anything_was_heard() -> None:
    wiring = Wiring(town())
    step = begin(wiring, Saved(), at("2026-01-12 23:00"))
    assert step.writes == ()
    lamp = state_of(wiring, step.state, "lamp/m-1", at("2026-01-12 23:00"))
    assert (lamp["commanded"], lamp["quality"], lamp["write"]) == (60.0, "offline", "pending")
