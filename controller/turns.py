"""Which poll of a lane is next, and whether the lane keeps up. Pure: instants are seconds on any steady clock."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.api import Poll

SLOT_S = 0.1
"""Polls meet in slots that all lanes share: a wake-up of the process costs more than a request."""
OVERLOAD, RELIEF = 1.0, 0.9
"""A lane is overloaded above the one and has kept up again below the other; 1.0 is all of its time."""
_FIRST_S, _OWN_CAP_S, _SHARED_CAP_S = 1.0, 10.0, 14.0
_DEAD_AFTER, _DEAD_S = 11, 29.0
"""From so many failures on, two minutes of silence, a unit of a shared line counts as dead."""
_MEMORY = 0.2


@dataclass(slots=True)
class Turn:
    """When one poll is next; ``failures`` are its own, so that a request nobody answers spares those that are."""

    poll: Poll
    due: float
    failures: int = 0
    served: float = float("-inf")
    """When it was last taken."""
    cost_s: float = 0.0
    """What an answered read of it takes, averaged over the last few."""

    def answered(self, started: float, ended: float) -> None:
        """Take up how long it took and be due at the next instant of its grid."""
        took_s = ended - started
        self.cost_s = took_s if self.cost_s == 0.0 else self.cost_s + _MEMORY * (took_s - self.cost_s)
        self.failures, self.due = 0, next_instant(self.poll, started)

    def failed(self, now: float, *, shared: bool) -> None:
        """Nobody answered: later, and later still the next time."""
        self.failures += 1
        self.due = now + backoff_s(self.failures, shared=shared)


def next_instant(poll: Poll, started: float) -> float:
    """The poll's next instant on its own grid, at least half a period on: no backlog where a device is slow.

    Each device has a grid of its own, so that five hundred of them do not answer all at once; the grids meet in slots.
    """
    share = zlib.crc32(f"{poll.device}/{poll.index}".encode()) / 2**32
    phase_s = SLOT_S * int(share * poll.every_s / SLOT_S)
    earliest = started + poll.every_s / 2
    return earliest + (phase_s - earliest) % poll.every_s


def next_turn(ready: Iterable[Turn], now: float) -> Turn | None:
    """Of the turns that may be taken the one that was not taken for the most of its own periods, the faster of two.

    Fast states go before slow counters, and under an overload every poll still comes round, each its share.
    """
    return max(ready, key=lambda turn: ((now - turn.served) / turn.poll.every_s, -turn.poll.every_s), default=None)


def load(turns: Iterable[Turn]) -> float:
    """The share of the lane's time that its answered polls would take if none came late."""
    return sum(turn.cost_s / turn.poll.every_s for turn in turns)


def backoff_s(failures: int, *, shared: bool) -> float:
    """How long a silent device is left alone: doubling to 10 s on a connection of its own, to 14 s on a shared line.

    On a line each try costs the others one timeout, so that a unit which is dead is asked twice a minute only. With its
    timeout each of them stays below 15 and 30 s: so soon is a device heard that is back.
    """
    if shared and failures > _DEAD_AFTER:
        return _DEAD_S
    return min(_SHARED_CAP_S if shared else _OWN_CAP_S, _FIRST_S * 2.0 ** min(failures - 1, 10))
