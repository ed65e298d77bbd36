"""What waits for the broker: the current world, latest value per topic, and a bounded line of events and results.

Nothing here waits and nothing here fails: the cycle puts in, the session takes out. Samples for history are not
here, they go through the store.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

Payload = Mapping[str, object]

LINE_LENGTH = 1_000
"""Events and results that may wait; then the oldest is dropped and counted."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that is not retained; ``number`` is its place in the line since the start."""

    number: int
    topic: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Fresh:
    """A retained topic that the broker does not know yet; ``payload`` None clears it."""

    topic: str
    payload: Payload | None
    version: int


def encode(payload: Payload) -> bytes:
    """Compact UTF-8 JSON in the producer's key order. Raises ValueError on NaN: a fault of the producer."""
    return json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def decode(payload: bytes) -> Payload:
    """The JSON object in ``payload``; empty for anything else, a stranger may publish what he likes."""
    try:
        found = json.loads(payload)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Outbox:
    """Retained topics and letters on their way. For one event loop; no method blocks."""

    def __init__(self, line_length: int = LINE_LENGTH) -> None:
        self.retained_ready = asyncio.Event()
        """Set while a retained topic waits."""
        self.letters_ready = asyncio.Event()
        """Set while a letter waits."""
        self.dropped = 0
        """Letters lost because the line was full."""
        self._world: dict[str, Payload] = {}
        self._waiting: dict[str, int] = {}
        self._version = 0
        self._line: deque[Letter] = deque()
        self._line_length = line_length
        self._sent = 0

    @property
    def depth(self) -> int:
        """How many messages wait."""
        return len(self._waiting) + len(self._line)

    @property
    def world(self) -> Mapping[str, Payload]:
        """Everything that shall stand retained at the broker, by topic."""
        return self._world

    def retain(self, topic: str, payload: Payload | None) -> None:
        """Let ``payload`` stand retained at ``topic``; None clears it. A value not yet sent is replaced."""
        if payload is None:
            self._world.pop(topic, None)
        else:
            self._world[topic] = payload
        self._wait_for_broker(topic)

    def send(self, topic: str, payload: Payload, *, numbered: bool = True) -> None:
        """Put an event or a result in line.

        It may arrive twice: a ``seq`` is added to show it. A result has the command's id for that and goes
        ``numbered=False``.
        """
        self._sent += 1
        self._line.append(Letter(self._sent, topic, {**payload, "seq": self._sent} if numbered else payload))
        self._shorten()
        self.letters_ready.set()

    def all_anew(self) -> None:
        """Let the whole world wait again: a broker that was away may have lost it."""
        for topic in self._world:
            self._wait_for_broker(topic)

    def fresh(self, limit: int) -> list[Fresh]:
        """Up to ``limit`` waiting retained topics with their value of this moment; they wait until confirmed."""
        return [
            Fresh(topic, self._world.get(topic), version) for topic, version in islice(self._waiting.items(), limit)
        ]

    def confirm(self, arrived: Iterable[Fresh]) -> None:
        """The broker has these; a topic that changed meanwhile waits on, behind the others."""
        for fresh in arrived:
            version = self._waiting.pop(fresh.topic, fresh.version)
            if version != fresh.version:
                self._waiting[fresh.topic] = version
        if not self._waiting:
            self.retained_ready.clear()

    def letters(self, limit: int) -> list[Letter]:
        """Up to ``limit`` letters, the oldest first; they stay in line until posted."""
        return list(islice(self._line, limit))

    def posted(self, up_to: int) -> None:
        """The broker has every letter up to this ``number``."""
        while self._line and self._line[0].number <= up_to:
            self._line.popleft()
        if not self._line:
            self.letters_ready.clear()

    def _wait_for_broker(self, topic: str) -> None:
        self._version += 1
        self._waiting[topic] = self._version
        self.retained_ready.set()

    def _shorten(self) -> None:
        while len(self._line) > self._line_length:
            self._line.popleft()
            self.dropped += 1
