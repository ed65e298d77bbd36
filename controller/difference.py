"""What a reload changes, in words: the difference between two sites, part by part."""

from __future__ import annotations

from collections.abc import Mapping

from config.site import Site

_PARTS = (
    "buses", "devices", "calendars", "plans", "groups", "lamps", "segments", "cabinets", "meters", "buildings", "zones",
    "photocells", "presence_sensors", "derogations", "signals",
)  # fmt: skip
_SHOWN = 5


def difference(old: Site, new: Site) -> dict[str, str]:
    """``{"lamps": "+2 (l-007, l-008) -1 (l-001)", ...}``; empty when nothing changed."""
    found = {part: _part(getattr(old, part), getattr(new, part)) for part in _PARTS}
    if (old.name, old.country) != (new.name, new.country):
        found["site"] = "changed"
    for name in ("place", "mqtt", "timing", "overrides"):
        if getattr(old, name) != getattr(new, name):
            found[name] = "changed"
    return {part: words for part, words in found.items() if words}


def _part(old: Mapping[str, object], new: Mapping[str, object]) -> str:
    added = [key for key in new if key not in old]
    removed = [key for key in old if key not in new]
    changed = [key for key in new if key in old and _differ(old[key], new[key])]
    return " ".join(
        f"{sign}{len(keys)} ({_shown(keys)})"
        for sign, keys in zip("+-~", (added, removed, changed), strict=True)
        if keys
    )


def _differ(old: object, new: object) -> bool:
    """Plans and occupancies are equal by identity only, and a reload builds new ones: their words decide."""
    return old != new and repr(old) != repr(new)


def _shown(keys: list[str]) -> str:
    return ", ".join(keys[:_SHOWN]) + (", ..." if len(keys) > _SHOWN else "")
