"""The linter of plans: every night of the year ahead is looked at, as the core will command it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from config.fields import START
from config.lighting import ProgramFile
from config.site import Site
from config.source import Where
from config.tree.draft import Draft
from schedules import occupancy as presence_of
from schedules.cuts import Cut, cuts_of
from schedules.moments import Edge, Moment, OccupancyEdge, duration_text, noon, resolve
from schedules.nights import night_span
from schedules.occupancy import Occupancy, closing_of_night, opening_of_night
from schedules.photocell import Ambient
from schedules.plan import Plan, program_for
from schedules.program import LevelStep, Program, Step, cell_windows, lit_period, night
from schedules.sun import Place

NIGHTS = 366
SHORT = timedelta(minutes=15)
"""A stretch of light that is hardly worth lighting, where a program does not say at_least itself."""
WIDE = timedelta(hours=2)
"""A photocell that decides for so long around sunset or sunrise is no guard against a cell that fails."""

_DAY = timedelta(days=1)
_NONE = timedelta()


@dataclass(frozen=True, slots=True)
class _Nights:
    """A program as the file has it, and the nights of the year on which some plan runs it."""

    program: Program
    written: ProgramFile
    days: tuple[date, ...]
    place: Place

    def steps(self) -> list[tuple[str, LevelStep]]:
        """The level steps with their keys in the file."""
        texts = [text for text in self.written.levels if text != START]
        return list(zip(texts, self.program.levels, strict=True))


def lint_plans(draft: Draft, site: Site, today: date) -> None:
    """Note what is odd about the plans in use and their programs, in the year that begins ``today``."""
    year = [today + _DAY * ahead for ahead in range(NIGHTS)]
    plans = {group.plan.id: group.plan for group in site.groups.values()}
    days: dict[str, dict[date, Program]] = defaultdict(dict)
    for plan in plans.values():
        for day in year:
            program, _ = program_for(plan, day)
            days[program.id][day] = program
        _rules_that_never_win(draft, plan, year)
    for name, chosen in days.items():
        program = next(iter(chosen.values()))
        nights = _Nights(program, draft.written.programs[name], tuple(sorted(chosen)), site.place)
        _lint_program(draft, nights)
    _below_minimum(draft, site)


def _lint_program(draft: Draft, nights: _Nights) -> None:
    dark = all(step.level == 0 for day in nights.days for step in night(nights.program, day, nights.place))
    if dark:
        draft.warning(nights.written.where("lit"), "never lit on any night of the year ahead", at_key=True)
        return
    _steps_without_effect(draft, nights)
    _restarts_after_the_end(draft, nights)
    _short_stretches(draft, nights)
    _photocell(draft, nights)
    _buildings(draft, nights)


def _rules_that_never_win(draft: Draft, plan: Plan, year: Iterable[date]) -> None:
    written = draft.written.plans[plan.id]
    first_match = [
        next((index for index, rule in enumerate(plan.rules) if rule.reason(day) is not None), None) for day in year
    ]
    for index, rule in enumerate(written.rules):
        if index in first_match:
            continue
        matched = any(plan.rules[index].reason(day) is not None for day in year)
        cause = "an earlier rule always wins" if matched else "none of its days come"
        draft.warning(rule.where("on" if rule.on else "within"), f"this rule never applies in the year ahead: {cause}")


def _steps_without_effect(draft: Draft, nights: _Nights) -> None:
    """A step that can be taken out without any night changing."""
    for text, step in nights.steps():
        others = tuple(other for other in nights.program.levels if other is not step)
        without = replace(nights.program, levels=others)
        if not any(_changes(nights.program, without, day, nights.place) for day in nights.days):
            where = nights.written.where("levels", text)
            draft.warning(where, "this step never changes anything in the year ahead", at_key=True)


def _changes(program: Program, without: Program, day: date, place: Place) -> bool:
    """In any light: a step within a photocell's window may come before dusk by the clock."""
    ambients = Ambient if program.photocell else (Ambient.UNKNOWN,)
    return any(_levels(night(program, day, place, a)) != _levels(night(without, day, place, a)) for a in ambients)


def _levels(steps: Iterable[Step]) -> list[tuple[datetime, float]]:
    return [(step.at, step.level) for step in steps]


def _restarts_after_the_end(draft: Draft, nights: _Nights) -> None:
    """Steps that would light again after a cut, but come after the lit period has ended."""
    counts: dict[str, int] = defaultdict(int)
    for day in nights.days:
        end = resolve(nights.program.lit_to, day, nights.place)
        timed = [(resolve(step.moment, day, nights.place), text, step) for text, step in nights.steps()]
        known = sorted(
            ((at, text, step) for at, text, step in timed if isinstance(at, datetime)), key=lambda item: item[0]
        )
        level = nights.program.start_level
        for at, text, step in known:
            if isinstance(end, datetime) and at >= end and step.level > 0 and level == 0:
                counts[text] += 1
            level = step.level
    for text, count in counts.items():
        if count < len(nights.days):
            message = f"comes after {nights.program.lit_to} on {count} mornings of the year ahead: no light again then"
            draft.warning(nights.written.where("levels", text), message, at_key=True)


