"""What the demo shows: a live table on a terminal, plain lines through a pipe. Both read the scene and nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from config.site import Site
from controller.cli.demo.scene import Scene
from controller.cli.demo.stage import Stage
from drivers.modbus.settings import ModbusDevice
from schedules import sun

_EVERY = timedelta(minutes=30)
_SHOWN_LINES = 9
_WIDE = 110
_BARS = " ▁▂▃▄▅▆▇█"
_QUIET = frozenset({"output-masked", "override-set", "device-online"})


class Show:
    """A terminal gets a table that moves, a pipe gets a line each half hour of the town; events go to both."""

    def __init__(self, stage: Stage, scene: Scene, terminal: bool) -> None:
        self._stage = stage
        self._scene = scene
        self._lines: deque[str] = deque(maxlen=_SHOWN_LINES)
        self._next_line: datetime | None = None
        self._live = Live(console=Console(), auto_refresh=False, transient=False) if terminal else None

    def title(self, broker: str) -> None:
        """What plays here and how to look at it with other tools."""
        stage, site = self._stage, self._stage.site
        addresses = [
            f"{device.id} {device.settings.address} unit {device.settings.unit}"
            for device in site.devices.values()
            if isinstance(device.settings, ModbusDevice) and device.settings.address
        ]
        size = f"{len(site.lamps)} lamps, {len(site.zones)} heated zones"
        click.echo(f"{site.name}: {size}, {stage.clock.speed:g} times real time")
        click.echo(f"  broker      {broker} on 127.0.0.1:{stage.broker_port}")
        click.echo(f"  look        mosquitto_sub -p {stage.broker_port} -v -t '{site.mqtt.base}/#'")
        click.echo(f"  cabinets    Modbus TCP: {', '.join(addresses)}")
        click.echo(
            f"  break it    veilleuse sim --control {stage.control_port} --send 'fault cab-gare disconnect for 30m'"
        )
        click.echo(f"  site files  {stage.directory}")
        click.echo("")
        if self._live is not None:
            self._live.start()

    def say(self, line: str) -> None:
        """One line of news, with the town's time."""
        stamped = f"{self._local():%a %H:%M}  {line}"
        self._lines.append(stamped)
        if self._live is None:
            click.echo(stamped)

    def frame(self) -> None:
        """Draw the present state; through a pipe at each half hour of the town."""
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            return
        now = self._local()
        if self._next_line is None or now >= self._next_line:
            self._next_line = now + _EVERY
            if self._scene.online:
                click.echo(f"{now:%a %H:%M}  {self._summary_line()}")

    def close(self) -> None:
        """Leave the last frame standing."""
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            self._live.stop()

    def _local(self) -> datetime:
        return self._stage.clock.now().astimezone(self._stage.site.place.zone)

    def _summary_line(self) -> str:
        lamps = [payload for _, payload in self._scene.of("lamp")]
        levels = [float(level) for payload in lamps if isinstance(level := payload.get("level"), int | float)]
        power = sum(float(w) for payload in lamps if isinstance(w := payload.get("power_w"), int | float))
        lit = [level for level in levels if level > 0]
        mean = f" at {sum(lit) / len(lit):.0f} %" if lit else ""
        zones = "  ".join(f"{name.partition('.')[2]} {_zone(payload)}" for name, payload in self._scene.of("zone"))
        return f"{len(lit):2d}/{len(lamps)} lamps lit{mean}, {power / 1000:.2f} kW | {zones}"

    def _table(self) -> Group:
        return Group(self._head(), self._lighting(), self._heating(), Text("\n".join(self._lines), style="dim"))

    def _head(self) -> Text:
        site, now = self._stage.site, self._local()
        height = sun.elevation(now, site.place)
        sky = "day" if height > 0 else "twilight" if height > sun.CIVIL_DEG else "night"
        state = "online" if self._scene.online else "waiting for the daemon"
        alarms = f"{len(self._scene.alarms)} alarm(s)" if self._scene.alarms else "no alarm"
        return Text(f"{now:%A %d %B %Y %H:%M}   {sky}, sun {height:+.0f}°   daemon {state}   {alarms}", style="bold")

    def _lighting(self) -> Table:
        rows = []
        for identity, payload in self._scene.of("segment"):
            lamps = [lamp for lamp in self._stage.site.lamps.values() if lamp.segment == identity]
            states = [self._scene.states.get(f"lamp/{lamp.id}", {}) for lamp in lamps]
            rows.append(
                {
                    "segment": identity,
                    "street": lamps[0].street if lamps else "",
                    "contactor": _contactor(payload),
                    "lamps": "".join(_bar(state) for state in states),
                    "level": _mean(states, "level", " %"),
                    "commanded": _mean(states, "commanded", " %"),
                    "power": _total(states, "power_w"),
                    "why": str((states[0] if states else payload).get("reason", "")),
                }
            )
        return self._grid(rows, numbers=("level", "commanded", "power"), spare=("street", "commanded"))

    def _heating(self) -> Table:
        rows = [
            {
                "zone": identity,
                "room": _degrees(payload.get("temperature_c")),
                "setpoint": _degrees(payload.get("setpoint_c")),
                "allure": str(payload.get("allure", "")),
                "heating": f"{payload.get('heating', '')} %",
                "write": str(payload.get("write", "")),
                "why": str(payload.get("reason", "")),
            }
            for identity, payload in self._scene.of("zone")
        ]
        return self._grid(rows, numbers=("room", "setpoint", "heating"), spare=("allure", "heating"))

    def _grid(self, rows: list[dict[str, str]], numbers: tuple[str, ...], spare: tuple[str, ...]) -> Table:
        """Columns as wide as they need; ``why`` takes what is left, and a narrow terminal goes without ``spare``."""
        table = Table(box=None, pad_edge=False, expand=True)
        narrow = self._live is not None and self._live.console.width < _WIDE
        names = [name for name in (rows[0] if rows else ()) if not (narrow and name in spare)]
        for name in names:
            if name == "why":
                table.add_column(name, no_wrap=True, ratio=1, overflow="ellipsis")
            else:
                width = max(len(name), *(len(row[name]) for row in rows))
                table.add_column(name, no_wrap=True, min_width=width, justify="right" if name in numbers else "left")
        for row in rows:
            table.add_row(*(row[name] for name in names))
        return table


