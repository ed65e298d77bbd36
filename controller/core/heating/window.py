"""An open window, seen by the slope of the room's temperature; heating waits, for a while."""

from __future__ import annotations

from datetime import datetime

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.state import Draft
from controller.core.wiring import Wiring


def slot(wiring: Wiring, draft: Draft, zone: Zone) -> Slot | None:
    """The lower setpoint while a window is open."""
    return None


def heard(wiring: Wiring, draft: Draft, zone: Zone, at: datetime) -> None:
    """The trace of the room has one more point."""
