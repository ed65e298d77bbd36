"""How soon a write that did not take is tried again: quickly, or slowly where a device keeps a value of its own."""

from __future__ import annotations

from config.site import Timing
from controller.core.state import Kept, Output, Slots, WriteState
from controller.core.wiring import Kind, Target
from drivers.api import Outcome, Reading, WriteResult

_BACKOFF_CAP_S = 20.0
_REJECTED_RETRY_S = 60.0
_QUICK_TRIES = 4
_NEVER_SLOWLY = frozenset({Kind.LAMP, Kind.SEGMENT})
"""Light that is missing is missed at once, and a node's register does not wear out."""


def same(held: float | None, wanted: float | None, tolerance: float) -> bool:
    """Whether a slot holds what it shall; None: nothing."""
    if held is None or wanted is None:
        return held is wanted
    return abs(held - wanted) <= tolerance


def kept_after(target: Target, output: Output, result: WriteResult) -> Kept | None:
    """What the device keeps in place of what was written to it, and since which attempt; None: nobody can say."""
    if result.outcome is not Outcome.NO_FEEDBACK or result.observed is None or target.kind in _NEVER_SLOWLY:
        return None
    shown = _shown(target, output.slots, result.observed)
    if output.kept is not None and _alike(target, output.kept.values, shown):
        return output.kept
    return Kept(shown, output.attempts)


def wait_s(timing: Timing, failed: Output) -> float:
    """How long after this failure it is written again, in seconds of the site's clock."""
    if _settled(failed):
        return timing.reassert_s
    if failed.write is WriteState.REJECTED:
        return _REJECTED_RETRY_S * timing.speed
    return min(_BACKOFF_CAP_S, 2.0 ** min(failed.attempts, 6)) * timing.speed


def stirred(target: Target, output: Output, reading: Reading) -> Output:
    """The output, to be pursued quickly anew where the device no longer shows what it kept."""
    if output.kept is None or not _settled(output):
        return output
    if _alike(target, output.kept.values, _shown(target, output.slots, reading)):
        return output
    return output._replace(kept=None, attempts=0, not_before=None)


def _settled(output: Output) -> bool:
    """A device that rounds or bounds what it is given gives the same answer for ever, and its memory wears out."""
    return output.kept is not None and output.attempts - output.kept.since_attempt >= _QUICK_TRIES - 1


def _shown(target: Target, slots: Slots, reading: Reading) -> tuple[float | None, ...]:
    if not target.prioritised or not reading.slots:
        return (reading.value,)
    held = dict(reading.slots)
    return tuple(held.get(priority) for priority, _ in slots)


def _alike(target: Target, before: tuple[float | None, ...], after: tuple[float | None, ...]) -> bool:
    return len(before) == len(after) and all(same(a, b, target.tolerance) for a, b in zip(before, after, strict=True))
