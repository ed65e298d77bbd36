"""Rooms: control functions that are allowed but do nothing, or hardly what was meant."""

from __future__ import annotations

from config.heating import BuildingFile, ZoneFile
from config.lint_setpoints import OCCUPIED_C
from config.site import Emitter, Site
from config.tree.draft import Draft


def lint_rooms(draft: Draft, site: Site) -> None:
    """Note every warning about zones and the signals that buildings follow."""
    followed = {building.shedding.signal for building in draft.written.buildings if building.shedding}
    for name in draft.written.signals:
        if name not in followed:
            draft.warning(("signals", name), "never used", at_key=True)
    for building in draft.written.buildings:
        for zone in building.zones:
            _zone(draft, zone, in_france=site.country == "FR")
        if building.shedding is not None:
            _shedding(draft, building)


def _zone(draft: Draft, zone: ZoneFile, *, in_france: bool) -> None:
    if zone.absence is not None and zone.emitter is Emitter.FLOOR:
        draft.warning(zone.where("absence"), "without effect: a floor is too slow for it (ISO 52120-1)")
    boost = zone.boost
    if boost is not None and in_france and boost.maximum > OCCUPIED_C and zone.allures.comfort > OCCUPIED_C:
        message = f"{boost.maximum:g} degrees C are above the legal {OCCUPIED_C:g} (average of the building)"
        draft.warning(boost.where("maximum"), message)
    if boost is not None and boost.lasting is not None and boost.cap is not None and boost.lasting > boost.cap:
        draft.warning(boost.where("lasting"), "longer than cap, which cuts it short")
    if boost is not None and boost.maximum <= zone.allures.reduced:
        draft.warning(boost.where("maximum"), "not above the reduced setpoint: a boost gives no warmth")
    if zone.frost_below > zone.allures.frost:
        message = f"frost protection would act at the frost setpoint of {zone.allures.frost:g} already"
        draft.warning(zone.where("frost_below" if "frost_below" in zone.model_fields_set else "allures"), message)


def _shedding(draft: Draft, building: BuildingFile) -> None:
    """What no zone can give, and levels that give nothing more than a lower one."""
    shedding = building.shedding
    if shedding is None:
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
