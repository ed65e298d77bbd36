"""Which room sensors can be believed: a bad one counts as absent and never drives control.

Not believed: what cannot be a room, what jumps, what stands still while everything around it moves, what is far from
every neighbour. What the device itself calls faulty never comes so far: it has no value. What it marks as overridden
or out of service is no measurement, so neither the sensor nor its neighbours are judged by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from config.site import Zone
from controller.core.heating.wanted import wanted_c
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.rooms import Room, SensorWatch, Swing
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality, Reading

LOWEST_C, HIGHEST_C = -20.0, 60.0
JUMP_K, JUMP_WITHIN = 5.0, timedelta(minutes=1)
"""A room of masonry changes by some K an hour; the air at a sensor beside an open door by less than this a minute."""
FORGIVEN_K = 2.0
"""Back to where it was: the jump was a glitch."""
SETTLED = timedelta(hours=2)
"""After a jump it may be another sensor, or one that was moved: believed once it has been plausible for so long."""
PLAUSIBLE_C = (5.0, 30.0)
FLAT_K, FLAT_FOR, FLAT_FOR_LONG = 0.02, timedelta(hours=24), timedelta(hours=72)
MOVED_K = 2.0
APART_K = 10.0


def trusted(wiring: Wiring, draft: Draft, zone: Zone) -> bool:
    """Whether control may go by the room sensor of ``zone``."""
    room = draft.rooms.get(zone.id)
    return room is None or not room.sensor.bad


def heard(wiring: Wiring, draft: Draft, zone: Zone, before: DeviceImage) -> None:
    """The device of ``zone`` answered after it was as in ``before``: judge the sensor anew."""
    image = draft.image.get(zone.device)
    point = f"zone.{zone.number}.temperature"
    reading = None if image is None or point in image.faults else image.readings.get(point)
    if reading is None or reading.quality is not Quality.GOOD:
        return
    room = draft.rooms.get(zone.id) or Room()
    watch = room.sensor
    if watch.at is not None and _is_no_news(watch, reading.at, reading.value):
        return
    around = list(_elsewhere(wiring, draft, zone))
    watch = _jumps(watch, before.readings.get(point), reading)
    watch = _looked_at(watch, reading.at, reading.value, around, draft, zone)
    bad = _why_bad(watch, reading.value, reading.at, around)
    if bad != room.sensor.bad:
        draft.changed.add(f"zone/{zone.id}")
        draft.rearrange.add(f"zone/{zone.id}")
    draft.rooms[zone.id] = replace(room, sensor=replace(watch, bad=bad, jumped=watch.jumped if bad else None))


def _is_no_news(watch: SensorWatch, at: datetime, value_c: float) -> bool:
    """The same value is looked at once a minute."""
    return watch.at is not None and at - watch.at < (JUMP_WITHIN if value_c == watch.value_c else timedelta(0, 0, 1))


def _why_bad(watch: SensorWatch, value_c: float, at: datetime, around: list[float]) -> str:
    if not LOWEST_C <= value_c <= HIGHEST_C:
        return f"out of range: no room has less than {LOWEST_C:g} or more than {HIGHEST_C:g} degC"
    if watch.jumped is not None and not _over(watch, value_c, at, around):
        return f"jumped by more than {JUMP_K:g} K within a minute, from {watch.before_c:.1f} degC"
    if watch.flat_since is not None and _stands_still(watch, at, around):
        return f"stands at {watch.flat_c:.1f} degC while the zones around it move"
    odd = not PLAUSIBLE_C[0] <= value_c <= PLAUSIBLE_C[1]
    if odd and around and min(abs(value_c - each) for each in around) > APART_K:
        return f"more than {APART_K:g} K from every other zone of its building"
    return ""


def _jumps(watch: SensorWatch, last: Reading | None, reading: Reading) -> SensorWatch:
    if last is None or last.quality is not Quality.GOOD or abs(reading.value - last.value) <= JUMP_K:
        return watch
    if not timedelta() < reading.at - last.at < JUMP_WITHIN:
        return watch
    before_c = watch.before_c if watch.jumped is not None else last.value
    return replace(watch, jumped=reading.at, before_c=before_c)


def _over(watch: SensorWatch, value_c: float, at: datetime, around: list[float]) -> bool:
    """Whether a jump is forgiven."""
    if abs(value_c - watch.before_c) <= FORGIVEN_K:
        return True
    if watch.jumped is None or at - watch.jumped < SETTLED or not PLAUSIBLE_C[0] <= value_c <= PLAUSIBLE_C[1]:
        return False
    return not around or min(abs(value_c - each) for each in around) <= APART_K


def _looked_at(
    watch: SensorWatch, at: datetime, value_c: float, around: list[float], draft: Draft, zone: Zone
) -> SensorWatch:
    """The watch after this reading: since when it is flat, and how far the others and its setpoint moved meanwhile."""
    elsewhere, wanted = watch.elsewhere, watch.wanted
    since, flat_c = watch.flat_since, watch.flat_c
    if since is None or abs(value_c - flat_c) > FLAT_K:
        since, flat_c, elsewhere, wanted = at, value_c, Swing(), Swing()
    mean_c = sum(around) / len(around) if around else None
    return replace(
        watch, at=at, value_c=value_c, flat_since=since, flat_c=flat_c,
        elsewhere=elsewhere.taking(mean_c), wanted=wanted.taking(wanted_c(draft, zone.id)),
    )  # fmt: skip


def _stands_still(watch: SensorWatch, at: datetime, around: list[float]) -> bool:
    """Flat for a day while the others and its own setpoint moved; for three where it is alone, or held at one."""
    if watch.flat_since is None:
        return False
    span = at - watch.flat_since
    if around and watch.elsewhere.span_k >= MOVED_K:
        return span >= (FLAT_FOR if watch.wanted.span_k >= MOVED_K else FLAT_FOR_LONG)
    return not around and watch.wanted.span_k >= MOVED_K and span >= FLAT_FOR_LONG


def _elsewhere(wiring: Wiring, draft: Draft, zone: Zone) -> Iterator[float]:
    """What the believed sensors of the building's other zones show."""
    building = wiring.site.buildings.get(zone.building)
    for name in () if building is None else building.zones:
        other = wiring.site.zones.get(name)
        if other is None or other.id == zone.id or not trusted(wiring, draft, other):
            continue
        image, point = draft.image.get(other.device) or NOTHING_HEARD, f"zone.{other.number}.temperature"
        value, reading = image.value(point), image.readings.get(point)
        if value is None or reading is None or reading.quality is not Quality.GOOD:
            continue
        if LOWEST_C <= value <= HIGHEST_C:
            yield value
