"""What will be commanded: the timetable of every group, segment and zone, from the plans alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from config.site import Site, Zone
from schedules import allures
from schedules.plan import Plan, steps_between


@dataclass(frozen=True, slots=True)
class Entry:
    """One stretch of one target: ``level`` in % for lighting, ``setpoint_c`` and ``allure`` for heating."""

    target: str
    start: datetime
    end: datetime
    reason: str
    level: float | None = None
    setpoint_c: float | None = None
    allure: str | None = None


def timetable(site: Site, start: datetime, end: datetime, target: str | None = None) -> Iterator[Entry]:
    """Entries in [start, end), target by target, consecutive and without a gap. Raises KeyError for no such target."""
    rows = _targets(site)
    if target is not None:
        rows = {name: rows[name] for name in _matching(site, rows, target)}
    for name, what in rows.items():
        yield from _zone(name, what, start, end) if isinstance(what, Zone) else _plan(name, what, start, end)


def _targets(site: Site) -> dict[str, Plan | Zone]:
    rows: dict[str, Plan | Zone] = {f"group/{group.id}": group.plan for group in site.groups.values()}
    for group in site.groups.values():
        rows.update({f"segment/{segment}": group.plan for segment in group.segments})
    rows.update({f"zone/{zone.id}": zone for zone in site.zones.values()})
    return rows


def _matching(site: Site, rows: dict[str, Plan | Zone], target: str) -> list[str]:
    """A target by its name, its bare id, or a lamp, which follows its group."""
    bare = target.partition("/")[2] or target
    for group in site.groups.values():
        if bare in group.lamps and f"group/{group.id}" in rows:
            return [f"group/{group.id}"]
    found = [name for name in rows if target in (name, name.partition("/")[2])]
    if not found:
        raise KeyError(target)
    return found


def _plan(name: str, plan: Plan, start: datetime, end: datetime) -> Iterator[Entry]:
    steps = steps_between(plan, start, end)
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        yield Entry(name, step.at, after.at if after is not None else end, step.reason, level=step.level)


def _zone(name: str, zone: Zone, start: datetime, end: datetime) -> Iterator[Entry]:
    at = start
    while at < end:
        demand = allures.evaluate(zone.occupancy, zone.setpoints, at)
        until = min(demand.until, end)
        yield Entry(name, at, until, demand.reason, setpoint_c=demand.setpoint_c, allure=demand.allure.value)
        at = until
