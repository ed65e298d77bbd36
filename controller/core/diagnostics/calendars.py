"""``calendarEnds``: dated days that run out soon, or have; after them every day is an ordinary one, and nobody notices.

Looked at when the core begins and at the midnights at which something may be different. What one building alone uses
is told of that building, everything else of the site: a town's holidays that end are one alarm and not one a school.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, time, timedelta

from config.site import Site
from controller.core.diagnostics.alarms import noticed
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Notice
from schedules.calendars import ENDS_SOON
from schedules.exceptions import Extent
from schedules.nights import at_local
from schedules.occupancy import Occupancy

EVENT = "calendarEnds"
DUE = "calendars"
"""The kind of the due instant; ``calendars/end`` is the only one."""
_DAY = timedelta(days=1)


def judge(wiring: Wiring, draft: Draft) -> None:
    """Raise, renew or end the alarms of this local day, and say when to look again."""
    zone = wiring.site.place.zone
    today = draft.now.astimezone(zone).date()
    ends = _by_subject(wiring.site)
    for subject in (f"site/{wiring.site.id}", *(f"building/{building}" for building in wiring.site.buildings)):
        noticed(wiring, draft, _notice(draft, subject, ends.get(subject, []), today))
    again = [day for extents in ends.values() for each in extents if (day := _next_look(each, today)) is not None]
    draft.schedule(f"{DUE}/end", at_local(min(again), time(0), zone) if again else None)


def due(wiring: Wiring, draft: Draft, _rest: str) -> None:
    """Midnight: a day less."""
    judge(wiring, draft)


def _notice(draft: Draft, subject: str, extents: list[Extent], today: date) -> Notice:
    ending = sorted(
        (each for each in extents if each.valid_until - today <= ENDS_SOON),
        key=lambda each: (each.valid_until, each.name),
    )
    if not ending:
        return Notice(subject, EVENT, False, draft.now)
    left = (ending[0].valid_until - today).days
    detail = "; ".join(
        f"{each.name} {'ended' if each.valid_until < today else 'ends'} on {each.valid_until}" for each in ending
    )
    return Notice(
        subject, EVENT, True, draft.now, "major" if left < 0 else "minor", float(left), float(ENDS_SOON.days), detail
    )


def _next_look(extent: Extent, today: date) -> date | None:
    """The next day on which there is something else to tell of it; None once it has ended."""
    if extent.valid_until < today:
        return None
    return max(extent.valid_until - ENDS_SOON, today + _DAY)


def _by_subject(site: Site) -> dict[str, list[Extent]]:
    """What runs out one day, by whom it concerns."""
    users: defaultdict[Extent, set[str]] = defaultdict(set)
    for calendar in site.calendars.values():
        if calendar.valid_until is not None:
            users[Extent(calendar.id, calendar.valid_until)] = set()
    for occupancy in site.occupancies.values():
        for extent in occupancy.extents:
            users[extent] = set()
    for zone in site.zones.values():
        for extent in _of_occupancy(zone.occupancy):
            users[extent].add(f"building/{zone.building}")
    found: defaultdict[str, list[Extent]] = defaultdict(list)
    for extent, buildings in users.items():
        found[buildings.pop() if len(buildings) == 1 else f"site/{site.id}"].append(extent)
    return found


def _of_occupancy(occupancy: Occupancy) -> Iterator[Extent]:
    for calendar in occupancy.closed:
        if calendar.valid_until is not None:
            yield Extent(calendar.id, calendar.valid_until)
    yield from occupancy.extents
