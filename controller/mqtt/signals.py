"""From the bytes of a ``signal`` topic to what is heard of it, or to why it is not understood. Pure.

Three kinds (site files, ``signals``): EcoWatt, as RTE gives it or one value; Tempo's colours; a level of the town's
own. What they have in common are levels: 0 nothing is asked, 1 to 3 more and more. Times are the site's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from config.site import Signal, SignalKind
from controller.core.commands import Heard, Misheard, Stretch
from controller.mqtt.commands import Unfit, read_instant, read_object, read_text
from schedules.nights import at_local

BELIEVED_FOR = timedelta(hours=24)
"""A signal without an end is believed so long: nobody is shed for ever by a publisher that died."""

_ECOWATT = ("EcoWatt green, carbon-free", "EcoWatt green", "EcoWatt orange", "EcoWatt red")
_GREEN = 1
_TEMPO = {"blue": 0, "white": 1, "red": 3, "bleu": 0, "blanc": 1, "rouge": 3}
_ENGLISH = {"bleu": "blue", "blanc": "white", "rouge": "red"}
_TEMPO_FROM = time(6)
_DAY = timedelta(days=1)
_HOURS = 24
_UNTOLD = -1
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

Fields = Mapping[str, object]


def parse_signal(signal: Signal, payload: bytes, retained: bool, now: datetime, zone: ZoneInfo) -> Heard | Misheard:
    """What ``payload`` says on the topic of ``signal`` at ``now``; an empty one takes back what was said."""
    if not payload:
        return Heard(signal.id, now, now)
    try:
        fields = read_object(payload, "a signal")
        if signal.kind is SignalKind.TEMPO:
            return _tempo(signal.id, fields, now, zone)
        if signal.kind is SignalKind.ECOWATT and "signals" in fields:
            return _ecowatt_days(signal.id, fields, now, zone)
        return _flat(signal, fields, retained, now)
    except Unfit as unfit:
        return Misheard(signal.id, str(unfit), now)


def _flat(signal: Signal, fields: Fields, retained: bool, now: datetime) -> Heard:
    """``{"level": 2, "from": ..., "until": ...}``; ``ts`` says since when where there is no ``from``."""
    number = _whole(fields, "level")
    level, word = _ecowatt(number) if signal.kind is SignalKind.ECOWATT else (number, "")
    dated = next((name for name in ("from", "ts") if name in fields), None)
    since = now if dated is None else _sane(read_instant(fields, dated))
    lasting = "until" not in fields
    until = since + BELIEVED_FOR if lasting else _sane(read_instant(fields, "until"))
    if until <= since and dated is not None:
        raise Unfit("until is not after its beginning")
    stretches = (Stretch(level, since, until, word),) if level and until > since else ()
    return Heard(signal.id, now, since, stretches, stood=retained and dated is None, lasting=lasting)


def _ecowatt(value: int) -> tuple[int, str]:
    """The level of an EcoWatt value: 0 and 1 are green, and nothing is asked of anybody."""
    return (0 if value <= _GREEN else value), _ECOWATT[value]


def _ecowatt_days(signal: str, fields: Fields, now: datetime, zone: ZoneInfo) -> Heard:
    """RTE's own message: days with a value each, and one for every hour."""
    values: dict[datetime, int] = {}
    ends: list[datetime] = []
    for each in _list(fields, "signals"):
        day = _day_of(each, "jour", zone)
        values.update(_hours(each, day, zone))
        ends.append(at_local(day + _DAY, time(0), zone))
    if not values:
        raise Unfit("signals is empty")
    for end in ends:
        values.setdefault(end, _UNTOLD)
    edges = sorted(values)
    stretches = []
    for value, run in groupby(pairwise(edges), key=lambda span: values[span[0]]):
        joined = list(run)
        level, word = _ecowatt(max(value, 0))
        if level:
            stretches.append(Stretch(level, joined[0][0], joined[-1][1], word))
    return Heard(signal, now, edges[0], tuple(stretches))


def _hours(fields: Fields, day: date, zone: ZoneInfo) -> dict[datetime, int]:
    """The EcoWatt value by the beginning of each hour of a local day; the day's own where an hour has none."""
    whole = _whole(fields, "dvalue") if "dvalue" in fields else _UNTOLD
    values = _list(fields, "values") if "values" in fields else ()
    if not values and whole == _UNTOLD:
        raise Unfit("a day has neither dvalue nor values")
    by_hour = {_whole(each, "pas", _HOURS - 1): _whole(each, "hvalue") for each in values}
    return {at_local(day, time(hour), zone): by_hour.get(hour, whole) for hour in range(_HOURS)}


def _tempo(signal: str, fields: Fields, now: datetime, zone: ZoneInfo) -> Heard:
    """One day, ``{"colour": "red", "day": "2026-01-12"}``, or several below ``days``; a day is from 06:00 to 06:00."""
    days = _list(fields, "days") if "days" in fields else (fields,)
    if not days:
        raise Unfit("days is empty")
    colours = dict(sorted((_day_of(each, "day", zone), _colour(each)) for each in days))
    stretches = []
    for day, colour in colours.items():
        if level := _TEMPO[colour]:
            since, until = (at_local(each, _TEMPO_FROM, zone) for each in (day, day + _DAY))
            stretches.append(Stretch(level, since, until, f"Tempo {_ENGLISH.get(colour, colour)}"))
    return Heard(signal, now, at_local(min(colours), _TEMPO_FROM, zone), tuple(stretches))


def _colour(fields: Fields) -> str:
    found = read_text(fields, "colour").lower() if "colour" in fields else ""
    if found not in _TEMPO:
        raise Unfit("colour is not one of blue, white, red (or bleu, blanc, rouge)")
    return found


def _day_of(fields: Fields, name: str, zone: ZoneInfo) -> date:
    """A date, or an instant with its offset, of which the local date counts."""
    if name not in fields:
        raise Unfit(f"{name} is missing")
    text = read_text(fields, name)
    if not _DATE.fullmatch(text):
        return _sane(read_instant(fields, name)).astimezone(zone).date()
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Unfit(f"{name} is not a date that exists") from error
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise Unfit(f"{name} is in no year that anybody means")
    return found


def _sane(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise Unfit("a time is in no year that anybody means")
    return at


def _whole(fields: Fields, name: str, most: int = 3) -> int:
    found = fields.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= most:
        raise Unfit(f"{name} is not a whole number from 0 to {most}")
    return found


def _list(fields: Fields, name: str) -> Sequence[Fields]:
    found = fields.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unfit(f"{name} is not a list of objects")
    return found
