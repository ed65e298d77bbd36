"""What is counted by times, and told once a night: relights of a group, detections of a presence sensor.

Counters as in ``counting``: absolute, journalled; ``accounts`` remembers where each stood as the night began.
"""

from __future__ import annotations

from config.site import Group
from controller.core.state import Draft
from controller.core.wiring import Wiring


def relights(group: str) -> str:
    """The counter of the relights by the policy of ``group``."""
    return f"group/{group}/relights"


def detections(sensor: str) -> str:
    """The counter of the detections of a presence sensor in the lit period of its lamps."""
    return f"presence/{sensor}/detections"


def count(draft: Draft, name: str) -> None:
    """Once more what ``name`` counts."""
    put(draft, name, (draft.counters.get(name) or 0.0) + 1.0)


def put(draft: Draft, name: str, value: float) -> None:
    """Set a counter; it survives a power cut."""
    draft.counters[name] = value
    draft.journal_counters[name] = value


def tonight(draft: Draft, name: str) -> int:
    """What a counter has gained in the night in progress."""
    return round((draft.counters.get(name) or 0.0) - (draft.noon.get(name) or 0.0))


def of_group(draft: Draft, group: Group) -> dict[str, object]:
    """What the account of a group's night says of its relights; nothing without a policy for them."""
    return {} if group.relight is None else {**_night(draft), "relights": tonight(draft, relights(group.id))}


def tell_presences(wiring: Wiring, draft: Draft) -> None:
    """Report the night of every presence sensor."""
    for sensor in wiring.site.presence_sensors:
        seen = tonight(draft, detections(sensor))
        draft.event("presence-night", f"presence/{sensor}", **_night(draft), detections=seen)


def _night(draft: Draft) -> dict[str, object]:
    return {} if draft.night is None else {"night": draft.night.isoformat()}
