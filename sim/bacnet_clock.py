"""The clock of a simulated device: the town's time, off by a fault, until somebody sets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo


class DeviceClock:
    """``off_s`` is the fault, seconds fast; setting the clock makes up for it, and a new fault spoils it again."""

    def __init__(self, now: Callable[[], datetime], zone: tzinfo, off_s: Callable[[], float] = lambda: 0.0) -> None:
        self._now, self._zone, self._off_s = now, zone, off_s
        self._set_by = timedelta(0)
        self._set_under_s = 0.0

    def now(self) -> datetime:
        """What it shows, aware, in local time."""
        off_s = self._off_s()
        if off_s != self._set_under_s:
            self._set_by, self._set_under_s = timedelta(0), off_s
        return (self._now() + timedelta(seconds=off_s) + self._set_by).astimezone(self._zone)

    def set(self, at: datetime) -> None:
        """Show ``at`` (aware; naive: local time) from now on."""
        at = at if at.tzinfo else at.replace(tzinfo=self._zone)
        self._set_by += at - self.now()
