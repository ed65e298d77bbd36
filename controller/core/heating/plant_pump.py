"""The circulation pump and the backup heater: after-run, frost outside, exercise, lockout in mild weather."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from config.site import Exercise, HeatPump, Plant
from controller.core.rooms import Lead, PlantMemory

AFTER_RUN = timedelta(minutes=10)
"""What is hot in the boiler still goes to the rooms."""
_ALWAYS_BELOW_C = -5.0
_FROST_RUN, _FROST_EVERY = timedelta(minutes=10), timedelta(hours=6)
_DEADBAND_K = 1.0
_SPREAD_AT_MOST = timedelta(hours=6)
_FROST, _EXERCISE = "frost outside", "exercise"


def pump_lead(
    building_id: str, plant: Plant, memory: PlantMemory, *, heats: bool, outdoor_c: float | None, now: datetime
) -> Lead:
    """Whether the pump runs; ``heats``: the generator may run, ``outdoor_c`` None: not known, which may be frost."""
    before, boiler = memory.pump, memory.boiler
    if heats:
        return _same(before, Lead(1.0, "runs with the generator", now))
    if boiler is not None and now - boiler.since < AFTER_RUN and before is not None and before.value:
        return _same(
            before, Lead(1.0, "after-run: the generator's heat goes to the rooms", now, "", boiler.since + AFTER_RUN)
        )
    cold = outdoor_c is None or outdoor_c < plant.frost_outdoor_c
    if outdoor_c is not None and outdoor_c < min(_ALWAYS_BELOW_C, plant.frost_outdoor_c):
        return _same(before, Lead(1.0, f"{_FROST}: {outdoor_c:.1f} degC", now))
    run = _cyclic(before, memory.pump_ran, now, outdoor_c) if cold else None
    if run is None and plant.exercise is not None:
        run = _exercised(before, exercise_at(building_id, plant.exercise, memory.pump_ran, now), plant.exercise, now)
    return run or _same(before, Lead(0.0, "nothing heats", now))


def exercise_at(building_id: str, exercise: Exercise, ran: datetime | None, now: datetime) -> datetime:
    """When a pump that stands since ``ran`` is moved: by the rule at the latest, spread over the fleet before that."""
    spread = min(_SPREAD_AT_MOST, exercise.after / 4) * (crc32(building_id.encode()) / 0xFFFF_FFFF)
    return (now if ran is None else ran) + exercise.after - spread


def frost_at(memory: PlantMemory, now: datetime) -> datetime:
    """When a pump that stands in the frost is run again."""
    return (memory.pump_ran or now) + _FROST_EVERY


def backup_lead(pump: HeatPump, before: Lead | None, outdoor_c: float | None, now: datetime) -> Lead:
    """Whether the backup heater may run: not in mild weather; without a good outdoor temperature it may."""
    if outdoor_c is None:
        return _same(before, Lead(1.0, "no good outdoor temperature: not locked out", now))
    limit_c = pump.backup_below_c + (_DEADBAND_K if before is not None and before.value else 0.0)
    if outdoor_c < limit_c:
        return _same(before, Lead(1.0, f"{outdoor_c:.1f} degC outside, below {pump.backup_below_c:g}", now))
    return _same(before, Lead(0.0, f"locked out: {outdoor_c:.1f} degC outside, not below {pump.backup_below_c:g}", now))


def _cyclic(before: Lead | None, ran: datetime | None, now: datetime, outdoor_c: float | None) -> Lead | None:
    if _goes_on(before, _FROST, now):
        return before
    if ran is not None and now - ran < _FROST_EVERY:
        return None
    outside = "not known" if outdoor_c is None else f"{outdoor_c:.1f} degC"
    return Lead(1.0, f"{_FROST}: {outside}, {_FROST_RUN.seconds // 60} min every 6 h", now, "", now + _FROST_RUN)


def _exercised(before: Lead | None, due: datetime, exercise: Exercise, now: datetime) -> Lead | None:
    if _goes_on(before, _EXERCISE, now):
        return before
    if now < due:
        return None
    stood = f"{exercise.after / timedelta(hours=1):g} h"
    return Lead(1.0, f"{_EXERCISE}: it has stood for {stood}", now, "", now + exercise.lasting)


def _goes_on(before: Lead | None, word: str, now: datetime) -> bool:
    """Whether a run with an end, begun for this reason, has not reached it."""
    return before is not None and before.until is not None and before.reason.startswith(word) and now < before.until


def _same(before: Lead | None, lead: Lead) -> Lead:
    """The new lead, since when its value has been so."""
    return lead if before is None or before.value != lead.value else replace(lead, since=before.since)
