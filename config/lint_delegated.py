"""What of a delegated zone's plan its controller has no room for: warnings, because the gateway supervises it then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from config.delegated import compile_plan
from config.site import Site
from config.tree.draft import Draft

_SHOWN = 3


def lint_delegated(draft: Draft, site: Site, today: date) -> None:
    """One warning a zone for the days of the coming year that do not fit, one for weekdays with too many changes."""
    for building in draft.written.buildings:
        for written in building.zones:
            zone = site.zones.get(f"{building.id}.{written.id}")
            if zone is None or zone.delegate is None or written.delegate is None:
                continue
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


def _of(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
