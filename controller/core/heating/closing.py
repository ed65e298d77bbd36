"""An hour is over: its row for the journal, the sums of its day, and the month that ends with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from config.site import Building, LawGuard, Zone
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.metering.degree_days import LEAST_KNOWN_H
from controller.core.metering.hourly import HOUR, BuildingHour, DaySums, ZoneHour, hour_of
from controller.core.metering.monthly import month_span
from controller.core.metering.rows import building_row, zone_row
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules import legal_temperatures, occupancy

_S_PER_H = 3600.0


def zone_rolled(wiring: Wiring, draft: Draft, zone: Zone, hour: ZoneHour, image: DeviceImage | None) -> ZoneHour:
    """The hour that it is now, the one before closed; ``image``: the device as it was until now."""
    end, key = hour.start + HOUR, f"zone/{zone.id}"
    closed = zone_settled(wiring, zone, hour, image or draft.image.get(zone.device), min(end, draft.now))
    guarded = wiring.site.buildings[zone.building].law is not LawGuard.OFF
    draft.closed_hours.append(zone_row(key, closed, legal_cap_c(zone, hour.start, end) if guarded else None))
    start = hour_of(draft.now)
    _close_month(wiring, draft, key, hour.start, start)
    fresh = closed.next(start)
    return fresh if start == end else replace(fresh, at=draft.now)


def building_rolled(
    wiring: Wiring, draft: Draft, building: Building, hour: BuildingHour, image: DeviceImage | None
) -> BuildingHour:
    """The same of a building."""
    end, key = hour.start + HOUR, f"building/{building.id}"
    closed = building_settled(wiring, building, hour, image or draft.image.get(building.device), min(end, draft.now))
    closed = replace(closed, energies=tuple(each.closed(end) for each in closed.energies))
    draft.closed_hours.append(building_row(key, closed))
    start = hour_of(draft.now)
    _close_month(wiring, draft, key, hour.start, start)
    fresh = _with_day(wiring, draft, key, closed, closed.next(start))
    return fresh if start == end else replace(fresh, at=draft.now)


def zone_settled(wiring: Wiring, zone: Zone, hour: ZoneHour, image: DeviceImage | None, at: datetime) -> ZoneHour:
    """Accounted up to ``at`` by what ``image`` knew."""
    points = (f"zone.{zone.number}.temperature", f"zone.{zone.number}.heating")
    return hour.settled(at, *(_known_until(wiring, zone.device, image, point) for point in points))


def building_settled(
    wiring: Wiring, building: Building, hour: BuildingHour, image: DeviceImage | None, at: datetime
) -> BuildingHour:
    """Accounted up to ``at`` by what ``image`` knew."""
    points = ("outdoor.temperature", "boiler.status")
    return hour.settled(at, *(_known_until(wiring, building.device, image, point) for point in points))


def legal_cap_c(zone: Zone, start: datetime, end: datetime) -> float:
    """The most lenient legal temperature in [start, end): 19 while occupied and in short vacancies, then 16, then 8."""
    highest, at = legal_temperatures.LONG_VACANT_C, start
    while at < end:
        presence = occupancy.evaluate(zone.occupancy, at)
        highest = max(highest, legal_temperatures.cap_c(presence))
        at = presence.until
    return highest


def figures_of(sums: DaySums) -> dict[str, object]:
    """A closed day as fields of a message."""
    degree_days = sums.degree_days(LEAST_KNOWN_H * _S_PER_H)
    mean_c = sums.outdoor.mean
    return {
        "day": sums.day,
        **{f"day_{source}_kwh": round(kwh, 2) for source, kwh in sums.energy_kwh},
        "day_degree_days": None if degree_days is None else round(degree_days, 2),
        "day_outdoor_c": None if mean_c is None else round(mean_c, 1),
    }


def _with_day(wiring: Wiring, draft: Draft, key: str, closed: BuildingHour, fresh: BuildingHour) -> BuildingHour:
    """The sums of the local day; a day that has ended is told."""
    place = wiring.site.place.zone
    day = closed.start.astimezone(place).date().isoformat()
    sums = closed.day if closed.day is not None and closed.day.day == day else DaySums(day)
    sums = sums.plus(closed)
    if fresh.start.astimezone(place).date().isoformat() == day:
        return replace(fresh, day=sums, yesterday=closed.yesterday)
    draft.event("heating-day", key, **figures_of(sums))
    draft.changed.add(key)
    return replace(fresh, yesterday=sums)


def _close_month(wiring: Wiring, draft: Draft, key: str, before: datetime, after: datetime) -> None:
    place = wiring.site.place.zone
    span = month_span(key, before, place)
    if after.astimezone(place).strftime("%Y-%m") != span.month:
        draft.closed_months.append(span)


def _known_until(wiring: Wiring, device: str, image: DeviceImage | None, point: str) -> datetime | None:
    """Until when the last reading holds: until it is stale, or the device fell silent."""
    reading = (image or NOTHING_HEARD).readings.get(point)
    if image is None or reading is None:
        return None
    until = reading.at + timedelta(seconds=wiring.stale_after(device, point))
    return until if image.silent is None else min(until, image.silent.at)
