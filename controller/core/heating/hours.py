"""The evidence of every hour: what zones and buildings were, taken up as it changes and closed when the hour ends.

The hour in progress lies in the State and on the disk (a power cut loses a minute of it, which is then not measured);
what is closed goes into the journal as a row, and a month that ends as the order to add its rows up.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from config.site import Building, Zone
from controller.core.counted import BuildingCounter
from controller.core.heating import outdoor, seen
from controller.core.heating.closing import building_rolled, building_settled, figures_of, zone_rolled, zone_settled
from controller.core.heating.zones import zone_array
from controller.core.image import DeviceImage
from controller.core.metering.hourly import HOUR, NO_WISH, BuildingHour, Energy, OpenHour, Wish, ZoneHour, hour_of
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules.allures import Allure

_A_WHILE = timedelta(minutes=1)
"""A value that stays as it was is taken up so often."""
_OFTEN = timedelta(seconds=10)
"""A room that changes with every answer is looked at no more often than this."""


def begin(wiring: Wiring, draft: Draft) -> None:
    """Take up the hour that it is: a start, a reload, or a clock that was set back."""
    site, start, now = wiring.site, hour_of(draft.now), draft.now
    fresh: dict[str, OpenHour] = {key: ZoneHour(start, now) for key in wiring.zone_keys}
    fresh |= {f"building/{each}": BuildingHour(start, now) for each in site.buildings}
    for key in [key for key in draft.hours if key not in fresh]:
        draft.hours.drop(key)
        draft.journal_hours[key] = None
    for key, begun in fresh.items():
        known = draft.hours.get(key)
        if known is None:
            _put(draft, key, begun)
        elif known.start != start:
            _put(draft, key, _rolled(wiring, draft, key, known))
    for building_id in site.buildings:
        draft.schedule(f"hour/{building_id}", start + HOUR)


def due(wiring: Wiring, draft: Draft, building_id: str) -> None:
    """The hour is over: close those that nothing has closed by now."""
    building = wiring.site.buildings.get(building_id)
    if building is None:
        return
    for key in (f"building/{building_id}", *(f"zone/{zone}" for zone in building.zones)):
        hour = draft.hours.get(key)
        if hour is not None and _is_over(draft, hour):
            _put(draft, key, _rolled(wiring, draft, key, hour))
    draft.schedule(f"hour/{building_id}", hour_of(draft.now) + HOUR)


def heard(wiring: Wiring, draft: Draft, device: str, before: DeviceImage, image: DeviceImage) -> None:
    """A device has answered: take up what was until now, of its rooms, its boiler and its counters."""
    site = wiring.site
    for zone_id in wiring.zones_of.get(device, ()):
        if site.zones[zone_id].device == device:
            _zone_heard(wiring, draft, site.zones[zone_id], before, image)
    for building_id in wiring.buildings_at.get(device, ()):
        if site.buildings[building_id].device == device:
            _building_heard(wiring, draft, site.buildings[building_id], before, image)
    for counter in wiring.counted.buildings.get(device, ()):
        _counter_heard(wiring, draft, counter, image)


def rearranged(wiring: Wiring, draft: Draft) -> None:
    """What some zones shall do may be something else from now on."""
    for key in wiring.zone_keys & draft.rearrange:
        zone = wiring.site.zones[key.removeprefix("zone/")]
        hour, wish = draft.hours.get(key), _wish(wiring, draft, zone)
        if not isinstance(hour, ZoneHour) or wish == hour.wish:
            continue
        if _is_over(draft, hour):
            hour = zone_rolled(wiring, draft, zone, hour, None)
        settled = zone_settled(wiring, zone, hour, draft.image.get(zone.device), draft.now)
        _put(draft, key, replace(settled, wish=wish))


def yesterday(draft: Draft, building: Building) -> dict[str, object]:
    """What the latest closed day of a building came to, as fields; nothing before the first one."""
    hour = draft.hours.get(f"building/{building.id}")
    sums = hour.yesterday if isinstance(hour, BuildingHour) else None
    return {} if sums is None else figures_of(sums)


def _zone_heard(wiring: Wiring, draft: Draft, zone: Zone, before: DeviceImage, image: DeviceImage) -> None:
    key, stem = f"zone/{zone.id}", f"zone.{zone.number}"
    hour = draft.hours.get(key)
    if not isinstance(hour, ZoneHour):
        return
    temperature_c, heating_pct = seen.room_c(wiring, draft, zone), image.value(f"{stem}.heating")
    same = temperature_c == hour.temperature_c and heating_pct == hour.heating_pct
    known_alike = (temperature_c is None, heating_pct is None) == (hour.temperature_c is None, hour.heating_pct is None)
    soon = known_alike and draft.now - hour.at < _OFTEN
    if (same or soon) and _may_wait(wiring, draft, zone.device, before, hour):
        return
    if _is_over(draft, hour):
        hour = zone_rolled(wiring, draft, zone, hour, before)
    settled = zone_settled(wiring, zone, hour, before, draft.now)
    _put(draft, key, replace(settled, temperature_c=temperature_c, heating_pct=heating_pct))


def _building_heard(wiring: Wiring, draft: Draft, building: Building, before: DeviceImage, image: DeviceImage) -> None:
    key = f"building/{building.id}"
    hour = draft.hours.get(key)
    if not isinstance(hour, BuildingHour):
        return
    outdoor_c, status = outdoor.plausible_c(image.value(outdoor.POINT)), image.value("boiler.status")
    running = None if status is None else status == 1.0
    same = outdoor_c == hour.outdoor_c and running == hour.running
    if same and _may_wait(wiring, draft, building.device, before, hour):
        return
    if _is_over(draft, hour):
        hour = building_rolled(wiring, draft, building, hour, before)
    settled = building_settled(wiring, building, hour, before, draft.now)
    starts = settled.starts + (hour.running is False and running is True)
    _put(draft, key, replace(settled, outdoor_c=outdoor_c, running=running, starts=starts))


def _counter_heard(wiring: Wiring, draft: Draft, metered: BuildingCounter, image: DeviceImage) -> None:
    """``counting`` has followed the device's own counter: what ours gained belongs to the hour."""
    key, name = f"building/{metered.building}", metered.counter.name
    hour, total = draft.hours.get(key), draft.counters.get(name)
    if total is None or image.value(metered.counter.point) is None or not isinstance(hour, BuildingHour):
        return
    known = next((each for each in hour.energies if each.name == name), None)
    unchanged = known is not None and known.counter == total and not _is_over(draft, hour)
    if unchanged and known is not None and known.seen is not None and draft.now - known.seen < _A_WHILE:
        return
    if _is_over(draft, hour):
        hour = building_rolled(wiring, draft, wiring.site.buildings[metered.building], hour, None)
    energies = {each.name: each for each in hour.energies}
    fresh = Energy(name, metered.source, metered.slack_s)
    energies[name] = energies.get(name, fresh).read(total, draft.now)
    _put(draft, key, replace(hour, energies=tuple(energies.values())))


