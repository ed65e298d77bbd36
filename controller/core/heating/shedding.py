"""Load shedding on a signal: zones nearest their setpoint first, back one after the other."""

from __future__ import annotations

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.commands import Heard
from controller.core.state import Draft
from controller.core.wiring import Wiring


def slot(wiring: Wiring, draft: Draft, zone: Zone, wish: Slot) -> Slot | None:
    """What the signal leaves of ``wish``, the strongest of the plan."""
    return None


def signalled(wiring: Wiring, draft: Draft, heard: Heard) -> None:
    """A signal has spoken."""
