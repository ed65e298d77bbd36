"""The ways in which a lamp, its gear or its node breaks."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """What is broken; one thing at a time."""

    NONE = "none"
    OPEN = "open"
    SHORT = "short"
    DAY_BURNING = "day-burning"
    GEAR_FULL = "gear"
    GEAR_DARK = "gear-dark"
    CYCLING = "cycling"
    STUCK_LEVEL = "stuck-level"
    POWER = "power"
    LOW_FACTOR = "low-pf"
    HOT = "hot"
    NODE_SILENT = "node-silent"


BROKEN_LAMP = frozenset({Failure.OPEN, Failure.SHORT})
"""What a gear reports as lamp failure."""
BROKEN_GEAR = frozenset({Failure.GEAR_FULL, Failure.GEAR_DARK})
"""What a node reports as gear failure; a gear that sticks at a level or cycles knows nothing of it."""
DARK = BROKEN_LAMP | {Failure.GEAR_DARK}
FULL = frozenset({Failure.DAY_BURNING, Failure.GEAR_FULL})
