"""Who is in the rooms: the people of a zone come and go by the hours that the site gives it, closed days included."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from config.site import Site
from schedules.occupancy import Occupancy, Presence, evaluate

EARLIEST = timedelta(minutes=15)
"""So long before the opening the first one comes."""
MOVING = timedelta(minutes=30)
"""From the first one to the last one who comes, and before the closing from the first one to the last one who goes."""


class People:
    """Which share of its people is in each zone, 0-1, by the number that the zone has on its device."""

    def __init__(self, site: Site) -> None:
        self._hours: dict[str, dict[int, Occupancy]] = {}
        for zone in site.zones.values():
            self._hours.setdefault(zone.device, {})[zone.number] = zone.occupancy
        self._presences: dict[Occupancy, Presence] = {}

    def at(self, device: str, now: datetime) -> Mapping[int, float]:
        """The zones of a device at the aware instant ``now``; nobody comes to those that the site does not declare."""
        hours = self._hours.get(device, {})
        return {number: _share(self._presence(occupancy, now), now) for number, occupancy in hours.items()}

    def _presence(self, occupancy: Occupancy, now: datetime) -> Presence:
        known = self._presences.get(occupancy)
        if known is None or not known.since <= now < known.until:
            known = self._presences[occupancy] = evaluate(occupancy, now)
        return known


def _share(presence: Presence, now: datetime) -> float:
    if not presence.occupied:
        return max(0.0, (now - presence.until + EARLIEST) / MOVING) if presence.bounded else 0.0
    come = (now - presence.since + EARLIEST) / MOVING
    staying = (presence.until - now) / MOVING if presence.bounded else 1.0
    return min(1.0, come, staying)
