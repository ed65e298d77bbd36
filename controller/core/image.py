"""The process image: what was last heard of every device, immutable for one cycle.

Quality is computed from the reading and the time: unknown -> good -> stale -> offline, never set by a timer.
A failed read never becomes a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from drivers.api import Fault, Quality, Reading, Silence


@dataclass(frozen=True, slots=True)
class DeviceImage:
    """One device: its last good reading and its present fault by point name; ``silent`` while it does not answer."""

    readings: Mapping[str, Reading] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    heard: datetime | None = None
    silent: Silence | None = None

    def with_observations(self, observations: Iterable[Reading | Fault]) -> DeviceImage:
        """The image after an answer of the device."""
        readings, faults = dict(self.readings), dict(self.faults)
        heard = self.heard
        for seen in observations:
            heard = seen.at
            if isinstance(seen, Reading):
                readings[seen.point.point] = seen
                if faults:
                    faults.pop(seen.point.point, None)
            else:
                faults[seen.point.point] = seen
        return DeviceImage(readings, faults, heard, None)

    def with_silence(self, silence: Silence) -> DeviceImage:
        """The image after an unanswered request; the first silence is the one that counts."""
        return self if self.silent else replace(self, silent=silence)

    @property
    def online(self) -> bool:
        """Whether the device answered last."""
        return self.heard is not None and self.silent is None

    def value(self, point: str) -> float | None:
        """The last value while the device answers and the point has no fault, else None."""
        if self.silent is not None or point in self.faults:
            return None
        reading = self.readings.get(point)
        return None if reading is None else reading.value

    def quality(self, point: str, now: datetime, stale_after_s: float) -> Quality:
        """How far ``point`` may be trusted at ``now``."""
        if self.silent is not None:
            return Quality.OFFLINE
        if point in self.faults:
            return Quality.FAULT
        reading = self.readings.get(point)
        if reading is None:
            return Quality.UNKNOWN
        if now - reading.at > timedelta(seconds=stale_after_s):
            return Quality.STALE
        return reading.quality


NOTHING_HEARD = DeviceImage()
