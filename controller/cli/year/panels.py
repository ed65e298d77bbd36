"""What each panel of the picture shows: which targets share it, its stretches, its programs and its figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from config.site import Group, Lamp
from controller.cli.year.elements import figure
from controller.cli.year.nights import Night, Stretch, clipped
from controller.cli.year.sky import Light
from controller.core.drive import expected_power_w, told_level
from controller.core.lighting import by_pattern
from controller.core.state import Draft, State
from controller.core.timetable import Entry, groups_behind, timetable
from controller.core.wiring import Wiring
from schedules.legal import LegalHours
from schedules.plan import DEFAULT, Plan, program_for

_HOUR = timedelta(hours=1)


class Kind(StrEnum):
    """What the shade of a panel stands for."""

    LEVEL = "level"
    CONTACTOR = "contactor"
    SETPOINT = "setpoint"


@dataclass(frozen=True, slots=True)
class Setpoint:
    """The value of a zone's stretch, in °C, with the allure that it belongs to."""

    celsius: float
    allure: str


@dataclass(frozen=True, slots=True)
class Member:
    """One target of a panel with what it has of its own."""

    target: str
    words: str


@dataclass(frozen=True, slots=True)
class RuleNights:
    """Consecutive nights on which rules have ``program`` run; ``reasons`` night by night."""

    program: str
    first: Night
    last: Night
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it counts; ``wrong`` where no plan means it to be so."""

    value: float
    unit: str
    words: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing; ``default`` is the program of the nights without a rule (None where there are no programs)."""

    kind: Kind
    subject: str
    members: tuple[Member, ...]
    stretches: tuple[Stretch, ...]
    figures: tuple[Figure, ...]
    default: str | None = None
    by_rule: tuple[RuleNights, ...] = ()


def panels(wiring: Wiring, nights: Sequence[Night], light: Sequence[Stretch], names: Sequence[str]) -> list[Panel]:
    """Lighting first. Targets that are commanded alike share a panel; the timetable is worked out once for them.

    A segment among other targets has a panel only where it may be closed at other hours than a group is lit.
    """
    kinds: dict[str, list[str]] = {"group": [], "segment": [], "zone": []}
    for name in names:
        kinds[name.partition("/")[0]].append(name)
    alone = len(names) == 1
    return [
        *_group_panels(wiring, nights, light, kinds["group"]),
        *_segment_panels(
            wiring, nights, [name for name in kinds["segment"] if alone or _closes_otherwise(wiring, name)]
        ),
        *_zone_panels(wiring, nights, kinds["zone"]),
    ]


def _group_panels(
    wiring: Wiring, nights: Sequence[Night], light: Sequence[Stretch], names: Iterable[str]
) -> Iterator[Panel]:
    together: defaultdict[tuple[Plan, LegalHours | None], list[Group]] = defaultdict(list)
    for name in names:
        group = wiring.site.groups[name.partition("/")[2]]
        together[group.plan, group.legal].append(group)
    for (plan, law), groups in together.items():
        entries = _entries(wiring, nights, f"group/{groups[0].id}")
        stretches = tuple(Stretch(entry.start, entry.end, entry.level) for entry in entries)
        hours = _hours_by_value(stretches)
        energy = [_energy_kwh(wiring, nights[0].start, group, hours) for group in groups]
        figures = (*_lit_figures(stretches, hours, nights, light), Figure(sum(energy), "kWh", "while lit"))
        members = tuple(
            Member(f"group/{group.id}", _with_energy(group, kwh) if len(groups) > 1 else _about(group))
            for group, kwh in zip(groups, energy, strict=True)
        )
        shown = figures if any(group.lamps for group in groups) else figures[:-1]
        by_rule = tuple(_rule_nights(plan, nights))
        subject = f"plan {plan.id}, legal hours {law.category.id}" if law else f"plan {plan.id}"
        yield Panel(Kind.LEVEL, subject, members, stretches, shown, plan.default.id, by_rule)


def _segment_panels(wiring: Wiring, nights: Sequence[Night], names: Iterable[str]) -> Iterator[Panel]:
    together: defaultdict[tuple[Stretch, ...], list[str]] = defaultdict(list)
    for name in names:
        entries = _entries(wiring, nights, name)
        together[tuple(Stretch(entry.start, entry.end, entry.level) for entry in entries)].append(name)
    for stretches, alike in together.items():
        plans = dict.fromkeys(group.plan.id for name in alike for group in _groups(wiring, name))
        members = tuple(Member(name, f"cabinet {wiring.site.segments[_id(name)].cabinet}") for name in alike)
        closed = sum(hours for value, hours in _hours_by_value(stretches).items() if value)
        subject = f"contactor, plan {' and '.join(plans)}" if plans else "contactor without a plan"
        yield Panel(Kind.CONTACTOR, subject, members, stretches, (Figure(closed, "h", "closed"),))


def _zone_panels(wiring: Wiring, nights: Sequence[Night], names: Iterable[str]) -> Iterator[Panel]:
    together: defaultdict[object, list[str]] = defaultdict(list)
    for name in names:
        zone = wiring.site.zones[_id(name)]
        together[(zone.occupancy.id, zone.setpoints, zone.optimum_start)].append(name)
    for alike in together.values():
        entries = _entries(wiring, nights, alike[0])
        stretches = tuple(_joined(Stretch(entry.start, entry.end, _setpoint(entry)) for entry in entries))
        hours: defaultdict[str, float] = defaultdict(float)
        for entry in entries:
            hours[entry.allure or ""] += (entry.end - entry.start) / _HOUR
        figures = tuple(Figure(span, "h", allure) for allure, span in hours.items())
        members = tuple(Member(name, wiring.site.zones[_id(name)].name) for name in alike)
        subject = f"heating, occupancy {wiring.site.zones[_id(alike[0])].occupancy.id}"
        yield Panel(Kind.SETPOINT, subject, members, stretches, figures)


