"""Will it be warm: what is expected of each zone's next opening, while there is still time to do something about it.

Until the preheat the room cools as its nights have shown, not below the setpoint that it is held at; then it warms up
as its mornings have shown. The outdoor temperature is expected to come back to its mean of the last half day. How
likely it is ready comes from the minutes that are left, against the errors of the past; with nothing learnt it is low.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

from config.site import OptimumStart, Zone
from controller.core.diagnostics import readiness
from controller.core.heating import learning, warmup
from controller.core.heating.sensing import outdoors, plant_runs, temperature
from controller.core.state import Draft
from controller.core.warmth import Climb, Forecast, Knowledge
from controller.core.wiring import Wiring
from schedules import allures
from schedules.allures import Allure, AllureDemand
from schedules.nights import at_local
from schedules.optimum_start import READY_WITHIN_K, Climate, Response, course

EVENING, MORNING = time(18), time(5)
"""Local times at which somebody can still do something about tomorrow, or about today."""
HORIZON = timedelta(days=4)
START_WITHIN = timedelta(minutes=20)
_SLOW_TO_SHOW = 3
"""A room whose plant shows nothing but its warmth is given so much longer."""
_EVERY, _CLOSELY = timedelta(minutes=30), timedelta(minutes=10)
_STRIDE = timedelta(minutes=30)
_LEAST_SPREAD_MIN, _UNLEARNT_SPREAD_MIN, _UNLEARNT_CONFIDENCE = 8.0, 90.0, 0.6
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def begin(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """A core begins: the first forecast once the devices have been heard."""
    if wiring.site.zones[zone_id].optimum_start is not None:
        draft.schedule(f"forecast/{zone_id}", draft.now + learning.patience(wiring))


def due(wiring: Wiring, draft: Draft, zone_id: str) -> None:
    """Forecast anew, judge what it means, and say when to look again."""
    zone = wiring.site.zones.get(zone_id)
    if zone is None or zone.optimum_start is None:
        return
    demand = allures.evaluate(zone.occupancy, zone.setpoints, draft.now)
    found = made(wiring, draft, zone, zone.optimum_start, demand)
    before = learning.of(draft, zone_id)
    learning.remember(draft, zone_id, replace(before, forecast=found))
    draft.changed.add(f"zone/{zone_id}")
    _judge(wiring, draft, zone, demand, found, before.forecast)
    _judge_start(wiring, draft, zone)
    draft.schedule(f"forecast/{zone_id}", min(_looks(wiring, draft, zone, demand)))


def made(wiring: Wiring, draft: Draft, zone: Zone, bounds: OptimumStart, demand: AllureDemand) -> Forecast | None:
    """The forecast of the zone's next opening, None where there is none within four days."""
    opening, now = demand.next_opening, draft.now
    if opening is None or opening - now > HORIZON:
        return None
    target_c = zone.setpoints.comfort - READY_WITHIN_K
    obstacle = _obstacle(wiring, draft, zone, target_c)
    measured, remembered = temperature(wiring, draft, zone), learning.of(draft, zone.id)
    if measured is None:
        return Forecast(now, opening, target_c, None, None, None, 0.0 if obstacle else 0.1, obstacle)
    wall_c = measured if remembered.wall is None else remembered.wall.wall_c
    climate = Climate(measured, wall_c, outdoors(wiring, draft, zone))
    if obstacle:
        at_rest = learning.at_rest(remembered.known)
        expected_c = course(at_rest, climate, opening - now, -math.inf, math.inf).room_c
        return Forecast(now, opening, target_c, round(expected_c, 1), None, None, 0.0, obstacle)
    starts, climate = _start(wiring, draft, zone, bounds, demand, climate)
    long = warmup.is_long(_vacancy(zone, demand))
    climb, known = remembered.climb, remembered.known
    estimate = warmup.needs_from(wiring, draft, zone, bounds, long, climate, warmup.stage_of(climb))
    ready = starts + estimate.needed
    heating = learning.response(known, long, bounds.minutes_per_k)
    expected_c = _at_opening(zone, climate, opening - starts, ready - opening, heating)
    if climb is not None and climb.reached is not None:
        ready = climb.reached
    elif climb is not None and climb.soak_c is not None:
        ready = max(ready, climb.planned_ready)
    confidence = _confidence(known, long, (opening - ready) / _MINUTE)
    begins = climb.begun if climb is not None else starts if estimate.needed else None
    return Forecast(now, opening, target_c, round(expected_c, 1), begins, ready, confidence)


