"""How much a device looks like a profile: its values, read by the profile's map, against what such values can be. Pure.

Mains voltage and frequency are telling: hardly anything else lies there by chance. Other values may only contradict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from drivers.profile import BacnetPoint, ModbusPoint, Profile

Point = ModbusPoint | BacnetPoint
_TELLING: Mapping[str, tuple[tuple[float, float], ...]] = {
    "V": ((180.0, 260.0), (340.0, 460.0)),
    "Hz": ((49.0, 51.0), (59.0, 61.0)),
}
_POSSIBLE: Mapping[str, tuple[float, float]] = {
    "A": (-6_000.0, 6_000.0), "W": (-5e6, 5e6), "kW": (-5e3, 5e3), "VA": (-5e6, 5e6), "var": (-5e6, 5e6),
    "kWh": (0.0, 1e9), "h": (0.0, 1e6), "%": (0.0, 100.0), "degC": (-50.0, 150.0), "Hz": (0.0, 0.0), "V": (0.0, 0.0),
}  # fmt: skip
_TINY = 1e-6
"""What is smaller, but not nothing, is a float made of something else."""
_NUMBER = re.compile(r"\.(\d+)\.")


class Sight(StrEnum):
    """How a value looks."""

    TELLING = "telling"
    POSSIBLE = "possible"
    ODD = "odd"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Value:
    """One point as it was read; ``value`` None: the device has none there, ``refused`` says why where it said so."""

    point: Point
    value: float | None
    refused: str = ""

    @property
    def sight(self) -> Sight:
        """How it looks."""
        return Sight.NONE if self.value is None else sight(self.point, self.value)

    def __str__(self) -> str:
        if self.value is None:
            return self.refused or "no value"
        return f"{self.value:.5g} {self.point.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Likeness:
    """What was read by a profile's map. ``named``: the device's own name says so too."""

    profile: Profile
    values: tuple[Value, ...]
    named: bool = False

    def count(self, *wanted: Sight) -> int:
        """How many values look like one of ``wanted``."""
        return sum(value.sight in wanted for value in self.values)

    def hopeless(self, of: int) -> bool:
        """Whether it cannot fit any more, whatever the rest of its ``of`` values is."""
        nothing_yet = self.count(Sight.TELLING) == 0 and self._refused > 1
        return self.count(Sight.ODD) > 0 or self._misses(of) or (nothing_yet and not self.named)

    @property
    def fits(self) -> bool:
        """Whether it may be suggested: something speaks for it, nothing against it, and hardly a value is missing."""
        speaks = self.named or self.count(Sight.TELLING) > 0
        return speaks and self.count(Sight.ODD) == 0 and not self._misses(len(self.values))

    @property
    def _refused(self) -> int:
        return sum(bool(value.refused) for value in self.values)

    def _misses(self, of: int) -> bool:
        """Whether too much is refused: more than a quarter of ``of``."""
        return self._refused * 4 > of

    @property
    def score(self) -> int:
        """The better, the higher."""
        return 20 * self.named + 3 * self.count(Sight.TELLING) + self.count(Sight.POSSIBLE) - 4 * self.count(Sight.ODD)


def sight(point: Point, value: float) -> Sight:
    """How ``value`` looks as this point."""
    if any(low <= value <= high for low, high in _TELLING.get(point.unit, ())):
        return Sight.TELLING
    if 0.0 < abs(value) < _TINY:
        return Sight.ODD
    low, high = _POSSIBLE.get(point.unit, (float("-inf"), float("inf")))
    return Sight.POSSIBLE if low <= value <= high else Sight.ODD


def sample(points: Iterable[Point]) -> list[Point]:
    """The points that stand for all: of numbered ones (``lamp.3.level``) the first of its kind only."""
    kinds: dict[str, Point] = {}
    for point in points:
        kinds.setdefault(_NUMBER.sub(".{n}.", point.name), point)
    return list(kinds.values())


def named(profile: Profile, words: Iterable[str]) -> bool:
    """Whether a device that says ``words`` of itself names the profile's model: a part of its id with digits in it."""
    said = re.sub(r"[^a-z0-9]", "", " ".join(words).lower())
    models = [part for part in profile.id.split("-") if re.search(r"\d", part) and re.search(r"[a-z]", part)]
    return any(model in said for model in models)


def best(found: Sequence[Likeness]) -> list[Likeness]:
    """Those that may be suggested, the likeliest first; what fits clearly less than the first is left out."""
    fitting = sorted((one for one in found if one.fits), key=lambda one: (-one.score, one.profile.id))
    return [one for one in fitting if one.named == fitting[0].named and one.score * 2 > fitting[0].score]
