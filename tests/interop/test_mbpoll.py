"""mbpoll (libmodbus) as client of the simulator, on a serial line: what tests/system does over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sim.run import TownServer
from tests.interop.station import DEADLINE_S
from tests.sim.towns import Ticking, street

pytestmark = pytest.mark.interop

COIL, DISCRETE, INPUT, HOLDING = "0", "1", "3", "4"
LINE = "tty"


@asynccontextmanager
async def street_on_a_line(folder: Path) -> AsyncIterator[tuple[TownServer, Ticking]]:
    """A cabinet (unit 1), two meters (2 and 3), six lamps, all on one line."""
    clock = Ticking()
    server = TownServer(street(folder, serial=LINE), now=clock)
    await server.start()
    try:
        yield server, clock
    finally:
        await server.stop()


async def mbpoll(line: Path, unit: int, table: str, register: int, *words: str) -> tuple[int, str]:
    """Its exit code and what it printed; ``words`` are values to write, or options that begin with a dash."""
    options = [word for word in words if word.startswith("-")]
    values = [word for word in words if not word.startswith("-")]
    argv = ["mbpoll", "-m", "rtu", "-b", "9600", "-P", "none", "-a", str(unit), "-0", "-1", "-o", "0.5"]
    argv += ["-t", table, "-r", str(register), *options, str(line), *values]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    async with asyncio.timeout(DEADLINE_S):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def shown(said: str) -> dict[int, float]:
    """``[2000]:   90`` and its like, by register."""
    lines = [line.partition(":") for line in said.splitlines() if line.startswith("[")]
    return {int(place.strip("[]")): float(value.split()[0]) for place, _, value in lines}


async def test_it_reads_and_writes_a_cabinet(tmp_path: Path) -> None:
    async with street_on_a_line(tmp_path) as (server, clock):
        line = tmp_path / LINE
        code, said = await mbpoll(line, 1, COIL, 0, "1")
        assert code == 0, said
        clock.pass_s(60.0)
        server.advance()
        assert shown((await mbpoll(line, 1, DISCRETE, 0))[1]) == {0: 1.0}
        code, said = await mbpoll(line, 1, HOLDING, 1000, "40")
        assert code == 0, said
        clock.pass_s(60.0)
        server.advance()
        assert shown((await mbpoll(line, 1, HOLDING, 1000))[1]) == {1000: 40.0}
        assert shown((await mbpoll(line, 1, INPUT, 2000))[1]) == {2000: 40.0}
        assert server.town.lighting.lamps["l-1"].drive_pct == 40.0


async def test_another_unit_on_the_line_and_an_address_that_is_none(tmp_path: Path) -> None:
    async with street_on_a_line(tmp_path):
        line = tmp_path / LINE
        code, said = await mbpoll(line, 2, f"{INPUT}:float", 0, "-B")
        assert code == 0, said
        assert 200.0 < shown(said)[0] < 260.0
        code, said = await mbpoll(line, 1, HOLDING, 60000)
        assert "Illegal data address" in said
        code, said = await mbpoll(line, 9, HOLDING, 0)
        assert code != 0
        assert "timed out" in said
