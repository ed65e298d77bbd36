"""The outdoor temperature that a generator is led by: damped, held over a gap, given up when the gap is too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from config.site import Building, HeatingCurve
from controller.core.heating import learning
from controller.core.heating.outdoor import POINT, plausible_c
from controller.core.rooms import Damped, PlantMemory
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality, Reading
from schedules.heating_curve import damped_c

_HELD_FOR = timedelta(hours=6)
"""A missing sensor is bridged so long with the damped value that was last known."""
_AWAITED_FOR = timedelta(minutes=10)
"""And so long is waited for the first value of all."""
_STEP = timedelta(minutes=1)
_UNTIL_HEARD_C = 5.0
"""What is taken for the weather before anything was heard of it."""


def measured_c(wiring: Wiring, draft: Draft, building: Building) -> float | None:
    """The outdoor temperature now, while it can be trusted."""
    reading = _reading(wiring, draft, building)
    return None if reading is None else reading.value


def outdoor_c(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory) -> float | None:
    """The outdoor temperature now, the damped one over a gap, None where nothing is to be trusted."""
    now_c = measured_c(wiring, draft, building)
    if now_c is not None or memory.lost or memory.outdoor is None:
        return now_c
    return memory.outdoor.value_c


def heard(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory) -> PlantMemory:
    """Damp what was read, at most once a minute; note since when nothing good was read."""
    reading = _reading(wiring, draft, building)
    if reading is None:
        return _missing(wiring, draft, building, memory)
    known = memory.outdoor
    if memory.lost:
        draft.event("outdoor-sensor-back", f"building/{building.id}", outdoor_c=round(reading.value, 1))
        memory = replace(memory, lost=False)
    if known is None:
        return replace(memory, outdoor=Damped(reading.value, reading.at), trusted=reading.at)
    elapsed = reading.at - known.at
    if timedelta() <= elapsed < _STEP:
        return memory
    value_c = damped_c(known.value_c, reading.value, elapsed, _damping(building))
    return replace(memory, outdoor=Damped(value_c, reading.at), trusted=reading.at)


def steering_c(building: Building, memory: PlantMemory) -> float:
    """What the curve goes by: the damped temperature, or where nothing is known any more its cold end."""
    curve = _curve(building)
    if memory.lost:
        return curve.cold_end_c
    return _UNTIL_HEARD_C if memory.outdoor is None else memory.outdoor.value_c


def words(memory: PlantMemory) -> str:
    """How the outdoor temperature is called in a reason."""
    if memory.lost:
        return "no outdoor temperature to be trusted, so the curve's cold end"
    return (
        "no outdoor temperature yet" if memory.outdoor is None else f"{memory.outdoor.value_c:.1f} degC outside, damped"
    )


def _missing(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory) -> PlantMemory:
    since = memory.trusted
    if since is None:
        return replace(memory, trusted=draft.now)
    never = memory.outdoor is None
    patience = max(_AWAITED_FOR, learning.patience(wiring)) if never else _HELD_FOR
    if memory.lost or draft.now - since < patience:
        return memory
    told = {"waiting_since": since} if never else {"last_good": since}
    draft.event("outdoor-sensor-lost", f"building/{building.id}", **told)
    return replace(memory, lost=True)


def _reading(wiring: Wiring, draft: Draft, building: Building) -> Reading | None:
    image = draft.image.get(building.device)
    if image is None:
        return None
    quality = image.quality(POINT, draft.now, wiring.stale_after(building.device, POINT))
    reading = image.readings.get(POINT)
    if reading is None or quality not in (Quality.GOOD, Quality.UNCERTAIN):
        return None
    return reading if plausible_c(reading.value) is not None else None


def _curve(building: Building) -> HeatingCurve:
    curve = building.plant.curve if building.plant is not None else None
    return curve or HeatingCurve()


def _damping(building: Building) -> timedelta:
    return _curve(building).damping
