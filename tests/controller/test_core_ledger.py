"""The ledger against a witness that looks at every second, and its bounds: strips, deviations, names."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.ledger import (
    Intervention,
    Kind,
    Ledger,
    OpenLedger,
    Phase,
    Programme,
    Seen,
    Wanted,
    seconds_of,
    state_of,
)
from controller.core.proof import figures_of

START = datetime(2026, 11, 23, 11, tzinfo=UTC)
END = START + timedelta(days=1)
PHASES = ((START, Phase.DAY), (START + timedelta(hours=5), Phase.NIGHT), (START + timedelta(hours=12), Phase.CUT),
          (START + timedelta(hours=16), Phase.NIGHT), (START + timedelta(hours=20), Phase.DAY))  # fmt: skip
LIT, DARK = state_of(Wanted.LIT, Seen.LIT), state_of(Wanted.DARK, Seen.DARK)
BURNS, FAILED = state_of(Wanted.DARK, Seen.LIT), state_of(Wanted.LIT, Seen.DARK)
UNKNOWN = state_of(Wanted.LIT, Seen.UNKNOWN)


def ledger() -> Ledger:
    ran = (Programme(START, "ville", "centre", "default"),)
    return Ledger(date(2026, 11, 23), START, END, START, 120.0, PHASES, ran)


def opened(members: int, state: int = DARK) -> OpenLedger:
    found = OpenLedger(ledger())
    for number in range(members):
        found.move(f"lamp/{number}", state, START)
    return found


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


MOVES = st.lists(
    st.tuples(st.integers(0, 86_399), st.integers(0, 3), st.integers(0, 8), st.booleans()), max_size=30
).map(sorted)


@given(MOVES)
def test_every_second_is_in_one_cell(moves: list[tuple[int, int, int, bool]]) -> None:
    """The witness holds the state of each member and counts second by second between the moves."""
    book = opened(4)
    states, seconds, now_s = dict.fromkeys(range(4), DARK), Counter[tuple[int, int]](), 0
    edges = [(round((edge - START).total_seconds()), phase) for edge, phase in PHASES] + [(86_400, Phase.DAY)]
    for moment, member, state, reopen in [*moves, (86_400, 0, states[0], False)]:
        for (begin, phase), (until, _) in itertools.pairwise(edges):
            span = max(0, min(moment, until) - max(now_s, begin))
            seconds.update({(phase, each): 0 for each in states.values()})
            for each in states.values():
                seconds[phase, each] += span
        now_s = moment
        if moment < 86_400:
            states[member] = state
            book.move(f"lamp/{member}", state, START + timedelta(seconds=moment))
            if reopen:
                book = OpenLedger(book.frozen())
    closed = book.close()
    sums = figures_of(closed)
    assert sum(sums.cells) == 4 * 86_400
    assert {(number // 9, number % 9): cell for number, cell in enumerate(sums.cells) if cell} == +seconds
    assert sum(sums.total(seen=seen) for seen in Seen) == sums.total()
    assert closed.counts == tuple(sum(state == each for state in states.values()) for each in range(9))


def test_many_commanded_at_once_are_as_one_after_the_other() -> None:
    together, apart = opened(3), opened(3)
    together.want([("lamp/0", True), ("lamp/1", True), ("lamp/9", True)], at(6))
    for key in ("lamp/0", "lamp/1"):
        apart.move(key, FAILED, at(6))
    assert together.close() == apart.close()


def test_what_rounding_leaves_is_given_to_the_largest_rest() -> None:
    book = opened(3)
    for number in range(3):
        book.move(f"lamp/{number}", LIT, START + timedelta(seconds=1000.4 + number / 10))
    sums = figures_of(book.close())
    assert sum(sums.cells) == 3 * 86_400


def test_time_that_runs_backwards_is_counted_once() -> None:
    book = opened(1)
    book.move("lamp/0", LIT, at(6))
    book.move("lamp/0", DARK, at(5.5))
    assert figures_of(book.close()).total(seen=Seen.LIT) == 0


def test_a_deviation_is_listed_once_it_has_lasted_with_its_worst_and_who() -> None:
    book = opened(12)
    book.move("lamp/3", BURNS, at(13))
    book.move("lamp/7", BURNS, at(13.2))
    book.move("lamp/7", DARK, at(13.4))
    book.move("lamp/3", DARK, at(13.5))
    (found,) = book.close().deviations
    assert (found.kind, found.start, found.end) == (Kind.LIT, at(13), at(13.5))
    assert (found.members, found.of, found.names) == (2, 12, ("lamp/3", "lamp/7"))


def test_a_moment_is_no_deviation_but_is_in_the_sums() -> None:
    book = opened(2)
    book.move("lamp/0", BURNS, at(13))
    book.move("lamp/0", DARK, at(13) + timedelta(seconds=119))
    closed = book.close()
    assert closed.deviations == ()
    assert figures_of(closed).total(Phase.CUT, Wanted.DARK, Seen.LIT) == 119


def test_what_still_lasts_ends_with_the_night() -> None:
    book = opened(1)
    book.move("lamp/0", UNKNOWN, at(20))
    (found,) = book.close().deviations
    assert (found.kind, found.end) == (Kind.UNKNOWN, END)


def test_of_too_many_deviations_the_longest_stay_and_the_others_are_counted() -> None:
    book = opened(1)
    for number in range(70):
        begin = at(1 + number / 4)
        book.move("lamp/0", FAILED, begin)
        book.move("lamp/0", LIT, begin + timedelta(minutes=3, seconds=number))
    closed = book.close()
    assert (len(closed.deviations), closed.deviations_dropped) == (50, 20)
    spans = {(each.end - each.start).total_seconds() for each in closed.deviations if each.end}
    assert min(spans) == 200.0


def test_interventions_are_bounded_and_say_how_many_were_dropped() -> None:
    book = opened(1)
    for number in range(130):
        book.intervene(Intervention(str(number), "lamp/0", "override", 100.0, at(1), None))
    closed = book.close()
    assert (len(closed.interventions), closed.interventions_dropped) == (100, 30)


@pytest.mark.parametrize("every_s", [5, 90, 600])
def test_a_strip_is_bounded_however_nervous_the_night(every_s: int) -> None:
    book = opened(2)
    moment, state = START, DARK
    while moment < END:
        moment += timedelta(seconds=every_s)
        state = LIT if state == DARK else DARK
        book.move("lamp/0", state, moment)
        book = OpenLedger(book.frozen())
    strip = book.close().strip
    assert len(strip) <= 240 + 96 + 1
    assert all(one.at < other.at for one, other in itertools.pairwise(strip))
    assert all(each.lit + each.dark + each.unknown == 2 for each in strip)


def test_a_daemon_that_was_away_commanded_nothing_and_measured_nothing() -> None:
    book = opened(2, LIT)
    book.command(100.0, "plan", START)
    book.desert(at(8))
    book.move("lamp/0", LIT, at(10))
    book.move("lamp/1", LIT, at(10))
    book.command(100.0, "plan", at(10))
    closed = book.close()
    assert figures_of(closed).total(wanted=Wanted.NOBODY) == 2 * 2 * 3600
    assert [each.level for each in closed.strip] == [100.0, None, 100.0]
    assert [(each.kind, each.start, each.end) for each in closed.deviations] == [(Kind.AWAY, at(8), at(10))]


def test_another_program_in_the_night_counts_from_then_on() -> None:
    book = opened(1)
    later = tuple((edge, phase) for edge, phase in PHASES if edge != at(16))
    book.plan(Programme(at(14), "ville", "fete", "12-08"), later, at(14))
    closed = book.close()
    assert [each.program for each in closed.ran] == ["centre", "fete"]
    assert seconds_of(closed.phases, START, END)[Phase.CUT] == 8 * 3600
    book = opened(1)
    book.plan(Programme(at(14), "ville", "fete", "12-08"), (PHASES[0], PHASES[1], PHASES[4]), at(14))
    assert seconds_of(book.close().phases, START, END) == (9 * 3600, 13 * 3600, 2 * 3600)


def test_a_member_that_leaves_takes_its_past_along() -> None:
    book = opened(2, LIT)
    book.leave("lamp/1", at(6))
    sums = figures_of(book.close())
    assert sums.total() == (24 + 6) * 3600
    assert sums.hours(sums.total(seen=Seen.LIT)) == 24.0, "hours stay means over the members there were"
