"""Fuzzed commands over MQTT: refused or right, never a crash, and what is accepted says what the payload says."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.clock import Clock
from controller.core.commands import Command
from controller.mqtt.commands import MAX_BYTES, parse_command
from tests.campaign.conftest import Show
from tests.campaign.mutation import Mutator

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
KINDS = {"lamp": {"level", "relinquish"}, "segment": {"level", "relinquish"}}
KINDS["zone"] = {"setpoint_c", "allure", "relinquish"}
DEMANDS = {"level", "setpoint_c", "allure", "relinquish"}
FIELDS = DEMANDS | {"id", "issued", "for", "until", "reason", "by"}
STAMP = "2026-11-21T21:59:59.5Z"
CORPUS = [
    json.dumps({"id": "c-1", "issued": STAMP} | more).encode()
    for more in (
        {"level": 40},
        {"level": 12.5, "for": "1h30m", "reason": "accident rue du Port", "by": "m.durand"},
        {"level": 100, "until": "2026-11-22T05:00:00+01:00"},
        {"relinquish": True},
        {"setpoint_c": 20.5, "for": "PT2H"},
        {"setpoint_c": -3, "reason": "gel é ☃"},
        {"allure": "comfort", "for": "1d"},
        {"allure": "off"},
    )
]
CORPUS += [b'{"id":"a","issued":"2026-11-21T23:00:00+01:00","level":1e2}', b"[]", b'{"level":null}', b"\xef\xbb\xbf{}"]

ODD: Sequence[object] = (
    None, True, False, 0, -0.0, 1, 40, 100, 100.0000001, -1, 1e308, 10**400, 2**63, [], {}, [40], {"level": 40},
    "", " ", "c-1", "40", "off", "comfort", "OFF", "2h", "0h", "PT2H", "P", "PT", "99999999s", "9999d", "1h2h", STAMP,
    "2026-11-22T05:00:00+01:00", "2026-11-22", "2026-11-22t05:00:00z", "2026-11-21T21:58:30Z", "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "\ud800", "\x00", "é" * 200, "x" * 501,
)  # fmt: skip


def composed(rng: random.Random) -> bytes:
    """A JSON object of known fields with odd values."""
    fields: dict[str, object] = {"id": "c-1", "issued": STAMP, rng.choice(sorted(DEMANDS)): 40}
    for _ in range(rng.randint(0, 3)):
        fields[rng.choice(sorted(FIELDS))] = rng.choice(ODD)
    return json.dumps(fields).encode()


def is_true_to(command: Command, payload: bytes, kind: str) -> bool:
    """Whether ``command`` is what ``payload`` says, read again without the parser under test."""
    fields: dict[str, Any] = json.loads(payload.decode())
    issued = datetime.fromisoformat(fields["issued"].upper().replace("Z", "+00:00"))
    [demand] = DEMANDS & fields.keys()
    value = fields[demand] if demand in ("level", "setpoint_c") else None
    return (
        len(payload) <= MAX_BYTES
        and fields.keys() <= FIELDS
        and isinstance(command.id, str)
        and command.id == fields["id"].strip() != ""
        and timedelta(seconds=-5) <= NOW - issued <= timedelta(seconds=60)
        and demand in KINDS[kind]
        and not isinstance(value, bool)
        and not (value is None and demand in ("level", "setpoint_c"))
        and command.value == value
        and (demand != "level" or 0 <= fields[demand] <= 100)
        and command.relinquish == (demand == "relinquish" and fields[demand] is True)
        and (command.allure.value if command.allure else None) == fields.get("allure")
        and not {"for", "until"} <= fields.keys()
        and (command.until is None or command.until > NOW)
    )


def fuzz(count: int, seed: int) -> int:
    """How many of ``count`` were accepted; each of them was checked."""
    accepted = 0
    kinds, clock = tuple(KINDS), Clock()
    mutator, rng = Mutator(seed, CORPUS), random.Random(seed)
    for number in range(count):
        payload = mutator.one() if number % 2 else composed(rng)
        kind, retained = kinds[number % 3], number % 7 == 0
        found = parse_command(kind, "t-1", payload, retained, clock, NOW)
        if isinstance(found, Command):
            assert not retained, payload
            assert is_true_to(found, payload, kind), (payload, found)
            accepted += 1
        else:
            assert found.detail, payload
            assert (found.kind, found.target) == (kind, "t-1")
    return accepted


def test_fuzzed_commands() -> None:
    assert fuzz(20_000, seed=1) > 100


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_million_fuzzed_commands(show: Show) -> None:
    accepted = fuzz(1_000_000, seed=2)
    show(f"mqtt commands: 1000000 fuzzed, {accepted} still valid and true to their payload, 0 crashes")
    assert accepted > 10_000
