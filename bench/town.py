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
BACNET_POINTS = 10
FIRST_INSTANCE = 1001

_HEAD = """site: {{id: bench, latitude: 48.86, longitude: 2.35, timezone: Europe/Paris, country: FR}}
mqtt: {{url: "mqtt://127.0.0.1:{port}"}}
"""
_PROFILE_HEAD = """id: {name}
title: a device of the bench's farm
protocol: {protocol}
source: bench/README.md
checked: 2026-11-24
points:
"""


def metering_site(folder: Path, broker_port: int, first_port: int, count: int) -> Path:
    """A site of ``count`` meters with 16 points every second, each at a port of its own from ``first_port``."""
    _profile(folder, "bench-meter", _meter_points())
    names = [device_name(number) for number in range(count)]
    return _site(folder, broker_port, _farm_lines(first_port, names))


def shared_site(folder: Path, broker_port: int, port: int, count: int) -> Path:
    """As ``metering_site``, but all devices behind one gateway, units from 1."""
    _profile(folder, "bench-meter", _meter_points())
    names = [device_name(number) for number in range(count)]
    lines = ["buses:", f'  farm: {{driver: modbus, tcp: "127.0.0.1:{port}"}}', "devices:"]
    lines += [
        f"  - {{id: {name}, bus: farm, unit: {unit}, profile: bench-meter}}" for unit, name in enumerate(names, 1)
    ]
    lines += ["meters:", *(f"  - {{id: {name}, device: {name}}}" for name in names)]
    return _site(folder, broker_port, lines)


def lighting_site(folder: Path, broker_port: int, first_port: int, count: int) -> Path:
    """As ``metering_site``, and one lamp at each device: its command and its level are register 1000."""
    lamp = 'lamp.1.{}: {{table: holding, address: 1000, type: uint16, unit: "%", every: 1s{}}}'
    writable = ", minimum: 0, maximum: 100, writable: true, feedback: lamp.1.level"
    points = ["  " + lamp.format("command", writable), "  " + lamp.format("level", "")]
    _profile(folder, "bench-meter", _meter_points() + points)
    names = [device_name(number) for number in range(count)]
    lines = [*_farm_lines(first_port, names), "lamp_types: {led: {power: 42}}"]
    lamps = ["id,street,cabinet,segment,address,type,latitude,longitude,device"]
    lamps += [f"{name},Rue,,,1,led,48.86,2.35,{name}" for name in names]
    (folder / "lamps.csv").write_text("\n".join(lamps) + "\n")
    return _site(folder, broker_port, lines)


def heating_site(folder: Path, broker_port: int, own_port: int, first_port: int, count: int, every_s: int) -> Path:
    """A site of ``count`` BACnet meters with 10 points every ``every_s``, at ports from ``first_port``."""
    return _stations(folder, broker_port, own_port, first_port, count, f"every: {every_s}s")


def reporting_site(folder: Path, broker_port: int, own_port: int, first_port: int, count: int) -> Path:
    """As ``heating_site``, but the devices report changes, and are read only every ten minutes."""
    return _stations(folder, broker_port, own_port, first_port, count, "every: 5s, cov: 10m")


def _stations(folder: Path, broker_port: int, own_port: int, first_port: int, count: int, period: str) -> Path:
    points = [
        f'  meter.{name}: {{object: "analog-value,{place}", unit: "{unit}", {period}}}'
        for place, (name, unit) in enumerate(METER_POINTS[:BACNET_POINTS], 1)
    ]
    _profile(folder, "bench-station", points, protocol="bacnet")
    lines = ["buses:", f'  farm: {{driver: bacnet, address: "127.0.0.1/24:{own_port}"}}', "devices:"]
    lines += [
        f'  - {{id: {device_name(number)}, bus: farm, address: "127.0.0.1:{first_port + number}",'
        f" instance: {FIRST_INSTANCE + number}, profile: bench-station}}"
        for number in range(count)
    ]
    lines += ["meters:", *(f"  - {{id: {device_name(n)}, device: {device_name(n)}}}" for n in range(count))]
    return _site(folder, broker_port, lines)


def _meter_points() -> list[str]:
    return [
        f'  meter.{name}: {{table: holding, address: {2 * place}, type: float32, unit: "{unit}", every: 1s}}'
        for place, (name, unit) in enumerate(METER_POINTS)
    ]


def _farm_lines(first_port: int, names: list[str]) -> list[str]:
    lines = ["buses:", "  farm: {driver: modbus}", "devices:"]
    lines += [
        f'  - {{id: {name}, bus: farm, address: "127.0.0.1:{first_port + number}", profile: bench-meter}}'
        for number, name in enumerate(names)
    ]
    return [*lines, "meters:", *(f"  - {{id: {name}, device: {name}}}" for name in names)]


def device_name(number: int) -> str:
    """The id of the device at the farm's port ``number``, from 0."""
    return f"m-{number:04}"


def _profile(folder: Path, name: str, points: list[str], protocol: str = "modbus") -> None:
    (folder / "profiles").mkdir(parents=True, exist_ok=True)
    (folder / "profiles" / f"{name}.yaml").write_text(
        _PROFILE_HEAD.format(name=name, protocol=protocol) + "\n".join(points) + "\n"
    )


def _site(folder: Path, broker_port: int, lines: list[str]) -> Path:
    (folder / "site.yaml").write_text(_HEAD.format(port=broker_port) + "\n".join(lines) + "\n")
    return folder
