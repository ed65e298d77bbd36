"""The allure that the occupancy asks for, and its setpoint.

The four allures of article R241-6 of the French energy code; 19/16/8 degrees C after its articles R241-26
and R241-27: a vacancy of 48 h or more asks for frost, a shorter one for reduced. The whole length of the
vacancy counts, from its first instant on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from schedules import occupancy as presence_of
from schedules.calendars import WEEKDAYS
from schedules.occupancy import OUTSIDE_HOURS, Occupancy, Presence

VACANCY_FOR_FROST = timedelta(hours=48)
_HOUR = timedelta(hours=1)
_SAME_WEEK = timedelta(days=6)


class Allure(StrEnum):
    """How a zone is heated (article R241-6: confort, reduit, hors-gel, arret)."""

    COMFORT = "comfort"
    REDUCED = "reduced"
    FROST = "frost"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Setpoints:
    """Degrees C by allure; ``off`` is what is written to a device that knows no off."""

    comfort: float
    reduced: float
    frost: float
    off: float = 5.0

    def of(self, allure: Allure) -> float:
        """The setpoint of ``allure`` in degrees C."""
        by_allure = {
            Allure.COMFORT: self.comfort,
            Allure.REDUCED: self.reduced,
            Allure.FROST: self.frost,
            Allure.OFF: self.off,
        }
        return by_allure[allure]


@dataclass(frozen=True, slots=True)
class AllureDemand:
    """What the occupancy asks of a zone, constant from ``since`` to before ``until`` (aware UTC).

    ``next_opening`` is the first beginning of a presence after the instant asked about, None when unknown.
    """

    allure: Allure
    setpoint_c: float
    reason: str
    since: datetime
    until: datetime
    next_opening: datetime | None


def evaluate(
    occupancy: Occupancy, setpoints: Setpoints, at: datetime, vacancy_for_frost: timedelta = VACANCY_FOR_FROST
) -> AllureDemand:
    """The demand at the aware instant ``at``: comfort when occupied, else by the length of the vacancy."""
    return _demand(occupancy, setpoints, presence_of.evaluate(occupancy, at), vacancy_for_frost)


@lru_cache(maxsize=4096)
def _demand(
    occupancy: Occupancy, setpoints: Setpoints, presence: Presence, vacancy_for_frost: timedelta
) -> AllureDemand:
    if presence.occupied:
        allure, reason = Allure.COMFORT, presence.reason
    else:
        long = presence.until - presence.since >= vacancy_for_frost
        allure, reason = Allure.FROST if long else Allure.REDUCED, _vacant(presence, occupancy.zone)
    opening = presence_of.opening_after(occupancy, presence)
    return AllureDemand(allure, setpoints.of(allure), reason, presence.since, presence.until, opening)


def _vacant(presence: Presence, zone: ZoneInfo) -> str:
    """``vacant 62 h until Mon 08:00``; a longer vacancy with the date, a closed one with the cause."""
    cause = "" if presence.reason == OUTSIDE_HOURS else f" ({presence.reason})"
    if not presence.bounded:
        return f"vacant, no opening known{cause}"
    local = presence.until.astimezone(zone)
    length = presence.until - presence.since
    on = f" {local:%Y-%m-%d}" if length > _SAME_WEEK else ""
    weekday = WEEKDAYS[local.weekday()].capitalize()
    return f"vacant {round(length / _HOUR, 1):g} h until {weekday}{on} {local:%H:%M}{cause}"
