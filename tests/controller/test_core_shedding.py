"""Load shedding: who gives up heat at which level, for how long, and who is warm again first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from config.site import Plant
from controller.core.commands import Command, Heard, Misheard, Stretch
from controller.core.cycle import adopt
from controller.core.wiring import Wiring
from schedules.allures import Setpoints
from tests.controller.field import Field, names
from tests.controller.rooms import MINUTE, commanded, hours, level, school, shedding, started, told, warm, zone_of
from tests.controller.towns import at

MORNING = "2026-01-12 10:00"
ROOMS = {"a": 18.9, "b": 18.0, "c": 19.4, "d": 17.2}
HOUR = timedelta(hours=1)


def four(when: str = MORNING, **changes: object) -> Field:
    return started(school("a", "b", "c", "d", building=shedding(**changes)), when, **ROOMS)


def shed(field: Field) -> dict[str, float]:
    """The zones below their 19 degrees, and by how much."""
    found = {name: commanded(field, name) for name in ROOMS}
    return {name: 19.0 - value for name, value in found.items() if value is not None and value < 19.0}


LEVELS = [
    (0, {}),
    (1, {"c": 0.5, "a": 0.5}),
    (2, {"c": 1.0, "a": 1.0, "b": 1.0}),
    (3, {"c": 2.0, "a": 2.0, "b": 2.0, "d": 2.0}),
]


@pytest.mark.parametrize(("number", "expected"), LEVELS)
def test_the_level_says_how_many_and_how_much_the_nearest_to_the_setpoint_first(
    number: int, expected: dict[str, float]
) -> None:
    field = four()
    field.feed(level(field, number))
    assert shed(field) == expected
    state = told(field, "building/ecole")
    assert (state["signal"], state["signal_level"], state["zones_shed"]) == ("ecowatt", number, len(expected))


def test_the_reason_and_the_events_say_it() -> None:
    field = four()
    field.feed(level(field, 1))
    state = told(field, "zone/ecole.c")
    assert (state["reason"], state["priority"], state["shed_k"]) == (
        "shed since 10:00: 0.5 K less at level 1 of ecowatt", 12, 0.5,
    )  # fmt: skip
    assert state["why"][0]["source"] == "shed"
    found = [(event.name, event.target) for event in field.events if event.name in ("signal", "shed")]
    assert found == [("signal", "signal/ecowatt"), ("shed", "zone/ecole.c"), ("shed", "zone/ecole.a")]


def test_a_level_that_rises_takes_more_and_more_of_each() -> None:
    field = four()
    field.feed(level(field, 1))
    field.advance(5 * MINUTE)
    field.feed(level(field, 3))
    assert shed(field) == {"a": 2.0, "b": 2.0, "c": 2.0, "d": 2.0}


def test_a_level_without_a_word_of_its_own_takes_the_next_lower() -> None:
    field = four(reduce_k={1: 0.5})
    field.feed(level(field, 2))
    assert set(shed(field).values()) == {0.5}
    silent = four(reduce_k={2: 1.0})
    silent.feed(level(silent, 1))
    assert shed(silent) == {}


def test_they_come_back_one_after_the_other_the_coldest_first() -> None:
    field = four()
    field.feed(level(field, 3, minutes=30))
    field.advance(29 * MINUTE)
    assert len(shed(field)) == 4
    order: list[str] = []
    for _ in range(40):
        field.advance(MINUTE)
        order += [name for name in ROOMS if name not in shed(field) and name not in order]
        if len(order) == 1:
            assert len(shed(field)) == 3, "one at a time"
    assert order == ["d", "b", "a", "c"]
    back = [event.at for event in field.events if event.name == "restored"]
    assert [later - earlier for earlier, later in pairwise(back)] == [10 * MINUTE] * 3


def test_no_zone_is_shed_for_longer_than_allowed_in_one_go_and_then_it_rests() -> None:
    field = four()
    field.feed(level(field, 3, minutes=600))
    since: dict[str, int] = dict.fromkeys(ROOMS, 0)
    longest: dict[str, int] = dict.fromkeys(ROOMS, 0)
    rested: dict[str, int] = dict.fromkeys(ROOMS, 0)
    least = dict.fromkeys(ROOMS, 1000)
    for minute in range(1, 420):
        field.advance(MINUTE)
        for name in ROOMS:
            if name in shed(field):
                if rested[name]:
                    least[name] = min(least[name], rested[name])
                since[name], rested[name] = since[name] + 1, 0
                longest[name] = max(longest[name], since[name])
            else:
                since[name], rested[name] = 0, rested[name] + 1 if minute > 90 else 0
    assert all(minutes <= 121 for minutes in longest.values())
    assert all(minutes >= 59 for minutes in least.values())
    assert all(minutes < 1000 for minutes in least.values()), "after its rest each is shed again"


def test_at_level_1_a_rested_zone_takes_the_place_of_a_tired_one() -> None:
    field = four()
    field.feed(level(field, 1, minutes=600))
    assert set(shed(field)) == {"a", "c"}
    field.advance(130 * MINUTE)
    assert set(shed(field)) == {"b", "d"}


def test_never_below_the_reduced_setpoint_and_never_frost() -> None:
    site = zone_of(school("a", "b", building=shedding()), "a", setpoints=Setpoints(17.0, 16.0, 8.0))
    site = zone_of(site, "b", occupancy=hours(fri="12:00-13:00"))
    field = started(site, MORNING)
    field.feed(level(field, 3))
    assert commanded(field, "a") == 16.0
    assert commanded(field, "b") == 8.0
    assert told(field, "building/ecole")["zones_shed"] == 1


def test_one_that_is_not_sheddable_or_has_a_hand_on_it_gives_nothing() -> None:
    site = zone_of(school("a", "b", building=shedding()), "a", sheddable=False)
    field = started(site, MORNING)
    field.feed(Command("o", "zone", "ecole.b", field.now, value=20.0))
    field.feed(level(field, 3))
    assert (commanded(field, "a"), commanded(field, "b")) == (19.0, 19.0)
    assert "zones_shed" in told(field, "building/ecole")
    assert "shed" not in names(field.events)


def test_a_preheat_is_left_alone_in_the_last_hour_before_the_opening() -> None:
    field = started(school("a", building=shedding()), "2026-01-13 05:00", a=14.0)  # 5 K at 30 min/K: 05:30
    field.until(at("2026-01-13 05:40"))
    field.feed(level(field, 3))
    assert commanded(field, "a") == 17.0
    field.until(at("2026-01-13 07:01"))
    assert commanded(field, "a") == 19.0
    late = started(school("a", building=shedding()), "2026-01-13 07:10", a=17.0)
    late.feed(level(late, 3))
    assert commanded(late, "a") == 19.0


def test_what_is_announced_comes_when_it_is_due_and_ends_so() -> None:
    field = four()
    since, until = field.now + HOUR, field.now + 2 * HOUR
    field.feed(Heard("ecowatt", field.now, since, (Stretch(1, since, until, "white"), Stretch(3, until, until + HOUR))))
    assert shed(field) == {}
    assert told(field, "building/ecole")["signal_level"] == 0
    field.advance(61 * MINUTE)
    state = told(field, "building/ecole")
    assert (state["signal_level"], state["signal_word"], state["zones_shed"]) == (1, "white", 2)
    field.advance(HOUR)
    assert told(field, "building/ecole")["signal_level"] == 3
    field.advance(HOUR)
    assert told(field, "building/ecole")["signal_level"] == 0
    field.advance(HOUR)
    assert shed(field) == {}


def test_a_message_replaces_what_was_said_for_the_time_from_its_beginning_on() -> None:
    field = four()
    field.feed(level(field, 1, minutes=120))
    field.feed(level(field, 3, minutes=60, in_minutes=60))
    assert told(field, "building/ecole")["signal_level"] == 1
    field.advance(61 * MINUTE)
    assert told(field, "building/ecole")["signal_level"] == 3
    field.feed(level(field, 0))
    assert told(field, "building/ecole")["signal_level"] == 0


def test_what_the_broker_gives_back_after_a_loss_moves_no_end() -> None:
    field = four()
    field.feed(Heard("ecowatt", field.now, field.now, (Stretch(2, field.now, field.now + 24 * HOUR),), False, True))
    field.advance(20 * HOUR, 10 * MINUTE)
    again = (Stretch(2, field.now, field.now + 24 * HOUR),)
    field.feed(Heard("ecowatt", field.now, field.now, again, True, True))
    field.advance(4 * HOUR + MINUTE, 10 * MINUTE)
    assert told(field, "building/ecole")["signal_level"] == 0
    field.feed(Heard("ecowatt", field.now, field.now, (Stretch(2, field.now, field.now + 24 * HOUR),), False, True))
    assert told(field, "building/ecole")["signal_level"] == 2


def lasting(field: Field, number: int, *, retained: bool) -> Heard:
    """A message with a level and no time at all."""
    stretch = Stretch(number, field.now, field.now + 24 * HOUR)
    return Heard("ecowatt", field.now, field.now, (stretch,), retained, True)


def test_what_the_broker_still_keeps_when_its_time_is_over_begins_no_more_over_restarts_too() -> None:
    field = four()
    field.feed(lasting(field, 2, retained=False))
    field.advance(20 * HOUR, 10 * MINUTE)
    again = Field(field.wiring, field.now, held=dict(field.held))
    again.start(field.saved())
    again.feed(lasting(again, 2, retained=True))
    assert told(again, "building/ecole")["signal_level"] == 2
    again.advance(4 * HOUR + MINUTE, 10 * MINUTE)
    assert told(again, "building/ecole")["signal_level"] == 0
    again.feed(lasting(again, 2, retained=True))
    assert told(again, "building/ecole")["signal_level"] == 0, "the broker was restarted"
    last = Field(field.wiring, again.now + HOUR, held=dict(field.held))
    last.start(replace(field.saved(), kept={**field.saved().kept, **again.saved().kept}))
    last.feed(lasting(last, 2, retained=True))
    assert told(last, "building/ecole")["signal_level"] == 0, "the daemon was"
    last.feed(lasting(last, 2, retained=False))
    assert told(last, "building/ecole")["signal_level"] == 2, "somebody says it now"


@pytest.mark.parametrize("between", [0, 1, 3])
def test_a_level_that_comes_back_after_another_one_is_a_new_one(between: int) -> None:
    field = four()
    field.feed(lasting(field, 2, retained=False))
    field.advance(20 * HOUR, 10 * MINUTE)
    field.feed(lasting(field, between, retained=False) if between else level(field, 0))
    field.advance(5 * HOUR, 10 * MINUTE)
    field.feed(lasting(field, 2, retained=True))
    assert told(field, "building/ecole")["signal_level"] == 2
    field.advance(20 * HOUR, 10 * MINUTE)
    assert told(field, "building/ecole")["signal_level"] == 2


def test_what_was_first_heard_by_a_clock_that_was_ahead_counts_from_now() -> None:
    field = four("2026-01-14 10:00")
    field.feed(lasting(field, 2, retained=False))
    again = Field(field.wiring, at(MORNING), held=dict(field.held))
    again.start(field.saved())
    again.feed(lasting(again, 2, retained=True))
    assert told(again, "building/ecole")["signal_level"] == 2
    again.advance(25 * HOUR, 10 * MINUTE)
    assert told(again, "building/ecole")["signal_level"] == 0


def test_what_nobody_understands_is_told_and_moves_nothing() -> None:
    field = four()
    field.feed(level(field, 1))
    field.feed(Misheard("ecowatt", "not JSON (UTF-8)", field.now), Heard("strange", field.now, field.now))
    assert set(shed(field)) == {"a", "c"}
    refused = next(event for event in field.events if event.name == "signal-refused")
    assert (refused.target, refused.facts) == ("signal/ecowatt", {"detail": "not JSON (UTF-8)"})


def test_a_reload_keeps_what_was_said_and_what_is_shed() -> None:
    field = four()
    field.feed(level(field, 1, minutes=60))
    field.take(adopt(field.wiring, field.state, field.now))
    assert set(shed(field)) == {"a", "c"}
    field.advance(90 * MINUTE)
    assert shed(field) == {}
    assert told(field, "building/ecole")["signal_level"] == 0


@pytest.mark.parametrize("plant", [None, Plant()])
def test_a_reload_and_a_building_without_a_plant_forget_no_stagger(plant: Plant | None) -> None:
    field = started(school("a", "b", "c", "d", building={**shedding(), "plant": plant}), MORNING, **ROOMS)
    field.feed(level(field, 3, minutes=30))
    field.advance(31 * MINUTE)
    assert len(shed(field)) == 3, "the first is back"
    field.take(adopt(field.wiring, field.state, field.now))
    field.advance(5 * MINUTE)
    assert len(shed(field)) == 3, "the rebound is staggered by 10 min"
    field.advance(6 * MINUTE)
    assert len(shed(field)) == 2
    led = plant is not None
    assert ("ecole" in field.state.plants, "why" in told(field, "building/ecole")) == (led, led)
    assert led or "plant/ecole" not in field.state.due


def test_a_building_that_takes_part_no_more_gives_everything_back() -> None:
    field = four()
    field.feed(level(field, 3))
    field.wiring = Wiring(school("a", "b", "c", "d"))
    field.take(adopt(field.wiring, field.state, field.now))
    assert shed(field) == {}
    assert "signal" not in told(field, "building/ecole")
    assert "shed_k" not in told(field, "zone/ecole.a")


def test_a_zone_whose_hours_end_is_shed_no_more() -> None:
    field = four("2026-01-12 17:00")
    field.feed(level(field, 3, minutes=300))
    field.advance(45 * MINUTE)
    assert {commanded(field, name) for name in ROOMS} == {16.0}
    assert told(field, "building/ecole")["zones_shed"] == 0
    warm(field, "a", 15.0)
    field.advance(MINUTE)
    assert commanded(field, "a") == 16.0
