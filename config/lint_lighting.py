"""The linter of the lighting network: levels that relays cannot give, light on demand without a cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from config.fields import START
from config.site import Cabinet, Group, Site
from config.tree.draft import Draft
from schedules.program import Program


def lint_lighting(draft: Draft, site: Site) -> None:
    """Note what is odd about relay patterns and light on demand."""
    _levels_without_a_pattern(draft, site)
    _relight_without_a_cut(draft, site)


def programs_of(group: Group) -> Iterator[Program]:
    """Every program that the group's plan may run."""
    yield group.plan.default
    yield from (rule.program for rule in group.plan.rules)


def _levels_without_a_pattern(draft: Draft, site: Site) -> None:
    """A level between two patterns is lit brighter than it was written."""
    told: set[tuple[str, str, str]] = set()
    for group in site.groups.values():
        for cabinet in _switched_by_pattern(site, group):
            for program in programs_of(group):
                written = draft.written.programs[program.id]
                for text, level in written.levels.items():
                    pattern = cabinet.pattern_for(level) if level > 0 else None
                    name = (program.id, text, cabinet.id)
                    if pattern is None or pattern.level == level or name in told:
                        continue
                    told.add(name)
                    message = f"cabinet {cabinet.id} has no pattern for {level:g} %: lit by that of {pattern.level:g} %"
                    draft.warning(written.where("levels", text), message, at_key=text == START)


def _switched_by_pattern(site: Site, group: Group) -> list[Cabinet]:
    """The cabinets whose patterns switch something of the group."""
    fed = {segment for lamp in group.lamps if (segment := site.lamps[lamp].segment)} | set(group.segments)
    return [
        cabinet
        for cabinet in site.cabinets.values()
        if any(segment in fed for pattern in cabinet.patterns for segment in pattern.segments)
    ]


def _relight_without_a_cut(draft: Draft, site: Site) -> None:
    """Light on demand means something only where a program switches the light off in the night."""
    by_plan: dict[str, bool] = defaultdict(bool)
    for group in site.groups.values():
        levels = (level for program in programs_of(group) for level in (step.level for step in program.levels))
        by_plan[group.plan.id] |= 0.0 in levels
    for written in draft.written.groups:
        group_of_site = site.groups.get(written.id)
        if written.relight is not None and group_of_site is not None and not by_plan[group_of_site.plan.id]:
            draft.warning(written.where("relight"), "without effect: the plan of this group has no cut")
