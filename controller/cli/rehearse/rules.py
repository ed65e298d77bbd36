"""The rules that a rehearsal is judged by, watched at every step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from config.site import Building, LawGuard, Zone
from controller.cli.rehearse.diary import Diary
from controller.core.heating import law
from controller.core.state import Draft
from controller.rehearsal import Rehearsal

WARM_SHARE = 0.95
"""So many of a zone's openings must be met: the first mornings of a learning zone are not held against it."""


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
        """By the law guard's own reading, on the setpoints that the controllers hold."""
        rehearsal = self._rehearsal
        draft = Draft(rehearsal.last.state, rehearsal.now)

        def held_c(zone: Zone) -> float | None:
            return rehearsal.value(zone.device, f"zone.{zone.number}.setpoint")

        found = law.averages(rehearsal.wiring, draft, building, held_c)
        if found.exceeds:
            self._above = (rehearsal.now, f"building/{building.id}", found.value_c, found.allowed_c)


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
