"""``veilleuse probe`` at Modbus endpoints: simulated devices on the real wire, and nothing but questions to them."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli import cli
from controller.cli.probe.target import Line, Named, Network, Server, Station, Target, numbers, target
from drivers.bacnet.reader import Reader as BacnetReader
from drivers.modbus.reader import Reader as ModbusReader
from tests.controller.probe_field import READS, Elsewhere, Heard, dropped_in, simulated, tcp_relay
from tests.drivers.modbus_peer import (
    Asked,
    Say,
    Script,
    Store,
    mbap,
    rtu,
    rtu_device,
    rtu_peer,
    silent,
    tcp_device,
    tcp_peer,
)
from tests.ports import free_port
from tests.sim.towns import street
from tests.system.processes import environment, veilleuse, wait_until

FAST = ("--timeout", "0.1")


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["probe", *(str(word) for word in words)])


def facts(*words: object) -> dict[str, Any]:
    result = run(*words, "--json")
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def device(store: Store) -> Script:
    """Answers properly, and has no function 43."""
    answering = tcp_device(store)
    return lambda asked: [Say(mbap(asked, b"\xab\x01"))] if asked.pdu[0] == 43 else answering(asked)


@pytest.fixture
def town(elsewhere: Elsewhere) -> Iterator[Heard]:
    """A cabinet and two meters behind one server, units 1 to 3."""
    port = free_port()
    with elsewhere.holding(simulated(street(port=port))), elsewhere.holding(tcp_relay(port)) as relay:
        yield relay


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.20", Server("192.168.1.20", 502)),
        ("192.168.1.20:1502", Server("192.168.1.20", 1502)),
        ("gateway.local", Server("gateway.local", 502)),
        ("tcp:gateway", Server("gateway", 502)),
        ("tcp:[fe80::1]:503", Server("fe80::1", 503)),
        ("/dev/ttyUSB0", Line("/dev/ttyUSB0")),
        ("./rs485", Line("./rs485")),
        ("bacnet:192.168.1.10/24", Network("192.168.1.10/24:47808")),
        ("bacnet:192.168.1.10/24:47809", Network("192.168.1.10/24:47809")),
        ("bacnet://192.168.1.50", Station("192.168.1.50:47808")),
        ("cab-mairie", Named("cab-mairie")),
    ],
)
def test_what_a_target_means(text: str, expected: Target) -> None:
    assert target(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a b", "host:0", "host:x", "bacnet:192.168.1.10", "bacnet:x/24", "bacnet://x", "/"]
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        target(text)


def test_lists_of_units() -> None:
    assert numbers("1-3,7, 2", 0, 247) == [1, 2, 3, 7]
    for wrong in ("", "3-1", "0-248", "a", "1-", "-1"):
        with pytest.raises(ValueError, match=r"."):
            numbers(wrong, 0, 247)


@pytest.mark.parametrize(
    "words",
    [
        (), ("a", "b", "c"), ("127.0.0.1", "--units", "300"), ("127.0.0.1", "--peek", "registers:1"),
        ("127.0.0.1", "--bits"), ("127.0.0.1", "--try-speeds"), ("127.0.0.1", "--own", "10.0.0.1/24"),
        ("127.0.0.1", "--objects"), ("/dev/null", "--rtu"), ("/dev/null", "--units", "0"), ("127.0.0.1", "--cert", "x"),
        ("127.0.0.1", "--rtu", "--ca", "x"), ("bacnet://127.0.0.1", "--units", "1"), ("cab", "--save", "x.yaml"),
        ("bacnet:127.0.0.1/24", "--instances", "9-1"), ("127.0.0.1", "--device", "1"), ("x", "--ede", "y"), ("/",),
        ("bacnet:127.0.0.1/24", "--instances", "9-"), ("127.0.0.1", "--baud", "9600"), ("cab", "--parity", "N"),
        ("/dev/null", "--try-speeds", "--baud", "9600"), ("--ede", "y", "--json"), ("town", "bacnet://127.0.0.1"),
    ],
)  # fmt: skip
def test_wrong_usage(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2, result.output


@pytest.mark.parametrize("reader", [ModbusReader, BacnetReader])
def test_who_looks_around_has_no_way_to_write(reader: type) -> None:
    assert not [name for name in dir(reader) if "write" in name or "command" in name or "subscribe" in name]


def test_help_has_an_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "veilleuse probe" in result.stdout.partition("Example:")[2]


def test_a_scan_names_every_device_and_only_asks(town: Heard) -> None:
    result = run(f"127.0.0.1:{town.port}", "--units", "1-4", *FAST)
    assert result.exit_code == 0, result.output
    for unit, profile, model in (
        (1, "generic-cabinet", "generic-cabinet"), (2, "eastron-sdm630", "SDM630"), (3, "schneider-iem3155", "iEM3155"),
    ):  # fmt: skip
        told = result.stdout.partition(f"unit   {unit}  answers")[2].partition("\nunit ")[0]
        assert f"looks like {profile}: " in told
        assert model in told.partition("says ")[2].partition("\n")[0]
        assert " V, " in told
    assert "unit   4" not in result.stdout
    assert result.stdout.endswith("3 of 4 units answer, 3 like a known profile; nothing was written\n")
    assert all(len(line) <= 80 for line in result.stdout.splitlines()), result.stdout
    assert set(town.functions) == READS - {3} | {3}


def test_the_facts_of_a_scan(town: Heard) -> None:
    found = facts(f"127.0.0.1:{town.port}", "--units", "2,9", *FAST)
    assert (found["protocol"], found["asked"], found["complete"], found["error"]) == ("modbus", 2, True, None)
    (meter,) = found["units"]
    assert (meter["unit"], meter["identification"]["1"]) == (2, "SDM630")
    assert meter["profiles"][0]["profile"] == "eastron-sdm630"
    assert meter["profiles"][0]["values"]["meter.voltage-l1"] == pytest.approx(230.0, abs=15.0)
    assert (meter["profiles"][0]["odd"], meter["profiles"][0]["named"]) == (0, True)


def test_registers_with_every_decoding(town: Heard) -> None:
    words = (f"127.0.0.1:{town.port}", "--units", "2", "--peek", "input:0..3", "--peek", "holding:0..1", *FAST)
    (meter,) = facts(*words)["units"]
    voltage = meter["registers"][0]["registers"][0]
    assert voltage["address"] == 0
    assert voltage["decodings"]["float32 big"] == pytest.approx(230.0, abs=15.0)
    assert {"uint16", "int16", "int32 little", "uint32 big", "float32 little"} <= set(voltage["decodings"])
    assert "float32 big" in voltage["likely"]
    assert voltage["guess"].endswith(" V?")
    text = run(*words, "--bits", "--wide").stdout
    assert "  input:0x0000..0x0003\n" in text
    assert "float64<" in text
    assert all(len(line) <= 80 for line in text.splitlines()), text
    assert set(town.functions) <= READS


def test_missing_addresses_hide_no_others(elsewhere: Elsewhere) -> None:
    store = Store(registers={0: 2304, 1: 4998, 3: 0xFFFB}, coils={0: 1, 1: 0, 2: 1})
    with elsewhere.holding(tcp_peer(device(store))) as peer:
        where = f"127.0.0.1:{peer.port}"
        text = run(where, "--units", "1", "--peek", "holding:0..5", "--peek", "coil:0..2", *FAST).stdout
    table = text.partition("coil:")[0].splitlines()
    rows = {line.split()[0]: line for line in table if line.strip()[:1].isdigit()}
    assert "2304*" in rows["0"]
    assert rows["0"].endswith("230.4 V?") or "49.98 Hz?" in rows["0"]
    assert "65531/-5*" in rows["3"]
    assert "2: illegal address (exception 2)" in text
    assert "4 to 5: illegal address (exception 2)" in text
    assert "101" in text.partition("coil:")[2]
    assert "on: 0, 2" in text


@pytest.mark.parametrize(("code", "there"), [(4, True), (6, True), (10, False), (11, False)])
def test_an_exception_proves_a_unit_but_a_gateway_s_does_not(elsewhere: Elsewhere, code: int, there: bool) -> None:
    script: Script = lambda asked: [Say(mbap(asked, bytes([asked.pdu[0] | 0x80, code])))]  # noqa: E731
    with elsewhere.holding(tcp_peer(script)) as peer:
        result = run(f"127.0.0.1:{peer.port}", "--units", "1-2", *FAST)
        assert result.exit_code == (0 if there else 1)
        assert (f"(exception {code})" in result.stdout) == there
        assert {asked.pdu[0] for asked in peer.asked} <= READS


def test_an_answer_that_nobody_can_read_is_told(elsewhere: Elsewhere) -> None:
    garbled: Script = lambda asked: [Say(mbap(asked, b"\x03\x02\x00"))]  # noqa: E731
    with elsewhere.holding(tcp_peer(garbled)) as peer:
        result = run(f"127.0.0.1:{peer.port}", "--units", "1", *FAST)
    assert "unit   1  not readable: " in result.stdout
    assert "another speed or parity" in result.stdout


def test_nobody_there_is_exit_code_1() -> None:
    result = run(f"127.0.0.1:{free_port()}", "--units", "1-50")
    assert result.exit_code == 1
    assert "connection refused" in result.stderr


def test_silence_is_exit_code_1_and_a_hint(elsewhere: Elsewhere) -> None:
    with elsewhere.holding(tcp_peer(silent)) as peer:
        result = run(f"127.0.0.1:{peer.port}", "--units", "1-2", *FAST)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("nobody answers")


def test_a_device_that_hangs_up_on_other_units_is_found(elsewhere: Elsewhere) -> None:
    own = device(Store(registers={0: 7}))
    script: Script = lambda asked: own(asked) if asked.unit == 3 else [Say(None)]  # noqa: E731
    with elsewhere.holding(tcp_peer(script)) as peer:
        result = run(f"127.0.0.1:{peer.port}", "--units", "1-3", *FAST)
    assert "unit   3  answers: holding 0 is 7" in result.stdout
    assert result.exit_code == 0


def test_a_line_and_its_speed(elsewhere: Elsewhere, tmp_path: Path) -> None:
    with elsewhere.holding(simulated(street(tmp_path, serial="tty"))):
        result = run(tmp_path / "tty", "--units", "2", "--timeout", "0.3")
    assert "looks like eastron-sdm630: " in result.stdout
    assert result.stdout.startswith(f"Modbus RTU {tmp_path / 'tty'} 9600 8E1, unit 2\n")


def test_the_speed_at_which_somebody_answers(elsewhere: Elsewhere) -> None:
    answering = rtu_device(Store(registers={0: 7}))
    asked: list[Asked] = []

    def deaf_at_first(one: Asked) -> list[Say]:
        asked.append(one)
        if one.pdu[0] == 43:
            return [Say(rtu(1, b"\xab\x01"))]
        return [] if len(asked) == 1 else list(answering(one))

    with elsewhere.holding(rtu_peer(deaf_at_first)) as peer:
        result = run(peer.path, "--units", "1", "--try-speeds", *FAST)
    assert "answers at 9600 Bd, parity N: --baud 9600 --parity N" in result.stdout


def test_rtu_frames_behind_a_converter(elsewhere: Elsewhere, tmp_path: Path) -> None:
    answering = rtu_device(Store(registers={0: 7}))

    @asynccontextmanager
    async def converter() -> AsyncIterator[int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while frame := await reader.read(64):
                asked = Asked(frame[0], frame[1:-2])
                said = [Say(rtu(1, b"\xab\x01"))] if asked.pdu[0] == 43 else answering(asked)
                for say in said:
                    writer.write(say.raw or b"")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)

    with elsewhere.holding(converter()) as port:
        words = (f"127.0.0.1:{port}", "--rtu", "--units", "1", "--timeout", "0.2", "--save", tmp_path / "found.yaml")
        result = run(*words)
    assert result.stdout.startswith(
        f"Modbus RTU over TCP 127.0.0.1:{port}, unit 1\nunit   1  answers: holding 0 is 7\n"
    )
    text = (tmp_path / "found.yaml").read_text(encoding="utf-8")
    assert f'{{driver: modbus, tcp: "127.0.0.1:{port}", framing: rtu, baudrate: 9600, parity: E}}' in text
    assert "no known profile fits" in dropped_in(text, tmp_path / "site")


def test_tls_needs_its_files(tmp_path: Path) -> None:
    result = run("127.0.0.1:802", "--ca", tmp_path / "absent.pem", "--units", "1")
    assert result.exit_code == 1
    assert "absent.pem" in result.stderr


def test_what_is_saved_passes_check(town: Heard, tmp_path: Path) -> None:
    saved = tmp_path / "found.yaml"
    assert run(f"127.0.0.1:{town.port}", "--units", "1-3", "--save", saved, *FAST).exit_code == 0
    text = saved.read_text(encoding="utf-8")
    devices = dropped_in(text, tmp_path / "site")
    assert "profile: eastron-sdm630" in devices
    again = run(f"127.0.0.1:{town.port}", "--save", saved)
    assert again.exit_code == 1
    assert "nothing is overwritten" in again.stderr
    assert saved.read_text(encoding="utf-8") == text


def test_ctrl_c_keeps_tells_and_saves_what_was_found(town: Heard, tmp_path: Path) -> None:
    saved, said = tmp_path / "found.yaml", tmp_path / "said"
    words = veilleuse("probe", f"127.0.0.1:{town.port}", "--units", "2,10-240", "--save", str(saved))
    with said.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env=environment())
    wait_until(lambda: b"sdm630: " in said.read_bytes(), 15.0, "the first find")
    process.send_signal(signal.SIGINT)
    assert process.wait(5.0) == 130
    text = said.read_text()
    assert "\nstopped after " in text
    assert "unit   2  answers" in text
    assert "\x1b" not in text
    assert "profile: eastron-sdm630" in saved.read_text()


def test_a_terminal_sees_how_far_a_long_scan_is(elsewhere: Elsewhere) -> None:
    with elsewhere.holding(tcp_peer(silent)) as peer:
        ours, theirs = pty.openpty()
        words = veilleuse("probe", f"127.0.0.1:{peer.port}", "--units", "1-5", "--timeout", "0.4")
        process = subprocess.Popen(words, stdout=theirs, stderr=theirs, env=environment({"TERM": "xterm"}))
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the far end is closed: Linux says so by an error
            assert process.wait(10.0) == 1
        os.close(ours)
    assert any(b"unit %d, 0 found" % unit in shown for unit in range(1, 6)), "a busy machine draws less often"
    assert b"nobody answers" in shown
