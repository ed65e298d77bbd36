"""One contactor: whether it follows, whether a hand has it, and whether its cable still leads to its lamps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from config.site import Segment
from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.diagnostics.feeding import by_hand, fed_since, fresh, note, powered
from controller.core.diagnostics.lamps import points_of
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.state import Draft, Output, WriteState
from controller.core.wiring import Wiring

_SCOPE = frozenset({
    "circuitBreakerTripped", "switchingErrorOn", "switchingErrorOff", "localOverride", "cableFailure", "supplyLoss",
})  # fmt: skip
_FEWEST = 2
"""One silent node is that node's own fault; all of several are their segment's."""


def judge(wiring: Wiring, draft: Draft, segment_id: str, image: DeviceImage) -> None:
    """Judge one contactor while its auxiliary contact is read."""
    segment = wiring.site.segments[segment_id]
    stem = f"segment.{segment.output}"
    feedback = fresh(wiring, draft, segment.device, image, f"{stem}.feedback")
    if draft.outputs.get(f"segment/{segment_id}") is None or feedback is None or not image.online:
        return
    fed = feedback == 1.0 and image.value(f"{stem}.breaker") != 1.0
    note(draft, f"segment/{segment_id}", fed)
    holding = [
        *_breaker(wiring, image, stem),
        *_switching(wiring, draft, segment, image, feedback),
        *_cable(wiring, draft, segment, image),
    ]
    unjudged = set() if fed else {"supplyLoss"}
    if fed and _deserted(wiring, draft, segment):
        holding.append(condition(wiring.site.timing, "supplyLoss", detail="none of its nodes answers"))
    settle(wiring, draft, f"segment/{segment_id}", _SCOPE, holding, frozenset(unjudged))


def _breaker(wiring: Wiring, image: DeviceImage, stem: str) -> Iterator[Condition]:
    if image.value(f"{stem}.breaker") == 1.0:
        yield condition(wiring.site.timing, "circuitBreakerTripped")


def _switching(
    wiring: Wiring, draft: Draft, segment: Segment, image: DeviceImage, feedback: float
) -> Iterator[Condition]:
    """Its auxiliary contact against its command; no error while the command waits for its turn, or a hand has it."""
    output = draft.outputs.get(f"segment/{segment.id}")
    if output is None:
        return
    closed = (output.slots[0][1] or 0.0) > 0.0
    if closed is (feedback == 1.0):
        return
    if by_hand(image, f"segment.{segment.output}.feedback"):
        position = "ON" if feedback == 1.0 else "OFF"
        yield condition(wiring.site.timing, "localOverride", feedback, float(closed), position)
    elif _was_told(output):
        event = "switchingErrorOff" if closed else "switchingErrorOn"
        yield condition(wiring.site.timing, event, feedback, float(closed))


def _was_told(output: Output) -> bool:
    """Whether the command has left: not while it waits for its turn or its least time, nor where it is refused."""
    if output.write is WriteState.APPLIED:
        return True
    return output.attempts > 0 and output.write is WriteState.NO_FEEDBACK


def _cable(wiring: Wiring, draft: Draft, segment: Segment, image: DeviceImage) -> Iterator[Condition]:
    """The monitoring loop opens, by day too, or lamps went at one stroke (cable.py)."""
    if image.value(f"segment.{segment.output}.loop") == 1.0:
        yield condition(wiring.site.timing, "cableFailure", detail="the monitoring loop of the cable is open")
        return
    for load in wiring.loads.get(segment.cabinet, ()):
        trace = draft.phases.get(load.key)
        if trace is not None and trace.cut is not None and trace.cut.place == f"segment/{segment.id}":
            lamps = trace.cut.lamps
            yield condition(wiring.site.timing, "cableFailure", lamps, detail=f"about {lamps:.0f} lamps at one stroke")


def _deserted(wiring: Wiring, draft: Draft, segment: Segment) -> bool:
    """Whether its lamps have mains for long enough, and yet not one of their nodes answers."""
    nodes = 0
    for lamp_id in wiring.lamps_of_segment.get(segment.id, ()):
        lamp = wiring.site.lamps[lamp_id]
        if lamp.address is None:
            continue
        image = draft.image.get(lamp.device) or NOTHING_HEARD
        if image.value(points_of(lamp.address).silent) != 1.0 or not powered(wiring, draft, lamp):
            return False
        since = fed_since(wiring, draft, lamp)
        if since is None or draft.now - since < timedelta(seconds=wiring.site.timing.settle_s):
            return False
        nodes += 1
    return nodes >= _FEWEST
