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

    @property
    def thorough(self) -> tuple[float, int]:
        """The seconds of a window and the rounds where the daemon does its whole job: a minute is one of its turns."""
        return self.window_s or (15.0 if self.quick else 60.0), self.rounds or (1 if self.quick else 2)
