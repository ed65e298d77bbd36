"""Setpoints above the legal temperatures: the French energy code, articles R241-26 and R241-27."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from config.heating import ZoneFile
from config.site import Site
from config.tree.draft import Draft
from schedules.legal_temperatures import DAY_VACANT, DAY_VACANT_C, LONG_VACANT, LONG_VACANT_C, OCCUPIED_C
from schedules.nights import noon
from schedules.occupancy import Occupancy, evaluate

_YEAR = timedelta(days=365)


def lint_setpoints(draft: Draft, site: Site, today: date) -> None:
    """Note every warning; vacancies are looked for in the year from ``today`` on."""
    if site.country != "FR":
        return
    for building in draft.written.buildings:
        for zone in building.zones:
            _capped(draft, zone, "comfort", OCCUPIED_C)
            if not _capped(draft, zone, "reduced", OCCUPIED_C) and zone.allures.reduced > DAY_VACANT_C:
                _reduced(draft, zone, site.zones[f"{building.id}.{zone.id}"].occupancy, today)
            _capped(draft, zone, "frost", LONG_VACANT_C)


def _capped(draft: Draft, zone: ZoneFile, allure: str, cap_c: float) -> bool:
    setpoint_c: float = getattr(zone.allures, allure)
    if setpoint_c <= cap_c:
        return False
    message = f"{setpoint_c:g} degrees C are above the legal {cap_c:g} (average of the building)"
    draft.warning(zone.where("allures", allure), message)
    return True


def _reduced(draft: Draft, zone: ZoneFile, occupancy: Occupancy, today: date) -> None:
    """A night has no limit but that of the hours; a vacancy of a whole day and less than two has one of its own."""
    begins = _day_vacant(occupancy, today)
    if begins is not None:
        message = (
            f"{zone.allures.reduced:g} degrees C are above the legal {DAY_VACANT_C:g} (average of the building) in a "
            f"vacancy of 24 to 48 h, as from {begins.astimezone(occupancy.zone):%a %Y-%m-%d %H:%M} on"
        )
        draft.warning(zone.where("allures", "reduced"), message)


def _day_vacant(occupancy: Occupancy, today: date) -> datetime | None:
    """When the first vacancy of 24 h and less than 48 h in the year from ``today`` on begins."""
    at = noon(today, occupancy.zone)
    end = at + _YEAR
    while at < end:
        presence = evaluate(occupancy, at)
        if not presence.occupied and DAY_VACANT <= presence.until - presence.since < LONG_VACANT:
            return presence.since
        at = presence.until
    return None
