"""``veilleuse probe`` at BACnet devices: simulated ones on the real wire, and nothing but questions to them."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli import cli
from controller.cli.probe import network
from sim.objects import BacnetObject
from tests.controller.probe_field import READ_PROPERTY, READ_PROPERTY_MULTIPLE, Elsewhere, Heard, dropped_in, udp_relay
from tests.drivers.bacnet_wire import bvll, i_am
from tests.ports import free_port
from tests.sim.bacnet_rig import Plant, Rig, rigged
from tests.system.processes import environment, veilleuse, wait_until

READS = {READ_PROPERTY, READ_PROPERTY_MULTIPLE}


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["probe", *(str(word) for word in words)])


def facts(*words: object) -> dict[str, Any]:
    found = json.loads(run(*words, "--json").stdout)
    assert isinstance(found, dict)
    return found


def own() -> tuple[str, str]:
    return "--own", f"127.0.0.1/24:{free_port()}"


def room_objects(plant: Plant) -> dict[str, BacnetObject]:
    """A room, its setpoint held by a hand and by a plan, a valve, a contact."""
    objects = [
        plant.point("analog-input", 1, 19.25),
        plant.point("analog-value", 1, 16.0, commandable=True, relinquish_default=16.0, minimum=5.0, maximum=28.0),
        plant.point("analog-output", 1, 40.0, commandable=True, units="percent"),
        plant.point("binary-input", 3, 1.0),
    ]
    names = ("Room temperature", "Room setpoint", "Valve room", "Window")
    for point, name in zip(objects, names, strict=True):
        point.name = name
    objects[1].slots.update({8: 21.0, 13: 19.0})
    objects[3].out_of_service = True
    return {point.key: point for point in objects}


def long_list(plant: Plant) -> dict[str, BacnetObject]:
    """More objects than the device can name in one answer."""
    objects = [plant.point("analog-input", number, float(number)) for number in range(1, 31)]
    return {point.key: point for point in objects}


@pytest.fixture
def room(elsewhere: Elsewhere) -> Iterator[tuple[Rig, Heard]]:
    with elsewhere.holding(rigged(room_objects)) as rig, elsewhere.holding(udp_relay(rig.device.port)) as relay:
        yield rig, relay


def test_a_device_and_who_holds_its_priorities(room: tuple[Rig, Heard]) -> None:
    rig, relay = room
    before = rig.state()
    result = run(f"bacnet://127.0.0.1:{relay.port}", *own())
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"device 4 at 127.0.0.1:{relay.port}  Office"
    assert lines[1] == "  Simulated, Simulated controller, 1"
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[4:-1]}
    assert rows == {
        "analog-input,1": "Room temperature 19.25 degC",
        "analog-value,1": "Room setpoint 21 degC 8: 21 by hand, 13: 19",
        "analog-output,1": "Valve room 0 % none held",
        "binary-input,3": "Window active out of service",
    }
    assert lines[-1] == "1 device, 4 objects; nothing was written"
    assert all(len(line) <= 80 for line in lines)
    assert set(relay.functions) <= READS
    assert rig.state() == before


def test_the_facts_of_a_device(room: tuple[Rig, Heard]) -> None:
    _, relay = room
    (device,) = facts(f"bacnet://127.0.0.1:{relay.port}", *own())["devices"]
    assert (device["instance"], device["vendor"], device["listed"], device["error"]) == (4, "Simulated", 4, None)
    setpoint = device["objects"][1]
    assert setpoint["units"] == "degrees-celsius"
    assert setpoint["priorities"] == {"8": 21.0, "13": 19.0}
    assert (setpoint["commandable"], setpoint["value"]) == (True, 21.0)
    assert device["objects"][3]["out_of_service"] is True


@pytest.mark.parametrize(
    "switches", [{"max_apdu": 50}, {"supports_rpm": False}, {"max_apdu": 50, "supports_rpm": False}]
)
def test_small_and_old_devices_take_longer(elsewhere: Elsewhere, switches: dict[str, Any]) -> None:
    with (
        elsewhere.holding(rigged(long_list, **switches)) as rig,
        elsewhere.holding(udp_relay(rig.device.port)) as relay,
    ):
        (device,) = facts(f"bacnet://127.0.0.1:{relay.port}", *own(), "--timeout", "0.5")["devices"]
    assert device["listed"] == 30
    assert [one["value"] for one in device["objects"]] == [float(number) for number in range(1, 31)]
    assert set(relay.functions) <= READS


def test_who_is_there(
    room: tuple[Rig, Heard], elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(network, "_ANSWERS_S", 0.3)
    _, relay = room
    port = free_port()

    @asynccontextmanager
    async def announcing() -> AsyncIterator[None]:
        """On loopback our own broadcasts come back to us alone: the device says I-Am often instead."""
        word = bvll(0x0B, b"\x01\x00" + i_am(4))

        async def repeat() -> None:
            while True:
                relay.say(word, ("127.0.0.1", port))
                await asyncio.sleep(0.05)

        task = asyncio.ensure_future(repeat())
        yield
        task.cancel()

    with elsewhere.holding(announcing()):
        words = (f"bacnet:127.0.0.1/24:{port}", "--instances", "1-9")
        text = run(*words).stdout
        assert f"device 4 at 127.0.0.1:{relay.port}  Office" in text
        assert "  4 objects\n" in text
        assert text.endswith("1 device; nothing was written\n")
        saved = tmp_path / "found.yaml"
        assert run(*words, "--save", saved).exit_code == 0
        dropped_in(saved.read_text(encoding="utf-8"), tmp_path / "site")
        assert len(facts(*words, "--objects")["devices"][0]["objects"]) == 4
    assert set(relay.functions) <= READS


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_ANSWERS_S", 0.1)
    nobody = run(f"bacnet:127.0.0.1/24:{free_port()}", "--instances", "1-9")
    assert nobody.exit_code == 1
    assert nobody.stdout.splitlines()[-1].startswith("nobody answers")
    silent = run(f"bacnet://127.0.0.1:{free_port()}", *own(), "--timeout", "0.1")
    assert silent.exit_code == 1
    assert "no answer" in silent.stderr


def test_a_port_that_is_taken_is_told(room: tuple[Rig, Heard]) -> None:
    _, relay = room
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        where = f"127.0.0.1/24:{taken.getsockname()[1]}"
        result = run(f"bacnet://127.0.0.1:{relay.port}", "--own", where)
    assert result.exit_code == 1
    assert "address already in use; a daemon on this machine has it?" in result.stderr


def test_a_saved_profile_passes_check_and_commands_nothing(room: tuple[Rig, Heard], tmp_path: Path) -> None:
    _, relay = room
    assert CliRunner().invoke(cli, ["init", str(tmp_path / "site")]).exit_code == 0
    saved = tmp_path / "salle-1.yaml"
    assert run(f"bacnet://127.0.0.1:{relay.port}", *own(), "--save", tmp_path / "Salle 1.yaml").exit_code == 2
    assert run(f"bacnet://127.0.0.1:{relay.port}", *own(), "--save", saved).exit_code == 0
    (tmp_path / "site" / "profiles").mkdir(exist_ok=True)
    shutil.copy(saved, tmp_path / "site" / "profiles")
    site = tmp_path / "site" / "site.yaml"
    bus = '\nbuses:\n  gtb: {driver: bacnet, address: "127.0.0.1/24:47809"}\n'
    device = (
        f'\ndevices:\n  - {{id: salle, bus: gtb, address: "127.0.0.1:{relay.port}", instance: 4, profile: salle-1}}\n'
    )
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace("\nbuses:\n", bus, 1).replace("\ndevices:\n", device, 1), encoding="utf-8")
    checked = CliRunner().invoke(cli, ["check", str(tmp_path / "site")])
    assert checked.exit_code == 0, checked.output
    written = saved.read_text(encoding="utf-8")
    points = [line for line in written.splitlines() if line.startswith("  ") and not line.lstrip().startswith("#")]
    assert any("zone.1.setpoint" in line for line in points)
    assert not any("writable" in line for line in points)
    assert (
        "#   zone.1.setpoint: writable: true, commandable: true, minimum: 5, maximum: 28   (now held at 8, 13)"
        in written
    )


def test_ctrl_c_keeps_tells_and_saves_what_was_read(elsewhere: Elsewhere, tmp_path: Path) -> None:
    said, saved = tmp_path / "said", tmp_path / "long.yaml"

    def thousands(plant: Plant) -> dict[str, BacnetObject]:
        points = [plant.point("analog-input", number, 1.0) for number in range(1, 2001)]
        points[0].name = "Room 1 temperature"
        return {point.key: point for point in points}

    with elsewhere.holding(rigged(thousands)) as rig:
        words = ("probe", f"bacnet://127.0.0.1:{rig.device.port}", *own(), "--save", str(saved))
        with said.open("wb") as out:
            process = subprocess.Popen(veilleuse(*words), stdout=out, stderr=subprocess.STDOUT, env=environment())
        wait_until(lambda: b"analog-input,2 " in said.read_bytes(), 20.0, "the first objects")
        process.send_signal(signal.SIGINT)
        assert process.wait(5.0) == 130
    assert "\n  2000 objects\n" in said.read_text()
    assert "\nstopped; 1 device, " in said.read_text()
    text = saved.read_text(encoding="utf-8")
    assert 'zone.1.temperature: {object: "analog-input,1", unit: degC}' in text
    assert " of 2000 objects" in text


def test_a_profile_from_an_ede_file(tmp_path: Path) -> None:
    ede = tmp_path / "school_EDE.csv"
    ede.write_text(
        "# keyname;device obj.-instance;object-name;object-type;object-instance;description;present-value-default;"
        "min-present-value;max-present-value;settable;supports COV;hi-limit;low-limit;state-text-reference;unit-code\n"
        "a;1201;Room 1 temperature;0;1;;;;;N;N;;;;62\n",
        encoding="utf-8",
    )
    shown = run("--ede", ede)
    assert shown.exit_code == 0
    assert 'zone.1.temperature: {object: "analog-input,1", unit: degC}' in shown.stdout
    assert run("--ede", ede, "--save", tmp_path / "school.yaml").exit_code == 0
    assert (tmp_path / "school.yaml").read_text(encoding="utf-8").startswith("id: school ")
    assert run("--ede", tmp_path / "absent.csv").exit_code == 1
