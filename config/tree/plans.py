"""Control programs and plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from config.fields import START
from config.lighting import DerogationFile, LitFile, PlanFile, ProgramFile, RuleFile
from config.problems import did_you_mean
from config.site import Photocell
from config.source import Where
from config.tree.draft import Draft
from schedules.calendars import ALLOWED, Calendar, DayRule, DayRuleError, parse_days
from schedules.moments import MAX_OFFSET, Moment, OccupancyEdge, bound, parse_moment
from schedules.occupancy import Occupancy
from schedules.photocell import PhotocellWindow
from schedules.plan import Plan, Rule
from schedules.program import LevelStep, PolarPolicy, Program
from schedules.sun import Place

EARLY, LATE = timedelta(minutes=30), timedelta(minutes=15)
"""How long before and after an end of the lit period a photocell decides, where nobody says otherwise."""
_NONE = timedelta()


def build_programs(
    draft: Draft, occupancies: Mapping[str, Occupancy], cells: Mapping[str, Photocell]
) -> dict[str, Program]:
    """The control programs by id."""
    return {
        name: _program(draft, name, written, occupancies, cells) for name, written in draft.written.programs.items()
    }


def _program(
    draft: Draft,
    name: str,
    written: ProgramFile,
    occupancies: Mapping[str, Occupancy],
    cells: Mapping[str, Photocell],
) -> Program:
    steps: dict[object, str] = {}
    for text in written.levels:
        moment = START if text == START else parse_moment(text)
        first = steps.setdefault(moment, text)
        if first != text:
            draft.error(written.where("levels", text), f'the same moment as "{first}"', at_key=True)
    lit = written.lit
    levels = [
        LevelStep(moment_of(draft, text, occupancies, written.where("levels", text), at_key=True), level)
        for text, level in written.levels.items()
        if text != START
    ]
    return Program(
        name,
        moment_of(draft, lit.begin, occupancies, lit.where("from")),
        moment_of(draft, lit.to, occupancies, lit.where("to")),
        tuple(levels),
        written.levels.get(START, 100.0),
        written.lit.at_least or _NONE,
        written.ramp or _NONE,
        PolarPolicy(written.sun_stays_up),
        PolarPolicy(written.sun_stays_down),
        _window(draft, lit, cells),
    )


def moment_of(
    draft: Draft, text: str, occupancies: Mapping[str, Occupancy], where: Where, *, at_key: bool = False
) -> Moment:
    """The moment with the hours of the building that it names."""
    moment = parse_moment(text)
    if isinstance(moment, OccupancyEdge):
        spot = draft.spot(where, at_key=at_key)
        draft.find_at("occupancy", moment.occupancy, occupancies, spot, draft.document.label(where))
    return bound(moment, occupancies)


def _window(draft: Draft, lit: LitFile, cells: Mapping[str, Photocell]) -> PhotocellWindow | None:
    written = lit.photocell
    if written is None:
        return None
    draft.find("photocell", written.cell, cells, written.where("cell"))
    early = EARLY if written.early is None else written.early
    late = LATE if written.late is None else written.late
    for key, span in (("early", early), ("late", late)):
        if span > MAX_OFFSET:
            draft.error(written.where(key), "must not exceed 12h, or it leaves the night")
    return PhotocellWindow(written.cell, early, late)


def build_plans(
    draft: Draft, programs: Mapping[str, Program], calendars: Mapping[str, Calendar], place: Place
) -> dict[str, Plan]:
    """The plans by id."""
    plans: dict[str, Plan] = {}
    for name, written in draft.written.plans.items():
        default = draft.find("program", written.default, programs, written.where("default"))
        rules = tuple(_rules(draft, written, programs, calendars))
        if default:
            plans[name] = Plan(name, default, rules, place)
    return plans


def _rules(
    draft: Draft, written: PlanFile, programs: Mapping[str, Program], calendars: Mapping[str, Calendar]
) -> Iterator[Rule]:
    for rule in written.rules:
        program = draft.find("program", rule.program, programs, rule.where("program"))
        on, within = days_of(draft, rule, "on", calendars), days_of(draft, rule, "within", calendars)
        if draft.lacks(rule, "on", "within"):
            draft.error(rule.where(), "a rule needs its days: on, within, or both")
        if program and (on or within):
            yield Rule(on, program, within)


def days_of(
    draft: Draft, rule: RuleFile | DerogationFile, key: str, calendars: Mapping[str, Calendar]
) -> DayRule | None:
    """The days of an ``on:`` or ``within:``, judged word by word so that each wrong one is reported at its place."""
    words: tuple[str, ...] = getattr(rule, key)
    is_list = isinstance(draft.document.at(rule.where(key)), list)
    right = True
    for index, word in enumerate(words):
        try:
            parse_days([word], calendars)
        except DayRuleError as error:
            right = False
            if error.word not in draft.declared("calendar"):
                where = rule.where(key, index) if is_list else rule.where(key)
                hint = did_you_mean(error.word, error.allowed) or ";"
                draft.error(where, f'"{word}" names no day{hint} allowed: {ALLOWED}')
    return parse_days(words, calendars) if words and right else None
