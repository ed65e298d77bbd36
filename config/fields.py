"""The words that site files are written in, as pydantic types: ids, durations, moments, clock spans."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from config.problems import did_you_mean
from schedules.moments import MomentError, parse_moment

ID_PATTERN = r"^[a-z0-9-]+$"
DURATION_PATTERN = r"^(\d+(\.\d+)?d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?$"

MOMENT_WORDS = ("sunset", "sunrise", "dusk", "dawn", "closing", "opening")
ALL_NIGHT = "all-night"
"""The end of a derogation that holds until noon."""
START = "start"
"""The key of ``levels`` for the level from the beginning of the lit period on."""

_DAY = re.compile(r"(19|20|21)\d{2}-\d{2}-\d{2}")
_UNITS = ("days", "hours", "minutes", "seconds")
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


def parse_duration(text: object) -> timedelta:
    """``30s``, ``10m``, ``3h``, ``1h30m``, ``2d``. Raises ValueError."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) and text.strip() else None
    if match is None:
        raise ValueError(f"{shown(text)} is not a duration; write it with its unit: 30s, 10m, 3h, 1h30m, 2d")
    return timedelta(**{unit: float(part) for unit, part in zip(_UNITS, match.groups(), strict=True) if part})


def parse_day(text: object) -> date:
    """``2026-12-24``. Raises ValueError."""
    if isinstance(text, date):
        return text
    if isinstance(text, str) and _DAY.fullmatch(text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    raise ValueError(f"{shown(text)} is not a date; write year-month-day, e.g. 2026-12-24")


def shown(value: object) -> str:
    """A value as the file has it, for a message; never more than 40 characters."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    if value is None or isinstance(value, bool):
        text = {True: "true", False: "false", None: "nothing"}[value]
    return text if len(text) <= 40 else text[:36] + " ..."


def _moment_text(text: object) -> str:
    """A moment, checked and kept as text: it is a key of ``levels``, where two spellings must not merge."""
    if not isinstance(text, str):
        raise ValueError(f"{shown(text)} is not a moment; write a clock time in quotes or sunset+10m")  # noqa: TRY004
    try:
        parse_moment(text)
    except MomentError as error:
        word = re.match(r"[A-Za-z]+", text)
        near = did_you_mean(word[0], MOMENT_WORDS) if word else ""
        raise ValueError(str(error).replace("; allowed:", f"{near} allowed:") if near else str(error)) from error
    return text


def _step_text(text: object) -> str:
    """A key of ``levels``: ``start``, or a moment."""
    return START if text == START else _moment_text(text)


def _end_text(text: object) -> str:
    """The end of a derogation: ``all-night``, or a moment."""
    return ALL_NIGHT if text == ALL_NIGHT else _moment_text(text)


def listed(kind: type[Any] = str) -> Callable[[object], object]:
    """Lets one word stand for a list of one: ``on: fri`` and ``on: [fri]``."""
    return lambda value: [value] if isinstance(value, kind) else value


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN, max_length=60)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Number = Annotated[float, Field(strict=True)]
Level = Annotated[float, Field(strict=True, ge=0, le=100)]
Celsius = Annotated[float, Field(strict=True, ge=0, le=35)]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["30s", "10m", "1h30m"]}),
]
MomentText = Annotated[
    str, BeforeValidator(_moment_text), WithJsonSchema({"type": "string", "examples": ["22:30", "sunset+10m"]})
]
EndText = Annotated[
    str, BeforeValidator(_end_text), WithJsonSchema({"type": "string", "examples": ["03:00", ALL_NIGHT]})
]
Day = Annotated[date, BeforeValidator(parse_day), WithJsonSchema({"type": "string", "format": "date"})]
StepText = Annotated[str, BeforeValidator(_step_text), WithJsonSchema({"type": "string"})]
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(listed()),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
