"""The Modbus driver against libmodbus as server, over TCP and over a serial line: every wire type and table."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.api import Driver, Host, Outcome, PointId, Reading, Write
from drivers.modbus.settings import ModbusBus, ModbusDevice
from drivers.profile import ModbusLimits, ModbusPoint, Profile, Table, WireType
from drivers.registry import DRIVERS, BusDevice
from tests.interop.station import HERE, Stranger, serial_cable, stranger

pytestmark = pytest.mark.interop

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
UNIT = 7

# (name, address, type, word order, what the server was filled with, what is written); see ADDRESSES in the server.
REGISTERS: Sequence[tuple[str, int, WireType, str, float, float]] = [
    ("u16", 0, WireType.UINT16, "big", 50123, 65535),
    ("i16", 1, WireType.INT16, "big", -12345, -32768),
    ("u32", 2, WireType.UINT32, "big", 4000000123, 4294967295),
    ("u32_le", 4, WireType.UINT32, "little", 0x12345678, 0xFEDCBA98),
    ("i32", 6, WireType.INT32, "big", -2000000123, 2147483647),
    ("f32", 8, WireType.FLOAT32, "big", 230.5, -1.5e-3),
    ("f32_le", 10, WireType.FLOAT32, "little", -0.125, 399.75),
    ("u64", 12, WireType.UINT64, "big", 123456789012345, 9007199254740991),
    ("i64", 16, WireType.INT64, "big", -123456789012345, -9007199254740991),
    ("f64", 20, WireType.FLOAT64, "big", 50.01171875, 1.0 / 3.0),
]


def points() -> dict[str, ModbusPoint]:
    """Each register in both tables, one bit of a register, coils and discrete inputs."""
    made = [
        ModbusPoint(f"{table}.{name}", table, address, kind, word_order=order, writable=table is Table.HOLDING)
        for table in (Table.INPUT, Table.HOLDING)
        for name, address, kind, order, *_ in REGISTERS
    ]
    made += [ModbusPoint(f"flag.{bit}", Table.INPUT, 24, WireType.BIT, bit=bit) for bit in (4, 5)]
    made += [ModbusPoint(f"coil.{n}", Table.COIL, n, WireType.BIT, writable=True) for n in range(12)]
    made += [ModbusPoint(f"discrete.{n}", Table.DISCRETE, n, WireType.BIT) for n in range(12)]
    return {point.name: point for point in made}


@dataclass
class Rig:
    """A driver on one end of the wire, libmodbus on the other."""

    driver: Driver
    server: Stranger

    async def read(self) -> dict[str, float | str]:
        """Every point with its value, or the cause of its fault."""
        seen = [o for poll in self.driver.polls["d"] for o in await self.driver.read(poll)]
        return {o.point.point: o.value if isinstance(o, Reading) else f"fault: {o.cause}" for o in seen}

    async def write(self, **values: float) -> list[Outcome]:
        """Write points of holding registers."""
        writes = [Write(PointId("d", f"holding.{name}"), value) for name, value in values.items()]
        return [result.outcome for result in await self.driver.write(writes)]

    async def shown(self) -> tuple[int, dict[str, Any]]:
        """What libmodbus found after the next write request that it answered: function, and its table."""
        function, _, table = (await self.server.says("wrote")).partition(" ")
        return int(function), json.loads(table)


@pytest.fixture(scope="module")
def server_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server, compiled here."""
    program = tmp_path_factory.mktemp("libmodbus") / "server"
    source = HERE / "libmodbus_server.c"
    # The macros of libmodbus 3.1.6 cut negative constants to 16 bits by themselves.
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-overflow", "-O1"]
    subprocess.run(["cc", *flags, "-o", program, source, "-lmodbus"], check=True, timeout=30)
    return program


@asynccontextmanager
async def rigged(wire: str, program: Path, folder: Path, extra: Sequence[ModbusPoint] = ()) -> AsyncIterator[Rig]:
    """``wire``: ``tcp`` or ``rtu``."""
    known = points() | {point.name: point for point in extra}
    profile = Profile("all", "", "modbus", "libmodbus", date(2026, 11, 24), known, ModbusLimits())
    attached = BusDevice("d", ModbusDevice(unit=UNIT), profile, tuple(known))
    async with wired(wire, program, folder) as (settings, server):
        bus = ModbusBus.model_validate({"driver": "modbus", "timeout_s": 1.0} | settings)
        driver = DRIVERS["modbus"].build("bus", bus, [attached], Host(lambda: NOW, folder))
        await driver.open()
        try:
            yield Rig(driver, server)
        finally:
            await driver.close()


