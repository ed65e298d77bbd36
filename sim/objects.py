"""The seam between a simulated plant and its BACnet face: plain objects with a value, and who may write it.

Units are the BACnet names (``degrees-celsius``, ``percent``, ``kilowatts``, ``kilowatt-hours``, ``no-units``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

LOWEST_PRIORITY = 16


class Spoilt(Enum):
    """What may be wrong with an object as it is shown: no number, degrees F, or no write is taken."""

    NAN = "nan"
    FAHRENHEIT = "fahrenheit"
    LOCKED = "locked"


class CommandRefused(Exception):
    """A command that a real object refuses: not commandable, not writable, or a priority outside 1-16."""


@dataclass(slots=True)
class BacnetObject:
    """One object. A commandable one computes its value from ``slots``; another one takes it from ``read``.

    ``write`` is called with every new present value of a writable or commandable object; None together with
    ``commandable`` False means: write access denied.
    """

    type: str
    instance: int
    name: str
    units: str
    read: Callable[[], float]
    write: Callable[[float], None] | None = None
    commandable: bool = False
    relinquish_default: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    cov_increment: float = 0.1
    slots: dict[int, float] = field(default_factory=dict)
    out_of_service: bool = False
    fault: bool = False
    overridden: bool = False
    spoilt: frozenset[Spoilt] = frozenset()

    @property
    def key(self) -> str:
        """``analog-value,1``, as profiles write it."""
        return f"{self.type},{self.instance}"

    @property
    def writable(self) -> bool:
        """Whether present-value takes a write at all."""
        return self.commandable or self.write is not None

    def shown(self, value: float) -> float:
        """A value of the plant as the wire has it."""
        if Spoilt.NAN in self.spoilt:
            return float("nan")
        return value * 1.8 + 32.0 if Spoilt.FAHRENHEIT in self.spoilt else value

    def taken(self, value: float) -> float:
        """A value off the wire as the plant has it."""
        return (value - 32.0) / 1.8 if Spoilt.FAHRENHEIT in self.spoilt else value

    def present_value(self) -> float:
        """The value now: for a commandable object the highest occupied slot, else the relinquish default."""
        if not self.commandable:
            return self.read()
        return self.slots[min(self.slots)] if self.slots else self.relinquish_default

    def command(self, priority: int, value: float | None) -> None:
        """Put ``value`` into a slot (None frees it). Without a priority array it is a plain write.

        Raises CommandRefused; limits (``minimum``, ``maximum``) are the face's to check, as value-out-of-range.
        """
        if not self.writable:
            raise CommandRefused("write access denied")
        if not 1 <= priority <= LOWEST_PRIORITY:
            raise CommandRefused("priority outside 1-16")
        if self.commandable:
            if value is None:
                self.slots.pop(priority, None)
            else:
                self.slots[priority] = value
        elif value is None:
            raise CommandRefused("no priority array: there is nothing to relinquish")
        if self.write is not None:
            self.write(self.present_value() if self.commandable else value or 0.0)
