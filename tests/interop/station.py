"""The strangers of these tests as processes: started, heard line by line, told something, ended with the test."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

DEADLINE_S = 10.0
HERE = Path(__file__).parent


class Stranger:
    """A process that speaks in lines on its standard streams and ends when its input does."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hears(self, line: str) -> None:
        """One line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def says(self, word: str) -> str:
        """The rest of the next line, which must begin with ``word``."""
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            line = (await self._process.stdout.readline()).decode().strip()
        first, _, rest = line.partition(" ")
        assert first == word, f"{word!r} expected, {line!r} said; {await self._complaint()}"
        return rest

    async def ends(self) -> int:
        """End its input and wait; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            return await asyncio.wait_for(self._process.wait(), DEADLINE_S)
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    async def _complaint(self) -> str:
        assert self._process.stderr is not None
        with contextlib.suppress(TimeoutError):
            return (await asyncio.wait_for(self._process.stderr.read(2000), 0.5)).decode()
        return ""


@contextlib.asynccontextmanager
async def stranger(*words: str | Path) -> AsyncIterator[Stranger]:
    """Start ``words``; whoever does not end in order fails the test."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*map(str, words), stdin=pipe, stdout=pipe, stderr=pipe)
    running = Stranger(process)
    try:
        yield running
    finally:
        code = await running.ends()
    assert code == 0, f"{words[0]} ended with {code}"


@contextlib.asynccontextmanager
async def serial_cable(folder: Path) -> AsyncIterator[tuple[Path, Path]]:
    """Two serial ports with a cable between them, made by socat."""
    ends = folder / "near", folder / "far"
    words = [f"pty,rawer,link={end}" for end in ends]
    process = await asyncio.create_subprocess_exec("socat", "-d", "-d", *words, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            await process.stderr.readuntil(b"starting data transfer loop")
        yield ends
    finally:
        process.terminate()
        await process.wait()


def node(script: str, *words: object) -> Sequence[str]:
    """The words that run one of our scripts on node."""
    found = shutil.which("node")
    assert found, "node is missing: make interop"
    return [found, str(HERE / script), *map(str, words)]
