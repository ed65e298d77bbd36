"""A domestic hot water tank with its own electric heater and a nightly programme against legionella."""

from __future__ import annotations

from dataclasses import dataclass

PROGRAMME_HOUR, PROGRAMME_END = 2.0, 4.5


@dataclass(slots=True)
class HotWaterTank:
    """300 L; temperatures in degrees C. ``programme`` False: the nightly heating-up does not happen."""

    water_j_k: float = 1_256_000.0
    heater_w: float = 9_000.0
    loss_w_k: float = 6.0
    storage_c: float = 57.0
    normal_c: float = 56.0
    disinfection_c: float = 64.0
    programme: bool = True
    heating: bool = False
    energy_kwh: float = 0.0
    drawn_w: float = 2_500.0
    """While all people are in."""

    @property
    def return_c(self) -> float:
        """What comes back from the distribution."""
        return self.storage_c - 3.5

    def step(self, dt_s: float, hour: float, occupied: float) -> None:
        """Advance by ``dt_s``; ``hour`` of the local day, ``occupied`` 0-1 is the share of people that are in."""
        disinfects = self.programme and PROGRAMME_HOUR <= hour < PROGRAMME_END
        goal_c = self.disinfection_c if disinfects else self.normal_c
        if self.storage_c < goal_c - 1.0:
            self.heating = True
        elif self.storage_c > goal_c + 1.0:
            self.heating = False
        heat_w = self.heater_w if self.heating else 0.0
        lost_w = self.loss_w_k * (self.storage_c - 18.0) + self.drawn_w * occupied
        self.storage_c += (heat_w - lost_w) * dt_s / self.water_j_k
        self.energy_kwh += heat_w * dt_s / 3.6e6
