"""The site's clock: the machine's own, or one that runs faster from a chosen instant (demo, simulator, tests)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """``start`` + (wall clock - ``anchor``) * ``speed``; with ``start`` None it is the machine's own clock.

    Two processes with the same three values show the same time, which is how the demo's simulator and daemon agree.
    """

    start: datetime | None = None
    speed: float = 1.0
    anchor: float = 0.0

    def now(self) -> datetime:
        """The site's time, aware UTC."""
        return self.to_site(datetime.now(UTC))

    def to_site(self, wall: datetime) -> datetime:
        """The site's time at an instant of the wall clock."""
        if self.start is None:
            return wall.astimezone(UTC)
        return self.start.astimezone(UTC) + timedelta(seconds=(wall.timestamp() - self.anchor) * self.speed)

    def real_seconds(self, span: timedelta) -> float:
        """How long ``span`` of the site's time takes on the wall."""
        return span.total_seconds() / self.speed

    @property
    def simulated(self) -> bool:
        """Whether this is not the machine's own clock."""
        return self.start is not None


def starting_now(start: datetime, speed: float) -> Clock:
    """A clock that shows ``start`` at this moment."""
    return Clock(start, speed, time.time())
