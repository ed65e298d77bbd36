"""Plans against legal hours: every night of the year ahead that a group would be lit beyond what the law permits."""

from __future__ import annotations

from datetime import date, timedelta

from config.site import Site
from config.tree.draft import Draft
from schedules.legal import LegalHours, Stretch, excess, permitted
from schedules.moments import night_of, noon
from schedules.plan import Plan, program_for
from schedules.program import Program, Step, night
from schedules.sun import Place

NIGHTS = 366


def lint_legal(draft: Draft, site: Site, today: date) -> None:
    """Note an error at the ``legal`` of each group whose plan lights beyond its hours in the year from ``today``.

    One that is bound by the group around it has none of its own: the error stands at its ``id``. Nights are worked out
    once a program, whatever the number of plans and groups that have it.
    """
    year = _Year(today, site.place)
    found: dict[tuple[str, LegalHours], list[Stretch]] = {}
    for written in draft.written.groups:
        plan, hours = site.groups[written.id].plan, site.groups[written.id].legal
        if hours is None or not hours.category.limited:
            continue
        key = (plan.id, hours)
        if key not in found:
            found[key] = year.beyond(plan, hours)
        if found[key]:
            where = written.where("id" if written.legal is None else "legal")
            draft.error(where, _words(plan, hours, found[key]))


class _Year:
    """The nights of a year, each program's kept."""

    def __init__(self, first: date, place: Place) -> None:
        self.place = place
        self.days = [first + timedelta(days=ahead) for ahead in range(NIGHTS)]
        self.nights: dict[tuple[str, date], tuple[Step, ...]] = {}

    def beyond(self, plan: Plan, hours: LegalHours) -> list[Stretch]:
        """Where the plan is lit outside the hours."""
        steps = [step for day in self.days for step in self._night(program_for(plan, day)[0], day)]
        end = noon(self.days[-1] + timedelta(days=1), self.place.zone)
        cover = [(each.start, each.end) for day in self.days for each in permitted(hours, day, self.place)]
        return excess(steps, end, cover)

    def _night(self, program: Program, day: date) -> tuple[Step, ...]:
        key = (program.id, day)
        if key not in self.nights:
            self.nights[key] = night(program, day, self.place)
        return self.nights[key]


def _words(plan: Plan, hours: LegalHours, beyond: list[Stretch]) -> str:
    zone = plan.place.zone
    nights = len({night_of(start, zone) for start, _ in beyond})
    start, end = (f"{at.astimezone(zone):%H:%M}" for at in beyond[0])
    return (
        f"plan {plan.id} is lit outside the {hours.words}; on {nights} {'night' if nights == 1 else 'nights'} of the "
        f"year ahead, first on {night_of(beyond[0][0], zone)} from {start} to {end}: change the plan, or record a "
        "derogation under derogations"
    )
