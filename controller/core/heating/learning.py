"""Learning from clean mornings how fast a room warms up, and from nights how it cools.

Every quarter of an hour of a preheat is one observation (schedules.optimum_start), kept back until the opening: only a
morning that stayed clean to its end is learnt from, one whose room was not warm by then too. A morning is not clean
with a hand, an override, a window, a cap or a boost in the way, with a raised alarm at the zone or its building, a
temperature that is missing or jumps, a plant that never showed that it runs, or a restart in the middle.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from config.site import Zone
from controller.core.arbitration import Slot
from controller.core.heating.sensing import outdoors, plant_runs, temperature
from controller.core.rooms import Room
from controller.core.state import Draft, WriteState
from controller.core.warmth import REMEMBERED, Climb, Knowledge, Learnt, Mark, Outcome, Warmup, read, written
from controller.core.wiring import Wiring
from schedules import allures
from schedules.allures import Allure, AllureDemand
from schedules.optimum_start import (
    HEAVY_MINUTES_PER_K,
    READY_WITHIN_K,
    Response,
    damped_wall_c,
    plausible,
    quantities,
    warmed_after,
)
from schedules.regression import Evidence, Prior, Row

KEEP = 0.97
"""What a morning leaves of all the older ones: those of a month ago still count for half."""
LEARNT_NIGHTS = 2
_PRECISION = (0.02, 1.0, 30.0, 60.0)
"""By how many observations of a quarter of an hour the prior counts: little for the power, much for the weather."""
_WALL, _OWN, _OUTDOOR = 0.3, -0.03, 0.01
_AT_REST = Prior((-0.15, 0.25, 0.0, 0.02), (4.0, 4.0, 400.0, 400.0))
_DEAD, _EVERY, _NIGHTLY = timedelta(minutes=10), timedelta(minutes=15), timedelta(minutes=45)
_HOLE = timedelta(minutes=40)
_FALL_K_H, _LEAP_K_H = -8.0, 30.0
"""No room that is being heated falls or rises so fast: an open door, a hand on the sensor, a sensor that lies."""
_OUTLIER_K_H = 0.4
_FADE = 0.4
_BIAS_STEP_MIN, _BIAS_MIN = 60.0, 120.0
_LONGEST = timedelta(hours=48)
_RISE_K = 0.3
_HOUR = timedelta(hours=1)
_HARMLESS = frozenset({"notReady"})


def of(draft: Draft, zone_id: str) -> Warmup:
    """What is remembered of a zone's warming up."""
    room = draft.rooms.get(zone_id)
    return Warmup() if room is None else room.warmup


def remember(draft: Draft, zone_id: str, warmup: Warmup) -> None:
    """Put it back."""
    draft.rooms[zone_id] = replace(draft.rooms.get(zone_id) or Room(), warmup=warmup)


