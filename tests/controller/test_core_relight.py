"""Light on demand through the core: inside the cut only, never above the program, bounded, counted, and kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.legal_hours import legal_categories
from config.site import Group, RelightPolicy, Site
from controller.core.arbitration import Source
from controller.core.commands import Command
from controller.core.cycle import adopt, begin, cycle
from controller.core.journal import Override, Saved
from controller.core.lighting import lamp_array
from controller.core.report import state_of
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import cuts
from schedules import plan as plans
from schedules.legal import LegalHours
from tests.controller.field import Field, names
from tests.controller.sensing import CAB, POLICY, seen, sensing_field, sensing_town
from tests.controller.towns import CENTRE, at, town

MINUTE, TICK = timedelta(minutes=1), timedelta(seconds=10)
CUT = at("2026-01-13 02:00")
SENSING = Wiring(sensing_town())


def relight(field: Field, name: str, target: str = "group/centre-ville", **fields: Any) -> None:
    kind, _, identity = target.partition("/")
    field.feed(Command(name, kind, identity, field.now, relight=True, **fields))


def levels(field: Field) -> list[float]:
    return [field.value(CAB, f"lamp.{n}.command") for n in range(1, 5)]


def with_policy(policy: RelightPolicy, site: Site | None = None) -> Site:
    """The town with this policy for the streets around the town hall."""
    base = site or sensing_town()
    return replace(base, groups={**base.groups, "centre-ville": replace(base.groups["centre-ville"], relight=policy)})


def nested() -> Site:
    """``bourg`` carries the policy; ``ruelle`` within it has a plan of its own that is lit all night."""
    site = sensing_town()
    lit = site.groups["gare"].plan
    groups = {
        "bourg": Group("bourg", CENTRE, ("m-1", "m-2"), groups=("ruelle", "impasse"), relight=POLICY),
        "ruelle": Group("ruelle", lit, ("m-3",), parent="bourg"),
        "impasse": Group("impasse", CENTRE, ("m-4",), parent="bourg"),
        "gare": site.groups["gare"],
    }
    return replace(site, groups=groups)


def test_it_lights_as_before_the_cut_says_so_and_ends_by_itself() -> None:
    field = sensing_field(CUT)
    relight(field, "r1", by="app", reason="walk home")
    assert levels(field) == [60, 60, 60, 60], "the policy gives 80, the program had 60"
    assert field.value(CAB, "segment.1.command") == 1
    assert (field.results[-1].outcome, field.results[-1].detail) == ("applied", "4 applied")
    lamp = state_of(field.wiring, field.state, "lamp/m-1", field.now)
    assert (lamp["commanded"], lamp["priority"]) == (60.0, 11)
    assert lamp["reason"] == "relight of group/centre-ville by app: walk home"
    assert lamp["until"] == "2026-01-13T01:10:00Z"
    field.advance(timedelta(seconds=590), every=TICK)
    assert levels(field) == [60, 60, 60, 60]
    field.advance(TICK)
    assert levels(field) == [0, 0, 0, 0]
    told = [(event.name, event.target) for event in field.events if event.name.startswith("relight")]
    assert told == [("relight-set", "group/centre-ville"), ("relight-ended", "group/centre-ville")]


@pytest.mark.parametrize(
    ("fields", "minutes", "detail"),
    [
        ({}, 10, "4 applied"),
        ({"lasting": 5 * MINUTE}, 5, "4 applied"),
        ({"until": CUT + 12 * MINUTE}, 12, "4 applied"),
        ({"lasting": timedelta(hours=1)}, 15, "4 applied; shortened to 15 min, the cap of group/centre-ville"),
    ],
)
def test_how_long_it_lasts(fields: dict[str, Any], minutes: int, detail: str) -> None:
    field = sensing_field(CUT)
    relight(field, "r1", **fields)
    assert field.state.overrides["relight/group/centre-ville"].until == CUT + minutes * MINUTE
    assert field.results[-1].detail == detail


def test_it_ends_with_the_cut() -> None:
    field = sensing_field(at("2026-01-13 04:55"))
    relight(field, "r1")
    assert field.results[-1].detail == "4 applied; shortened to the end of the cut"
    assert field.state.overrides["relight/group/centre-ville"].until == at("2026-01-13 05:00")


@pytest.mark.parametrize("target", ["lamp/m-1", "segment/mairie-a"])
def test_a_lamp_or_a_segment_is_lit_alone(target: str) -> None:
    field = sensing_field(CUT)
    relight(field, "r1", target)
    lit = [60, 0, 0, 0] if target == "lamp/m-1" else [60, 60, 0, 0]
    assert levels(field) == lit
    assert [field.value(CAB, f"segment.{n}.command") for n in (1, 2)] == [1, 0]
    assert field.results[-1].outcome == "applied"
    field.advance(11 * MINUTE)
    assert levels(field) == [0, 0, 0, 0]
    assert field.value(CAB, "segment.1.command") == 0


REFUSED = [
    ("group/centre-ville", "2026-01-12 20:00", "not in the cut"),
    ("group/centre-ville", "2026-01-12 13:00", "not in the cut"),
    ("group/gare", "2026-01-13 02:00", "no group around it has a policy"),
    ("lamp/g-1", "2026-01-13 02:00", "no group around it has a policy"),
    ("lamp/none", "2026-01-13 02:00", "unknown target"),
    ("zone/ecole.classes", "2026-01-13 02:00", "no group around it has a policy"),
]


@pytest.mark.parametrize(("target", "when", "detail"), REFUSED)
def test_a_refused_relight_moves_nothing_and_is_not_counted(target: str, when: str, detail: str) -> None:
    field = sensing_field(at(when))
    before = field.state.outputs
    relight(field, "r1", target)
    assert field.results[-1].outcome == "refused"
    assert detail in field.results[-1].detail
    assert field.state.outputs is before
    assert not field.state.overrides
    assert "group/centre-ville/relights@0" not in field.state.counters


def test_a_cut_after_a_dark_beginning_has_nothing_to_give() -> None:
    dark = replace(CENTRE.default, levels=(), start_level=0.0)
    site = sensing_town(plan=replace(CENTRE, default=dark))
    field = sensing_field(CUT, site)
    relight(field, "r1")
    assert "had no light before it" in field.results[-1].detail


def test_another_one_extends_it_up_to_the_cap_and_never_shortens_it() -> None:
    field = sensing_field(CUT)
    relight(field, "r1")
    field.advance(5 * MINUTE)
    relight(field, "r2")
    assert field.state.overrides["relight/group/centre-ville"].until == CUT + 15 * MINUTE
    relight(field, "r3", lasting=MINUTE)
    assert field.state.overrides["relight/group/centre-ville"].until == CUT + 15 * MINUTE
    assert levels(field) == [60, 60, 60, 60]


def test_so_often_an_hour_and_so_often_a_night() -> None:
    field = sensing_field(CUT)
    for number in range(3):
        relight(field, f"r{number}", "lamp/m-1" if number else "group/centre-ville")
        field.advance(10 * MINUTE)
    relight(field, "r3")
    assert field.results[-1].detail == (
        "group/centre-ville has had 3 relights within the hour; the next one is free in 0:30:00"
    )
    field.advance(31 * MINUTE)
    relight(field, "r4")
    assert field.results[-1].outcome == "applied"
    field.advance(10 * MINUTE)
    relight(field, "r5")
    field.advance(timedelta(minutes=70))
    relight(field, "r6")
    assert field.results[-1].detail == "group/centre-ville has had 5 relights tonight; 5 are allowed"
    field.until(at("2026-01-13 13:00"), every=10 * MINUTE)
    nights = {event.target: event.facts for event in field.events if event.name == "night"}
    assert nights["group/centre-ville"]["relights"] == 5
    assert "relights" not in nights["group/gare"]
    field.until(at("2026-01-14 02:00"), every=10 * MINUTE)
    relight(field, "r7")
    assert field.results[-1].outcome == "applied", "another night"


def test_the_limits_and_the_light_survive_a_restart() -> None:
    field = sensing_field(CUT)
    for number in range(3):
        relight(field, f"r{number}")
    journal = field.steps[0].journal
    for step in field.steps[1:]:
        journal = journal.then(step.journal)
    kept = {key: override for key, override in journal.overrides.items() if override is not None}
    again = Field(field.wiring, field.now + 2 * MINUTE)
    again.start(Saved(overrides=kept, counters=dict(journal.counters)))
    assert levels(again) == [60, 60, 60, 60]
    relight(again, "r9")
    assert "within the hour" in again.results[-1].detail
    again.advance(9 * MINUTE)
    assert levels(again) == [0, 0, 0, 0]


def test_a_clock_set_back_does_not_count_what_lies_ahead() -> None:
    field = sensing_field(CUT)
    for number in range(3):
        relight(field, f"r{number}")
    field.now -= timedelta(minutes=30)
    field.poll()
    relight(field, "r9")
    assert field.results[-1].outcome == "applied"


def test_a_changed_limit_is_judged_on_the_same_times() -> None:
    field = sensing_field(CUT)
    for number in range(3):
        relight(field, f"r{number}")
    field.wiring = Wiring(with_policy(replace(POLICY, per_hour=4)))
    field.take(adopt(field.wiring, field.state, field.now))
    relight(field, "r4")
    assert field.results[-1].outcome == "applied"
    relight(field, "r5")
    assert "4 relights within the hour" in field.results[-1].detail


def test_release_ends_it_and_an_override_is_stronger() -> None:
    field = sensing_field(CUT)
    field.feed(Command("o1", "group", "centre-ville", field.now, value=10.0))
    relight(field, "r1")
    assert levels(field) == [10, 10, 10, 10]
    assert {slot.source for slot in _array(field, "m-1")} >= {Source.OVERRIDE, Source.RELIGHT}
    field.feed(Command("o2", "group", "centre-ville", field.now, relinquish=True))
    assert levels(field) == [0, 0, 0, 0]
    assert names(field.events)[-2:] == ["override-released", "relight-ended"]
    assert not field.state.overrides


def test_a_presence_is_never_below_the_relight() -> None:
    field = sensing_field(CUT)
    relight(field, "r1")
    seen(field, 1.0)
    assert levels(field) == [80, 60, 60, 60]
    assert _array(field, "m-2")[0].value == 60.0


def test_what_is_nested_is_lit_by_its_own_cut_only() -> None:
    field = sensing_field(CUT, nested())
    relight(field, "r1", "group/bourg")
    assert levels(field) == [60, 60, 100, 60], "ruelle is lit by its own plan anyhow"
    assert state_of(field.wiring, field.state, "lamp/m-3", field.now)["priority"] == 13
    assert field.results[-1].detail == "4 applied"
    relight(field, "r2", "group/impasse")
    assert field.state.counters["group/bourg/relights"] == 2.0, "counted where the policy is"
    relight(field, "r3", "group/ruelle")
    assert "not in the cut" in field.results[-1].detail


@pytest.mark.parametrize(("when", "outcome"), [("00:40", "applied"), ("02:00", "refused")])
def test_the_legal_hours_of_a_group_hold_for_its_relight_too(when: str, outcome: str) -> None:
    site = sensing_town()
    facade = LegalHours(legal_categories("FR")["facade"])
    groups = {**site.groups, "centre-ville": replace(site.groups["centre-ville"], legal=facade)}
    field = sensing_field(at(f"2026-01-13 {when}"), replace(site, groups=groups))
    relight(field, "r1", lasting=15 * MINUTE)
    assert field.results[-1].outcome == outcome
    if outcome == "applied":
        return
    assert "outside the legal hours of facade" in field.results[-1].detail
    assert "group/centre-ville/relights" not in field.state.counters, "not counted"


def test_a_segment_of_its_own_is_relit() -> None:
    site = town()
    groups = {
        **site.groups,
        "centre-ville": Group("centre-ville", CENTRE, (), ("mairie-a", "mairie-b"), relight=POLICY),
    }
    lamps = {name: lamp for name, lamp in site.lamps.items() if not name.startswith("m-")}
    field = Field(Wiring(replace(site, groups=groups, lamps=lamps)), CUT)
    field.start()
    relight(field, "r1", "segment/mairie-a")
    assert [field.value(CAB, f"segment.{n}.command") for n in (1, 2)] == [1, 0]
    relight(field, "r2")
    assert [field.value(CAB, f"segment.{n}.command") for n in (1, 2)] == [1, 1]
    field.advance(11 * MINUTE)
    assert [field.value(CAB, f"segment.{n}.command") for n in (1, 2)] == [0, 0]


@given(minutes=st.integers(0, 60 * 24 * 365), policy=st.floats(1.0, 100.0), after=st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_never_outside_the_cut_and_never_above_what_was_lit_before_it(minutes: int, policy: float, after: int) -> None:
    now = at("2026-01-01 00:00") + minutes * MINUTE
    wiring = Wiring(with_policy(RelightPolicy(level=policy)))
    start = begin(wiring, Saved(), now)
    step = cycle(wiring, start.state, [Command("r", "group", "centre-ville", now, relight=True)], now)
    later = now + after * MINUTE
    state = cycle(wiring, step.state, [], later).state
    array = lamp_array(wiring, Draft(state, later), "m-1")
    cut, tonight = cuts.cut_at(CENTRE, later), plans.evaluate(CENTRE, later)
    slots = [slot for slot in array.slots if slot.source is Source.RELIGHT]
    assert bool(step.state.overrides) == (cuts.cut_at(CENTRE, now) is not None)
    if cut is None:
        assert slots == []
        assert array.present_value == tonight.level
    else:
        assert all(slot.value <= min(policy, cut.before) for slot in slots)
        assert all(slot.until is not None and slot.until <= min(cut.end, now + POLICY.cap) for slot in slots)
    assert bool(slots) == (cut is not None and bool(step.state.overrides) and later < now + POLICY.lasting)


@given(minutes=st.integers(0, 60 * 24 * 365), level=st.floats(1.0, 100.0))
@settings(max_examples=100, deadline=None)
def test_what_the_store_gives_back_is_no_way_around_the_cut(minutes: int, level: float) -> None:
    now = at("2026-01-01 00:00") + minutes * MINUTE
    kept = Override(level, now - MINUTE, now + timedelta(hours=20), "", "", "r")
    state = begin(SENSING, Saved(overrides={"relight/group/centre-ville": kept}), now).state
    value = lamp_array(SENSING, Draft(state, now), "m-1").present_value
    cut = cuts.cut_at(CENTRE, now)
    assert value == (plans.evaluate(CENTRE, now).level if cut is None else min(level, cut.before))


def _array(field: Field, lamp: str) -> Any:
    return lamp_array(field.wiring, Draft(field.state, field.now), lamp).slots
