"""What the demo knows: nothing but what the daemon publishes. State topics, alarms, events."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Payload = Mapping[str, object]


@dataclass(slots=True)
class Scene:
    """The last word on every topic below ``<base>/<site>``."""

    root: str
    states: dict[str, Payload] = field(default_factory=dict)
    """By ``kind/id``."""
    alarms: dict[str, Payload] = field(default_factory=dict)
    """By ``kind/id/event``."""
    events: deque[Payload] = field(default_factory=lambda: deque(maxlen=200))
    nights: dict[str, Payload] = field(default_factory=dict)
    """The closed account of each group."""
    openings: list[Payload] = field(default_factory=list)
    online: bool = False

    def hear(self, topic: str, payload: bytes) -> Payload | None:
        """Take up one message; returns it when it is an event."""
        name = topic.removeprefix(f"{self.root}/")
        if name == "status":
            self.online = payload == b"online"
            return None
        if name.startswith("alarm/"):
            self._alarm(name.removeprefix("alarm/"), payload)
            return None
        if name.endswith("/state"):
            self.states[name.removesuffix("/state")] = _object(payload)
            return None
        return self._event(_object(payload)) if name == "event" else None

    def of(self, kind: str) -> Iterator[tuple[str, Payload]]:
        """The states of one kind, ``(id, payload)``."""
        prefix = f"{kind}/"
        return (
            (key.removeprefix(prefix), value) for key, value in sorted(self.states.items()) if key.startswith(prefix)
        )

    def number(self, key: str, name: str) -> float | None:
        """One number of one state, None while it is not known."""
        value = self.states.get(key, {}).get(name)
        return float(value) if isinstance(value, int | float) else None

    def _alarm(self, key: str, payload: bytes) -> None:
        if payload:
            self.alarms[key] = _object(payload)
        else:
            self.alarms.pop(key, None)

    def _event(self, event: Payload) -> Payload:
        self.events.append(event)
        if event.get("name") == "night":
            self.nights[str(event["target"])] = event
        elif event.get("name") == "opening":
            self.openings.append(event)
        return event


def _object(payload: bytes) -> Payload:
    value = json.loads(payload or b"{}")
    return value if isinstance(value, dict) else {}
