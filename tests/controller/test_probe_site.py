"""``veilleuse probe SITE ID``: a written site compared with what is wired."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from config.load import load_site
from config.starter import write_starter
from controller.cli import cli
from drivers import profile_file
from sim.run import TownServer
from tests.controller.probe_field import Elsewhere, simulated
from tests.ports import free_port

_ADDRESS = re.compile(r"(127\.0\.0\.1(?:/\d+)?):(\d+)")


@dataclass
class Wired:
    """A site and the simulated devices of it."""

    directory: Path
    field: TownServer

    def change(self, old: str, new: str) -> None:
        """Edit the site; the devices stay as they are."""
        path = self.directory / "site.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def probe(self, *words: str) -> Result:
        """Run it."""
        return CliRunner().invoke(cli, ["probe", str(self.directory), *words])

    def facts(self, *words: str) -> dict[str, dict[str, Any]]:
        """The devices of --json by id."""
        return {each["id"]: each for each in json.loads(self.probe(*words, "--json").stdout)["devices"]}


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wired]:
    """Valbourg on free ports."""
    directory, ports = tmp_path / "valbourg", dict[str, int]()
    write_starter(directory, "valbourg")
    path = directory / "site.yaml"
    moved = _ADDRESS.sub(lambda m: f"{m[1]}:{ports.setdefault(m[2], free_port())}", path.read_text(encoding="utf-8"))
    path.write_text(moved, encoding="utf-8")
    loop = Elsewhere()
    try:
        with loop.holding(simulated(load_site(directory))) as field:
            yield Wired(directory, field)
    finally:
        loop.end()


def test_all_as_the_site_says(wired: Wired) -> None:
    before = json.dumps(wired.field.control.obey("truth"))
    result = wired.probe("all")
    assert result.exit_code == 0, result.output
    heads = [line.split()[:2] for line in result.stdout.splitlines() if not line.startswith(" ")]
    devices = ["cab-mairie", "cab-gare", "cab-ecoles", "compteur-ecole", "compteur-gymnase", "ecole-jaures", "gymnase"]
    assert heads[1:-1] == [["ok", device] for device in devices]
    assert result.stdout.endswith("7 of 7 as the site says; nothing was written\n")
    assert "says Eastron, SDM630" in result.stdout
    assert json.dumps(wired.field.control.obey("truth")) == before


def test_what_is_not_as_the_site_says(wired: Wired) -> None:
    wired.field.control.obey("fault cab-gare silence")
    wired.change("unit: 10, profile: eastron-sdm630", "unit: 10, profile: schneider-iem3155")
    wired.change("instance: 1202", "instance: 1203")
    result = wired.probe("all")
    assert result.exit_code == 1
    for line in (
        "silent cab-gare  Modbus TCP 127.0.0.1:", "odd    compteur-ecole  Modbus RTU ",
        "it names itself like eastron-sdm630, the site says schneider-iem3155",
        "wrong  gymnase  BACnet 127.0.0.1:", "device 1202 answers there", "4 of 7 as the site says",
    ):  # fmt: skip
        assert line in result.stdout
    found = wired.facts("gtb")
    assert {name: one["verdict"] for name, one in found.items()} == {"ecole-jaures": "ok", "gymnase": "wrong"}


def test_hands_and_points_without_a_priority_array(wired: Wired) -> None:
    wired.field.control.obey("fault ecole-jaures hand analog-value,1 21")
    held = wired.facts("ecole-jaures")["ecole-jaures"]
    assert held["verdict"] == "ok"
    assert held["notes"] == ["zone.1.setpoint is held by hand (priority 8) at 21"]
    profile = (Path(profile_file.__file__).parent / "profiles" / "generic-thermostat.yaml").read_text(encoding="utf-8")
    own = profile.replace("id: generic-thermostat", "id: own").replace(
        "commandable: false, restore: 14", "commandable: true"
    )
    assert own.count("commandable: true") == 1
    (wired.directory / "profiles").mkdir(exist_ok=True)
    (wired.directory / "profiles" / "own.yaml").write_text(own, encoding="utf-8")
    wired.change("profile: generic-thermostat", "profile: own")
    plain = wired.facts("gymnase")["gymnase"]
    assert plain["verdict"] == "odd"
    assert plain["against"] == ["zone.1.setpoint has no priority array: commandable: false and restore are for it"]


def test_one_device_beside_the_running_daemon(wired: Wired) -> None:
    site = load_site(wired.directory)
    port = int(site.buses["gtb"].settings.address.rpartition(":")[2])  # type: ignore[union-attr]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", port))
        result = wired.probe("ecole-jaures")
    assert result.exit_code == 0, result.output
    assert f"port {port} is taken, by the daemon? Asking from " in result.stdout
    points = wired.facts("ecole-jaures")["ecole-jaures"]["points"]["values"]
    assert points["zone.1.setpoint"] == 16.0


def test_names(wired: Wired) -> None:
    unknown = wired.probe("cab-marie")
    assert unknown.exit_code == 1
    assert 'did you mean "cab-mairie"?' in unknown.stderr
    assert CliRunner().invoke(cli, ["probe", str(wired.directory)]).exit_code == 2
    assert CliRunner().invoke(cli, ["probe", "cab"], env={"VEILLEUSE_SITE": "/nowhere"}).exit_code == 1
