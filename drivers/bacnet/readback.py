"""What became of an acknowledged write, judged from what the device shows afterwards. Pure."""

from __future__ import annotations

import math

from drivers.api import RELINQUISH, Fault, Outcome, Reading, Write, WriteResult


def same(a: float, b: float) -> bool:
    """Equal as far as a single-precision REAL can tell."""
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)


def plain(write: Write, written: float, seen: Reading | Fault) -> WriteResult:
    """A point without a priority array, to which ``written`` was written."""
    if isinstance(seen, Fault):
        return WriteResult(write, Outcome.NO_FEEDBACK, seen.at, detail=seen.cause)
    if same(seen.value, written):
        return WriteResult(write, Outcome.APPLIED, seen.at, seen)
    return WriteResult(write, Outcome.NO_FEEDBACK, seen.at, seen, detail=f"the value is {seen.value:g}")


def commanded(write: Write, seen: Reading | Fault, *, has_array: bool) -> WriteResult:
    """A slot of a priority array that was written or relinquished; ``has_array``: the array could be read."""
    if isinstance(seen, Fault):
        return WriteResult(write, Outcome.NO_FEEDBACK, seen.at, detail=seen.cause)
    if write.value is RELINQUISH:
        return _relinquished(write, seen, has_array=has_array)
    return _written(write, write.value, seen, has_array=has_array)


def _relinquished(write: Write, seen: Reading, *, has_array: bool) -> WriteResult:
    if not has_array:
        return WriteResult(write, Outcome.NO_FEEDBACK, seen.at, seen, detail="the device shows no priority array")
    held = dict(seen.slots).get(write.priority)
    if held is None:
        return WriteResult(write, Outcome.APPLIED, seen.at, seen)
    detail = f"priority {write.priority} still holds {held:g}"
    return WriteResult(write, Outcome.NO_FEEDBACK, seen.at, seen, detail=detail)


def _written(write: Write, value: float, seen: Reading, *, has_array: bool) -> WriteResult:
    agrees = same(seen.value, value)
    held = dict(seen.slots).get(write.priority)
    if has_array and (held is None or not same(held, value)):
        holds = "nothing" if held is None else f"{held:g}"
        detail = f"priority {write.priority} holds {holds}"
        return WriteResult(write, Outcome.NO_FEEDBACK, seen.at, seen, detail=detail)
    if agrees:
        return WriteResult(write, Outcome.APPLIED, seen.at, seen)
    masks = [p for p, other in seen.slots if p < write.priority and not same(other, value)]
    if masks:
        detail = f"priority {min(masks)} holds {dict(seen.slots)[min(masks)]:g}"
        return WriteResult(write, Outcome.MASKED, seen.at, seen, min(masks), detail)
    return WriteResult(write, Outcome.NO_FEEDBACK, seen.at, seen, detail=f"the value is {seen.value:g}")
