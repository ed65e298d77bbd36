"""What the lighting listens to: photocells, and presence sensors with the lamps that they brighten."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from config.lighting import NeighboursFile, PhotocellFile, PresenceFile
from config.site import Lamp, Photocell, PresenceSensor
from config.tree.devices import Wired
from config.tree.draft import Draft
from config.tree.groups import chosen_lamps
from config.tree.inventory import Inventory

_EARTH_M = 6_371_000.0
_HYSTERESIS = 1.4
_HOLD_S = 120.0


def build_photocells(draft: Draft, devices: Mapping[str, Wired]) -> dict[str, Photocell]:
    """The photocells by id."""
    cells: dict[str, Photocell] = {}
    for written in draft.written.photocells:
        fits = _fits(draft, devices, written, "photocell", ("illuminance", "dark"))
        off_above = written.off_above or written.on_below * _HYSTERESIS
        if off_above < written.on_below:
            draft.error(written.where("off_above"), "must not be less than on_below, or the lamps never rest")
        if fits:
            hold_s = written.hold.total_seconds() if written.hold is not None else _HOLD_S
            cells[written.id] = Photocell(
                written.id, written.device, written.number, written.on_below, off_above, hold_s
            )
    return cells


def build_presence_sensors(
    draft: Draft, devices: Mapping[str, Wired], inventory: Inventory
) -> dict[str, PresenceSensor]:
    """The presence sensors by id, with the lamps of today."""
    sensors: dict[str, PresenceSensor] = {}
    for written in draft.written.presence:
        fits = _fits(draft, devices, written, "presence", ("detected",))
        lamps = chosen_lamps(draft, written.lamps, inventory)
        _dimmable(draft, written, lamps, inventory)
        if not fits:
            continue
        near = _near(written.neighbours, lamps, inventory)
        hold_s = written.hold.total_seconds() if written.hold is not None else _HOLD_S
        level = written.neighbours.level if written.neighbours else 0.0
        sensors[written.id] = PresenceSensor(
            written.id, written.device, written.number, lamps, written.level, hold_s, near, level
        )
    return sensors


def used(sensors: Iterable[Photocell | PresenceSensor], device: str) -> set[int]:
    """The numbers of the sensors at a device."""
    return {sensor.number for sensor in sensors if sensor.device == device}


def _fits(
    draft: Draft,
    devices: Mapping[str, Wired],
    written: PhotocellFile | PresenceFile,
    family: str,
    words: tuple[str, ...],
) -> bool:
    """Whether the id is new, and its device has one of the points."""
    kind = "presence sensor" if family == "presence" else family
    spot, label = draft.spot(written.where("id")), draft.document.label(written.where("id"))
    if not draft.unique(kind, written.id, spot, label):
        return False
    device = draft.find("device", written.device, devices, written.where("device"))
    if device is None:
        return False
    if any(device.has(f"{family}.{written.number}.{word}") for word in words):
        return True
    numbers = sorted({number for word in words for number in device.numbers(family, word)})
    known = f"{family} {', '.join(map(str, numbers))}" if numbers else f"no {family}"
    where = written.where("number") if numbers else written.where("device")
    draft.error(where, f"profile {device.profile.id} has {known}, not {written.number}" if numbers else
                f"profile {device.profile.id} has {known}")  # fmt: skip
    return False


def _dimmable(draft: Draft, written: PresenceFile, lamps: tuple[str, ...], inventory: Inventory) -> None:
    """A contactor is no light for passers-by: only lamps with a node are brightened."""
    without = next((lamp for lamp in lamps if not inventory.lamps[lamp].has_node), None)
    if without is not None:
        draft.error(written.where("lamps"), f'lamp "{without}" has no node: a presence cannot brighten it alone')


def _near(written: NeighboursFile | None, lamps: tuple[str, ...], inventory: Inventory) -> tuple[str, ...]:
    """The lamps with a node within reach of one of ``lamps``, without these."""
    if written is None:
        return ()
    centres = [inventory.lamps[lamp] for lamp in lamps]
    return tuple(
        name
        for name, lamp in inventory.lamps.items()
        if lamp.has_node and name not in lamps and any(_metres(lamp, centre) <= written.within_m for centre in centres)
    )


def _metres(one: Lamp, other: Lamp) -> float:
    """The distance between two lamps; infinite where the inventory does not say where one of them stands."""
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        return math.inf
    north = math.radians((one.latitude or 0.0) - (other.latitude or 0.0))
    middle = math.radians(((one.latitude or 0.0) + (other.latitude or 0.0)) / 2.0)
    east = math.radians((one.longitude or 0.0) - (other.longitude or 0.0)) * math.cos(middle)
    return _EARTH_M * math.hypot(north, east)
