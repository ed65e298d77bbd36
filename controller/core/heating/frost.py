"""Frost protection: depends on a good room temperature alone, on no schedule, no broker and no right clock."""

from __future__ import annotations

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.state import Draft
from controller.core.wiring import Wiring


def slot(wiring: Wiring, draft: Draft, zone: Zone, wish: Slot) -> Slot | None:
    """Warmth for a room that is about to freeze, never less than ``wish``, the strongest of the others."""
    return None
