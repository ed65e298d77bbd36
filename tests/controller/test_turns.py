"""The plan of a lane's polls, as a pure thing: grids, who goes first, how much is asked of the line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.turns import SLOT_S, Turn, backoff_s, load, next_instant, next_turn
from drivers.api import Poll

periods = st.sampled_from([0.5, 1.0, 2.0, 5.0, 30.0, 60.0])


def poll(every_s: float, device: str = "d", index: int = 0) -> Poll:
    return Poll(device, index, every_s, ("p",))


@given(every_s=periods, started=st.floats(0, 1e7), name=st.text("abc", max_size=4))
def test_an_instant_lies_on_the_polls_own_grid_and_half_to_one_and_a_half_periods_on(
    every_s: float, started: float, name: str
) -> None:
    turn = poll(every_s, name)
    due = next_instant(turn, started)
    assert every_s / 2 - 1e-6 <= due - started <= 1.5 * every_s + 1e-6
    again = next_instant(turn, due)
    assert abs(again - due - every_s) < 1e-6


@given(st.lists(st.text("abcdef0123456789-", min_size=1), min_size=1, max_size=50))
def test_all_grids_fall_into_the_slots_that_lanes_share(names: list[str]) -> None:
    for name in names:
        slots = next_instant(poll(1.0, name), 1000.0) / SLOT_S
        assert abs(slots - round(slots)) < 1e-6


def test_devices_spread_over_the_slots_of_their_period() -> None:
    due = [round(next_instant(poll(1.0, f"m-{number}"), 1000.0) % 1.0, 3) for number in range(500)]
    count = [due.count(slot) for slot in set(due)]
    assert len(count) == 10
    assert max(count) < 80, "no slot is a burst"


def test_fast_states_go_before_slow_counters() -> None:
    fast, slow = Turn(poll(1.0), 10.0, served=9.0), Turn(poll(30.0, index=1), 10.0, served=-20.0)
    assert next_turn([slow, fast], 10.0) is fast


def test_nobody_asked_for_is_nobody() -> None:
    assert next_turn([], 10.0) is None


@given(every=st.lists(periods, min_size=1, max_size=8), cost_s=st.floats(0.01, 2.0))
def test_under_any_overload_every_poll_has_its_share(every: list[float], cost_s: float) -> None:
    turns = [Turn(poll(every_s, f"d-{number}"), 0.0) for number, every_s in enumerate(every)]
    taken = dict.fromkeys(range(len(turns)), 0)
    now = 0.0
    for _ in range(60 * len(turns)):
        turn = next_turn([turn for turn in turns if turn.due <= now], now)
        if turn is None:
            now = min(turn.due for turn in turns)
            continue
        turn.served = now
        turn.answered(now, now + cost_s)
        now += cost_s
        taken[turns.index(turn)] += 1
    wanted = load(turns)
    for number, turn in enumerate(turns):
        fair = now / (turn.poll.every_s * max(1.0, wanted))
        assert taken[number] >= 0.4 * fair - 2, "as often as its period asks, cut by the overload"


@given(st.integers(1, 10_000), st.booleans())
def test_a_silent_device_is_asked_more_and_more_rarely_and_never_given_up(failures: int, shared: bool) -> None:
    assert backoff_s(failures, shared=shared) <= backoff_s(failures + 1, shared=shared) <= (29.0 if shared else 10.0)
