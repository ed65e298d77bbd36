"""Energy, burning hours and switch-ons as they pass: by a device's own counter, else by power or profile over time.

Counters are absolute values by name, ``lamp/<id>/energy_kwh``; ``...@device`` is the device's own counter when it
was last seen, so that nothing is lost over a restart. What passes while a contactor is closed is noted with it
(``...@owed``) and told every quarter of an hour, or when it opens: its hours and energy, and those of the lamps without
a node behind it. So its state does not change with every answer.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from controller.core.counted import OWED, DeviceCounter, LampCount, SegmentCount
from controller.core.drive import expected_power_w
from controller.core.image import DeviceImage
from controller.core.state import Draft
from controller.core.tallies import put
from controller.core.wiring import Wiring

ALIVE = "site/night@alive"
"""When the daemon last kept its counters, Unix time: how long it was away, at the next start."""
_OWED_H = 0.24
"""Just before the heartbeat of a quarter of an hour, so that it takes its place."""
_HOUR_S = 3600.0


def count_device(wiring: Wiring, draft: Draft, device_id: str, before: DeviceImage, image: DeviceImage) -> None:
    """Take up what passed at one device since its last answer."""
    counted = wiring.counted
    of_segments: defaultdict[str, float] = defaultdict(float)
    for lamp in counted.lamps.get(device_id, ()):
        gained = _count_lamp(draft, lamp, before, image)
        if gained and lamp.segment is not None:
            of_segments[lamp.segment] += gained
    for segment in counted.segments.get(device_id, ()):
        _count_segment(draft, segment, before, image)
    for counter in counted.meters.get(device_id, ()):
        _follow(draft, counter, before, image)
    for name, gained in of_segments.items():
        add(draft, name, gained)


def settle(wiring: Wiring, draft: Draft) -> None:
    """Tell what every contactor owes."""
    for segments in wiring.counted.segments.values():
        for segment in segments:
            _pay(draft, segment)


def add(draft: Draft, name: str, amount: float) -> None:
    """Raise a counter."""
    put(draft, name, (draft.counters.get(name) or 0.0) + amount)


def _count_lamp(draft: Draft, count: LampCount, before: DeviceImage, image: DeviceImage) -> float:
    """Returns the energy that the lamp gained, in kWh."""
    energy = 0.0
    for counter in count.counters:
        gained = _follow(draft, counter, before, image)
        if counter.name == count.energy:
            energy = gained
    return energy + _integrate(draft, count, before, image) if count.integrates else energy


def _follow(draft: Draft, counter: DeviceCounter, before: DeviceImage, image: DeviceImage) -> float:
    reading = image.readings.get(counter.point)
    if reading is None or counter.point in image.faults:
        return 0.0
    previous = before.readings.get(counter.point)
    if previous is not None and previous.value == reading.value:
        return 0.0
    last = draft.counters.get(counter.at_device)
    if last == reading.value:
        return 0.0
    if last is None:
        draft.rearrange.add(counter.name.rpartition("/")[0])  # what a lamp is told may follow its burning hours
    since = previous.at if previous is not None else _alive(draft)
    span_h = None if since is None else max(0.0, (reading.at - since).total_seconds() / _HOUR_S)
    gained = counter.gained(last, reading.value, span_h)
    add(draft, counter.name, gained)
    put(draft, counter.at_device, reading.value)
    return gained


def _alive(draft: Draft) -> datetime | None:
    at = draft.counters.get(ALIVE)
    return None if at is None else datetime.fromtimestamp(at, draft.now.tzinfo)


def _integrate(draft: Draft, count: LampCount, before: DeviceImage, image: DeviceImage) -> float:
    """Where the node keeps no counter of its own: power, light and switching between two readings."""
    now, last = image.readings.get(count.level), before.readings.get(count.level)
    if now is None or last is None or now.at <= last.at or count.level in image.faults:
        return 0.0
    if last.value <= 0.0 < now.value and count.switch_ons in count.integrates:
        _gain(draft, count, count.switch_ons, 1.0)
    span_s = (now.at - last.at).total_seconds()
    if span_s > count.stale_after_s:
        return 0.0
    hours = span_s / _HOUR_S
    if last.value > 0.0 and count.burning_h in count.integrates:
        _gain(draft, count, count.burning_h, hours)
    if count.energy not in count.integrates:
        return 0.0
    energy = _power_w(draft, count, before, last.value) * hours / 1000.0
    if energy > 0.0:
        _gain(draft, count, count.energy, energy)
    return energy


def _power_w(draft: Draft, count: LampCount, before: DeviceImage, level: float) -> float:
    if count.power:
        power = before.readings.get(count.power)
        return 0.0 if power is None else power.value
    return expected_power_w(draft, count.lamp, level)


def _gain(draft: Draft, count: LampCount, name: str, amount: float) -> None:
    add(draft, name, amount)
    draft.changed.add(f"lamp/{count.lamp.id}")


def _count_segment(draft: Draft, count: SegmentCount, before: DeviceImage, image: DeviceImage) -> None:
    now, last = image.readings.get(count.feedback), before.readings.get(count.feedback)
    if now is None or last is None or now.at <= last.at or count.feedback in image.faults:
        return
    key = f"segment/{count.id}"
    closed, was_closed = now.value == 1.0, last.value == 1.0
    if closed and not was_closed:
        add(draft, f"{key}/switch_ons", 1.0)
        for lamp in count.nodeless:
            add(draft, f"lamp/{lamp.id}/switch_ons", 1.0)
    span_s = (now.at - last.at).total_seconds()
    if not was_closed or span_s > count.stale_after_s:
        return
    hours = span_s / _HOUR_S
    add(draft, f"{key}/burning_h{OWED}", hours)
    if count.nodeless and image.value(count.breaker) != 1.0:
        add(draft, f"{key}/fed_h{OWED}", hours)
    if count.meter is not None:
        add(draft, f"{key}/energy_kwh{OWED}", _metered_w(draft, count.meter, before) * hours / 1000.0)
    if not closed or (draft.counters.get(f"{key}/burning_h{OWED}") or 0.0) >= _OWED_H:
        _pay(draft, count)


def _metered_w(draft: Draft, meter: tuple[str, str], before: DeviceImage) -> float:
    device, point = meter
    image = draft.image.get(device)
    reading = before.readings.get(point) or (image.readings.get(point) if image is not None else None)
    return 0.0 if reading is None else max(0.0, reading.value)


def _pay(draft: Draft, count: SegmentCount) -> None:
    """Tell what a contactor owes, to itself and to its lamps without a node."""
    key = f"segment/{count.id}"
    fed_h = draft.counters.get(f"{key}/fed_h{OWED}") or 0.0
    if fed_h > 0.0:
        put(draft, f"{key}/fed_h{OWED}", 0.0)
        for lamp in count.nodeless:
            used = lamp.type.expected_power_w(100.0) * fed_h / 1000.0
            add(draft, f"lamp/{lamp.id}/burning_h", fed_h)
            add(draft, f"lamp/{lamp.id}/energy_kwh", used)
            draft.changed.add(f"lamp/{lamp.id}")
            if count.meter is None:
                add(draft, f"{key}/energy_kwh{OWED}", used)
    for name in ("burning_h", "energy_kwh"):
        owed = draft.counters.get(f"{key}/{name}{OWED}") or 0.0
        if owed > 0.0:
            put(draft, f"{key}/{name}{OWED}", 0.0)
            add(draft, f"{key}/{name}", owed)
            draft.changed.add(key)
