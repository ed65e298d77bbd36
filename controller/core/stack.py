"""The stack of wishes behind one output, as the state topics tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from controller.core.arbitration import PriorityArray


def rfc3339(at: datetime) -> str:
    """An instant as RFC 3339 in UTC, to the millisecond where it has one."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def why(array: PriorityArray) -> list[Mapping[str, object]]:
    """The whole stack of wishes, the winner first."""
    stack: list[Mapping[str, object]] = []
    for slot in array.slots:
        entry: dict[str, object] = {
            "priority": int(slot.priority),
            "source": slot.source.value,
            "value": slot.value,
        }
        if slot.allure is not None:
            entry["allure"] = slot.allure
        entry["reason"] = slot.reason
        entry["until"] = None if slot.until is None else rfc3339(slot.until)
        stack.append(entry)
    return stack
