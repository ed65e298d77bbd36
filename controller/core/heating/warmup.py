"""Optimum start and stop: begin, keep and end a preheat; coast before the closing.

A preheat that has begun is never taken back. One that takes hours, a cold building after a weekend or holidays, has
two parts, because nobody can predict ten hours to ten minutes: it begins with a reserve, holds the room ``SOAK_K``
below comfort should it come there early, and gives the last kelvins when, by what is measured then, they are due.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from statistics import median

from config.site import OptimumStart, Zone
from controller.core.arbitration import Slot, Source
from controller.core.heating import learning
from controller.core.heating.sensing import outdoors, temperature
from controller.core.state import Draft
from controller.core.warmth import Climb, Knowledge, Learnt, Warmup
from controller.core.wiring import Wiring
from schedules.allures import Allure, AllureDemand
from schedules.optimum_start import READY_WITHIN_K, Climate, Response, course, preheat_start, warmed_after

LEAD = timedelta(minutes=20)
"""A room is to be warm so long before the opening: a prediction that is ten minutes wrong hurts nobody."""
SOAK_K = 1.0
RESERVE = 0.2
"""Of the time that it takes after a long vacancy, where that is more than an hour."""
SHORT_PREHEAT, LONG_PREHEAT = timedelta(hours=1), timedelta(hours=3)
"""Longer than the latter no room is given for its last kelvins."""
_NEAR_K = 0.3
LONG_VACANCY = timedelta(hours=48)
_BORROWED = 1.15
"""What is known of another model or of the neighbours counts for a little more time."""
_SLACK = timedelta(minutes=1)
_LEAST = timedelta(minutes=5)
"""What a bias leaves of the time that the model gives a room: as long as it preheats, the bias can be unlearnt."""
_HOUR = timedelta(hours=1)


class Stage(Enum):
    """What a room has behind it: it starts cold, is held just below comfort, or climbs with its plant at work."""

    START = "start"
    HELD = "held"
    CLIMBING = "climbing"


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long the zone needs until it is warm, and where that is known from.

    ``pure`` is what the model says without its bias, None without a model; ``lead`` what is added for certainty.
    """

    needed: timedelta
    lead: timedelta
    basis: str
    pure: timedelta | None = None
    reserve: timedelta = timedelta()
    """What a room that can be held at the soak is begun earlier by."""


def preheat(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand) -> datetime | None:
    """Begin, keep or end the preheat; returns when it would go on if nothing changed."""
    key = f"zone/{zone.id}"
    running = draft.preheats.get(key)
    if running is not None and not running.in_force(draft.now):
        draft.preheats.drop(key)
        draft.rearrange.add(key)
        running = None
    if running is None:
        _forget_missed(draft, zone)
    if zone.optimum_start is None or demand.next_opening is None or demand.allure is Allure.COMFORT:
        return None
    if running is not None:
        return _last_kelvins(wiring, draft, zone)
    begun = learning.of(draft, zone.id).known
    if begun.running == demand.next_opening and begun.begun is not None:
        if begun.begun <= draft.now + _SLACK:  # else by a clock that was ahead
            return _resume(wiring, draft, zone, demand, min(begun.begun, draft.now))
        _forget(draft, zone)
    patience = learning.of(draft, zone.id).patience
    if patience is not None and draft.now < patience and temperature(wiring, draft, zone) is None:
        return patience
    start, estimate = planned(wiring, draft, zone, demand)
    if start > draft.now or start >= demand.next_opening or estimate is None:
        return start if start > draft.now else None
    _begin(wiring, draft, zone, demand, estimate)
    return None


def _forget_missed(draft: Draft, zone: Zone) -> None:
    """A preheat whose opening never came, because the calendar changed meanwhile."""
    warmup = learning.of(draft, zone.id)
    if warmup.climb is not None and warmup.climb.opening <= draft.now:
        _forget(draft, zone)


def _forget(draft: Draft, zone: Zone) -> None:
    warmup = learning.of(draft, zone.id)
    learning.remember(draft, zone.id, replace(warmup, climb=None))
    learning.keep(draft, zone.id, replace(warmup.known, running=None, begun=None))


def planned(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand) -> tuple[datetime, Estimate | None]:
    """When the preheat for the opening that ends the vacancy ``demand`` begins, by what is measured now.

    Long before it can begin no estimate is made: the earliest instant is given.
    """
    bounds, opening = zone.optimum_start, demand.next_opening
    if bounds is None or opening is None:
        raise ValueError(f"{zone.id} has no optimum start or no opening")
    cap = preheat_cap(bounds, demand)
    measured = temperature(wiring, draft, zone)
    known = learning.of(draft, zone.id).known
    earliest = opening - cap
    if known.normal.mornings + known.vacancy.mornings and draft.now < earliest:
        return earliest, None
    room_c = demand.setpoint_c if measured is None else measured
    estimate = needs(wiring, draft, zone, bounds, demand, room_c)
    if not estimate.needed:
        return opening, estimate
    reserve = estimate.reserve if _soaks(zone, estimate, room_c) else timedelta()
    return max(earliest, opening - estimate.needed - estimate.lead - reserve), estimate


