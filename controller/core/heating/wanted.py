"""What a zone shall have, as it was last worked out."""

from __future__ import annotations

from controller.core.state import Draft


def wanted_c(draft: Draft, zone_id: str) -> float | None:
    """The setpoint that is commanded, degrees C: the strongest of our slots; of the plan where nothing is written."""
    output = draft.outputs.get(f"zone/{zone_id}")
    if output is not None:
        held = [(priority, value) for priority, value in output.slots if value is not None]
        if held:
            return min(held)[1]
    demand = draft.demands.get(f"zone/{zone_id}")
    return None if demand is None else demand.value
