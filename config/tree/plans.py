"""Control programs, plans and the groups that follow them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from config.fields import START
from config.lighting import GroupFile, PlanFile, ProgramFile, RuleFile
from config.problems import did_you_mean
from config.site import Group
from config.tree.draft import Draft
from config.tree.inventory import Inventory, lamps_by
from schedules.calendars import ALLOWED, Calendar, DayRule, DayRuleError, parse_days
from schedules.moments import parse_moment
from schedules.plan import Plan, Rule
from schedules.program import LevelStep, PolarPolicy, Program
from schedules.sun import Place

_NONE = timedelta()
_SHOWN = 5


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
        days = _days(draft, rule, calendars)
        if program and days:
            yield Rule(days, program)


def _days(draft: Draft, rule: RuleFile, calendars: Mapping[str, Calendar]) -> DayRule | None:
    """The days of a rule, judged word by word so that each wrong one is reported at its place."""
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


def build_groups(draft: Draft, plans: Mapping[str, Plan], inventory: Inventory) -> dict[str, Group]:
    """The groups by id with their members of today; nobody may belong to two."""
    groups: dict[str, Group] = {}
    owner: dict[str, str] = {}
    for written in draft.written.groups:
        spot, label = draft.spot(written.where("id")), draft.document.label(written.where("id"))
        if not draft.unique("group", written.id, spot, label):
            continue
        lamps = _members(draft, written, inventory)
        segments = _segments(draft, written, inventory)
        _claim(draft, written, "lamps", lamps, owner)
        _claim(draft, written, "segments", segments, owner)
        plan = draft.find("plan", written.plan, plans, written.where("plan"))
        if plan:
            groups[written.id] = Group(written.id, plan, lamps, segments)
    return groups


def _members(draft: Draft, written: GroupFile, inventory: Inventory) -> tuple[str, ...]:
    """The lamps that fit any of the group's words, in the order of the inventory."""
    if written.lamps is None:
        return ()
    chosen: set[str] = set()
    chosen.update(_chosen(draft, written, "street", lamps_by(inventory, "street")))
    chosen.update(_chosen(draft, written, "cabinet", _with_all(inventory.cabinets, lamps_by(inventory, "cabinet"))))
    chosen.update(_chosen(draft, written, "segment", _with_all(inventory.segments, lamps_by(inventory, "segment"))))
    chosen.update(_chosen(draft, written, "id", {name: [name] for name in inventory.lamps}, "lamp"))
    return tuple(name for name in inventory.lamps if name in chosen)


def _with_all(known: Mapping[str, object], found: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """``found`` with an empty list for those that exist but hold no lamp."""
    return {name: found.get(name, []) for name in known}


def _chosen(
    draft: Draft, written: GroupFile, key: str, known: Mapping[str, list[str]], kind: str = ""
) -> Iterator[str]:
    if written.lamps is None:
        return
    where = written.lamps.where(key)
    is_list = isinstance(draft.document.at(where), list)
    for index, word in enumerate(getattr(written.lamps, key)):
        yield from draft.find(kind or key, word, known, (*where, index) if is_list else where) or ()


def _segments(draft: Draft, written: GroupFile, inventory: Inventory) -> tuple[str, ...]:
    """Segments of their own; one that feeds lamps follows these and has no plan besides."""
    feeding = lamps_by(inventory, "segment")
    own: list[str] = []
    is_list = isinstance(draft.document.at(written.where("segments")), list)
    for index, name in enumerate(written.segments):
        where = written.where("segments", index) if is_list else written.where("segments")
        segment = draft.find("segment", name, inventory.segments, where)
        if segment and name in feeding:
            lamps = ", ".join(feeding[name][:_SHOWN])
            draft.error(where, f'segment "{name}" feeds lamps ({lamps}) and follows them; list the lamps instead')
        elif segment:
            own.append(name)
    return tuple(own)


def _claim(draft: Draft, written: GroupFile, key: str, names: tuple[str, ...], owner: dict[str, str]) -> None:
    """One group each; those that another group has already are one error, at this group."""
    taken: dict[str, list[str]] = {}
    for name in names:
        first = owner.setdefault(f"{key}/{name}", written.id)
        if first != written.id:
            taken.setdefault(first, []).append(name)
    for first, doubled in taken.items():
        more = f" and {len(doubled) - _SHOWN} more" if len(doubled) > _SHOWN else ""
        listed = ", ".join(doubled[:_SHOWN]) + more
        draft.error(written.where(key), f'already in group "{first}": {listed}')
