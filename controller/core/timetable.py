"""What will be commanded: the timetable of every group, segment and zone, from the plans alone.

A zone's optimum start follows the rule of a zone without a thermometer: the room has fallen to the setpoint that it
is kept at. With a reading the daemon starts later, or earlier within the cap. Ramps are shown as one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from config.site import Group, Segment, Site
from controller.core import heating, lighting
from controller.core.legal import lawful_steps
from controller.core.state import Draft, State
from controller.core.wiring import Wiring
from schedules.program import Step, merged

CLOSED, OPEN = 100.0, 0.0
"""The ``level`` of a contactor."""
_NO_PLAN = "no plan and no override"


@dataclass(frozen=True, slots=True)
class Entry:
    """One stretch of one target: ``level`` in % for lighting, ``setpoint_c`` and ``allure`` for heating."""

    target: str
    start: datetime
    end: datetime
    reason: str
    level: float | None = None
    setpoint_c: float | None = None
    allure: str | None = None


def targets_of(site: Site) -> list[str]:
    """Everything that has a timetable, ``group/<id>``, ``segment/<id>`` and ``zone/<id>``, in the files' order."""
    kinds = (("group", site.groups), ("segment", site.segments), ("zone", site.zones))
    return [f"{kind}/{identity}" for kind, members in kinds for identity in members]


def matching(site: Site, target: str) -> list[str]:
    """The targets that ``target`` means: a name, a bare id, or a lamp, which follows its group. Empty for none."""
    found = [name for name in targets_of(site) if target in (name, *bare_ids(name))]
    lamp = target.removeprefix("lamp/")
    return found or [f"group/{group.id}" for group in site.groups.values() if lamp in group.lamps]


def bare_ids(name: str) -> tuple[str, str]:
    """``ecole.classes`` and, as the site file has it, ``classes``."""
    identity = name.partition("/")[2]
    return identity, identity.rpartition(".")[2]


def timetable(wiring: Wiring, start: datetime, end: datetime, targets: Iterable[str]) -> Iterator[Entry]:
    """Entries of ``targets`` in [start, end), target by target, consecutive and without a gap.

    Raises KeyError for a name that ``targets_of`` does not give.
    """
    for name in targets:
        kind, _, identity = name.partition("/")
        if kind == "group":
            yield from _lighting(name, lawful_steps(wiring.site.groups[identity], start, end), end)
        elif kind == "segment":
            yield from _lighting(name, _contactor_steps(wiring, wiring.site.segments[identity], start, end), end)
        else:
            yield from _zone(wiring, identity, start, end)


def _lighting(name: str, steps: Sequence[Step], end: datetime) -> Iterator[Entry]:
    ends = [step.at for step in steps[1:]] + [end]
    for step, until in zip(steps, ends, strict=True):
        yield Entry(name, step.at, until, step.reason, level=step.level)


def groups_behind(wiring: Wiring, segment: Segment) -> list[Group]:
    """The groups of the lamps that the contactor feeds (its own where it feeds none), one of those commanded alike."""
    lamps = wiring.lamps_of_segment.get(segment.id)
    keys = [f"lamp/{lamp}" for lamp in lamps] if lamps else [f"segment/{segment.id}"]
    names = dict.fromkeys(wiring.group_of.get(key) for key in keys)
    followed = [wiring.site.groups[name] for name in names if name is not None]
    return list({(group.plan, group.legal): group for group in reversed(followed)}.values())[::-1]


def _contactor_steps(wiring: Wiring, segment: Segment, start: datetime, end: datetime) -> Sequence[Step]:
    """Closed while any of its lamps is lit; a segment without lamps follows its own group."""
    groups = groups_behind(wiring, segment)
    if not groups:
        return [Step(start, OPEN, _NO_PLAN)] if start < end else []
    feeds = bool(wiring.lamps_of_segment.get(segment.id))
    brightest = _brightest([lawful_steps(group, start, end) for group in groups])
    steps = (_by_pattern(wiring, segment, Step(at.at, at.level, _words(at, feeds))) for at in brightest)
    return merged(Step(step.at, CLOSED if step.level > 0.0 else OPEN, step.reason) for step in steps)


def _by_pattern(wiring: Wiring, segment: Segment, step: Step) -> Step:
    level, words = lighting.by_pattern(wiring, segment.id, step.level)
    return Step(step.at, level, f"{words}{step.reason}")


def _words(step: Step, feeds: bool) -> str:
    if not feeds:
        return step.reason
    return f"feeds {'lit lamps' if step.level > 0.0 else 'no lit lamp'}: {step.reason}"


def _brightest(plans: Sequence[Sequence[Step]]) -> Iterator[Step]:
    """The highest step of several plans at every instant at which one of them changes; the first of two equals."""
    changes = sorted((step.at, index, step) for index, steps in enumerate(plans) for step in steps)
    current: dict[int, Step] = {}
    for at, together in groupby(changes, key=itemgetter(0)):
        current.update((index, step) for _, index, step in together)
        top = max((current[index] for index in sorted(current)), key=lambda step: step.level)
        yield Step(at, top.level, top.reason)


def _zone(wiring: Wiring, zone_id: str, start: datetime, end: datetime) -> Iterator[Entry]:
    """The core's own rule from one due time to the next, with nothing heard of the zone."""
    key = f"zone/{zone_id}"
    draft = Draft(State(start), start)
    while draft.now < end:
        heating.zone_due(wiring, draft, zone_id)
        wish = heating.zone_array(wiring, draft, zone_id).winner
        due = draft.due.get(key)
        at, draft.now = draft.now, end if due is None else min(due, end)
        yield Entry(key, at, draft.now, wish.reason, setpoint_c=wish.value, allure=wish.allure)
