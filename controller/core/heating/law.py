"""The legal temperatures 19, 16 and 8 degrees: where the site asks for it, no wish of the plan goes beyond them."""

from __future__ import annotations

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.state import Draft
from controller.core.wiring import Wiring


def slot(wiring: Wiring, draft: Draft, zone: Zone, wish: Slot) -> Slot | None:
    """What the law leaves of ``wish``, the strongest of the plan."""
    return None
