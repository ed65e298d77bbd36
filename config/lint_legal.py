"""Plans against legal hours: every night of the year ahead that a group would be lit beyond what the law permits."""

from __future__ import annotations

from datetime import date, timedelta

from config.site import Site
from config.tree.draft import Draft
from schedules.legal import LegalHours, Stretch, excess, permitted_between
from schedules.moments import night_of, noon
from schedules.plan import Plan, steps_between

NIGHTS = 366


def lint_legal(draft: Draft, site: Site, today: date) -> None:
    """Note an error at the ``legal`` of each group whose plan lights beyond its hours in the year from ``today``."""
    found: dict[tuple[object, ...], list[Stretch]] = {}
    for written in draft.written.groups:
        plan, hours = site.groups[written.id].plan, site.groups[written.id].legal
        if hours is None or not hours.category.limited:
            continue
        key = (plan.id, hours.category, hours.occupancy, hours.derogations)
        if key not in found:
            found[key] = _beyond(plan, hours, today)
        if found[key]:
            draft.error(written.where("legal"), _words(plan, hours, found[key]))


def _beyond(plan: Plan, hours: LegalHours, today: date) -> list[Stretch]:
    place = plan.place
    start, end = noon(today, place.zone), noon(today + timedelta(days=NIGHTS), place.zone)
    cover = [(each.start, each.end) for each in permitted_between(hours, start, end, place)]
    return excess(steps_between(plan, start, end), end, cover)


def _words(plan: Plan, hours: LegalHours, beyond: list[Stretch]) -> str:
    zone = plan.place.zone
    nights = len({night_of(start, zone) for start, _ in beyond})
    start, end = (f"{at.astimezone(zone):%H:%M}" for at in beyond[0])
    return (
        f"plan {plan.id} is lit outside the {hours.words}; on {nights} {'night' if nights == 1 else 'nights'} of the "
        f"year ahead, first on {night_of(beyond[0][0], zone)} from {start} to {end}: change the plan, or record a "
        "derogation under derogations"
    )
