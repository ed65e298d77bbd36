"""A town as processes on free ports: a broker, the simulated field and the daemon, on a clock of the test's choice."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from config.load import load_site
from config.site import BacnetDevice, ModbusDevice, Site
from controller.clock import Clock
from schedules.allures import evaluate as allure_at
from schedules.plan import evaluate as level_at
from tests.broker import Broker, Watcher, watching
from tests.ports import free_port
from tests.system.processes import Process, veilleuse, wait_until
from tests.system.witnesses import mosquitto_pub

EVENING = datetime.fromisoformat("2026-01-12T20:00:00+01:00")
"""Monday: the centre at 100 %, the quarters at 80 %, no change before 22:30."""
CUT = datetime.fromisoformat("2026-01-13T02:30:00+01:00")
"""The same night: the centre at 30 %, the quarters dark, no preheat before 05:00."""
ROOT = "veilleuse/valbourg"
SIM_READY, DAEMON_READY = "ready", "mqtt.online"
_CONTROL_S = 5.0
_END_S, _SETTLE_S = 5.0, 12.0
_ADDRESS = re.compile(r"(127\.0\.0\.1(?:/\d+)?):(\d+)")
Outputs = dict[str, float]


@dataclass
class Town:
    """One town of ``open_town``; every part may be killed and started again."""

    directory: Path
    clock: Clock
    broker: Broker
    sim: Process
    daemon: Process
    control_port: int
    loaded: Site = field(init=False)

    def __post_init__(self) -> None:
        self.loaded = load_site(self.directory)

    @property
    def root(self) -> str:
        """What every topic begins with."""
        return f"{self.loaded.mqtt.base}/{self.loaded.id}"

    @property
    def site_yaml(self) -> Path:
        """The file that tests change."""
        return self.directory / "site.yaml"

    def change(self, old: str, new: str, file: str = "site.yaml") -> None:
        """Edit a site file; ``old`` must stand there exactly once."""
        path = self.directory / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def control(self, line: str) -> dict[str, Any]:
        """One line to the simulator. Fails the test when it does not obey."""
        with socket.create_connection(("127.0.0.1", self.control_port), _CONTROL_S) as wire:
            wire.sendall(line.encode() + b"\n")
            with wire.makefile("rb") as stream:
                answer: dict[str, Any] = json.loads(stream.readline())
        assert answer["ok"], answer
        return answer

    def truth(self) -> dict[str, Any]:
        """What really is."""
        found: dict[str, Any] = self.control("truth")["truth"]
        return found

    def outputs(self) -> Outputs:
        """Everything that the daemon commands, as the field has it: lamps in %, contactors 0 or 1, zones in degrees."""
        truth = self.truth()
        lamps = {f"lamp/{name}": lamp["command_pct"] for name, lamp in truth["lamps"].items()}
        contactors = {f"segment/{name}": float(at["closed"]) for name, at in truth["contactors"].items()}
        zones = {f"zone/{name}": zone["setpoint_c"] for name, zone in truth["zones"].items()}
        return lamps | contactors | zones

    def planned(self, overrides: Mapping[str, float] | None = None) -> Outputs:
        """What every output is at this moment by the site's plans, with ``overrides`` on top. No preheat runs."""
        site, now, held = self.loaded, self.clock.now(), overrides or {}
        lamps = {f"lamp/{i}": level_at(g.plan, now).level for g in site.groups.values() for i in g.lamps} | {
            key: value for key, value in held.items() if key.startswith("lamp/")
        }
        fed = {f"segment/{i}": 0.0 for i in site.segments}
        for lamp in site.lamps.values():
            if lamps[f"lamp/{lamp.id}"] > 0.0:
                fed[f"segment/{lamp.segment}"] = 1.0
        zones = {f"zone/{z.id}": allure_at(z.occupancy, z.setpoints, now).setpoint_c for z in site.zones.values()}
        return lamps | fed | zones | dict(held)

    def amiss(self, overrides: Mapping[str, float] | None = None) -> dict[str, tuple[float | None, float | None]]:
        """Where the field is not as planned: ``{output: (is, should be)}``."""
        found, wanted = self.outputs(), self.planned(overrides)
        return {
            key: (found.get(key), wanted.get(key))
            for key in found.keys() | wanted.keys()
            if found.get(key) != wanted.get(key)
        }

    def port(self, device: str) -> int:
        """The port at which a device listens."""
        settings = self.loaded.devices[device].settings
        assert isinstance(settings, ModbusDevice | BacnetDevice)
        assert settings.address is not None
        return int(settings.address.rpartition(":")[2])

    def say(self, key: str, command: object, *, retain: bool = False) -> None:
        """A command from outside, by mosquitto_pub."""
        mosquitto_pub(self.broker.port, f"{self.root}/{key}/set", command, retain=retain)

    def start(self) -> None:
        """Start the field and the daemon together, and return when the whole field is on plan."""
        self.sim.launch()
        self.daemon.launch()
        self.sim.says(SIM_READY)
        self.daemon.says(DAEMON_READY)
        self.settle()

    def settle(self) -> None:
        """Wait until the whole field is as planned."""
        wait_until(lambda: not self.amiss(), _SETTLE_S, "the field on plan")

    def topics(self) -> set[str]:
        """Every topic that stands retained while all is well, below the town's root."""
        site = self.loaded
        kinds = {
            "lamp": site.lamps, "segment": site.segments, "cabinet": site.cabinets,
            "meter": site.meters, "zone": site.zones, "building": site.buildings,
        }  # fmt: skip
        states = {f"{kind}/{identity}/state" for kind, known in kinds.items() for identity in known}
        return states | {"status", "gateway/state"}

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[Listener]:
        """Listen to everything below the town's topics from here on, what stands retained first."""
        async with watching(self.broker, f"{self.root}/#") as watcher:
            yield Listener(watcher, self.root)

    def end(self) -> None:
        """The daemon first, as an operator would; whoever does not go in order is killed and fails the test."""
        late = []
        for process in (self.daemon, self.sim):
            if process.running:
                process.send(signal.SIGCONT)
                process.send(signal.SIGTERM)
                if not process.goes(_END_S):
                    late.append(f"{process.log.name} ignored SIGTERM for {_END_S:g} s:\n{process.text}")
            process.kill()
        self.broker.stop()
        assert not late, "\n".join(late)


