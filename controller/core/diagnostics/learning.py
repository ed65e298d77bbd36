"""What a phase usually draws against its data sheet, by situation: the median of the last nights, bounded in number.

A night counts with its mean, so that a market's lights on three evenings move nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from statistics import median

from controller.core.state import Draft
from controller.core.traces import PhaseTrace

NIGHTS = 14
ENOUGH = 3
"""From so many nights on, a median is trusted."""
_LEAST_SAMPLES = 5
_SITUATIONS = 24
"""Kept for each phase; that of long ago goes first."""


def with_sample(trace: PhaseTrace, situation: str, value: float) -> PhaseTrace:
    """The trace after one more sample of tonight."""
    total, count = trace.tonight.get(situation, (0.0, 0))
    return replace(trace, tonight={**trace.tonight, situation: (total + value, count + 1)})


def rolled(draft: Draft, key: str, trace: PhaseTrace, night: date) -> PhaseTrace:
    """The trace in ``night``: a night that is over joins the last ones, and what is known of them the journal."""
    if trace.night == night:
        return trace
    nights = dict(trace.nights)
    for situation, (total, count) in trace.tonight.items():
        if count < _LEAST_SAMPLES:
            continue
        known = nights.pop(situation, None) or _saved(draft, key, situation)
        nights[situation] = (*known, total / count)[-NIGHTS:]
        _save(draft, key, situation, nights[situation])
    for situation in list(nights)[:-_SITUATIONS]:
        del nights[situation]
    return replace(trace, night=night, tonight={}, nights=nights)


def usual(draft: Draft, key: str, trace: PhaseTrace, situation: str) -> float | None:
    """The ratio of a situation, or of one next to it; None before there were enough nights."""
    for each in (situation, *_next_to(situation)):
        nights = trace.nights.get(each) or _saved(draft, key, each)
        if len(nights) >= ENOUGH:
            return median(nights)
    return None


def sure_load_w(draft: Draft, key: str, trace: PhaseTrace, situation: str) -> float:
    """What the cabinet draws for certain: nothing before there were enough nights, a stall may stand beside it."""
    nights = trace.nights.get(situation) or _saved(draft, key, situation)
    return median(nights) if len(nights) >= ENOUGH else 0.0


def own_load_w(draft: Draft, key: str, trace: PhaseTrace, situation: str) -> float:
    """What the cabinet draws when no lamp is lit; 0 before anybody has seen that."""
    nights = trace.nights.get(situation) or _saved(draft, key, situation)
    if nights:
        return median(nights)
    total, count = trace.tonight.get(situation, (0.0, 0))
    return total / count if count else 0.0


def situation_of(inventory: str, state: str, level_bin: int, volt_bin: int) -> str:
    """The name of a situation; its neighbours differ by one bin of level or voltage."""
    return f"{inventory}/{state}/{level_bin}/{volt_bin}"


def _next_to(situation: str) -> Iterator[str]:
    head, level_bin, volt_bin = situation.rsplit("/", 2)
    for level_step, volt_step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        yield f"{head}/{int(level_bin) + level_step}/{int(volt_bin) + volt_step}"


def _saved(draft: Draft, key: str, situation: str) -> tuple[float, ...]:
    """What an earlier run has learnt: its median as so many nights."""
    ratio, count = draft.counters.get(f"{key}/usual/{situation}"), draft.counters.get(f"{key}/nights/{situation}")
    return () if ratio is None or count is None else (ratio,) * int(count)


def _save(draft: Draft, key: str, situation: str, nights: tuple[float, ...]) -> None:
    for name, value in (("usual", median(nights)), ("nights", float(len(nights)))):
        draft.counters[f"{key}/{name}/{situation}"] = value
        draft.journal_counters[f"{key}/{name}/{situation}"] = value
