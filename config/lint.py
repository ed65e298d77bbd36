"""What is allowed but hardly meant: warnings about a site that has no errors."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from datetime import date
from urllib.parse import urlsplit

from config.fields import ALL_NIGHT, START
from config.lint_delegated import lint_delegated
from config.lint_lighting import lint_lighting
from config.lint_plans import lint_plans
from config.lint_rooms import lint_rooms
from config.site import Lamp, Site
from config.source import Where
from config.tree.draft import Draft
from schedules.calendars import ENDS_SOON
from schedules.moments import OccupancyEdge, parse_moment

LEGAL_CAPS_C = {"comfort": 19.0, "reduced": 16.0, "frost": 8.0}
"""French energy code, articles R241-26 and R241-27, averages over the building."""
FAR_KM = 50.0

_KM_PER_DEGREE = 111.2
_SHOWN = 5


def lint_site(draft: Draft, site: Site, today: date) -> None:
    """Note every warning; ``today`` is the local date from which a year ahead is looked at."""
    _calendars(draft, site, today)
    _memberships(draft, site)
    _places(draft, site)
    _setpoints(draft, site)
    _unused(draft, site)
    _broker(draft, site)
    lint_lighting(draft, site)
    lint_delegated(draft, site, today)
    lint_rooms(draft, site)
    lint_plans(draft, site, today)


def _calendars(draft: Draft, site: Site, today: date) -> None:
    for name, calendar in draft.written.calendars.items():
        where = calendar.where(calendar.key)
        last = site.calendars[name].valid_until
        if last is None:
            draft.warning(where, "the calendar has no days")
        else:
            _runs_out(draft, where, "the calendar", last, today)
    for name, occupancy in site.occupancies.items():
        for extent in occupancy.extents:
            _runs_out(draft, ("occupancy", name, "also"), extent.name, extent.valid_until, today)


def _runs_out(draft: Draft, where: Where, what: str, last: date, today: date) -> None:
    if last < today:
        draft.warning(where, f"{what} ended on {last}: every day since is an ordinary one")
    elif last - today <= ENDS_SOON:
        days = (last - today).days
        draft.warning(where, f"{what} ends on {last}, in {days} days; every day after is an ordinary one")


def _memberships(draft: Draft, site: Site) -> None:
    grouped = {lamp for group in site.groups.values() for lamp in group.lamps}
    fed = {segment for group in site.groups.values() for segment in group.segments}
    feeding = {lamp.segment for lamp in site.lamps.values()}
    for written in draft.written.groups:
        group = site.groups[written.id]
        if not group.lamps and not group.segments and not group.groups:
            draft.warning(written.where("id"), "no lamp and no segment belongs to this group")
    _orphans(draft, [lamp for name, lamp in site.lamps.items() if name not in grouped])
    for cabinet in draft.written.cabinets:
        for segment in cabinet.segments:
            if segment.id not in feeding and segment.id not in fed:
                draft.warning(segment.where("id"), "feeds no lamps and is in no group: nothing switches it")


def _orphans(draft: Draft, lamps: list[Lamp]) -> None:
    """One warning for all of them: a forgotten street must not fill the screen."""
    if lamps:
        verb = "lamp is" if len(lamps) == 1 else "lamps are"
        message = f"id: {len(lamps)} {verb} in no group and never lit: {_some(lamp.id for lamp in lamps)}"
        draft.findings.warning(draft.lamp_spot(lamps[0].id), message)


def _places(draft: Draft, site: Site) -> None:
    far = [lamp for lamp in site.lamps.values() if _distance_km(site, lamp) > FAR_KM]
    if far:
        distance = f"{_distance_km(site, far[0]):.0f} km"
        which = _some(lamp.id for lamp in far)
        message = f"latitude: {distance} from the site's own place: are latitude and longitude swapped? {which}"
        draft.findings.warning(draft.lamp_spot(far[0].id, "latitude"), message)


def _distance_km(site: Site, lamp: Lamp) -> float:
    if lamp.latitude is None or lamp.longitude is None:
        return 0.0
    north = lamp.latitude - site.place.latitude
    east = (lamp.longitude - site.place.longitude) * math.cos(math.radians(site.place.latitude))
    return math.hypot(north, east) * _KM_PER_DEGREE


def _setpoints(draft: Draft, site: Site) -> None:
    if site.country != "FR":
        return
    for building in draft.written.buildings:
        for zone in building.zones:
            for allure, cap_c in LEGAL_CAPS_C.items():
                setpoint_c = getattr(zone.allures, allure)
                if setpoint_c > cap_c:
                    message = f"{setpoint_c:g} degrees C are above the legal {cap_c:g} (average of the building)"
                    draft.warning(zone.where("allures", allure), message)


def _unused(draft: Draft, site: Site) -> None:
    written = draft.written
    in_rules = {word for plan in written.plans.values() for rule in plan.rules for word in rule.on + rule.within}
    closing = {word for occupancy in written.occupancy.values() for word in occupancy.closed}
    programs = {plan.default for plan in written.plans.values()}
    programs |= {rule.program for plan in written.plans.values() for rule in plan.rules}
    leave = {word for derogation in written.derogations for word in derogation.on}
    _never_used(draft, "calendars", written.calendars, in_rules | closing | leave)
    _never_used(draft, "programs", written.programs, programs)
    _never_used(draft, "plans", written.plans, {group.plan for group in written.groups if group.plan})
    _never_used(draft, "occupancy", written.occupancy, _occupied(draft))
    cells = {program.lit.photocell.cell for program in written.programs.values() if program.lit.photocell}
    for cell in written.photocells:
        if cell.id not in cells:
            draft.warning(cell.where("id"), "no program follows this photocell")
    _never_used(draft, "lamp_types", written.lamp_types, {lamp.type.id for lamp in site.lamps.values()})
    _never_used(draft, "buses", written.buses, {device.bus for device in written.devices})
    devices = {item.device for part in (site.lamps, site.segments, site.zones, site.meters) for item in part.values()}
    devices |= {item.device for part in (site.cabinets, site.buildings) for item in part.values()}
    devices |= {item.device for part in (site.photocells, site.presence_sensors) for item in part.values()}
    devices |= {zone.absence.device for zone in site.zones.values() if zone.absence is not None}
    for device in written.devices:
        if device.id not in devices:
            draft.warning(device.where("id"), "nothing uses this device; it is polled all the same")


def _occupied(draft: Draft) -> set[str]:
    """The occupancies that a zone, a group's legal hours, a program or a derogation's end name."""
    active = {zone.occupancy for building in draft.written.buildings for zone in building.zones}
    active |= {group.legal.occupancy or "" for group in draft.written.groups if group.legal}
    texts = [
        text
        for program in draft.written.programs.values()
        for text in (program.lit.begin, program.lit.to, *(key for key in program.levels if key != START))
    ]
    texts += [derogation.until for derogation in draft.written.derogations if derogation.until != ALL_NIGHT]
    moments = [parse_moment(text) for text in texts]
    return active | {moment.occupancy for moment in moments if isinstance(moment, OccupancyEdge)}


def _never_used(draft: Draft, section: str, names: Iterable[str], used: Collection[str]) -> None:
    for name in names:
        if name not in used:
            draft.warning((section, name), "never used", at_key=True)


def _broker(draft: Draft, site: Site) -> None:
    url = urlsplit(site.mqtt.url)
    is_here = url.hostname in {"localhost", "::1"} or str(url.hostname).startswith("127.")
    if url.scheme == "mqtt" and site.mqtt.password and not is_here:
        draft.warning(("mqtt", "url"), "the password travels in clear text; use mqtts://")
    if site.mqtt.home_assistant is not None:
        where = ("mqtt", "home_assistant")
        draft.warning(where, "without effect: this version publishes no Home Assistant discovery")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