def _entries(wiring: Wiring, nights: Sequence[Night], name: str) -> list[Entry]:
    return list(timetable(wiring, nights[0].start, nights[-1].end, [name]))


def _setpoint(entry: Entry) -> Setpoint:
    if entry.setpoint_c is None or entry.allure is None:
        raise ValueError(f"{entry.target} has no setpoint")
    return Setpoint(entry.setpoint_c, entry.allure)


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours of one value as one; a zone's reasons change more often than its setpoint."""
    for value, alike in groupby(stretches, key=lambda stretch: stretch.value):
        members = list(alike)
        yield Stretch(members[0].start, members[-1].end, value)


def _id(name: str) -> str:
    return name.partition("/")[2]


def _groups(wiring: Wiring, name: str) -> list[Group]:
    return groups_behind(wiring, wiring.site.segments[_id(name)])


def _closes_otherwise(wiring: Wiring, name: str) -> bool:
    """Whether it may be closed at other hours than one group is lit: several of them, or patterns of its cabinet."""
    return len(_groups(wiring, name)) > 1 or _id(name) in wiring.in_patterns


def _about(group: Group) -> str:
    counts = [(len(group.lamps), "lamp"), (len(group.segments), "segment")]
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)


def _with_energy(group: Group, energy_kwh: float) -> str:
    return f"{_about(group)}, {figure(energy_kwh)} kWh" if group.lamps else _about(group)


def _rule_nights(plan: Plan, nights: Sequence[Night]) -> Iterator[RuleNights]:
    """The nights with a rule, neighbours of one program together."""
    chosen = [(night, *program_for(plan, night.day)) for night in nights]
    for (program, by_rule), alike in groupby(chosen, key=lambda each: (each[1].id, each[2] != DEFAULT)):
        if by_rule:
            members = list(alike)
            yield RuleNights(program, members[0][0], members[-1][0], tuple(reason for *_, reason in members))


def _hours_by_value(stretches: Iterable[Stretch]) -> dict[float, float]:
    hours: defaultdict[float, float] = defaultdict(float)
    for stretch in stretches:
        if isinstance(stretch.value, float | int):
            hours[float(stretch.value)] += (stretch.end - stretch.start) / _HOUR
    return dict(hours)


def _lit_figures(
    stretches: Sequence[Stretch], hours: dict[float, float], nights: Sequence[Night], light: Sequence[Stretch]
) -> tuple[Figure, ...]:
    by_day = _hours_by_day(stretches, light)
    return (
        Figure(sum(span for level, span in hours.items() if level > 0.0), "h", "lit"),
        Figure(_cut_hours(stretches, nights), "h", "dark in the cut"),
        Figure(sum(level / 100.0 * span for level, span in hours.items()), "h", "full-load equivalent"),
        Figure(by_day, "h", "lit by day", wrong=round(by_day) > 0),
    )


def _cut_hours(stretches: Sequence[Stretch], nights: Iterable[Night]) -> float:
    """Hours of dark between the first light of a night and its last."""
    total_h = 0.0
    for night in nights:
        tonight = clipped(stretches, night.start, night.end)
        lit = [index for index, each in enumerate(tonight) if each.value]
        between = tonight[lit[0] : lit[-1]] if lit else []
        total_h += sum((each.end - each.start) / _HOUR for each in between if each.value == 0.0)
    return total_h


def _hours_by_day(stretches: Sequence[Stretch], light: Iterable[Stretch]) -> float:
    days = (each for each in light if each.value is Light.DAY)
    parts = (part for day in days for part in clipped(stretches, day.start, day.end) if part.value)
    return sum(((part.end - part.start) / _HOUR for part in parts), 0.0)


def _energy_kwh(wiring: Wiring, start: datetime, group: Group, hours: Mapping[float, float]) -> float:
    """What the lamps draw while lit, by their types and told as at ``start``; the nodes in the dark are left out."""
    draft = Draft(State(start), start)
    alike: defaultdict[Hashable, list[Lamp]] = defaultdict(list)
    for lamp in (wiring.site.lamps[name] for name in group.lamps):
        alike[(lamp.type, lamp.has_node, lamp.segment, lamp.burnt_h, lamp.cleaned)].append(lamp)
    watt_hours = (
        len(lamps) * _power_w(wiring, draft, lamps[0], level) * span
        for lamps in alike.values()
        for level, span in hours.items()
        if level > 0.0
    )
    return sum(watt_hours) / 1000.0


def _power_w(wiring: Wiring, draft: Draft, lamp: Lamp, level: float) -> float:
    """Of a lamp whose group is at ``level`` (%, lit): dark where the cabinet's pattern leaves its contactor open."""
    if lamp.segment is not None and not by_pattern(wiring, lamp.segment, level)[0]:
        return 0.0
    return expected_power_w(draft, lamp, told_level(draft, lamp, level) if lamp.has_node else 100.0)
