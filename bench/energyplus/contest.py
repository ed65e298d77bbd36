"""One case under several leaders: the same model, climate and days, everything else equal."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyenergyplus.dataset import ashrae_models, ref_models, weather_files

from bench.energyplus.leaders import LEADERS
from bench.energyplus.plant import EnergyPlusPlant, Run
from bench.energyplus.tally import Outcome, Tally
from bench.energyplus.town import TEMPLATE, hours, site_of

GAS, HEATING_GAS, FANS = "NaturalGas:Facility", "Heating:NaturalGas", "Fans:Electricity"
MODELS: dict[str, str] = {**ref_models, **{f"ashrae_{name}": file for name, file in ashrae_models.items()}}
CLIMATES: dict[str, str] = dict(weather_files)


@dataclass(frozen=True, slots=True)
class Case:
    """A reference building in a climate, from one day to the end of another, open at ``opening``.

    Discomfort counts below ``comfort_c`` operative. ``template`` is the directory of the site with one zone.
    """

    model: str = "primary_school"
    weather: str = "usa_il_chicago"
    first: date = date(2023, 1, 8)
    last: date = date(2023, 1, 21)
    opening: str = "mon-fri 08:00-17:00"
    comfort_c: float = 20.0
    template: Path = TEMPLATE

    @property
    def title(self) -> str:
        """In one line."""
        return f"{self.model}, {self.weather}, {self.first:%a %d %b} to {self.last:%a %d %b}, open {self.opening}"


def outcome_of(case: Case, name: str) -> Outcome:
    """Run the case under the leader ``name`` of LEADERS. Raises EnergyPlusFault."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="veilleuse-energyplus-") as folder:
        run = Run(Path(MODELS[case.model]), Path(CLIMATES[case.weather]), case.first, case.last, Path(folder))
        with EnergyPlusPlant(run) as plant:
            weekly = hours(case.opening)
            site = site_of(plant.found, plant.station, weekly, case.template)
            leader = LEADERS[name](plant, site)
            tally = Tally(weekly, case.comfort_c, plant.step_s)
            numbers = range(1, len(plant.found.zones) + 1)
            while plant.now < plant.end:
                leader.advance()
                air_c = [plant.air_c(number) for number in numbers]
                operative_c = [plant.operative_c(number) for number in numbers]
                tally.add(plant.now, air_c, operative_c, plant.outdoor_c, plant.energy_kwh[GAS])
            return Outcome(
                name, tally.days(), tuple(tally.samples), plant.energy_kwh[HEATING_GAS],
                plant.energy_kwh[FANS], time.monotonic() - began_s, leader.notes(),
            )  # fmt: skip
