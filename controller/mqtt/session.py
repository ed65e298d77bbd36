"""The life with the broker: one fresh client per connection, everything retained anew on each, commands in.

Delivery is at least once. A publish that failed may have arrived: a state is absolute, a letter and a batch of
samples carry a number that shows the repetition.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import aiomqtt
import structlog
from paho.mqtt.subscribeoptions import SubscribeOptions

from config.site import Mqtt
from controller.clock import Clock
from controller.core.commands import Command, Refusal
from controller.mqtt.burst import publish_retained
from controller.mqtt.commands import parse_command
from controller.mqtt.link import Inbox, acknowledge_now, address_of, fresh_client, standing, tls_context
from controller.mqtt.outbox import Outbox, encode
from controller.mqtt.topics import Topics

_log = structlog.get_logger()

_WINDOW = 20
"""Messages of one sort on their way at a time; brokers take 20 unacknowledged ones without being asked."""
_STATES = 200
"""States that leave in one write."""
_INCOMING = 1_000
_HANDFUL = 100
"""Commands taken up before everybody else has a turn."""
_FAREWELL_S = 0.5
_QUIET_S, _CAP_S = 1.0, 60.0

OnCommand = Callable[[Command | Refusal], None]
OnSignal = Callable[[str, bytes, bool], None]
"""A signal's id, its payload, and whether the broker had kept it."""
Message = tuple[str, bytes]


