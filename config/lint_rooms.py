"""Rooms: control functions that are allowed but do nothing, or hardly what was meant."""

from __future__ import annotations

from datetime import timedelta

from config.heating import BuildingFile, ZoneFile
from config.site import Emitter, Site, Zone
from config.tree.draft import Draft
from drivers.profile import BacnetPoint
from schedules.legal_temperatures import OCCUPIED_C


def lint_rooms(draft: Draft, site: Site) -> None:
    """Note every warning about zones and the signals that buildings follow."""
    followed = {building.shedding.signal for building in draft.written.buildings if building.shedding}
    for name in draft.written.signals:
        if name not in followed:
            draft.warning(("signals", name), "never used", at_key=True)
    for building in draft.written.buildings:
        for zone in building.zones:
            _zone(draft, zone, in_france=site.country == "FR")
            _without_effect(draft, zone, site, site.zones[f"{building.id}.{zone.id}"])
        if building.shedding is not None:
            _shedding(draft, building)


def _zone(draft: Draft, zone: ZoneFile, *, in_france: bool) -> None:
    if zone.absence is not None and zone.emitter is Emitter.FLOOR:
        draft.warning(zone.where("absence"), "without effect: a floor is too slow for it (ISO 52120-1)")
    boost = zone.boost
    if boost is not None and in_france and boost.maximum > OCCUPIED_C and zone.allures.comfort > OCCUPIED_C:
        message = f"{boost.maximum:g} degrees C are above the legal {OCCUPIED_C:g} (average of the building)"
        draft.warning(boost.where("maximum"), message)
    if boost is not None and boost.maximum <= zone.allures.reduced:
        draft.warning(boost.where("maximum"), "not above the reduced setpoint: a boost gives no warmth")
    if zone.frost_below > zone.allures.frost:
        message = f"frost protection would act at the frost setpoint of {zone.allures.frost:g} already"
        draft.warning(zone.where("frost_below" if "frost_below" in zone.model_fields_set else "allures"), message)


def _without_effect(draft: Draft, written: ZoneFile, site: Site, zone: Zone) -> None:
    """Keys that do nothing beside what the zone has of others, written or by default."""
    boost, policy = written.boost, zone.boost
    if boost is not None and policy is not None and policy.lasting > policy.cap:
        lasting, cap = _span(policy.lasting), _span(policy.cap)
        if boost.lasting is not None:
            draft.warning(boost.where("lasting"), f"{lasting} is longer than cap, {cap}, which cuts it short")
        else:
            draft.warning(boost.where("cap"), f"{cap} is shorter than lasting, {lasting} by default, and cuts it short")
    start = written.optimum_start
    if start is not None and zone.optimum_start is not None and zone.optimum_start.stop and not start.learn:
        message = "without effect: learn is false, and a zone coasts by the nights that it has learnt from"
        draft.warning(start.where("stop"), message)
    point = site.devices[zone.device].profile.points.get(f"zone.{zone.number}.setpoint")
    if zone.frost_slot and not (isinstance(point, BacnetPoint) and point.commandable):
        message = f"without effect: zone.{zone.number}.setpoint of {zone.device} has no priority array, so no slot 5"
        draft.warning(written.where("frost_slot"), message)


def _span(span: timedelta) -> str:
    """``2h``, ``90m``, as a site file has it."""
    minutes = span / timedelta(minutes=1)
    return f"{minutes / 60:g}h" if minutes % 60 == 0 else f"{minutes:g}m"


def _shedding(draft: Draft, building: BuildingFile) -> None:
    """What no zone can give, and levels that give nothing more than a lower one."""
    shedding = building.shedding
    if shedding is None:
        return
    if not any(shedding.reduce.values()):
        draft.warning(shedding.where("reduce"), "without effect: no level of the signal gives up anything")
        return
    room_k = [zone.allures.comfort - zone.allures.reduced for zone in building.zones if zone.sheddable]
    if not room_k:
        draft.warning(shedding.where("signal"), "no zone of the building is sheddable")
        return
    for level, reduce_k in sorted(shedding.reduce.items()):
        if reduce_k > max(room_k):
            message = f"{reduce_k:g} K are more than any zone gives: none goes below its reduced setpoint"
            draft.warning(shedding.where("reduce", level), message)
        lower = [shedding.reduce[each] for each in shedding.reduce if each < level]
        if lower and reduce_k < max(lower):
            draft.warning(shedding.where("reduce", level), "less than at a lower level")
