"""Nights for tests: a field whose nodes count, and what a closed night left on record."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from controller.core.journal import Record
from tests.controller.field import Field


class CountingField(Field):
    """Nodes that count like real ones: energy and burning time follow level and power."""

    def advance(self, span: timedelta, every: timedelta = timedelta(minutes=5)) -> None:
        end = self.now + span
        while self.now < end:
            before = self.now
            self.now = min(self.now + every, end)
            hours = (self.now - before) / timedelta(hours=1)
            for lamp in self.wiring.site.lamps.values():
                stem = f"lamp.{lamp.address}"
                if self.held.get((lamp.device, f"{stem}.level"), 0.0) > 0:
                    self.held[lamp.device, f"{stem}.energy"] += self.held[lamp.device, f"{stem}.power"] * hours / 1000
                    self.held[lamp.device, f"{stem}.burning"] += hours
            self.poll()


def records(field: Field, kind: str, night: str | None = None) -> list[Record]:
    """What closed nights left, in order."""
    found = [record for step in field.steps for record in step.journal.records]
    return [each for each in found if each.kind == kind and night in (None, each.night)]


def proof(field: Field, group: str, night: str) -> dict[str, Any]:
    """The latest proof of a group's night."""
    found = [each for each in records(field, "proof", night) if each.target == f"group/{group}"]
    page = json.loads(found[-1].payload)
    assert isinstance(page, dict)
    return page


def accounts(field: Field, night: str) -> dict[str, dict[str, Any]]:
    """What everything used in a night, by ``kind/id``."""
    page = json.loads(records(field, "accounts", night)[-1].payload)
    return {key: dict(zip(page["columns"], row, strict=True)) for key, row in page["rows"].items()}
