"""The heat generator: supply temperature by the heating curve, on and off, its pump, its limits."""

from __future__ import annotations

from controller.core.arbitration import PriorityArray, Slot, Source
from controller.core.state import Draft
from controller.core.wiring import Target, Wiring


def plant_array(wiring: Wiring, draft: Draft, target: Target) -> PriorityArray:
    """The wishes for one commanded point of a heat generator, of a zone's mode or of a heartbeat."""
    return PriorityArray((Slot(Source.DEFAULT, 0.0, "nothing is asked of it"),))


def begin(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """A core begins, or a new configuration: take up what the building's generator shall do."""


def heard(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """The building's device, or that of one of its zones, was heard."""


def due(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """``plant/<building>`` is due."""
