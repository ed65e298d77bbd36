"""What of a generator survives a restart: one small document a building, written on transitions and every so often."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from controller.core.rooms import Damped, Lead, PlantMemory, WaterDay
from controller.core.state import Draft

_EVERY = timedelta(minutes=15)
_AFTER_RESTART = "as before the restart"


def save(draft: Draft, building_id: str, memory: PlantMemory, *, transition: bool, speed: float) -> PlantMemory:
    """Keep it now where something was switched, else when the last time is a while ago."""
    recent = memory.saved is not None and timedelta() <= draft.now - memory.saved < _EVERY * max(1.0, speed / 60.0)
    if recent and not transition:
        return memory
    draft.keep(f"plant/{building_id}", _written(memory))
    return replace(memory, saved=draft.now)


def load(draft: Draft, building_id: str) -> PlantMemory:
    """What an earlier run knew; nothing where there is no document, or none that can be read.

    A run whose clock was ahead holds nothing back: its instants are brought back to now.
    """
    try:
        found = json.loads(draft.kept.get(f"plant/{building_id}") or "{}")
        memory = _read(found) if isinstance(found, dict) else PlantMemory()
    except (ValueError, TypeError, KeyError):
        return PlantMemory()
    return memory.brought_back(draft.now) if any(at > draft.now for at in _instants(memory)) else memory


def _instants(memory: PlantMemory) -> Iterator[datetime]:
    """When what is kept came to be: none may lie ahead."""
    yield from memory.starts
    if memory.outdoor is not None:
        yield memory.outdoor.at
    if memory.boiler is not None:
        yield memory.boiler.since
    if memory.water is not None:
        yield memory.water.at
    yield from (at for at in (memory.pump_ran, memory.water_hot) if at is not None)


def _written(memory: PlantMemory) -> str:
    water = memory.water
    document = {
        "outdoor": None if memory.outdoor is None else [round(memory.outdoor.value_c, 3), _text(memory.outdoor.at)],
        "summer": memory.summer,
        "boiler": None if memory.boiler is None else [memory.boiler.value, _text(memory.boiler.since)],
        "starts": [_text(at) for at in memory.starts],
        "pump_ran": _text(memory.pump_ran),
        "water_hot": _text(memory.water_hot),
        "shock_before": _text(memory.shock_before),
        "water": None
        if water is None
        else [
            water.day.isoformat(), _text(water.at), _text(water.hot_since), round(water.hot_for.total_seconds()),
            water.hottest_c, water.coolest_c,
        ],
    }  # fmt: skip
    return json.dumps({key: value for key, value in document.items() if value}, separators=(",", ":"))


def _read(found: Mapping[str, object]) -> PlantMemory:
    outdoor, boiler, water = found.get("outdoor"), found.get("boiler"), found.get("water")
    starts = found.get("starts")
    return PlantMemory(
        outdoor=Damped(float(outdoor[0]), _time(outdoor[1])) if isinstance(outdoor, list) else None,
        summer=bool(found.get("summer")),
        boiler=Lead(float(boiler[0]), _AFTER_RESTART, _time(boiler[1])) if isinstance(boiler, list) else None,
        starts=tuple(_time(at) for at in starts) if isinstance(starts, list) else (),
        pump_ran=_maybe(found.get("pump_ran")),
        water_hot=_maybe(found.get("water_hot")),
        shock_before=_maybe(found.get("shock_before")),
        water=_water(water) if isinstance(water, list) else None,
    )


def _water(found: list[object]) -> WaterDay:
    day, at, since, hot_for_s, hottest_c, coolest_c = found
    return WaterDay(
        date.fromisoformat(str(day)), _time(at), _maybe(since), timedelta(seconds=float(str(hot_for_s))),
        None if hottest_c is None else float(str(hottest_c)), None if coolest_c is None else float(str(coolest_c)),
    )  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: object) -> datetime:
    at = datetime.fromisoformat(str(text))
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


def _maybe(text: object) -> datetime | None:
    return None if text is None else _time(text)