def needs(
    wiring: Wiring, draft: Draft, zone: Zone, bounds: OptimumStart, demand: AllureDemand, room_c: float
) -> Estimate:
    """How long a room at ``room_c`` would take from now."""
    stage = stage_of(learning.of(draft, zone.id).climb)
    return needs_from(wiring, draft, zone, bounds, is_long(demand), _climate(wiring, draft, zone, room_c), stage)


def stage_of(climb: Climb | None) -> Stage:
    """What a room has behind it."""
    if climb is None:
        return Stage.START
    return Stage.HELD if climb.holding or climb.last_begun is not None else Stage.CLIMBING


def _climate(wiring: Wiring, draft: Draft, zone: Zone, room_c: float) -> Climate:
    wall = learning.of(draft, zone.id).wall
    return Climate(room_c, room_c if wall is None else wall.wall_c, outdoors(wiring, draft, zone))


def needs_from(
    wiring: Wiring,
    draft: Draft,
    zone: Zone,
    bounds: OptimumStart,
    long: bool,
    climate: Climate,
    stage: Stage = Stage.START,
) -> Estimate:
    """The same for a room that stands at ``climate``: by its own model, its neighbours', or the fallback."""
    comfort_c = zone.setpoints.of(Allure.COMFORT)
    found = _model(wiring, draft, zone, bounds, long, stage) if bounds.learn else None
    if found is None:
        missing_k = max(0.0, comfort_c - climate.room_c)
        words = f"{bounds.minutes_per_k:g} min/K, nothing learnt" if bounds.learn else f"{bounds.minutes_per_k:g} min/K"
        return Estimate(timedelta(minutes=missing_k * bounds.minutes_per_k), timedelta(), words)
    response, bias, factor, basis = found
    longest = bounds.cap_after_vacancy if long else bounds.cap
    pure = warmed_after(response, climate, comfort_c - READY_WITHIN_K, longest)
    if not pure:
        return Estimate(pure, LEAD, basis, pure)
    needed = max(min(pure, _LEAST), pure * factor + bias)
    uncertain = long and needed > SHORT_PREHEAT
    return Estimate(needed, LEAD, basis, pure, RESERVE * needed if uncertain else timedelta())


def is_long(demand: AllureDemand) -> bool:
    """Whether the vacancy is one after which the walls are cold."""
    return demand.until - demand.since >= LONG_VACANCY


def preheat_cap(bounds: OptimumStart, demand: AllureDemand) -> timedelta:
    """How long before the opening that ends the vacancy ``demand`` heating begins at the earliest."""
    return bounds.cap_after_vacancy if is_long(demand) else bounds.cap


def preheat_from(
    zone: Zone, bounds: OptimumStart, demand: AllureDemand, opening: datetime, measured_c: float | None
) -> datetime:
    """When heating begins by the fallback, with nothing learnt, for the ``opening`` that ends ``demand``."""
    if measured_c is None:  # blind: as if the room had fallen to the setpoint that it is kept at
        measured_c = demand.setpoint_c
    comfort = zone.setpoints.of(Allure.COMFORT)
    return preheat_start(opening, measured_c, comfort, bounds.minutes_per_k, preheat_cap(bounds, demand))


def coasting(draft: Draft, zone: Zone) -> Slot | None:
    """The optimum stop in force."""
    return learning.of(draft, zone.id).coast


def coast(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand) -> datetime | None:
    """Begin, keep or give up the optimum stop; returns when to look at it first."""
    warmup, bounds = learning.of(draft, zone.id), zone.optimum_start
    measured = temperature(wiring, draft, zone)
    if warmup.coast is not None:
        warm = measured is not None and measured >= zone.setpoints.comfort - READY_WITHIN_K
        if demand.allure is not Allure.COMFORT or not warm:
            _end_coast(draft, zone, warmup, demand)
        return None
    if bounds is None or not bounds.stop or not bounds.learn or demand.allure is not Allure.COMFORT:
        return None
    if draft.now < demand.until - bounds.stop:
        return demand.until - bounds.stop
    if measured is None or warmup.wall is None or warmup.coasted == demand.until:
        return None
    if warmup.known.rest.mornings < learning.LEARNT_NIGHTS:
        return None
    _begin_coast(wiring, draft, zone, demand, Climate(measured, warmup.wall.wall_c, outdoors(wiring, draft, zone)))
    return None


