"""What of a reference building can be commanded and measured, found in its model alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.energyplus.idf import Entry, Model, same

_GENERATORS = ("Boiler:HotWater", "DistrictHeating:Water")
_SETPOINT_NODE, _SUPPLY_BRANCHES = 4, 12
"""Fields of PlantLoop."""
_MANAGED_BY, _MANAGED_NODE = 2, 3
"""Fields of SetpointManager:Scheduled."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule by its class (``Schedule:Compact``) and name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class HotWaterLoop:
    """A heating loop: ``nodes`` are where its water is to have the supply temperature, the loop's own node first.

    ``schedule`` is what they all follow, if there is one that nothing else follows; ``pumps`` move the water.
    """

    name: str
    nodes: tuple[str, ...]
    schedule: Schedule | None
    pumps: tuple[str, ...]


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
        on_it = [] if branches is None else [model.named("Branch", name) for name in branches.fields[1:]]
        outlets = [node for branch in on_it for each in generators for node in _outlets(branch, each.name)]
        if outlets:
            nodes = (loop.get(_SETPOINT_NODE), *outlets)
            pumps = tuple(name for branch in on_it for name in _pumps(branch))
            return HotWaterLoop(loop.name, tuple(dict.fromkeys(nodes)), _schedule(model, nodes), pumps)
    return None


def _outlets(branch: Entry | None, component: str) -> Iterator[str]:
    """The node behind a component: on a branch stand class, name, inlet and outlet of each."""
    for index, word in enumerate(branch.fields if branch is not None else ()):
        if branch is not None and index > 0 and same(word, component):
            yield branch.get(index + 2)


def _pumps(branch: Entry | None) -> Iterator[str]:
    """On a branch a component's name follows its class."""
    fields = branch.fields if branch is not None else []
    for kind, name in pairwise(fields):
        if kind.lower().startswith(("pump:", "headeredpumps:")):
            yield name


def _schedule(model: Model, nodes: Sequence[str]) -> Schedule | None:
    managers = model.of("SetpointManager:Scheduled")
    ours = [each for each in managers if any(same(each.get(_MANAGED_NODE), node) for node in nodes)]
    names = {each.get(_MANAGED_BY).lower() for each in ours}
    if not any(same(each.get(_MANAGED_NODE), nodes[0]) for each in ours) or len(names) != 1:
        return None
    (name,) = names
    others = [each for each in managers if each not in ours and same(each.get(_MANAGED_BY), name)]
    found = next((each for each in model.entries if _is_schedule(each) and same(each.name, name)), None)
    return None if others or found is None else Schedule(found.kind, found.name)


def _is_schedule(entry: Entry) -> bool:
    return entry.kind.lower() in ("schedule:compact", "schedule:constant", "schedule:year", "schedule:file")
