"""A rehearsal as text, as plain facts and as lines of a table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from config.site import Site
from controller.cli.rehearse.diary import Diary, Opening, ZoneDay
from controller.cli.rehearse.rules import Verdict
from controller.rehearsal import Rehearsal

EARLY_MIN = 45.0
COLUMNS = (
    "date", "zone", "openings", "met", "opening", "setpoint_c", "temperature_c", "preheat", "early_min", "lowest_c",
)  # fmt: skip
NO_LIGHTING = "lighting is not rehearsed yet: `veilleuse plan` shows it"


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a rehearsal came to; ``left_out`` are zones whose devices the simulator does not know."""

    site: Site
    first: date
    last: date
    diary: Diary
    verdicts: Sequence[Verdict]
    rehearsal: Rehearsal
    left_out: tuple[str, ...]


def as_facts(result: Result) -> dict[str, object]:
    """For ``--json``."""
    zone = result.site.place.zone
    return {
        "from": result.first.isoformat(),
        "to": result.last.isoformat(),
        "step_s": result.rehearsal.every_s,
        "zones": [
            {
                "target": f"zone/{name}",
                "days": [
                    {
                        "date": day.day.isoformat(),
                        "lowest_c": _rounded(day.lowest_c, 2),
                        "openings": [_opening_facts(opening, zone) for opening in day.openings],
                    }
                    for day in _days(result, name)
                ],
            }
            for name in result.site.zones
        ],
        "buildings": [
            {
                "target": f"building/{name}",
                "days": [
                    {"date": day.isoformat(), "energy_kwh": round(used, 1)}
                    for day, used in sorted(result.diary.energy[name].items())
                ],
            }
            for name in result.site.buildings
        ],
        "alarms": dict(_alarms(result)),
        "rules": [{"rule": each.rule, "held": each.held, "detail": each.detail} for each in result.verdicts],
        "not_rehearsed": ["lighting", *(f"zone/{name}" for name in result.left_out)],
    }


def as_csv(result: Result) -> str:
    """One line a day and zone; of several openings a day the first one stands."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for name in result.site.zones:
        for day in _days(result, name):
            table.writerow(_row(day, name, result.site.place.zone))
    return text.getvalue()


def as_text(result: Result) -> str:
    """For people."""
    zone = result.site.place.zone
    days = f"{result.first:%a %Y-%m-%d} to {result.last:%a %Y-%m-%d}"
    lines = [f"{result.site.name}, {days}: the heating against the simulator", NO_LIGHTING]
    for name in result.site.zones:
        lines += ["", f"zone/{name}  {_summary(result, name)}", *_table(result, name, zone)]
    for name in result.site.buildings:
        used = result.diary.energy[name]
        lines += ["", f"building/{name}  {sum(used.values()):,.0f} kWh"]
        lines += [f"  {day:%a %m-%d}  {kwh:8,.0f} kWh" for day, kwh in sorted(used.items())]
    raised = _alarms(result)
    lines += ["", "alarms  " + (", ".join(f"{name} {count}" for name, count in raised.items()) or "none"), "", "rules"]
    lines += [_verdict(each) for each in result.verdicts]
    lines += [f"  not rehearsed  zone/{name}: the simulator does not know its device" for name in result.left_out]
    return "\n".join(lines)


def _table(result: Result, name: str, zone: ZoneInfo) -> Iterator[str]:
    yield "  day        opening  setpoint   room  preheat from     early  lowest"
    for day in _days(result, name):
        lowest = _cell(day.lowest_c, 6, 1)
        if not day.openings:
            yield f"  {day.day:%a %m-%d}{'':51}{lowest}"
        for opening in day.openings:
            yield f"  {day.day:%a %m-%d}  {_line(opening, zone)}{lowest}{'' if opening.met else '  cold'}"


def _line(opening: Opening, zone: ZoneInfo) -> str:
    began = f"{opening.preheat.astimezone(zone):%a %H:%M}" if opening.preheat is not None else "-"
    early = "-" if opening.early_min is None else f"{opening.early_min:.0f} min"
    room = _cell(opening.temperature_c, 5, 1)
    return f"{opening.at.astimezone(zone):%H:%M}  {opening.setpoint_c:9.1f}  {room}  {began:>12}  {early:>8}  "


def _summary(result: Result, name: str) -> str:
    openings = [opening for day in _days(result, name) for opening in day.openings]
    if not openings:
        return "no opening in these days"
    early = [opening.early_min for opening in openings if opening.early_min is not None]
    timely = sum(minutes < EARLY_MIN for minutes in early)
    words = f"{sum(opening.met for opening in openings)} of {len(openings)} openings within 0.5 K"
    return f"{words}, {timely} of {len(early)} preheats less than {EARLY_MIN:.0f} min too early" if early else words


def _verdict(verdict: Verdict) -> str:
    detail = f"  {verdict.detail}" if verdict.detail else ""
    return f"  {'held  ' if verdict.held else 'BROKEN'}  {verdict.rule}{detail}"


def _days(result: Result, zone: str) -> list[ZoneDay]:
    days = result.diary.zones[zone]
    return [days[day] for day in sorted(days) if result.first <= day <= result.last]


def _alarms(result: Result) -> Counter[str]:
    return Counter(event for _, event in result.rehearsal.raised)


def _row(day: ZoneDay, zone: str, place: ZoneInfo) -> list[object]:
    first = day.openings[0] if day.openings else None
    shown: list[object] = [day.day.isoformat(), zone, len(day.openings), sum(each.met for each in day.openings)]
    if first is None:
        return [*shown, "", "", "", "", "", _rounded(day.lowest_c, 2)]
    early = _rounded(first.early_min, 1)
    return [
        *shown, _stamp(first.at, place), first.setpoint_c, _rounded(first.temperature_c, 2),
        _stamp(first.preheat, place), "" if early is None else early, _rounded(day.lowest_c, 2),
    ]  # fmt: skip


def _opening_facts(opening: Opening, place: ZoneInfo) -> dict[str, object]:
    return {
        "at": _stamp(opening.at, place),
        "setpoint_c": opening.setpoint_c,
        "temperature_c": _rounded(opening.temperature_c, 2),
        "met": opening.met,
        "preheat": _stamp(opening.preheat, place) or None,
        "early_min": _rounded(opening.early_min, 1),
    }


def _stamp(at: datetime | None, place: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(place).isoformat(timespec="seconds")


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _cell(value: float | None, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"
