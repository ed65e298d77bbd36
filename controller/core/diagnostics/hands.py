"""The alarm of the override radar: somebody else holds points of a zone or of a building."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from controller.core.diagnostics.alarms import settle
from controller.core.diagnostics.conditions import Condition, condition
from controller.core.heating.radar import Hand, building_of, cost_eur, hands_of
from controller.core.heating.wanted import wanted_c
from controller.core.state import Draft
from controller.core.wiring import Wiring

LONG = timedelta(hours=24)
"""A hand that is forgotten weighs more than one that somebody put there this morning."""
_SCOPE = frozenset({"handOverride"})


def judge(wiring: Wiring, draft: Draft, key: str) -> None:
    """The alarm ``handOverride`` of a zone or a building: one for all of its points."""
    hands = hands_of(wiring, draft, key)
    settle(wiring, draft, key, _SCOPE, [_alarm(wiring, draft, key, hands)] if hands else [])


def _alarm(wiring: Wiring, draft: Draft, key: str, hands: list[tuple[str, Hand]]) -> Condition:
    oldest = hands[0][1]
    severity = "major" if draft.now - oldest.since >= LONG else None
    words = "; ".join(_words(wiring, draft, key, point, hand) for point, hand in hands)
    found = condition(wiring.site.timing, "handOverride", oldest.value, _wanted(wiring, draft, key, hands[0][0]),
                      words, severity)  # fmt: skip
    return replace(found, since=oldest.since)


def _words(wiring: Wiring, draft: Draft, key: str, point: str, hand: Hand) -> str:
    """Whole kWh and euros: the alarm is told anew when they change, not with every reading."""
    local = hand.since.astimezone(wiring.site.place.zone)
    said = f"{point} held at {hand.value:g} by priority {hand.priority} since {local:%a %Y-%m-%d %H:%M}"
    if hand.kwh is None:
        return f"{said}, its cost is not estimated"
    building = building_of(wiring, key)
    eur = cost_eur(wiring, building[0].removeprefix("building/"), [(point, hand)]) if building else None
    return f"{said}, by estimate {hand.kwh:.0f} kWh" + (f" and {eur:.0f} EUR" if eur is not None else "") + " so far"


def _wanted(wiring: Wiring, draft: Draft, key: str, point: str) -> float | None:
    if point.endswith(".setpoint") and key.startswith("zone/"):
        return wanted_c(draft, key.removeprefix("zone/"))
    return None
