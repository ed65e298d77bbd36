"""Whether a device measures in the units that its profile says; asked once, before anything of a point counts.

A wrong unit is no value and gets none: a setpoint of 19 is a summer's day in degrees C and frost in degrees F.
Source: ASHRAE 135 clauses 12 (Units) and 21 (BACnetEngineeringUnits).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from drivers.api import WRONG_UNIT, DriverError, Host, NoAnswer, Notice, Refused
from drivers.bacnet import codec
from drivers.bacnet.codec import Atoms, ObjectId, Ref, Undecodable
from drivers.bacnet.ladder import Ladder
from drivers.bacnet.listing import unit_named
from drivers.bacnet.polling import Point
from drivers.bacnet.units import unit_name

REFUSED_AGAIN_S = 600.0
"""Somebody may set the device right."""
_UNITS = 117
_MEASURING = frozenset({0, 1, 2, 12, 23, 24, 45, 46, 48})
"""Object types with units: analog ones, loop, accumulator, pulse converter, integers."""
_NO_UNITS = 95
_STANDARD = 256
"""Numbers below it are the standard's own, or reserved for it."""
_AT_ONCE = 16
_SILENCES = 3
_SHOWN = 4


class UnitCheck:
    """The units of one device's points; ``trusting``: the site says that the profile is right, whatever it is told."""

    def __init__(self, ladder: Ladder, device: str, host: Host, *, trusting: bool) -> None:
        self._ladder, self._device, self._host = ladder, device, host
        self._trusting = trusting
        self._checked: dict[str, str | None] = {}
        """By point: None where all is well, else why it is refused."""
        self._again_s = 0.0
        self._at_once = _AT_ONCE
        self._silences = 0
        self._told: frozenset[str] = frozenset()

    def refusal(self, name: str) -> str | None:
        """Why a point is not used; None where its unit is right, or nobody can say."""
        return self._checked.get(name)

    async def look(self, points: Iterable[Point]) -> None:
        """Ask for the units of ``points`` that were not asked for yet, and of refused ones now and then.

        Raises DriverError where the device does not answer.
        """
        wanted = [point for point in points if self._wanted(point)]
        if not wanted:
            return
        if any(point.id.point in self._checked for point in wanted):
            self._again_s = self._now_s() + REFUSED_AGAIN_S
        refs = list(dict.fromkeys(_unit_of(point) for point in wanted))
        answers = await self._asked(refs)
        for point in wanted:
            self._checked[point.id.point] = _objection(point, answers.get(_unit_of(point)))
        self._tell()

    def _wanted(self, point: Point) -> bool:
        name, profile = point.id.point, point.profile
        if self._trusting or profile.unit_override or not profile.unit or point.value.object.type not in _MEASURING:
            return False
        if unit_named(profile.unit) is None:
            return False
        return name not in self._checked or (self._checked[name] is not None and self._now_s() >= self._again_s)

    async def _asked(self, refs: Sequence[Ref]) -> dict[Ref, Atoms | Refused]:
        found: dict[Ref, Atoms | Refused] = {}
        try:
            for first in range(0, len(refs), self._at_once):
                found |= await self._ladder.gather(refs[first : first + self._at_once])
        except NoAnswer:
            # Dropped in silence: too many at once for it, or it does not know the property at all.
            self._silences += 1
            self._at_once = 1
            if self._silences < _SILENCES:
                raise
            return {}
        self._silences = 0
        return found

    def _tell(self) -> None:
        refused = {name: why for name, why in self._checked.items() if why is not None}
        if self._told == frozenset(refused):
            return
        self._told = frozenset(refused)
        shown = ", ".join(list(refused)[:_SHOWN]) + (", ..." if len(refused) > _SHOWN else "")
        detail = f"not used and not written: {shown}: {next(iter(refused.values()))}" if refused else ""
        notice = Notice(
            f"device/{self._device}", "wrongUnit", bool(refused), self._host.now(),
            value=float(len(refused)), detail=detail,
        )  # fmt: skip
        self._host.hear([notice])

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _unit_of(point: Point) -> Ref:
    object_: ObjectId = point.value.object
    return Ref(object_, _UNITS)


def _objection(point: Point, answer: Atoms | Refused | None) -> str | None:
    """What is wrong with the unit of ``point``; no unit counts as wrong where a factor of 100 hangs on it."""
    number = _number(answer)
    if number is None or number >= _STANDARD:
        return None
    wanted = unit_named(point.profile.unit)
    if number == _NO_UNITS and wanted != "%":
        return None
    if number != _NO_UNITS and unit_named(str(number)) == wanted:
        return None
    return f"{WRONG_UNIT}{unit_name(number)}, the profile says {point.profile.unit}"


def _number(answer: Atoms | Refused | None) -> int | None:
    if answer is None or isinstance(answer, DriverError):
        return None
    try:
        return int(codec.number(answer))
    except Undecodable:
        return None
