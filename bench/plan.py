"""How much is measured: what the command line asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """``None`` leaves a choice to the case."""

    quick: bool = False
    devices: tuple[int, ...] | None = None
    window_s: float | None = None
    rounds: int | None = None
    alone: bool = False