def _short_stretches(draft: Draft, nights: _Nights) -> None:
    """Stretches that at_least keeps dark though they are worth lighting, or that are short enough to want one."""
    program = nights.program
    limit = program.at_least or SHORT
    whole = replace(program, at_least=_NONE)
    short = [s for day in nights.days for s in _stretches(whole, day, nights.place) if s < limit]
    if program.at_least:
        short = [s for s in short if s >= SHORT]
    if not short:
        return
    count, shortest = f"{len(short)} nights of the year ahead", duration_text(min(short))
    if program.at_least:
        message = f"keeps a stretch of light dark on {count} (longest {duration_text(max(short))})"
        draft.warning(nights.written.lit.where("at_least"), message)
    else:
        message = f"a stretch of light is shorter than 15m on {count} (shortest {shortest}); at_least: 15m avoids it"
        draft.warning(nights.written.where("lit"), message)


def _stretches(program: Program, day: date, place: Place) -> list[timedelta]:
    """The lengths of the night's stretches of light that do not touch noon."""
    steps = night(program, day, place)
    found: list[timedelta] = []
    start: datetime | None = None
    for step in steps:
        if step.level > 0 and start is None:
            start = step.at
        elif step.level == 0 and start is not None:
            if start > noon(day, place.zone):
                found.append(step.at - start)
            start = None
    return found


def _photocell(draft: Draft, nights: _Nights) -> None:
    """Windows in which a photocell never decides, decides all night, or for longer than a failed cell should."""
    cell, written = nights.program.photocell, nights.written.lit.photocell
    if cell is None or written is None:
        return
    if not cell.early and not cell.late:
        draft.warning(written.where(), "early and late are 0s: the photocell never decides")
    for key, span in (("early", cell.early), ("late", cell.late)):
        if span > WIDE:
            where = written.where(key)
            draft.warning(where, f"a photocell that fails moves the lights by {duration_text(span)}; 30m is usual")
    whole = sum(_is_all_night(nights.program, day, nights.place) for day in nights.days)
    if whole:
        message = f"on {whole} nights of the year ahead the photocell decides all night: its windows meet"
        draft.warning(written.where(), message)


def _is_all_night(program: Program, day: date, place: Place) -> bool:
    lit = lit_period(program, day, place)
    return lit is not None and any(lit.within(window) == lit for window in cell_windows(program, day, place))


def _buildings(draft: Draft, nights: _Nights) -> None:
    """Buildings whose closing or opening never comes, and cuts while somebody is there."""
    seen: dict[str, tuple[Occupancy, Where, bool]] = {}
    for moment, where, is_key in _moments(nights):
        if not isinstance(moment, OccupancyEdge) or moment.hours is None:
            continue
        seen.setdefault(moment.occupancy, (moment.hours, where, is_key))
        if not any(_comes(moment.edge, moment.hours, day, nights.place) for day in nights.days):
            does = "closes in the evening" if moment.edge is Edge.CLOSING else "opens in the morning"
            draft.warning(where, f"{moment.occupancy} never {does} in the year ahead", at_key=is_key)
    for name, (hours, where, is_key) in seen.items():
        dark = [
            day
            for day in nights.days
            if any(_is_occupied(hours, cut) for cut in cuts_of(nights.program, day, nights.place))
        ]
        if dark:
            message = f"cut while {name} is occupied on {len(dark)} nights of the year ahead, the first {dark[0]}"
            draft.warning(where, message, at_key=is_key)


def _moments(nights: _Nights) -> Iterator[tuple[Moment, Where, bool]]:
    """Every moment of the program and its place, which may be a key."""
    lit = nights.written.lit
    yield nights.program.lit_from, lit.where("from"), False
    yield nights.program.lit_to, lit.where("to"), False
    for text, step in nights.steps():
        yield step.moment, nights.written.where("levels", text), True


def _comes(edge: Edge, hours: Occupancy, day: date, place: Place) -> bool:
    if edge is Edge.OPENING:
        return opening_of_night(hours, day) is not None
    return closing_of_night(hours, day) in night_span(day, place.zone)


def _is_occupied(hours: Occupancy, cut: Cut) -> bool:
    """Whether anybody is there at any instant of the cut."""
    presence = presence_of.evaluate(hours, cut.start)
    return presence.occupied or (presence.bounded and presence.until < cut.end)


def _below_minimum(draft: Draft, site: Site) -> None:
    """Levels that a lamp of the group cannot hold."""
    lowest: dict[str, tuple[float, str]] = {}
    for group in site.groups.values():
        for program in (group.plan.default, *(rule.program for rule in group.plan.rules)):
            for type_ in {site.lamps[lamp].type for lamp in group.lamps}:
                lowest[program.id] = max(lowest.get(program.id, (0.0, "")), (type_.min_level, type_.id))
    for name, (level, kind) in lowest.items():
        written = draft.written.programs[name]
        for text, wanted in written.levels.items():
            if 0 < wanted < level:
                message = f"lamps of type {kind} do not go below {level:g} %"
                draft.warning(written.where("levels", text), message)
