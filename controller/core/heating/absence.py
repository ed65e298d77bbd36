"""Presence setback: nobody in the room means a slightly lower comfort."""

from __future__ import annotations

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.state import Draft
from controller.core.wiring import Wiring


def slot(wiring: Wiring, draft: Draft, zone: Zone) -> Slot | None:
    """The lower comfort while nobody is there."""
    return None