class Samples(Protocol):
    """The durable side of the samples; controller.store has it."""

    @property
    def series(self) -> str: ...

    @property
    def sampled(self) -> asyncio.Event: ...

    async def newest_sample(self) -> int: ...

    async def pending_samples(self, limit: int) -> Sequence[tuple[int, str]]: ...

    def forget_samples(self, up_to_seq: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """When to try again after a loss, and when a retained topic that nobody claims is cleared; seconds."""

    first_retry_s: float = 1.0
    last_retry_s: float = 30.0
    healthy_after_s: float = 30.0
    """A connection that lasted this long was a good one: the next loss starts at ``first_retry_s`` again."""
    orphans_after_s: float = 600.0
    """Long enough after the start for every alarm that still holds to be raised again."""


@dataclass(slots=True)
class Counts:
    """What happened since the start, for ``gateway/state``."""

    connections: int = 0
    losses: int = 0
    published: int = 0
    commands: int = 0
    refused: int = 0
    discarded: int = 0
    """Commands that came faster than they could be looked at; known when the connection ends."""


class Session:
    """Keeps ``outbox`` and ``samples`` flowing to the broker and hands every command to ``on_command``."""

    def __init__(
        self,
        settings: Mqtt,
        topics: Topics,
        outbox: Outbox,
        samples: Samples,
        on_command: OnCommand,
        clock: Clock,
        pace: Pace | None = None,
        on_signal: OnSignal | None = None,
    ) -> None:
        self.counts = Counts()
        self._settings = settings
        self._topics = topics
        self._outbox = outbox
        self._samples = samples
        self._on_command = on_command
        self._on_signal = on_signal
        self._clock = clock
        self._pace = pace or Pace()
        self._identifier = f"veilleuse-{topics.site}"
        self._tls: ssl.SSLContext | None = None
        self._connected = False
        self._said_lost = False
        self._swept = False
        self._historical_up_to = 0
        self._cleared: set[str] = set()
        """Topics of retained commands that we cleared; the empty message that comes of it is no command."""

    @property
    def connected(self) -> bool:
        """Whether the broker has us as online right now."""
        return self._connected

    async def run(self) -> None:
        """Connect, serve, and again after every loss, until cancelled; then say offline and go."""
        loop = asyncio.get_running_loop()
        retry_s = self._pace.first_retry_s
        while True:
            began = loop.time()
            try:
                # A task of its own: before Python 3.13 a TaskGroup that failed leaves its task marked as cancelled.
                await asyncio.create_task(self._connection(), name="mqtt:connection")
            except (aiomqtt.MqttError, OSError) as error:
                _raise_if_cancelled()
                self._report_loss(error)
            if loop.time() - began >= self._pace.healthy_after_s:
                retry_s = self._pace.first_retry_s
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))
            retry_s = min(retry_s * 2, self._pace.last_retry_s)

    async def _connection(self) -> None:
        """One connection from CONNECT to its end. Raises MqttError or OSError when it could not be or was lost."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(tls_context, self._settings)
        will = aiomqtt.Will(self._topics.status, b"offline", 1, retain=True)
        inbox = Inbox(_INCOMING)
        async with fresh_client(self._settings, self._identifier, self._tls, will, inbox) as client:
            lost = False
            try:
                await self._greet(client)
                await self._serve(client, inbox)
            except aiomqtt.MqttError:
                lost = True
                raise
            finally:
                self._connected = False
                self.counts.discarded += inbox.discarded
                if not lost:
                    await self._say_offline(client)

    async def _greet(self, client: aiomqtt.Client) -> None:
        await self._subscribe(client)
        if self._on_signal is not None:
            await client.subscribe(self._topics.signal_filter, qos=1)
        await client.publish(self._topics.status, b"online", qos=1, retain=True)
        _raise_if_cancelled()
        self._historical_up_to = await self._samples.newest_sample()
        self._outbox.all_anew()
        self._connected = True
        self._said_lost = False
        self.counts.connections += 1
        _log.info("mqtt.online", broker=str(address_of(self._settings)), waiting=self._outbox.depth)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        if self._settings.protocol == "5":
            # Only MQTT 5 can show that a command was sent retained while we were listening.
            options = SubscribeOptions(qos=1, retainAsPublished=True)
            await client.subscribe(self._topics.set_filter, options=options)
        else:
            await client.subscribe(self._topics.set_filter, qos=1)

    async def _say_offline(self, client: aiomqtt.Client) -> None:
        """The broker sends no will after an orderly end, so we say it ourselves; never takes a second."""
        client.timeout = _FAREWELL_S
        with contextlib.suppress(aiomqtt.MqttError):
            await client.publish(self._topics.status, b"offline", qos=1, retain=True)

    async def _serve(self, client: aiomqtt.Client, inbox: Inbox) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive(client, inbox), name="mqtt:commands")
                group.create_task(self._pump_retained(client), name="mqtt:retained")
                group.create_task(self._pump_letters(client), name="mqtt:letters")
                group.create_task(self._pump_samples(client), name="mqtt:samples")
                if not self._swept:
                    group.create_task(self._sweep(), name="mqtt:orphans")
        except ExceptionGroup as group_of_errors:
            lost, faults = group_of_errors.split(aiomqtt.MqttError)
            if lost is None or faults is not None:
                raise
            raise aiomqtt.MqttError(_cause(lost)) from group_of_errors

    async def _receive(self, client: aiomqtt.Client, inbox: Inbox) -> None:
        async for message in client.messages:
            handful = self._commands([message, *_taken(inbox, _HANDFUL)])
            kept: set[Message] = set()
            if self._settings.protocol != "5" and any(not each.retain for each in handful):
                kept, later = await self._stand_retained(client, inbox)
                handful += later
            kept |= {_content(each) for each in handful if each.retain and each.payload}
            for each in handful:
                self._take_up(each, _content(each) in kept)
            await self._take_off(client, kept)
            _raise_if_cancelled()  # before Python 3.12 a wait that ends in that moment swallows the cancellation

    async def _stand_retained(self, client: aiomqtt.Client, inbox: Inbox) -> tuple[set[Message], list[aiomqtt.Message]]:
        """Which commands the broker keeps: MQTT 3.1.1 hides the flag from those who listen already, so ask anew.

        Subscribing again makes the broker send whatever stands retained below the filter, flagged; the answer to an
        unsubscription that means nothing comes after it. What else came in meanwhile is given back, checked as well.
        """
        kept: set[Message] = set()
        later: list[aiomqtt.Message] = []
        while True:
            await self._subscribe(client)
            await client.unsubscribe(f"{self._topics.root}/fence")
            acknowledge_now(client)
            came = self._commands(_taken(inbox, _INCOMING))
            kept |= {_content(each) for each in came if each.retain}
            fresh = [each for each in came if not each.retain]
            later += fresh
            if not fresh or len(later) > _INCOMING:
                return kept, later

    def _commands(self, messages: Iterable[aiomqtt.Message]) -> list[aiomqtt.Message]:
        """Hand on the signals among these, which may stand retained; the rest are commands, which may not."""
        rest = []
        for each in messages:
            topic, payload = _content(each)
            signal = self._topics.parse_signal(topic)
            if signal is None:
                rest.append(each)
            elif self._on_signal is not None:
                self._on_signal(signal, payload, bool(each.retain))
        return rest

    async def _take_off(self, client: aiomqtt.Client, commands: set[Message]) -> None:
        """A retained command is wrong for ever: refused once, it is cleared from the broker, if that lets us."""
        for topic in {topic for topic, _ in commands}:
            self._cleared.add(topic)
            await client.publish(topic, b"", qos=1, retain=True)

    def _take_up(self, message: aiomqtt.Message, retained: bool) -> None:
        topic, payload = _content(message)
        address = self._topics.parse_set(topic)
        if address is None:
            return
        if not payload and topic in self._cleared:
            self._cleared.discard(topic)
            return
        command = parse_command(*address, payload, retained, self._clock, datetime.now(UTC))
        self.counts.commands += 1
        self.counts.refused += isinstance(command, Refusal)
        self._on_command(command)

    async def _pump_retained(self, client: aiomqtt.Client) -> None:
        """States in one write each time; an alarm is acknowledged, because the next word on it may be hours away."""
        five = self._settings.protocol == "5"
        while True:
            await self._outbox.retained_ready.wait()
            window = self._outbox.fresh(_STATES)
            bodies = [(each.topic, b"" if each.payload is None else encode(each.payload)) for each in window]
            states = [body for body in bodies if not self._topics.is_alarm(body[0])]
            alarms = [body for body in bodies if self._topics.is_alarm(body[0])]
            if states:
                await publish_retained(client, states, five=five)
                self.counts.published += len(states)
            for start in range(0, len(alarms), _WINDOW):
                await self._publish(client, alarms[start : start + _WINDOW], retain=True)
            self._outbox.confirm(window)

    async def _pump_letters(self, client: aiomqtt.Client) -> None:
        while True:
            await self._outbox.letters_ready.wait()
            window = self._outbox.letters(_WINDOW)
            await self._publish(client, ((each.topic, encode(each.payload)) for each in window))
            self._outbox.posted(window[-1].number)

    async def _pump_samples(self, client: aiomqtt.Client) -> None:
        while True:
            self._samples.sampled.clear()
            window = await self._samples.pending_samples(_WINDOW)
            if not window:
                await self._samples.sampled.wait()
                continue
            await self._publish(client, ((self._topics.sample, self._batch(*row)) for row in window))
            self._samples.forget_samples(window[-1][0])

    def _batch(self, seq: int, samples: str) -> bytes:
        """One ``sample`` message; ``samples`` is the JSON array as it stands in the store."""
        historical = "true" if seq <= self._historical_up_to else "false"
        head = f'"series":"{self._samples.series}","seq":{seq},"historical":{historical}'
        return f'{{{head},"samples":{samples}}}'.encode()

    async def _publish(self, client: aiomqtt.Client, messages: Iterable[Message], *, retain: bool = False) -> None:
        """Publish a window in order, QoS 1; returns when the broker has acknowledged every message."""
        async with asyncio.TaskGroup() as window:
            for topic, body in messages:
                window.create_task(self._publish_one(client, topic, body, retain=retain))
                self.counts.published += 1

    async def _publish_one(self, client: aiomqtt.Client, topic: str, body: bytes, *, retain: bool) -> None:
        await client.publish(topic, body, qos=1, retain=retain)
        acknowledge_now(client)  # the broker's next word may wait for it

    async def _sweep(self) -> None:
        """Clear what an earlier life left retained and this one does not know: removed lamps, alarms since ended."""
        await asyncio.sleep(self._pace.orphans_after_s)
        self._swept = True
        try:
            async with fresh_client(self._settings, f"{self._identifier}-sweep", self._tls) as client:
                found = await standing(client, self._topics.own_filters, _QUIET_S, _CAP_S)
        except aiomqtt.MqttError as error:
            _log.warning("mqtt.orphans_unknown", cause=str(error))
            return
        orphans = found.keys() - self._outbox.world.keys()
        for topic in orphans:
            self._outbox.retain(topic, None)
        _log.info("mqtt.orphans_cleared", count=len(orphans))

    def _report_loss(self, error: Exception) -> None:
        """One line at the loss; the tries that follow say nothing until one succeeds."""
        if self._said_lost:
            return
        self._said_lost = True
        self.counts.losses += 1
        _log.warning("mqtt.lost", broker=str(address_of(self._settings)), cause=str(error) or type(error).__name__)


def _taken(inbox: Inbox, limit: int) -> list[aiomqtt.Message]:
    """What waits in the inbox at this moment, up to ``limit``."""
    return [inbox.get_nowait() for _ in range(min(inbox.qsize(), limit))]


def _content(message: aiomqtt.Message) -> Message:
    return str(message.topic), bytes(message.payload or b"")


def _cause(errors: BaseExceptionGroup[aiomqtt.MqttError]) -> str:
    """The words of the first error in a group of groups."""
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first.__cause__ or first)


def _raise_if_cancelled() -> None:
    """A loss in the very moment of a cancellation hides it (TaskGroup, __aexit__); it must not be forgotten."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