@dataclass
class Listener:
    """What one watcher heard, by the town's own keys (``lamp/l-001``)."""

    watcher: Watcher
    root: str

    def state(self, key: str) -> dict[str, Any]:
        """The newest state of ``kind/id``; empty when there is none."""
        return self.last(f"{key}/state")

    def last(self, name: str) -> dict[str, Any]:
        """The newest payload of a topic below the town's root; empty when there is none."""
        found = self.all(name)
        return found[-1] if found else {}

    def all(self, name: str) -> list[dict[str, Any]]:
        """Every payload of a topic below the town's root, oldest first."""
        return self.watcher.objects(f"{self.root}/{name}")

    def result(self, key: str, command_id: str) -> dict[str, Any]:
        """The newest result of one command to ``kind/id``; empty while there is none."""
        found = [result for result in self.all(f"{key}/result") if result["id"] == command_id]
        return found[-1] if found else {}

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of one name."""
        return [event for event in self.all("event") if event["name"] == name]


@contextlib.contextmanager
def open_town(
    folder: Path,
    start: datetime,
    *,
    example: str = "valbourg",
    speed: float = 1.0,
    extra: str = "",
    alone: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Town]:
    """An example town with its broker up (``alone``: without), the field and the daemon still to be started.

    The clock shows ``start`` when this is called. ``extra`` is more site.yaml, ``environ`` more of the daemon's
    environment. Everything ends with the block.
    """
    directory = folder / example
    with as_file(files("config") / "examples" / example) as source:
        shutil.copytree(source, directory)
    broker = Broker(folder, free_port())
    _move_ports(directory / "site.yaml", {1883: broker.port}, extra)
    clock, control_port = Clock(start, speed, time.time()), free_port()
    shared = ["--start", start.isoformat(), "--speed", f"{speed:g}", "--anchor", repr(clock.anchor)]
    sim = veilleuse("sim", str(directory), *shared, "--control", str(control_port))
    run = veilleuse("run", str(directory), *shared, "--state", str(folder / "state"))
    town = Town(
        directory,
        clock,
        broker,
        Process(sim, folder / "sim.log"),
        Process(run, folder / "run.log", environ),
        control_port,
    )
    try:
        if not alone:
            broker.start()
        yield town
    finally:
        town.end()


def _move_ports(site_yaml: Path, chosen: dict[int, int], extra: str) -> None:
    """Give every address of the town a port that is free here."""

    def moved(match: re.Match[str]) -> str:
        return f"{match[1]}:{chosen.setdefault(int(match[2]), free_port())}"

    text = _ADDRESS.sub(moved, site_yaml.read_text(encoding="utf-8"))
    site_yaml.write_text(f"{text}\n{extra}", encoding="utf-8")
