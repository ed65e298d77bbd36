"""Will it be warm when people come: ``notReady`` at a zone, ``plantDidNotStart`` at a building.

Both follow a forecast that is made anew every few minutes (controller.core.heating.forecast), so neither waits.
"""

from __future__ import annotations

from controller.core.diagnostics.alarms import follow
from controller.core.diagnostics.conditions import KINDS, Condition
from controller.core.state import Draft
from controller.core.wiring import Wiring


def stands(draft: Draft, identity: str, kind: str = "zone", event: str = "notReady") -> bool:
    """Whether the alarm is raised."""
    alarm = draft.alarms.get((f"{kind}/{identity}", event))
    return alarm is not None and alarm.raised is not None


def judge_zone(
    wiring: Wiring,
    draft: Draft,
    zone_id: str,
    holds: bool,
    expected_c: float | None = None,
    target_c: float | None = None,
    words: str = "",
) -> None:
    """The zone will not be warm at its opening, or is not although it is open."""
    severity = KINDS["notReady"].severity
    follow(wiring, draft, f"zone/{zone_id}", Condition("notReady", holds, severity, 0.0, expected_c, target_c, words))


def judge_building(wiring: Wiring, draft: Draft, building_id: str, words: str) -> None:
    """A preheat began, and nothing shows that the plant runs; ``words`` say when, empty where all is well."""
    kind = KINDS["plantDidNotStart"]
    condition = Condition("plantDidNotStart", bool(words), kind.severity, 0.0, detail=words)
    follow(wiring, draft, f"building/{building_id}", condition)
