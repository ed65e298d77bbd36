"""Faults by command, applied to the plant: who is meant, whether it fits, what breaks and how it is repaired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from config.site import Site
from sim.cabinet import Stuck
from sim.faults import KINDS, WIRE_KINDS, BadRequest, Fault, FaultTable, number, parse_fault
from sim.lamp import Failure
from sim.lighting_plant import LightingPlant
from sim.objects import BacnetObject

HAND_PRIORITY = 8


class Sabotage:
    """Breaks and repairs; the table is the one truth about what is broken."""

    def __init__(
        self,
        site: Site,
        table: FaultTable,
        lighting: LightingPlant,
        objects: Mapping[str, list[BacnetObject]],
    ) -> None:
        self._site, self._table, self._lighting, self._objects = site, table, lighting, objects
        table.watch(self._apply)

    def break_(self, words: list[str], now_s: float) -> Fault:
        """``TARGET KIND [ARGUMENT...] [for DURATION]``; raises BadRequest and then nothing has changed."""
        fault = parse_fault(words, now_s)
        targets = self.targets(KINDS[fault.kind].scope)
        if fault.target not in targets:
            raise BadRequest(self._unknown(fault, targets))
        if fault.kind == "hand":
            found, value = self._object(fault), number(fault.arguments[-1])
            if not found.writable:
                raise BadRequest(f"{found.key} cannot be written")
            if not (found.minimum is None or value >= found.minimum) or not (
                found.maximum is None or value <= found.maximum
            ):
                raise BadRequest(f"{found.key} takes {found.minimum} to {found.maximum}")
        self._table.add(fault)
        return fault

    def repair(self, target: str | None, kind: str | None = None) -> list[Fault]:
        """Clear everything, or what is broken at ``target`` (of ``kind``). Raises BadRequest where nothing is."""
        faults = [
            fault for fault in self._table.active if target in (None, fault.target) and kind in (None, fault.kind)
        ]
        if target is not None and not faults:
            raise BadRequest(f"nothing is broken at {target!r}")
        self._table.clear(faults)
        return faults

    def targets(self, scope: str) -> Iterable[str]:
        """The ids that faults of a scope may name."""
        if scope == "device":
            return self._site.devices.keys()
        if scope == "segment":
            return self._lighting.contactors.keys()
        if scope == "lamp":
            return self._lighting.lamps.keys()
        if scope == "cabinet":
            return [*self._lighting.cabinets, *self._doors()]
        return [*self._objects, *(zone.id for zone in self._site.zones.values() if zone.device in self._objects)]

    def _doors(self) -> dict[str, str]:
        cabinets = self._site.cabinets.values()
        return {cabinet.id: cabinet.device for cabinet in cabinets if cabinet.device in self._lighting.cabinets}

    def _unknown(self, fault: Fault, targets: Iterable[str]) -> str:
        scope = {"object": "zone or BACnet device"}.get(KINDS[fault.kind].scope, KINDS[fault.kind].scope)
        near = get_close_matches(fault.target, list(targets), 1)
        return f"no {scope} {fault.target!r}" + (f": did you mean {near[0]!r}?" if near else "")

    def _apply(self, fault: Fault, active: bool) -> None:
        if fault.kind in WIRE_KINDS:
            return
        if fault.kind == "door":
            device = self._doors().get(fault.target, fault.target)
            self._lighting.cabinets[device].door_open = active
        elif fault.kind == "stuck":
            self._lighting.contactors[fault.target].stuck = Stuck(fault.arguments[0]) if active else Stuck.NO
        elif fault.kind == "breaker":
            self._lighting.contactors[fault.target].tripped = active
        elif fault.kind == "lamp":
            self._lighting.lamps[fault.target].failure = Failure(fault.arguments[0]) if active else Failure.NONE
        else:
            self._hand(fault, active=active)

    def _hand(self, fault: Fault, *, active: bool) -> None:
        found = self._object(fault)
        if active:
            found.command(HAND_PRIORITY, float(fault.arguments[-1]))
        elif found.commandable:
            found.command(HAND_PRIORITY, None)

    def _object(self, fault: Fault) -> BacnetObject:
        """A zone's setpoint, or the object that was named. Raises BadRequest."""
        device, key = fault.target, fault.arguments[0]
        if fault.target in self._site.zones:
            if len(fault.arguments) != 1:
                raise BadRequest("usage: fault ZONE hand VALUE")
            zone = self._site.zones[fault.target]
            device, key = zone.device, f"analog-value,{zone.number}"
        elif len(fault.arguments) != 2:
            raise BadRequest("usage: fault DEVICE hand OBJECT VALUE, e.g. analog-value,1 21")
        for candidate in self._objects[device]:
            if candidate.key == key:
                return candidate
        raise BadRequest(f"{device} has no object {key!r}")
