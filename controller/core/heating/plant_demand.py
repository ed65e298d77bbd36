"""Which zones of a building want heat now, how much they lack, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.site import Building, Zone
from controller.core.arbitration import Slot, Source
from controller.core.heating import learning
from controller.core.heating.sensing import temperature
from controller.core.heating.zones import zone_array
from controller.core.rooms import PlantMemory
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules.allures import Allure

_COMFORT_K = (0.1, 0.4)
"""While people are in, or come soon, a zone asks for heat so far below its setpoint, until it is so far above."""
_ECONOMY_K = (0.3, 0.2)
_COLD_START_K = 1.0
"""A zone that lacks more while it is brought to comfort is being warmed up: the curve may be left behind."""
_PREHEAT_K = 3.0
_HANDS = (Source.FROST, Source.OVERRIDE, Source.BOOST)
"""What a person or the frost asks for is heated in summer too."""


@dataclass(frozen=True, slots=True)
class Want:
    """One zone: what it shall be, what it is (None: not known), and whether it wants heat."""

    zone: Zone
    wish: Slot
    measured_c: float | None
    calls: bool
    freezing: bool = False
    preheats: bool = False
    """Whether it is being preheated, and is neither warm yet nor held back."""

    @property
    def lacking_k(self) -> float | None:
        """K below the setpoint; negative above it. A preheat asks on to its end like a room that lacks much.

        A supply temperature that falls as the room comes near makes the last kelvin the longest, and hard to foresee.
        """
        if self.measured_c is None:
            return None
        lacking_k = self.wish.value - self.measured_c
        return max(lacking_k, _PREHEAT_K) if self.preheats else lacking_k

    @property
    def by_hand(self) -> bool:
        """Whether a person or the frost asks."""
        return self.freezing or self.wish.source in _HANDS

    @property
    def warms_up(self) -> bool:
        """Whether it freezes, or is far from the comfort that it is brought to."""
        lacking_k = self.lacking_k
        comfort = self.wish.allure == Allure.COMFORT.value
        return self.freezing or (comfort and lacking_k is not None and lacking_k > _COLD_START_K)


@dataclass(frozen=True, slots=True)
class Demand:
    """All zones of a building; ``calling`` are those whose wish for heat the generator has to follow."""

    calling: tuple[Want, ...]

    @property
    def lacking_k(self) -> float:
        """What the coldest of them lacks, 0 where none is known."""
        return max((want.lacking_k for want in self.calling if want.lacking_k is not None), default=0.0)

    @property
    def setback_k(self) -> float:
        """How far even the warmest wanted of them is below its comfort."""
        return min((max(0.0, want.zone.setpoints.comfort - want.wish.value) for want in self.calling), default=0.0)

    @property
    def warming(self) -> bool:
        """Whether one of them is warmed up from cold."""
        return any(want.warms_up for want in self.calling)

    def words(self) -> str:
        """The zone that asks the loudest, for a reason."""
        most = max(self.calling, key=lambda want: want.lacking_k or 0.0)
        name = most.zone.id.partition(".")[2]
        others = f", {len(self.calling) - 1} more" if len(self.calling) > 1 else ""
        if most.measured_c is None:
            return f"{name} wants {most.wish.value:g} degC, its temperature is not known{others}"
        return f"{name} at {most.measured_c:.1f} of {most.wish.value:g} degC{others}"


def demand(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory, *, cold: bool) -> Demand:
    """What the zones want. ``cold``: it freezes outside, or nobody knows; ``memory`` says who called before."""
    wants = _wants(wiring, draft, building, memory, cold=cold)
    return Demand(tuple(want for want in wants if want.calls and (not memory.summer or want.by_hand)))


def _wants(wiring: Wiring, draft: Draft, building: Building, memory: PlantMemory, *, cold: bool) -> Iterator[Want]:
    for zone_id in building.zones:
        zone = wiring.site.zones[zone_id]
        wish, measured_c = zone_array(wiring, draft, zone_id).winner, temperature(wiring, draft, zone)
        freezing = measured_c is not None and measured_c < zone.frost_below_c
        calls = freezing or _calls(wish, measured_c, zone_id in memory.calling, cold=cold)
        yield Want(zone, wish, measured_c, calls, freezing, _preheats(draft, zone, wish))


def _preheats(draft: Draft, zone: Zone, wish: Slot) -> bool:
    climb = learning.of(draft, zone.id).climb
    return wish.source is Source.OPTIMUM_START and climb is not None and climb.reached is None and not climb.holding


def _calls(wish: Slot, measured_c: float | None, called: bool, *, cold: bool) -> bool:
    comfort = wish.allure == Allure.COMFORT.value
    if measured_c is None:
        return comfort or cold
    below_k, above_k = _COMFORT_K if comfort else _ECONOMY_K
    lacking_k = wish.value - measured_c
    return lacking_k > below_k or (called and lacking_k > -above_k)