def begin(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """A core begins: take up what was kept, unless it is known anyway; a device is given a moment to answer first.

    A preheat or a coast that the configuration of now gives no reason for is over: it is planned anew.
    """
    warmup, zone = of(draft, zone_id), wiring.site.zones[zone_id]
    if warmup == Warmup():
        warmup = replace(warmup, known=read(draft.kept.get(f"warmup/{zone_id}")))
    demand = allures.evaluate(zone.occupancy, zone.setpoints, draft.now)
    coast = warmup.coast if _coasts_still(zone, demand, warmup.coast) else None
    forecast = None if zone.optimum_start is None else warmup.forecast
    remember(draft, zone_id, replace(warmup, coast=coast, forecast=forecast, patience=draft.now + patience(wiring)))
    running = warmup.climb is not None or f"zone/{zone_id}" in draft.preheats
    if running and not _climbs_still(zone, demand, warmup.climb):
        draft.preheats.drop(f"zone/{zone_id}")
        remember(draft, zone_id, replace(of(draft, zone_id), climb=None))
        keep(draft, zone_id, replace(warmup.known, running=None, begun=None))


def _climbs_still(zone: Zone, demand: AllureDemand, climb: Climb | None) -> bool:
    """Whether the zone still has the opening, and the comfort, that its preheat is for."""
    if climb is None or zone.optimum_start is None or demand.allure is Allure.COMFORT:
        return False
    target_c = zone.setpoints.of(Allure.COMFORT) - READY_WITHIN_K
    return demand.next_opening == climb.opening and target_c == climb.target_c


def _coasts_still(zone: Zone, demand: AllureDemand, coast: Slot | None) -> bool:
    """Whether the zone still has the closing, and the reduced setpoint, that its coast leads to."""
    bounds = zone.optimum_start
    if coast is None or bounds is None or not bounds.stop or not bounds.learn:
        return False
    closes = demand.until if demand.allure is Allure.COMFORT else None
    return coast.until == closes and coast.value == zone.setpoints.of(Allure.REDUCED)


def patience(wiring: Wiring) -> timedelta:
    """How long a core that begins waits for the first temperature of a room before it plans without one."""
    return timedelta(seconds=2.0 * wiring.site.timing.stale_after_s)


def keep(draft: Draft, zone_id: str, known: Knowledge) -> None:
    """Remember what is known, and have it survive a restart, with the walls as they are now."""
    warmup = of(draft, zone_id)
    if warmup.wall is not None:
        known = replace(known, wall_c=round(warmup.wall.wall_c, 2), wall_at=warmup.wall.at)
    remember(draft, zone_id, replace(warmup, known=known))
    draft.keep(f"warmup/{zone_id}", written(known))


def minutes_per_k_of(zone: Zone) -> float:
    """The fallback that the zone's prior is made of."""
    return HEAVY_MINUTES_PER_K if zone.optimum_start is None else zone.optimum_start.minutes_per_k


def prior_of(minutes_per_k: float) -> Prior:
    """What is believed of a zone of which only the fallback is known."""
    return Prior((60.0 / minutes_per_k + 0.3, _WALL, _OWN, _OUTDOOR), _PRECISION)


def response(known: Knowledge, long: bool, minutes_per_k: float) -> Response | None:
    """How the zone heats up; each of the two models leans on the other. None while nothing is learnt."""
    prior = prior_of(minutes_per_k)
    own, other = known.of(long), known.of(not long)
    if not own.mornings and not other.mornings:
        return None
    if other.mornings:
        prior = Prior(_fitted(other.evidence, prior), tuple(4.0 * weight for weight in _PRECISION))
    return plausible(_fitted(own.evidence, prior))


def at_rest(known: Knowledge) -> Response:
    """How the zone cools when nobody heats it."""
    return plausible(_fitted(known.rest.evidence, _AT_REST))


@lru_cache(maxsize=2048)
def _fitted(evidence: Evidence, prior: Prior) -> tuple[float, ...]:
    """Asked for at every reading, changed once a morning."""
    return evidence.coefficients(prior)


def heard(wiring: Wiring, draft: Draft, zone: Zone, at: datetime) -> None:
    """A good temperature of the room, at most once a minute: its walls, its preheat, its night."""
    measured = temperature(wiring, draft, zone)
    if measured is None:
        return
    warmup = of(draft, zone.id)
    mark = _walls(warmup, at, measured, outdoors(wiring, draft, zone).now_c)
    warmup = replace(warmup, wall=mark)
    if warmup.climb is not None:
        warmup = replace(warmup, climb=_climbed(wiring, draft, zone, warmup.climb, mark), rest=None)
    else:
        warmup = _rested(wiring, draft, zone, warmup, mark)
    remember(draft, zone.id, warmup)


def _walls(warmup: Warmup, at: datetime, room_c: float, outdoor_c: float) -> Mark:
    last, known = warmup.wall, warmup.known
    if last is not None:
        wall_c = damped_wall_c(last.wall_c, room_c, at - last.at)
    elif known.wall_c is not None and known.wall_at is not None:
        wall_c = damped_wall_c(known.wall_c, room_c, at - known.wall_at)
    else:
        wall_c = room_c
    return Mark(at, room_c, wall_c, outdoor_c)


def _climbed(wiring: Wiring, draft: Draft, zone: Zone, climb: Climb, now: Mark) -> Climb:
    rising = climb.from_c is not None and now.room_c >= climb.from_c + _RISE_K
    seen = climb.plant_seen or plant_runs(wiring, draft, zone) is True or rising
    flaw = climb.flaw or _flaw(draft, zone, climb)
    reached = climb.reached or (now.at if now.room_c >= climb.target_c else None)
    climb = replace(climb, plant_seen=seen, flaw=flaw, reached=reached)
    if reached is not None or climb.holding or now.at - (climb.last_begun or climb.begun) < _DEAD:
        return replace(climb, mark=None)
    mark = climb.mark
    if mark is None:
        return replace(climb, mark=now)
    if now.at - mark.at > _HOLE:
        return replace(climb, flaw=climb.flaw or "no temperature for a while")
    if now.at - mark.at < _EVERY:
        return climb
    row = _row(mark, now)
    if not _FALL_K_H <= row.seen <= _LEAP_K_H:
        return replace(climb, flaw=climb.flaw or "the temperature jumped", mark=now)
    return replace(climb, mark=now, rows=(*climb.rows, row))


def _row(before: Mark, now: Mark) -> Row:
    """One observation between two marks, at the middle of both."""
    hours = (now.at - before.at) / _HOUR
    middle = quantities(
        (before.room_c + now.room_c) / 2.0, (before.wall_c + now.wall_c) / 2.0, (before.outdoor_c + now.outdoor_c) / 2.0
    )
    return Row(middle, (now.room_c - before.room_c) / hours, hours / (_EVERY / _HOUR))


def _flaw(draft: Draft, zone: Zone, climb: Climb) -> str:
    """What makes this morning one to learn nothing from; empty: nothing so far."""
    key = f"zone/{zone.id}"
    running, output = draft.preheats.get(key), draft.outputs.get(key)
    if output is not None and running is not None:
        wanted = next((value for _, value in sorted(output.slots) if value is not None), None)
        if wanted is not None and abs(wanted - running.value) > 0.01:
            return f"{wanted:g} degrees were commanded instead"
        if output.write in (WriteState.MASKED, WriteState.REJECTED, WriteState.NO_FEEDBACK):
            return f"the setpoint was {output.write.value}"
    for place in (key, f"building/{zone.building}"):
        for event in draft.alarmed.get(place) or ():
            alarm = draft.alarms.get((place, event))
            if event not in _HARMLESS and alarm is not None and alarm.raised is not None:
                return f"alarm {event}"
    return ""


def concluded(wiring: Wiring, draft: Draft, zone: Zone) -> Outcome | None:
    """The opening has come: judge the prediction of its preheat, learn from it where it was clean."""
    warmup = of(draft, zone.id)
    climb = warmup.climb
    if climb is None:
        return None
    measured = temperature(wiring, draft, zone)
    flaw = climb.flaw or ("" if climb.plant_seen else "the plant was not seen running")
    flaw = flaw or ("" if draft.now - climb.opening < _DEAD else "its opening was not observed")
    flaw = flaw or ("" if measured is not None else "no temperature at the opening")
    actual = None if flaw or measured is None else _actual(climb, draft.now, measured)
    outcome = _outcome(climb, actual, measured, flaw)
    known = replace(warmup.known, running=None, begun=None)
    if actual is not None:
        learnt = _learnt(known, climb, actual, outcome, minutes_per_k_of(zone))
        known = replace(known, vacancy=learnt) if climb.long else replace(known, normal=learnt)
    remember(draft, zone.id, replace(warmup, climb=None, outcome=outcome))
    keep(draft, zone.id, known)
    return outcome


def _actual(climb: Climb, opening: datetime, measured_c: float) -> datetime | None:
    """When the room was warm, or will be at the pace that it had last; None where it did not move at all."""
    if climb.reached is not None:
        return climb.reached
    pace_k_h = climb.rows[-1].seen if climb.rows else 0.0
    if pace_k_h <= 0.05:
        return None
    return opening + timedelta(hours=min(6.0, max(0.0, climb.target_c - measured_c) / pace_k_h))


def _outcome(climb: Climb, actual: datetime | None, measured_c: float | None, flaw: str) -> Outcome:
    def minutes(span: timedelta) -> float:
        return round(span / timedelta(minutes=1), 1)

    return Outcome(
        minutes(climb.predicted),
        None if actual is None else minutes(actual - climb.begun),
        None if actual is None else minutes(actual - climb.planned_ready),
        None if measured_c is None else round(measured_c - climb.target_c - READY_WITHIN_K, 2),
        flaw,
    )


def _learnt(known: Knowledge, climb: Climb, actual: datetime, outcome: Outcome, minutes_per_k: float) -> Learnt:
    before = known.of(climb.long)
    learnt = replace(
        before,
        evidence=before.evidence.with_rows(_tamed(before, climb.rows), KEEP),
        mornings=before.mornings + 1,
        errors_min=_with_last(before.errors_min, outcome.error_min),
        errors_k=_with_last(before.errors_k, outcome.error_k),
    )
    now_known = replace(known, vacancy=learnt) if climb.long else replace(known, normal=learnt)
    refitted = response(now_known, climb.long, minutes_per_k)
    if refitted is None or climb.stood is None:
        return learnt
    pure = warmed_after(refitted, climb.stood, climb.target_c, _LONGEST)
    if pure >= _LONGEST:
        return learnt
    held = climb.last_begun is not None
    missed_min = (actual - (climb.last_begun or climb.begun) - pure) / timedelta(minutes=1)
    if held:
        return replace(learnt, held_bias_min=_faded(before.held_bias_min, missed_min, before.mornings))
    return replace(learnt, bias_min=_faded(before.bias_min, missed_min, before.mornings))


def _faded(bias_min: float, missed_min: float, mornings: int) -> float:
    """The mean of the first mornings, then one in which the latest counts for two fifths."""
    step_min = min(max(missed_min - bias_min, -_BIAS_STEP_MIN), _BIAS_STEP_MIN)
    return min(max(bias_min + max(_FADE, 1.0 / (mornings + 1)) * step_min, -_BIAS_MIN), _BIAS_MIN)


def _tamed(before: Learnt, rows: tuple[Row, ...]) -> list[Row]:
    """Observations far from what two mornings and more have shown count for less (Huber)."""
    if before.mornings < 2:
        return list(rows)
    believed = before.evidence.coefficients(Prior((0.0,) * 4, _PRECISION))
    tamed = []
    for row in rows:
        expected = sum(value * of_it for value, of_it in zip(row.quantities, believed, strict=True))
        slack = max(_OUTLIER_K_H, 0.5 * abs(expected))
        tamed.append(row._replace(weight=row.weight * min(1.0, slack / max(abs(row.seen - expected), 1e-9))))
    return tamed


def _with_last(errors: tuple[float, ...], latest: float | None) -> tuple[float, ...]:
    return errors if latest is None else (*errors, latest)[-REMEMBERED:]


def _rested(wiring: Wiring, draft: Draft, zone: Zone, warmup: Warmup, now: Mark) -> Warmup:
    """A room that is left alone, well above its setpoint: how it cools."""
    wish, output = draft.demands.get(f"zone/{zone.id}"), draft.outputs.get(f"zone/{zone.id}")
    vacant = wish is not None and wish.allure != "comfort"
    held_c = max((value for _, value in output.slots if value is not None), default=99.0) if output else 99.0
    if not vacant or now.room_c < held_c + 0.8:
        return _night_over(draft, zone, warmup)
    mark = warmup.rest
    if mark is None or now.at - mark.at > 2 * _NIGHTLY:
        return replace(warmup, rest=now)
    if now.at - mark.at < _NIGHTLY:
        return warmup
    return replace(warmup, rest=now, rest_rows=(*warmup.rest_rows, _row(mark, now))[-200:])


def _night_over(draft: Draft, zone: Zone, warmup: Warmup) -> Warmup:
    rows = warmup.rest_rows
    if not rows:
        return warmup if warmup.rest is None else replace(warmup, rest=None)
    rest = warmup.known.rest
    if len(rows) >= 2:
        rest = replace(rest, evidence=rest.evidence.with_rows(_tamed(rest, rows), KEEP), mornings=rest.mornings + 1)
    return replace(warmup, rest=None, rest_rows=(), known=replace(warmup.known, rest=rest))