def _begin_coast(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand, climate: Climate) -> None:
    warmup, key, span = learning.of(draft, zone.id), f"zone/{zone.id}", demand.until - draft.now
    at_closing = course(learning.at_rest(warmup.known), climate, span, -math.inf, math.inf).room_c
    if at_closing < zone.setpoints.comfort - READY_WITHIN_K:
        return
    local = demand.until.astimezone(wiring.site.place.zone)
    reason = (
        f"optimum stop before the closing at {local:%H:%M}: {climate.room_c:.1f} degrees now, "
        f"{at_closing:.1f} expected then (learnt from {warmup.known.rest.mornings} nights)"
    )
    reduced = zone.setpoints.of(Allure.REDUCED)
    slot = Slot(Source.OPTIMUM_STOP, reduced, reason, demand.until, Allure.REDUCED.value)
    learning.remember(draft, zone.id, replace(warmup, coast=slot))
    draft.rearrange.add(key)
    draft.event("coast", key, closing=demand.until, temperature_c=round(climate.room_c, 2))


def _end_coast(draft: Draft, zone: Zone, warmup: Warmup, demand: AllureDemand) -> None:
    given_up = demand.until if demand.allure is Allure.COMFORT else None
    learning.remember(draft, zone.id, replace(warmup, coast=None, coasted=given_up))
    draft.rearrange.add(f"zone/{zone.id}")


def _model(
    wiring: Wiring, draft: Draft, zone: Zone, bounds: OptimumStart, long: bool, stage: Stage
) -> tuple[Response, timedelta, float, str] | None:
    """The response to go by, its bias, a factor for what is not quite its own, and where it is known from."""
    known = learning.of(draft, zone.id).known
    own = learning.response(known, long, bounds.minutes_per_k)
    if own is not None:
        learnt = known.of(long)
        if learnt.mornings:
            return own, _bias(learnt, stage), 1.0, _words(known, long)
        other = known.of(not long)
        return own, _bias(other, stage), _BORROWED, f"{_words(known, not long)}, other vacancies"
    neighbours = list(_neighbours(wiring, draft, zone, long))
    if not neighbours:
        return None
    shared = Response(*(median(values) for values in zip(*map(_plain, neighbours), strict=True)))
    return (
        shared,
        timedelta(),
        _BORROWED,
        f"learnt from {len(neighbours)} other zone{'s' if len(neighbours) > 1 else ''} of the building",
    )


def _bias(learnt: Learnt, stage: Stage) -> timedelta:
    by_stage = {Stage.START: learnt.bias_min, Stage.HELD: learnt.held_bias_min, Stage.CLIMBING: 0.0}
    return timedelta(minutes=by_stage[stage])


def _plain(response: Response) -> tuple[float, float, float, float]:
    return response.base, response.wall, response.own, response.outdoor


def _neighbours(wiring: Wiring, draft: Draft, zone: Zone, long: bool) -> Iterator[Response]:
    building = wiring.site.buildings.get(zone.building)
    for other in building.zones if building is not None else ():
        bounds = wiring.site.zones[other].optimum_start
        if other != zone.id and bounds is not None:
            found = learning.response(learning.of(draft, other).known, long, bounds.minutes_per_k)
            if found is not None:
                yield found


def _words(known: Knowledge, long: bool) -> str:
    learnt = known.of(long)
    mornings = f"learnt from {learnt.mornings} morning{'s' if learnt.mornings > 1 else ''}"
    within = usually_within(known, long)
    return mornings if within is None else f"{mornings}, usually right within {within} min"


def usually_within(known: Knowledge, long: bool) -> int | None:
    """Minutes that four predictions of five were not more wrong by; None with fewer than three."""
    errors = sorted(abs(error) for error in known.of(long).errors_min)
    return None if len(errors) < 3 else max(1, round(errors[math.ceil(0.8 * len(errors)) - 1]))


def _soaks(zone: Zone, estimate: Estimate, room_c: float) -> bool:
    soak_c = zone.setpoints.of(Allure.COMFORT) - SOAK_K
    return estimate.reserve > timedelta() and room_c < soak_c - READY_WITHIN_K


