"""Sites for the benches: so many devices at the farm's ports, with a profile of the site's own."""

from __future__ import annotations

from pathlib import Path

METER_POINTS = (
    ("voltage-l1", "V"),
    ("voltage-l2", "V"),
    ("voltage-l3", "V"),
    ("current-l1", "A"),
    ("current-l2", "A"),
    ("current-l3", "A"),
    ("power-l1", "W"),
    ("power-l2", "W"),
    ("power-l3", "W"),
    ("power", "W"),
    ("reactive-power", "var"),
    ("apparent-power", "VA"),
    ("power-factor", ""),
    ("frequency", "Hz"),
    ("energy", "kWh"),
    ("energy-export", "kWh"),
)
"""The 16 float32 points of a bench meter, in the order of their registers; the first one holds the farm's counter."""

_HEAD = """site: {{id: bench, latitude: 48.86, longitude: 2.35, timezone: Europe/Paris, country: FR}}
mqtt: {{url: "mqtt://127.0.0.1:{port}"}}
"""
_PROFILE_HEAD = """id: {name}
title: a device of the bench's farm
protocol: modbus
source: bench/farm.c
checked: 2026-11-24
points:
"""


def metering_site(folder: Path, broker_port: int, first_port: int, count: int) -> Path:
    """A site of ``count`` meters with 16 points every second, each at a port of its own from ``first_port``."""
    _profile(
        folder,
        "bench-meter",
        [
            f'  meter.{name}: {{table: holding, address: {2 * place}, type: float32, unit: "{unit}", every: 1s}}'
            for place, (name, unit) in enumerate(METER_POINTS)
        ],
    )
    names = [device_name(number) for number in range(count)]
    lines = ["buses:", "  farm: {driver: modbus}", "devices:"]
    lines += [
        f'  - {{id: {name}, bus: farm, address: "127.0.0.1:{first_port + number}", profile: bench-meter}}'
        for number, name in enumerate(names)
    ]
    lines += ["meters:", *(f"  - {{id: {name}, device: {name}}}" for name in names)]
    return _site(folder, broker_port, lines)


def device_name(number: int) -> str:
    """The id of the device at the farm's port ``number``, from 0."""
    return f"m-{number:04}"


def _profile(folder: Path, name: str, points: list[str]) -> None:
    (folder / "profiles").mkdir(parents=True, exist_ok=True)
    (folder / "profiles" / f"{name}.yaml").write_text(_PROFILE_HEAD.format(name=name) + "\n".join(points) + "\n")


def _site(folder: Path, broker_port: int, lines: list[str]) -> Path:
    (folder / "site.yaml").write_text(_HEAD.format(port=broker_port) + "\n".join(lines) + "\n")
    return folder
