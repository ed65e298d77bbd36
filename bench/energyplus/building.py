"""What of a reference building can be commanded and measured, found in its model alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bench.energyplus.idf import Entry, Model, same

_GENERATORS = ("Boiler:HotWater", "DistrictHeating:Water")
_SETPOINT_NODE, _SUPPLY_BRANCHES = 4, 12
"""Fields of PlantLoop."""
OWN_SCHEDULE = "veilleuse supply setpoint"


@dataclass(frozen=True, slots=True)
class HotWaterLoop:
    """A heating loop: its setpoint node, and the schedule that its setpoint follows (empty: something cleverer)."""

    name: str
    setpoint_node: str
    setpoint_schedule: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """The zones with a thermostat in the order of the model, and the loop of the boiler, where there is one."""

    zones: tuple[str, ...]
    loop: HotWaterLoop | None
    steps_per_hour: int

    @property
    def step_s(self) -> float:
        """One zone time step."""
        return 3600.0 / self.steps_per_hour


def commanded_in(model: Model) -> Commanded:
    """Of several heating loops the first one counts."""
    return Commanded(tuple(model.heated_zones), _loop(model), model.steps_per_hour)


def _loop(model: Model) -> HotWaterLoop | None:
    generators = model.of(*_GENERATORS)
    for loop in model.of("PlantLoop"):
        branches = model.named("BranchList", loop.get(_SUPPLY_BRANCHES))
        if branches is None:
            continue
        on_it = [model.named("Branch", name) for name in branches.fields[1:]]
        if any(_has(branch, each.name) for branch in on_it for each in generators):
            node = loop.get(_SETPOINT_NODE)
            return HotWaterLoop(loop.name, node, _schedule_of(model, node))
    return None


def _has(branch: Entry | None, component: str) -> bool:
    return branch is not None and any(same(word, component) for word in branch.fields[1:])


def _schedule_of(model: Model, node: str) -> str:
    """The schedule of the loop's setpoint where nothing else follows it too."""
    for manager in model.of("SetpointManager:Scheduled"):
        if same(manager.get(3), node):
            return manager.get(2)
    return ""
