"""A photocell's readings as one word that plans can go by: dark, bright, or unknown.

With hysteresis, and each side only after it has held for a while. Unknown, which leaves the night to the clock, while
nothing usable is heard of the cell and while it contradicts the sun: dark for half an hour of full day, or bright for
half an hour of full night. A cell that was caught so (covered, stuck, lit by its own lamp) is not believed again
before it has been seen on the other side.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from config.site import Photocell
from controller.core import diagnostics, lighting
from controller.core.diagnostics import Condition
from controller.core.image import NOTHING_HEARD, DeviceImage
from controller.core.sensed import Ambience
from controller.core.state import Draft
from controller.core.wiring import Wiring
from drivers.api import Quality
from schedules import sun
from schedules.photocell import Ambient
from schedules.sun import Place

FAILURE = "photocellFailure"
_DAY_DEG, _NIGHT_DEG = 10.0, -8.0
_CONTRARY_FOR = timedelta(minutes=30)
_LOOK_AT_THE_SUN = timedelta(minutes=10)
_JUST_STALE = timedelta(seconds=1)
_AGAINST = {Ambient.DARK: "dark by day", Ambient.BRIGHT: "bright at night"}
_UNUSABLE = {Quality.STALE: "the last reading is too old", Quality.FAULT: "the device has no usable value"}


def heard(wiring: Wiring, draft: Draft, cell_id: str) -> None:
    """Something came in of the cell; while its side stays the same there is nothing to work out."""
    known = draft.ambients.get(cell_id)
    if known is None or known.side is Ambient.UNKNOWN or _side(wiring, draft, cell_id) is not known.side:
        judge(wiring, draft, cell_id)


def judge(wiring: Wiring, draft: Draft, cell_id: str) -> None:
    """Work out anew what the cell says, tell whoever goes by it, and be due when it may change by time alone."""
    cell, side = wiring.site.photocells[cell_id], _side(wiring, draft, cell_id)
    before = draft.ambients.get(cell_id) or Ambience(draft.now)
    known = before if side is before.side else replace(before, side=side, since=draft.now)
    known = replace(known, doubted=_doubted(known, cell, wiring.site.place, draft.now))
    known = replace(known, said=_said(known, cell, draft.now))
    if known != draft.ambients.get(cell_id):
        draft.ambients[cell_id] = known
    _schedule(wiring, draft, cell, known)
    _raise_alarm(wiring, draft, cell, known)
    if known.said is not before.said:
        _tell(wiring, draft, cell, known)


def point_of(wiring: Wiring, cell: Photocell) -> str:
    """The point that the cell is read by: its lux where the device has them, else its switch."""
    stem = f"photocell.{cell.number}"
    return f"{stem}.illuminance" if wiring.has(cell.device, f"{stem}.illuminance") else f"{stem}.dark"


def _image(draft: Draft, cell: Photocell) -> DeviceImage:
    return draft.image.get(cell.device) or NOTHING_HEARD


def _quality(wiring: Wiring, draft: Draft, cell: Photocell) -> Quality:
    point = point_of(wiring, cell)
    return _image(draft, cell).quality(point, draft.now, wiring.stale_after(cell.device, point))


def _side(wiring: Wiring, draft: Draft, cell_id: str) -> Ambient | None:
    """The side on which the cell's last reading is; None between the thresholds, UNKNOWN without a usable one."""
    cell = wiring.site.photocells[cell_id]
    point = point_of(wiring, cell)
    value = _image(draft, cell).value(point)
    if value is None or _quality(wiring, draft, cell) is not Quality.GOOD:
        return Ambient.UNKNOWN
    if point.endswith(".dark"):
        return Ambient.DARK if value >= 0.5 else Ambient.BRIGHT
    if value < cell.on_below_lx:
        return Ambient.DARK
    return Ambient.BRIGHT if value > cell.off_above_lx else None


def _held(known: Ambience, cell: Photocell, now: datetime) -> bool:
    return now - known.since >= timedelta(seconds=cell.hold_s)


