"""The priority array: a property for every combination of wishes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.core.arbitration import Priority, Slot, Source, arbitrate

NOW = datetime(2026, 1, 12, 20, tzinfo=UTC)
DEFAULT = Slot(Source.DEFAULT, 0.0, "default")
LADDER = [Source.OVERRIDE, Source.PRESENCE, Source.RELIGHT, Source.LEGAL_CAP, Source.OPTIMUM_START, Source.PLAN]
ends = st.one_of(st.none(), st.integers(-3600, 3600).map(lambda s: NOW + timedelta(seconds=s)))


@st.composite
def wishes(draw: st.DrawFn) -> list[Slot]:
    sources = draw(st.lists(st.sampled_from(LADDER), unique=True))
    return [Slot(source, draw(st.floats(0, 100)), source.value, draw(ends)) for source in sources]


@given(wishes())
def test_the_strongest_wish_in_force_wins_and_the_losers_stand_behind_in_order(slots: list[Slot]) -> None:
    array = arbitrate(slots, DEFAULT, NOW)
    standing = [slot for source in LADDER for slot in slots if slot.source is source and slot.in_force(NOW)]
    assert list(array.slots) == [*standing, DEFAULT]
    assert array.present_value == (standing[0].value if standing else 0.0)


@given(wishes())
def test_the_two_slots_of_a_bacnet_device(slots: list[Slot]) -> None:
    array = arbitrate(slots, DEFAULT, NOW)
    own = {slot.source: slot.value for slot in slots if slot.in_force(NOW)}
    assert array.at(Priority.OVERRIDE) == own.get(Source.OVERRIDE)
    assert array.automatic == next((own[source] for source in LADDER[1:] if source in own), None)


@given(wishes())
def test_an_expired_wish_is_no_wish(slots: list[Slot]) -> None:
    later = NOW + timedelta(hours=2)
    survivors = [slot for slot in slots if slot.until is None]
    assert arbitrate(slots, DEFAULT, later) == arbitrate(survivors, DEFAULT, later)
