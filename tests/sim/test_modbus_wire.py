"""The Modbus faces on real sockets and a pseudo-terminal, and every fault of the wire."""

from __future__ import annotations

import asyncio
import math
import os
import struct
import termios
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sim.faces import build_faces
from sim.modbus_face import ModbusTcpFace
from sim.rtu_face import LineTaken, RtuFace
from sim.rtu_line import crc16
from sim.town import Town
from tests.ports import free_port
from tests.sim.towns import WINTER_EVENING, TcpClient, street

READ_COILS = bytes.fromhex("01 0000 0008")
COILS = bytes.fromhex("01 01 00")
CLOSE_1 = bytes.fromhex("05 0000 FF00")


class Wire:
    """A street behind a TCP port."""

    def __init__(self, town: Town, face: ModbusTcpFace) -> None:
        self.town, self.face = town, face

    def fault(self, line: str) -> None:
        self.town.sabotage.break_(line.split(), self.town.now_s)

    def commanded(self, segment: str) -> bool:
        return self.town.lighting.contactors[segment].commanded


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    town = Town.from_site(street(port=free_port()), seed=1, start=WINTER_EVENING)
    (face,) = build_faces(town, lambda: town.now, 1.0)
    assert isinstance(face, ModbusTcpFace)
    await face.start()
    yield Wire(town, face)
    await face.stop()


@pytest.fixture
async def client(wire: Wire) -> AsyncIterator[TcpClient]:
    client = await TcpClient.to(wire.face.port)
    yield client
    await client.close()


async def silent(client: TcpClient, unit: int, pdu: bytes = READ_COILS, for_s: float = 0.15) -> None:
    client.send(unit, pdu)
    with pytest.raises(TimeoutError):
        await client.receive(for_s)


async def test_golden_frame_and_echoed_header(client: TcpClient) -> None:
    client.writer.write(bytes.fromhex("BEEF 0000 0006 01 05 0000 FF00"))
    assert await client.reader.readexactly(12) == bytes.fromhex("BEEF 0000 0006 01 05 0000 FF00")


async def test_a_frame_in_pieces_and_two_in_one(client: TcpClient) -> None:
    frame = bytes.fromhex("0001 0000 0006 01 01 0000 0008")
    for octet in frame:
        client.writer.write(bytes((octet,)))
        await client.writer.drain()
    assert (await client.receive())[2] == COILS
    client.writer.write(frame + frame)
    assert [(await client.receive())[2] for _ in range(2)] == [COILS, COILS]


async def test_units_share_a_port_and_an_unknown_one_is_silent(client: TcpClient) -> None:
    assert await client.ask(1, READ_COILS) == COILS
    assert await client.ask(2, READ_COILS) == bytes.fromhex("81 02")
    await silent(client, 9)


async def test_what_is_not_modbus_is_hung_up_on(wire: Wire, client: TcpClient) -> None:
    client.writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.receive()
    again = await TcpClient.to(wire.face.port)
    assert await again.ask(1, READ_COILS) == COILS
    await again.close()


