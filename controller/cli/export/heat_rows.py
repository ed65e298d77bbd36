"""Hours and months of zones and buildings out of the daemon's own file, by local days."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from config.site import Building, Site
from controller.cli.targets import the_one
from controller.core.metering.monthly import month_of, month_span
from controller.core.metering.rows import BuildingRow, ZoneRow, building_figures, hour_at, hour_text, zone_figures
from controller.store.reading import NoStore, Reading
from schedules.moments import at_local

_MIDNIGHT = datetime.min.time()
_EVER = (date(1970, 1, 1), date(2199, 12, 31))
_DAY = timedelta(days=1)
_Row = TypeVar("_Row")
Days = tuple[date, date]
"""Local days, both included."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the days (None: from the first, to the last), of which zone or building."""

    first: date | None
    last: date | None
    of: str | None = None
    by: str = "month"
    source: str | None = None
    baseline: Days | None = None
    events: Path | None = None
    """What happened to buildings that no weather explains: CSV, ``date,building,note``."""

    @property
    def days(self) -> Days:
        """From when to when; all there is where nothing was said."""
        return self.first or _EVER[0], self.last or _EVER[1]


class Evidence:
    """The rows of one file for a site. Every method may raise NoStore."""

    def __init__(self, town: Site, file: Reading) -> None:
        self.town, self.zone = town, ZoneInfo(town.place.zone.key)
        self._file = file

    def targets(self, of: str | None) -> list[str]:
        """The zones and buildings that ``of`` means: a building with its zones, one zone, or all. Exit code 1 else."""
        found: list[str] = []
        for building in self.town.buildings.values():
            found += [f"building/{building.id}", *(f"zone/{zone}" for zone in building.zones)]
        if of is None:
            return found
        one = the_one(of, found)
        building_of = self.town.buildings.get(one.removeprefix("building/"))
        return [one, *(f"zone/{zone}" for zone in (building_of.zones if building_of is not None else ()))]

    def buildings(self, of: str | None) -> list[Building]:
        """The buildings that are meant; exit code 1 for a zone."""
        found = [target.removeprefix("building/") for target in self.targets(of) if target.startswith("building/")]
        if not found:
            raise click.ClickException(f"{of!r} is a zone: energy and weather are known of buildings")
        return [self.town.buildings[each] for each in found]

    def building_hours(self, building: str, days: Days) -> list[tuple[datetime, BuildingRow]]:
        """The hours of a building in those days."""
        return list(self._hours(f"building/{building}", days, building_figures))

    def zone_hours(self, zone: str, days: Days) -> list[tuple[datetime, ZoneRow]]:
        """The hours of a zone in those days."""
        return list(self._hours(f"zone/{zone}", days, zone_figures))

    def months(self, target: str, days: Days) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
        """The months of those days, their figures, and whether each is closed; one in progress as far as it is."""
        first, last = (f"{day:%Y-%m}" for day in days)
        closed = list(self._file.months(target, first, last))
        yield from ((month, json.loads(figures), True) for month, figures in closed)
        newest = closed[-1][0] if closed else ""
        rows: dict[str, list[tuple[str, str]]] = {}
        for hour, figures in self._file.hours(target, f"{newest or first}-01", f"{last}-99"):
            month = f"{hour_at(hour).astimezone(self.zone):%Y-%m}"
            if first <= month <= last and month > newest:
                rows.setdefault(month, []).append((hour, figures))
        for month, hours in rows.items():
            span = month_span(target, hour_at(hours[0][0]), self.zone)
            yield month, json.loads(month_of(span, hours)), False

    def hot_water(self, building: str) -> list[list[Any]]:
        """The log against legionella: ``[date, reached, hottest, minutes, coolest]`` a day."""
        documents = dict(self._file.documents(f"hot-water/{building}"))
        try:
            return list(json.loads(documents.get(f"hot-water/{building}", "[]")))
        except (ValueError, TypeError) as error:
            raise NoStore(f"the log of the hot water of {building} cannot be read: {error}") from error

    def _hours(self, target: str, days: Days, read: Callable[[str], _Row]) -> Iterator[tuple[datetime, _Row]]:
        first, last = (at_local(day, _MIDNIGHT, self.zone) for day in (days[0], days[1] + _DAY))
        for hour, figures in self._file.hours(target, hour_text(first), hour_text(last)):
            try:
                yield hour_at(hour), read(figures)
            except (ValueError, TypeError) as error:
                raise NoStore(f"the hour {hour} of {target} cannot be read: {error}") from error
