"""A real mosquitto as a process on a free port of the loopback, without persistence: stopped, it forgets all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt

from config.site import Mqtt
from tests.ports import free_port

_READY_S = 5.0
_MISSING = "mosquitto is missing: apt-get install mosquitto (it is looked for on the PATH and in /usr/sbin)"


def mosquitto() -> str:
    """The broker's binary. Raises RuntimeError where there is none."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(_MISSING)
    return found


@dataclass
class Broker:
    """``start`` and ``stop`` keep the port; ``pause`` makes it half-open: connected, silent."""

    directory: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Mqtt:
        """The site's view of this broker."""
        return Mqtt(f"mqtt://127.0.0.1:{self.port}")

    def start(self) -> None:
        """Start, and return when it accepts connections."""
        self.port = self.port or free_port()
        settings = self.directory / f"mosquitto-{self.port}.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n")
        self.process = subprocess.Popen(
            [mosquitto(), "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_ready(self.process)

    def stop(self) -> None:
        """Kill it; nothing of what it retained survives."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        """Stop and start again, with nothing retained."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _READY_S
        while time.monotonic() < end and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise RuntimeError(f"mosquitto does not listen on 127.0.0.1:{self.port} (exit code {process.poll()})")


@dataclass
class Watcher:
    """Somebody at the broker: ``heard`` is everything received, in order; ``say`` publishes."""

    client: aiomqtt.Client
    heard: list[aiomqtt.Message] = field(default_factory=list)

    async def listen(self) -> None:
        """Take what comes, until cancelled or the broker goes."""
        with contextlib.suppress(aiomqtt.MqttError):
            async for message in self.client.messages:
                self.heard.append(message)

    def texts(self, topic: str) -> list[str]:
        """What came on one topic, oldest first."""
        return [bytes(message.payload or b"").decode() for message in self.heard if str(message.topic) == topic]

    def objects(self, topic: str) -> list[Any]:
        """What came on one topic, as JSON."""
        return [json.loads(text) for text in self.texts(topic) if text]

    async def say(self, topic: str, payload: object, retain: bool = False) -> None:
        """Publish bytes as they are, anything else as JSON."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self.client.publish(topic, body, qos=1, retain=retain)

    async def until(self, condition: Callable[[], object], within_s: float = 8.0) -> None:
        """Wait until ``condition`` is true of the world. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - the world has no event
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def watching(broker: Broker, topics: str = "#") -> AsyncIterator[Watcher]:
    """A watcher connected to ``broker`` that has subscribed to ``topics``."""
    async with aiomqtt.Client("127.0.0.1", broker.port, timeout=5.0) as client:
        client.pending_calls_threshold = 10_000
        await client.subscribe(topics, qos=1)
        watcher = Watcher(client)
        listening = asyncio.create_task(watcher.listen())
        try:
            yield watcher
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            if broker.process is None:
                client.timeout = 0.1


async def retained(broker: Broker, topics: str = "#") -> dict[str, str]:
    """What stands retained at this moment, by topic."""
    found: dict[str, str] = {}
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe([("end-of-retained", 1), (topics, 1)])
        await client.publish("end-of-retained", b".", qos=1)
        async for message in client.messages:
            if str(message.topic) == "end-of-retained":
                return found
            if message.retain:
                found[str(message.topic)] = bytes(message.payload or b"").decode()
    return found
