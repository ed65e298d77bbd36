"""What a generator's own nature forbids: short cycles, many starts, a deep setback of a heat pump."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.site import Generator, HeatPump, Plant, Zone
from controller.core.arbitration import Slot
from controller.core.rooms import Lead
from controller.core.wiring import Wiring
from schedules import legal_temperatures
from schedules.allures import Allure

_HOUR = timedelta(hours=1)
_BOILER_ON, _BOILER_OFF = timedelta(minutes=5), timedelta(minutes=3)
"""A burner that starts for less wastes its purge and its warm-up; its own safeties stay in charge."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Least times; ``starts_per_h`` None: as often as the times allow."""

    min_on: timedelta = timedelta()
    min_off: timedelta = timedelta()
    starts_per_h: int | None = None


def limits_of(plant: Plant) -> Limits:
    """The limits of a generator by its kind, or as the site says."""
    pump = pump_of(plant)
    if pump is not None:
        return Limits(pump.min_on, pump.min_off, pump.starts_per_h)
    return Limits(_BOILER_ON, _BOILER_OFF) if plant.generator is Generator.BOILER else Limits()


def pump_of(plant: Plant) -> HeatPump | None:
    """The compressor, where the generator has one."""
    return plant.heat_pump or HeatPump() if plant.generator is Generator.HEAT_PUMP else None


def limited(
    limits: Limits, before: Lead | None, starts: tuple[datetime, ...], wanted: bool, reason: str, now: datetime
) -> Lead:
    """What becomes of the wish to run or to stand: at once, or later where a limit holds the generator as it is."""
    if before is None:
        return Lead(float(wanted), reason, now)
    if bool(before.value) == wanted:
        return replace(before, reason=reason, limit="", until=None)
    span, word = (limits.min_off, "off") if wanted else (limits.min_on, "on")
    until, why = before.since + span, f"least time {word} of {_minutes(span)}"
    if wanted and limits.starts_per_h is not None and len(starts) >= limits.starts_per_h:
        again = starts[-limits.starts_per_h] + _HOUR
        if again > until:
            until, why = again, f"{limits.starts_per_h} starts in the last hour"
    if now < until:
        return replace(before, reason=reason, limit=why, until=until)
    return Lead(float(wanted), reason, now)


def with_start(starts: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    """The starts of the last hour and the one of now."""
    return (*(at for at in starts if timedelta() <= now - at < _HOUR), now)


def shallow(wiring: Wiring, zone: Zone, wish: Slot, vacancy: timedelta) -> Slot:
    """The plan's wish as a heat pump can take it: not far below comfort in a short vacancy.

    From 24 h on it is no warmer than the law allows. The deep setback of a vacancy of 48 h or more stays: it saves
    more than its warm-up costs, the law asks for it, and the preheat after it is long enough for the compressor alone.
    """
    building = wiring.site.buildings.get(zone.building)
    pump = pump_of(building.plant) if building is not None and building.plant is not None else None
    if pump is None or wish.allure != Allure.REDUCED.value:
        return wish
    least_c, words = zone.setpoints.comfort - pump.setback_k, f"at most {pump.setback_k:g} K below comfort"
    if vacancy >= legal_temperatures.DAY_VACANT and least_c > legal_temperatures.DAY_VACANT_C:
        least_c, words = legal_temperatures.DAY_VACANT_C, "no deeper than the law asks for in a vacancy of 24 h"
    if wish.value >= least_c:
        return wish
    return replace(wish, value=least_c, reason=f"{wish.reason}; heat pump: {words}")


def _minutes(span: timedelta) -> str:
    return f"{span / timedelta(minutes=1):g} min"
