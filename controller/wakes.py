"""One timer for everybody who wants to wake in the same millisecond, and how late the loop rings it."""

from __future__ import annotations

import asyncio
import math

_TICKS_A_SECOND = 1000
GRAIN_S = 0.0005
"""Nothing is so exact that it should sleep again for less."""


class Wakes:
    """Sets events at instants of the loop's clock. A wake that is no longer wanted is a harmless one too many."""

    def __init__(self) -> None:
        self.worst_lag_s = 0.0
        """How late the loop came to the latest of its wakes since this was last set to 0."""
        self._asleep: dict[int, set[asyncio.Event]] = {}

    def at(self, instant: float, event: asyncio.Event) -> None:
        """Set ``event`` at ``instant``, at most a millisecond later."""
        tick = math.ceil(instant * _TICKS_A_SECOND)
        asleep = self._asleep.get(tick)
        if asleep is None:
            asleep = self._asleep[tick] = set()
            asyncio.get_running_loop().call_at(tick / _TICKS_A_SECOND, self._ring, tick)
        asleep.add(event)

    def _ring(self, tick: int) -> None:
        self.worst_lag_s = max(self.worst_lag_s, asyncio.get_running_loop().time() - tick / _TICKS_A_SECOND)
        for event in self._asleep.pop(tick):
            event.set()