def _vacancy(zone: Zone, demand: AllureDemand) -> AllureDemand:
    """The vacancy that the next opening ends."""
    if demand.allure is not Allure.COMFORT:
        return demand
    return allures.evaluate(zone.occupancy, zone.setpoints, demand.until)


def _start(
    wiring: Wiring, draft: Draft, zone: Zone, bounds: OptimumStart, demand: AllureDemand, climate: Climate
) -> tuple[datetime, Climate]:
    """When the preheat begins, and where the room stands then: now, where it runs already."""
    now, vacancy, remembered = draft.now, _vacancy(zone, demand), learning.of(draft, zone.id)
    opening = vacancy.until
    if remembered.climb is not None:
        return now, climate
    at_rest = learning.at_rest(remembered.known)
    if demand.allure is Allure.COMFORT:
        comfort = max(climate.room_c, zone.setpoints.comfort)
        climate, now = course(at_rest, climate, demand.until - now, comfort, comfort), demand.until
    earliest = max(now, opening - warmup.preheat_cap(bounds, vacancy))

    if climate.room_c < vacancy.setpoint_c - READY_WITHIN_K:  # its controller heats it up to there meanwhile
        known = remembered.known
        at_rest = learning.response(known, warmup.is_long(vacancy), bounds.minutes_per_k) or Response(
            60.0 / bounds.minutes_per_k, 0.0, 0.0, 0.0
        )
        climate = course(at_rest, climate, earliest - now, -math.inf, vacancy.setpoint_c)
        at_rest = learning.at_rest(known)
    else:
        climate = course(at_rest, climate, earliest - now, vacancy.setpoint_c, math.inf)
    at, spare, stride = earliest, timedelta(), _STRIDE
    while True:
        estimate = warmup.needs_from(wiring, draft, zone, bounds, warmup.is_long(vacancy), climate)
        left = opening - at - estimate.needed - estimate.lead - estimate.reserve
        if estimate.needed and left <= timedelta():
            too_late = stride * (left / (left - spare)) if spare > timedelta() else timedelta()
            return at - too_late, climate
        if at >= opening:
            return opening, climate
        stride, spare = min(_STRIDE, opening - at), left
        at, climate = at + stride, course(at_rest, climate, stride, vacancy.setpoint_c, math.inf)


def _at_opening(zone: Zone, climate: Climate, span: timedelta, late: timedelta, heating: Response | None) -> float:
    """The room at the opening, ``span`` after its preheat began; ``late`` is how long it then still takes."""
    comfort_c, target_c = zone.setpoints.comfort, zone.setpoints.comfort - READY_WITHIN_K
    if late <= timedelta():
        return max(min(climate.room_c, comfort_c), min(comfort_c, target_c + 0.2)) if span else climate.room_c
    if heating is not None:
        return min(course(heating, climate, span, -math.inf, comfort_c).room_c, target_c)
    share = span / (span + late) if span + late else 1.0
    return climate.room_c + (comfort_c - climate.room_c) * share


def _confidence(known: Knowledge, long: bool, spare_min: float) -> float:
    """The probability that it is warm in time, ``spare_min`` minutes being left over, from the errors of the past."""
    errors = known.of(long).errors_min
    if len(errors) < 3:
        learnt = bool(known.normal.mornings + known.vacancy.mornings)
        spread = _UNLEARNT_SPREAD_MIN / (2.0 if learnt else 1.0)
        return round(min(_likely(spare_min / spread), 0.8 if learnt else _UNLEARNT_CONFIDENCE), 2)
    spread = max(_LEAST_SPREAD_MIN, math.sqrt(sum(error * error for error in errors) / len(errors)))
    return round(min(_likely(spare_min / spread), 0.99), 2)


