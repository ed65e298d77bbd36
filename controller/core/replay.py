"""Recorded inputs: a fault in the field is a file of inputs that the same core runs again.

One JSON object a line: first the beginning, ``{"at": RFC 3339, "saved": {...}, "speed": 1.0, "config_hash": "..."}``,
then ``{"at": RFC 3339, "inbox": [["Reading", {...}], ...]}`` in the order of the cycles.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from config.site import Site
from controller.core.commands import Command, Heard, Misheard, Refusal
from controller.core.cycle import Input, begin, cycle
from controller.core.journal import Saved
from controller.core.state import State, Step
from controller.core.wiring import Wiring
from drivers.api import Fault, Notice, PushResult, Reading, ScheduleSeen, Silence, WriteResult

_KINDS: dict[str, TypeAdapter[Input]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (
        Reading,
        Fault,
        Silence,
        Notice,
        WriteResult,
        ScheduleSeen,
        PushResult,
        Command,
        Refusal,
        Heard,
        Misheard,
    )
}
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_DAMAGED = (ValueError, KeyError, TypeError, RecursionError)


class ReplayError(ValueError):
    """A line that is no recorded cycle; the text begins with its line number."""


def line_of(inbox: Sequence[Input], now: datetime) -> str:
    """One cycle's inputs as one line of JSON."""
    items = [[type(item).__name__, _KINDS[type(item).__name__].dump_python(item, mode="json")] for item in inbox]
    return json.dumps({"at": now.isoformat(), "inbox": items}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a recorded core started from: the time, what the store gave back, its clock's speed, its site files."""

    at: datetime
    saved: Saved
    speed: float = 1.0
    config_hash: str = ""


_BEGINNING = TypeAdapter(Beginning)


def first_line(beginning: Beginning) -> str:
    """The beginning of a recording."""
    return json.dumps(_BEGINNING.dump_python(beginning, mode="json"), separators=(",", ":"))


def beginning_of(text: str) -> Beginning:
    """The first line of a recording. Raises ReplayError."""
    try:
        beginning = _BEGINNING.validate_python(json.loads(text))
        _check_aware((beginning.at, *beginning.saved.command_ids.values()))
        _check_aware(at for each in beginning.saved.open_hours.values() for at in (each.start, each.at))
        _check_aware(at for each in beginning.saved.overrides.values() for at in (each.since, each.until))
    except _DAMAGED as error:
        raise ReplayError(f"1: no beginning of a recording: {_in_one_line(error)}") from error
    return beginning


def parse_line(text: str, number: int) -> tuple[datetime, list[Input]]:
    """A recorded line as a cycle's time and inbox. Raises ReplayError."""
    try:
        record = json.loads(text)
        inbox = [_KINDS[name].validate_python(fields) for name, fields in record["inbox"]]
        _check_aware(instant for item in inbox for instant in _instants(item))
        return _instant(record["at"]), inbox
    except _DAMAGED as error:
        raise ReplayError(f"{number}: no recorded cycle: {_in_one_line(error)}") from error


def replay(site: Site, lines: Iterable[str]) -> Iterator[Step]:
    """The first step and that of every recorded cycle, durations of the wire as then. Raises ReplayError."""
    wiring: Wiring | None = None
    state = State(_NEVER)
    for number, text in enumerate(lines, 1):
        if wiring is None:
            beginning = beginning_of(text)
            wiring = Wiring(replace(site, timing=site.timing.scaled(beginning.speed)))
            step = begin(wiring, beginning.saved, beginning.at)
        else:
            now, inbox = parse_line(text, number)
            step = cycle(wiring, state, inbox, now)
        state = step.state
        yield step


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    _check_aware((at,))
    return at


def _instants(item: Input) -> Iterator[datetime]:
    """Every time in one input."""
    if isinstance(item, Command):
        yield item.received
        yield from () if item.until is None else (item.until,)
        return
    yield item.at
    if isinstance(item, Heard):
        yield item.since
        yield from (at for each in item.stretches for at in (each.since, each.until))
    if isinstance(item, WriteResult) and item.observed is not None:
        yield item.observed.at


def _check_aware(instants: Iterable[datetime]) -> None:
    """A core that compares times must know their offsets."""
    for at in instants:
        if at.tzinfo is None:
            raise ValueError(f"{at.isoformat()} has no offset from UTC")


def _in_one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    if isinstance(error, KeyError):
        return f"unknown or missing {error}"
    return " ".join(str(error).split())