def _may_wait(wiring: Wiring, draft: Draft, device: str, before: DeviceImage, hour: OpenHour) -> bool:
    """Whether what stays as it was need not be taken up yet: it was known all the time."""
    if before.silent is not None or before.heard is None:
        return False
    if draft.now - hour.at >= _A_WHILE or _is_over(draft, hour):
        return False
    return draft.now - before.heard <= timedelta(seconds=wiring.stale_after_s[device])


def _is_over(draft: Draft, hour: OpenHour) -> bool:
    return draft.now >= hour.start + HOUR


def _rolled(wiring: Wiring, draft: Draft, key: str, hour: OpenHour) -> OpenHour:
    identity = key.partition("/")[2]
    if isinstance(hour, ZoneHour):
        return zone_rolled(wiring, draft, wiring.site.zones[identity], hour, None)
    return building_rolled(wiring, draft, wiring.site.buildings[identity], hour, None)


def _wish(wiring: Wiring, draft: Draft, zone: Zone) -> Wish:
    """What is commanded; of a zone whose setpoint nobody here commands, what its plan is."""
    key = f"zone/{zone.id}"
    demand = draft.demands.get(key)
    winner = zone_array(wiring, draft, zone.id).winner if key in wiring.targets else demand
    if winner is None:
        return NO_WISH
    is_due = demand is not None and demand.allure == Allure.COMFORT.value
    return Wish(winner.value, winner.allure, demand.value if demand is not None and is_due else None)


def _put(draft: Draft, key: str, hour: OpenHour) -> None:
    draft.hours[key] = hour
    draft.journal_hours[key] = hour
