"""The stage of the demo: a copy of the example town in a folder of its own, on ports that are free here."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from config.load import load_site
from config.site import Site
from controller.clock import Clock, starting_now

_HOST = "127.0.0.1"
_BROKER_PORT = 1883
_ADDRESS = re.compile(r"(127\.0\.0\.1(?:/\d+)?):(\d+)")


class Occupied(Exception):
    """A port that was asked for is taken."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays: the site, its clock, and the ports that are not in the site."""

    directory: Path
    site: Site
    clock: Clock
    broker_port: int
    control_port: int

    @property
    def logs(self) -> Path:
        """The folder of the processes' output."""
        return self.directory / "logs"


@contextlib.contextmanager
def set_stage(start: datetime, speed: float, broker_port: int | None) -> Iterator[Stage]:
    """Copy the town, find ports, start its clock; the folder goes at the end. Raises Occupied."""
    if broker_port is not None and not _free(broker_port, socket.SOCK_STREAM):
        raise Occupied(f"port {broker_port} on {_HOST} is taken; leave --port out for a free one")
    with tempfile.TemporaryDirectory(prefix="veilleuse-demo-") as folder:
        directory = Path(folder) / "valbourg"
        with as_file(files("config") / "examples" / "valbourg") as example:
            shutil.copytree(example, directory)
        port = broker_port or (_BROKER_PORT if _free(_BROKER_PORT, socket.SOCK_STREAM) else _any_port())
        _move_ports(directory / "site.yaml", port)
        (directory / "logs").mkdir()
        yield Stage(directory, load_site(directory), starting_now(start, speed), port, _any_port())


def _move_ports(site_yaml: Path, broker_port: int) -> None:
    """Give every address of the town a port that is free: the declared one where possible."""
    chosen = {_BROKER_PORT: broker_port}

    def moved(match: re.Match[str]) -> str:
        declared = int(match[2])
        if declared not in chosen:
            free = _free(declared, socket.SOCK_STREAM) and _free(declared, socket.SOCK_DGRAM)
            chosen[declared] = declared if free else _any_port()
        return f"{match[1]}:{chosen[declared]}"

    site_yaml.write_text(_ADDRESS.sub(moved, site_yaml.read_text(encoding="utf-8")), encoding="utf-8")


def _free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:  # a connection of an earlier demo still fading away is no obstacle
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True


def _any_port() -> int:
    """A port that nobody uses, for TCP and UDP alike."""
    while True:
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            port = int(probe.getsockname()[1])
        if _free(port, socket.SOCK_DGRAM):
            return port
