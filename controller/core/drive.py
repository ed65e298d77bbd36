"""What a lamp is told: the level that was decided, times what the luminaire needs of it.

After TALQ's LampActuatorFunction: light level x virtual output x constant light output x maintenance factor. A type
that has none of them is told the level itself.
"""

from __future__ import annotations

from datetime import datetime

from config.site import Lamp, LampType, on_curve
from controller.core.state import Draft

_STEP = 0.5
"""Levels are told in steps of so many %: a curve of years must not rewrite the lamps every night."""


def told_level(draft: Draft, lamp: Lamp, level: float) -> float:
    """The level (%) for the gear, never below what the lamp can hold; 0 stays 0."""
    if level <= 0.0:
        return 0.0
    kind = lamp.type
    if is_plain(kind):
        return max(level, kind.min_level)
    told = round(level * _share(draft, lamp) / _STEP) * _STEP
    return min(100.0, max(told, kind.min_level, _STEP))


def is_plain(kind: LampType) -> bool:
    """Whether the type is told every level as it is."""
    return kind.virtual_output == 100.0 and (not kind.clo or kind.clo_by_gear) and kind.upkeep is None


def expected_power_w(draft: Draft, lamp: Lamp, told: float) -> float:
    """Power (W) that the lamp should draw when it is told ``told`` (%): gear with a curve of its own draws less."""
    if lamp.type.clo and lamp.type.clo_by_gear:
        told *= on_curve(lamp.type.clo, light_source_h(draft, lamp)) / 100.0
    return lamp.type.expected_power_w(told)


def light_source_h(draft: Draft, lamp: Lamp) -> float:
    """Burning hours of the lamp's whole life: its node's own counter, else what it had and what we counted since."""
    counter = f"lamp/{lamp.id}/burning_h"
    by_node = draft.counters.get(f"{counter}@device")
    return by_node if by_node is not None else lamp.burnt_h + (draft.counters.get(counter) or 0.0)


def reasons(draft: Draft, lamp: Lamp) -> list[str]:
    """Why the lamp is told another level than was decided, in words; empty when it is told the same."""
    kind, found = lamp.type, []
    if kind.virtual_output < 100.0:
        found.append(f"virtual output {kind.virtual_output:g} %")
    if kind.clo and not kind.clo_by_gear:
        hours = light_source_h(draft, lamp)
        found.append(f"constant light output {on_curve(kind.clo, hours):.1f} % at {hours:.0f} h")
    if kind.upkeep is not None:
        found.append(f"maintenance factor {100.0 * _upkeep(lamp, draft.now):.1f} %")
    return found


def _share(draft: Draft, lamp: Lamp) -> float:
    kind = lamp.type
    share = kind.virtual_output / 100.0
    if kind.clo and not kind.clo_by_gear:
        share *= on_curve(kind.clo, light_source_h(draft, lamp)) / 100.0
    return share * _upkeep(lamp, draft.now)


def _upkeep(lamp: Lamp, now: datetime) -> float:
    """From the factor on the day of the cleaning to 1 when the next one is due; 1 where nobody knows the day."""
    upkeep = lamp.type.upkeep
    if upkeep is None or lamp.cleaned is None:
        return 1.0
    since = (now.date() - lamp.cleaned).total_seconds()
    grown = min(1.0, max(0.0, since / upkeep.every.total_seconds()))
    return (upkeep.factor + (100.0 - upkeep.factor) * grown) / 100.0
