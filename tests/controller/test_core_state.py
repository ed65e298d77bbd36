"""State and Draft: overlays equal a plain dict, the heap gives what is due, nothing given is ever changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controller.core.cycle import cycle
from controller.core.overlay import Overlay
from controller.core.state import Draft, State
from controller.core.wiring import Wiring
from drivers.api import Silence
from tests.controller.field import Field
from tests.controller.towns import at, town

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = st.sampled_from([f"key/{n}" for n in range(6)])
SECONDS = st.integers(0, 100)


@given(
    base=st.dictionaries(KEYS, SECONDS),
    changes=st.lists(st.tuples(KEYS, st.none() | SECONDS)),
)
def test_an_overlay_is_a_dict(base: Mapping[str, int], changes: list[tuple[str, int | None]]) -> None:
    model, before = dict(base), dict(base)
    overlay: Overlay[str, int] = Overlay(base)
    for key, value in changes:
        if value is None:
            model.pop(key, None)
            overlay.drop(key)
        else:
            model[key] = value
            overlay[key] = value
        assert {key: overlay.get(key) for key in before | model} == {key: model.get(key) for key in before | model}
        assert sorted(overlay) == sorted(model)
        assert [key for key in before | model if key in overlay] == [key for key in before | model if key in model]
    assert overlay.merged() == model
    assert base == before, "the mapping beneath stays as it was"


def test_an_overlay_without_changes_is_the_very_mapping_beneath() -> None:
    base = {"a": 1}
    overlay = Overlay(base)
    assert overlay.get("b") is None
    assert overlay.merged() is base


class Scheduling(RuleBasedStateMachine):
    """The due times of a core over many cycles against a plain dict."""

    @initialize()
    def begin(self) -> None:
        self.state = State(EPOCH)
        self.draft = Draft(self.state, EPOCH)
        self.due: dict[str, datetime] = {}

    @rule(key=KEYS, seconds=SECONDS)
    def schedule(self, key: str, seconds: int) -> None:
        self.due[key] = EPOCH + timedelta(seconds=seconds)
        self.draft.schedule(key, self.due[key])

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        self.due.pop(key, None)
        self.draft.schedule(key, None)

    @rule(passed=st.integers(0, 40))
    def next_cycle(self, passed: int) -> None:
        step = self.draft.finish()
        assert dict(step.state.due) == self.due
        assert step.next_due == min(self.due.values(), default=None)
        self.state = step.state
        self.draft = Draft(self.state, self.state.at + timedelta(seconds=passed))

    @precondition(lambda self: self.due)
    @rule()
    def take(self) -> None:
        now = self.draft.now
        expected = sorted(key for key, instant in self.due.items() if instant <= now)
        taken = self.draft.take_due()
        assert sorted(taken) == expected, "everything due, each once"
        assert [self.due[key] for key in taken] == sorted(self.due[key] for key in taken)
        for key in taken:
            del self.due[key]
        assert self.draft.take_due() == []

    @rule(key=KEYS)
    def put_off_again_and_again(self, key: str) -> None:
        for seconds in range(200, 500):
            self.draft.schedule(key, EPOCH + timedelta(seconds=seconds))
        self.due[key] = EPOCH + timedelta(seconds=499)

    @invariant()
    def next_is_the_earliest(self) -> None:
        assert self.draft.next_due == min(self.due.values(), default=None)

    @invariant()
    def the_heap_does_not_grow(self) -> None:
        assert len(self.state.heap) <= 2 * len(self.state.due) + 64


Scheduling.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_scheduling = Scheduling.TestCase


def test_a_zone_whose_start_moves_with_each_reading_leaves_no_trace_in_the_heap() -> None:
    field = Field(Wiring(town()), at("2026-01-10 20:00"))
    field.held["ecole", "zone.1.temperature"] = 17.0
    field.start()
    for minute in range(300):
        field.held["ecole", "zone.1.temperature"] = 17.0 - 0.001 * minute
        field.advance(timedelta(minutes=1))
    assert len(field.state.heap) <= 2 * len(field.state.due) + 64


def test_a_draft_never_changes_the_state_it_began_with() -> None:
    field = Field(Wiring(town()), at("2026-01-12 17:00"))
    field.start()
    for minutes in (1, 25, 60):
        state = field.state
        before = deepcopy(state)
        now = field.now + timedelta(minutes=minutes)
        readings = [field.reading("cab-gare", point) for point in field.wiring.site.devices["cab-gare"].points]
        cycle(field.wiring, state, [*readings, Silence("cab-mairie", "no answer", now)], now)
        assert state == before
        field.until(now)


def test_a_step_says_what_is_due_next_even_when_nothing_else_happened() -> None:
    draft = Draft(State(EPOCH), EPOCH)
    draft.schedule("a", EPOCH + timedelta(seconds=5))
    draft.schedule("b", EPOCH + timedelta(seconds=3))
    step = Draft(draft.finish().state, EPOCH).finish()
    assert step.next_due == EPOCH + timedelta(seconds=3)
    assert not step.journal
