"""Values that say where they belong: which device, which address, and in answer to which request."""

from __future__ import annotations

from typing import NamedTuple

_PLACE_BITS, _DEVICE_BITS = 16, 8


class Code(NamedTuple):
    """A whole number under 2**53, so that a float64 or a scaled integer carries it exactly."""

    serial: int
    """The number of the request that it answers, counted by the peer."""
    device: int
    place: int
    """Register address, or object instance."""

    @property
    def number(self) -> int:
        """As it travels."""
        return (self.serial << _DEVICE_BITS | self.device) << _PLACE_BITS | self.place

    @classmethod
    def of(cls, value: float) -> Code:
        """What a value says; nonsense for a value that is none of ours, which then fits nowhere."""
        number = int(value)
        device = number >> _PLACE_BITS & (1 << _DEVICE_BITS) - 1
        return cls(number >> _PLACE_BITS + _DEVICE_BITS, device, number & (1 << _PLACE_BITS) - 1)
