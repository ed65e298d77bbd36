"""An explanation in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from controller.cli import plants

Facts = dict[str, object]

_WRITES = {
    "applied": "the device holds it, read back",
    "pending": "not yet confirmed by the device",
    "masked": "the device has it, but a hand or another system at the device is stronger",
    "rejected": "the device refuses it; tried again every minute",
    "no-feedback": "written, but the device does not show it",
}
_QUALITIES = {
    "uncertain": "the device marks it as overridden or out of service",
    "stale": "the last reading is too old",
    "offline": "the device does not answer",
    "fault": "the device has no usable value",
}
_GROUNDS = {
    "street": "street",
    "segment": "fed by",
    "cabinet": "cabinet",
    "output": "output",
    "lamps": "feeds lamps",
    "group": "group",
    "groups": "of groups",
    "plan": "plan",
    "night": "night",
    "rule": "rule",
    "program": "program",
    "next_change": "next change",
    "legal": "law",
    "activity": "activity of",
    "permitted": "permitted",
    "building": "building",
    "occupancy": "occupancy",
    "occupancy_reason": "because",
    "occupancy_until": "until",
    "next_opening": "next opening",
    "generator": "generator",
    "curve": "heating curve",
    "summer_above": "no heat above",
    "zones": "by their hours",
    "optimum_start": "optimum start",
    "forecast": "forecast",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one output at one instant; ``note`` says why the daemon was not heard, or what to beware of."""

    target: str
    at: datetime
    source: str
    """``daemon`` or ``plan``."""
    state: Mapping[str, object]
    grounds: Mapping[str, object]
    note: str = ""
    alarms: Sequence[Mapping[str, object]] = field(default_factory=tuple)


def facts_of(found: Explanation, zone: ZoneInfo) -> Facts:
    """The explanation as JSON: ``winner`` and ``losers`` apart, a building's by point; times with the site's offset."""
    wishes: list[Mapping[str, object]] = [
        {name: _local(value, zone) for name, value in wish.items()} for wish in _wishes(found)
    ]
    facts: Facts = {
        "target": found.target,
        "at": _local(found.at, zone),
        "source": found.source,
        "note": found.note or None,
        **({"points": _points(wishes)} if _is_plant(found) else _apart(wishes)),
        "grounds": _localised(found.grounds, zone),
    }
    if found.source == "daemon":
        facts["state"] = {name: _local(value, zone) for name, value in found.state.items() if name != "why"}
        facts["alarms"] = [{name: _local(value, zone) for name, value in alarm.items()} for alarm in found.alarms]
    return facts


def _apart(wishes: Sequence[Mapping[str, object]]) -> Facts:
    return {"winner": wishes[0] if wishes else None, "losers": wishes[1:]}


def _points(wishes: Sequence[Mapping[str, object]]) -> Facts:
    return {point: _apart(each) for point, each in plants.by_point(wishes).items()}


def _is_plant(found: Explanation) -> bool:
    return found.target.startswith("building/")


def lines_of(found: Explanation, zone: ZoneInfo) -> Iterator[str]:
    """The explanation as a page of text."""
    if found.note:
        yield found.note
    yield f"{found.target} {_said(found, zone)}"
    wishes = _wishes(found)
    if wishes:
        yield ""
    stacks = plants.by_point(wishes) if _is_plant(found) else {"": wishes}
    yield from _aligned([row for point, stack in stacks.items() for row in _stack(found.target, point, stack, zone)])
    if found.source == "daemon":
        yield ""
        yield from _aligned([("  ", *row) for row in _observed(found, zone)])
    yield ""
    rows = [
        (label, _ground(found.target, found.grounds[name], zone))
        for name, label in _GROUNDS.items()
        if name in found.grounds
    ]
    yield from _aligned([("  ", *row) for row in rows])


def instant_of(text: object) -> datetime | None:
    """A time of a payload; None where it has none or it is no RFC 3339."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _stack(target: str, point: str, stack: Sequence[Mapping[str, object]], zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    """Its rows, the winner first; of a generator's with its point in front."""
    for index, wish in enumerate(stack):
        mark, *rest = _wish(target, wish, index == 0, zone)
        yield (f"  {point}", mark.strip(), *rest) if point else (mark, *rest)


def _wishes(found: Explanation) -> Sequence[Mapping[str, object]]:
    why = found.state.get("why")
    return [wish for wish in why if isinstance(wish, dict)] if isinstance(why, list) else []


def _said(found: Explanation, zone: ZoneInfo) -> str:
    wishes = _wishes(found)
    source = "by the daemon" if found.source == "daemon" else "by the plan"
    at = f"{source} at {found.at.astimezone(zone):%a %Y-%m-%d %H:%M:%S} ({zone})"
    if _is_plant(found):
        return at
    if not wishes:
        return f"has no wish behind it, {at}"
    return f"shall be {_value(found.target, wishes[0])}, {at}"


def _wish(target: str, wish: Mapping[str, object], wins: bool, zone: ZoneInfo) -> tuple[str, ...]:
    until = instant_of(wish.get("until"))
    end = "no end" if until is None else f"until {_clock(until, zone)}"
    mark = "wins" if wins else "loses"
    words = (str(wish.get(name, "?")) for name in ("priority", "source"))
    return (f"  {mark}", *words, _value(target, wish), end, str(wish.get("reason", "")))


