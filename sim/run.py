"""A town on the wire: faces up, the plant stepped by the clock, everything closed at the end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from config.site import Site
from sim.bacnet_town import BacnetFace
from sim.control import Control, ControlFace
from sim.faces import Face, build_faces
from sim.faults import Fault
from sim.town import Town

TICK_S = 0.1
"""Wall time between two steps."""
LONGEST_CATCH_UP = timedelta(hours=6)
"""Of the town's time: more than this is skipped after a pause, not simulated."""
Say = Callable[[str], None]


class CannotStart(Exception):
    """An address, a line or a fault that was asked for cannot be had; the message says which and why."""


def _why(error: OSError) -> str:
    """The system's word for it; an error of our own has no number."""
    return os.strerror(error.errno) if error.errno else str(error)


def _quiet(_line: str) -> None:
    """Says nothing."""


class TownServer:
    """A town with its faces. ``start``, then ``run`` until ``leave`` or cancellation, then ``stop``."""

    def __init__(
        self,
        site: Site,
        *,
        now: Callable[[], datetime],
        speed: float = 1.0,
        control_port: int | None = None,
        seed: int = 1,
        say: Say = _quiet,
    ) -> None:
        self._now, self._say = now, say
        self._leaving = asyncio.Event()
        self._started: list[Face] = []
        self.town = Town.from_site(site, seed=seed, start=now())
        self.town.pace(speed)
        try:
            self._faces = build_faces(self.town, now, speed)
        except ValueError as error:
            raise CannotStart(str(error)) from error
        self._bacnet = [face for face in self._faces if isinstance(face, BacnetFace)]
        self.control = Control(self.town, self.leave)
        self._control_face = None if control_port is None else ControlFace(self.control, control_port)
        if self._control_face is not None:
            self._faces.append(self._control_face)
        self.town.faults.watch(self._fault_changed)

    @property
    def control_port(self) -> int | None:
        """The port of the control channel once it is started."""
        return None if self._control_face is None else self._control_face.port

    def leave(self) -> None:
        """End ``run``."""
        self._leaving.set()

    async def start(self) -> None:
        """All faces or none. Raises CannotStart."""
        for face in self._faces:
            try:
                await face.start()
            except OSError as error:
                await self.stop()
                raise CannotStart(f"{', '.join(face.lines())}: {_why(error)}") from error
            self._started.append(face)
        for face in self._started:
            for line in face.lines():
                self._say(line)

    async def run(self) -> None:
        """Step the town by the clock until somebody says ``leave``."""
        while not self._leaving.is_set():
            self.advance()
            try:
                await asyncio.wait_for(self._leaving.wait(), TICK_S)
            except TimeoutError:
                continue

    def advance(self) -> None:
        """Catch up with the clock, which may have paused or stepped back."""
        behind = self._now() - self.town.now
        if behind < timedelta(0):
            self.town.skip_to(self._now())
            return
        if behind > LONGEST_CATCH_UP:
            self.town.skip_to(self._now() - LONGEST_CATCH_UP)
            behind = LONGEST_CATCH_UP
        self.town.step(behind.total_seconds())
        self.report()

    def report(self) -> None:
        """Devices tell whoever subscribed what has changed."""
        for face in self._bacnet:
            face.tick()

    async def stop(self) -> None:
        """Close all faces."""
        while self._started:
            await self._started.pop().stop()

    def _fault_changed(self, fault: Fault, active: bool) -> None:
        self._say(f"fault {fault}" if active else f"cleared {fault}")


async def run_town(
    site: Site,
    *,
    now: Callable[[], datetime],
    speed: float = 1.0,
    control_port: int | None = None,
    seed: int = 1,
    faults: Sequence[str] = (),
    say: Say = _quiet,
    ready: Callable[[TownServer], None] | None = None,
) -> None:
    """Run a town until ``quit`` or cancellation. ``faults`` are lines without the word fault.

    ``say`` hears one line a face, ``control HOST:PORT`` when there is one, ``ready``, then every change of a
    fault. Raises CannotStart.
    """
    server = TownServer(site, now=now, speed=speed, control_port=control_port, seed=seed, say=say)
    try:
        await server.start()
        for line in faults:
            answer = server.control.obey(f"fault {line}")
            if not answer["ok"]:
                raise CannotStart(f"fault {line!r}: {answer['error']}")
        say("ready")
        if ready is not None:
            ready(server)
        await server.run()
    finally:
        await server.stop()
