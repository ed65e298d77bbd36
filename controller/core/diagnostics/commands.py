"""What is commanded of a zone or a heat generator and does not get there: refused, or written and not shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.state import Draft, Output, WriteState
from controller.core.wiring import Kind, Wiring

_SCOPE = frozenset({"commandFailure"})
_FAILED = (WriteState.REJECTED, WriteState.NO_FEEDBACK)
_TARGETS: Mapping[str, tuple[Kind, ...]] = {
    "zone": (Kind.ZONE, Kind.MODE),
    "building": (Kind.SUPPLY, Kind.BOILER, Kind.PUMP, Kind.BACKUP),
}


def judge(wiring: Wiring, draft: Draft, key: str) -> None:
    """The alarm ``commandFailure`` of a zone or a building: one for all of its points."""
    failed = list(_failed(wiring, draft, key))
    settle(wiring, draft, key, _SCOPE, [_alarm(wiring, failed)] if failed else [])


def _failed(wiring: Wiring, draft: Draft, key: str) -> Iterator[tuple[str, Output]]:
    kind, _, identity = key.partition("/")
    for each in _TARGETS[kind]:
        target, output = wiring.targets.get(f"{each}/{identity}"), draft.outputs.get(f"{each}/{identity}")
        if target is not None and output is not None and output.write in _FAILED:
            yield target.command, output


def _alarm(wiring: Wiring, failed: list[tuple[str, Output]]) -> Condition:
    words = "; ".join(f"{point} {output.write.value}: {output.detail or 'no reason given'}" for point, output in failed)
    return condition(wiring.site.timing, "commandFailure", detail=words)