def _begin(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand, estimate: Estimate) -> None:
    opening = demand.next_opening
    if opening is None:
        return
    key, measured = f"zone/{zone.id}", temperature(wiring, draft, zone)
    comfort = zone.setpoints.of(Allure.COMFORT)
    room_c = demand.setpoint_c if measured is None else measured
    soaks, ready = _soaks(zone, estimate, room_c), opening - estimate.lead
    climb = Climb(
        begun=draft.now, opening=opening, from_c=measured, target_c=comfort - READY_WITHIN_K, long=is_long(demand),
        predicted=ready - draft.now if soaks else estimate.needed,
        planned_ready=ready if soaks else draft.now + estimate.needed,
        soak_c=comfort - SOAK_K if soaks else None,
        stood=None if measured is None else _climate(wiring, draft, zone, measured),
        flaw="" if measured is not None else "no temperature at its begin",
    )  # fmt: skip
    warmup = learning.of(draft, zone.id)
    learning.remember(draft, zone.id, replace(warmup, climb=climb, coast=None))
    learning.keep(draft, zone.id, replace(warmup.known, running=opening, begun=draft.now))
    _wish(wiring, draft, zone, climb, _reason(wiring, estimate, climb, measured))
    draft.schedule(f"forecast/{zone.id}", draft.now)
    told = {} if measured is None else {"temperature_c": round(measured, 2)}
    draft.event("preheat", key, opening=opening, **told, predicted_min=_minutes(climb.predicted), basis=estimate.basis)


def _wish(wiring: Wiring, draft: Draft, zone: Zone, climb: Climb, reason: str) -> None:
    key = f"zone/{zone.id}"
    comfort_c = zone.setpoints.of(Allure.COMFORT)
    value = climb.soak_c if climb.holding and climb.soak_c is not None else comfort_c
    draft.preheats[key] = Slot(Source.OPTIMUM_START, value, reason, climb.opening, Allure.COMFORT.value)
    draft.rearrange.add(key)


def _reason(wiring: Wiring, estimate: Estimate, climb: Climb, measured: float | None) -> str:
    local = climb.opening.astimezone(wiring.site.place.zone)
    where = "no temperature" if measured is None else f"{measured:.1f} degrees"
    until = "" if climb.soak_c is None or not climb.holding else ", held until that is due"
    return (
        f"optimum start for the opening on {local:%a %H:%M}: {where}, {_span(estimate.needed)} predicted"
        f"{until} ({estimate.basis})"
    )


def _last_kelvins(wiring: Wiring, draft: Draft, zone: Zone) -> datetime | None:
    """Hold a room that comes near comfort too early, until what it still needs is due; returns when to look again."""
    warmup, bounds = learning.of(draft, zone.id), zone.optimum_start
    climb, measured = warmup.climb, temperature(wiring, draft, zone)
    if climb is None or climb.soak_c is None or bounds is None:
        return None
    room_c = climb.soak_c if measured is None and climb.holding else measured
    if room_c is None or (not climb.holding and room_c < climb.soak_c - _NEAR_K):
        return None
    wall_c = warmup.wall.wall_c if warmup.wall is not None else climb.soak_c
    climate = Climate(room_c, wall_c, outdoors(wiring, draft, zone))
    estimate = needs_from(wiring, draft, zone, bounds, climb.long, climate, Stage.HELD)
    due = climb.opening - min(estimate.needed, LONG_PREHEAT) - estimate.lead
    if due <= draft.now + _SLACK:
        if climb.holding:
            climb = replace(climb, holding=False, last_begun=draft.now, stood=climate)
        climb = replace(climb, soak_c=None, mark=None)
    elif not climb.holding:
        climb = replace(climb, holding=True, mark=None)
    else:
        return due
    learning.remember(draft, zone.id, replace(warmup, climb=climb))
    _wish(wiring, draft, zone, climb, _reason(wiring, estimate, climb, measured))
    return due if climb.holding else None


def _resume(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand, begun: datetime) -> datetime | None:
    """A restart in the middle of a preheat: it goes on, whatever the room says; nothing is learnt from it."""
    warmup, opening, bounds = learning.of(draft, zone.id), demand.next_opening, zone.optimum_start
    if opening is None or bounds is None:
        return None
    measured = temperature(wiring, draft, zone)
    estimate = needs(wiring, draft, zone, bounds, demand, demand.setpoint_c if measured is None else measured)
    comfort = zone.setpoints.of(Allure.COMFORT)
    climb = Climb(
        begun, opening, measured, comfort - READY_WITHIN_K, is_long(demand), opening - estimate.lead - begun,
        opening - estimate.lead, flaw="the daemon was restarted meanwhile",
    )  # fmt: skip
    learning.remember(draft, zone.id, replace(warmup, climb=climb))
    _wish(wiring, draft, zone, climb, _reason(wiring, estimate, climb, measured))
    return None


def _minutes(span: timedelta) -> int:
    return round(span / timedelta(minutes=1))


def _span(span: timedelta) -> str:
    """``3 h 20``, ``45 min``."""
    hours, minutes = divmod(_minutes(span), 60)
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"
