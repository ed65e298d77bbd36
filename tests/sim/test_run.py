"""A town on the wire as a whole: faces, stepping by the clock, control channel, command line."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.site import Site
from controller.cli.sim import command
from sim.run import CannotStart, TownServer, run_town
from tests.ports import free_port
from tests.sim.towns import TcpClient, Ticking, school, street, tells


@asynccontextmanager
async def running(site: Site, clock: Ticking, said: list[str] | None = None) -> AsyncIterator[TownServer]:
    server = TownServer(site, now=clock, control_port=0, say=(said if said is not None else []).append)
    await server.start()
    task = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        server.leave()
        await task
        await server.stop()


async def control(server: TownServer, line: str) -> dict[str, Any]:
    assert server.control_port is not None
    answer = json.loads(await tells(server.control_port, line))
    assert isinstance(answer, dict)
    return answer


async def test_faces_control_channel_and_the_clock() -> None:
    clock, port, said = Ticking(), free_port(), list[str]()
    async with running(street(port=port), clock, said) as server:
        assert said[:3] == [
            f"modbus-tcp 127.0.0.1:{port} unit 1 cab",
            f"modbus-tcp 127.0.0.1:{port} unit 2 meter",
            f"modbus-tcp 127.0.0.1:{port} unit 3 feeder",
        ]
        client = await TcpClient.to(port)
        await client.ask(1, bytes.fromhex("05 0000 FF00"))
        clock.pass_s(60.0)
        server.advance()
        assert await client.ask(1, bytes.fromhex("02 0000 0001")) == bytes.fromhex("02 01 01")
        truth = (await control(server, "truth"))["truth"]
        assert truth["lamps"]["l-1"]["lit"] is True
        assert truth["lamps"]["l-1"]["power_w"] > 50.0
        assert (await control(server, "fault cab exception 4"))["ok"] is True
        assert await client.ask(1, bytes.fromhex("02 0000 0001")) == bytes.fromhex("82 04")
        assert (await control(server, "nonsense"))["ok"] is False
        assert said[-1] == "fault cab exception 4"
        await client.close()
        assert (await control(server, "quit"))["ok"] is True


async def test_a_long_pause_is_skipped_and_a_step_back_is_followed() -> None:
    clock = Ticking()
    async with running(street(port=free_port()), clock) as server:
        meter = server.town.meters["meter"]
        before = meter.total_wh
        clock.pass_s(timedelta(days=30).total_seconds())
        server.advance()
        assert server.town.now == clock.at
        assert 0.0 < meter.total_wh - before < 6 * 12_000.0
        clock.pass_s(-7200.0)
        server.advance()
        assert server.town.now == clock.at


async def test_everything_is_closed_at_the_end(tmp_path: Path) -> None:
    clock, link = Ticking(), tmp_path / "tty"
    ready = asyncio.Event()
    held: list[TownServer] = []

    def up(server: TownServer) -> None:
        held.append(server)
        ready.set()

    site = street(tmp_path, serial="tty")
    said: list[str] = []
    task = asyncio.create_task(
        run_town(site, now=clock, control_port=0, faults=["cab silence"], say=said.append, ready=up)
    )
    await asyncio.wait_for(ready.wait(), 5.0)
    assert link.is_symlink()
    assert said[-2:] == ["fault cab silence", "ready"]
    port = held[0].control_port
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not link.is_symlink()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_taken_port_says_which_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"127.0.0.1:{port} unit 1 cab.*in use"):
            await run_town(street(port=port), now=Ticking())


async def test_a_bad_fault_at_the_start_is_refused() -> None:
    with pytest.raises(CannotStart, match="did you mean 'cab'"):
        await run_town(street(port=free_port()), now=Ticking(), faults=["cba silence"])


async def test_bacnet_devices_stand_at_their_addresses() -> None:
    ports = free_port(), free_port()
    said: list[str] = []
    async with running(school(ports=ports), Ticking(), said):
        assert f"bacnet-ip 127.0.0.1:{ports[0]} instance 1201 ecole" in said
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.setblocking(False)
            asker.connect(("127.0.0.1", ports[1]))
            # read-property analog-value,1 present-value, invoke id 5
            asker.send(bytes.fromhex("81 0a 0011 01 04 00 05 05 0c 0c 00800001 19 55"))
            async with asyncio.timeout(2.0):
                answer = await asyncio.get_running_loop().sock_recv(asker, 1500)
        assert answer[6:9] == bytes.fromhex("30 05 0c")
        assert bytes.fromhex("3e 44 41800000 3f") in answer, "16.0"


async def test_command_line_client(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(street(port=free_port()), Ticking()) as server:

        def send(line: str) -> tuple[int, str]:
            result = CliRunner().invoke(command, ["--send", line, "--control", str(server.control_port)])
            return result.exit_code, result.output

        code, output = await asyncio.to_thread(send, "fault cab silence")
        assert (code, json.loads(output)["ok"]) == (0, True)
        code, output = await asyncio.to_thread(send, "fault cab dance")
        assert code == 1
        assert "unknown kind" in json.loads(output)["error"]
    assert CliRunner().invoke(command, ["--send", "list", "--control", str(free_port())]).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--send", "list"], "--control"),
        (["--start", "yesterday"], "not a time"),
        (["--start", "2026-12-21T15:30"], "offset"),
        (["--speed", "60"], "--start"),
    ],
)
def test_command_line_wrong_usage(arguments: list[str], why: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert why in result.output


async def test_the_process_ends_by_signal_with_exit_code_0(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "site.yaml").write_text(
        "site: {id: test, name: Test, latitude: 50.29, longitude: 2.78, timezone: Europe/Paris, country: FR}\n"
        "mqtt: {url: mqtt://127.0.0.1:1883}\n"
        f"buses:\n  line: {{driver: modbus, tcp: 127.0.0.1:{port}}}\n"
        "devices:\n  - {id: cab, bus: line, unit: 1, profile: generic-cabinet}\n",
        encoding="utf-8",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from controller.cli import main; main()",
        "sim",
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(20.0):
        lines = []
        while (line := (await process.stdout.readline()).decode().strip()) != "ready":
            assert line, (await process.communicate())[1].decode()
            lines.append(line)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert lines == [f"modbus-tcp 127.0.0.1:{port} unit 1 cab"]
    assert process.returncode == 0
