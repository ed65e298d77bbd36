"""From the bytes of a ``set`` topic to a Command, or to a Refusal that says why in plain words. Pure.

Judged here: what the payload alone shows. Unknown targets, ranges of a point, ids seen before and the cap of an
override are the core's to judge.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from controller.clock import Clock
from controller.core.commands import Command, Refusal
from schedules.allures import Allure

MAX_BYTES = 16 * 1024
"""A larger payload is refused unread."""
FRESH_FOR = timedelta(seconds=60)
"""How long after ``issued`` a command is still good."""
SKEW = timedelta(seconds=5)
"""How far a sender's clock may be ahead of ours."""

_MAX_ID, _MAX_TEXT, _MAX_ORDER = 128, 500, 64
_DEMANDS = ("level", "setpoint_c", "allure", "relinquish", "relight", "boost")
_FIELDS = ("id", "issued", *_DEMANDS, "maintenance", "for", "until", "reason", "by")
_FLAGS = ("relinquish", "relight", "boost")
_LIGHTING = ("level", "relinquish", "relight")
_DEMANDS_OF = {
    "lamp": _LIGHTING,
    "segment": _LIGHTING,
    "group": _LIGHTING,
    "zone": ("setpoint_c", "allure", "relinquish", "boost"),
    "building": ("setpoint_c", "allure", "relinquish"),
}
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_UNITS = ("days", "hours", "minutes", "seconds")
_SHORT = re.compile(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")
_ISO8601 = re.compile(r"P(?:([0-9]{1,4})D)?(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,8})S)?)?")


class Unfit(ValueError):
    """A payload that is no good command; the message is the refusal's detail."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """When a command was issued, and whether its sender reads the site's clock instead of the wall's."""

    issued: datetime
    on_site_clock: bool


def parse_command(
    kind: str, target: str, payload: bytes, retained: bool, clock: Clock, wall: datetime
) -> Command | Refusal:
    """The command in ``payload``, received at ``wall`` (wall clock, aware UTC) on ``<kind>/<target>/set``.

    Times in the result are the site's clock. A refusal carries the command's id where one could be read.
    """
    received = clock.to_site(wall)
    command_id = ""
    try:
        fields = read_object(payload)
        command_id = _readable_id(fields)
        _check_retained(retained)
        return _command(kind, target, fields, clock, wall)
    except Unfit as unfit:
        return Refusal(command_id, kind, target, str(unfit), received)


def parse_duration(text: str) -> timedelta:
    """``2h``, ``90m``, ``30s``, ``1h30m``, ``1d`` or ISO 8601 (``PT1H30M``). Raises Unfit; never zero."""
    match = _SHORT.fullmatch(text) or _ISO8601.fullmatch(text)
    numbers = [int(part) if part else 0 for part in match.groups()] if match else []
    if not any(numbers):
        raise Unfit(f"{_quoted(text)} is not a duration such as 2h, 90m, 1h30m or PT2H")
    return timedelta(**dict(zip(_UNITS, numbers, strict=True)))


def _command(kind: str, target: str, fields: Mapping[str, object], clock: Clock, wall: datetime) -> Command:
    _check_names(fields)
    command_id = _id(fields)
    stamp = _fresh(read_instant(fields, "issued"), clock, wall)
    demand = _demand(kind, fields)
    lasting, until = _end(fields, stamp, clock, clock.to_site(wall))
    relinquish = demand == "relinquish"
    return Command(
        id=command_id,
        kind=kind,
        target=target,
        received=clock.to_site(wall),
        value=_value(fields, demand),
        allure=_allure(fields) if demand == "allure" else None,
        relinquish=relinquish,
        until=None if relinquish else until,  # what is given back to the plan has no end
        lasting=None if relinquish else lasting,
        reason=_text(fields, "reason"),
        by=_text(fields, "by"),
        relight=demand == "relight",
        maintenance=_maintenance(fields, demand),
        boost=demand == "boost",
    )


def read_object(payload: bytes, what: str = "a command") -> Mapping[str, object]:
    """The JSON object in ``payload``; no field twice, no NaN, no Infinity."""
    if len(payload) > MAX_BYTES:
        raise Unfit(f"{len(payload)} bytes; {what} has at most {MAX_BYTES}")
    try:
        found = json.loads(payload.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except Unfit:
        raise
    except (ValueError, RecursionError) as error:
        raise Unfit("not JSON (UTF-8)") from error
    if not isinstance(found, dict):
        raise Unfit("not a JSON object")
    return found


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unfit("a field is given twice")
    return found


def _no_constant(name: str) -> object:
    raise Unfit(f"not JSON: {name} is not a number")


def _check_retained(retained: bool) -> None:
    if retained:
        raise Unfit("retained: a command must not be retained, it would act again at every restart")


def _check_names(fields: Mapping[str, object]) -> None:
    for name in fields:
        if name not in _FIELDS:
            near = get_close_matches(name, _FIELDS, 1)
            raise Unfit(f"unknown field {_quoted(name)}" + (f"; did you mean {near[0]}?" if near else ""))


def _readable_id(fields: Mapping[str, object]) -> str:
    found = fields.get("id")
    fits = isinstance(found, str) and 0 < len(found) <= _MAX_ID and found.isprintable() and found.strip() == found
    return str(found) if fits else ""


def _id(fields: Mapping[str, object]) -> str:
    if "id" not in fields:
        raise Unfit("id is missing")
    found = _readable_id(fields)
    if not found:
        raise Unfit(f"id is not a text of 1 to {_MAX_ID} printable characters")
    return found


def _fresh(issued: datetime, clock: Clock, wall: datetime) -> _Stamp:
    age = wall - issued
    if -SKEW <= age <= FRESH_FOR:
        return _Stamp(issued, on_site_clock=False)
    # A sender beside a simulated site may date by the `ts` that it sees in states; a minute of ours lasts longer there.
    site_age, pace = clock.to_site(wall) - issued, max(1.0, clock.speed)
    if clock.simulated and -SKEW * pace <= site_age <= FRESH_FOR * pace:
        return _Stamp(issued, on_site_clock=True)
    if age < timedelta():
        raise Unfit(f"issued {-age.total_seconds():.0f} s in the future")
    raise Unfit(f"issued {age.total_seconds():.0f} s ago; a command is good for {FRESH_FOR.total_seconds():.0f} s")


def _demand(kind: str, fields: Mapping[str, object]) -> str:
    """The one of the demands that is given, when it fits ``kind``."""
    fitting = _DEMANDS_OF.get(kind)
    if fitting is None:
        raise Unfit(f"unknown target kind {_quoted(kind)}; commands go to {', '.join(_DEMANDS_OF)}")
    given = [name for name in _DEMANDS if name in fields]
    if len(given) != 1:
        found = f"{' and '.join(given)} together" if given else "none"
        raise Unfit(f"exactly one of {', '.join(fitting)} is needed, found {found}")
    if given[0] not in fitting:
        raise Unfit(f"{given[0]} does not fit a {kind}; it takes {', '.join(fitting)}")
    if given[0] in _FLAGS and fields[given[0]] is not True:
        raise Unfit(f"{given[0]} is not true")
    return given[0]


def _maintenance(fields: Mapping[str, object], demand: str) -> str:
    """The work order of a maintenance; only with a level, and with a reason that the public may read."""
    if "maintenance" not in fields:
        return ""
    order = read_text(fields, "maintenance")
    if not (0 < len(order) <= _MAX_ORDER and order.isprintable() and order.strip() == order):
        raise Unfit(f"maintenance is not a work order of 1 to {_MAX_ORDER} printable characters")
    if demand != "level":
        raise Unfit(f"maintenance goes with level, not with {demand}")
    if not _text(fields, "reason").strip():
        raise Unfit("maintenance needs a reason: the public wants to know why there is light")
    return order


def _value(fields: Mapping[str, object], demand: str) -> float | None:
    if demand not in ("level", "setpoint_c"):
        return None
    value = _number(fields, demand)
    if demand == "level" and not 0.0 <= value <= 100.0:
        raise Unfit(f"out of range: level {value:g} is not within 0 to 100")
    return value


def _number(fields: Mapping[str, object], name: str) -> float:
    found = fields[name]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Unfit(f"{name} is not a number")
    try:
        value = float(found)
    except OverflowError as error:
        raise Unfit(f"{name} is not a finite number") from error
    if not math.isfinite(value):
        raise Unfit(f"{name} is not a finite number")
    return value


def _allure(fields: Mapping[str, object]) -> Allure:
    names = [allure.value for allure in Allure]
    found = fields["allure"]
    if not isinstance(found, str) or found not in names:
        raise Unfit(f"allure is not one of {', '.join(names)}")
    return Allure(found)


def _end(
    fields: Mapping[str, object], stamp: _Stamp, clock: Clock, now: datetime
) -> tuple[timedelta | None, datetime | None]:
    """``for`` and ``until``, at most one of them; ``until`` is given back in the site's time."""
    if "for" in fields and "until" in fields:
        raise Unfit("for and until together; an end is given once")
    if "for" in fields:
        return parse_duration(read_text(fields, "for")), None
    if "until" not in fields:
        return None, None
    until = read_instant(fields, "until")
    if until <= stamp.issued:
        raise Unfit("expired: until is not after issued")
    try:
        until = until if stamp.on_site_clock else clock.to_site(until)
    except OverflowError as error:
        raise Unfit("until is too far away") from error
    if until <= now:
        raise Unfit("expired: until has passed")
    return None, until


def read_instant(fields: Mapping[str, object], name: str) -> datetime:
    """An RFC 3339 date and time with its offset, as aware UTC."""
    if name not in fields:
        raise Unfit(f"{name} is missing")
    text = read_text(fields, name)
    if not _RFC3339.fullmatch(text):
        raise Unfit(f"{name} is not RFC 3339 with an offset, such as 2026-11-21T22:30:00+01:00")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unfit(f"{name} is not a date and time that exists") from error


def _text(fields: Mapping[str, object], name: str) -> str:
    if name not in fields:
        return ""
    text = read_text(fields, name)
    if len(text) > _MAX_TEXT:
        raise Unfit(f"{name} is longer than {_MAX_TEXT} characters")
    return text


def read_text(fields: Mapping[str, object], name: str) -> str:
    found = fields[name]
    if not isinstance(found, str):
        raise Unfit(f"{name} is not a text")
    # json lets half a surrogate pair through, which no UTF-8 payload of ours could carry on.
    if not found.isascii() and found.encode(errors="ignore").decode() != found:
        raise Unfit(f"{name} is not valid Unicode")
    return found


def _quoted(text: str) -> str:
    """A stranger's word in one of our sentences: short, on one line, and ASCII."""
    return ascii(text[:40])