async def test_silence_obeys_absence_does_not(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab absent")
    await silent(client, 1, CLOSE_1)
    assert not wire.commanded("seg-1")
    assert await client.ask(2, READ_COILS) == bytes.fromhex("81 02"), "the others answer"
    wire.town.sabotage.repair("cab")
    wire.fault("cab silence")
    await silent(client, 1, CLOSE_1)
    assert wire.commanded("seg-1")
    wire.town.sabotage.repair(None)
    assert await client.ask(1, READ_COILS) == bytes.fromhex("01 01 01")


async def test_exception(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab exception 6")
    assert await client.ask(1, READ_COILS) == bytes.fromhex("81 06")
    assert await client.ask(1, CLOSE_1) == bytes.fromhex("85 06")
    assert not wire.town.lighting.contactors["seg-1"].commanded


async def test_delay_is_in_order(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab delay 0.1")
    loop = asyncio.get_running_loop()
    start = loop.time()
    first, second = client.send(1, READ_COILS), client.send(1, READ_COILS)
    assert (await client.receive())[0] == first
    assert loop.time() - start == pytest.approx(0.1, abs=0.06)
    assert (await client.receive())[0] == second
    assert loop.time() - start == pytest.approx(0.2, abs=0.08)


async def test_late_answers_come_into_the_next_request(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab late 0.2")
    first = client.send(1, READ_COILS)
    with pytest.raises(TimeoutError):
        await client.receive(0.08)
    wire.town.sabotage.repair("cab")
    second = client.send(1, READ_COILS)
    assert (await client.receive())[0] == second
    assert (await client.receive())[0] == first


async def test_garbage_is_no_frame(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab garbage")
    client.send(1, READ_COILS)
    async with asyncio.timeout(2.0):
        noise = await client.reader.readexactly(10)
    assert noise[:4] != bytes.fromhex("0001 0000")


async def test_disconnect_closes_now_and_afterwards(wire: Wire, client: TcpClient) -> None:
    assert await client.ask(1, READ_COILS) == COILS
    wire.fault("cab disconnect")
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.receive()
    other = await TcpClient.to(wire.face.port)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await other.ask(1, READ_COILS)
    await other.close()
    wire.town.sabotage.repair("cab")
    back = await TcpClient.to(wire.face.port)
    assert await back.ask(1, READ_COILS) == COILS
    await back.close()


async def test_a_fault_ends_by_the_towns_clock(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab exception 4 for 10m")
    wire.town.step(599.0)
    assert await client.ask(1, READ_COILS) == bytes.fromhex("81 04")
    wire.town.step(2.0)
    assert await client.ask(1, READ_COILS) == COILS


async def test_what_is_broken_in_the_street_shows_on_the_wire(wire: Wire, client: TcpClient) -> None:
    """Inputs 16-47 as one block: door, selector, leakage; presence 1-8, loops 1-8, selectors 1-8."""
    inputs, slow = bytes.fromhex("02 0010 0020"), bytes.fromhex("04 0FA0 0004")
    await client.ask(1, CLOSE_1)
    wire.town.step(60.0)
    assert await client.ask(1, inputs) == bytes.fromhex("02 04 00 00 00 00")
    factor, celsius, starts = struct.unpack(">HhI", (await client.ask(1, slow))[2:])
    assert (factor, starts) == (950, wire.town.lighting.lamps["l-1"].starts)
    assert 0 < celsius < 200
    for line in ("cab leakage", "cab selector off", "seg-2 selector on", "seg-1 loop", "eye presence detect"):
        wire.fault(line)
    wire.fault("cell photocell bright")
    wire.town.step(60.0)
    assert await client.ask(1, inputs) == bytes.fromhex("02 04 06 04 01 02")
    assert await client.ask(1, bytes.fromhex("02 0000 0008")) == bytes.fromhex("02 01 02"), "hands decide"
    assert await client.ask(1, bytes.fromhex("04 0018 0002")) == bytes.fromhex("04 04") + struct.pack(">f", 20_000.0)
    assert await client.ask(1, slow) == bytes.fromhex("04 08 FFFF 8000") + struct.pack(">I", starts)
    wire.fault("cell photocell silent")
    (lux,) = struct.unpack(">f", (await client.ask(1, bytes.fromhex("04 0018 0002")))[2:])
    assert math.isnan(lux)
    wire.town.sabotage.repair(None)
    wire.town.step(60.0)
    assert await client.ask(1, inputs) == bytes.fromhex("02 04 00 00 00 00")
    assert await client.ask(1, bytes.fromhex("02 0000 0008")) == bytes.fromhex("02 01 01")


async def test_a_dead_phase_shows_in_the_meter_while_the_cabinet_answers(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab phase-loss 2")
    wire.fault("cab voltage 3 262.5")
    wire.town.step(1.0)
    volts = struct.unpack(">3f", (await client.ask(1, bytes.fromhex("04 0000 0006")))[2:])
    assert volts[1:] == (0.0, 262.5)
    wire.fault("cab supply-loss")
    wire.town.step(1.0)
    assert struct.unpack(">9f", (await client.ask(1, bytes.fromhex("04 0000 0012")))[2:]) == (
        *(0.0,) * 7,
        pytest.approx(wire.town.cabinet("cab").meter.total_wh / 1000.0),
        0.0,
    )


async def test_stop_with_an_answer_under_way(wire: Wire, client: TcpClient) -> None:
    wire.fault("cab delay 30")
    client.send(1, READ_COILS)
    await client.writer.drain()
    await asyncio.wait_for(wire.face.stop(), 1.0)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.receive()


class Line:
    """The client's end of a serial line."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.descriptor)

    async def receive(self, count: int, within_s: float = 2.0) -> bytes:
        loop, received, ready = asyncio.get_running_loop(), b"", asyncio.Event()
        loop.add_reader(self.descriptor, ready.set)
        try:
            async with asyncio.timeout(within_s):
                while len(received) < count:
                    await ready.wait()
                    ready.clear()
                    received += os.read(self.descriptor, 300)
        finally:
            loop.remove_reader(self.descriptor)
        return received

    def send(self, body: str) -> None:
        frame = bytes.fromhex(body)
        os.write(self.descriptor, frame + crc16(frame))

    async def ask(self, body: str, count: int) -> bytes:
        self.send(body)
        answer = await self.receive(count)
        assert crc16(answer[:-2]) == answer[-2:]
        return answer[:-2]

    def close(self) -> None:
        os.close(self.descriptor)


@pytest.fixture
async def rtu(tmp_path: Path) -> AsyncIterator[tuple[Town, RtuFace]]:
    town = Town.from_site(street(tmp_path, serial="lines/tty"), seed=1, start=WINTER_EVENING)
    (face,) = build_faces(town, lambda: town.now, 1.0)
    assert isinstance(face, RtuFace)
    await face.start()
    yield town, face
    await face.stop()


@pytest.fixture
async def line(rtu: tuple[Town, RtuFace]) -> AsyncIterator[Line]:
    line = Line(rtu[1].path)
    yield line
    line.close()


async def test_rtu_answers_after_the_time_that_frames_take(line: Line) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await line.ask("01 01 0000 0008", 6) == bytes.fromhex("01 01 01 00")
    short_s = loop.time() - start
    start = loop.time()
    assert len(await line.ask("01 04 07D0 007D", 255)) == 253
    long_s = loop.time() - start
    assert short_s > 14 * 11 / 9600
    assert 263 * 11 / 9600 < long_s < 2 * 263 * 11 / 9600


async def test_rtu_units_absent_ones_and_noise(rtu: tuple[Town, RtuFace], line: Line) -> None:
    assert await line.ask("02 04 0034 0002", 9)
    line.send("07 01 0000 0008")
    with pytest.raises(TimeoutError):
        await line.receive(1, 0.15)
    os.write(line.descriptor, bytes.fromhex("01 01 0000 0008 FFFF"))
    with pytest.raises(TimeoutError):
        await line.receive(1, 0.15)
    os.write(line.descriptor, b"\x01\x02\x03")
    with pytest.raises(TimeoutError):
        await line.receive(1, 0.15)
    assert await line.ask("01 11", 5) == bytes.fromhex("01 91 01")
    assert await line.ask("01 10 03E8 0001 02 0032", 8) == bytes.fromhex("01 10 03E8 0001")
    assert rtu[0].lighting.lamps["l-1"].command_pct == 50.0


async def test_rtu_broadcast_moves_and_nobody_answers(rtu: tuple[Town, RtuFace], line: Line) -> None:
    line.send("00 05 0000 FF00")
    with pytest.raises(TimeoutError):
        await line.receive(1, 0.1)
    assert rtu[0].lighting.contactors["seg-1"].commanded


async def test_rtu_faults(rtu: tuple[Town, RtuFace], line: Line) -> None:
    town = rtu[0]
    town.sabotage.break_(["cab", "garbage"], town.now_s)
    line.send("01 01 0000 0008")
    noise = await line.receive(6)
    assert crc16(noise[:-2]) != noise[-2:]
    town.sabotage.break_(["cab", "disconnect"], town.now_s)
    line.send("01 01 0000 0008")
    with pytest.raises(TimeoutError):
        await line.receive(1, 0.15)
    assert await line.ask("02 04 0034 0002", 9), "the line itself lives on"


async def test_rtu_takes_a_client_with_parity_again_and_again(rtu: tuple[Town, RtuFace]) -> None:
    for _ in range(3):
        line = Line(rtu[1].path)
        settings = termios.tcgetattr(line.descriptor)
        settings[2] |= termios.PARENB
        settings[4] = settings[5] = termios.B9600
        termios.tcsetattr(line.descriptor, termios.TCSANOW, settings)
        assert await line.ask("01 01 0000 0008", 6)
        line.close()


async def test_rtu_link_is_ours_and_goes_with_us(rtu: tuple[Town, RtuFace]) -> None:
    face = rtu[1]
    assert face.path.is_symlink()
    await face.stop()
    assert not face.path.is_symlink()
    face.path.symlink_to("/dev/pts/nobody")
    await face.start()
    assert face.path.exists(), "a stale link of a simulator that was killed is replaced"
    await face.stop()
    face.path.write_text("a real thing")
    with pytest.raises(LineTaken, match="never taken over"):
        await face.start()
    assert face.path.read_text() == "a real thing"
