"""What stands behind an output in the site files: group, plan, rule and program; occupancy and optimum start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from config.site import Zone
from controller.cli import plants
from controller.cli.reasons import instant_of
from controller.core import heating
from controller.core.timetable import timetable
from controller.core.wiring import Wiring
from schedules import allures
from schedules.allures import Allure, AllureDemand
from schedules.legal import permitted
from schedules.moments import night_of
from schedules.plan import program_for

Grounds = dict[str, object]
"""By name, in the order in which they are told; times are aware UTC."""

_AHEAD = timedelta(days=8)


def grounds_of(wiring: Wiring, key: str, at: datetime, told: Mapping[str, object]) -> Grounds:
    """The grounds of a lamp, segment, zone or building at ``at``; ``told`` is the daemon's state of it, else empty."""
    kind, _, identity = key.partition("/")
    if kind == "zone":
        return _zone(wiring.site.zones[identity], at, told)
    if kind == "building":
        return plants.grounds(wiring, identity, at)
    if kind == "segment":
        return _segment(wiring, identity, at)
    lamp = wiring.site.lamps[identity]
    found: Grounds = {"street": lamp.street, "segment": lamp.segment, "cabinet": lamp.cabinet}
    group = wiring.group_of.get(key)
    found |= _group(wiring, group, f"group/{group}", at)
    return _without_nothing(found)


def feeding(wiring: Wiring, key: str) -> list[str]:
    """What an output depends on: a lamp's segment and cabinet, a segment's cabinet, a zone's building; else nothing."""
    kind, _, identity = key.partition("/")
    site = wiring.site
    if kind == "building":
        return []
    if kind == "zone":
        return [f"building/{site.zones[identity].building}"]
    if kind == "segment":
        return [f"cabinet/{site.segments[identity].cabinet}"]
    lamp = site.lamps[identity]
    return [f"{name}/{found}" for name, found in (("segment", lamp.segment), ("cabinet", lamp.cabinet)) if found]


def _group(wiring: Wiring, group_id: str | None, target: str, at: datetime) -> Grounds:
    if group_id is None:
        return {"group": "none: no plan commands it"}
    plan = wiring.site.groups[group_id].plan
    night = night_of(at, plan.place.zone)
    program, rule = program_for(plan, night)
    found: Grounds = {"group": group_id, "plan": plan.id, "night": night.isoformat(), "rule": rule}
    found |= {"program": program.id, "next_change": _next(wiring, target, at)}
    return found | _legal(wiring, group_id, night)


def _legal(wiring: Wiring, group_id: str, night: date) -> Grounds:
    """The legal hours that bind the group, and what they permit in the night."""
    hours, place = wiring.site.groups[group_id].legal, wiring.site.place
    if hours is None:
        return {}
    stretches = [
        {"from": each.start, "to": each.end, "derogation": None if each.derogation is None else each.derogation.words}
        for each in permitted(hours, night, place)
    ]
    found: Grounds = {"legal": hours.words, "permitted": stretches}
    return found if hours.occupancy is None else {**found, "activity": hours.occupancy.id}


def _segment(wiring: Wiring, segment_id: str, at: datetime) -> Grounds:
    segment = wiring.site.segments[segment_id]
    lamps = wiring.lamps_of_segment.get(segment_id, [])
    groups = dict.fromkeys(group for lamp in lamps if (group := wiring.group_of.get(f"lamp/{lamp}")) is not None)
    found: Grounds = {"cabinet": segment.cabinet, "output": segment.output, "lamps": len(lamps) or None}
    target = f"segment/{segment_id}"
    if not lamps:
        return _without_nothing({**found, **_group(wiring, wiring.group_of.get(target), target, at)})
    return _without_nothing({**found, "groups": list(groups), "next_change": _next(wiring, target, at)})


def _zone(zone: Zone, at: datetime, told: Mapping[str, object]) -> Grounds:
    demand = allures.evaluate(zone.occupancy, zone.setpoints, at)
    found: Grounds = {
        "building": zone.building,
        "occupancy": zone.occupancy.id,
        "occupied": demand.allure is Allure.COMFORT,
        "occupancy_reason": demand.reason,
        "occupancy_since": demand.since,
        "occupancy_until": demand.until,
        "next_opening": demand.next_opening,
    }
    return _without_nothing({**found, "optimum_start": _optimum_start(zone, demand, told), **_forecast(told)})


def _optimum_start(zone: Zone, demand: AllureDemand, told: Mapping[str, object]) -> Grounds | None:
    """When the preheat for the next opening begins: expected (None where none is needed), and at the earliest.

    ``by`` the daemon's forecast, where it has made one; else by the site files, as if nothing were learnt.
    """
    bounds, opening = zone.optimum_start, demand.next_opening
    if bounds is None or opening is None:
        return None
    measured_c = _measured(told)
    if demand.allure is Allure.COMFORT:  # the vacancy is still to come, and with it the room's temperature
        demand, measured_c = allures.evaluate(zone.occupancy, zone.setpoints, demand.until), None
    earliest = max(opening - heating.preheat_cap(bounds, demand), demand.since)
    if told.get("opening_at"):
        return {"by": "daemon", "expected": instant_of(told.get("preheat_at")), "earliest": earliest}
    return {
        "by": "site-files",
        "expected": max(heating.preheat_from(zone, bounds, demand, opening, measured_c), demand.since),
        "earliest": earliest,
        "minutes_per_k": bounds.minutes_per_k,
        "from_c": demand.setpoint_c if measured_c is None else measured_c,
        "measured": measured_c is not None,
    }


def _measured(told: Mapping[str, object]) -> float | None:
    """The room's temperature, where the daemon tells one that can be believed."""
    measured = told.get("temperature_c") if told.get("quality") in ("good", "uncertain") else None
    return float(measured) if isinstance(measured, int | float) else None


def _forecast(told: Mapping[str, object]) -> Grounds:
    """What the daemon expects of the next opening; nothing where it has made no forecast."""
    if not told.get("opening_at"):
        return {}
    names = ("expected_c", "confidence", "obstacle", "learnt_mornings")
    ready = {"opening": instant_of(told["opening_at"]), "ready": instant_of(told.get("forecast_ready_at"))}
    return {"forecast": ready | {name: told.get(name) for name in names}}


def _next(wiring: Wiring, target: str, at: datetime) -> Grounds | None:
    """The next stretch of a lighting timetable after the one at ``at``."""
    entries = timetable(wiring, at, at + _AHEAD, [target])
    next(entries, None)
    following = next(entries, None)
    return None if following is None else {"at": following.start, "level": following.level, "reason": following.reason}


def _without_nothing(found: Grounds) -> Grounds:
    return {name: value for name, value in found.items() if value not in (None, "")}