def _likely(deviations: float) -> float:
    return 0.5 * (1.0 + math.erf(deviations / math.sqrt(2.0)))


def _obstacle(wiring: Wiring, draft: Draft, zone: Zone, target_c: float) -> str:
    """What is known to stand in the way of the next preheat; empty where nothing is."""
    building, room = f"building/{zone.building}", f"zone/{zone.id}"
    for place, event in ((building, "plantDidNotStart"), (building, "plantFault"),  # causes before what they explain
                         (building, "communicationFailure"), (f"device/{zone.device}", "communicationFailure"),
                         (room, "heatingFailure"), (room, "sensorFault")):  # fmt: skip
        alarm = draft.alarms.get((place, event))
        if alarm is not None and alarm.raised is not None:
            return f"{event} at {place}" + (f": {alarm.detail}" if alarm.detail else "")
    image = draft.image.get(zone.device)
    if image is None or not image.online:
        return "its device does not answer"
    if temperature(wiring, draft, zone) is None:
        return "its temperature is not known"
    output, setpoint = draft.outputs.get(f"zone/{zone.id}"), image.value(f"zone.{zone.number}.setpoint")
    if output is not None and output.masked_by is not None and setpoint is not None and setpoint < target_c:
        return f"its setpoint is held at {setpoint:g} degrees by priority {output.masked_by}"
    return ""


def _judge(
    wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand, found: Forecast | None, before: Forecast | None
) -> None:
    """The alarm ``notReady``: from the evening before until it is warm, or nobody can tell any more."""
    standing = readiness.stands(draft, zone.id)
    if demand.allure is Allure.COMFORT:
        measured, target_c = temperature(wiring, draft, zone), zone.setpoints.comfort - READY_WITHIN_K
        cold = standing and measured is not None and measured < target_c
        words = f"occupied, and {measured:.1f} degrees" if measured is not None else ""
        readiness.judge_zone(wiring, draft, zone.id, cold, measured, target_c, words)
        return
    if found is None:
        readiness.judge_zone(wiring, draft, zone.id, False)
        return
    checks = checkpoints(wiring, demand, found.opening)
    lacking_k = 0.0 if found.expected_c is None else found.target_c - found.expected_c
    holds = bool(found.obstacle) or lacking_k > (0.1 if standing else 0.3)
    if found.obstacle and found.expected_c is not None and lacking_k <= 0.0:
        holds = False
    if draft.now < checks[0]:  # whatever was said of an opening that has passed is over
        holds = False
    words = _words(wiring, found, runs=learning.of(draft, zone.id).climb is not None)
    readiness.judge_zone(wiring, draft, zone.id, holds, found.expected_c, found.target_c, words)
    since = before.at if before is not None else draft.now - _MINUTE
    if holds and any(since < check <= draft.now for check in checks):
        told = {} if found.expected_c is None else {"expected_c": found.expected_c}
        draft.event("not-ready", f"zone/{zone.id}", opening=found.opening, **told, reason=words)


def _words(wiring: Wiring, found: Forecast, *, runs: bool) -> str:
    local = found.opening.astimezone(wiring.site.place.zone)
    expected = "" if found.expected_c is None else f"{found.expected_c:.1f} degrees expected "
    slow = "it warms up more slowly than foreseen" if runs else "the preheat may not begin earlier"
    why = found.obstacle or slow
    return f"{expected}at the opening on {local:%a %H:%M}: {why}"


def checkpoints(wiring: Wiring, demand: AllureDemand, opening: datetime) -> tuple[datetime, ...]:
    """When to say that it will not be warm: the evening before, and in the morning."""
    place = wiring.site.place.zone
    day = opening.astimezone(place).date()
    evening = max(at_local(day - _DAY, EVENING, place), demand.since)
    morning = at_local(day, MORNING, place)
    return (evening, morning) if evening < morning < opening else (evening,)


