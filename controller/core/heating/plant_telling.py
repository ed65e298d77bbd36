"""What the state topic of a building says of its heat generator."""

from __future__ import annotations

from collections.abc import Mapping

from config.site import Building
from controller.core import leases
from controller.core.arbitration import PriorityArray
from controller.core.heating import plant_water
from controller.core.heating.plant import plant_array
from controller.core.stack import rfc3339, why
from controller.core.state import Draft
from controller.core.wiring import Kind, Target, Wiring

_LED = (Kind.BOILER, Kind.SUPPLY, Kind.PUMP, Kind.BACKUP)


def facts(wiring: Wiring, draft: Draft, building: Building) -> dict[str, object]:
    """One entry a field; nothing where the site leads no generator there."""
    memory = draft.plants.get(building.id)
    if memory is None:
        return {}
    targets = [target for kind in _LED if (target := wiring.targets.get(f"{kind}/{building.id}")) is not None]
    arrays = {target.kind: plant_array(wiring, draft, target) for target in targets}
    told: dict[str, object] = {
        "outdoor_damped_c": None if memory.outdoor is None or memory.lost else round(memory.outdoor.value_c, 1),
        "summer": memory.summer or None,
        "calling": ", ".join(sorted(zone.partition(".")[2] for zone in memory.calling)) or None,
        "supply_commanded_c": _value(arrays, Kind.SUPPLY),
        **{f"{kind}_commanded": _switch(arrays, kind) for kind in (Kind.BOILER, Kind.PUMP, Kind.BACKUP)},
        "write": _worst(draft, targets),
        "why": [{"point": target.command, **entry} for target in targets for entry in why(arrays[target.kind])],
        "leases": leases.count(draft, wiring, building) or None,
    }
    if memory.water is not None:
        told["hot_water_reached"] = None if memory.water_hot is None else rfc3339(memory.water_hot)
        told["hot_water_advice"] = plant_water.advice(wiring, draft, building, memory)
    return told


def _value(arrays: Mapping[Kind, PriorityArray], kind: Kind) -> float | None:
    return arrays[kind].present_value if kind in arrays else None


def _switch(arrays: Mapping[Kind, PriorityArray], kind: Kind) -> bool | None:
    return bool(arrays[kind].present_value) if kind in arrays else None


def _worst(draft: Draft, targets: list[Target]) -> str | None:
    """The state of the writes to the generator: that of the first point that does not follow, and which it is."""
    outputs = [(target, draft.outputs.get(target.key)) for target in targets]
    for target, output in outputs:
        if output is not None and output.write.value not in ("applied", "pending"):
            return f"{target.command} {output.write.value}"
    waits = any(output is None or output.write.value == "pending" for _, output in outputs)
    return None if not targets else "pending" if waits else "applied"
