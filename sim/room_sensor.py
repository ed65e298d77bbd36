"""What a room sensor shows of the room's temperature: the truth, until it drifts, freezes or jumps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RoomSensor:
    """``drift_k_h`` K more each hour, ``jump_k`` K more at once; ``frozen_c`` is shown whatever the room does."""

    drift_k_h: float = 0.0
    jump_k: float = 0.0
    frozen_c: float | None = None
    drifted_k: float = 0.0

    def step(self, dt_s: float) -> None:
        """Drift on."""
        self.drifted_k += self.drift_k_h * dt_s / 3600.0

    def shown_c(self, temperature_c: float) -> float:
        """What is read of it while the room has ``temperature_c``."""
        return temperature_c + self.drifted_k + self.jump_k if self.frozen_c is None else self.frozen_c
