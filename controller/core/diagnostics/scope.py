"""What can be judged at all under a configuration: alarms and memories of what it no longer has are let go."""

from __future__ import annotations

from controller.core.diagnostics.conditions import KINDS
from controller.core.diagnostics.phases import place_of
from controller.core.loads import PHASES
from controller.core.state import AlarmKey
from controller.core.wiring import Wiring

_OF_A_SCHEDULE = frozenset({"scheduleDrift", "scheduleRefused"})
_OF_A_FORECAST = frozenset({"notReady", "plantDidNotStart"})
_MAINS = frozenset({"supplyLoss", "supplyVoltageTooLow", "supplyVoltageTooHigh"})


def orphaned(wiring: Wiring, name: AlarmKey) -> bool:
    """Whether nobody judges an alarm of ours any more: the lamp has no node now, the cabinet no meter."""
    key, event = name
    if event not in KINDS:
        return False  # a driver's, or a photocell's: they tell of its end themselves
    kind, _, identity = key.partition("/")
    if event in _OF_A_SCHEDULE:
        zone = wiring.site.zones.get(identity)
        return zone is None or zone.delegate is None
    if event in _OF_A_FORECAST:  # judged by the forecast, not with its device
        return not any(wiring.site.zones[zone].optimum_start is not None for zone in _zones_at(wiring, key))
    if event == "legionellaRisk":
        return not _has_hot_water(wiring, identity)
    device = identity if kind == "device" else wiring.device_of.get(key)
    if device is None or key not in wiring.judged_of.get(device, ()):
        return True
    if event == "estimatedLampsOut":
        return not any(place_of(load) == key for loads in wiring.loads.values() for load in loads)
    if event in _MAINS and kind in ("cabinet", "meter"):
        return not _has_voltages(wiring, wiring.mains_of[identity] if kind == "cabinet" else (device,))
    return False


def _zones_at(wiring: Wiring, key: str) -> tuple[str, ...]:
    """A zone, or all those of a building, as far as they exist."""
    kind, _, identity = key.partition("/")
    building = wiring.site.buildings.get(identity) if kind == "building" else None
    zones = (identity,) if kind == "zone" else () if building is None else building.zones
    return tuple(zone for zone in zones if zone in wiring.site.zones)


def _has_hot_water(wiring: Wiring, building_id: str) -> bool:
    """Whether the log against legionella is kept of a building."""
    building = wiring.site.buildings.get(building_id)
    if building is None or building.hot_water is None:
        return False
    return wiring.has(building.device, "hot-water.storage-temperature")


def fed_place(wiring: Wiring, key: str) -> bool:
    """Whether a contactor (``segment/<id>``) or a phase (``cabinet/<id>/l1``) is still watched."""
    kind, _, rest = key.partition("/")
    if kind == "segment":
        return rest in wiring.site.segments
    identity = rest.partition("/")[0]
    return (
        _has_voltages(wiring, wiring.mains_of.get(identity, ()))
        if kind == "cabinet"
        else f"{kind}/{identity}" in wiring.device_of
    )


def metered_phase(wiring: Wiring, key: str) -> bool:
    """Whether the phase ``cabinet/<id>/l1`` still has a meter and lamps."""
    return any(load.key == key for loads in wiring.loads.values() for load in loads)


def _has_voltages(wiring: Wiring, devices: tuple[str, ...]) -> bool:
    known = (wiring.site.devices[device] for device in devices if device in wiring.site.devices)
    voltages = {f"meter.voltage-l{phase}" for phase in PHASES}
    return any(not voltages.isdisjoint(device.points) for device in known)
