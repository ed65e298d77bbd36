"""The allure by the length of the vacancy, and when to start heating."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schedules.allures import Allure, Setpoints, evaluate
from schedules.calendars import Calendar, Period
from schedules.occupancy import Occupancy, parse_weekly
from schedules.optimum_start import HEAVY_MINUTES_PER_K, preheat_start

ZONE = ZoneInfo("Europe/Paris")
VACANCES = Calendar("vacances-b", (Period(date(2026, 12, 19), date(2027, 1, 3), "Noel"),))
FERIES = Calendar("feries", (Period(date(2026, 11, 11), date(2026, 11, 11), "Armistice"),))
ECOLE = Occupancy("ecole", parse_weekly({"mon-fri": "08:00-17:30"}), (FERIES, VACANCES), (), ZONE)
SETPOINTS = Setpoints(19.0, 16.0, 8.0)


def at(text: str) -> datetime:
    """An instant from local time in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("instant", "allure", "setpoint_c", "reason"),
    [
        ("2026-11-09T09:00", Allure.COMFORT, 19.0, "weekly mon-fri 08:00-17:30"),
        ("2026-11-09T18:00", Allure.REDUCED, 16.0, "vacant 14.5 h until Tue 08:00"),
        ("2026-11-11T09:00", Allure.REDUCED, 16.0, "vacant 38.5 h until Thu 08:00 (closed: feries: Armistice)"),
        ("2026-11-13T17:30", Allure.FROST, 8.0, "vacant 62.5 h until Mon 08:00"),
        ("2026-11-16T07:59", Allure.FROST, 8.0, "vacant 62.5 h until Mon 08:00"),
        (
            "2026-12-24T12:00",
            Allure.FROST,
            8.0,
            "vacant 398.5 h until Mon 2027-01-04 08:00 (closed: vacances-b: Noel)",
        ),
        # the week-end of the spring change is an hour shorter
        ("2026-03-28T12:00", Allure.FROST, 8.0, "vacant 61.5 h until Mon 08:00"),
    ],
)
def test_the_allure_by_occupancy(instant: str, allure: Allure, setpoint_c: float, reason: str) -> None:
    demand = evaluate(ECOLE, SETPOINTS, at(instant))
    assert (demand.allure, demand.setpoint_c, demand.reason) == (allure, setpoint_c, reason)
    assert demand.since <= at(instant) < demand.until


@pytest.mark.parametrize(
    ("closes", "allure"), [("08:00", Allure.FROST), ("08:01", Allure.REDUCED), ("07:59", Allure.FROST)]
)
def test_forty_eight_hours_to_the_minute(closes: str, allure: Allure) -> None:
    hall = Occupancy("x", parse_weekly({"mon": f"06:00-{closes}", "wed-sun": "08:00-24:00"}), (), (), ZONE)
    assert evaluate(hall, SETPOINTS, at("2026-11-10T12:00")).allure is allure


def test_the_limit_is_the_sites_own() -> None:
    demand = evaluate(ECOLE, SETPOINTS, at("2026-11-14T12:00"), vacancy_for_frost=timedelta(hours=72))
    assert demand.allure is Allure.REDUCED


def test_the_next_opening_is_after_the_presence() -> None:
    assert evaluate(ECOLE, SETPOINTS, at("2026-11-09T09:00")).next_opening == at("2026-11-10T08:00")
    assert evaluate(ECOLE, SETPOINTS, at("2026-11-13T18:00")).next_opening == at("2026-11-16T08:00")


def test_a_building_without_hours_stays_on_frost() -> None:
    demand = evaluate(Occupancy("x", {}, (), (), ZONE), SETPOINTS, at("2026-11-09T09:00"))
    assert (demand.allure, demand.reason, demand.next_opening) == (
        Allure.FROST,
        "vacant, no opening known",
        None,
    )


@pytest.mark.parametrize(("allure", "setpoint_c"), [("comfort", 19.0), ("reduced", 16.0), ("frost", 8.0), ("off", 5.0)])
def test_each_allure_has_a_setpoint(allure: str, setpoint_c: float) -> None:
    assert SETPOINTS.of(Allure(allure)) == setpoint_c


@pytest.mark.parametrize(
    ("temperature_c", "cap_h", "starts"),
    [
        (16.0, 3, "2026-11-16T07:00"),  # 3 K x 20 min
        (18.5, 3, "2026-11-16T07:50"),
        (8.0, 3, "2026-11-16T05:00"),  # capped
        (8.0, 36, "2026-11-16T04:20"),  # 11 K x 20 min
        (19.0, 3, "2026-11-16T08:00"),
        (21.0, 3, "2026-11-16T08:00"),
    ],
)
def test_preheating_starts_by_the_missing_kelvins(temperature_c: float, cap_h: int, starts: str) -> None:
    found = preheat_start(at("2026-11-16T08:00"), temperature_c, 19.0, HEAVY_MINUTES_PER_K, timedelta(hours=cap_h))
    assert found == at(starts)
