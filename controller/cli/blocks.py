"""A timetable as text: one block a target, one table a night, a bar of characters that shows its shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from config.site import Site
from controller.core.timetable import Entry, timetable
from controller.core.wiring import Wiring
from schedules.moments import night_of
from schedules.plan import program_for

_COLUMN = timedelta(minutes=30)
_LABEL_EVERY_H = 3
_ALLURES = {"comfort": "C", "reduced": "r", "frost": "f", "off": "."}


def block_of(wiring: Wiring, target: str, noons: Sequence[datetime]) -> Iterator[str]:
    """The lines of one target over the nights between ``noons``."""
    site, zone = wiring.site, wiring.site.place.zone
    nights = [list(timetable(wiring, start, end, [target])) for start, end in pairwise(noons)]
    entries = [entry for night in nights for entry in night]
    yield f"{target}  {_about(site, target)}".rstrip()
    values = [_value(entry) for entry in entries]
    width = max(len(value) for value in values)
    for night, (start, end) in zip(nights, pairwise(noons), strict=True):
        yield f"  {start.astimezone(zone):%a %Y-%m-%d}{_program(site, target, start)}"
        yield f"    {_scale(start, end, zone)}"
        yield f"    {_bar(night, start, end)}"
        for entry in night:
            hours = f"{entry.start.astimezone(zone):%H:%M} - {entry.end.astimezone(zone):%H:%M}"
            yield f"    {hours}  {_value(entry):>{width}}  {entry.reason}"
    yield f"  {_sum(target, nights)}"


def _about(site: Site, target: str) -> str:
    kind, _, identity = target.partition("/")
    if kind == "group":
        group = site.groups[identity]
        members = [_counted(len(group.lamps), "lamp"), _counted(len(group.segments), "segment")]
        law = f"legal hours {group.legal.category.id}" if group.legal else ""
        return ", ".join(words for words in (*members, f"plan {group.plan.id}", law) if words)
    if kind == "segment":
        return f"cabinet {site.segments[identity].cabinet}, output {site.segments[identity].output}"
    heated = site.zones[identity]
    return ", ".join(words for words in (heated.name, f"occupancy {heated.occupancy.id}") if words)


def _counted(number: int, word: str) -> str:
    return "" if number == 0 else f"{number} {word}" if number == 1 else f"{number} {word}s"


def _program(site: Site, target: str, start: datetime) -> str:
    """Which program a group runs on the night, and by which rule."""
    kind, _, identity = target.partition("/")
    if kind != "group":
        return ""
    plan = site.groups[identity].plan
    program, rule = program_for(plan, night_of(start, plan.place.zone))
    return f"  program {program.id} ({rule})"


def _scale(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """The local hours above a bar, every third one."""
    line = ""
    for column, at in enumerate(_columns(start, end)):
        local = at.astimezone(zone)
        if local.minute == 0 and local.hour % _LABEL_EVERY_H == 0:
            line = f"{line:<{column}}{local:%H}h"
    return line


def _bar(entries: Sequence[Entry], start: datetime, end: datetime) -> str:
    """One character each half hour: tens of percent (``#`` full, ``.`` dark), or the allure's letter."""
    middles = (at + _COLUMN / 2 for at in _columns(start, end))
    return "".join(_mark(next(entry for entry in entries if entry.start <= at < entry.end)) for at in middles)


def _columns(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start
    while at < end:
        yield at
        at += _COLUMN


def _mark(entry: Entry) -> str:
    if entry.level is None:
        return _ALLURES.get(entry.allure or "", "?")
    if entry.level == 0.0:
        return "."
    tens = max(1, round(entry.level / 10.0))
    return "#" if tens >= 10 else str(tens)


def _value(entry: Entry) -> str:
    if entry.level is None:
        return f"{entry.allure} {entry.setpoint_c:.1f} °C"
    if entry.target.startswith("segment/"):
        return "closed" if entry.level > 0.0 else "open"
    return f"{entry.level:g} %"


def _sum(target: str, nights: Sequence[Sequence[Entry]]) -> str:
    """What the block comes to: hours lit and dark in the cut, contactor closed, or hours of each allure."""
    entries = [entry for night in nights for entry in night]
    if target.startswith("zone/"):
        seen = dict.fromkeys(entry.allure for entry in entries)
        return ", ".join(f"{each} {_hours(entry for entry in entries if entry.allure == each)}" for each in seen)
    lit = _hours(entry for entry in entries if entry.level)
    if target.startswith("segment/"):
        return f"closed {lit}"
    return f"lit {lit}, dark in the cut {_hours(entry for night in nights for entry in _cut(night))}"


def _cut(night: Sequence[Entry]) -> Sequence[Entry]:
    """The dark stretches between the first light of a night and its last."""
    lit = [index for index, entry in enumerate(night) if entry.level]
    return [entry for entry in night[lit[0] : lit[-1]] if not entry.level] if lit else []


def _hours(entries: Iterator[Entry]) -> str:
    minutes = round(sum((entry.end - entry.start).total_seconds() for entry in entries) / 60.0)
    return f"{minutes // 60} h {minutes % 60:02} min"
