"""The priority array of every commanded point: who wants what, who wins, and who would be next.

BACnet's command prioritization (ASHRAE 135, clause 19) for every output, Modbus lamps included; an override
always expires. Each source has its fixed place; on a BACnet device only 13 (automatic) and 10 (override) exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """Command priorities; 1 wins. 1-4, 6 and 8 are never written by this house."""

    FROST = 5
    HAND = 8
    OVERRIDE = 10
    PRESENCE = 11
    CAP = 12
    PLAN = 13
    SCHEDULE = 16
    """The controller's own Schedule object (15 or 16 there): shown, never written."""
    RELINQUISH_DEFAULT = 17


class Source(StrEnum):
    """Who fills a slot."""

    FROST = "frost"
    OVERRIDE = "override"
    WINDOW = "window"
    BOOST = "boost"
    RELIGHT = "relight"
    PRESENCE = "presence"
    LEGAL_CAP = "legal-cap"
    SHED = "shed"
    LIMIT = "limit"
    """A device's own limit: least time on or off, starts an hour."""
    ABSENCE = "absence"
    OPTIMUM_STOP = "optimum-stop"
    OPTIMUM_START = "optimum-start"
    PLAN = "plan"
    DELEGATED = "delegated"
    """The plan, too, where the controller's own schedule holds it."""
    DEFAULT = "relinquish-default"


_PLACE: dict[Source, tuple[Priority, int]] = {
    Source.FROST: (Priority.FROST, 0),
    Source.OVERRIDE: (Priority.OVERRIDE, 0),
    Source.WINDOW: (Priority.PRESENCE, 0),  # first: nobody heats the street on demand
    Source.PRESENCE: (Priority.PRESENCE, 1),  # before the relight: it is never below it
    Source.RELIGHT: (Priority.PRESENCE, 2),
    Source.BOOST: (Priority.PRESENCE, 3),
    Source.LEGAL_CAP: (Priority.CAP, 0),  # of two caps the lower one is given first
    Source.SHED: (Priority.CAP, 0),
    Source.LIMIT: (Priority.CAP, 1),
    Source.ABSENCE: (Priority.PLAN, 0),  # of the two that lower the plan the lower one is given first
    Source.OPTIMUM_STOP: (Priority.PLAN, 0),
    Source.OPTIMUM_START: (Priority.PLAN, 2),
    Source.PLAN: (Priority.PLAN, 3),
    Source.DELEGATED: (Priority.SCHEDULE, 0),
    Source.DEFAULT: (Priority.RELINQUISH_DEFAULT, 0),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One wish: ``value`` in the point's unit, the words that explain it, and until when it stands."""

    source: Source
    value: float
    reason: str
    until: datetime | None = None
    allure: str | None = None
    by: str = ""

    @property
    def priority(self) -> Priority:
        """The BACnet priority of this slot's source."""
        return _PLACE[self.source][0]

    def in_force(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class PriorityArray:
    """All wishes in force for one point, the winner first; never empty."""

    slots: tuple[Slot, ...]

    @property
    def winner(self) -> Slot:
        """The slot that gives the present value."""
        return self.slots[0]

    @property
    def present_value(self) -> float:
        """The commanded value."""
        return self.slots[0].value

    @property
    def automatic(self) -> float | None:
        """The value resolved among presence, caps and plan: what slot 13 of a device's own array gets."""
        return next((s.value for s in self.slots if Priority.PRESENCE <= s.priority <= Priority.PLAN), None)

    def at(self, priority: Priority) -> float | None:
        """The value that this house wants in one slot of a device's own array; None relinquishes it."""
        return next((slot.value for slot in self.slots if slot.priority == priority), None)


def arbitrate(wishes: Iterable[Slot | None], default: Slot, now: datetime) -> PriorityArray:
    """Order the wishes that are in force, strongest first, with ``default`` behind them all.

    Of two from the same source the first one given is the stronger.
    """
    standing = [wish for wish in wishes if wish is not None and wish.in_force(now)]
    standing.sort(key=lambda slot: _PLACE[slot.source])
    return PriorityArray((*standing, default))
