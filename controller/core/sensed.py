"""What the lighting's sensors are understood to say, as values of the core's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schedules.photocell import Ambient


@dataclass(frozen=True, slots=True)
class Ambience:
    """One photocell: ``said`` is what plans go by, ``side`` what its last reading was, since when.

    ``side`` is None between the two thresholds and UNKNOWN without a usable reading.
    """

    since: datetime
    side: Ambient | None = Ambient.UNKNOWN
    said: Ambient = Ambient.UNKNOWN
    doubted: Ambient | None = None
    """The side on which it stood against the sun; until it was seen on the other one it is not believed."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One sensor that saw somebody: its lamps stay bright until ``until``, and longer while ``present``."""

    since: datetime
    until: datetime
    present: bool = True