def _doubted(known: Ambience, cell: Photocell, place: Place, now: datetime) -> Ambient | None:
    """The side that the cell is caught on: anew, still, or None once it has been held on the other one."""
    if known.side not in _AGAINST:
        return known.doubted
    if now - known.since >= _CONTRARY_FOR and all(
        _contrary(known.side, sun.elevation(at, place)) for at in (now - _CONTRARY_FOR, now)
    ):
        return known.side
    moved = known.doubted is not None and known.side is not known.doubted and _held(known, cell, now)
    return None if moved else known.doubted


def _contrary(side: Ambient | None, elevation_deg: float) -> bool:
    return elevation_deg > _DAY_DEG if side is Ambient.DARK else elevation_deg < _NIGHT_DEG


def _said(known: Ambience, cell: Photocell, now: datetime) -> Ambient:
    if known.side is Ambient.UNKNOWN or known.doubted is not None:
        return Ambient.UNKNOWN
    return known.side if known.side is not None and _held(known, cell, now) else known.said


def _schedule(wiring: Wiring, draft: Draft, cell: Photocell, known: Ambience) -> None:
    """When the side has held, when the reading grows old, and now and then for the sun's sake."""
    reading = _image(draft, cell).readings.get(point_of(wiring, cell))
    if known.side is Ambient.UNKNOWN or reading is None:
        draft.schedule(f"photocell/{cell.id}", None)
        return
    stale_after = timedelta(seconds=wiring.stale_after(cell.device, point_of(wiring, cell)))
    dues = [reading.at + stale_after + _JUST_STALE, draft.now + _LOOK_AT_THE_SUN]
    held_at = known.since + timedelta(seconds=cell.hold_s)
    if held_at > draft.now:
        dues.append(held_at)
    draft.schedule(f"photocell/{cell.id}", min(dues))


def _raise_alarm(wiring: Wiring, draft: Draft, cell: Photocell, known: Ambience) -> None:
    """An alarm of the cell; a device that is silent as a whole has its own, unless nothing but cells lives there."""
    key, quality = f"photocell/{cell.id}", _quality(wiring, draft, cell)
    alone = not wiring.entities_of.get(cell.device)
    if known.doubted is None and (quality is Quality.UNKNOWN or (quality is Quality.OFFLINE and not alone)):
        diagnostics.forget_pending(draft, (key, FAILURE))
        return
    holds = known.doubted is not None or known.side is Ambient.UNKNOWN
    lux = _image(draft, cell).value(point_of(wiring, cell))
    persist_s = wiring.site.timing.persist_s
    detail = _cause(wiring, draft, cell, known)
    diagnostics.follow(wiring, draft, key, Condition(FAILURE, holds, "minor", persist_s, lux, detail=detail))


def _cause(wiring: Wiring, draft: Draft, cell: Photocell, known: Ambience) -> str:
    """Why the cell is not believed, in words; empty when it is."""
    if known.doubted is not None:
        return f"implausible: {_AGAINST[known.doubted]}"
    if known.side is not Ambient.UNKNOWN:
        return ""
    return _UNUSABLE.get(_quality(wiring, draft, cell), "the device does not answer")


def _tell(wiring: Wiring, draft: Draft, cell: Photocell, known: Ambience) -> None:
    """Report the change, and take up every group in whose plan the cell has a say."""
    facts: dict[str, object] = {"ambient": known.said.value}
    lux = _image(draft, cell).value(point_of(wiring, cell))
    if lux is not None and point_of(wiring, cell).endswith(".illuminance"):
        facts["lux"] = round(lux, 1)
    cause = _cause(wiring, draft, cell, known)
    if known.said is Ambient.UNKNOWN and cause:
        facts["cause"] = cause
    draft.event("ambient", f"photocell/{cell.id}", **facts)
    for group in wiring.groups_by_cell.get(cell.id, ()):
        lighting.group_due(wiring, draft, group)
