"""What is measured of a zone and around it, and only what may be trusted: a bad sensor never drives control."""

from __future__ import annotations

from config.site import Zone
from controller.core.heating import outdoor, seen
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality
from schedules.optimum_start import OUTDOOR_REFERENCE_C, Outdoors

HOT_WATER_C, LEAST_HOT_C, HYSTERESIS_K = 45.0, 35.0, 8.0
"""Supply water that heats: where nobody says how hot it shall be, at the least, and what burners let it fall by."""
_USABLE = (Quality.GOOD, Quality.UNCERTAIN)


def temperature(wiring: Wiring, draft: Draft, zone: Zone) -> float | None:
    """The room temperature while it can be trusted, else None: a doubtful one warms nobody and stops no boiler."""
    return seen.room_c(wiring, draft, zone)


def usable(wiring: Wiring, draft: Draft, device_id: str, point: str) -> float | None:
    """The value of a point that is neither old nor faulty, else None."""
    device = draft.image.get(device_id)
    if device is None:
        return None
    quality = device.quality(point, draft.now, wiring.stale_after(device_id, point))
    return device.value(point) if quality in _USABLE else None


def outdoors(wiring: Wiring, draft: Draft, zone: Zone) -> Outdoors:
    """What is measured outside, and its mean of late; the reference where nobody measures it, or not for long."""
    building = wiring.site.buildings.get(zone.building)
    devices = (building.device if building is not None else zone.device, zone.device)
    measured = (outdoor.plausible_c(usable(wiring, draft, device, outdoor.POINT)) for device in devices)
    now_c = next((value for value in measured if value is not None), None)
    plant = draft.plants.get(zone.building)
    damped = None if plant is None or plant.lost else plant.outdoor
    mean_c = None if damped is None else damped.value_c
    if now_c is None:
        now_c = mean_c if mean_c is not None else OUTDOOR_REFERENCE_C
    return Outdoors(now_c, now_c if mean_c is None else mean_c)


def plant_runs(wiring: Wiring, draft: Draft, zone: Zone) -> bool | None:
    """Whether the plant shows that it heats: its burner or hot water, else the zone's own output; None: nothing shows.

    A burner that stands because its water is as hot as it shall be is no plant that does not run.
    """
    building = wiring.site.buildings.get(zone.building)
    if building is not None:
        shown = [usable(wiring, draft, building.device, point) for point in ("boiler.status", "boiler.power")]
        known = [value for value in shown if value is not None]
        if known:
            return any(value > 0.0 for value in known) or _water_is_hot(wiring, draft, building.device)
    output = usable(wiring, draft, zone.device, f"zone.{zone.number}.heating")
    return None if output is None else output > 1.0


def _water_is_hot(wiring: Wiring, draft: Draft, device: str) -> bool:
    supply_c = usable(wiring, draft, device, "boiler.supply-temperature")
    wanted_c = usable(wiring, draft, device, "boiler.supply-setpoint")
    wanted_c = HOT_WATER_C if wanted_c is None else max(wanted_c, LEAST_HOT_C)
    return supply_c is not None and supply_c >= wanted_c - HYSTERESIS_K
