"""The demo itself: start the processes, follow the daemon over MQTT, show, and close with the night's account."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from datetime import datetime, timedelta

import aiomqtt
import click

from controller.cli.demo import processes
from controller.cli.demo.scene import Scene
from controller.cli.demo.show import Show, event_line
from controller.cli.demo.stage import Stage
from controller.cli.demo.summary import summary
from controller.mqtt.link import fresh_client

_STORY = (
    (timedelta(hours=8), "fault l-019 lamp open", "a lamp of the Avenue de la Gare fails"),
    (timedelta(hours=10, minutes=30), "fault cab-mairie door for 20m", "somebody opens the cabinet of the town hall"),
)
"""What happens in the town that night: after this long, this line goes to the simulator."""
_AFTER_NOON_S = 1.5
_FRAME_S = 0.25


class Play:
    """One performance on a stage."""

    def __init__(self, stage: Stage, terminal: bool) -> None:
        self._stage = stage
        self._scene = Scene(f"{stage.site.mqtt.base}/{stage.site.id}")
        self._show = Show(stage, self._scene, terminal)
        self._over = asyncio.Event()

    async def run(self, until: datetime | None, for_s: float | None) -> None:
        """Play until ``until`` (town's time), for ``for_s`` (real), or to Ctrl-C. Raises ChildProcessError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a closed terminal ends it in order too
            loop.add_signal_handler(number, self._over.set)
        broker, broker_name = processes.broker(self._stage)
        simulator, daemon = processes.simulator(self._stage), processes.daemon(self._stage)
        try:
            await broker.start()
            await simulator.start()
            await broker.until(self._broker_answers, broker_name)
            await simulator.until(lambda: _last_line(simulator) == "ready", "the town")
            await daemon.start()
            self._show.title(broker_name)
            await self._perform(daemon, until, for_s)
        finally:
            for child in (daemon, simulator, broker):
                await child.end()
        click.echo(summary(self._stage.site, self._scene))

    async def _perform(self, daemon: processes.Child, until: datetime | None, for_s: float | None) -> None:
        tasks = [
            asyncio.create_task(self._listen(), name="demo:listen"),
            asyncio.create_task(self._tell_story(), name="demo:story"),
            asyncio.create_task(daemon.keep(self._show.say), name="demo:daemon"),
            asyncio.create_task(self._draw(), name="demo:draw"),
        ]
        over = asyncio.create_task(self._wait_for_the_end(until, for_s), name="demo:end")
        try:
            await asyncio.wait([over, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (over, *tasks):
                task.cancel()
            results = await asyncio.gather(over, *tasks, return_exceptions=True)
            self._show.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _wait_for_the_end(self, until: datetime | None, for_s: float | None) -> None:
        if for_s is None and until is not None:
            for_s = self._stage.clock.real_seconds(until - self._stage.clock.now()) + _AFTER_NOON_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await self._over.wait()

    async def _listen(self) -> None:
        """Follow everything the daemon says; a broker that goes is waited for."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with fresh_client(self._stage.site.mqtt, "veilleuse-demo", None) as client:
                    await client.subscribe(f"{self._scene.root}/#", qos=1)
                    async for message in client.messages:
                        event = self._scene.hear(str(message.topic), bytes(message.payload or b""))
                        if event is not None and (line := event_line(self._stage.site, event)):
                            self._show.say(line)
            await asyncio.sleep(0.5)

    async def _tell_story(self) -> None:
        start = self._stage.clock.start
        assert start is not None  # noqa: S101 - the stage's clock is always a simulated one
        for after, line, words in _STORY:
            await asyncio.sleep(max(0.0, self._stage.clock.real_seconds(start + after - self._stage.clock.now())))
            if await self._send(line):
                self._show.say(f"(simulator) {words}")
        await asyncio.Event().wait()

    async def _send(self, line: str) -> bool:
        """One line to the simulator's control channel; whether it obeyed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._stage.control_port)
        writer.write(line.encode() + b"\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return b'"ok": true' in answer

    async def _draw(self) -> None:
        while True:
            self._show.frame()
            await asyncio.sleep(_FRAME_S)

    def _broker_answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._stage.broker_port), 0.2):
            return True
        return False


def _last_line(child: processes.Child) -> str:
    lines = child.log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else ""