def _value(target: str, wish: Mapping[str, object]) -> str:
    value = wish.get("value")
    if not isinstance(value, int | float):
        return "?"
    if target.startswith("zone/"):
        return " ".join(str(word) for word in (wish.get("allure"), f"{value:g} °C") if word)
    if target.startswith("building/"):
        return plants.value_of(wish)
    if target.startswith("segment/"):
        return "closed" if value > 0 else "open"
    return f"{value:g} %"


def _observed(found: Explanation, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """What the device really does: measured values, quality, the fate of the last write, alarms."""
    state = found.state
    yield "observed", ", ".join(plants.measured(state) if _is_plant(found) else _measured(state)) or "nothing yet"
    if _is_plant(found):
        yield from plants.told(_localised(state, zone))
    quality = str(state.get("quality", "unknown"))
    yield "quality", f"{quality}: {_QUALITIES[quality]}" if quality in _QUALITIES else quality
    write = str(state.get("write", "unknown"))
    detail = f" ({state['detail']})" if state.get("detail") else ""
    yield "write", f"{write}: {_WRITES[write]}{detail}" if write in _WRITES else f"{write}{detail}"
    for alarm in found.alarms:
        hidden = f", suppressed by {alarm['suppressed_by']}" if alarm.get("suppressed_by") else ""
        since = _time(instant_of(alarm.get("since")), zone)
        yield "alarm", f"{alarm['event']} of {alarm['target']} ({alarm.get('severity', '?')}) since {since}{hidden}"
        if alarm.get("detail"):
            yield "", str(alarm["detail"])
    if not found.alarms:
        yield "alarms", "none"


def _measured(state: Mapping[str, object]) -> Iterator[str]:
    units = {"level": "level {:g} %", "power_w": "{:g} W", "expected_power_w": "expected {:g} W"}
    units |= {"temperature_c": "room {:g} °C", "setpoint_c": "setpoint {:g} °C", "heating": "heating {:g} %"}
    for name, words in units.items():
        value = state.get(name)
        if isinstance(value, int | float):
            yield words.format(value)
    if isinstance(state.get("on"), bool):
        yield "contactor closed" if state["on"] else "contactor open"
    if state.get("breaker_tripped") is True:
        yield "breaker tripped"
    drive = state.get("drive")
    if isinstance(drive, list):
        yield f"told {state.get('commanded')} % for {state.get('demand')} %: {', '.join(map(str, drive))}"


def _ground(target: str, value: object, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        return _clock(value, zone)
    if isinstance(value, list):
        return ", ".join(_stretch(each, zone) if isinstance(each, dict) else str(each) for each in value) or "none"
    if isinstance(value, dict):
        if "opening" in value:
            return _forecast(value, zone)
        return _optimum_start(value, zone) if "earliest" in value else _next_change(target, value, zone)
    return str(value)


def _stretch(permitted: Mapping[str, object], zone: ZoneInfo) -> str:
    leave = f" by {permitted['derogation']}" if permitted["derogation"] else ""
    return f"{_time(permitted['from'], zone)} to {_time(permitted['to'], zone)}{leave}"


def _next_change(target: str, change: Mapping[str, object], zone: ZoneInfo) -> str:
    wish = {"value": change["level"]}
    return f"{_time(change['at'], zone)} to {_value(target, wish)}: {change['reason']}"


def _optimum_start(bounds: Mapping[str, object], zone: ZoneInfo) -> str:
    earliest = f"at the earliest {_time(bounds['earliest'], zone)}"
    if bounds["by"] == "daemon":
        expected = bounds["expected"]
        return f"{_clock(expected, zone) if isinstance(expected, datetime) else 'none foreseen'}, {earliest}"
    room = "measured" if bounds["measured"] else "as if it had fallen to its setpoint"
    pace = f"with nothing learnt: room at {bounds['from_c']:g} °C, {room}; {bounds['minutes_per_k']:g} min a degree"
    return f"{_time(bounds['expected'], zone)}, {earliest} ({pace})"


def _forecast(told: Mapping[str, object], zone: ZoneInfo) -> str:
    """``18.9 °C at the opening on Tue 2026-11-24 08:00, ready Tue 07:55; confidence 0.93, learnt from 12 mornings``."""
    degrees, confidence, mornings = (told[name] for name in ("expected_c", "confidence", "learnt_mornings"))
    warm = f"{degrees:g} °C" if isinstance(degrees, int | float) else "unknown"
    ready = f", ready {_time(told['ready'], zone)}" if told["ready"] is not None else ""
    sure = f"confidence {confidence:g}, " if isinstance(confidence, int | float) else ""
    learnt = f"learnt from {mornings} morning{'' if mornings == 1 else 's'}" if mornings else "nothing learnt yet"
    obstacle = f"; in the way: {told['obstacle']}" if told["obstacle"] else ""
    return f"{warm} at the opening on {_time(told['opening'], zone)}{ready}; {sure}{learnt}{obstacle}"


def _time(at: object, zone: ZoneInfo) -> str:
    return _clock(at, zone) if isinstance(at, datetime) else "?"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}"


def _localised(found: Mapping[str, object], zone: ZoneInfo) -> Facts:
    return {name: _local(value, zone) for name, value in found.items()}


def _local(value: object, zone: ZoneInfo) -> object:
    """A time, also one in a payload's words, with the site's offset, at any depth; anything else as it is."""
    if isinstance(value, dict):
        return _localised(value, zone)
    if isinstance(value, list):
        return [_local(each, zone) for each in value]
    at = value if isinstance(value, datetime) else instant_of(value)
    return value if at is None else at.astimezone(zone).isoformat(timespec="seconds")


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(word) for word in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
