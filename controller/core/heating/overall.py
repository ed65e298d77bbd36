"""A command to a whole building as each of its zones has it: its own setpoint of the allure, or the same degrees."""

from __future__ import annotations

from dataclasses import replace

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.lighting import override_slot
from controller.core.state import Draft
from schedules.allures import Allure


def slot(draft: Draft, zone: Zone) -> Slot | None:
    """The override of the zone's building; one of the zone itself is given before it."""
    whole = override_slot(draft, f"building/{zone.building}")
    if whole is None or whole.allure is None:
        return whole
    return replace(whole, value=zone.setpoints.of(Allure(whole.allure)))
