"""A photocell inside a window around the clock's own times: the clock rules the night, the cell only its edges.

Around each end of the lit period that the program gives lies a window, from ``early`` before it to ``late`` after it,
never over the night's noons. Inside it the cell decides: dark is lit, bright is not. Before and after it is as by the
clock, so a cell that is covered by leaves or stuck bright costs at most the window. A night that is dark by the clock
has no window, nor has an end that the sun does not give.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from schedules.nights import Span


class Ambient(Enum):
    """What the cell says, filtered by whoever reads it; UNKNOWN (no cell, or a failed one) leaves it to the clock."""

    DARK = "dark"
    BRIGHT = "bright"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PhotocellWindow:
    """The cell by its id, and how long before and after each end of the lit period it decides."""

    cell: str
    early: timedelta
    late: timedelta

    def around(self, edge: datetime) -> Span:
        """The window around one end of the lit period."""
        return Span(edge - self.early, edge + self.late)
