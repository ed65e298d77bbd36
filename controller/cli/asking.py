"""Asking the running daemon about one target: what stands retained at the broker, within two seconds."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiomqtt

from config.site import Site
from controller.mqtt.link import address_of, fresh_client, standing, tls_context
from controller.mqtt.topics import Topics

Payload = Mapping[str, object]

_WITHIN_S, _QUIET_S, _CAP_S = 2.0, 0.3, 1.5


class NoAnswer(Exception):
    """No daemon can be asked; the text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the daemon says of a target and of everything that feeds it."""

    state: Payload
    alarms: tuple[Payload, ...]
    """Active ones, each with its ``target``."""
    config_hash: str | None


def ask(site: Site, key: str, feeding: Sequence[str]) -> Heard:
    """The daemon's own state of ``key``, with the alarms of ``key`` and of what feeds it. Raises NoAnswer."""
    topics = Topics(site.mqtt.base, site.id)
    entities = (key, *feeding)
    filters = [topics.status, topics.gateway, topics.state_of(key)]
    filters += [f"{topics.root}/alarm/{entity}/+" for entity in entities]
    try:
        found = asyncio.run(_retained(site, filters))
    except (aiomqtt.MqttError, OSError) as error:
        cause = "it is silent" if isinstance(error, TimeoutError) else str(error)
        raise NoAnswer(f"broker {address_of(site.mqtt)} not reached: {cause}") from error
    status = found.get(topics.status)
    if status != b"online":
        raise NoAnswer(f"the daemon of {site.id} is offline" if status else f"no daemon of {site.id} at this broker")
    state = _object(found.get(topics.state_of(key)))
    if not state:
        raise NoAnswer(f"the daemon of {site.id} knows no {key}: it runs another configuration")
    alarms = [_alarm(topics, topic, payload) for topic, payload in sorted(found.items())]
    config_hash = _object(found.get(topics.gateway)).get("config_hash")
    return Heard(state, tuple(alarm for alarm in alarms if alarm), str(config_hash) if config_hash else None)


async def _retained(site: Site, filters: Sequence[str]) -> dict[str, bytes]:
    tls = tls_context(site.mqtt)
    async with asyncio.timeout(_WITHIN_S), fresh_client(site.mqtt, f"veilleuse-explain-{os.getpid()}", tls) as client:
        return await standing(client, filters, _QUIET_S, _CAP_S)


def _alarm(topics: Topics, topic: str, payload: bytes) -> Payload:
    """The alarm of an alarm topic with its target in front; empty for any other topic."""
    parts = topic.removeprefix(f"{topics.root}/").split("/")
    if parts[0] != "alarm" or len(parts) != 4:
        return {}
    return {"target": f"{parts[1]}/{parts[2]}", "event": parts[3], **_object(payload)}


def _object(payload: bytes | None) -> Payload:
    """A JSON object, empty when it is none: what others left at the broker does not stop us."""
    try:
        found = json.loads(payload or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
