"""What of a delegated zone's plan its controller does not hold: warnings, because only the gateway sees to it then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from config.buildings import LawGuard, Zone
from config.delegated import compile_plan
from config.site import Site
from config.tree.draft import Draft
from schedules import legal_temperatures

_SHOWN = 3


def lint_delegated(draft: Draft, site: Site, today: date) -> None:
    """One warning a zone for days of the coming year that do not fit, one for weekdays too full, one for a clamp."""
    for building in draft.written.buildings:
        for written in building.zones:
            zone = site.zones.get(f"{building.id}.{written.id}")
            if zone is None or zone.delegate is None or written.delegate is None:
                continue
            above = _above_the_law(zone)
            if above and site.buildings[building.id].law is LawGuard.CLAMP:
                draft.warning(
                    written.delegate.where("schedule"),
                    f"law: clamp is not compiled into {zone.delegate.schedule}, which keeps the plan as written"
                    f" ({', '.join(above)}): the gateway clamps it in slot 13, without the gateway nobody does",
                )
            compiled = compile_plan(zone, zone.delegate, today)
            if compiled.left_out:
                draft.warning(
                    written.delegate.where("schedule"),
                    f"scheduleCapacity: {_of(len(compiled.left_out), 'day')} of the coming year do not fit into"
                    f" {_of(zone.delegate.exceptions, 'exception')}; the gateway supervises them, without it they are"
                    f" as the ordinary week: {_some([str(each) for each in compiled.left_out])}",
                )
            if compiled.simplified:
                draft.warning(
                    written.delegate.where("schedule"),
                    f"scheduleCapacity: {zone.delegate.entries_per_day} entries are too few on"
                    f" {', '.join(compiled.simplified)}: the shortest breaks stay warm without the gateway",
                )


def _above_the_law(zone: Zone) -> list[str]:
    """The setpoints that a clamp may lower: it never takes one below what the law allows."""
    setpoints = {allure: getattr(zone.setpoints, allure) for allure in legal_temperatures.CAPS_C}
    return [f"{allure} {value:g}" for allure, value in setpoints.items() if value > legal_temperatures.CAPS_C[allure]]


def _of(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
