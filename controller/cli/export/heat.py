"""Tables of the heating: hours, months, degree-days, and a year of a building for a declaration (OPERAT)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

from config.site import HEAT, Building
from controller.cli.export.heat_rows import Asked, Days, Evidence
from controller.core.metering.degree_days import days_of
from controller.core.metering.rows import BuildingRow
from schedules import occupancy
from schedules.moments import at_local

Row = dict[str, object]
OPERAT = (
    "building", "name", "use", "area_m2", "year", "energy", "energy_kwh", "of_which_heating_kwh", "months",
    "energy_unknown_h", "degree_days", "degree_days_known", "occupied_h", "occupied_days", "weather",
)  # fmt: skip
_MIDNIGHT = datetime.min.time()
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def hours(evidence: Evidence, asked: Asked) -> Iterator[Row]:
    """One row a zone or building and hour."""
    for target in evidence.targets(asked.of):
        kind, _, identity = target.partition("/")
        if kind == "zone":
            rows = ((at, asdict(row)) for at, row in evidence.zone_hours(identity, asked.days))
        else:
            rows = ((at, _building(row)) for at, row in evidence.building_hours(identity, asked.days))
        yield from ({"target": target, "hour": at.astimezone(evidence.zone).isoformat(), **row} for at, row in rows)


def months(evidence: Evidence, asked: Asked) -> Iterator[Row]:
    """One row a zone or building and month; ``closed`` false: so far."""
    for target in evidence.targets(asked.of):
        for month, figures, closed in evidence.months(target, asked.days):
            flat: Row = {}
            for name, value in figures.items():
                if name == "energy_kwh":
                    flat |= {f"{source}_kwh": kwh for source, kwh in value.items()}
                elif name == "energy_unknown_h":
                    flat |= {f"{source}_unknown_h": unknown for source, unknown in value.items()}
                elif name != "degree_days_by_base":
                    flat[name] = value
            yield {"target": target, "month": month, "closed": closed, **flat}


def degree_days(evidence: Evidence, asked: Asked) -> Iterator[Row]:
    """By month or day, each row with the sensor that they come from."""
    for building in evidence.buildings(asked.of):
        source = weather_of(building)
        if asked.by == "day":
            for day in days_of(evidence.building_hours(building.id, asked.days), evidence.zone):
                yield {
                    "building": building.id,
                    "day": day.day.isoformat(),
                    "days_known": round(day.known_h / 24.0, 3),
                    "degree_days": round(day.integrated[18], 2),
                    "meteo": round(day.meteo, 2),
                    "costic": round(day.costic, 2),
                    "outdoor_c": round(day.mean_c, 2),
                    "weather": source,
                }
            continue
        for month, figures, closed in evidence.months(f"building/{building.id}", asked.days):
            yield {
                "building": building.id,
                "month": month,
                "closed": closed,
                "days_known": figures["days"],
                "degree_days": figures["degree_days"],
                "meteo": figures["degree_days_meteo"],
                "costic": figures["degree_days_costic"],
                "outdoor_c": figures["outdoor_c"],
                "weather": source,
            }


def hot_water(evidence: Evidence, asked: Asked) -> Iterator[Row]:
    """The log against legionella, one row a building and day."""
    first, last = (day.isoformat() for day in asked.days)
    for building in evidence.buildings(asked.of):
        for day, reached, hottest_c, hot_for_min, coolest_c in evidence.hot_water(building.id):
            if first <= day <= last:
                yield {
                    "building": building.id,
                    "day": day,
                    "reached": bool(reached),
                    "hottest_c": hottest_c,
                    "hot_for_min": hot_for_min,
                    "coolest_c": coolest_c,
                }


def operat(evidence: Evidence, asked: Asked) -> Iterator[Row]:
    """One row a building, year and energy; what is not known is told, not filled in."""
    for building in evidence.buildings(asked.of):
        by_year: defaultdict[int, list[dict[str, object]]] = defaultdict(list)
        for month, figures, closed in evidence.months(f"building/{building.id}", asked.days):
            if closed:
                by_year[int(month[:4])].append(dict(figures))
        for year, found in sorted(by_year.items()):
            yield from _year(evidence, building, year, found)


def columns(rows: Sequence[Row]) -> list[str]:
    """Every column that some row has, in the order in which they come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def weather_of(building: Building) -> str:
    """Where the outdoor temperatures come from."""
    return f"outdoor.temperature of {building.device}, own sensor"


def occupied_in(building_zones: Iterable[occupancy.Occupancy], days: Days) -> tuple[float, int]:
    """Hours and days on which somebody was due in one of the zones, by the occupancy as it is written today."""
    found = list(building_zones)
    if not found:
        return 0.0, 0
    total_h, number, day = 0.0, 0, days[0]
    while day <= days[1]:
        start, end = (at_local(each, _MIDNIGHT, found[0].zone) for each in (day, day + _DAY))
        due_h = _union_h(span for each in found for span in _spans(each, start, end))
        total_h, number, day = total_h + due_h, number + (due_h >= 1.0), day + _DAY
    return total_h, number


def _year(evidence: Evidence, building: Building, year: int, found: Sequence[dict[str, object]]) -> Iterator[Row]:
    zones = [evidence.town.zones[zone].occupancy for zone in building.zones]
    occupied_h, occupied_days = occupied_in(zones, (date(year, 1, 1), date(year, 12, 31)))
    sources = sorted({source for month in found for source in _mapping(month, "energy_kwh")})
    for source in sources:
        kwh = sum(_mapping(month, "energy_kwh").get(source, 0.0) for month in found)
        unknown_h = sum(_mapping(month, "energy_unknown_h").get(source, _number(month, "hours")) for month in found)
        yield {
            "building": building.id,
            "name": building.name,
            "use": building.use,
            "area_m2": building.area_m2,
            "year": year,
            "energy": source,
            "energy_kwh": round(kwh, 1),
            "of_which_heating_kwh": round(kwh, 1) if source == HEAT else None,
            "months": len(found),
            "energy_unknown_h": round(unknown_h),
            "degree_days": round(sum(_number(month, "degree_days") for month in found), 1),
            "degree_days_known": round(sum(_number(month, "days") for month in found)),
            "occupied_h": round(occupied_h, 1),
            "occupied_days": occupied_days,
            "weather": weather_of(building),
        }


def _mapping(month: dict[str, object], name: str) -> dict[str, float]:
    value = month.get(name)
    return value if isinstance(value, dict) else {}


def _number(month: dict[str, object], name: str) -> float:
    value = month.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _building(row: BuildingRow) -> Row:
    flat: Row = asdict(row)
    del flat["energy"]
    for source, (known, late) in row.energy.items():
        flat |= {f"{source}_kwh": known, f"{source}_late_kwh": late}
    return flat


def _spans(found: occupancy.Occupancy, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    at = start
    while at < end:
        presence = occupancy.evaluate(found, at)
        if presence.occupied:
            yield at, min(presence.until, end)
        at = presence.until


def _union_h(spans: Iterable[tuple[datetime, datetime]]) -> float:
    total, reached = 0.0, None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += (end - begin) / _HOUR
            reached = end
    return total
