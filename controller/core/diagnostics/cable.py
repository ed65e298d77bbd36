"""A cable that is cut or stolen while its lamps burn: their power goes at one stroke, the voltage stays.

TALQ has no event for it; ``cableFailure`` is ours. Three lamps do not fail within one poll.
"""

from __future__ import annotations

from collections.abc import Sequence

from config.site import Lamp
from controller.core.diagnostics.estimate import Sample
from controller.core.diagnostics.lamps import points_of
from controller.core.image import NOTHING_HEARD
from controller.core.loads import PhaseLoad
from controller.core.state import Draft
from controller.core.traces import Cut, Reading
from controller.core.wiring import Wiring

KEPT = 3
"""Readings needed: before, after, and once more after, so that one bad reading is no cut."""
_LEAST_LAMPS = 2.5
"""Three, with their spread."""
_STAYS_OUT = 2.0
"""So many must be missing afterwards: what a stranger unplugs is no cut."""
_LEAST_W, _LEAST_SHARE, _SAME_VOLTS = 10.0, 0.02, 0.03


def fallen_w(readings: Sequence[Reading]) -> float:
    """By how much the power fell at one stroke and stayed so, at the same voltage; 0 when it did not."""
    if len(readings) < KEPT:
        return 0.0
    (_, before_w, before_v), *after = readings[-KEPT:]
    fell = before_w - max(watts for _, watts, _ in after)
    steady = all(abs(volts - before_v) <= _SAME_VOLTS * before_v for _, _, volts in after)
    return fell if steady and fell >= max(_LEAST_W, _LEAST_SHARE * before_w) else 0.0


def cut_of(
    wiring: Wiring, draft: Draft, load: PhaseLoad, sample: Sample, fell: float, base_w: float, usual: float | None
) -> Cut | None:
    """The cut that a fall of the power means, None when it means none."""
    after = sample.ratio(base_w)
    before = after + fell / sample.lit_w
    lamps = sample.lit * fell / (sample.lit_w * before) if before > 0.0 else 0.0
    if lamps < _LEAST_LAMPS or after > (usual or 1.0) * (1.0 - _STAYS_OUT / sample.lit):
        return None
    if any(_loop_open(wiring, draft, segment) for segment in sample.fed_segments):
        return None
    there = min(before, usual or 1.0)  # what drew more than the lamps can was somebody else's
    return Cut(_place(wiring, draft, load, sample), fell / sample.lit_w, there, lamps)


def mended(cut: Cut, sample: Sample, base_w: float, usual: float | None) -> bool:
    """Whether most of what the cut took is back, or nothing is missing of what is usual: it was a stranger's load."""
    ratio = sample.ratio(base_w)
    if ratio > cut.before - cut.share / 2.0:
        return True
    return usual is not None and ratio > usual * (1.0 - _STAYS_OUT / sample.lit)


def _loop_open(wiring: Wiring, draft: Draft, segment_id: str) -> bool:
    segment = wiring.site.segments[segment_id]
    image = draft.image.get(segment.device) or NOTHING_HEARD
    return image.value(f"segment.{segment.output}.loop") == 1.0


def _place(wiring: Wiring, draft: Draft, load: PhaseLoad, sample: Sample) -> str:
    """The contactor behind which it was, where that is known: the only one closed, or the only one with mute nodes."""
    closed = sample.fed_segments
    if len(closed) > 1:
        closed = tuple(dict.fromkeys(lamp.segment for lamp in load.lamps if _is_mute(draft, lamp) and lamp.segment))
    return f"segment/{closed[0]}" if len(closed) == 1 else f"cabinet/{load.cabinet}"


def _is_mute(draft: Draft, lamp: Lamp) -> bool:
    image = draft.image.get(lamp.device) or NOTHING_HEARD
    return lamp.address is not None and image.value(points_of(lamp.address).silent) == 1.0