def event_line(site: Site, event: Mapping[str, object]) -> str:
    """An event in plain words; empty for what the table shows anyway."""
    name, target = str(event.get("name")), str(event.get("target"))
    if name in _QUIET or name == "night":
        return ""
    if name == "opening":
        return f"{target} opens at {_degrees(event.get('temperature_c'))} (wanted {_degrees(event.get('setpoint_c'))})"
    if name == "preheat":
        return f"{target} begins to heat at {_degrees(event.get('temperature_c'))} for the opening"
    if name == "heating-day":
        return f"{target} on {event.get('day')}: {_day(event)}"
    if name == "ambient":
        lux = event.get("lux")
        seen = f" ({lux:.0f} lux)" if isinstance(lux, int | float) else ""
        return f"{target} says {event.get('ambient')}{seen}"
    if name == "alarm":
        return f"alarm {event.get('event')} of {target} {event.get('state')}"
    shown = {key: value for key, value in event.items() if key not in ("ts", "name", "target", "seq")}
    return f"{target} {name} " + " ".join(f"{key}={value}" for key, value in shown.items())


def _day(event: Mapping[str, object]) -> str:
    """What a building used in a day, and how cold it was."""
    used = [
        f"{value:.0f} kWh {key.removeprefix('day_').removesuffix('_kwh')}"
        for key, value in event.items()
        if key.startswith("day_") and key.endswith("_kwh") and isinstance(value, int | float)
    ]
    outdoor_c = event.get("day_outdoor_c")
    return ", ".join(used) + (f" at {_degrees(outdoor_c)} outside" if isinstance(outdoor_c, int | float) else "")


def _contactor(payload: Mapping[str, object]) -> str:
    on, quality = payload.get("on"), payload.get("quality")
    return str(quality) if on is None else "closed" if on else "open"


def _bar(state: Mapping[str, object]) -> str:
    level = state.get("level")
    if not isinstance(level, int | float):
        return "?"
    return _BARS[round(level / 100 * (len(_BARS) - 1))] if level > 0 else "·"


def _mean(states: list[Mapping[str, object]], name: str, unit: str) -> str:
    known = [float(value) for state in states if isinstance(value := state.get(name), int | float)]
    return f"{sum(known) / len(known):.0f}{unit}" if known else ""


def _total(states: list[Mapping[str, object]], name: str) -> str:
    known = [float(value) for state in states if isinstance(value := state.get(name), int | float)]
    return f"{sum(known):.0f} W" if known else ""


def _degrees(value: object) -> str:
    return f"{value:.1f} °C" if isinstance(value, int | float) else "unknown"


def _zone(payload: Mapping[str, object]) -> str:
    room, wanted = payload.get("temperature_c"), payload.get("setpoint_c")
    if not isinstance(room, int | float) or not isinstance(wanted, int | float):
        return "unknown"
    return f"{room:.1f}>{wanted:.0f}"
