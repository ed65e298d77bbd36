"""The names of BACnet's engineering units."""

from __future__ import annotations

from bacpypes3.basetypes import EngineeringUnits  # type: ignore[import-untyped]


def unit_name(number: int) -> str:
    """``degrees-celsius`` for 62; a number that has no name stays a number. Source: ASHRAE 135 clause 21."""
    try:
        return str(EngineeringUnits(number))
    except ValueError:
        return str(number)
