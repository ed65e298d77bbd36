"""The rules that a rehearsal is judged by, watched at every step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from config.buildings import LEGAL_CAPS_C
from config.site import Building, LawGuard, Zone
from controller.cli.rehearse.diary import Diary
from controller.rehearsal import Rehearsal
from schedules.allures import Allure, evaluate

WARM_SHARE = 0.95
"""So many of a zone's openings must be met: the first mornings of a learning zone are not held against it."""
_TOLERANCE_C = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule: held or broken, and where it broke first."""

    rule: str
    held: bool
    detail: str


class Watch:
    """Never below frost, and no more than the law: looked at step by step."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._site = rehearsal.wiring.site
        self._cold: tuple[datetime, str, float, float] | None = None
        self._above: tuple[datetime, str, float, float] | None = None

    def look(self) -> None:
        """The step that the rehearsal has just made."""
        for zone in self._site.zones.values():
            measured = self._rehearsal.value(zone.device, f"zone.{zone.number}.temperature")
            if measured is not None and measured < zone.frost_below_c and self._cold is None:
                self._cold = (self._rehearsal.now, f"zone/{zone.id}", measured, zone.frost_below_c)
        for building in self._site.buildings.values():
            if building.law is not LawGuard.OFF and self._above is None:
                self._judge_law(building)

    def verdicts(self, diary: Diary) -> list[Verdict]:
        """All rules at the end."""
        zone = self._site.place.zone
        return [
            Verdict("never below frost", self._cold is None, _where(self._cold, zone, "it is", "frost begins at")),
            Verdict("legal caps", self._above is None, _where(self._above, zone, "setpoints mean", "the law allows")),
            *(_warm(name, diary) for name in self._site.zones),
        ]

    def _judge_law(self, building: Building) -> None:
        """The law counts the average over the building, and lets a preheat reach the comfort before the opening."""
        zones = [self._site.zones[name] for name in building.zones]
        asked = [
            (setpoint, self._cap_c(zone))
            for zone in zones
            if (setpoint := self._rehearsal.value(zone.device, f"zone.{zone.number}.setpoint")) is not None
        ]
        if not asked:
            return
        mean, cap = (sum(column) / len(asked) for column in zip(*asked, strict=True))
        if mean > cap + _TOLERANCE_C:
            self._above = (self._rehearsal.now, f"building/{building.id}", mean, cap)

    def _cap_c(self, zone: Zone) -> float:
        state = self._rehearsal.last.state
        key = f"zone/{zone.id}"
        if key in state.preheats or key in state.overrides:
            return LEGAL_CAPS_C[Allure.COMFORT.value]
        demand = evaluate(zone.occupancy, zone.setpoints, self._rehearsal.now)
        return LEGAL_CAPS_C.get(demand.allure.value, LEGAL_CAPS_C[Allure.FROST.value])


def _where(found: tuple[datetime, str, float, float] | None, zone: ZoneInfo, is_: str, limit: str) -> str:
    if found is None:
        return ""
    at, target, value, bound = found
    return f"{target} on {at.astimezone(zone):%a %Y-%m-%d %H:%M}: {is_} {value:.1f} degrees, {limit} {bound:.1f}"


def _warm(zone: str, diary: Diary) -> Verdict:
    openings = [opening for name, opening in diary.openings() if name == zone]
    met = sum(opening.met for opening in openings)
    held = met >= WARM_SHARE * len(openings)
    return Verdict(f"warm at the opening: zone/{zone}", held, f"{met} of {len(openings)} openings")
