"""What the demo says of an event, in plain words."""

from __future__ import annotations

import pytest

from controller.cli.demo.show import event_line
from tests.controller.towns import town

ZONE = {"ts": "2026-01-13T07:00:00Z", "seq": 4, "target": "zone/ecole.classes"}
LINES = [
    (
        {"name": "opening", "temperature_c": 18.72, "setpoint_c": 19.0, **ZONE},
        "zone/ecole.classes opens at 18.7 °C (wanted 19.0 °C)",
    ),
    (
        {"name": "preheat", "temperature_c": 16.1, **ZONE},
        "zone/ecole.classes begins to heat at 16.1 °C for the opening",
    ),
    (
        {
            "name": "heating-day", **ZONE, "target": "building/ecole", "day": "2026-01-12",
            "day_heat_kwh": 46.69, "day_electricity_kwh": 26.11, "day_outdoor_c": 7.1,
        },
        "building/ecole on 2026-01-12: 47 kWh heat, 26 kWh electricity at 7.1 °C outside",
    ),
    (
        {"name": "heating-day", **ZONE, "target": "building/gym", "day": "2026-01-12", "day_gas_kwh": 3.2},
        "building/gym on 2026-01-12: 3 kWh gas",
    ),
    ({"name": "boost", "until": "2026-01-13T09:00:00Z", **ZONE}, "zone/ecole.classes boost until=2026-01-13T09:00:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "line"), LINES)
def test_an_event_in_words(event: dict[str, object], line: str) -> None:
    assert event_line(town(), event) == line
