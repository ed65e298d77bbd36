"""Control programs and plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from config.fields import START
from config.lighting import DerogationFile, PlanFile, ProgramFile, RuleFile
from config.problems import did_you_mean
from config.tree.draft import Draft
from schedules.calendars import ALLOWED, Calendar, DayRule, DayRuleError, parse_days
from schedules.moments import parse_moment
from schedules.plan import Plan, Rule
from schedules.program import LevelStep, PolarPolicy, Program
from schedules.sun import Place

_NONE = timedelta()


def build_programs(draft: Draft) -> dict[str, Program]:
    """The control programs by id."""
    return {name: _program(draft, name, written) for name, written in draft.written.programs.items()}


def _program(draft: Draft, name: str, written: ProgramFile) -> Program:
    steps: dict[object, str] = {}
    for text in written.levels:
        moment = START if text == START else parse_moment(text)
        first = steps.setdefault(moment, text)
        if first != text:
            draft.error(written.where("levels", text), f'the same moment as "{first}"', at_key=True)
    levels = (LevelStep(parse_moment(text), level) for text, level in written.levels.items() if text != START)
    return Program(
        name,
        parse_moment(written.lit.begin),
        parse_moment(written.lit.to),
        tuple(levels),
        written.levels.get(START, 100.0),
        written.lit.at_least or _NONE,
        written.ramp or _NONE,
        PolarPolicy(written.sun_stays_up),
        PolarPolicy(written.sun_stays_down),
    )


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
        days = days_of(draft, rule, calendars)
        if program and days:
            yield Rule(days, program)


def days_of(draft: Draft, rule: RuleFile | DerogationFile, calendars: Mapping[str, Calendar]) -> DayRule | None:
    """The days of an ``on:``, judged word by word so that each wrong one is reported at its place."""
    is_list = isinstance(draft.document.at(rule.where("on")), list)
    right = True
    for index, word in enumerate(rule.on):
        try:
            parse_days([word], calendars)
        except DayRuleError as error:
            right = False
            if error.word not in draft.declared("calendar"):
                where = rule.where("on", index) if is_list else rule.where("on")
                hint = did_you_mean(error.word, error.allowed) or ";"
                draft.error(where, f'"{word}" names no day{hint} allowed: {ALLOWED}')
    return parse_days(rule.on, calendars) if right else None
