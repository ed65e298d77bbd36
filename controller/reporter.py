"""Northbound: turns what a cycle changed into topics, and says nothing twice.

A state is published when its payload differs from the last one (``ts`` aside) and at least once a heartbeat.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from controller.core.report import Payload, alarm_of, body_of
from controller.core.stack import rfc3339
from controller.core.state import CommandResult, Draft, Event, Step
from controller.core.wiring import Wiring
from controller.mqtt.outbox import Outbox
from controller.mqtt.topics import Topics

_log = structlog.get_logger()

_BEATS_A_CALL = 50
_SAMPLED = (
    "level",
    "power_w",
    "energy_kwh",
    "burning_h",
    "switch_ons",
    "temperature_c",
    "setpoint_c",
    "heating",
    "outdoor_c",
    "supply_c",
    "heating_kw",
    "heating_kwh",
    "on",
)
_WARNINGS = frozenset({"device-offline", "command-refused", "output-rejected", "output-no-feedback", "output-masked"})


class Reporter:
    """What the outside has been told."""

    def __init__(self, wiring: Wiring, topics: Topics, outbox: Outbox) -> None:
        self.wiring = wiring
        self._topics = topics
        self._outbox = outbox
        self._told: OrderedDict[str, tuple[datetime, Payload]] = OrderedDict()

    def report(self, step: Step, now: datetime) -> None:
        """Publish everything that one cycle brought."""
        for result in step.results:
            self._result(result)
        for event in step.events:
            self._event(event)
        for name in step.alarms:
            kind, _, identity = name[0].partition("/")
            self._outbox.retain(self._topics.alarm(kind, identity, name[1]), alarm_of(step.state, name))
        known = Draft(step.state, now)
        ts = rfc3339(now)
        for key in step.changed:
            self._state(key, known, ts, beat=False)
        self._beat(known, ts)

    def rewired(self, wiring: Wiring) -> None:
        """A new configuration: clear the topics of what it no longer has."""
        for key in [key for key in self._told if key not in wiring.device_of]:
            del self._told[key]
            self._outbox.retain(self._topics.state_of(key), None)
        self.wiring = wiring

    def configuration(self, name: str, now: datetime, **facts: object) -> None:
        """Tell the ``event`` topic what became of a reload; the log has its own, longer words."""
        payload = {"ts": rfc3339(now), "name": name, "target": f"site/{self.wiring.site.id}", **facts}
        self._outbox.send(self._topics.event, payload)

    def samples(self, now: datetime) -> list[Payload]:
        """The measured values of everything known, one entry an entity, as last told."""
        fresh = ((key, payload) for key, (_, payload) in self._told.items() if payload.get("quality") == "good")
        return [
            {"entity": key, "ts": rfc3339(now), **{name: payload[name] for name in _SAMPLED if name in payload}}
            for key, payload in fresh
        ]

    def next_beat(self) -> datetime | None:
        """When the state told longest ago is due again."""
        for told, _ in self._told.values():
            return told + timedelta(seconds=self.wiring.site.timing.heartbeat_s)
        return None

    def _beat(self, known: Draft, ts: str) -> None:
        now = known.now
        for _ in range(_BEATS_A_CALL):
            key, (told, _) = next(iter(self._told.items()), ("", (now, {})))
            ahead = told > now  # told before the clock was set back
            if not ahead and now - told < timedelta(seconds=self.wiring.site.timing.heartbeat_s):
                return
            self._state(key, known, ts, beat=True)

    def _state(self, key: str, known: Draft, ts: str, *, beat: bool) -> None:
        if key not in self.wiring.device_of:
            return
        body = body_of(self.wiring, known, key)
        told = self._told.get(key)
        if not beat and told is not None and _same(told[1], body):
            return
        self._told[key] = (known.now, body)
        self._told.move_to_end(key)
        self._outbox.retain(self._topics.state_of(key), {"ts": ts, **body})

    def _result(self, result: CommandResult) -> None:
        kind, _, identity = result.target.partition("/")
        payload = {"id": result.id, "outcome": result.outcome, "detail": result.detail, "ts": rfc3339(result.at)}
        self._outbox.send(self._topics.result(kind, identity), payload, numbered=False)
        _log.info("command", target=result.target, id=result.id, outcome=result.outcome, detail=result.detail)

    def _event(self, event: Event) -> None:
        facts = {name: _plain(value) for name, value in event.facts.items() if value is not None}
        self._outbox.send(
            self._topics.event, {"ts": rfc3339(event.at), "name": event.name, "target": event.target, **facts}
        )
        shouts = facts.get("state") == "raised" and "suppressed_by" not in facts
        tell = _log.warning if event.name in _WARNINGS or shouts else _log.info
        tell(event.name, target=event.target, **_unambiguous(facts))


def _unambiguous(facts: Payload) -> Payload:
    """``event`` is the log line's own name; an alarm's TALQ event is told as ``alarm``."""
    return {("alarm" if name == "event" else name): value for name, value in facts.items()}


def _same(told: Payload, body: Payload) -> bool:
    """Whether there is nothing new; when a zone will be ready is worked out anew each time and is no news alone."""
    if told == body:
        return True
    return ("ready_at" in body or "ready_at" in told) and {**told, "ready_at": None} == {**body, "ready_at": None}


def _plain(value: object) -> object:
    return rfc3339(value) if isinstance(value, datetime) else value
