"""What is read together: points by period, and batches whose answer fits into one unsegmented APDU. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.api import PointId, Poll
from drivers.bacnet.codec import Property, Ref, Tag, value_reference
from drivers.profile import BacnetPoint, ModbusPoint

DEFAULT_MAX_APDU = 480
"""Assumed of a device that does not tell; what an MS/TP controller takes."""
OWN_MAX_APDU = 1476
"""BACnet/IP's largest."""

_ANSWER_OCTETS = 3
_OBJECT_OCTETS = 7
_VALUE_OCTETS = 14
_FLAGS_OCTETS = 9
_ARRAY_OCTETS = 4 + 16 * 5
_WORKED_OUT = ("commandable", "flags", "array", "refs", "octets")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of one device, resolved: its value, and what belongs to it where the object has it."""

    id: PointId
    value: Ref
    tag: Tag
    profile: BacnetPoint
    commandable: bool = field(init=False)
    """Whether writes carry a priority: the present value of an object with a priority array."""
    flags: Ref = field(init=False)
    """Its status flags."""
    array: Ref | None = field(init=False)
    """Its priority array, None where it is not commandable."""
    refs: tuple[Ref, ...] = field(init=False)
    """Everything to ask for, the value first."""
    octets: int = field(init=False)
    """The most that this point can take in the answer to a ReadPropertyMultiple."""

    def __post_init__(self) -> None:
        """Work out once what is needed at every poll."""
        object_ = self.value.object
        commandable = self.profile.commandable and self.value.property == Property.PRESENT_VALUE
        flags = Ref(object_, Property.STATUS_FLAGS)
        array = Ref(object_, Property.PRIORITY_ARRAY) if commandable else None
        refs = (self.value, flags) if array is None else (self.value, flags, array)
        octets_ = _OBJECT_OCTETS + _VALUE_OCTETS + _FLAGS_OCTETS + (_ARRAY_OCTETS if commandable else 0)
        for name, value in zip(_WORKED_OUT, (commandable, flags, array, refs, octets_), strict=True):
            object.__setattr__(self, name, value)


def resolve(device: str, profile: Mapping[str, BacnetPoint | ModbusPoint], names: Iterable[str]) -> dict[str, Point]:
    """The points ``names`` of a device, by name. Raises ValueError on one that BACnet cannot have."""
    points = {}
    for name in names:
        point = profile.get(name)
        if not isinstance(point, BacnetPoint):
            raise ValueError(f"{device}/{name} is no BACnet point")  # noqa: TRY004  (a fault of the site's files)
        try:
            ref, tag = value_reference(point.object, point.property)
        except ValueError as error:
            raise ValueError(f"{device}/{name}: {error}") from error
        points[name] = Point(PointId(device, name), ref, tag, point)
    return points


def polls(device: str, points: Mapping[str, Point]) -> tuple[Poll, ...]:
    """One poll a period, the shortest first."""
    periods = sorted({point.profile.every_s for point in points.values()})
    return tuple(
        Poll(device, index, every_s, tuple(n for n, p in points.items() if p.profile.every_s == every_s))
        for index, every_s in enumerate(periods)
    )


def budget(max_apdu: int) -> int:
    """Octets for points in one answer of a device that accepts ``max_apdu``."""
    return min(max_apdu, OWN_MAX_APDU) - _ANSWER_OCTETS


def octets(batch: Iterable[Point]) -> int:
    """The most that ``batch`` can take in an answer."""
    return sum(point.octets for point in batch)


def batches(points: Iterable[Point], budget_octets: int) -> Iterator[tuple[Point, ...]]:
    """``points`` in order, cut so that no answer exceeds ``budget_octets``; a batch has at least one point."""
    batch: list[Point] = []
    room = budget_octets
    for point in points:
        if batch and point.octets > room:
            yield tuple(batch)
            batch, room = [], budget_octets
        batch.append(point)
        room -= point.octets
    if batch:
        yield tuple(batch)


def halves(batch: Sequence[Point]) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """Two parts of a batch of two or more."""
    middle = len(batch) // 2
    return tuple(batch[:middle]), tuple(batch[middle:])
