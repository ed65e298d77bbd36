"""Recorded inputs: a fault in the field is a file of inputs that the same core runs again.

One JSON object a line: first ``{"at": RFC 3339, "saved": {...}}``, what the store gave back at the start, then
``{"at": RFC 3339, "inbox": [["Reading", {...}], ...]}`` in the order of the cycles.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pydantic import TypeAdapter

from controller.core.commands import Command, Refusal
from controller.core.cycle import Input, begin, cycle
from controller.core.journal import Saved
from controller.core.state import State, Step
from controller.core.wiring import Wiring
from drivers.api import Fault, Reading, Silence, WriteResult

_KINDS: dict[str, TypeAdapter[Input]] = {
    kind.__name__: TypeAdapter(kind) for kind in (Reading, Fault, Silence, WriteResult, Command, Refusal)
}
_SAVED = TypeAdapter(Saved)


class ReplayError(ValueError):
    """A line that is no recorded cycle; the text begins with its line number."""


def line_of(inbox: Sequence[Input], now: datetime) -> str:
    """One cycle's inputs as one line of JSON."""
    items = [[type(item).__name__, _KINDS[type(item).__name__].dump_python(item, mode="json")] for item in inbox]
    return json.dumps({"at": now.isoformat(), "inbox": items}, separators=(",", ":"))


def first_line(saved: Saved, now: datetime) -> str:
    """The beginning of a recording: what the core started from."""
    return json.dumps({"at": now.isoformat(), "saved": _SAVED.dump_python(saved, mode="json")}, separators=(",", ":"))


def parse_line(text: str, number: int) -> tuple[datetime, list[Input]]:
    """A recorded line as a cycle's time and inbox. Raises ReplayError."""
    try:
        record = json.loads(text)
        inbox = [_KINDS[name].validate_python(fields) for name, fields in record["inbox"]]
        return datetime.fromisoformat(record["at"]), inbox
    except (ValueError, KeyError, TypeError) as error:
        raise ReplayError(f"{number}: no recorded cycle: {error}") from error


def replay(wiring: Wiring, lines: Iterable[str]) -> Iterator[Step]:
    """The first step and that of every recorded cycle. Raises ReplayError."""
    state: State | None = None
    for number, text in enumerate(lines, 1):
        if state is None:
            step = begin(wiring, *_beginning(text, number))
        else:
            now, inbox = parse_line(text, number)
            step = cycle(wiring, state, inbox, now)
        state = step.state
        yield step


def _beginning(text: str, number: int) -> tuple[Saved, datetime]:
    try:
        record = json.loads(text)
        return _SAVED.validate_python(record["saved"]), datetime.fromisoformat(record["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise ReplayError(f"{number}: no beginning of a recording: {error}") from error
