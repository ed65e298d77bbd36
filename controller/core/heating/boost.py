"""Warmth on demand outside the hours, with an end: granted by the zone's policy, counted, kept over a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.site import BoostPolicy, Zone
from controller.core import tallies
from controller.core.arbitration import Slot, Source
from controller.core.commands import Command
from controller.core.dynamic import BOOST
from controller.core.journal import Override
from controller.core.state import Draft
from controller.core.wiring import Wiring
from schedules.allures import Allure


@dataclass(frozen=True, slots=True)
class Grant:
    """What a policy gives: degrees C, its end, and what was cut down."""

    value_c: float
    until: datetime
    note: str = ""


def judge(wiring: Wiring, draft: Draft, key: str, command: Command) -> Grant | str:
    """What a boost of ``zone/<id>`` may be at this instant, or in words why there is none."""
    zone = wiring.site.zones[key.removeprefix("zone/")]
    policy = zone.boost
    if policy is None:
        return f"{key} has no boost: the site file has no policy for it"
    if command.until is not None and command.until <= draft.now:
        return "expired: it would have ended before it came in"
    wanted = command.until or draft.now + (command.lasting or policy.lasting)
    latest = draft.now + policy.cap
    standing = draft.overrides.get(BOOST + key)
    until = min(wanted, latest) if standing is None else min(max(wanted, standing.until), latest)
    note = f"shortened to {policy.cap.total_seconds() / 60.0:g} min, the cap of {key}" if wanted > latest else ""
    return Grant(_warmth(zone, policy), until, note)


def count(draft: Draft, key: str) -> None:
    """One more boost of ``zone/<id>``."""
    tallies.count(draft, f"{key}/boosts")


def counted(draft: Draft, zone: Zone) -> int | None:
    """How many there were since the zone has a policy; None without one."""
    return None if zone.boost is None else round(draft.counters.get(f"zone/{zone.id}/boosts") or 0.0)


def standing(draft: Draft, zone: Zone) -> Override | None:
    """The boost that is in force."""
    found = draft.overrides.get(f"{BOOST}zone/{zone.id}")
    return found if found is not None and zone.boost is not None and draft.now < found.until else None


def slot(draft: Draft, zone: Zone) -> Slot | None:
    """The boost in force; never colder than the plan."""
    found, key = standing(draft, zone), f"zone/{zone.id}"
    if found is None or zone.boost is None:
        return None
    value = _warmth(zone, zone.boost)
    plans = (draft.demands.get(key), draft.preheats.get(key))
    if any(plan is not None and plan.in_force(draft.now) and plan.value > value for plan in plans):
        return None
    by = f" by {found.by}" if found.by else ""
    reason = f"boost{by}" + (f": {found.reason}" if found.reason else "")
    return Slot(Source.BOOST, value, reason, found.until, Allure.COMFORT.value, found.by)


def _warmth(zone: Zone, policy: BoostPolicy) -> float:
    return min(zone.setpoints.comfort, policy.maximum_c)
