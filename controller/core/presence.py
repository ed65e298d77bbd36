"""Presence sensors: who is there has light until the hold after the last detection, in the lit period only.

What the lamps get is worked out by ``dynamic.presence_slot``; here is who was seen, and until when that counts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from config.site import PresenceSensor
from controller.core import lighting, tallies
from controller.core.dynamic import lit_until
from controller.core.image import NOTHING_HEARD
from controller.core.sensed import Presence
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality, Reading


def heard(wiring: Wiring, draft: Draft, sensor_id: str, reading: Reading) -> None:
    """Take up one reading of a sensor; of those that repeat the last one nothing follows."""
    if reading.quality is not Quality.GOOD:
        return
    sensor, known = wiring.site.presence_sensors[sensor_id], draft.presences.get(sensor_id)
    detected = reading.value >= 0.5
    if detected is (known is not None and known.present):
        return
    until = draft.now + timedelta(seconds=sensor.hold_s)
    lamps = _lit(wiring, draft, sensor)
    if known is None or detected:
        known = Presence(draft.now if known is None else known.since, until)
        if lamps:
            tallies.count(draft, tallies.detections(sensor_id))
    else:
        known = replace(known, until=until, present=False)
    _stand(wiring, draft, sensor_id, known, lamps)


def presence_due(wiring: Wiring, draft: Draft, sensor_id: str) -> None:
    """The hold has passed: once more while somebody is still there, else the lamps go back."""
    known, sensor = draft.presences.get(sensor_id), wiring.site.presence_sensors.get(sensor_id)
    if known is None or sensor is None:
        return
    lamps = _lit(wiring, draft, sensor)
    if known.present and _still_there(wiring, draft, sensor):
        known = replace(known, until=draft.now + timedelta(seconds=sensor.hold_s))
    elif known.until <= draft.now:
        draft.presences.drop(sensor_id)
        lighting.touch_lamps(wiring, draft, lamps)
        return
    _stand(wiring, draft, sensor_id, known, lamps)


def _stand(wiring: Wiring, draft: Draft, sensor_id: str, known: Presence, lamps: list[str]) -> None:
    draft.presences[sensor_id] = known
    draft.schedule(f"presence/{sensor_id}", known.until)
    lighting.touch_lamps(wiring, draft, lamps)


def _still_there(wiring: Wiring, draft: Draft, sensor: PresenceSensor) -> bool:
    image, point = draft.image.get(sensor.device) or NOTHING_HEARD, f"presence.{sensor.number}.detected"
    quality = image.quality(point, draft.now, wiring.stale_after(sensor.device, point))
    return quality is Quality.GOOD and (image.value(point) or 0.0) >= 0.5


def _lit(wiring: Wiring, draft: Draft, sensor: PresenceSensor) -> list[str]:
    """The lamps of the sensor whose plan is in its lit period; the others have nothing of a presence."""
    ends: dict[str, datetime | None] = {}
    found = []
    for lamp in wiring.brightened_by(sensor.id):
        group = wiring.group_of.get(f"lamp/{lamp}")
        if group is None:
            continue
        if group not in ends:
            ends[group] = lit_until(draft, wiring.site.groups[group].plan)
        if ends[group] is not None:
            found.append(lamp)
    return found
