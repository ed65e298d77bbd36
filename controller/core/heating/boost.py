"""Warmth on demand outside the hours, with an end."""

from __future__ import annotations

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.state import Draft


def slot(draft: Draft, zone: Zone) -> Slot | None:
    """The boost in force."""
    return None