@asynccontextmanager
async def wired(wire: str, program: Path, folder: Path) -> AsyncIterator[tuple[dict[str, object], Stranger]]:
    """The server up, and what a bus needs to reach it."""
    if wire == "tcp":
        async with stranger(program, "tcp") as server:
            yield {"tcp": f"127.0.0.1:{await server.says('ready')}"}, server
        return
    async with serial_cable(folder) as (near, far), stranger(program, "rtu", far) as server:
        await server.says("ready")
        yield {"serial": str(near), "baudrate": 19200, "parity": "N"}, server


WIRES = pytest.mark.parametrize("wire", ["tcp", "rtu"])


@WIRES
async def test_every_wire_type_and_table_is_read(wire: str, server_program: Path, tmp_path: Path) -> None:
    async with rigged(wire, server_program, tmp_path) as rig:
        expected: dict[str, float] = {f"coil.{n}": float(n in (1, 9)) for n in range(12)}
        expected |= {f"discrete.{n}": float(n in (0, 10)) for n in range(12)}
        expected |= {"flag.4": 0.0, "flag.5": 1.0}
        for table in ("input", "holding"):
            expected |= {f"{table}.{name}": value for name, _, _, _, value, _ in REGISTERS}
        assert await rig.read() == expected


@WIRES
async def test_every_wire_type_is_written_and_read_back(wire: str, server_program: Path, tmp_path: Path) -> None:
    async with rigged(wire, server_program, tmp_path) as rig:
        assert set(await rig.write(**{name: new for name, *_, new in REGISTERS})) == {Outcome.APPLIED}
        function, table = await rig.shown()
        assert function == 16
        single = {"f32", "f32_le"}
        for name, *_, new in REGISTERS:
            assert table[name] == (pytest.approx(new, rel=1e-6) if name in single else new), name
        assert (await rig.read())["holding.f64"] == 1.0 / 3.0


@WIRES
async def test_one_register_and_one_coil_travel_in_functions_6_and_5(
    wire: str, server_program: Path, tmp_path: Path
) -> None:
    async with rigged(wire, server_program, tmp_path) as rig:
        assert await rig.write(i16=-1.0) == [Outcome.APPLIED]
        function, table = await rig.shown()
        assert (function, table["i16"], table["u16"]) == (6, -1, 50123)
        [result] = await rig.driver.write([Write(PointId("d", "coil.1"), 0.0)])
        assert result.outcome is Outcome.APPLIED
        function, table = await rig.shown()
        assert (function, table["coils"][:12]) == (5, "000000000100")


@WIRES
async def test_adjoining_coils_travel_together(wire: str, server_program: Path, tmp_path: Path) -> None:
    async with rigged(wire, server_program, tmp_path) as rig:
        pattern = "101100111000"
        writes = [Write(PointId("d", f"coil.{n}"), float(bit)) for n, bit in enumerate(pattern)]
        assert {result.outcome for result in await rig.driver.write(writes)} == {Outcome.APPLIED}
        function, table = await rig.shown()
        assert (function, table["coils"][:12]) == (15, pattern)


@WIRES
async def test_an_address_beyond_the_map_is_its_points_fault(wire: str, server_program: Path, tmp_path: Path) -> None:
    beyond = ModbusPoint("beyond", Table.HOLDING, 5000, WireType.UINT16)
    async with rigged(wire, server_program, tmp_path, [beyond]) as rig:
        for _ in range(2):
            seen = await rig.read()
            assert seen["beyond"] == "fault: illegal address (exception 2)"
            assert seen["holding.u16"] == 50123


@WIRES
async def test_a_closed_driver_opens_again(wire: str, server_program: Path, tmp_path: Path) -> None:
    async with rigged(wire, server_program, tmp_path) as rig:
        before = await rig.read()
        await rig.driver.close()
        assert await rig.read() == before