def _judge_start(wiring: Wiring, draft: Draft, zone: Zone) -> None:
    """The alarm ``plantDidNotStart`` of the zone's building."""
    building = wiring.site.buildings.get(zone.building)
    if building is None:
        return
    within = building.plant.start_within if building.plant is not None else START_WITHIN
    zones = [wiring.site.zones[name] for name in building.zones if name in wiring.site.zones]
    late = [each for each in zones if _is_late(wiring, draft, each, within)]
    if not late and readiness.stands(draft, building.id, "building", "plantDidNotStart"):
        late = [each for each in zones if _still_cold(wiring, draft, each)]
    words = ""
    if late:
        words = f"{within / _MINUTE:.0f} minutes after the preheat of {', '.join(each.id for each in late)} began"
    readiness.judge_building(wiring, draft, building.id, words)


def _is_late(wiring: Wiring, draft: Draft, zone: Zone, within: timedelta) -> bool:
    climb = learning.of(draft, zone.id).climb
    if climb is None or climb.plant_seen or climb.reached is not None or temperature(wiring, draft, zone) is None:
        return False
    return draft.now >= _shows_by(wiring, draft, zone, climb, within)


def _shows_by(wiring: Wiring, draft: Draft, zone: Zone, climb: Climb, within: timedelta) -> datetime:
    """When the plant must have shown that it runs; what it was told may take a while to be seen."""
    shown = plant_runs(wiring, draft, zone) is not None
    seen_after = timedelta(seconds=wiring.site.timing.feedback_s)
    return climb.begun + within * (1 if shown else _SLOW_TO_SHOW) + seen_after


def _still_cold(wiring: Wiring, draft: Draft, zone: Zone) -> bool:
    """Whether heat is wanted and nothing shows that any comes."""
    wish, measured = draft.demands.get(f"zone/{zone.id}"), temperature(wiring, draft, zone)
    wanted = f"zone/{zone.id}" in draft.preheats or (wish is not None and wish.allure == Allure.COMFORT.value)
    if not wanted or measured is None or measured >= zone.setpoints.comfort - READY_WITHIN_K:
        return False
    room = draft.rooms.get(zone.id)
    slope = None if room is None else room.trace.slope_k_h(draft.now, _HOUR / 2)
    return plant_runs(wiring, draft, zone) is not True and (slope is None or slope < 0.3)


def _looks(wiring: Wiring, draft: Draft, zone: Zone, demand: AllureDemand) -> Iterator[datetime]:
    opening, climb = demand.next_opening, learning.of(draft, zone.id).climb
    closely = climb is not None or readiness.stands(draft, zone.id)
    if opening is not None and opening - draft.now > HORIZON:
        yield min(opening - HORIZON, draft.now + _DAY)
    else:
        yield draft.now + (_CLOSELY if closely else _EVERY)
    if opening is not None and demand.allure is not Allure.COMFORT:
        yield from (check for check in checkpoints(wiring, demand, opening) if check > draft.now)
    building = wiring.site.buildings.get(zone.building)
    if climb is not None and building is not None:
        within = building.plant.start_within if building.plant is not None else START_WITHIN
        by = _shows_by(wiring, draft, zone, climb, within)
        if by > draft.now:
            yield by


def facts(draft: Draft, zone: Zone) -> dict[str, object]:
    """What a zone's state tells of its next opening and of its latest preheat; None is left out."""
    remembered = learning.of(draft, zone.id)
    found, outcome, known = remembered.forecast, remembered.outcome, remembered.known
    told: dict[str, object] = {}
    if found is not None:
        told |= {
            "opening_at": _told(found.opening),
            "expected_c": found.expected_c,
            "forecast_ready_at": _told(found.ready_at),
            "preheat_at": _told(found.starts_at),
            "confidence": found.confidence,
            "obstacle": found.obstacle or None,
        }
    if outcome is not None:
        told |= {
            "preheat_predicted_min": outcome.predicted_min,
            "preheat_actual_min": outcome.actual_min,
            "ready_error_min": outcome.error_min,
        }
    mornings = known.normal.mornings + known.vacancy.mornings
    return {**told, "learnt_mornings": mornings} if zone.optimum_start is not None else told


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
